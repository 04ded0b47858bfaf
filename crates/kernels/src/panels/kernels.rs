//! Which compiled function serves an instruction set, a format and the shape of a tile.
//!
//! # Safety
//!
//! The functions behind the pointers ask what `Levels::expand` and `tile::tile` ask, and for the
//! instruction set that they were found for: who has the `Isa` has the instructions.

use super::expand::{self, Expanded, Kind, Levels};
use super::tile::{self, Stretch};
use crate::isa::Level;
use crate::simd::Simd;
use crate::{Format, Isa};

/// Expands parts of a panel's blocks.
pub(crate) type Expand = unsafe fn(*const u8, usize, &mut Expanded);

/// Multiplies panels with rows; the arguments are those of `tile::tile`.
pub(crate) type Tile = unsafe fn(*const Expanded, Stretch, (*mut f32, usize));

/// The functions for one format.
#[derive(Clone, Copy)]
pub(crate) struct Kernels {
    pub expand: Expand,
    /// Rows that a tile takes at most.
    pub rows: usize,
    once: Tiles,
    twice: Tiles,
}

/// Tiles by the number of their rows: two panels with the most rows, one panel with fewer.
#[derive(Clone, Copy)]
struct Tiles {
    wide: Tile,
    most: Tile,
    four: Tile,
    two: Tile,
    one: Tile,
}

impl Kernels {
    /// Those of a format that is packed, on instruction sets that have any.
    pub fn of(isa: Isa, format: Format) -> Option<Kernels> {
        match isa.level() {
            Level::Portable => None,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => avx2::kernels(format),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => avx512::kernels(format),
        }
    }

    /// The tile for one panel and `rows` rows, `planes` of which belong to an output.
    pub fn tile(&self, rows: usize, planes: usize) -> Tile {
        let tiles = self.tiles(planes);
        match rows {
            1 => tiles.one,
            2 => tiles.two,
            4 => tiles.four,
            _ => tiles.most,
        }
    }

    /// The tile for two panels and the most rows.
    pub fn wide_tile(&self, planes: usize) -> Tile {
        self.tiles(planes).wide
    }

    fn tiles(&self, planes: usize) -> &Tiles {
        if planes == 1 { &self.once } else { &self.twice }
    }
}

/// Compiles every kernel for an instruction set, in a module of its own.
macro_rules! compiled {
    ($module:ident, $token:ty, $rows:literal, $features:literal) => {
        mod $module {
            use super::*;

            #[target_feature(enable = $features)]
            unsafe fn expand<L: Levels>(panel: *const u8, parts: usize, to: &mut Expanded) {
                // SAFETY: this is called only where the features are; the rest is the caller's
                // promise.
                unsafe { L::expand(<$token>::new(), panel, parts, to) }
            }

            #[target_feature(enable = $features)]
            unsafe fn tile<K: Kind, const W: usize, const R: usize, const P: usize>(
                weights: *const Expanded,
                x: Stretch,
                sums: (*mut f32, usize),
            ) {
                // SAFETY: as above.
                unsafe { tile::tile::<$token, K, W, R, P>(<$token>::new(), weights, x, sums) }
            }

            fn of<L: Levels>() -> Kernels {
                type One<L> = <L as Levels>::Kind;
                const { assert!(<$token as Simd>::ROWS == $rows) };
                Kernels {
                    expand: expand::<L>,
                    rows: $rows,
                    once: Tiles {
                        wide: tile::<One<L>, 2, $rows, 1>,
                        most: tile::<One<L>, 1, $rows, 1>,
                        four: tile::<One<L>, 1, 4, 1>,
                        two: tile::<One<L>, 1, 2, 1>,
                        one: tile::<One<L>, 1, 1, 1>,
                    },
                    twice: Tiles {
                        wide: tile::<One<L>, 2, $rows, 2>,
                        most: tile::<One<L>, 1, $rows, 2>,
                        four: tile::<One<L>, 1, 4, 2>,
                        two: tile::<One<L>, 1, 2, 2>,
                        one: tile::<One<L>, 1, 1, 1>,
                    },
                }
            }

            pub(super) fn kernels(format: Format) -> Option<Kernels> {
                let of: &[(Format, fn() -> Kernels)] = &[
                    (expand::Q4_0::FORMAT, of::<expand::Q4_0>),
                    (expand::Q4_1::FORMAT, of::<expand::Q4_1>),
                    (expand::Q5_0::FORMAT, of::<expand::Q5_0>),
                    (expand::Q5_1::FORMAT, of::<expand::Q5_1>),
                    (expand::Q8_0::FORMAT, of::<expand::Q8_0>),
                    (expand::IQ4_NL::FORMAT, of::<expand::IQ4_NL>),
                    (expand::MXFP4::FORMAT, of::<expand::MXFP4>),
                    (expand::Q2_K::FORMAT, of::<expand::Q2_K>),
                    (expand::Q3_K::FORMAT, of::<expand::Q3_K>),
                    (expand::Q4_K::FORMAT, of::<expand::Q4_K>),
                    (expand::Q5_K::FORMAT, of::<expand::Q5_K>),
                    (expand::Q6_K::FORMAT, of::<expand::Q6_K>),
                    (expand::IQ4_XS::FORMAT, of::<expand::IQ4_XS>),
                ];
                of.iter().find(|(of, _)| *of == format).map(|(_, kernels)| kernels())
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
compiled!(avx2, crate::simd::Avx2, 4, "avx2,fma,f16c");
#[cfg(target_arch = "x86_64")]
compiled!(avx512, crate::simd::Avx512, 6, "avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c");
