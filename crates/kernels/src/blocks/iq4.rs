//! The two IQ formats whose nibbles choose among sixteen uneven levels.

use super::Part;
use super::bits::{f16, layout, nibbles};
use super::runs::Runs;

/// Denser around zero, where weights are; part of the formats.
pub(super) static LEVEL: [i8; 16] =
    [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

layout! {
    /// ```text
    ///   0     2                    18
    ///   | d   | q: nibbles         |      weight[i] = d · LEVEL[q[i]]
    /// ```
    IQ4_NL { d: 2, q: 16 }
}

#[inline]
pub(super) fn iq4_nl(block: &[u8], part: &mut Part) {
    let block = IQ4_NL::of(block);
    part.scale = f16(block.d);
    nibbles(block.q, &mut part.level[..32], |q| i16::from(LEVEL[usize::from(q)]));
}

layout! {
    /// Eight sub-blocks of 32 weights; their sub-scales have four bits in `low`, two in `high`.
    ///
    /// ```text
    ///   0     2       4            8                          136
    ///   | d   | high  | low        | q: 8 times 32 nibbles    |
    ///
    ///   weight[i] = d · (low[s] + 16 high[s] − 32) · LEVEL[q[i]]      s = i / 32
    /// ```
    IQ4_XS { d: 2, high: 2, low: 4, q: 128 }
}

#[inline]
pub(super) fn iq4_xs(block: &[u8]) -> Runs {
    let block = IQ4_XS::of(block);
    let mut runs = Runs { scale: f16(block.d), sub: [0; 16], level: [0; 256] };
    let high = u16::from_le_bytes(*block.high);
    for (s, sub) in runs.sub.as_chunks_mut::<2>().0.iter_mut().enumerate() {
        let low = block.low[s / 2] >> (4 * (s % 2)) & 15;
        let high = (high >> (2 * s) & 3) as u8;
        *sub = [(high << 4 | low) as i8 - 32; 2];
    }
    for (q, level) in block.q.as_chunks::<16>().0.iter().zip(runs.level.as_chunks_mut::<32>().0) {
        nibbles(q, level, |q| LEVEL[usize::from(q)]);
    }
    runs
}
