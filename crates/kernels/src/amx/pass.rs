//! A pass of some panels over all tiles of rows: the unit multiplies one tile while the sums of the
//! one before are converted and added to their outputs.
//!
//! ```text
//!   unit        | tile 0 | tile 1       | tile 2       |
//!   AVX-512              | sums of 0    | sums of 1    | sums of 2    |
//! ```

use super::unit::{TILE_ROWS, Unit};
use super::{Products, RowTile, Rows, Sums};
use crate::panels::{OUTPUTS, ROWS};
use crate::simd::{Avx512, Simd};

/// Sixteen f32, those of the weight rows of a panel.
pub(super) type Floats = <Avx512 as Simd>::F;
/// Sixteen i32.
pub(super) type Integers = <Avx512 as Simd>::I;

/// Steps in which a tile is multiplied, and as many in which it is converted.
pub(super) const STEPS: usize = 4;

/// `W` panels and the columns of this pass, with rows of `P` planes.
pub(super) trait Pass<const W: usize, const P: usize> {
    /// Does a step of a tile; after the last one its sums are in `to`.
    fn multiply<U: Unit>(&self, unit: &mut U, step: usize, tile: &RowTile, to: &mut Products);

    /// Adds to `sums`, those of one output in each of the panels, what its `P` rows from `row` on
    /// have come to.
    fn add(&self, from: &Products, tile: &RowTile, row: usize, sums: &mut [Floats; W]);
}

/// Multiplies all rows.
#[inline(always)]
pub(super) fn run<U: Unit, const W: usize, const P: usize>(
    unit: &mut U,
    pass: &impl Pass<W, P>,
    rows: Rows,
    to: &mut Sums,
) {
    assert!(W * ROWS <= OUTPUTS && rows.count <= rows.tiles.len() * TILE_ROWS);
    let outputs = rows.count / P;
    assert!(outputs == 0 || to.outputs.len() >= (outputs - 1) * OUTPUTS + W * ROWS);
    let [mut now, mut before] = to.products.each_mut();
    for turn in 0..=rows.tiles.len() {
        for step in 0..STEPS {
            if let Some(tile) = rows.tiles.get(turn) {
                pass.multiply(unit, step, tile, now);
            }
            if turn > 0 {
                let first = (turn - 1) * TILE_ROWS + step * TILE_ROWS / STEPS;
                let end = rows.count.min(first + TILE_ROWS / STEPS);
                for row in (first..end).step_by(P) {
                    let at = to.outputs.as_mut_ptr().wrapping_add(row / P * OUTPUTS);
                    // SAFETY: there is room for the output of every row.
                    unsafe { convert(pass, before, (&rows.tiles[turn - 1], row % TILE_ROWS), at) };
                }
            }
        }
        (now, before) = (before, now);
    }
}

/// # Safety
/// `outputs` begins those of `W` panels.
#[inline(always)]
unsafe fn convert<const W: usize, const P: usize>(
    pass: &impl Pass<W, P>,
    from: &Products,
    (tile, row): (&RowTile, usize),
    outputs: *mut f32,
) {
    // SAFETY: the kernels that run a pass are compiled for AVX-512; the rest is the caller's
    // promise.
    unsafe {
        let s = Avx512::new();
        let mut sums = [s.splat_f32(0.0); W];
        for (w, sum) in sums.iter_mut().enumerate() {
            *sum = s.load_f32(outputs.add(w * ROWS));
        }
        pass.add(from, tile, row, &mut sums);
        for (w, sum) in sums.iter().enumerate() {
            s.store_f32(outputs.add(w * ROWS), *sum);
        }
    }
}

/// What one part and one plane of a row of activations have come to.
pub(super) struct Part {
    /// The scale of the activations.
    pub x_scale: Floats,
    /// The scale of the part, and the products.
    pub products: (Floats, Integers),
    /// If there are minima: their scale, and their products with sums of activations.
    pub minima: Option<(Floats, Integers)>,
}

impl Part {
    /// Adds it to the sums of outputs, as the canon has it.
    #[inline(always)]
    pub fn add_to(self, s: Avx512, sum: Floats) -> Floats {
        let (scale, products) = self.products;
        let sum = s.fma(s.mul(scale, self.x_scale), s.to_f32(products), sum);
        let Some((min, minima)) = self.minima else { return sum };
        let lowered = s.minus_product(s.mul(min, self.x_scale), s.to_f32(minima), sum);
        s.where_not_zero(min, lowered, sum)
    }
}

/// Sixteen numbers of four bytes.
#[inline(always)]
pub(super) fn load(s: Avx512, from: &[i32; ROWS]) -> Integers {
    // SAFETY: there are sixteen.
    unsafe { s.load(from.as_ptr().cast()) }
}

/// Sixteen f32.
#[inline(always)]
pub(super) fn load_f32(s: Avx512, from: &[f32; ROWS]) -> Floats {
    // SAFETY: there are sixteen.
    unsafe { s.load_f32(from.as_ptr()) }
}
