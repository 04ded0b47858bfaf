//! Cosines and sines of rotary positions, and the powers their frequencies need, in f64.
//!
//! Made of additions, multiplications and divisions, so that every machine rounds them alike; the
//! f64 results carry some ten bits more than the f32 numbers they become.

use std::f64::consts::{FRAC_2_PI, LN_2, LOG2_E};

/// Natural logarithm of a positive normal number.
pub fn ln(x: f64) -> f64 {
    assert!(x.is_normal() && x > 0.0, "ln of {x}");
    let bits = x.to_bits();
    let mut exponent = ((bits >> 52) & 0x7ff) as i32 - 1023;
    let mut mantissa = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52)); // 1 ≤ m < 2
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa /= 2.0;
        exponent += 1;
    }
    // ln m = 2 artanh((m − 1) / (m + 1)), |s| ≤ 0.172.
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let series = (0..12).rev().fold(0.0, |sum, k| sum * square + 1.0 / f64::from(2 * k + 1));
    f64::from(exponent) * LN_2 + 2.0 * s * series
}

/// e^x for |x| < 700.
pub fn exp(x: f64) -> f64 {
    assert!(x.abs() < 700.0, "exp of {x}");
    let n = whole(x * LOG2_E);
    let r = (x - n * LN2_HIGH) - n * LN2_LOW; // |r| ≤ 0.35
    let series = (1..16).rev().fold(1.0, |sum, k| 1.0 + sum * r / f64::from(k));
    series * f64::from_bits(((n as i64 + 1023) as u64) << 52)
}

/// base^power, for a positive base.
pub fn power(base: f64, power: f64) -> f64 {
    exp(power * ln(base))
}

// ln 2 with its last 32 bits cut off, and the rest.
const LN2_HIGH: f64 = 0.693_147_180_369_123_8;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

// π/2 in three pieces, the first two with so few bits that k times them is exact for k < 2^20.
const HALF_PI: [f64; 3] =
    [1.570_796_326_734_125_6, 6.077_100_506_303_966e-11, 2.022_266_248_795_950_6e-21];

/// Cosine and sine of an angle below 2^20 quarter turns.
pub fn cos_sin(angle: f64) -> (f64, f64) {
    let quarter = whole(angle * FRAC_2_PI);
    assert!(quarter.abs() < 1_048_576.0, "an angle of {angle}");
    let r = ((angle - quarter * HALF_PI[0]) - quarter * HALF_PI[1]) - quarter * HALF_PI[2];
    let square = r * r;
    let sin = r * (0..10).rev().fold(1.0, |sum, k| 1.0 - sum * square / divisor(2 * k + 3));
    let cos = (0..10).rev().fold(1.0, |sum, k| 1.0 - sum * square / divisor(2 * k + 2));
    match (quarter as i64).rem_euclid(4) {
        0 => (cos, sin),
        1 => (-sin, cos),
        2 => (-cos, -sin),
        _ => (sin, -cos),
    }
}

fn divisor(n: i32) -> f64 {
    f64::from(n * (n - 1))
}

/// Nearest whole number, ties to even, for |x| < 2^51.
fn whole(x: f64) -> f64 {
    const WHOLE: f64 = 6_755_399_441_055_744.0;
    (x + WHOLE) - WHOLE
}

/// Writes cosines and sines of `position · frequency`, times `magnitude`, for each frequency.
pub fn table(
    position: usize,
    frequencies: &[f32],
    magnitude: f32,
    (cos, sin): (&mut [f32], &mut [f32]),
) {
    for (i, frequency) in frequencies.iter().enumerate() {
        let (c, s) = cos_sin(position as f64 * f64::from(*frequency));
        cos[i] = (c * f64::from(magnitude)) as f32;
        sin[i] = (s * f64::from(magnitude)) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, want: f64, bound: f64) {
        assert!((got - want).abs() <= bound * want.abs().max(1.0), "{got} is not {want}");
    }

    #[test]
    fn functions_agree_with_the_library_to_fifteen_digits() {
        for i in 1..4000 {
            let x = f64::from(i) * 0.37;
            close(ln(x), x.ln(), 1e-15);
            close(exp(x / 100.0), (x / 100.0).exp(), 4e-15);
            close(exp(-x / 100.0), (-x / 100.0).exp(), 4e-15);
            let (c, s) = cos_sin(x * 97.0);
            close(c, (x * 97.0).cos(), 1e-12);
            close(s, (x * 97.0).sin(), 1e-12);
        }
        close(power(500_000.0, -0.75), 500_000.0_f64.powf(-0.75), 1e-15);
    }

    #[test]
    fn the_first_position_does_not_turn() {
        assert_eq!(cos_sin(0.0), (1.0, 0.0));
    }
}
