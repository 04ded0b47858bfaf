//! From the scores of a tile to weights and their sum.

use crate::portable::attend::TILE;
use crate::simd::{LANES, Simd, exp};

const VECTORS: usize = TILE / LANES;

/// Turns the scores of `n` queries into weights, where they stand; `largest` gets the largest score
/// of each, `sums` the sum of its weights. A position that is not seen has a score of −∞, which
/// weighs nothing.
///
/// # Safety
/// `scores` has `n` rows of 64, `largest` and `sums` have room for `n` numbers.
#[inline(always)]
pub(super) unsafe fn weigh<S: Simd>(
    s: S,
    scores: *mut f32,
    n: usize,
    (largest, sums): (*mut f32, *mut f32),
) {
    for i in 0..n {
        // SAFETY: the caller's promise.
        unsafe {
            let scores = scores.add(i * TILE);
            let mut vectors = [s.splat_f32(0.0); VECTORS];
            let mut most = s.splat_f32(f32::NEG_INFINITY);
            for (v, vector) in vectors.iter_mut().enumerate() {
                *vector = s.load_f32(scores.add(v * LANES));
                // In this order a score that is NaN is not the largest.
                most = s.greater(*vector, most);
            }
            let most = s.largest(most);
            let mut sum = s.splat_f32(0.0);
            for (v, vector) in vectors.into_iter().enumerate() {
                let weight = exp(s, s.sub(vector, most));
                s.store_f32(scores.add(v * LANES), weight);
                sum = s.add(sum, weight);
            }
            *largest.add(i) = s.first(most);
            *sums.add(i) = s.first(s.total(sum));
        }
    }
}
