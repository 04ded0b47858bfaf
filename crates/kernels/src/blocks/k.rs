//! The K formats: 256 weights in sub-blocks of 16 or 32, with integer sub-scales under one float.

use super::Part;
use super::bits::{f16, layout, nibbles, pairs, top_bits};
use super::runs::Runs;

layout! {
    /// ```text
    ///   0                16                          80    82    84
    ///   | s: 16 bytes    | q: pairs, 32 apart        | d   | m   |
    ///
    ///   weight[i] = d · (s[i / 16] mod 16) · q[i]  −  m · (s[i / 16] div 16)
    /// ```
    Q2_K { s: 16, q: 64, d: 2, m: 2 }
}

#[inline]
pub(super) fn q2_k(block: &[u8], part: &mut Part) {
    let block = Q2_K::of(block);
    let sub = block.s.map(|s| (s & 15) as i8);
    let mut runs = Runs { scale: f16(block.d), sub, level: [0; 256] };
    pairs(block.q, &mut runs.level, |q| q as i8);
    runs.store(part);
    part.min = f16(block.m);
    part.below = block.s.map(|s| s >> 4);
}

layout! {
    /// ```text
    ///   0                  32                          96           108   110
    ///   | h: bits, 32 apart| q: pairs, 32 apart        | s: 12 bytes| d   |
    ///
    ///   weight[i] = d · (s[i / 16] − 32) · (q[i] + 4 h[i] − 4)
    /// ```
    ///
    /// Sub-scale n has six bits: four in byte n mod 8 of `s`, low nibbles first, and two in byte
    /// 8 + n mod 4, low pairs first.
    Q3_K { h: 32, q: 64, s: 12, d: 2 }
}

#[inline]
pub(super) fn q3_k(block: &[u8]) -> Runs {
    let block = Q3_K::of(block);
    let sub = std::array::from_fn(|n| {
        let low = block.s[n % 8] >> (4 * (n / 8)) & 15;
        let high = block.s[8 + n % 4] >> (2 * (n / 4)) & 3;
        (high << 4 | low) as i8 - 32
    });
    let mut runs = Runs { scale: f16(block.d), sub, level: [0; 256] };
    pairs(block.q, &mut runs.level, |q| q as i8);
    top_bits(block.h, &mut runs.level, |h| 4 * h as i8 - 4);
    runs
}

layout! {
    /// ```text
    ///   0     2     4            16                                    144
    ///   | d   | m   | s: 12 bytes| q: 4 times 64 nibbles               |
    ///
    ///   weight[i] = d · sub[i / 32] · q[i]  −  m · below[i / 32]
    /// ```
    Q4_K { d: 2, m: 2, s: 12, q: 128 }
}

#[inline]
pub(super) fn q4_k(block: &[u8], part: &mut Part) {
    let block = Q4_K::of(block);
    let (sub, below) = six_bits(block.s);
    let mut runs = Runs { scale: f16(block.d), sub, level: [0; 256] };
    nibbles_of_64(block.q, &mut runs.level);
    runs.store(part);
    part.min = f16(block.m);
    part.below = below;
}

layout! {
    /// ```text
    ///   0     2     4            16                  48                        176
    ///   | d   | m   | s: 12 bytes| h: bits, 32 apart | q: 4 times 64 nibbles   |
    ///
    ///   weight[i] = d · sub[i / 32] · (q[i] + 16 h[i])  −  m · below[i / 32]
    /// ```
    Q5_K { d: 2, m: 2, s: 12, h: 32, q: 128 }
}

#[inline]
pub(super) fn q5_k(block: &[u8], part: &mut Part) {
    let block = Q5_K::of(block);
    let (sub, below) = six_bits(block.s);
    let mut runs = Runs { scale: f16(block.d), sub, level: [0; 256] };
    nibbles_of_64(block.q, &mut runs.level);
    top_bits(block.h, &mut runs.level, |h| (h as i8) << 4);
    runs.store(part);
    part.min = f16(block.m);
    part.below = below;
}

/// The eight sub-scales and eight sub-minima of Q4_K and Q5_K, each repeated for two runs of 16.
///
/// ```text
///   byte    0…3            4…7            8…11
///           sub 0…3        below 0…3      sub 4…7 (low nibble), below 4…7 (high nibble)
///           in bits 0…5    in bits 0…5
///           bits 6, 7 hold bits 4, 5 of
///           sub 4…7        below 4…7
/// ```
#[inline]
fn six_bits(s: &[u8; 12]) -> ([i8; 16], [u8; 16]) {
    let (mut sub, mut below) = ([0; 16], [0; 16]);
    for n in 0..4 {
        let last = s[8 + n];
        sub[2 * n..][..2].fill((s[n] & 63) as i8);
        below[2 * n..][..2].fill(s[4 + n] & 63);
        sub[8 + 2 * n..][..2].fill((s[n] >> 6 << 4 | last & 15) as i8);
        below[8 + 2 * n..][..2].fill(s[4 + n] >> 6 << 4 | last >> 4);
    }
    (sub, below)
}

/// Each 32 bytes hold 64 weights, the low nibbles first.
#[inline]
fn nibbles_of_64(q: &[u8; 128], levels: &mut [i8; 256]) {
    for (q, levels) in q.as_chunks::<32>().0.iter().zip(levels.as_chunks_mut::<64>().0) {
        nibbles(q, levels, |q| q as i8);
    }
}

layout! {
    /// ```text
    ///   0                          128                 192              208   210
    ///   | q: 2 times 128 nibbles   | h: pairs, 32 apart| s: 16 × i8     | d   |
    ///
    ///   weight[i] = d · s[i / 16] · (q[i] + 16 h[i] − 32)
    /// ```
    Q6_K { q: 128, h: 64, s: 16, d: 2 }
}

#[inline]
pub(super) fn q6_k(block: &[u8]) -> Runs {
    let block = Q6_K::of(block);
    let sub = block.s.map(|s| s as i8);
    let mut runs = Runs { scale: f16(block.d), sub, level: [0; 256] };
    for (q, level) in block.q.as_chunks::<64>().0.iter().zip(runs.level.as_chunks_mut::<128>().0) {
        nibbles(q, level, |q| q as i8);
    }
    let mut high = [0; 256];
    pairs(block.h, &mut high, |h| 16 * (h as i8 - 2));
    for (level, high) in runs.level.iter_mut().zip(high) {
        *level |= high; // A sum: the two have no bits in common.
    }
    runs
}
