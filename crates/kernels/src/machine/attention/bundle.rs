//! A bundle of queries over the tiles that they see: rows that follow each other in one sequence,
//! with all query heads that read some key heads.
//!
//! ```text
//!   queries and states   key head 0: row 0: its query heads | row 1: …   key head 1: row 0: …
//! ```
//!
//! So the queries that see a tile stand side by side, and a tile is in the cache for all of them.

use std::ops::Range;

use super::super::shared::Shared;
use super::Attention;
use crate::Isa;
use crate::attention::{self, Ahead, Kernels, Keys, Mixed, States, Tiles, Values};
use crate::portable::attend::TILE;
use crate::room::{make_room, room};
use crate::simd::LANES;

/// One call of attention, as all threads see it.
pub(super) struct Job<'a> {
    pub isa: Isa,
    pub kernels: Kernels,
    /// `(n, queries · dim)`
    pub q: &'a [f32],
    pub of: &'a Attention<'a>,
    pub out: Shared<'a>,
}

/// What a thread has for itself.
#[derive(Default)]
pub(super) struct Own {
    pub states: States,
    /// The bundle's queries, in the order of their states.
    queries: Vec<f32>,
    // Of the queries that see the tile in hand: their scores, then weights, what they see, sums.
    scores: Vec<f32>,
    visible: Vec<Range<usize>>,
    sums: Tiles,
    /// Values of a tile, where their rows have to be filled up.
    values: Vec<f32>,
    pub together: Together,
}

/// Keys and values of tiles that had to be put together.
pub(super) type Together = (Vec<f32>, Vec<f32>);

/// Rows of one sequence whose positions follow each other, and key heads.
pub(super) struct Bundle {
    pub rows: Range<usize>,
    pub heads: Range<usize>,
}

/// The tile of a bundle that is in hand.
#[derive(Clone, Copy)]
struct InHand {
    tile: usize,
    /// Number of the bundle's first state.
    state: usize,
    /// Keys that will be read after it.
    next: Option<*const f32>,
}

impl Job<'_> {
    /// Numbers in an output, filled up to whole vectors.
    pub fn width(&self) -> usize {
        self.of.heads.value_dim.next_multiple_of(LANES)
    }

    /// Number of queries in a bundle.
    pub fn queries(&self, bundle: &Bundle) -> usize {
        bundle.rows.len() * bundle.heads.len() * self.of.heads.sharing()
    }

    /// The tiles that the rows of a bundle see.
    pub fn tiles(&self, bundle: &Bundle) -> Range<usize> {
        self.of.tiles(bundle.rows.start).start..self.of.tiles(bundle.rows.end - 1).end
    }

    /// Merges tiles into the states of a bundle, of which `state` gives the first for a tile.
    pub fn see_all(
        &self,
        bundle: &Bundle,
        tiles: Range<usize>,
        state: impl Fn(usize) -> usize,
        own: &mut Own,
    ) {
        self.gather(bundle, own);
        for tile in tiles.clone() {
            let keys = |tile| self.of.tile(bundle.rows.start, tile, bundle.heads.start).0.as_ptr();
            let ready = !self.of.is_scattered() && tiles.contains(&(tile + 1));
            let next = ready.then(|| keys(tile + 1));
            self.see(bundle, InHand { tile, state: state(tile), next }, own);
        }
    }

    /// Puts the queries of a bundle side by side.
    fn gather(&self, bundle: &Bundle, own: &mut Own) {
        let (heads, len) = (self.of.heads, self.of.heads.sharing() * self.of.heads.dim);
        own.queries.clear();
        make_room(&mut own.queries, self.queries(bundle) * self.of.heads.dim);
        for head in bundle.heads.clone() {
            for row in bundle.rows.clone() {
                let at = row * heads.queries * heads.dim + head * len;
                own.queries.extend_from_slice(&self.q[at..][..len]);
            }
        }
    }

    /// Merges a tile into the states of the queries that see some of it.
    fn see(&self, bundle: &Bundle, in_hand: InHand, own: &mut Own) {
        let tile = in_hand.tile;
        let sees = |row: &usize| self.of.tiles(*row).contains(&tile);
        let Some(first) = bundle.rows.clone().find(sees) else { return };
        let rows = first..first + (first..bundle.rows.end).take_while(sees).count();
        own.prepare(rows.clone().map(|row| self.of.visible(row, tile)), self.of.heads.sharing());
        for head in bundle.heads.clone() {
            let scattered = self.of.is_scattered();
            let mut together = std::mem::take(&mut own.together);
            let (keys, values) = match scattered {
                true => {
                    let (keys, values) = &mut together;
                    keys.resize(self.of.tile_lens().0, 0.0);
                    values.resize(self.of.tile_lens().1, 0.0);
                    // Rows see more and more of a tile, and with a window less and less.
                    let from = self.of.visible(first, tile).start;
                    let visible = from..self.of.visible(rows.end - 1, tile).end;
                    self.of.put_together((first, tile, head), visible, (keys, values));
                    (&keys[..], &values[..])
                }
                false => self.of.tile(first, tile, head),
            };
            let next = match head + 1 < bundle.heads.end && !scattered {
                true => Some(self.of.tile(first, tile, head + 1).0.as_ptr()),
                false => in_hand.next,
            };
            let row = (head - bundle.heads.start) * bundle.rows.len() + first - bundle.rows.start;
            let query = row * self.of.heads.sharing();
            self.score(keys, query, values.as_ptr(), own);
            let states = in_hand.state + query..in_hand.state + query + own.visible.len();
            own.states.merge_sums(self.isa, states.clone(), &mut own.sums);
            self.mix(values, states, next, own);
            own.together = together;
        }
    }

    /// Weights of the queries that see the tile, of which the first is `query`.
    fn score(&self, keys: &[f32], query: usize, next: *const f32, own: &mut Own) {
        let (dim, scale, n) = (self.of.heads.dim, self.of.scale, own.visible.len());
        let together = self.kernels.together(n);
        assert_eq!(keys.len(), dim * TILE);
        let queries = own.queries[query * dim..][..n * dim].chunks(together * dim);
        let scores = own.scores.chunks_mut(together * TILE);
        for (i, (queries, scores)) in queries.zip(scores).enumerate() {
            let ahead = Ahead::part(Some(next), (i, n.div_ceil(together)), (dim, TILE));
            let keys = &Keys { start: keys.as_ptr(), dim, scale, ahead };
            let kernel = self.kernels.scores[scores.len() / TILE - 1];
            // SAFETY: the slices have as many queries and scores as this kernel takes.
            unsafe { kernel(keys, queries.as_ptr(), scores.as_mut_ptr()) };
        }
        own.hide_the_invisible();
        let sums = (own.sums.largest.as_mut_ptr(), own.sums.sums.as_mut_ptr());
        // SAFETY: everything has been prepared for `n` queries.
        unsafe { (self.kernels.weigh)(own.scores.as_mut_ptr(), n, sums) };
    }

    /// Merges the weighted values into some states.
    fn mix(&self, values: &[f32], states: Range<usize>, next: Option<*const f32>, own: &mut Own) {
        let (n, width) = (states.len(), self.width());
        let together = self.kernels.together(n);
        let values = filled_up(values, self.of.heads.value_dim, &mut own.values);
        for (i, first) in (0..n).step_by(together).enumerate() {
            let ahead = Ahead::part(next, (i, n.div_ceil(together)), (TILE, width));
            let values = &Values { start: values.as_ptr(), width, ahead };
            let these = first..n.min(first + together);
            let mixed = &Mixed {
                weights: own.scores[first * TILE..].as_ptr(),
                visible: own.visible[these.clone()].as_ptr(),
                keep: own.sums.keep[these.clone()].as_ptr(),
                take: own.sums.take[these.clone()].as_ptr(),
                out: own.states.out(states.start + first..states.start + these.end).as_mut_ptr(),
            };
            // SAFETY: the slices have as many queries as this kernel takes; the values have the
            // rows of a tile.
            unsafe { (self.kernels.mix[these.len() - 1])(values, mixed) };
        }
    }

    /// Writes the outputs of a bundle, whose states begin with the first.
    pub fn put_out(&self, bundle: &Bundle, own: &Own) {
        let value_dim = self.of.heads.value_dim;
        let sharing = self.of.heads.sharing();
        let (len, mut state) = (sharing * value_dim, 0);
        for head in bundle.heads.clone() {
            for row in bundle.rows.clone() {
                // SAFETY: the outputs of a bundle are written by the one thread that has it.
                let out = unsafe { self.out.part(row, head * len, len) };
                for (i, out) in out.chunks_exact_mut(value_dim).enumerate() {
                    let (softmax, of_state) = own.states.get(state);
                    out.copy_from_slice(&of_state[..value_dim]);
                    let sum = softmax.sum_with(self.of.sink(head * sharing + i));
                    attention::divide(self.isa, out, sum);
                    state += 1;
                }
            }
        }
    }
}

impl Own {
    /// Room for so many queries that see a tile, and so many states.
    pub fn make_room(&mut self, (queries, states): (usize, usize), of: &Attention) {
        let (dim, value_dim) = (of.heads.dim, of.heads.value_dim);
        self.states.make_room(states, value_dim.next_multiple_of(LANES));
        make_room(&mut self.queries, queries * dim);
        make_room(&mut self.scores, queries * TILE);
        make_room(&mut self.visible, queries);
        self.sums.make_room(queries);
        if !value_dim.is_multiple_of(LANES) {
            make_room(&mut self.values, value_dim.next_multiple_of(LANES) * TILE);
        }
        if of.is_scattered() {
            self.make_room_for_tiles(1, of);
        }
    }

    /// Room for tiles that are put together.
    pub fn make_room_for_tiles(&mut self, tiles: usize, of: &Attention) {
        let (keys, values) = of.tile_lens();
        make_room(&mut self.together.0, tiles * keys);
        make_room(&mut self.together.1, tiles * values);
    }

    /// Bytes of it.
    pub fn bytes(&self) -> u64 {
        let together = room(&self.together.0) + room(&self.together.1);
        let of_tile = room(&self.scores) + room(&self.visible) + self.sums.bytes();
        self.states.bytes() + room(&self.queries) + of_tile + room(&self.values) + together
    }

    /// Makes room for the queries that see a tile: `sharing` of each row that sees a part of it.
    fn prepare(&mut self, rows: impl Iterator<Item = Range<usize>>, sharing: usize) {
        self.visible.clear();
        self.visible.extend(rows.flat_map(|visible| std::iter::repeat_n(visible, sharing)));
        self.scores.resize(self.visible.len() * TILE, 0.0);
        self.sums.resize(self.visible.len());
    }

    /// Gives the positions that a query does not see a score that weighs nothing.
    fn hide_the_invisible(&mut self) {
        for (scores, visible) in self.scores.chunks_exact_mut(TILE).zip(&self.visible) {
            scores[..visible.start].fill(f32::NEG_INFINITY);
            scores[visible.end..].fill(f32::NEG_INFINITY);
        }
    }
}

/// The values of a tile in rows of whole vectors.
fn filled_up<'a>(values: &'a [f32], value_dim: usize, buffer: &'a mut Vec<f32>) -> &'a [f32] {
    if value_dim.is_multiple_of(LANES) {
        return values;
    }
    buffer.clear();
    for row in values.chunks_exact(value_dim) {
        buffer.extend_from_slice(row);
        buffer.resize(buffer.len().next_multiple_of(LANES), 0.0);
    }
    buffer
}
