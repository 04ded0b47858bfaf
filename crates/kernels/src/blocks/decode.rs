//! The values of stored weights, for those who want them as plain numbers.

use super::{Part, Runs, fp8, unpack};
use crate::{Format, bf16_to_f32, f16_to_f32};

/// Writes the values of whole rows, or of any whole number of blocks, to `out`.
///
/// # Panics
/// When `bytes` is not what `out.len()` weights of `format` take.
pub fn decode(format: Format, bytes: &[u8], out: &mut [f32]) {
    assert_eq!(format.row_bytes(out.len()), Some(bytes.len()), "{} of {format:?}", out.len());
    match format {
        Format::F32 => each(bytes, out, f32::from_le_bytes),
        Format::F16 => each(bytes, out, |b| f16_to_f32(u16::from_le_bytes(b))),
        Format::BF16 => each(bytes, out, |b| bf16_to_f32(u16::from_le_bytes(b))),
        Format::F8 => {
            let blocks = bytes.chunks_exact(format.block_bytes());
            for (block, out) in blocks.zip(out.chunks_exact_mut(format.block_len())) {
                fp8::values(block, out);
            }
        }
        _ => blocks(format, bytes, out),
    }
}

/// Converts numbers which stand on their own, wherever in memory they lie.
fn each<const N: usize>(bytes: &[u8], out: &mut [f32], value: impl Fn([u8; N]) -> f32) {
    for (bytes, out) in bytes.as_chunks::<N>().0.iter().zip(out) {
        *out = value(*bytes);
    }
}

fn blocks(format: Format, bytes: &[u8], out: &mut [f32]) {
    let mut part = Part::ZERO;
    let blocks = bytes.chunks_exact(format.block_bytes());
    for (block, out) in blocks.zip(out.chunks_exact_mut(format.block_len())) {
        if matches!(format, Format::Q3_K | Format::Q6_K | Format::IQ4_XS) {
            Runs::signed(format, block).values(out);
            continue;
        }
        for (index, out) in out.chunks_exact_mut(format.part_len()).enumerate() {
            unpack(format, block, index, &mut part);
            values(&part, out);
        }
    }
}

fn values(part: &Part, out: &mut [f32]) {
    let runs = out.chunks_exact_mut(16).zip(part.level.as_chunks::<16>().0);
    for ((out, level), below) in runs.zip(part.below) {
        let less = part.min * f32::from(below);
        for (out, level) in out.iter_mut().zip(level) {
            *out = part.scale * f32::from(*level) - less;
        }
    }
}
