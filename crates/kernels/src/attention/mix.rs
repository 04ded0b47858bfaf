//! Values of a tile, weighted for a few queries and merged with those of the tiles before.

use std::ops::Range;

use super::numbers::at;
use super::{Ahead, add_products};
use crate::portable::attend::TILE;
use crate::simd::{LANES, Simd};

/// The values of a tile.
pub(crate) struct Values {
    /// `(64, width)`
    pub start: *const u8,
    /// A multiple of 16.
    pub width: usize,
    pub ahead: Ahead,
}

/// A few queries, what they see of the tile, and where their outputs stand.
pub(crate) struct Mixed {
    /// `(Q, 64)`
    pub weights: *const f32,
    /// Positions that each query sees, counted from the tile's first.
    pub visible: *const Range<usize>,
    /// Factors of what there is, for each query.
    pub keep: *const f32,
    /// Factors of what the tile adds, for each query.
    pub take: *const f32,
    /// `(Q, width)`
    pub out: *mut f32,
}

/// Merges the weighted values into the outputs, `V` vectors of columns at a time.
///
/// # Safety
/// Everything has the shape that it says. Values need to be there only where they are seen.
#[inline(always)]
pub(super) unsafe fn mix<S: Simd, const HALF: bool, const Q: usize, const V: usize>(
    s: S,
    values: &Values,
    of: &Mixed,
) {
    // SAFETY: the caller's promise.
    let visible = unsafe { std::slice::from_raw_parts(of.visible, Q) };
    let begin = visible.iter().map(|visible| visible.start).max().unwrap_or(0);
    let end = visible.iter().map(|visible| visible.end).min().unwrap_or(0);
    let slice = Slice::<S, HALF> { s, values, of, visible, common: begin..end.max(begin) };
    let mut column = 0;
    while column + V * LANES <= values.width {
        // SAFETY: the columns lie within the width.
        unsafe { slice.mix::<Q, V>(column) };
        column += V * LANES;
    }
    while column < values.width {
        // SAFETY: as above.
        unsafe { slice.mix::<Q, 1>(column) };
        column += LANES;
    }
}

struct Slice<'a, S, const HALF: bool> {
    s: S,
    values: &'a Values,
    of: &'a Mixed,
    visible: &'a [Range<usize>],
    /// What all of the queries see.
    common: Range<usize>,
}

impl<S: Simd, const HALF: bool> Slice<'_, S, HALF> {
    /// The `V` vectors from `column`. Each query takes all that it sees in ascending order, and
    /// nothing else: not even zero times a value, which may be NaN and may change the sign of zero.
    ///
    /// # Safety
    /// The columns lie within the width; for the rest, see the function `mix`.
    #[inline(always)]
    unsafe fn mix<const Q: usize, const V: usize>(&self, column: usize) {
        let (s, common, ahead) = (self.s, &self.common, self.values.ahead);
        let mut sums = [[s.splat_f32(0.0); V]; Q];
        // SAFETY: the caller promises the columns, the visible ranges lie within the tile.
        unsafe {
            for (q, (sums, visible)) in sums.iter_mut().zip(self.visible).enumerate() {
                let before = visible.start..visible.end.min(common.start);
                self.add_alone(sums, q, before, column);
            }
            let asking = common.end.min(common.start + ahead.steps);
            for j in common.start..asking {
                ahead.ask::<V>(column, j - common.start);
                self.add_all(&mut sums, j, column);
            }
            for j in asking..common.end {
                self.add_all(&mut sums, j, column);
            }
            for (q, (sums, visible)) in sums.iter_mut().zip(self.visible).enumerate() {
                self.add_alone(sums, q, common.end..visible.end, column);
                self.merge(sums, q, column);
            }
        }
    }

    #[inline(always)]
    fn row(&self, position: usize, column: usize) -> *const u8 {
        at::<HALF>(self.values.start, position * self.values.width + column)
    }

    /// Adds a position that all queries see.
    ///
    /// # Safety
    /// They do, and `V` vectors from the column lie within the width.
    #[inline(always)]
    unsafe fn add_all<const Q: usize, const V: usize>(
        &self,
        sums: &mut [[S::F; V]; Q],
        position: usize,
        column: usize,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            let weights = (self.of.weights.add(position), TILE);
            add_products::<S, HALF, Q, V>(self.s, sums, self.row(position, column), weights);
        }
    }

    /// Adds positions that only query `q` sees.
    ///
    /// # Safety
    /// It does see them, and `V` vectors from the column lie within the width.
    #[inline(always)]
    unsafe fn add_alone<const V: usize>(
        &self,
        sums: &mut [S::F; V],
        q: usize,
        positions: Range<usize>,
        column: usize,
    ) {
        let mut alone = [*sums];
        for j in positions {
            // SAFETY: the caller's promise.
            unsafe {
                let weight = self.of.weights.add(q * TILE + j);
                let row = self.row(j, column);
                add_products::<S, HALF, 1, V>(self.s, &mut alone, row, (weight, 0));
            }
        }
        [*sums] = alone;
    }

    /// Brings what there is and what the tile adds to their common maximum.
    ///
    /// # Safety
    /// `V` vectors from the column lie within the width.
    #[inline(always)]
    unsafe fn merge<const V: usize>(&self, sums: &[S::F; V], q: usize, column: usize) {
        let s = self.s;
        // SAFETY: the caller's promise.
        unsafe {
            let keep = s.splat_f32(*self.of.keep.add(q));
            let take = s.splat_f32(*self.of.take.add(q));
            for (v, sum) in sums.iter().enumerate() {
                let out = self.of.out.add(q * self.values.width + column + v * LANES);
                s.store_f32(out, s.fma(s.load_f32(out), keep, s.mul(*sum, take)));
            }
        }
    }
}
