//! The two formats of four-bit floats. Both store E2M1 numbers; the table holds their doubles.

use super::Part;
use super::bits::{layout, nibbles};

/// Twice the E2M1 numbers; there is no negative zero among the integers, nor in what is expected.
static DOUBLED: [i16; 16] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

layout! {
    /// ```text
    ///   0    1                    17
    ///   | e  | q: nibbles         |      weight[i] = 2^(e − 128) · doubled[q[i]]
    /// ```
    MXFP4 { e: 1, q: 16 }
}

#[inline]
pub(super) fn mxfp4(block: &[u8], part: &mut Part) {
    let block = MXFP4::of(block);
    part.scale = half_e8m0(block.e[0]);
    nibbles(block.q, &mut part.level[..32], |q| DOUBLED[usize::from(q)]);
}

/// 2^(e − 128), which is subnormal for the two smallest exponents.
#[inline]
fn half_e8m0(e: u8) -> f32 {
    f32::from_bits(match e {
        0 => 1 << 21,
        1 => 1 << 22,
        _ => (u32::from(e) - 1) << 23,
    })
}

layout! {
    /// 64 weights in four parts of 16.
    ///
    /// ```text
    ///   0             4          12         20         28         36
    ///   | d: UE4M3    | q: nibbles of part 0, 1, 2, 3             |
    ///
    ///   weight[i] = d[part] / 2 · doubled[q[i]]
    /// ```
    NVFP4 { d: 4, q: 32 }
}

#[inline]
pub(super) fn nvfp4(block: &[u8], index: usize, part: &mut Part) {
    let block = NVFP4::of(block);
    part.scale = half_ue4m3(block.d[index]);
    let q = &block.q.as_chunks::<8>().0[index];
    nibbles(q, &mut part.level[..16], |q| DOUBLED[usize::from(q)]);
}

/// Half of an unsigned E4M3 number. The top bit means nothing; the not-a-number reads as zero.
#[inline]
fn half_ue4m3(bits: u8) -> f32 {
    let (exponent, mantissa) = (u32::from(bits >> 3 & 15), u32::from(bits & 7));
    match (bits, exponent) {
        (0x7f, _) => 0.0,
        (_, 0) => mantissa as f32 / 1024.0,
        _ => f32::from_bits((exponent + 127 - 8) << 23 | mantissa << 20),
    }
}
