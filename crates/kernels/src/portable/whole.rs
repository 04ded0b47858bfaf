//! Attention by whole numbers: what canon 2 does instead of `attend`.
//!
//! Queries, keys, values and weights are *levels*, whole numbers with a scale for each head of a
//! row. Sums of their products are exact, so no order matters. Tiles and their merging are those
//! of `attend`.
//!
//! ```text
//!   keys of a tile     (⌈dim / 2⌉, 64)     a pair is two numbers of the key of one position
//!   values of a tile   (32, width)         a pair is one number of the values of two positions
//! ```

use std::ops::Range;

use super::attend::{Softmax, TILE, merge_all, weigh};
use super::round::{largest, nearest, scale};

/// The largest level of values.
pub const VALUE_TOP: f32 = 4095.0;

/// The largest level of weights.
pub const WEIGHT_TOP: f32 = 8191.0;

/// Largest width of a head: no sum of so many products leaves the range of an i32.
pub const DIM_MAX: usize = 512;

/// The largest level of queries and keys of this width.
pub const fn key_top(dim: usize) -> f32 {
    match dim {
        ..=128 => 4095.0,
        _ => 2047.0,
    }
}

/// Pairs of positions in a tile.
pub const PAIRS: usize = TILE / 2;

/// Two levels that stand in one place of a page.
pub type Pair = [i16; 2];

#[inline(always)]
fn product(a: Pair, b: Pair) -> i32 {
    // Places that nobody has written hold anything; their sums are not seen.
    (i32::from(a[0]) * i32::from(b[0])).wrapping_add(i32::from(a[1]) * i32::from(b[1]))
}

/// Keys and values of one tile, and the part of it that the query may see.
pub struct Tile<'a> {
    /// `(⌈dim / 2⌉, 64)`
    pub keys: &'a [Pair],
    /// Of each position.
    pub key_scales: &'a [f32],
    /// `(32, width)`
    pub values: &'a [Pair],
    /// Of each position.
    pub value_scales: &'a [f32],
    /// Visible positions, counted from the tile's first.
    pub visible: Range<usize>,
}

/// A query: its levels, and the product of its scale with the factor of scores.
pub struct Query<'a> {
    /// `⌈dim / 2⌉`
    pub levels: &'a [Pair],
    /// A factor of its scores.
    pub factor: f32,
}

/// Rounds numbers to levels of at most `top`, the magnitude of the largest, and gives their scale.
/// Levels that are left over become zero.
#[inline(always)]
pub fn round(x: &[f32], top: f32, levels: &mut [i16]) -> f32 {
    assert!(x.len() <= levels.len());
    let (scale, inverse) = scale(largest(x), top);
    if inverse == 0.0 {
        levels.fill(0);
        return scale;
    }
    for (level, x) in levels.iter_mut().zip(x) {
        *level = nearest(x * inverse);
    }
    levels[x.len()..].fill(0);
    scale
}

/// Rounds the weights of a tile, each times the scale of its values. What weighs nothing stays
/// nothing, whatever its scale.
#[inline(always)]
pub fn round_weights(weights: &[f32; TILE], scales: &[f32], to: &mut [Pair; PAIRS]) -> f32 {
    let mut scaled = [0.0; TILE];
    for ((scaled, weight), scale) in scaled.iter_mut().zip(weights).zip(scales) {
        *scaled = if *weight == 0.0 { 0.0 } else { weight * scale };
    }
    round(&scaled, WEIGHT_TOP, to.as_flattened_mut())
}

/// Writes the softmax-weighted mean of the values to `out`. `tiles` come in ascending order and
/// show at least one position. A `sink` is a score without a value.
#[inline(always)]
pub fn attend<'a>(
    query: &Query,
    sink: Option<f32>,
    tiles: impl Iterator<Item = Tile<'a>>,
    out: &mut [f32],
) {
    merge_all(tiles, sink, |tile, out| attend_tile(query, tile, out), out);
}

#[inline(always)]
fn attend_tile(query: &Query, tile: &Tile, out: &mut [f32]) -> Softmax {
    let mut weights = scores(query, tile);
    let new = weigh(&mut weights, &tile.visible);
    let mut levels = [[0; 2]; PAIRS];
    let scale = round_weights(&weights, tile.value_scales, &mut levels);
    let width = tile.values.len() / levels.len();
    for (c, out) in out.iter_mut().enumerate() {
        let values = tile.values.iter().skip(c).step_by(width);
        let sum: i32 =
            levels.iter().zip(values).map(|(level, value)| product(*level, *value)).sum();
        *out = sum as f32 * scale;
    }
    new
}

#[inline(always)]
fn scores(query: &Query, tile: &Tile) -> [f32; TILE] {
    let mut sums = [0_i32; TILE];
    for (query, keys) in query.levels.iter().zip(tile.keys.chunks_exact(TILE)) {
        for (sum, key) in sums.iter_mut().zip(keys) {
            *sum = sum.wrapping_add(product(*query, *key));
        }
    }
    std::array::from_fn(|j| sums[j] as f32 * (query.factor * tile.key_scales[j]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_sums_are_exact() {
        let fits = |a, b, len| a as i64 * b as i64 * len as i64 <= i64::from(i32::MAX);
        for dim in [1, 128, 129, DIM_MAX] {
            assert!(fits(key_top(dim), key_top(dim), dim), "{dim}");
        }
        assert!(fits(VALUE_TOP, WEIGHT_TOP, TILE));
        let halves = |top: f32| (top as i64 >> 6, -top as i64 >> 6);
        for top in [key_top(1), VALUE_TOP, WEIGHT_TOP] {
            assert!(i8::try_from(halves(top).0).is_ok(), "two bytes of {top}");
            assert!(top == WEIGHT_TOP || i8::try_from(halves(top).1).is_ok(), "of -{top}");
        }
    }

    #[test]
    fn levels_are_the_nearest() {
        let mut levels = [7; 4];
        assert_eq!(round(&[-2047.0, 1.5, 2.5], 2047.0, &mut levels), 1.0);
        assert_eq!(levels, [-2047, 2, 2, 0]);
        assert_eq!(round(&[0.0, -0.0, 0.0], VALUE_TOP, &mut levels), 0.0);
        assert_eq!(levels, [0; 4]);
        assert_eq!(round(&[1e-38; 4], VALUE_TOP, &mut levels), 0.0, "its inverse overflows");
        assert!(round(&[1.0, f32::NAN, 0.0], VALUE_TOP, &mut levels).is_nan());
        assert_eq!(round(&[1.0, f32::NEG_INFINITY], VALUE_TOP, &mut levels), f32::INFINITY);
        assert_eq!(levels, [0; 4], "an infinity has no levels");
    }

    #[test]
    fn what_weighs_nothing_stays_nothing() {
        let (mut weights, mut scales) = ([0.0; TILE], [f32::NAN; TILE]);
        (weights[3], scales[3]) = (1.0, 8191.0);
        let mut levels = [[0; 2]; PAIRS];
        assert_eq!(round_weights(&weights, &scales, &mut levels), 1.0);
        assert_eq!(levels[1], [0, 8191]);
        assert!(levels.iter().enumerate().all(|(i, pair)| i == 1 || *pair == [0; 2]));
    }
}
