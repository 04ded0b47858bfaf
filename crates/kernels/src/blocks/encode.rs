//! Plain numbers made into stored weights: the way back from `decode`.

use crate::{Format, f32_to_f16};

/// Formats that [`encode`] can write.
pub const ENCODED: [Format; 3] = [Format::F32, Format::F16, Format::Q8_0];

/// Appends the bytes of whole rows, or of any whole number of blocks, to `out`.
///
/// Blocks are those of ggml's reference, bit for bit: the same numbers give the same file.
///
/// # Panics
/// When `numbers` are no whole blocks, or `format` is none of [`ENCODED`].
pub fn encode(format: Format, numbers: &[f32], out: &mut Vec<u8>) {
    assert!(numbers.len().is_multiple_of(format.block_len()), "{} of {format:?}", numbers.len());
    match format {
        Format::F32 => out.extend(numbers.iter().flat_map(|x| x.to_le_bytes())),
        Format::F16 => out.extend(numbers.iter().flat_map(|x| f32_to_f16(*x).to_le_bytes())),
        Format::Q8_0 => numbers.as_chunks().0.iter().for_each(|block| q8_0(block, out)),
        _ => panic!("{format:?} is decoded only"),
    }
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
        for format in ENCODED {
            let bytes = &block[..format.block_bytes()];
            let numbers = &mut numbers[..format.block_len()];
            decode(format, bytes, numbers);
            let mut again = Vec::new();
            encode(format, numbers, &mut again);
            assert_eq!(again, bytes, "{format:?}");
        }
    }
}
