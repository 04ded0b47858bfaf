//! Rows of numbers: sums of logits, over sixteen lanes like every other sum, and of rows.

use super::lanes::LANES;
use super::math::exp;

/// The largest number. There is no NaN among them.
#[inline(always)]
pub fn largest(x: &[f32], out: &mut f32) {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (whole, rest) = x.as_chunks::<LANES>();
    for x in whole {
        for lane in 0..LANES {
            lanes[lane] = if x[lane] > lanes[lane] { x[lane] } else { lanes[lane] };
        }
    }
    *out = lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |m, x| m.max(*x));
}

/// `x = exp(x − less)`, element by element.
#[inline(always)]
pub fn exp_each(x: &mut [f32], less: f32) {
    for x in x {
        *x = exp(*x - less);
    }
}

/// Σ exp(x − less) in f64: element i belongs to lane i mod 16, ascending, then the tree.
#[inline(always)]
pub fn sum_of_exps(x: &[f32], less: f32, out: &mut f64) {
    let mut lanes = [0.0_f64; LANES];
    let (whole, rest) = x.as_chunks::<LANES>();
    for x in whole {
        for lane in 0..LANES {
            lanes[lane] += f64::from(exp(x[lane] - less));
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane += f64::from(exp(*x - less));
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
        width /= 2;
    }
    *out = lanes[0];
}

/// What choosing from a row needs to know of all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals {
    /// The largest number.
    pub largest: f32,
    /// Σ exp(x − largest) in f64.
    pub exps: f64,
    /// Whether all are finite.
    pub is_finite: bool,
}

/// The totals of a row.
#[inline(always)]
pub fn totals(x: &[f32], out: &mut Totals) {
    // Without a way out in the loop, so that many are looked at together.
    out.is_finite = x.iter().fold(true, |all, x| all & x.is_finite());
    largest(x, &mut out.largest);
    sum_of_exps(x, out.largest, &mut out.exps);
}

/// The numbers of a row from some least one on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Above {
    /// How many they are.
    pub count: usize,
    /// Their sum in f64.
    pub sum: f64,
}

/// The numbers that are at least `least`: element i belongs to lane i mod 16, ascending, then the
/// tree.
#[inline(always)]
pub fn above(x: &[f32], least: f32, out: &mut Above) {
    let (mut sums, mut counts) = ([0.0_f64; LANES], [0_u32; LANES]);
    let (whole, rest) = x.as_chunks::<LANES>();
    for x in whole {
        for lane in 0..LANES {
            sums[lane] += f64::from(if x[lane] >= least { x[lane] } else { 0.0 });
            counts[lane] += u32::from(x[lane] >= least);
        }
    }
    for (lane, x) in rest.iter().enumerate().filter(|(_, x)| **x >= least) {
        sums[lane] += f64::from(*x);
        counts[lane] += 1;
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            sums[lane] += sums[lane + width];
        }
        width /= 2;
    }
    *out = Above { count: counts.iter().map(|count| *count as usize).sum(), sum: sums[0] };
}

/// Adds the places of the numbers that are at least `least` and less than `most`.
#[inline(always)]
pub fn between(x: &[f32], (least, most): (f32, f32), out: &mut Vec<u32>) {
    let is_in = |x: f32| x >= least && x < most;
    for (i, x) in x.chunks(4 * LANES).enumerate() {
        // Without a way out in the loop, so that many are looked at together.
        if x.iter().fold(false, |any, x| any | is_in(*x)) {
            let places = x.iter().enumerate().filter(|(_, x)| is_in(**x));
            out.extend(places.map(|(lane, _)| (i * 4 * LANES + lane) as u32));
        }
    }
}

/// `out = fma(factor, x, out)`, element by element.
#[inline(always)]
pub fn add_scaled(out: &mut [f32], x: &[f32], factor: f32) {
    for (out, x) in out.iter_mut().zip(x) {
        *out = factor.mul_add(*x, *out);
    }
}

/// `out = fma(x, y, out)`, element by element.
#[inline(always)]
pub fn add_products(out: &mut [f32], x: &[f32], y: &[f32]) {
    for ((out, x), y) in out.iter_mut().zip(x).zip(y) {
        *out = x.mul_add(*y, *out);
    }
}

/// `x = cap · tanh(x / cap)`, element by element.
#[inline(always)]
pub fn soft_cap(x: &mut [f32], cap: f32) {
    for x in x {
        let y = *x / cap;
        let e = exp(-2.0 * y.abs());
        *x = ((1.0 - e) / (1.0 + e)).copysign(y) * cap;
    }
}
