//! Weights of one or two bits and of trits, without sub-scales.

use super::Part;
use super::bits::{f16, layout, pairs};

layout! {
    /// 128 weights, taken apart in quarters.
    ///
    /// ```text
    ///   0     2                    18
    ///   | d   | q: bits, in order  |      weight[i] = d · (2 q[i] − 1)
    /// ```
    Q1_0 { d: 2, q: 16 }
}

#[inline]
pub(super) fn q1_0(block: &[u8], index: usize, part: &mut Part) {
    let block = Q1_0::of(block);
    part.scale = f16(block.d);
    let quarter = block.q.as_chunks::<4>().0[index];
    for (byte, level) in quarter.iter().zip(part.level.as_chunks_mut::<8>().0) {
        for (i, level) in level.iter_mut().enumerate() {
            *level = 2 * i16::from(byte >> i & 1) - 1;
        }
    }
}

layout! {
    /// 64 weights, taken apart in halves.
    ///
    /// ```text
    ///   0     2                     18
    ///   | d   | q: pairs, in order  |      weight[i] = d · (q[i] − 1)
    /// ```
    Q2_0 { d: 2, q: 16 }
}

#[inline]
pub(super) fn q2_0(block: &[u8], index: usize, part: &mut Part) {
    let block = Q2_0::of(block);
    part.scale = f16(block.d);
    let half = block.q.as_chunks::<8>().0[index];
    for (byte, level) in half.iter().zip(part.level.as_chunks_mut::<4>().0) {
        for (i, level) in level.iter_mut().enumerate() {
            *level = i16::from(byte >> (2 * i) & 3) - 1;
        }
    }
}

layout! {
    /// 256 trits. A byte of `q` and `r` holds five, a byte of `h` four: read as the fraction
    /// byte / 256 in base three, its digits, the first one first. As in other formats the weights
    /// of one byte lie apart, by 32 in `q`, by 16 in `r` and by 4 in `h`.
    ///
    /// ```text
    ///   0                    32          48    52    54
    ///   | q: weights 0…160   | r: …240   | h   | d   |      weight[i] = d · (trit[i] − 1)
    /// ```
    TQ1_0 { q: 32, r: 16, h: 4, d: 2 }
}

#[inline]
pub(super) fn tq1_0(block: &[u8], part: &mut Part) {
    let block = TQ1_0::of(block);
    part.scale = f16(block.d);
    let (q, rest) = part.level.split_at_mut(160);
    let (r, h) = rest.split_at_mut(80);
    trits(block.q, q);
    trits(block.r, r);
    trits(block.h, h);
}

/// Times three, the whole part of a fraction is its next digit, and the rest is the next fraction.
#[inline]
fn trits<const N: usize>(bytes: &[u8; N], levels: &mut [i16]) {
    let mut fraction = *bytes;
    for levels in levels.as_chunks_mut::<N>().0 {
        for (fraction, level) in fraction.iter_mut().zip(levels) {
            let tripled = 3 * u16::from(*fraction);
            *level = (tripled >> 8) as i16 - 1;
            *fraction = tripled as u8;
        }
    }
}

layout! {
    /// ```text
    ///   0                                    64    66
    ///   | q: pairs, 32 weights apart         | d   |      weight[i] = d · (q[i] − 1)
    /// ```
    TQ2_0 { q: 64, d: 2 }
}

#[inline]
pub(super) fn tq2_0(block: &[u8], part: &mut Part) {
    let block = TQ2_0::of(block);
    part.scale = f16(block.d);
    let mut q = [0; 256];
    pairs(block.q, &mut q, |q| q as i8 - 1);
    for (q, level) in q.iter().zip(&mut part.level) {
        *level = i16::from(*q);
    }
}
