//! Which compiled functions serve an instruction set and a number of queries.

use super::mix::{self, Mixed, Values};
use super::numbers::{self, Kept};
use super::scores::{self, Keys};
use super::weigh;
use super::whole::{self, WholeKeys, WholeMixed, WholeValues};
use crate::Isa;
use crate::isa::Level;
use crate::portable::whole::Pair;
use crate::simd::Simd;

/// Scores; the arguments are those of `scores::scores`.
pub(crate) type Scores = unsafe fn(&Keys, *const f32, *mut f32);

/// Weights; the arguments are those of `weigh::weigh`.
pub(crate) type Weigh = unsafe fn(*mut f32, usize, (*mut f32, *mut f32));

/// Values; the arguments are those of `mix::mix`.
pub(crate) type Mix = unsafe fn(&Values, &Mixed);

/// Scores of whole numbers; the arguments are those of `whole::scores`.
pub(crate) type WholeScores = unsafe fn(&WholeKeys, (*const Pair, *const f32), *mut f32);

/// Values of whole numbers; the arguments are those of `whole::mix`.
pub(crate) type WholeMix = unsafe fn(&WholeValues, &WholeMixed);

/// Widens halves; the arguments are those of `numbers::widen`.
pub(crate) type Widen = unsafe fn(*const u8, *mut f32, usize);

/// The functions of an instruction set. Entry `i` of a table serves `i + 1` queries; there is a
/// table for each way to keep floats, and one for whole numbers.
#[derive(Clone, Copy)]
pub(crate) struct Kernels {
    scores: [&'static [Scores]; FLOATS],
    whole_scores: &'static [WholeScores],
    pub weigh: Weigh,
    mix: [&'static [Mix]; FLOATS],
    whole_mix: &'static [WholeMix],
    pub widen: Widen,
}

/// Ways to keep floats: the first ones of all.
const FLOATS: usize = Kept::I16 as usize;

impl Kernels {
    /// How many of `n` queries share what is loaded. All, where one kernel can: then a tile is
    /// read once, which counts while the memory is waited for. Of many, four at a time are faster.
    pub fn together(&self, n: usize) -> usize {
        if n <= self.most() { n } else { 4 }
    }

    /// The most queries that one kernel can serve.
    pub fn most(&self) -> usize {
        self.mix[0].len()
    }

    /// Scores of `n` queries.
    pub fn scores(&self, kept: Kept, n: usize) -> Scores {
        self.scores[kept as usize][n - 1]
    }

    /// Scores of `n` queries that are whole numbers.
    pub fn whole_scores(&self, n: usize) -> WholeScores {
        self.whole_scores[n - 1]
    }

    /// Values of `n` queries that are whole numbers.
    pub fn whole_mix(&self, n: usize) -> WholeMix {
        self.whole_mix[n - 1]
    }

    /// Values of `n` queries.
    pub fn mix(&self, kept: Kept, n: usize) -> Mix {
        self.mix[kept as usize][n - 1]
    }

    /// Those of an instruction set that has any.
    pub fn of(isa: Isa) -> Option<Kernels> {
        match isa.level() {
            Level::Portable => None,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => Some(avx2::KERNELS),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 | Level::Amx | Level::AmxEmulated => Some(avx512::KERNELS),
            #[cfg(target_arch = "aarch64")]
            Level::Neon => Some(neon::KERNELS),
        }
    }
}

/// Compiles every kernel for an instruction set, in a module of its own: for 1, 2, … queries, each
/// with as many vectors of positions or outputs as find room in the registers beside the rest.
macro_rules! compiled {
    ($module:ident, $token:ty, $features:literal, $(($queries:literal, $vectors:literal)),*) => {
        mod $module {
            use super::*;

            /// # Safety
            /// Those of `scores::scores`, and the features are there.
            #[target_feature(enable = $features)]
            unsafe fn scores<const HALF: bool, const Q: usize, const V: usize>(
                keys: &Keys,
                queries: *const f32,
                to: *mut f32,
            ) {
                // SAFETY: this is called only where the features are; the rest is the caller's
                // promise.
                unsafe { scores::scores::<$token, HALF, Q, V>(<$token>::new(), keys, queries, to) }
            }

            /// # Safety
            /// Those of `weigh::weigh`, and the features are there.
            #[target_feature(enable = $features)]
            unsafe fn weigh(scores: *mut f32, n: usize, to: (*mut f32, *mut f32)) {
                // SAFETY: as above.
                unsafe { weigh::weigh(<$token>::new(), scores, n, to) }
            }

            /// # Safety
            /// Those of `mix::mix`, and the features are there.
            #[target_feature(enable = $features)]
            unsafe fn mix<const HALF: bool, const Q: usize, const V: usize>(
                values: &Values,
                of: &Mixed,
            ) {
                // SAFETY: as above.
                unsafe { mix::mix::<$token, HALF, Q, V>(<$token>::new(), values, of) }
            }

            /// # Safety
            /// Those of `whole::scores`, and the features are there.
            #[target_feature(enable = $features)]
            unsafe fn whole_scores<const Q: usize, const V: usize>(
                keys: &WholeKeys,
                queries: (*const Pair, *const f32),
                to: *mut f32,
            ) {
                // SAFETY: as above.
                unsafe { whole::scores::<$token, Q, V>(<$token>::new(), keys, queries, to) }
            }

            /// # Safety
            /// Those of `whole::mix`, and the features are there.
            #[target_feature(enable = $features)]
            unsafe fn whole_mix<const Q: usize, const V: usize>(
                values: &WholeValues,
                of: &WholeMixed,
            ) {
                // SAFETY: as above.
                unsafe { whole::mix::<$token, Q, V>(<$token>::new(), values, of) }
            }

            /// # Safety
            /// Those of `numbers::widen`, and the features are there.
            #[target_feature(enable = $features)]
            unsafe fn widen(from: *const u8, to: *mut f32, len: usize) {
                // SAFETY: as above.
                unsafe { numbers::widen(<$token>::new(), from, to, len) }
            }

            pub(super) const KERNELS: Kernels = Kernels {
                scores: [
                    &[$(scores::<false, $queries, $vectors>),*],
                    &[$(scores::<true, $queries, $vectors>),*],
                ],
                whole_scores: &[$(whole_scores::<$queries, $vectors>),*],
                weigh,
                mix: [
                    &[$(mix::<false, $queries, $vectors>),*],
                    &[$(mix::<true, $queries, $vectors>),*],
                ],
                whole_mix: &[$(whole_mix::<$queries, $vectors>),*],
                widen,
            };
        }
    };
}

#[cfg(target_arch = "x86_64")]
compiled!(avx2, crate::simd::Avx2, "avx2,fma,f16c", (1, 4), (2, 2), (3, 1), (4, 1));
#[cfg(target_arch = "x86_64")]
compiled!(
    avx512,
    crate::simd::Avx512,
    "avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c",
    (1, 4),
    (2, 4),
    (3, 4),
    (4, 4),
    (5, 2),
    (6, 2),
    (7, 2),
    (8, 2)
);
#[cfg(target_arch = "aarch64")]
compiled!(neon, crate::simd::Neon, "neon,dotprod,fp16", (1, 4), (2, 2), (3, 1), (4, 1));
