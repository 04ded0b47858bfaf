//! A pass of some panels over all tiles of rows, two of them at a turn: the unit multiplies them
//! while the sums of the turn before are converted and added to their outputs.
//!
//! ```text
//!   unit        | tiles 0, 1 | tiles 2, 3       | tiles 4, 5       |
//!   AVX-512                  | sums of 0 and 1  | sums of 2 and 3  |
//! ```
//!
//! A turn has rounds of four products, two tiles of rows times two of weights, which is the most
//! that eight registers allow: a tile is loaded for each product. Some rows are converted after
//! each of them, because a processor looks ahead far enough for one product and not for four.

use super::unit::{TILE_ROWS, Unit};
use super::{OUTPUTS, Products, RowTile, Rows, Sums};
use crate::panels::ROWS;
use crate::simd::{Avx512, Simd};

/// Sixteen f32, those of the weight rows of a panel.
pub(super) type Floats = <Avx512 as Simd>::F;
/// Sixteen i32.
pub(super) type Integers = <Avx512 as Simd>::I;

/// Tiles of rows in a turn.
pub(super) const PAIR: usize = 2;

/// Products in a round.
pub(super) const DOTS: usize = 4;

/// `W` panels and the columns of this pass, with rows of `P` planes.
pub(super) trait Pass<const W: usize, const P: usize> {
    /// Rounds in a turn: an even number, of which some may be empty.
    const ROUNDS: usize;

    /// Does product `D` of a round: of tile `D / 2` of the turn's rows, which is `tile`, with tile
    /// `D % 2` of the weights.
    fn multiply<U: Unit, const D: usize>(&self, unit: &mut U, round: usize, tile: &RowTile);

    /// Ends a round for tile `A` of the turn's rows; after the last one its sums are in `to`.
    fn end<U: Unit, const A: usize>(&self, unit: &mut U, round: usize, to: &mut Products);

    /// Adds to `sums`, those of one output in each of the panels, what its `P` rows from `row` of
    /// tile `a` on have come to.
    fn add(&self, from: &Products, at: (&RowTile, usize, usize), sums: &mut [Floats; W]);
}

/// Adds product `D` of a round to tile `D`, having loaded those of its operands that the products
/// before it have not: activations into tiles 4 and 5, weights into 6 and 7.
///
/// # Safety
/// `x` and `weights` begin the operands' rows, 64 bytes apart.
#[inline(always)]
pub(super) unsafe fn product<U: Unit, const D: usize>(
    unit: &mut U,
    (x, weights): (*const u8, *const u8),
    is_signed: bool,
) {
    // SAFETY: the caller's promise.
    unsafe {
        match D {
            0 => {
                unit.load::<4>(x);
                unit.load::<6>(weights);
            }
            1 => unit.load::<7>(weights),
            2 => unit.load::<5>(x),
            _ => {}
        }
    }
    match (D, is_signed) {
        (0, true) => unit.dot_signed::<0, 4, 6>(),
        (0, false) => unit.dot_unsigned::<0, 4, 6>(),
        (1, true) => unit.dot_signed::<1, 4, 7>(),
        (1, false) => unit.dot_unsigned::<1, 4, 7>(),
        (2, true) => unit.dot_signed::<2, 5, 6>(),
        (2, false) => unit.dot_unsigned::<2, 5, 6>(),
        (_, true) => unit.dot_signed::<3, 5, 7>(),
        (_, false) => unit.dot_unsigned::<3, 5, 7>(),
    }
}

/// Stores the sums of tile `A` of a turn's rows: with one tile of weights, or with both.
#[inline(always)]
pub(super) fn store<U: Unit, const A: usize>(
    unit: &mut U,
    has_second: bool,
    to: &mut [[[i32; ROWS]; TILE_ROWS]],
) {
    // SAFETY: sums are sixteen rows of 64 bytes.
    unsafe {
        match A {
            0 => unit.store::<0>(to[0].as_mut_ptr()),
            _ => unit.store::<2>(to[0].as_mut_ptr()),
        }
        if has_second {
            match A {
                0 => unit.store::<1>(to[1].as_mut_ptr()),
                _ => unit.store::<3>(to[1].as_mut_ptr()),
            }
        }
    }
}

/// Multiplies all rows.
#[inline(always)]
pub(super) fn run<U: Unit, T: Pass<W, P>, const W: usize, const P: usize>(
    unit: &mut U,
    pass: &T,
    rows: Rows,
    to: &mut Sums,
) {
    assert!(W * ROWS <= OUTPUTS && rows.count <= rows.tiles.len() * TILE_ROWS);
    let outputs = rows.count / P;
    assert!(outputs == 0 || to.outputs.len() >= (outputs - 1) * OUTPUTS + W * ROWS);
    let [mut now, mut before] = to.products.each_mut();
    let mut done = [Done::NOTHING; PAIR];
    let mut tiles = rows.tiles.chunks(PAIR);
    let (mut start, mut left) = (to.outputs.as_mut_ptr(), outputs);
    let mut soon = rows.soon.over(rows.tiles.len().div_ceil(PAIR) * T::ROUNDS);
    loop {
        let tiles = tiles.next().unwrap_or_default();
        for (a, done) in done.iter().enumerate() {
            for part in 0..T::ROUNDS / PAIR {
                let round = a * (T::ROUNDS / PAIR) + part;
                let convert = (done, &*before, part);
                do_round(unit, pass, (tiles, round, &mut *now), (a, convert));
                soon.ask();
            }
        }
        if tiles.is_empty() {
            return;
        }
        for (a, done) in done.iter_mut().enumerate() {
            let outputs = left.min(TILE_ROWS / P);
            *done = Done { tile: tiles.get(a), outputs, start };
            start = start.wrapping_add(outputs * OUTPUTS);
            left -= outputs;
        }
        (now, before) = (before, now);
    }
}

/// A tile of rows whose products are there.
#[derive(Clone, Copy)]
struct Done<'a> {
    tile: Option<&'a RowTile>,
    /// How many outputs its rows have, and where these begin.
    outputs: usize,
    start: *mut f32,
}

impl Done<'_> {
    const NOTHING: Done<'static> = Done { tile: None, outputs: 0, start: std::ptr::null_mut() };
}

/// Does one round of `tiles`, and converts a part of what is done of tile `a` of the turn before.
#[inline(always)]
fn do_round<U: Unit, T: Pass<W, P>, const W: usize, const P: usize>(
    unit: &mut U,
    pass: &T,
    (tiles, round, to): (&[RowTile], usize, &mut Products),
    (a, (done, from, part)): (usize, (&Done, &Products, usize)),
) {
    if let Some(tile) = tiles.first() {
        pass.multiply::<U, 0>(unit, round, tile);
    }
    convert::<T, W, P, 0>(pass, from, (a, done), part);
    if let Some(tile) = tiles.first() {
        pass.multiply::<U, 1>(unit, round, tile);
    }
    convert::<T, W, P, 1>(pass, from, (a, done), part);
    if let Some(tile) = tiles.get(1) {
        pass.multiply::<U, 2>(unit, round, tile);
    }
    convert::<T, W, P, 2>(pass, from, (a, done), part);
    if let Some(tile) = tiles.get(1) {
        pass.multiply::<U, 3>(unit, round, tile);
    }
    convert::<T, W, P, 3>(pass, from, (a, done), part);
    if !tiles.is_empty() {
        pass.end::<U, 0>(unit, round, to);
    }
    if tiles.len() == PAIR {
        pass.end::<U, 1>(unit, round, to);
    }
}

/// Converts the outputs whose turn it is after product `D` of a round.
#[inline(always)]
fn convert<T: Pass<W, P>, const W: usize, const P: usize, const D: usize>(
    pass: &T,
    from: &Products,
    (a, done): (usize, &Done),
    part: usize,
) {
    let Some(tile) = done.tile else { return };
    let of_round = const { TILE_ROWS / P / (T::ROUNDS / PAIR) };
    let first = part * of_round;
    for output in first + D * of_round / DOTS..first + (D + 1) * of_round / DOTS {
        if output < done.outputs {
            let at = (tile, a, output * P);
            // SAFETY: there is room for every output that is done.
            unsafe { convert_one(pass, from, at, done.start.wrapping_add(output * OUTPUTS)) };
        }
    }
}

/// # Safety
/// `outputs` begins those of `W` panels.
#[inline(always)]
unsafe fn convert_one<const W: usize, const P: usize>(
    pass: &impl Pass<W, P>,
    from: &Products,
    at: (&RowTile, usize, usize),
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
        pass.add(from, at, &mut sums);
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
