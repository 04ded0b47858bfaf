//! Plain numbers made into stored weights: the way back from `decode`.

mod fit;
mod k;
mod legacy;
mod pack;
mod runs;

use crate::isa::per_isa;
use crate::{Format, Isa, f16_to_f32, f32_to_bf16, f32_to_f16};

/// The largest half.
const HALF_MAX: f32 = 65_504.0;

/// Formats that [`encode`] can write.
pub const ENCODED: [Format; 14] = {
    use Format::*;
    [F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL]
};

/// Appends the bytes of whole rows, or of any whole number of blocks, to `out`.
///
/// Blocks of Q8_0 are those of ggml's reference, bit for bit. In the smaller formats the factors
/// are searched with which a block is nearest to its numbers, by the sum of squares. The same
/// numbers give the same bytes on every machine. What lies beyond [`reach`] becomes the nearest
/// that can be stored.
///
/// # Panics
/// When `numbers` are no whole blocks, or `format` is none of [`ENCODED`].
pub fn encode(format: Format, numbers: &[f32], out: &mut Vec<u8>) {
    assert!(numbers.len().is_multiple_of(format.block_len()), "{} of {format:?}", numbers.len());
    encode_on(Isa::best(), format, numbers, out);
}

fn encode_on(isa: Isa, format: Format, numbers: &[f32], out: &mut Vec<u8>) {
    let reach = reach(format);
    match format {
        Format::F32 => out.extend(numbers.iter().flat_map(|x| x.to_le_bytes())),
        Format::F16 => out.extend(numbers.iter().flat_map(|x| f32_to_f16(*x).to_le_bytes())),
        Format::BF16 => out.extend(numbers.iter().flat_map(|x| f32_to_bf16(*x).to_le_bytes())),
        Format::Q8_0 => each(numbers, reach, |block| q8_0(block, out)),
        Format::Q4_0 => each(numbers, reach, |block| q4_0(isa, block, out)),
        Format::Q4_1 => each(numbers, reach, |block| q4_1(isa, block, out)),
        Format::Q5_0 => each(numbers, reach, |block| q5_0(isa, block, out)),
        Format::Q5_1 => each(numbers, reach, |block| q5_1(isa, block, out)),
        Format::IQ4_NL => each(numbers, reach, |block| iq4_nl(isa, block, out)),
        Format::Q2_K => each(numbers, reach, |block| q2_k(isa, block, out)),
        Format::Q3_K => each(numbers, reach, |block| q3_k(isa, block, out)),
        Format::Q4_K => each(numbers, reach, |block| q4_k(isa, block, out)),
        Format::Q5_K => each(numbers, reach, |block| q5_k(isa, block, out)),
        Format::Q6_K => each(numbers, reach, |block| q6_k(isa, block, out)),
        _ => panic!("{format:?} is decoded only"),
    }
}

// Everything below these is made part of them, or it would be compiled without their instructions.
per_isa!(q4_0 = legacy::q4_0; (numbers: &[f32; 32], out: &mut Vec<u8>));
per_isa!(q4_1 = legacy::q4_1; (numbers: &[f32; 32], out: &mut Vec<u8>));
per_isa!(q5_0 = legacy::q5_0; (numbers: &[f32; 32], out: &mut Vec<u8>));
per_isa!(q5_1 = legacy::q5_1; (numbers: &[f32; 32], out: &mut Vec<u8>));
per_isa!(iq4_nl = legacy::iq4_nl; (numbers: &[f32; 32], out: &mut Vec<u8>));
per_isa!(q2_k = k::q2_k; (numbers: &[f32; 256], out: &mut Vec<u8>));
per_isa!(q3_k = k::q3_k; (numbers: &[f32; 256], out: &mut Vec<u8>));
per_isa!(q4_k = k::q4_k; (numbers: &[f32; 256], out: &mut Vec<u8>));
per_isa!(q5_k = k::q5_k; (numbers: &[f32; 256], out: &mut Vec<u8>));
per_isa!(q6_k = k::q6_k; (numbers: &[f32; 256], out: &mut Vec<u8>));

/// Hands over one block after the other, with nothing in it that cannot be stored.
fn each<const N: usize>(numbers: &[f32], reach: f32, mut store: impl FnMut(&[f32; N])) {
    for block in numbers.as_chunks().0 {
        // The order of the two makes a number of what is none.
        store(&block.map(|x| x.max(-reach).min(reach)));
    }
}

/// The number farthest from zero that a format can store next to it.
///
/// # Panics
/// When `format` is none of [`ENCODED`].
pub fn reach(format: Format) -> f32 {
    match format {
        Format::F32 => f32::MAX,
        // What is nearer to the next power of two than to the last number is infinite.
        Format::BF16 => f32::from_bits(0x7f7f_7fff),
        Format::F16 => f32::from_bits(65_520_f32.to_bits() - 1),
        // The minimum is a half, or a few of them.
        Format::Q4_1 | Format::Q5_1 => HALF_MAX,
        Format::Q2_K => HALF_MAX * 15.0,
        Format::Q4_K | Format::Q5_K => HALF_MAX * 63.0,
        // The highest level under the largest scale.
        Format::Q4_0 => HALF_MAX * 8.0,
        Format::Q5_0 => HALF_MAX * 16.0,
        Format::Q8_0 | Format::IQ4_NL => HALF_MAX * 127.0,
        Format::Q3_K => HALF_MAX * (32.0 * 4.0),
        Format::Q6_K => HALF_MAX * (128.0 * 32.0),
        _ => panic!("{format:?} is decoded only"),
    }
}

/// The nearest half that is finite, as a float.
#[inline(always)]
fn half(x: f32) -> f32 {
    f16_to_f32(f32_to_f16(x.clamp(-HALF_MAX, HALF_MAX)))
}

/// Appends a float that is a half.
#[inline(always)]
fn put(half: f32, out: &mut Vec<u8>) {
    out.extend(f32_to_f16(half).to_le_bytes());
}

/// The layout is drawn in `legacy`.
fn q8_0(numbers: &[f32; 32], out: &mut Vec<u8>) {
    let largest = numbers.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    let d = largest / 127.0;
    // The reference multiplies by the inverse of the scale before that is rounded to a half.
    let inverse = if d == 0.0 { 0.0 } else { 1.0 / d };
    out.extend(f32_to_f16(d).to_le_bytes());
    out.extend(numbers.iter().map(|x| (x * inverse).round() as i8 as u8));
}

#[cfg(test)]
mod material;
#[cfg(test)]
mod peer_table;
#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocks::decode;

    #[test]
    fn q8_0_is_scale_and_nearest_levels() {
        let mut numbers = [0.0; 32];
        numbers[..6].copy_from_slice(&[127.0, -127.0, 0.5, -1.5, 0.49, 63.2]);
        let mut block = Vec::new();
        encode(Format::Q8_0, &numbers, &mut block);
        let levels: Vec<i8> = block[2..8].iter().map(|q| *q as i8).collect();
        // The scale is 1; halves go away from zero.
        assert_eq!((&block[..2], &levels[..]), (&[0, 0x3c][..], &[127, -127, 1, -2, 0, 63][..]));
        assert!(block[8..].iter().all(|q| *q == 0) && block.len() == 34);
    }

    #[test]
    fn levels_follow_the_scale_before_it_is_rounded() {
        // 1/127 is no half: 126.5 of it must not become 127 by way of the half below it.
        let mut numbers = [0.0; 32];
        (numbers[0], numbers[1]) = (1.0, 126.49 / 127.0);
        let mut block = Vec::new();
        encode(Format::Q8_0, &numbers, &mut block);
        assert_eq!((block[2], block[3]), (127, 126));
    }

    #[test]
    fn zeros_and_the_smallest_numbers_stay_finite() {
        for x in [0.0, f32::from_bits(1), f32::MIN_POSITIVE] {
            let (mut block, mut back) = (Vec::new(), [f32::NAN; 32]);
            encode(Format::Q8_0, &[x; 32], &mut block);
            decode(Format::Q8_0, &block, &mut back);
            assert_eq!(back, [0.0; 32], "{x:e}");
        }
    }

    #[test]
    fn what_is_decoded_is_encoded_to_the_same_bytes() {
        let mut block = vec![0x12, 0x34];
        block.extend((0..32_u8).map(|i| i.wrapping_mul(77)));
        block[5] = 127;
        block.iter_mut().skip(2).for_each(|q| *q = (*q as i8).max(-127) as u8);
        let mut numbers = [0.0; 32];
        for format in [Format::F32, Format::F16, Format::BF16, Format::Q8_0] {
            let bytes = &block[..format.block_bytes()];
            let numbers = &mut numbers[..format.block_len()];
            decode(format, bytes, numbers);
            let mut again = Vec::new();
            encode(format, numbers, &mut again);
            assert_eq!(again, bytes, "{format:?}");
        }
    }

    /// What comes back of numbers that were stored.
    fn back(format: Format, numbers: &[f32]) -> Vec<f32> {
        let (mut bytes, mut back) = (Vec::new(), vec![f32::NAN; numbers.len()]);
        encode(format, numbers, &mut bytes);
        decode(format, &bytes, &mut back);
        back
    }

    /// The root of the mean of the squares of what is lost.
    fn loss(numbers: &[f32], back: &[f32]) -> f64 {
        let lost = numbers.iter().zip(back).map(|(x, y)| f64::from(x - y).powi(2));
        (lost.sum::<f64>() / numbers.len() as f64).sqrt()
    }

    #[test]
    fn no_more_is_lost_than_by_the_encoder_that_others_use() {
        for (format, theirs) in peer_table::LOSS {
            for (kind, theirs) in material::KINDS.into_iter().zip(theirs) {
                let numbers = material::material(kind, peer_table::NUMBERS);
                let ours = loss(&numbers, &back(format, &numbers));
                let largest = numbers.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
                // Equal numbers are stored as well as the factors are, which are halves.
                let halves = if kind == "constant" { f64::from(largest) / 2048.0 } else { 0.0 };
                assert!(ours <= 1.02 * theirs + halves, "{format:?} {kind}: {ours:e} {theirs:e}");
            }
        }
    }

    #[test]
    fn the_bytes_are_the_same_on_every_machine() {
        for isa in Isa::available() {
            for (format, expected) in peer_table::BYTES {
                let mut bytes = Vec::new();
                for kind in material::KINDS {
                    encode_on(isa, format, &material::material(kind, 512), &mut bytes);
                }
                let mix = |mixed: u64, byte: &u8| {
                    (mixed ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
                };
                let found = bytes.iter().fold(0xcbf2_9ce4_8422_2325, mix);
                assert_eq!(found, expected, "{} {format:?} {found:#018x}", isa.name());
            }
        }
    }

    #[test]
    fn zero_has_no_sign() {
        for format in ENCODED.into_iter().filter(|format| !format.is_float()) {
            let bytes = |numbers: &[f32]| {
                let mut bytes = Vec::new();
                encode(format, numbers, &mut bytes);
                bytes
            };
            let plain = bytes(&[0.0; 512]);
            assert_eq!(bytes(&[-0.0; 512]), plain, "{format:?}");
            assert_eq!(bytes(&material::material("zeros of both signs", 512)), plain, "{format:?}");
        }
    }

    #[test]
    fn whatever_a_number_is_what_is_stored_is_finite() {
        for format in ENCODED.into_iter().filter(|format| !format.is_float()) {
            let reach = reach(format);
            for x in [reach, f32::MAX, f32::INFINITY, f32::NAN, 1e-40, 3e-8, 6e-8] {
                let mut numbers = [x; 256];
                (numbers[3], numbers[100], numbers[200]) = (-x, 0.0, x / 2.0);
                let back = back(format, &numbers);
                assert!(back.iter().all(|y| y.is_finite()), "{format:?} {x:e}: {back:?}");
                if x == reach {
                    // Both ends are there, but for the last level of an uneven number of them.
                    assert!(loss(&numbers, &back) < 0.3 * f64::from(reach), "{format:?}");
                }
            }
        }
    }
}
