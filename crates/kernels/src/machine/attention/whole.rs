//! Bundles whose queries, keys and values are whole numbers.

use std::ops::Range;

use super::bundle::{Job, Next, Own};
#[cfg(target_arch = "x86_64")]
use super::tiled::Tiles;
use crate::Isa;
use crate::attention::{Ahead, Kept, WholeKeys, WholeMixed, WholeValues};
use crate::isa::per_isa;
use crate::portable::attend::TILE;
use crate::portable::whole::{self, PAIRS, Pair, Tile, key_top};
use crate::room::{make_room, room};

per_isa!(round = round_portable; (x: &[f32], top: f32, levels: &mut [i16], scale: &mut f32));
per_isa!(round_weights = round_weights_portable;
    (weights: &[f32], scales: &[f32], to: &mut [Pair], to_scales: &mut [f32]));

/// Rounds a query, a key or a value.
#[inline(always)]
fn round_portable(x: &[f32], top: f32, levels: &mut [i16], scale: &mut f32) {
    *scale = whole::round(x, top, levels);
}

/// Rounds the weights of many queries over one tile.
#[inline(always)]
fn round_weights_portable(weights: &[f32], scales: &[f32], to: &mut [Pair], to_scales: &mut [f32]) {
    let rows = weights.as_chunks::<TILE>().0.iter().zip(to.as_chunks_mut::<PAIRS>().0);
    for ((weights, to), scale) in rows.zip(to_scales) {
        *scale = whole::round_weights(weights, scales, to);
    }
}

/// Rounds a query, a key or a value, and gives its scale.
pub(super) fn rounded(isa: Isa, (x, top): (&[f32], f32), levels: &mut [i16]) -> f32 {
    let mut scale = 0.0;
    round(isa, x, top, levels, &mut scale);
    scale
}

/// What a thread has for bundles of whole numbers.
#[derive(Default)]
pub(super) struct Whole {
    /// The bundle's queries, `⌈dim / 2⌉` each, and a factor of the scores of each.
    queries: Vec<Pair>,
    pub factors: Vec<f32>,
    // Of the queries that see the tile in hand.
    weights: Vec<Pair>,
    pub scales: Vec<f32>,
    #[cfg(target_arch = "x86_64")]
    pub tiles: Tiles,
}

impl Whole {
    /// Room for so many queries.
    pub fn make_room(&mut self, queries: usize, (dim, width): (usize, usize), isa: Isa) {
        #[cfg(target_arch = "x86_64")]
        self.tiles.make_room(isa, queries, (dim, width));
        #[cfg(not(target_arch = "x86_64"))]
        let _ = (width, isa);
        make_room(&mut self.queries, queries * dim.div_ceil(2));
        make_room(&mut self.factors, queries);
        make_room(&mut self.weights, queries * PAIRS);
        make_room(&mut self.scales, queries);
    }

    /// Bytes of it.
    pub fn bytes(&self) -> u64 {
        #[cfg(target_arch = "x86_64")]
        let tiles = self.tiles.bytes();
        #[cfg(not(target_arch = "x86_64"))]
        let tiles = 0;
        let of_queries = room(&self.queries) + room(&self.factors);
        of_queries + room(&self.weights) + room(&self.scales) + tiles
    }

    /// Rounds the queries of a bundle, of which so many read the same key head.
    pub fn fill(
        &mut self,
        isa: Isa,
        (queries, of_head): (&[f32], usize),
        (dim, scale): (usize, f32),
    ) {
        let (n, pairs) = (queries.len() / dim, dim.div_ceil(2));
        self.queries.resize(n * pairs, [0; 2]);
        self.factors.resize(n, 0.0);
        let levels = self.queries.chunks_exact_mut(pairs).zip(&mut self.factors);
        for (x, (levels, factor)) in queries.chunks_exact(dim).zip(levels) {
            *factor = rounded(isa, (x, key_top(dim)), levels.as_flattened_mut()) * scale;
        }
        #[cfg(target_arch = "x86_64")]
        self.tiles.take_queries(isa, (self.queries.as_flattened(), of_head), 2 * pairs);
        #[cfg(not(target_arch = "x86_64"))]
        let _ = of_head;
    }
}

impl Job<'_> {
    /// Scores of the queries that see a tile, of which the first is `query`.
    pub fn score_whole(&self, tile: &Tile, query: usize, own: &mut Own) {
        let (pairs, n) = (self.of.heads.dim.div_ceil(2), own.visible.len());
        let together = self.kernels.together(n);
        assert_eq!((tile.keys.len(), tile.key_scales.len()), (pairs * TILE, TILE));
        #[cfg(target_arch = "x86_64")]
        if self.by_tiles(n) {
            return self.score_by_tiles(tile, query, own);
        }
        let queries = own.whole.queries[query * pairs..][..n * pairs].chunks(together * pairs);
        let factors = own.whole.factors[query..][..n].chunks(together);
        let scores = own.scores.chunks_mut(together * TILE);
        let next = Some((tile.values.as_ptr().cast(), Kept::I16));
        for (i, ((queries, factors), scores)) in queries.zip(factors).zip(scores).enumerate() {
            let ahead = Ahead::part(next, (i, n.div_ceil(together)), (pairs, TILE));
            let (start, scales) = (tile.keys.as_ptr(), tile.key_scales.as_ptr());
            let keys = &WholeKeys { start, pairs, scales, ahead };
            let queries = (queries.as_ptr(), factors.as_ptr());
            // SAFETY: the slices have as many queries and scores as this kernel takes.
            unsafe { self.kernels.whole_scores(factors.len())(keys, queries, scores.as_mut_ptr()) };
        }
    }

    /// Rounds the weights of the queries that see a tile, and merges its values into their states.
    pub fn mix_whole(&self, tile: &Tile, states: Range<usize>, next: Next, own: &mut Own) {
        let (n, width) = (states.len(), self.width());
        let whole = &mut own.whole;
        whole.scales.resize(n, 0.0);
        assert_eq!((tile.values.len(), tile.value_scales.len()), (PAIRS * width, TILE));
        #[cfg(target_arch = "x86_64")]
        if self.by_tiles(n) {
            return self.mix_by_tiles(tile, (states, next), own);
        }
        let scores = &own.scores[..n * TILE];
        whole.weights.resize(n * PAIRS, [0; 2]);
        round_weights(self.isa, scores, tile.value_scales, &mut whole.weights, &mut whole.scales);
        let together = self.kernels.together(n);
        for (i, first) in (0..n).step_by(together).enumerate() {
            let ahead = Ahead::part(next, (i, n.div_ceil(together)), (PAIRS, width));
            let values = &WholeValues { start: tile.values.as_ptr(), width, ahead };
            let these = first..n.min(first + together);
            let mixed = &WholeMixed {
                weights: whole.weights[first * PAIRS..].as_ptr(),
                scales: whole.scales[these.clone()].as_ptr(),
                keep: own.sums.keep[these.clone()].as_ptr(),
                take: own.sums.take[these.clone()].as_ptr(),
                out: own.states.out(states.start + first..states.start + these.end).as_mut_ptr(),
            };
            // SAFETY: the slices have as many queries as this kernel takes; the values have the
            // rows of a tile.
            unsafe { self.kernels.whole_mix(these.len())(values, mixed) };
        }
    }
}
