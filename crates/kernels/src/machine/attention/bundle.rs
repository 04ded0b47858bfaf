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
use super::whole::Whole;
use crate::Isa;
use crate::attention::{self, Ahead, Kept, Kernels, Keys, Mixed, Numbers, States, Tiles, Values};
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
    pub scores: Vec<f32>,
    pub visible: Vec<Range<usize>>,
    pub sums: Tiles,
    /// Values of a tile, where their rows have to be filled up.
    values: Vec<f32>,
    pub whole: Whole,
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
    next: Next,
}

/// What will be read next, if that lies ready.
pub(super) type Next = Option<(*const u8, Kept)>;

impl Job<'_> {
    /// Numbers in an output, filled up to whole vectors.
    pub fn width(&self) -> usize {
        self.of.heads.width()
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
            let next = tiles.contains(&(tile + 1)).then_some(tile + 1);
            let next = next.and_then(|tile| self.keys(bundle.rows.start, tile, bundle.heads.start));
            self.see(bundle, InHand { tile, state: state(tile), next }, own);
        }
    }

    /// Where the keys of a tile begin, if it lies ready.
    fn keys(&self, row: usize, tile: usize, head: usize) -> Next {
        let ready = !self.of.is_scattered();
        ready.then(|| (self.of.head(row, tile, head).as_ptr().cast(), self.of.heads.kept))
    }

    /// Whether tiles of halves are widened for so many rows that see them: where several kernels
    /// would read them, one after the other.
    pub fn widens(&self, rows: usize) -> bool {
        let Attention { heads, .. } = self.of;
        let many = rows * heads.sharing() > self.kernels.most();
        heads.kept == Kept::F16 && !self.of.is_scattered() && many
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
        if heads.kept == Kept::I16 {
            let of_head = bundle.rows.len() * heads.sharing();
            own.whole.fill(self.isa, (&own.queries, of_head), (heads.dim, self.of.scale));
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
            let next = match head + 1 < bundle.heads.end {
                true => self.keys(first, tile, head + 1),
                false => in_hand.next,
            };
            let row = (head - bundle.heads.start) * bundle.rows.len() + first - bundle.rows.start;
            let query = row * self.of.heads.sharing();
            let states = in_hand.state + query..in_hand.state + query + own.visible.len();
            if self.of.heads.kept == Kept::I16 {
                let tile = self.of.whole_tile(first, tile, head);
                self.score_whole(&tile, query, own);
                self.weigh(states.clone(), own);
                self.mix_whole(&tile, states, next, own);
                continue;
            }
            let mut together = std::mem::take(&mut own.together);
            let (keys, values) = self.tile((rows.clone(), tile, head), &mut together);
            self.score(keys, query, (values.start(), values.kept()), own);
            self.weigh(states.clone(), own);
            self.mix(values, states, next, own);
            own.together = together;
        }
    }

    /// Keys and values of a tile that some rows see, put together or widened if need be.
    fn tile<'a>(
        &'a self,
        (rows, tile, head): (Range<usize>, usize, usize),
        together: &'a mut Together,
    ) -> (Numbers<'a>, Numbers<'a>) {
        let (scattered, widens) = (self.of.is_scattered(), self.widens(rows.len()));
        if !scattered && !widens {
            return self.of.tile(rows.start, tile, head);
        }
        let (keys, values) = together;
        keys.resize(self.of.tile_lens().0, 0.0);
        values.resize(self.of.tile_lens().1, 0.0);
        if scattered {
            // Rows see more and more of a tile, and with a window less and less.
            let from = self.of.visible(rows.start, tile).start;
            let visible = from..self.of.visible(rows.end - 1, tile).end;
            self.of.put_together((rows.start, tile, head), visible, (keys, values));
        } else {
            let (kept_keys, kept_values) = self.of.tile(rows.start, tile, head);
            for (kept, to) in [(kept_keys, &mut *keys), (kept_values, &mut *values)] {
                assert_eq!((kept.kept(), kept.len()), (Kept::F16, to.len()));
                // SAFETY: there are as many halves as there is room, and tiles have 64 of each.
                unsafe { (self.kernels.widen)(kept.start(), to.as_mut_ptr(), to.len()) };
            }
        }
        (Numbers::F32(keys), Numbers::F32(values))
    }

    /// Scores of the queries that see the tile, of which the first is `query`.
    fn score(&self, keys: Numbers, query: usize, next: (*const u8, Kept), own: &mut Own) {
        let (dim, scale, n) = (self.of.heads.dim, self.of.scale, own.visible.len());
        let together = self.kernels.together(n);
        assert_eq!(keys.len(), dim * TILE);
        let queries = own.queries[query * dim..][..n * dim].chunks(together * dim);
        let scores = own.scores.chunks_mut(together * TILE);
        for (i, (queries, scores)) in queries.zip(scores).enumerate() {
            let ahead = Ahead::part(Some(next), (i, n.div_ceil(together)), (dim, TILE));
            let kernel = self.kernels.scores(keys.kept(), scores.len() / TILE);
            let keys = &Keys { start: keys.start(), dim, scale, ahead };
            // SAFETY: the slices have as many queries and scores as this kernel takes.
            unsafe { kernel(keys, queries.as_ptr(), scores.as_mut_ptr()) };
        }
    }

    /// Turns scores into weights, and merges their sums into some states.
    fn weigh(&self, states: Range<usize>, own: &mut Own) {
        own.hide_the_invisible();
        let sums = (own.sums.largest.as_mut_ptr(), own.sums.sums.as_mut_ptr());
        // SAFETY: everything has been prepared for as many queries.
        unsafe { (self.kernels.weigh)(own.scores.as_mut_ptr(), states.len(), sums) };
        own.states.merge_sums(self.isa, states, &mut own.sums);
    }

    /// Merges the weighted values into some states.
    fn mix(&self, values: Numbers, states: Range<usize>, next: Next, own: &mut Own) {
        let (n, width) = (states.len(), self.width());
        let together = self.kernels.together(n);
        let values = filled_up(values, self.of.heads.value_dim, &mut own.values);
        for (i, first) in (0..n).step_by(together).enumerate() {
            let ahead = Ahead::part(next, (i, n.div_ceil(together)), (TILE, width));
            let kept = values.kept();
            let values = &Values { start: values.start(), width, ahead };
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
            unsafe { self.kernels.mix(kept, these.len())(values, mixed) };
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
    pub fn make_room(&mut self, isa: Isa, (queries, states): (usize, usize), of: &Attention) {
        let (dim, value_dim) = (of.heads.dim, of.heads.value_dim);
        self.states.make_room(states, of.heads.width());
        make_room(&mut self.queries, queries * dim);
        make_room(&mut self.scores, queries * TILE);
        make_room(&mut self.visible, queries);
        self.sums.make_room(queries);
        if !value_dim.is_multiple_of(LANES) {
            make_room(&mut self.values, of.heads.width() * TILE);
        }
        if of.heads.kept == Kept::I16 {
            self.whole.make_room(queries, (dim, of.heads.width()), isa);
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
        let of_values = room(&self.values) + together;
        self.states.bytes() + room(&self.queries) + of_tile + of_values + self.whole.bytes()
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
fn filled_up<'a>(values: Numbers<'a>, value_dim: usize, buffer: &'a mut Vec<f32>) -> Numbers<'a> {
    if value_dim.is_multiple_of(LANES) {
        return values;
    }
    buffer.clear();
    for first in (0..values.len()).step_by(value_dim) {
        buffer.extend((first..first + value_dim).map(|i| values.get(i)));
        buffer.resize(buffer.len().next_multiple_of(LANES), 0.0);
    }
    Numbers::F32(buffer)
}
