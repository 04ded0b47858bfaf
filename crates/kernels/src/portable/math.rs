//! exp and what is built on it, as polynomials of our own.
//!
//! A library's functions differ between systems in the last bit; these are made of multiplications,
//! additions and fused multiply-adds only, so they are the same everywhere.

/// Adding and subtracting this rounds |x| < 2^22 to whole numbers, ties to even.
pub(crate) const WHOLE: f32 = 12_582_912.0;

/// Rounds to the nearest whole number, ties to even, for |x| < 2^22.
#[inline(always)]
pub fn round_ties_even(x: f32) -> f32 {
    (x + WHOLE) - WHOLE
}

/// 2^n for a whole n from −126 to 127.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits(((n + 127) as u32) << 23)
}

// ln 2 in two pieces: the first has so few bits that n · LN2_HIGH is exact.
const LN2_HIGH: f32 = 355.0 / 512.0;
const LN2_LOW: f32 = -2.121_944_4e-4;

/// e^x, within about one unit in the last place; 0 below −104, infinite above 88.73; NaN for NaN.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let x = x.clamp(-104.0, 89.0);
    let shifted = x * std::f32::consts::LOG2_E + WHOLE;
    let n = shifted - WHOLE;
    let r = n.mul_add(-LN2_LOW, n.mul_add(-LN2_HIGH, x)); // |r| ≤ ln 2 / 2
    let mut p = 1.987_569_1e-4_f32;
    p = p.mul_add(r, 1.398_199_9e-3);
    p = p.mul_add(r, 8.333_452e-3);
    p = p.mul_add(r, 4.166_579_6e-2);
    p = p.mul_add(r, 1.666_666_5e-1);
    p = p.mul_add(r, 0.5);
    p = p.mul_add(r * r, r) + 1.0;
    // Two steps, because 2^n alone may lie outside the range of normal numbers. The lowest bits of
    // `shifted` are n; a conversion would be checked for overflow, one lane after the other.
    let n = (shifted.to_bits() as i32).wrapping_sub(WHOLE.to_bits() as i32);
    p * power_of_two(n >> 1) * power_of_two(n - (n >> 1))
}

/// 1 / (1 + e^−x).
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// x · sigmoid(x), as the quotient x / (1 + e^−x).
#[inline(always)]
pub fn silu(x: f32) -> f32 {
    x / (1.0 + exp(-x))
}

/// `x = silu(x)`, element by element.
#[inline(always)]
pub fn silu_each(x: &mut [f32]) {
    for x in x {
        *x = silu(*x);
    }
}

/// gelu by its usual approximation, x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 · x³))), where the
/// half of 1 + tanh(z) is the sigmoid of 2 z.
#[inline(always)]
pub fn gelu(x: f32) -> f32 {
    const TWICE_ROOT: f32 = 1.595_769; // 2 · √(2/π)
    let cubic = (x * x * x).mul_add(0.044_715, x);
    x / (1.0 + exp(-(TWICE_ROOT * cubic)))
}

/// How the gate of a feed-forward layer opens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gate {
    /// silu(gate) · up
    Silu,
    /// gelu(gate) · up
    Gelu,
    /// sigmoid(gate) · up
    Sigmoid,
    /// g / (1 + e^(−alpha · g)) · (u + 1), where g is the gate cut to at most `limit`, and u is up
    /// cut to ±`limit`.
    Clamped {
        /// Steepness.
        alpha: f32,
        /// Largest gate, and largest up of either sign.
        limit: f32,
    },
}

/// Opens gates: what comes through replaces them.
#[inline(always)]
pub fn open(gates: &mut [f32], up: &[f32], by: Gate) {
    let both = gates.iter_mut().zip(up);
    match by {
        Gate::Silu => both.for_each(|(gate, up)| *gate = silu(*gate) * up),
        Gate::Gelu => both.for_each(|(gate, up)| *gate = gelu(*gate) * up),
        Gate::Sigmoid => both.for_each(|(gate, up)| *gate = sigmoid(*gate) * up),
        Gate::Clamped { alpha, limit } => both.for_each(|(gate, up)| {
            let (g, u) = (gate.min(limit), up.clamp(-limit, limit));
            *gate = g / (1.0 + exp(-(alpha * g))) * (u + 1.0);
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_within_two_units_in_the_last_place() {
        for i in -8700..=8870 {
            let x = i as f32 * 0.01;
            let exact = f64::from(x).exp();
            let ulp = f64::from(f32::EPSILON) * exact;
            let off = (f64::from(exp(x)) - exact).abs() / ulp;
            assert!(off < 2.0, "exp({x}) = {} is {off} units off", exp(x));
        }
    }

    #[test]
    fn exp_at_the_edges() {
        assert_eq!(exp(0.0).to_bits(), 1.0_f32.to_bits());
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(-104.5), 0.0);
        assert_eq!(exp(f32::INFINITY), f32::INFINITY);
        assert!(exp(f32::NAN).is_nan());
        assert!(exp(-100.0) > 0.0, "subnormal results are kept");
        assert_eq!(silu(-200.0), 0.0);
        assert_eq!(silu(50.0), 50.0);
    }

    #[test]
    fn ties_go_to_even() {
        let cases = [(0.5, 0.0), (1.5, 2.0), (2.5, 2.0), (-0.5, 0.0), (-1.5, -2.0), (126.5, 126.0)];
        for (x, want) in cases {
            assert_eq!(round_ties_even(x), want, "{x}");
        }
    }
}
