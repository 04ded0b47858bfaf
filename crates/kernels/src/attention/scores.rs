//! Scores of a few queries at all positions of a tile.

use super::numbers::at;
use super::{Ahead, add_products};
use crate::portable::attend::TILE;
use crate::simd::{LANES, Simd};

/// The keys of a tile.
pub(crate) struct Keys {
    /// `(dim, 64)`
    pub start: *const u8,
    pub dim: usize,
    /// Factor of the scores.
    pub scale: f32,
    pub ahead: Ahead,
}

/// Writes the scores of `Q` queries, `V` vectors of positions at a time.
///
/// # Safety
/// The keys may be read, `queries` has `Q` rows of `dim` numbers, and `to` room for `Q` of 64.
#[inline(always)]
pub(super) unsafe fn scores<S: Simd, const HALF: bool, const Q: usize, const V: usize>(
    s: S,
    keys: &Keys,
    queries: *const f32,
    to: *mut f32,
) {
    let Keys { start, dim, scale, ahead } = *keys;
    let mut first = 0;
    while first < TILE {
        let mut sums = [[s.splat_f32(0.0); V]; Q];
        // SAFETY: the caller's promise.
        unsafe {
            for d in 0..ahead.steps {
                ahead.ask::<V>(first, d);
                let keys = at::<HALF>(start, d * TILE + first);
                add_products::<S, HALF, Q, V>(s, &mut sums, keys, (queries.add(d), dim));
            }
            for d in ahead.steps..dim {
                let keys = at::<HALF>(start, d * TILE + first);
                add_products::<S, HALF, Q, V>(s, &mut sums, keys, (queries.add(d), dim));
            }
            for (q, sums) in sums.into_iter().enumerate() {
                for (v, sum) in sums.into_iter().enumerate() {
                    let score = s.mul(sum, s.splat_f32(scale));
                    s.store_f32(to.add(q * TILE + first + v * LANES), score);
                }
            }
        }
        first += V * LANES;
    }
}
