//! The indexer of sparse attention: small heads score every position, and a row then attends to the
//! best of them alone.

use super::attend::TILE;

/// Scores of a tile's positions: of each head the sum over its width, cut off below zero, times the
/// row's weight of the head. `keys` is `(dim, 64)`.
#[inline(always)]
pub fn score((query, weights): (&[f32], &[f32]), keys: &[f32], scale: f32, out: &mut [f32; TILE]) {
    let dim = query.len() / weights.len();
    *out = [0.0; TILE];
    for (query, weight) in query.chunks_exact(dim).zip(weights) {
        let mut scores = [0.0; TILE];
        for (q, keys) in query.iter().zip(keys.as_chunks::<TILE>().0) {
            for j in 0..TILE {
                scores[j] = q.mul_add(keys[j], scores[j]);
            }
        }
        for j in 0..TILE {
            let score = scores[j] * scale;
            out[j] = weight.mul_add(if score > 0.0 { score } else { 0.0 }, out[j]);
        }
    }
}

/// Puts the positions of the largest scores in `out`, ascending; of equal scores the first.
pub fn choose(scores: &[f32], order: &mut Vec<u32>, out: &mut [u32]) {
    order.clear();
    // Room for the rest of a tile comes with its first position.
    order.reserve(scores.len().next_multiple_of(TILE));
    order.extend(0..scores.len() as u32);
    if out.len() < order.len() {
        let better =
            |a: &u32, b: &u32| scores[*b as usize].total_cmp(&scores[*a as usize]).then(a.cmp(b));
        order.select_nth_unstable_by(out.len(), better);
        order.truncate(out.len());
        order.sort_unstable();
    }
    out.copy_from_slice(order);
}
