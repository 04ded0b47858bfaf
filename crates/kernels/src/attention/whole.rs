//! Scores and values of a few queries where all of them are whole numbers: `portable::whole`.

use super::Ahead;
use crate::portable::attend::TILE;
use crate::portable::whole::{PAIRS, Pair};
use crate::simd::{LANES, Simd};

/// The keys of a tile.
pub(crate) struct WholeKeys {
    /// `(pairs, 64)`
    pub start: *const Pair,
    pub pairs: usize,
    /// Of each position.
    pub scales: *const f32,
    pub ahead: Ahead,
}

/// The values of a tile.
pub(crate) struct WholeValues {
    /// `(32, width)`
    pub start: *const Pair,
    /// A multiple of 16.
    pub width: usize,
    pub ahead: Ahead,
}

/// A few queries, what they give the values of a tile, and where their outputs stand.
pub(crate) struct WholeMixed {
    /// `(Q, 32)`
    pub weights: *const Pair,
    /// Scale of the weights of each query.
    pub scales: *const f32,
    /// Factors of what there is, for each query.
    pub keep: *const f32,
    /// Factors of what the tile adds, for each query.
    pub take: *const f32,
    /// `(Q, width)`
    pub out: *mut f32,
}

/// Writes the scores of `Q` queries, `V` vectors of positions at a time.
///
/// # Safety
/// The keys may be read, `queries` has `Q` rows of pairs and as many factors, and `to` room for
/// `Q` of 64.
#[inline(always)]
pub(super) unsafe fn scores<S: Simd, const Q: usize, const V: usize>(
    s: S,
    keys: &WholeKeys,
    (queries, factors): (*const Pair, *const f32),
    to: *mut f32,
) {
    let WholeKeys { start, pairs, scales, ahead } = *keys;
    for first in (0..TILE).step_by(V * LANES) {
        let mut sums = [[s.splat(0); V]; Q];
        // SAFETY: the caller's promise.
        unsafe {
            for d in 0..ahead.steps {
                ahead.ask::<V>(first, d);
                add_pairs(s, &mut sums, start.add(d * TILE + first), (queries.add(d), pairs));
            }
            for d in ahead.steps..pairs {
                add_pairs(s, &mut sums, start.add(d * TILE + first), (queries.add(d), pairs));
            }
            for (q, sums) in sums.into_iter().enumerate() {
                let factor = s.splat_f32(*factors.add(q));
                for (v, sum) in sums.into_iter().enumerate() {
                    let position = first + v * LANES;
                    let factor = s.mul(factor, s.load_f32(scales.add(position)));
                    let score = s.mul(s.to_f32(sum), factor);
                    s.store_f32(to.add(q * TILE + position), score);
                }
            }
        }
    }
}

/// Merges the weighted values into the outputs, `V` vectors of columns at a time.
///
/// # Safety
/// Everything has the shape that it says.
#[inline(always)]
pub(super) unsafe fn mix<S: Simd, const Q: usize, const V: usize>(
    s: S,
    values: &WholeValues,
    of: &WholeMixed,
) {
    let mut column = 0;
    // SAFETY: the columns lie within the width.
    unsafe {
        while column + V * LANES <= values.width {
            mix_columns::<S, Q, V>(s, values, of, column);
            column += V * LANES;
        }
        while column < values.width {
            mix_columns::<S, Q, 1>(s, values, of, column);
            column += LANES;
        }
    }
}

/// # Safety
/// That of `mix`, and `V` vectors from the column lie within the width.
#[inline(always)]
unsafe fn mix_columns<S: Simd, const Q: usize, const V: usize>(
    s: S,
    &WholeValues { start, width, ahead }: &WholeValues,
    of: &WholeMixed,
    column: usize,
) {
    let mut sums = [[s.splat(0); V]; Q];
    // SAFETY: the caller's promise.
    unsafe {
        for j in 0..ahead.steps {
            ahead.ask::<V>(column, j);
            add_pairs(s, &mut sums, start.add(j * width + column), (of.weights.add(j), PAIRS));
        }
        for j in ahead.steps..PAIRS {
            add_pairs(s, &mut sums, start.add(j * width + column), (of.weights.add(j), PAIRS));
        }
        for (q, sums) in sums.into_iter().enumerate() {
            let scale = s.splat_f32(*of.scales.add(q));
            let keep = s.splat_f32(*of.keep.add(q));
            let take = s.splat_f32(*of.take.add(q));
            for (v, sum) in sums.into_iter().enumerate() {
                let out = of.out.add(q * width + column + v * LANES);
                let new = s.mul(s.mul(s.to_f32(sum), scale), take);
                s.store_f32(out, s.fma(s.load_f32(out), keep, new));
            }
        }
    }
}

/// Adds to the sums of `Q` queries the products of their pairs, `stride` apart, with the `V`
/// vectors at `row`.
///
/// # Safety
/// All of them may be read.
#[inline(always)]
unsafe fn add_pairs<S: Simd, const Q: usize, const V: usize>(
    s: S,
    sums: &mut [[S::I; V]; Q],
    row: *const Pair,
    (pairs, stride): (*const Pair, usize),
) {
    let mut vectors = [s.splat(0); V];
    for (v, vector) in vectors.iter_mut().enumerate() {
        // SAFETY: the caller's promise.
        *vector = unsafe { s.load(row.add(v * LANES).cast()) };
    }
    for (q, sums) in sums.iter_mut().enumerate() {
        // SAFETY: the caller's promise.
        let pair = s.splat(unsafe { pairs.add(q * stride).cast::<i32>().read_unaligned() });
        for (sum, vector) in sums.iter_mut().zip(vectors) {
            *sum = s.dot_pairs(*sum, vector, pair);
        }
    }
}
