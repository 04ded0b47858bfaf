//! Which compiled function serves an instruction set, a format and the shape of a tile.
//!
//! # Safety
//!
//! The functions behind the pointers ask what `Levels::expand` and `tile::tile` ask, and for the
//! instruction set that they were found for: who has the `Isa` has the instructions.

use super::expand::{self, Expanded, Keep, Kind, Levels, Packed};
use super::tile::{self, Next, Stretch, Walk};
use super::{STRETCH, fields};
use crate::isa::Level;
use crate::simd::{BYTES, Simd};
use crate::{Format, Isa};

/// Expands parts of a panel's blocks.
type Expand = unsafe fn(Packed, usize, &mut Expanded);

/// Multiplies panels with rows; the arguments are those of `tile::tile`.
pub(crate) type Tile = unsafe fn(*const Expanded, (Stretch, &Next), (*mut f32, usize));

/// Multiplies a panel as it takes it apart; the arguments are those of `tile::multiply`.
type Multiply = unsafe fn((Packed, Walk), (Stretch, *mut f32), &mut Expanded);

/// The functions for one format.
#[derive(Clone, Copy)]
pub(crate) struct Kernels {
    /// Bytes of a block in the head of a panel and in its body.
    head_block: usize,
    body_block: usize,
    /// Whether blocks are stretches.
    long: bool,
    expand: Expand,
    /// Panels that the widest tile takes.
    pub panels: usize,
    /// What the format's `Kind` says: `RUN` and `MINIMA`.
    #[cfg(target_arch = "x86_64")] // For `amx`.
    pub kind: (Option<usize>, bool),
    once: Tiles,
    twice: Tiles,
}

/// Rows that a tile takes at most.
pub(crate) const ROWS_MAX: usize = 4;

/// Tiles of one panel, by the number of their rows, and a wide one of several panels and the most
/// rows.
#[derive(Clone, Copy)]
struct Tiles {
    wide: Tile,
    four: Tile,
    two: Tile,
    one: Tile,
    /// The same without expanding first, for one row, two and four.
    at_once: [Multiply; 3],
}

impl Kernels {
    /// Those of a format that is packed, on instruction sets that have any.
    pub fn of(isa: Isa, format: Format) -> Option<Kernels> {
        match isa.level() {
            Level::Portable => None,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => avx2::kernels(format),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 | Level::Amx | Level::AmxEmulated => avx512::kernels(format),
            #[cfg(target_arch = "aarch64")]
            Level::Neon => neon::kernels(format),
        }
    }

    /// Expands stretch `stretch` of a panel, which has `parts` parts of 32 columns.
    pub fn expand(&self, panel: &[u8], stretch: usize, parts: usize, to: &mut Expanded) {
        // SAFETY: what is handed over has all blocks of these parts.
        unsafe { (self.expand)(self.blocks(panel, stretch, parts), parts, to) }
    }

    /// Multiplies a whole panel with one, two or four rows, of which `planes` belong to an output,
    /// and adds to `sums`. `x` shows the first stretch of the rows.
    ///
    /// # Safety
    /// `x` has as many rows and `sums` a sum for each output; `walk` leads over stretches that the
    /// panel and the rows have.
    pub unsafe fn multiply(
        &self,
        (panel, walk): (&[u8], Walk),
        (rows, planes): (usize, usize),
        (x, sums): (Stretch, *mut f32),
        scratch: &mut Expanded,
    ) {
        let multiply = self.tiles(planes).at_once[rows.ilog2() as usize];
        let from = self.blocks(panel, walk.first, x.parts);
        let walk = Walk {
            head: self.blocks_of(STRETCH / 32) * self.head_block,
            body: self.blocks_of(STRETCH / 32) * self.body_block,
            ..walk
        };
        // SAFETY: the caller's promise, and all blocks of these parts.
        unsafe { multiply((from, walk), (x, sums), scratch) }
    }

    /// Where the body of a stretch of a panel begins, and its lines.
    pub fn lines(&self, panel: &[u8], stretch: usize, parts: usize) -> (*const u8, usize) {
        let len = self.blocks_of(parts) * self.body_block;
        (self.blocks(panel, stretch, parts).body, len / BYTES)
    }

    /// Where the blocks of a stretch of a panel are; it has all of them.
    pub fn blocks(&self, panel: &[u8], stretch: usize, parts: usize) -> Packed {
        let (first, count) = (stretch * self.blocks_of(STRETCH / 32), self.blocks_of(parts));
        // What fills up the head is less than a block.
        let blocks = panel.len() / (self.head_block + self.body_block);
        let (head, body) = panel.split_at((blocks * self.head_block).next_multiple_of(BYTES));
        let strides = (self.head_block, self.body_block);
        assert!((first + count) * strides.0 <= head.len());
        assert!((first + count) * strides.1 <= body.len());
        let start = Packed { head: head.as_ptr(), body: body.as_ptr(), line: panel.as_ptr() };
        start.after(first, strides)
    }

    /// Blocks of so many parts of 32 columns.
    fn blocks_of(&self, parts: usize) -> usize {
        if self.long { 1 } else { parts }
    }

    /// The tile for one panel and `rows` rows, `planes` of which belong to an output.
    pub fn tile(&self, rows: usize, planes: usize) -> Tile {
        let tiles = self.tiles(planes);
        match rows {
            1 => tiles.one,
            2 => tiles.two,
            _ => tiles.four,
        }
    }

    /// The tile for `self.panels` panels and the most rows.
    pub fn wide_tile(&self, planes: usize) -> Tile {
        self.tiles(planes).wide
    }

    fn tiles(&self, planes: usize) -> &Tiles {
        if planes == 1 { &self.once } else { &self.twice }
    }
}

/// Compiles every kernel for an instruction set, in a module of its own.
macro_rules! compiled {
    ($module:ident, $token:ty, $panels:literal, $features:literal) => {
        mod $module {
            use super::*;

            #[target_feature(enable = $features)]
            unsafe fn expand<L: Levels>(from: Packed, parts: usize, to: &mut Expanded) {
                // SAFETY: this is called only where the features are; the rest is the caller's
                // promise.
                unsafe {
                    let s = <$token>::new();
                    L::expand(s, from, parts, &mut Keep { s, to });
                }
            }

            #[target_feature(enable = $features)]
            unsafe fn tile<K: Kind, const W: usize, const R: usize, const P: usize>(
                weights: *const Expanded,
                x: (Stretch, &Next),
                sums: (*mut f32, usize),
            ) {
                // SAFETY: as above.
                unsafe { tile::tile::<$token, K, W, R, P>(<$token>::new(), weights, x, sums) }
            }

            #[target_feature(enable = $features)]
            unsafe fn multiply<L: Levels, const R: usize, const P: usize>(
                from: (Packed, Walk),
                rows: (Stretch, *mut f32),
                scratch: &mut Expanded,
            ) {
                // SAFETY: as above.
                unsafe { tile::multiply::<$token, L, R, P>(<$token>::new(), from, rows, scratch) }
            }

            fn of<L: Levels>() -> Kernels {
                type One<L> = <L as Levels>::Kind;
                Kernels {
                    head_block: fields::block_len(L::FORMAT, true),
                    body_block: fields::block_len(L::FORMAT, false),
                    long: L::FORMAT.block_len() == STRETCH,
                    expand: expand::<L>,
                    panels: $panels,
                    #[cfg(target_arch = "x86_64")]
                    kind: (One::<L>::RUN, One::<L>::MINIMA),
                    once: Tiles {
                        wide: tile::<One<L>, $panels, ROWS_MAX, 1>,
                        four: tile::<One<L>, 1, ROWS_MAX, 1>,
                        two: tile::<One<L>, 1, 2, 1>,
                        one: tile::<One<L>, 1, 1, 1>,
                        at_once: [
                            multiply::<L, 1, 1>,
                            multiply::<L, 2, 1>,
                            multiply::<L, ROWS_MAX, 1>,
                        ],
                    },
                    twice: Tiles {
                        wide: tile::<One<L>, $panels, ROWS_MAX, 2>,
                        four: tile::<One<L>, 1, ROWS_MAX, 2>,
                        two: tile::<One<L>, 1, 2, 2>,
                        one: tile::<One<L>, 1, 1, 1>,
                        at_once: [
                            multiply::<L, 1, 1>,
                            multiply::<L, 2, 2>,
                            multiply::<L, ROWS_MAX, 2>,
                        ],
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
compiled!(avx2, crate::simd::Avx2, 1, "avx2,fma,f16c");
#[cfg(target_arch = "x86_64")]
compiled!(avx512, crate::simd::Avx512, 3, "avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c");
// Sums of four rows take sixteen of the 32 registers.
#[cfg(target_arch = "aarch64")]
compiled!(neon, crate::simd::Neon, 1, "neon,dotprod,fp16");
