//! The canon's exp, sixteen at a time.

use super::Simd;

/// Adding and subtracting this rounds to whole numbers, ties to even.
const WHOLE: f32 = 12_582_912.0;

// ln 2 in two pieces, as `portable::math` has it.
const LN2_HIGH: f32 = 355.0 / 512.0;
const LN2_LOW: f32 = -2.121_944_4e-4;

/// The coefficients of the polynomial after its first, in the order in which they are taken.
const COEFFICIENTS: [f32; 5] = [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5];

/// e^x: the bits of `portable::math::exp`.
#[inline(always)]
pub(crate) fn exp<S: Simd>(s: S, x: S::F) -> S::F {
    // In this order a NaN stays one.
    let x = s.lesser(s.splat_f32(89.0), s.greater(s.splat_f32(-104.0), x));
    let whole = s.splat_f32(WHOLE);
    let n = s.sub(s.add(s.mul(x, s.splat_f32(std::f32::consts::LOG2_E)), whole), whole);
    let r = s.fma(n, s.splat_f32(-LN2_HIGH), x);
    let r = s.fma(n, s.splat_f32(-LN2_LOW), r);
    let mut p = s.splat_f32(1.987_569_1e-4);
    for coefficient in COEFFICIENTS {
        p = s.fma(p, r, s.splat_f32(coefficient));
    }
    let p = s.add(s.fma(p, s.mul(r, r), r), s.splat_f32(1.0));
    s.times_power_of_two(p, n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portable::math;
    use crate::simd::LANES;
    use crate::simd::tests::with_every_set;

    fn check<S: Simd>(s: S) {
        let all = (0..1 << 16).map(|bits| f32::from_bits(bits << 16 | 0x5a5a));
        let edges = [-0.0, -104.1, -104.0, -103.9, 88.7, 89.0, 89.1, f32::INFINITY, -f32::INFINITY];
        let even = (-10_400..8900).map(|x| x as f32 * 0.01);
        let mut numbers: Vec<f32> = all.chain(edges).chain(even).collect();
        numbers.resize(numbers.len().next_multiple_of(LANES), 0.0);
        for x in numbers.chunks_exact(LANES) {
            let mut got = [0.0; LANES];
            // SAFETY: there are sixteen numbers, and room for as many.
            unsafe { s.store_f32(got.as_mut_ptr(), exp(s, s.load_f32(x.as_ptr()))) };
            for (got, x) in got.iter().zip(x) {
                let want = math::exp(*x);
                let equal = got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan();
                assert!(equal, "exp({x}) is {got} instead of {want}");
            }
        }
    }

    #[test]
    fn every_lane_is_the_portable_exp() {
        with_every_set!(check);
    }
}
