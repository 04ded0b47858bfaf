//! What stands between the products, a row at a time.

use crate::tile::{Half, float, half};

/// e to the power of `x`, as exact as softmax and sigmoid need it.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // Added to a small number, it leaves the number's whole part in the lowest bits.
    const WHOLE: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x.mul_add(std::f32::consts::LOG2_E, WHOLE);
    let whole = shifted - WHOLE;
    let rest = whole.mul_add(2.121_944_4e-4, whole.mul_add(-0.693_359_4, x));
    let mut sum = 1.987_569_1e-4;
    for c in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        sum = f32::mul_add(sum, rest, c);
    }
    let part = (sum * rest).mul_add(rest, rest) + 1.0;
    part * f32::from_bits(shifted.to_bits().wrapping_add(127) << 23)
}

#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// A sum in sixteen lanes, so that the compiler may use vectors.
#[inline(always)]
fn sum(terms: impl Iterator<Item = [f32; 16]>) -> f32 {
    let mut lanes = [0f32; 16];
    for term in terms {
        for (lane, term) in lanes.iter_mut().zip(term) {
            *lane += term;
        }
    }
    lanes.iter().sum()
}

/// The product of two rows, whose length is a multiple of sixteen.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, b) = (a.as_chunks::<16>().0, b.as_chunks::<16>().0);
    sum(a.iter().zip(b).map(|(a, b)| std::array::from_fn(|i| a[i] * b[i])))
}

/// [`dot`] of halves.
pub fn dot_halves(a: &[Half], b: &[Half]) -> f32 {
    let (a, b) = (a.as_chunks::<16>().0, b.as_chunks::<16>().0);
    sum(a.iter().zip(b).map(|(a, b)| std::array::from_fn(|i| float(a[i]) * float(b[i]))))
}

/// The highest number of a row.
pub fn highest(row: &[f32]) -> f32 {
    let (chunks, rest) = row.as_chunks::<16>();
    let mut lanes = [f32::NEG_INFINITY; 16];
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = if x > *lane { x } else { *lane };
        }
    }
    lanes.into_iter().chain(rest.iter().copied()).fold(f32::NEG_INFINITY, f32::max)
}

/// Turns scores into e to the power of how far `scale` times they are from `highest`; returns what
/// these sum to.
pub fn exps(row: &mut [f32], scale: f32, highest: f32) -> f32 {
    let (chunks, rest) = row.as_chunks_mut::<16>();
    let mut lanes = [0f32; 16];
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *x = exp((*x - highest) * scale);
            *lane += *x;
        }
    }
    let mut total: f32 = lanes.iter().sum();
    for x in rest {
        *x = exp((*x - highest) * scale);
        total += *x;
    }
    total
}

/// A norm of rows: each divided by its root mean square, and multiplied with weights.
#[derive(Clone, Copy)]
pub struct Norm<'a> {
    pub weight: &'a [f32],
    pub eps: f32,
}

/// A row before its weights, and what it was multiplied with to become so.
#[derive(Clone, Copy)]
pub struct Unit<'a> {
    pub row: &'a [Half],
    pub over: f32,
}

impl Norm<'_> {
    /// Writes the row of a [`Unit`] and the row times the weights; returns the unit's `over`.
    pub fn there(&self, x: &[f32], unit: &mut [Half], out: &mut [Half]) -> f32 {
        let over = 1.0 / (dot(x, x) / x.len() as f32 + self.eps).sqrt();
        for (((&x, &w), u), o) in x.iter().zip(self.weight).zip(unit).zip(out) {
            *u = half(x * over);
            *o = half(x * over * w);
        }
        over
    }

    /// The way back: `of` comes as the gradient of the output, and is lost. Adds to the gradients
    /// of the input and of the weights.
    pub fn back(&self, of: &mut [f32], unit: Unit, to: &mut [f32], to_weight: &mut [f32]) {
        for (((g, &u), &w), t) in of.iter_mut().zip(unit.row).zip(self.weight).zip(to_weight) {
            *t += *g * float(u);
            *g *= w;
        }
        let (g, u) = (of.as_chunks::<16>().0, unit.row.as_chunks::<16>().0);
        let terms = g.iter().zip(u).map(|(g, u)| std::array::from_fn(|i| g[i] * float(u[i])));
        let mean = sum(terms) / of.len() as f32;
        for ((&g, &u), t) in of.iter().zip(unit.row).zip(to) {
            *t += unit.over * (g - float(u) * mean);
        }
    }
}

/// What the norm gave for each unit: the units times the weights.
pub fn weighted(out: &mut [Half], units: &[Half], weight: &[f32]) {
    let rows = out.chunks_exact_mut(weight.len()).zip(units.chunks_exact(weight.len()));
    for (out, unit) in rows {
        for ((o, &u), &w) in out.iter_mut().zip(unit).zip(weight) {
            *o = half(float(u) * w);
        }
    }
}

/// The angles by which positions rotate queries and keys: cosines and sines for half a head.
pub struct Angles {
    cos: Vec<f32>,
    sin: Vec<f32>,
    half: usize,
}

/// The widest head.
pub const HEAD_MOST: usize = 256;

/// The norm of a head's queries or keys, and a position.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub norm: Norm<'a>,
    pub position: usize,
}

impl Angles {
    pub fn new(positions: usize, head: usize, theta: f64) -> Angles {
        let half = head / 2;
        let speed = |at: usize| theta.powf(-(at as f64) / half as f64) as f32;
        let angle = |at: usize| (at / half) as f32 * speed(at % half);
        let all = |f: fn(f32) -> f32| (0..positions * half).map(|at| f(angle(at))).collect();
        Angles { cos: all(f32::cos), sin: all(f32::sin), half }
    }

    fn at(&self, position: usize) -> impl Iterator<Item = (&f32, &f32)> {
        let range = position * self.half..(position + 1) * self.half;
        self.cos[range.clone()].iter().zip(&self.sin[range])
    }

    /// Norm and rotation of one head's query or key.
    pub fn there(&self, raw: &[Half], place: Place, out: &mut [Half]) {
        let over = over(raw, place.norm.eps);
        let (low, high) = raw.split_at(self.half);
        let (low_weight, high_weight) = place.norm.weight.split_at(self.half);
        let (low_out, high_out) = out.split_at_mut(self.half);
        let sides = low.iter().zip(low_weight).zip(high.iter().zip(high_weight));
        let outs = low_out.iter_mut().zip(high_out);
        for (((o, p), (c, s)), ((a, v), (b, w))) in outs.zip(self.at(place.position)).zip(sides) {
            let (a, b) = (float(*a) * over * v, float(*b) * over * w);
            *o = half(a * c - b * s);
            *p = half(b * c + a * s);
        }
    }

    /// The way back: `of` comes as the gradient of what was rotated and becomes that of `raw`.
    pub fn back(&self, of: &mut [Half], raw: &[Half], place: Place, to_weight: &mut [f32]) {
        let (mut g, mut unit) = ([0f32; HEAD_MOST], [0f32; HEAD_MOST]);
        let (g, unit) = (&mut g[..raw.len()], &mut unit[..raw.len()]);
        let over = over(raw, place.norm.eps);
        let (low, high) = of.split_at(self.half);
        let (low_g, high_g) = g.split_at_mut(self.half);
        let rotated = low_g.iter_mut().zip(high_g).zip(low.iter().zip(high));
        for (((x, y), (a, b)), (c, s)) in rotated.zip(self.at(place.position)) {
            let (a, b) = (float(*a), float(*b));
            *x = a * c + b * s;
            *y = b * c - a * s;
        }
        let units = unit.iter_mut().zip(raw);
        for (((g, (u, &r)), &w), t) in g.iter_mut().zip(units).zip(place.norm.weight).zip(to_weight)
        {
            *u = float(r) * over;
            *t += *g * *u;
            *g *= w;
        }
        let mean = dot(g, unit) / raw.len() as f32;
        for ((o, &g), &u) in of.iter_mut().zip(&*g).zip(&*unit) {
            *o = half(over * (g - u * mean));
        }
    }
}

/// One over the root mean square of a row.
fn over(row: &[Half], eps: f32) -> f32 {
    1.0 / (dot_halves(row, row) / row.len() as f32 + eps).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_close_to_the_library_s() {
        for step in -870..=880 {
            let x = step as f32 / 10.0;
            assert!((exp(x) / x.exp() - 1.0).abs() < 2e-6, "{x}");
        }
        assert!(exp(-1e9) < 1e-37);
    }
}
