//! A stretch of a panel as tiles of signed or unsigned bytes.
//!
//! A vector of a panel's levels is what a tile takes as a row: a lane for each weight row, four
//! columns in a lane. Short formats lose their offset and are ready. In long formats the integer
//! sub-scales go into the bytes, which takes up to two planes:
//!
//! ```text
//!   Q2_K         unsigned   sub · level, at most 45
//!   Q4_K, Q5_K   unsigned   a · level and b · level, at most 217, where sub = 8a + b
//!   others       signed     a and b, where sub · level, at most 4096 in magnitude, = 128a + b
//! ```
//!
//! In the first two, one multiplication makes two bytes of a product at once, for the lower does
//! not reach into the upper.

use std::arch::x86_64::*;

use crate::panels::{Expanded, STRETCH};
use crate::simd::BYTES;

/// Vectors in a plane.
const QUADS: usize = STRETCH / 4;

/// A stretch of a panel, for tiles.
#[repr(C, align(64))]
pub(crate) struct Weights {
    /// As `panels` expands it.
    pub parts: Expanded,
    /// What tiles read.
    pub planes: [[[u8; BYTES]; QUADS]; 2],
}

impl Weights {
    /// Nothing yet.
    pub const ZERO: Weights = Weights { parts: Expanded::ZERO, planes: [[[0; BYTES]; QUADS]; 2] };
}

/// Makes planes of expanded parts; the second argument is what is taken off each level.
pub(super) type Plane = unsafe fn(&mut Weights, i16);

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load<const N: usize, T>(from: &[T; N]) -> __m512i {
    const { assert!(size_of::<[T; N]>() == BYTES) };
    // SAFETY: there are 64 bytes.
    unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn put(to: &mut [u8; BYTES], x: __m512i) {
    // SAFETY: there are 64 bytes.
    unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), x) }
}

/// An i32 of 16 bits as two of them.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn doubled(x: __m512i) -> __m512i {
    _mm512_or_si512(_mm512_and_si512(x, _mm512_set1_epi32(0xffff)), _mm512_slli_epi32::<16>(x))
}

/// Levels without their offset. Those of "wide" formats have their upper bit turned, which is an
/// offset of 128.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn levels(weights: &mut Weights, offset: i16) {
    let offset = _mm512_set1_epi8(offset as i8);
    for (from, to) in weights.parts.levels.iter().zip(&mut weights.planes[0]) {
        put(to, _mm512_sub_epi8(load(from), offset));
    }
}

/// Levels times sub-scales of 16 columns, where that is at most 127.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn products(weights: &mut Weights, _offset: i16) {
    const RUN: usize = 16;
    for quad in 0..QUADS {
        let sub = doubled(load(&weights.parts.sub[4 * quad / RUN]));
        put(
            &mut weights.planes[0][quad],
            _mm512_mullo_epi16(load(&weights.parts.levels[quad]), sub),
        );
    }
}

/// Levels below 32 times the upper and the lower three bits of sub-scales of 32 columns.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn eighths(weights: &mut Weights, _offset: i16) {
    const RUN: usize = 32;
    for run in 0..STRETCH / RUN {
        let sub = load(&weights.parts.sub[run]);
        let high = doubled(_mm512_srli_epi32::<3>(sub));
        let low = doubled(_mm512_and_si512(sub, _mm512_set1_epi32(7)));
        for quad in run * RUN / 4..(run + 1) * RUN / 4 {
            let levels = load(&weights.parts.levels[quad]);
            put(&mut weights.planes[0][quad], _mm512_mullo_epi16(levels, high));
            put(&mut weights.planes[1][quad], _mm512_mullo_epi16(levels, low));
        }
    }
}

/// Levels less an offset, times signed sub-scales of `RUN` columns.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn signed<const RUN: usize>(weights: &mut Weights, offset: i16) {
    let (byte, offset) = (_mm512_set1_epi16(0xff), _mm512_set1_epi16(offset));
    for quad in 0..QUADS {
        let sub = doubled(load(&weights.parts.sub[4 * quad / RUN]));
        let levels = load(&weights.parts.levels[quad]);
        let product = |level| _mm512_mullo_epi16(_mm512_sub_epi16(level, offset), sub);
        let even = product(_mm512_and_si512(levels, byte));
        let odd = product(_mm512_srli_epi16::<8>(levels));
        let bytes =
            |even, odd| _mm512_or_si512(_mm512_and_si512(even, byte), _mm512_slli_epi16::<8>(odd));
        let high = bytes(_mm512_srai_epi16::<7>(even), _mm512_srai_epi16::<7>(odd));
        let low = _mm512_and_si512(bytes(even, odd), _mm512_set1_epi8(127));
        put(&mut weights.planes[0][quad], high);
        put(&mut weights.planes[1][quad], low);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;

    /// A plane's maker, its run, offset and factor, whether bytes are signed, the most of a level
    /// (255 where it is "wide") and the sub-scales from the least to the most.
    type Case = (Plane, usize, i16, i32, bool, (i32, i32, i32));

    fn byte(of: u8, signed: bool) -> i32 {
        if signed { i32::from(of as i8) } else { i32::from(of) }
    }

    /// Every level with every sub-scale that formats have.
    #[test]
    fn planes_stand_for_products() {
        if Isa::emulated_amx().is_none() {
            return; // Nothing here runs on such a machine.
        }
        let cases: [Case; 6] = [
            (products, 16, 0, 1, false, (3, 0, 15)),
            (eighths, 32, 0, 8, false, (31, 0, 63)),
            (signed::<16>, 16, 4, 128, true, (7, -32, 31)),
            (signed::<16>, 16, 32, 128, true, (63, -128, 127)),
            (signed::<32>, 32, 128, 128, true, (255, -32, 31)),
            (levels, STRETCH, 128, 1, true, (255, 1, 1)),
        ];
        for (plane, run, offset, factor, is_signed, (most, first, last)) in cases {
            for sub in first..=last {
                let mut weights = Box::new(Weights::ZERO);
                let level = |i: usize| (i as i32 * 7 + sub) & most;
                for i in 0..STRETCH * 16 {
                    weights.parts.levels[i / 64][i % 64] = level(i) as u8;
                }
                // Neighbouring runs have other sub-scales, of either parity.
                let sub_of =
                    |run: usize| if run % 3 == 1 { first + (sub - first) / 2 } else { sub };
                for (run, subs) in weights.parts.sub.iter_mut().enumerate() {
                    subs.fill(sub_of(run));
                }
                // SAFETY: this machine has AVX-512.
                unsafe { plane(&mut weights, offset) };
                for i in 0..STRETCH * 16 {
                    let planes = [0, 1].map(|p| byte(weights.planes[p][i / 64][i % 64], is_signed));
                    let want = sub_of(i / 64 * 4 / run) * (level(i) - i32::from(offset));
                    let got = factor * planes[0] + planes[1];
                    assert_eq!(got, want, "level {} less {offset}, {sub}, byte {i}", level(i));
                }
            }
        }
    }
}
