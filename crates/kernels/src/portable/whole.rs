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

use super::attend::{Softmax, TILE, VALUE_DIM_MAX, merge, sum_of};
use super::math::{WHOLE, exp};

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

/// The scale of numbers of which the largest has this magnitude, and by what they are multiplied:
/// by 0 if that is 0, or so small that the inverse of its scale is not a number, or none itself.
#[inline(always)]
pub fn scale(largest: f32, top: f32) -> (f32, f32) {
    let scale = largest / top;
    let inverse = 1.0 / scale;
    if inverse.is_finite() {
        return (scale, inverse);
    }
    (if scale.is_nan() { scale } else { 0.0 }, 0.0)
}

/// Rounds numbers to levels of at most `top`, the magnitude of the largest, and gives their scale.
/// Levels that are left over become zero.
#[inline(always)]
pub fn round(x: &[f32], top: f32, levels: &mut [i16]) -> f32 {
    assert!(x.len() <= levels.len());
    // Magnitudes in the order of their bits: a NaN is above all numbers, and must not be lost.
    let largest = x.iter().fold(0, |m, x| x.abs().to_bits().max(m));
    let (scale, inverse) = scale(f32::from_bits(largest), top);
    for (level, x) in levels.iter_mut().zip(x) {
        // The last bits of this sum are those of the whole number, in two's complement.
        *level = (x * inverse + WHOLE).to_bits() as i16;
    }
    levels[x.len()..].fill(0);
    scale
}

/// Rounds the weights of a tile, each times the scale of its values. What weighs nothing stays
/// nothing, whatever its scale.
#[inline(always)]
pub fn round_weights(weights: &[f32; TILE], scales: &[f32], to: &mut [Pair; TILE / 2]) -> f32 {
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
    let mut seen: Option<Softmax> = None;
    let mut buffer = [0.0; VALUE_DIM_MAX];
    let tile_out = &mut buffer[..out.len()];
    for tile in tiles {
        let new = attend_tile(query, &tile, tile_out);
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

#[inline(always)]
fn attend_tile(query: &Query, tile: &Tile, out: &mut [f32]) -> Softmax {
    let mut weights = scores(query, tile);
    let largest = weights[tile.visible.clone()].iter().fold(f32::NEG_INFINITY, |m, s| m.max(*s));
    for (j, weight) in weights.iter_mut().enumerate() {
        *weight = if tile.visible.contains(&j) { exp(*weight - largest) } else { 0.0 };
    }
    let mut levels = [[0; 2]; TILE / 2];
    let scale = round_weights(&weights, tile.value_scales, &mut levels);
    let width = tile.values.len() / levels.len();
    for (c, out) in out.iter_mut().enumerate() {
        let values = tile.values.iter().skip(c).step_by(width);
        let sum: i32 =
            levels.iter().zip(values).map(|(level, value)| product(*level, *value)).sum();
        *out = sum as f32 * scale;
    }
    Softmax { largest, sum: sum_of(&weights) }
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
        let mut levels = [[0; 2]; TILE / 2];
        assert_eq!(round_weights(&weights, &scales, &mut levels), 1.0);
        assert_eq!(levels[1], [0, 8191]);
        assert!(levels.iter().enumerate().all(|(i, pair)| i == 1 || *pair == [0; 2]));
    }
}
