//! Activations rounded to int8 in groups, ready for a product with quantised weights.

use super::math::WHOLE;

/// Weights that share one integer minimum; also the run over which activations are summed.
pub const RUN: usize = 16;

/// Where one plane of a rounded row goes.
pub struct Plane<'a> {
    /// The rounded numbers.
    pub q: &'a mut [i8],
    /// The scale of each group.
    pub scales: &'a mut [f32],
    /// The sum of each run of 16 rounded numbers, which weights with minima need.
    pub sums: &'a mut [i16],
}

/// Rounds one row. A group's scale is `max|x| / 127`, its numbers `x / scale` to the nearest, ties
/// to even.
#[inline(always)]
pub fn round_row(x: &[f32], group_len: usize, to: &mut Plane) {
    let groups = x.chunks_exact(group_len).zip(to.q.chunks_exact_mut(group_len));
    for ((x, q), scale) in groups.zip(to.scales.iter_mut()) {
        *scale = round_group(x, q);
    }
    for (q, sum) in to.q.chunks_exact(RUN).zip(to.sums.iter_mut()) {
        *sum = q.iter().map(|&q| i16::from(q)).sum();
    }
}

/// Takes the rounded numbers off the row they stand for: `x[i] −= scale · q[i]`, rounded once.
#[inline(always)]
pub fn subtract_rounded(x: &mut [f32], group_len: usize, rounded: &Plane) {
    let groups = x.chunks_exact_mut(group_len).zip(rounded.q.chunks_exact(group_len));
    for ((x, q), scale) in groups.zip(rounded.scales.iter()) {
        for (x, q) in x.iter_mut().zip(q) {
            *x = (-scale).mul_add(f32::from(*q), *x);
        }
    }
}

/// The nearest whole number to x, ties to even, for |x| below 2^15.
#[inline(always)]
pub(super) fn nearest(x: f32) -> i16 {
    // The last bits of this sum are those of the whole number, in two's complement.
    (x + WHOLE).to_bits() as i16
}

/// The bits of the largest magnitude. In their order a NaN is above all numbers, and not lost.
#[inline(always)]
pub(super) fn largest(x: &[f32]) -> u32 {
    x.iter().fold(0, |m, x| x.abs().to_bits().max(m))
}

/// The scale of numbers that are rounded to at most `top`, by the bits of the largest magnitude,
/// and by what they are multiplied. That is 0 where all count as zero: where they are, or are so
/// small that the inverse of their scale is not a number, or are not finite.
#[inline(always)]
pub(crate) fn scale(largest: u32, top: f32) -> (f32, f32) {
    let scale = f32::from_bits(largest) / top;
    let inverse = 1.0 / scale;
    if !inverse.is_finite() {
        return (if scale.is_nan() { scale } else { 0.0 }, 0.0);
    }
    (scale, inverse)
}

#[inline(always)]
fn round_group(x: &[f32], q: &mut [i8]) -> f32 {
    let (scale, inverse) = scale(largest(x), 127.0);
    if inverse == 0.0 {
        q.fill(0);
        return scale;
    }
    for (q, x) in q.iter_mut().zip(x) {
        *q = nearest(x * inverse) as i8;
    }
    scale
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounded(x: &[f32]) -> (Vec<i8>, f32, Vec<i16>) {
        let (mut q, mut scale, mut sums) = (vec![0; x.len()], [0.0], vec![0; x.len() / RUN]);
        let to = &mut Plane { q: &mut q, scales: &mut scale, sums: &mut sums };
        round_row(x, x.len(), to);
        (q, scale[0], sums)
    }

    #[test]
    fn ties_go_to_even() {
        let cases = [(0.5, 0), (1.5, 2), (-0.5, 0), (-1.5, -2), (126.5, 126), (-127.4, -127)];
        for (x, want) in cases {
            assert_eq!(nearest(x), want, "{x}");
        }
    }

    #[test]
    fn the_largest_number_becomes_127() {
        let mut x = [0.0_f32; 32];
        (x[3], x[4], x[31]) = (-2.54, 1.0, 2.0);
        let (q, scale, sums) = rounded(&x);
        assert_eq!((q[3], q[4], q[31]), (-127, 50, 100));
        assert_eq!(scale, 2.54 / 127.0);
        assert_eq!(sums, [-77, 100]);
    }

    #[test]
    fn what_is_no_number_is_not_rounded_away() {
        for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut x = [0.5_f32; 32];
            x[17] = bad;
            let (q, scale, _) = rounded(&x);
            assert!(!scale.is_finite(), "{bad}: {scale}");
            // Zero times what is not finite: the product is NaN, whatever the weights are.
            assert_eq!(q, [0; 32], "{bad}");
        }
    }

    #[test]
    fn zeros_and_vanishing_groups_are_zero() {
        for x in [[0.0_f32; 32], [1e-38; 32], [-0.0; 32]] {
            let (q, scale, _) = rounded(&x);
            if x[0] < 1e-37 && x[0] > 0.0 {
                // 1e-38 / 127 is subnormal and its inverse overflows.
                assert_eq!(scale, 0.0);
            }
            assert!(q.iter().all(|&q| q == 0));
        }
    }
}
