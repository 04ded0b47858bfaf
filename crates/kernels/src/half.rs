//! The two 16-bit floats of model files: widened, which is exact, and narrowed, which is not.

/// The value of an IEEE half: 1 bit of sign, 5 of exponent, 10 of mantissa.
///
/// A signalling NaN comes out quiet, as the instructions of every machine have it.
#[inline]
pub const fn f16_to_f32(bits: u16) -> f32 {
    let sign = (bits as u32 & 0x8000) << 16;
    let magnitude = bits as u32 & 0x7fff;
    let wide = match magnitude {
        0..0x0400 => (magnitude as f32 * TWO_TO_MINUS_24).to_bits(), // Zero and the subnormals.
        0x0400..0x7c00 => (magnitude << 13) + ((127 - 15) << 23),
        0x7c00 => 0x7f80_0000,
        _ => 0x7fc0_0000 | (magnitude & 0x03ff) << 13,
    };
    f32::from_bits(sign | wide)
}

/// The value of a bfloat16: the upper half of an f32.
#[inline]
pub const fn bf16_to_f32(bits: u16) -> f32 {
    f32::from_bits((bits as u32) << 16)
}

/// The nearest IEEE half, ties to even; infinite beyond the largest.
pub const fn f32_to_f16(x: f32) -> u16 {
    let (bits, sign) = (x.to_bits() & 0x7fff_ffff, (x.to_bits() >> 16 & 0x8000) as u16);
    let magnitude = match bits {
        // Half of the least bit that stays, and one more if that bit is set.
        0x3880_0000..0x4780_0000 => (bits - 0x3800_0000 + 0xfff + (bits >> 13 & 1)) >> 13,
        0..0x3880_0000 => {
            // Its least bit is 2^-24, which a sum with 0.5 brings to the end of the mantissa.
            (f32::from_bits(bits) + 0.5).to_bits() - 0.5_f32.to_bits()
        }
        0x4780_0000..0x7f80_0001 => 0x7c00,
        _ => 0x7e00,
    };
    sign | magnitude as u16
}

/// The nearest bfloat16, ties to even; infinite beyond the largest.
pub const fn f32_to_bf16(x: f32) -> u16 {
    let bits = x.to_bits();
    match x.is_nan() {
        // Its payload may lie in the lower half alone.
        true => (bits >> 16) as u16 | 0x40,
        // Half of the least bit that stays, and one more if that bit is set.
        false => ((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16,
    }
}

const TWO_TO_MINUS_24: f32 = 1.0 / 16_777_216.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_come_back_and_what_lies_between_goes_to_the_nearest() {
        for bits in (0..0x7c00).chain(0x8000..0xfc00) {
            assert_eq!(f32_to_f16(f16_to_f32(bits)), bits);
        }
        for bits in 0..0x7bff_u16 {
            let (low, high) = (f16_to_f32(bits), f16_to_f32(bits + 1));
            let middle = (low + high) / 2.0;
            let even = bits + (bits & 1);
            assert_eq!(f32_to_f16(middle), even);
            assert_eq!(f32_to_f16(f32::from_bits(middle.to_bits() - 1)), bits);
            assert_eq!(f32_to_f16(f32::from_bits(middle.to_bits() + 1)), bits + 1);
        }
        assert_eq!([65519.9, 65520.0, f32::INFINITY].map(f32_to_f16), [0x7bff, 0x7c00, 0x7c00]);
        assert!(f16_to_f32(f32_to_f16(f32::NAN)).is_nan());
    }

    #[test]
    fn bf16_come_back_and_what_lies_between_goes_to_the_nearest() {
        for bits in (0..0x7f80).chain(0x8000..0xff80) {
            assert_eq!(f32_to_bf16(bf16_to_f32(bits)), bits);
        }
        for bits in 0..0x7f7f_u16 {
            let middle = (u32::from(bits) << 16) + 0x8000;
            assert_eq!(f32_to_bf16(f32::from_bits(middle)), bits + (bits & 1));
            assert_eq!(f32_to_bf16(f32::from_bits(middle - 1)), bits);
            assert_eq!(f32_to_bf16(f32::from_bits(middle + 1)), bits + 1);
        }
        assert_eq!([f32::MAX, f32::INFINITY].map(f32_to_bf16), [0x7f80; 2]);
        assert!(bf16_to_f32(f32_to_bf16(f32::from_bits(0x7f80_0001))).is_nan());
    }

    /// The value by its definition: a sign, a mantissa and a power of two.
    fn defined(bits: u16, exponent_bits: u32) -> f64 {
        let mantissa_bits = 15 - exponent_bits;
        let bias = (1 << (exponent_bits - 1)) - 1;
        let mantissa = f64::from(bits & ((1 << mantissa_bits) - 1));
        let exponent = i32::from(bits & 0x7fff) >> mantissa_bits;
        let unit = |exponent: i32| 2f64.powi(exponent - bias - mantissa_bits as i32);
        let magnitude = match exponent {
            0 => mantissa * unit(1),
            e if e == (1 << exponent_bits) - 1 && mantissa == 0.0 => f64::INFINITY,
            e if e == (1 << exponent_bits) - 1 => f64::NAN,
            e => (mantissa + f64::from(1 << mantissa_bits)) * unit(e),
        };
        if bits >> 15 == 1 { -magnitude } else { magnitude }
    }

    #[track_caller]
    fn assert_same(bits: u16, value: f32, defined: f64) {
        assert_eq!(value.is_nan(), defined.is_nan(), "{bits:#06x}");
        if !defined.is_nan() {
            assert_eq!(f64::from(value).to_bits(), defined.to_bits(), "{bits:#06x}");
        }
    }

    #[test]
    fn every_f16_has_the_value_of_its_definition() {
        for bits in 0..=u16::MAX {
            assert_same(bits, f16_to_f32(bits), defined(bits, 5));
        }
    }

    #[test]
    fn every_bf16_has_the_value_of_its_definition() {
        for bits in 0..=u16::MAX {
            assert_same(bits, bf16_to_f32(bits), defined(bits, 8));
        }
    }

    #[test]
    fn nans_keep_sign_and_payload_and_are_quiet() {
        assert_eq!(f16_to_f32(0xfc01).to_bits(), 0xffc0_2000);
        assert_eq!(f16_to_f32(0x7e00).to_bits(), 0x7fc0_0000);
    }
}
