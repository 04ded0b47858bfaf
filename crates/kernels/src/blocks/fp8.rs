//! Eight-bit floats with a factor beside them. No file has these blocks: they are put together from
//! what files have in two places.

use super::bits::layout;

layout! {
    /// ```text
    ///   0       4                    36
    ///   | scale | x: e4m3            |      weight[i] = x[i] · scale
    /// ```
    F8 { scale: 4, x: 32 }
}

/// An e4m3 number: sign, four bits of exponent, three of mantissa. There is no infinity.
#[inline]
pub fn e4m3(bits: u8) -> f32 {
    let (exponent, mantissa) = (u32::from(bits >> 3 & 15), u32::from(bits & 7));
    let magnitude = match (exponent, mantissa) {
        (15, 7) => f32::NAN,
        (0, _) => mantissa as f32 / 512.0,
        _ => f32::from_bits((exponent + 120) << 23 | mantissa << 20),
    };
    if bits & 0x80 == 0 { magnitude } else { -magnitude }
}

/// The values of a block.
pub(super) fn values(block: &[u8], out: &mut [f32]) {
    let block = F8::of(block);
    let scale = f32::from_le_bytes(*block.scale);
    for (out, x) in out.iter_mut().zip(block.x) {
        *out = e4m3(*x) * scale;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_what_its_bits_say() {
        for bits in 0..=255_u8 {
            let (exponent, mantissa) = (i32::from(bits >> 3 & 15), f64::from(bits & 7));
            let sign = if bits & 0x80 == 0 { 1.0 } else { -1.0 };
            let want = match exponent {
                0 => mantissa / 8.0 * 2_f64.powi(-6),
                _ => (1.0 + mantissa / 8.0) * 2_f64.powi(exponent - 7),
            };
            match bits & 0x7f {
                0x7f => assert!(e4m3(bits).is_nan()),
                _ => assert_eq!(f64::from(e4m3(bits)), sign * want, "{bits:#x}"),
            }
        }
        assert_eq!(e4m3(0x7e), 448.0);
    }
}
