//! The oldest formats: 32 weights under one scale, without sub-scales.

use super::Part;
use super::bits::{f16, layout, nibbles};

layout! {
    /// ```text
    ///   0     2                    18
    ///   | d   | q: nibbles         |      weight[i] = d · (q[i] − 8)
    /// ```
    Q4_0 { d: 2, q: 16 }
}

#[inline]
pub(super) fn q4_0(block: &[u8], part: &mut Part) {
    let block = Q4_0::of(block);
    part.scale = f16(block.d);
    nibbles(block.q, &mut part.level[..32], |q| i16::from(q) - 8);
}

layout! {
    /// ```text
    ///   0     2     4                    20
    ///   | d   | m   | q: nibbles         |      weight[i] = d · q[i] + m
    /// ```
    Q4_1 { d: 2, m: 2, q: 16 }
}

#[inline]
pub(super) fn q4_1(block: &[u8], part: &mut Part) {
    let block = Q4_1::of(block);
    part.scale = f16(block.d);
    part.min = -f16(block.m);
    part.below = [1; 16];
    nibbles(block.q, &mut part.level[..32], i16::from);
}

layout! {
    /// ```text
    ///   0     2          6                    22
    ///   | d   | h: bits  | q: nibbles         |      weight[i] = d · (q[i] + 16 h[i] − 16)
    /// ```
    Q5_0 { d: 2, h: 4, q: 16 }
}

#[inline]
pub(super) fn q5_0(block: &[u8], part: &mut Part) {
    let block = Q5_0::of(block);
    part.scale = f16(block.d);
    nibbles(block.q, &mut part.level[..32], |q| i16::from(q) - 16);
    add_fifth_bits(block.h, part);
}

layout! {
    /// ```text
    ///   0     2     4          8                    24
    ///   | d   | m   | h: bits  | q: nibbles         |      weight[i] = d · (q[i] + 16 h[i]) + m
    /// ```
    Q5_1 { d: 2, m: 2, h: 4, q: 16 }
}

#[inline]
pub(super) fn q5_1(block: &[u8], part: &mut Part) {
    let block = Q5_1::of(block);
    part.scale = f16(block.d);
    part.min = -f16(block.m);
    part.below = [1; 16];
    nibbles(block.q, &mut part.level[..32], i16::from);
    add_fifth_bits(block.h, part);
}

/// Bit i of `h` belongs to weight i.
#[inline]
fn add_fifth_bits(h: &[u8; 4], part: &mut Part) {
    for (byte, level) in h.iter().zip(part.level.as_chunks_mut::<8>().0) {
        for (i, level) in level.iter_mut().enumerate() {
            *level += i16::from(byte >> i & 1) << 4;
        }
    }
}

layout! {
    /// ```text
    ///   0     2                                    34
    ///   | d   | q: signed bytes                    |      weight[i] = d · q[i]
    /// ```
    Q8_0 { d: 2, q: 32 }
}

#[inline]
pub(super) fn q8_0(block: &[u8], part: &mut Part) {
    let block = Q8_0::of(block);
    part.scale = f16(block.d);
    for (q, level) in block.q.iter().zip(&mut part.level) {
        *level = i16::from(*q as i8);
    }
}
