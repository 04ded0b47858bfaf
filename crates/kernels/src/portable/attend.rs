//! One query head over the keys and values it may see.
//!
//! Keys and values lie in tiles of 64 positions that begin at multiples of 64, whatever the length
//! of a prompt or the size of a batch. Each tile gives its own maximum, sum and weighted values;
//! tiles are merged in ascending order. So a tile may be computed by any thread at any time.
//!
//! ```text
//!   keys of a tile     (dim, 64)        a score is one fused sum over dim, a lane is a position
//!   values of a tile   (64, value_dim)  an output is one fused sum over positions
//! ```

use std::ops::Range;

use super::lanes::{LANES, Lanes};
use super::math::exp;

/// Positions in a tile.
pub const TILE: usize = 64;

/// Largest width of a value head.
pub const VALUE_DIM_MAX: usize = 512;

/// Keys and values of one tile, and the part of it that the query may see.
pub struct Tile<'a> {
    /// `(dim, 64)`
    pub keys: &'a [f32],
    /// `(64, value_dim)`
    pub values: &'a [f32],
    /// Visible positions, counted from the tile's first.
    pub visible: Range<usize>,
}

/// Softmax sums over the positions seen so far; the weighted values are kept beside it.
pub(crate) struct Softmax {
    pub largest: f32,
    pub sum: f32,
}

/// Writes the softmax-weighted mean of the values to `out`. `tiles` come in ascending order and
/// show at least one position. A `sink` is a score without a value.
#[inline(always)]
pub fn attend<'a>(
    q: &[f32],
    (scale, sink): (f32, Option<f32>),
    tiles: impl Iterator<Item = Tile<'a>>,
    out: &mut [f32],
) {
    merge_all(tiles, sink, |tile, out| attend_tile(q, scale, tile, out), out);
}

/// Merges what `attend_tile` gives for each of the tiles, and divides by the sum of all weights.
#[inline(always)]
pub(super) fn merge_all<T>(
    tiles: impl Iterator<Item = T>,
    sink: Option<f32>,
    attend_tile: impl Fn(&T, &mut [f32]) -> Softmax,
    out: &mut [f32],
) {
    let mut seen: Option<Softmax> = None;
    let mut buffer = [0.0; VALUE_DIM_MAX];
    let tile_out = &mut buffer[..out.len()];
    for tile in tiles {
        let new = attend_tile(&tile, tile_out);
        seen = Some(match seen {
            None => {
                out.copy_from_slice(tile_out);
                new
            }
            Some(seen) => merge(&seen, &new, out, tile_out),
        });
    }
    let sum = seen.map_or(1.0, |seen| seen.sum_with(sink));
    for out in out {
        *out /= sum;
    }
}

impl Softmax {
    /// The sum of all weights, with that of the sink.
    #[inline(always)]
    pub fn sum_with(&self, sink: Option<f32>) -> f32 {
        sink.map_or(self.sum, |sink| self.sum + exp(sink - self.largest))
    }
}

#[inline(always)]
fn attend_tile(q: &[f32], scale: f32, tile: &Tile, out: &mut [f32]) -> Softmax {
    let mut weights = scores(q, scale, tile);
    let new = weigh(&mut weights, &tile.visible);
    out.fill(0.0);
    for j in tile.visible.clone() {
        let values = &tile.values[j * out.len()..][..out.len()];
        for (out, value) in out.iter_mut().zip(values) {
            *out = weights[j].mul_add(*value, *out);
        }
    }
    new
}

/// Turns scores into weights, and gives their sums.
#[inline(always)]
pub(super) fn weigh(weights: &mut [f32; TILE], visible: &Range<usize>) -> Softmax {
    let largest = weights[visible.clone()].iter().fold(f32::NEG_INFINITY, |m, s| m.max(*s));
    for (j, weight) in weights.iter_mut().enumerate() {
        *weight = if visible.contains(&j) { exp(*weight - largest) } else { 0.0 };
    }
    Softmax { largest, sum: sum_of(weights) }
}

#[inline(always)]
fn scores(q: &[f32], scale: f32, tile: &Tile) -> [f32; TILE] {
    let mut scores = [0.0; TILE];
    for (q, keys) in q.iter().zip(tile.keys.as_chunks::<TILE>().0) {
        for j in 0..TILE {
            scores[j] = q.mul_add(keys[j], scores[j]);
        }
    }
    for score in &mut scores {
        *score *= scale;
    }
    scores
}

#[inline(always)]
fn sum_of(weights: &[f32; TILE]) -> f32 {
    let mut sums = Lanes::ZERO;
    for weights in weights.as_chunks::<LANES>().0 {
        for (sum, weight) in sums.0.iter_mut().zip(weights) {
            *sum += weight;
        }
    }
    sums.total()
}

/// Brings two sums to their common maximum and adds them.
#[inline(always)]
pub(crate) fn merge(seen: &Softmax, new: &Softmax, out: &mut [f32], new_out: &[f32]) -> Softmax {
    let largest = seen.largest.max(new.largest);
    let (keep, take) = (exp(seen.largest - largest), exp(new.largest - largest));
    for (out, new) in out.iter_mut().zip(new_out) {
        *out = out.mul_add(keep, new * take);
    }
    Softmax { largest, sum: seen.sum.mul_add(keep, new.sum * take) }
}
