//! The IQ formats whose weights are points of a grid: an index names eight weights, or four, and
//! signs are stored apart. The points are in `iq_table`.

use super::Part;
use super::bits::{f16, layout};
use super::iq_table::{IQ1, IQ2_S, IQ2_XS, IQ2_XXS, IQ3_S, IQ3_XXS};

/// The signs of eight weights by the seven bits which the XXS and XS formats store of them: the
/// eighth makes the number of minuses even.
static EVEN: [u8; 128] = {
    let mut signs = [0; 128];
    let mut n: u8 = 0;
    while n < 128 {
        signs[n as usize] = n | ((n.count_ones() % 2) as u8) << 7;
        n += 1;
    }
    signs
};

/// Eight bits of sign as eight masks, all ones for a minus: quicker than to spread them anew.
static MINUS: [[i8; 8]; 256] = {
    let mut masks = [[0; 8]; 256];
    let mut n = 0;
    while n < 256 * 8 {
        masks[n / 8][n % 8] = -(((n / 8) >> (n % 8) & 1) as i8);
        n += 1;
    }
    masks
};

/// Writes a point times a sub-scale, each coordinate negated where its bit of `signs` is set.
#[inline]
fn signed<const N: usize>(point: &[i8; N], signs: u8, sub: i8, levels: &mut [i16; N]) {
    for ((level, x), minus) in levels.iter_mut().zip(point).zip(&MINUS[usize::from(signs)]) {
        *level = (i16::from(x ^ minus) - i16::from(*minus)) * i16::from(sub);
    }
}

/// The sub-scales of the IQ formats are odd.
#[inline]
fn odd(bits: u8) -> i8 {
    2 * bits as i8 + 1
}

layout! {
    /// Eight sub-blocks of 32 weights in 8 bytes each: indices of four points, then a word.
    ///
    /// ```text
    ///   0     2                        66
    ///   | d   | 8 × (p: 4 × u8, w: u32)|      w: 4 × 7 bits of signs, 4 bits of sub-scale
    ///
    ///   weight[i] = d / 8 · (2 sub + 1) · ± grid[p][i % 8]
    /// ```
    IQ2_XXS { d: 2, q: 64 }
}

#[inline]
pub(super) fn iq2_xxs(block: &[u8], part: &mut Part) {
    let block = IQ2_XXS::of(block);
    part.scale = f16(block.d) / 8.0;
    for (q, levels) in block.q.as_chunks::<8>().0.iter().zip(part.level.as_chunks_mut::<32>().0) {
        let [p0, p1, p2, p3, word @ ..] = *q;
        let word = u32::from_le_bytes(word);
        let sub = odd((word >> 28) as u8);
        let points = [p0, p1, p2, p3].into_iter().zip(levels.as_chunks_mut::<8>().0);
        for (n, (p, levels)) in points.enumerate() {
            let signs = EVEN[(word >> (7 * n) & 127) as usize];
            signed(&IQ2_XXS[usize::from(p)], signs, sub, levels);
        }
    }
}

layout! {
    /// ```text
    ///   0     2                     66             74
    ///   | d   | q: 32 × u16         | s: nibbles   |      q: 9 bits of index, 7 bits of signs
    ///
    ///   weight[i] = d / 8 · (2 s[i / 16] + 1) · ± grid[q[i / 8] % 512][i % 8]
    /// ```
    IQ2_XS { d: 2, q: 64, s: 8 }
}

#[inline]
pub(super) fn iq2_xs(block: &[u8], part: &mut Part) {
    let block = IQ2_XS::of(block);
    part.scale = f16(block.d) / 8.0;
    let levels = part.level.as_chunks_mut::<8>().0;
    for (n, (q, levels)) in block.q.as_chunks::<2>().0.iter().zip(levels).enumerate() {
        let q = u16::from_le_bytes(*q);
        let sub = odd(block.s[n / 4] >> (2 * (n & 2)) & 15);
        let point = &IQ2_XS[usize::from(q & 511)];
        signed(point, EVEN[usize::from(q >> 9)], sub, levels);
    }
}

layout! {
    /// ```text
    ///   0     2                34               66          74             82
    ///   | d   | p: 32 × u8     | m: signs       | h: pairs  | s: nibbles   |
    ///
    ///   weight[i] = d / 8 · (2 s[i / 16] + 1) · ± grid[p[i / 8] + 256 h[i / 8]][i % 8]
    /// ```
    IQ2_S { d: 2, p: 32, m: 32, h: 8, s: 8 }
}

#[inline]
pub(super) fn iq2_s(block: &[u8], part: &mut Part) {
    let block = IQ2_S::of(block);
    part.scale = f16(block.d) / 8.0;
    for (n, levels) in part.level.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let high = block.h[n / 4] >> (2 * (n % 4)) & 3;
        let sub = odd(block.s[n / 4] >> (2 * (n & 2)) & 15);
        let point = &IQ2_S[usize::from(high) << 8 | usize::from(block.p[n])];
        signed(point, block.m[n], sub, levels);
    }
}

layout! {
    /// Eight sub-blocks of 32 weights: eight indices in `p` and one word in `w`.
    ///
    /// ```text
    ///   0     2                      66               98
    ///   | d   | p: 64 × u8           | w: 8 × u32     |      w: 4 × 7 bits of signs,
    ///                                                           4 bits of sub-scale
    ///   weight[i] = d / 4 · (2 sub + 1) · ± grid[p[i / 4]][i % 4]
    /// ```
    IQ3_XXS { d: 2, p: 64, w: 32 }
}

#[inline]
pub(super) fn iq3_xxs(block: &[u8], part: &mut Part) {
    let block = IQ3_XXS::of(block);
    part.scale = f16(block.d) / 4.0;
    let subs = block.p.as_chunks::<8>().0.iter().zip(block.w.as_chunks::<4>().0);
    for ((p, word), levels) in subs.zip(part.level.as_chunks_mut::<32>().0) {
        let word = u32::from_le_bytes(*word);
        let sub = odd((word >> 28) as u8);
        for (n, (p, levels)) in p.iter().zip(levels.as_chunks_mut::<4>().0).enumerate() {
            let signs = EVEN[(word >> (7 * (n / 2)) & 127) as usize];
            signed(&IQ3_XXS[usize::from(*p)], signs >> (4 * (n % 2)), sub, levels);
        }
    }
}

layout! {
    /// ```text
    ///   0     2                      66         74               106           110
    ///   | d   | p: 64 × u8           | h: bits  | m: signs       | s: nibbles  |
    ///
    ///   weight[i] = d · (2 s[i / 32] + 1) · ± grid[p[i / 4] + 256 h[i / 4]][i % 4]
    /// ```
    IQ3_S { d: 2, p: 64, h: 8, m: 32, s: 4 }
}

#[inline]
pub(super) fn iq3_s(block: &[u8], part: &mut Part) {
    let block = IQ3_S::of(block);
    part.scale = f16(block.d);
    for (n, levels) in part.level.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        let high = block.h[n / 8] >> (n % 8) & 1;
        let sub = odd(block.s[n / 16] >> (4 * (n / 8 % 2)) & 15);
        let point = &IQ3_S[usize::from(high) << 8 | usize::from(block.p[n])];
        signed(point, block.m[n / 2] >> (4 * (n % 2)), sub, levels);
    }
}

/// Writes a point of the ternary grid moved by an eighth, in eighths, times a sub-scale.
#[inline]
fn moved(index: u16, down: bool, sub: i8, levels: &mut [i16; 8]) {
    let step = if down { -1 } else { 1 };
    for (level, x) in levels.iter_mut().zip(&IQ1[usize::from(index)]) {
        *level = (i16::from(*x) + step) * i16::from(sub);
    }
}

layout! {
    /// Eight sub-blocks of 32 weights: four indices in `p` and one word in `h`, which has three
    /// more bits for each index, then three bits of sub-scale and one for the direction.
    ///
    /// ```text
    ///   0     2                34              50
    ///   | d   | p: 32 × u8     | h: 8 × u16    |
    ///
    ///   weight[i] = d / 8 · (2 sub + 1) · (8 grid[p + 256 high][i % 8] ± 1)
    /// ```
    IQ1_S { d: 2, p: 32, h: 16 }
}

#[inline]
pub(super) fn iq1_s(block: &[u8], part: &mut Part) {
    let block = IQ1_S::of(block);
    part.scale = f16(block.d) / 8.0;
    let subs = block.p.as_chunks::<4>().0.iter().zip(block.h.as_chunks::<2>().0);
    for ((p, word), levels) in subs.zip(part.level.as_chunks_mut::<32>().0) {
        let word = u16::from_le_bytes(*word);
        let sub = odd((word >> 12 & 7) as u8);
        for (n, (p, levels)) in p.iter().zip(levels.as_chunks_mut::<8>().0).enumerate() {
            let index = (word >> (3 * n) & 7) << 8 | u16::from(*p);
            moved(index, word >> 15 == 1, sub, levels);
        }
    }
}

layout! {
    /// Nibbles of `h` are three more bits for each index and one for the direction. Each of the
    /// four words in `s` has four sub-scales of three bits, and at its top four bits of the scale.
    ///
    /// ```text
    ///   0                32               48           56
    ///   | p: 32 × u8     | h: nibbles     | s: 4 × u16 |
    ///
    ///   weight[i] = d / 8 · (2 sub[i / 16] + 1) · (8 grid[p + 256 high][i % 8] ± 1)
    /// ```
    IQ1_M { p: 32, h: 16, s: 8 }
}

#[inline]
pub(super) fn iq1_m(block: &[u8], part: &mut Part) {
    let block = IQ1_M::of(block);
    let word = |n: usize| u16::from_le_bytes([block.s[2 * n], block.s[2 * n + 1]]);
    let d = word(0) >> 12 | word(1) >> 12 << 4 | word(2) >> 12 << 8 | word(3) >> 12 << 12;
    part.scale = crate::f16_to_f32(d) / 8.0;
    for (n, levels) in part.level.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let high = u16::from(block.h[n / 2] >> (4 * (n % 2)) & 15);
        let sub = odd((word(n / 8) >> (3 * (n / 2 % 4)) & 7) as u8);
        moved((high & 7) << 8 | u16::from(block.p[n]), high & 8 != 0, sub, levels);
    }
}
