//! `fmaf` for Windows with mingw's C library, whose own rounds twice.
//!
//! Where the processor's instruction is not compiled in, `f32::mul_add` calls this function of the
//! C library. The canon needs a single rounding.

/// What `f32::mul_add` is.
#[cfg(all(windows, target_env = "gnu"))]
// SAFETY: it is what C says of a function of this name, and needs nothing but its arguments.
#[unsafe(no_mangle)]
extern "C" fn fmaf(a: f32, b: f32, c: f32) -> f32 {
    fused(a, b, c)
}

/// `a * b + c`, rounded once. In f64 the product is exact; the sum is rounded to odd, so that
/// rounding it again to f32 gives what rounding it once would have.
fn fused(a: f32, b: f32, c: f32) -> f32 {
    let (product, c) = (f64::from(a) * f64::from(b), f64::from(c));
    let sum = product + c;
    let back = sum - product;
    let rest = (product - (sum - back)) + (c - back);
    if rest == 0.0 || !rest.is_finite() || sum.to_bits() & 1 == 1 {
        return sum as f32;
    }
    let towards_more = (rest > 0.0) == (sum > 0.0);
    let odd = if towards_more { sum.to_bits() + 1 } else { sum.to_bits() - 1 };
    f64::from_bits(odd) as f32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn same(a: f32, b: f32, c: f32) {
        let (ours, theirs) = (fused(a, b, c), a.mul_add(b, c));
        let is_nan = ours.is_nan() && theirs.is_nan();
        assert!(is_nan || ours.to_bits() == theirs.to_bits(), "{a:e} * {b:e} + {c:e}: {ours:e}");
    }

    /// What mingw's gives ends in `1977`.
    #[test]
    fn a_sum_that_is_rounded_twice_elsewhere_is_rounded_once() {
        let [a, b, c] = [0x3f98_9ad2, 0xbf9e_cf13, 0xc56d_01cd].map(f32::from_bits);
        assert_eq!(fused(a, b, c).to_bits(), 0xc56d_1978);
        assert_eq!(a.mul_add(b, c).to_bits(), 0xc56d_1978);
    }

    #[test]
    fn what_is_no_number_stays_so() {
        let odd = [0.0, -0.0, 1.0, f32::MAX, f32::MIN_POSITIVE, f32::INFINITY, f32::NAN];
        for at in 0..odd.len().pow(3) {
            let [a, b, c] =
                [at, at / odd.len(), at / odd.len().pow(2)].map(|at| odd[at % odd.len()]);
            same(a, b, c);
            same(-a, b, c);
            same(a, b, -c);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn any_sum_is_the_processors(a in any::<u32>(), b in any::<u32>(), c in any::<u32>()) {
            let [a, b, c] = [a, b, c].map(f32::from_bits);
            same(a, b, c);
        }

        /// Where the product and what is added are of like size, most is rounded away.
        #[test]
        fn near_sums_are_the_processors(a in -2.0_f32..2.0, b in -2.0_f32..2.0, by in -30..30_i32,
            ulps in -3..3_i32) {
            let c = -(a * b) * 2.0_f32.powi(by);
            same(a, b, f32::from_bits(c.to_bits().wrapping_add_signed(ulps)));
        }
    }
}
