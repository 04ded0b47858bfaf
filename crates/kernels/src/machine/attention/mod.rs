//! Attention of many rows, of one sequence or of several, over pages of keys and values.
//!
//! A page holds 64 positions, the tile of the canon, of all layers. A layer's part of a page lies
//! at an offset that its owner knows, and is laid out head by head:
//!
//! ```text
//!   head 0: keys (dim, 64) | values (64, value_dim)   head 1: keys | values   …
//! ```
//!
//! Where values lie *within* keys, a head has its positions one after the other, `(64, dim)`: the
//! last `value_dim` numbers of a key are the value. Of whole numbers a place holds two, and a head
//! has scales:
//!
//! ```text
//!   keys (⌈dim / 2⌉, 64) | their scales (64) | values (32, width) | their scales (64)
//! ```
//!
//! Here are the shapes, and what a row sees. `store` fills pages, `bundle` attends with some rows
//! and heads at once; `by_bundle` and `by_tile` split the work among threads.

mod bundle;
mod by_bundle;
mod by_tile;
mod store;
#[cfg(target_arch = "x86_64")]
mod tiled;
mod whole;

use std::ops::Range;

use super::Machine;
use super::shared::Shared;
use crate::attention::{Kept, Kernels, Number, Numbers, pairs};
use crate::portable::attend::{self, TILE, Tile};
use crate::portable::whole::{self as whole_numbers, DIM_MAX, PAIRS};
use crate::room::room;
use crate::simd::LANES;
use bundle::{Job, Own, Together};

/// The heads of one attention layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heads {
    /// Query heads.
    pub queries: usize,
    /// Key and value heads; each serves `queries / keys` query heads.
    pub keys: usize,
    /// Width of a query or key head.
    pub dim: usize,
    /// Width of a value head.
    pub value_dim: usize,
    /// Whether values are the last numbers of keys.
    pub within: bool,
    /// How keys and values are kept.
    pub kept: Kept,
}

impl Heads {
    /// Places of a page that this layer takes.
    pub const fn page_len(&self) -> usize {
        self.keys * self.head_len()
    }

    /// Number of query heads that share a key head.
    const fn sharing(&self) -> usize {
        self.queries / self.keys
    }

    /// Numbers that pass through a tile for one row and key head.
    const fn tile_work(&self) -> usize {
        TILE * self.sharing() * self.dim
    }

    const fn head_len(&self) -> usize {
        if matches!(self.kept, Kept::I16) {
            let [keys, key_scales, values, value_scales] = self.whole_lens();
            return keys + key_scales + values + value_scales;
        }
        self.kept.places(match self.within {
            true => self.dim * TILE,
            false => (self.dim + self.value_dim) * TILE,
        })
    }

    /// Places of what a head has of whole numbers, in its order.
    const fn whole_lens(&self) -> [usize; 4] {
        [self.dim.div_ceil(2) * TILE, TILE, PAIRS * self.width(), TILE]
    }

    /// Numbers in an output, filled up to whole vectors.
    const fn width(&self) -> usize {
        self.value_dim.next_multiple_of(LANES)
    }
}

impl Heads {
    /// Copies the key and the value of a position out of a head's part of a page; the numbers of
    /// the key get places 64 apart.
    fn take_out<T: Number>(&self, head: &[T], at: usize, (key, value): (&mut [f32], &mut [f32])) {
        let Heads { dim, value_dim, .. } = *self;
        let key = key.iter_mut().step_by(TILE);
        let kept_value = match self.within {
            true => {
                let kept = &head[at * dim..][..dim];
                key.zip(kept).for_each(|(to, x)| *to = x.wide());
                &kept[dim - value_dim..]
            }
            false => {
                let kept = head[..dim * TILE].iter().skip(at).step_by(TILE);
                key.zip(kept).for_each(|(to, x)| *to = x.wide());
                &head[dim * TILE + at * value_dim..][..value_dim]
            }
        };
        value.iter_mut().zip(kept_value).for_each(|(to, x)| *to = x.wide());
    }
}

/// Where a row stands, and the pages of its sequence in order of position.
#[derive(Clone, Copy)]
pub struct RowTable<'a> {
    /// Position in the sequence.
    pub position: usize,
    /// Indices of pages; page `i` holds the positions from 64 i.
    pub pages: &'a [u32],
}

/// What attention needs beside queries: the shape of the layer and the cache.
#[derive(Clone, Copy)]
pub struct Attention<'a> {
    /// The layer's heads.
    pub heads: Heads,
    /// Factor of the scores.
    pub scale: f32,
    /// How many of the last positions a row sees, itself included; `None` is all.
    pub window: Option<usize>,
    /// Positions are cut into chunks of so many, and a row sees its own chunk only; `None` is one.
    pub chunk: Option<usize>,
    /// The positions that rows attend to, where they have chosen some.
    pub chosen: Option<Chosen<'a>>,
    /// For each query head a score without a value, where the model has them.
    pub sinks: Option<&'a [f32]>,
    /// Where the layer begins in a page.
    pub offset: usize,
    /// All pages.
    pub pages: &'a [Box<[f32]>],
    /// One entry for each row.
    pub rows: &'a [RowTable<'a>],
}

/// Positions chosen by rows. In ascending order they make a sequence of their own, with its own
/// tiles.
#[derive(Clone, Copy)]
pub struct Chosen<'a> {
    /// `(n, most)`; a row that has not so many positions fills the first places only.
    pub positions: &'a [u32],
    /// Positions of a row, at most.
    pub most: usize,
}

impl Chosen<'_> {
    /// How many a row at `position` chooses.
    pub(super) fn count(position: usize, most: usize) -> usize {
        most.min(position + 1)
    }
}

/// Keys and values to be stored, and where.
pub struct Pages<'a> {
    /// All pages.
    pub pages: &'a mut [Box<[f32]>],
    /// One entry for each row.
    pub rows: &'a [RowTable<'a>],
    /// `(n, keys · dim)`
    pub keys: &'a [f32],
    /// `(n, keys · value_dim)`; none where values lie within keys.
    pub values: &'a [f32],
}

/// Buffers of attention, kept from one call to the next.
#[derive(Default)]
pub(super) struct Scratch {
    threads: Vec<Own>,
}

impl Scratch {
    pub fn bytes(&self) -> u64 {
        room(&self.threads) + self.threads.iter().map(Own::bytes).sum::<u64>()
    }
}

/// Rows times key heads for each thread, from which on threads take bundles.
const ENOUGH: usize = 4;

impl<'a> Attention<'a> {
    /// The first position that a row sees.
    fn first(&self, row: usize) -> usize {
        let position = self.rows[row].position;
        let in_window = self.window.map_or(0, |window| (position + 1).saturating_sub(window));
        in_window.max(self.chunk.map_or(0, |chunk| position / chunk * chunk))
    }

    /// How many positions a row has chosen, where it has.
    fn count(&self, row: usize) -> Option<usize> {
        self.chosen.map(|chosen| Chosen::count(self.rows[row].position, chosen.most))
    }

    /// The tiles that a row sees, in ascending order.
    fn tiles(&self, row: usize) -> Range<usize> {
        if let Some(count) = self.count(row) {
            return 0..count.div_ceil(TILE);
        }
        self.first(row) / TILE..self.rows[row].position / TILE + 1
    }

    /// What a row sees of one of its tiles, counted from the tile's first position.
    fn visible(&self, row: usize, tile: usize) -> Range<usize> {
        if let Some(count) = self.count(row) {
            return 0..TILE.min(count - tile * TILE);
        }
        let end = self.rows[row].position + 1 - tile * TILE;
        self.first(row).saturating_sub(tile * TILE)..end.min(TILE)
    }

    /// A head's part of one of the pages of a row.
    fn head(&self, row: usize, page: usize, key_head: usize) -> &'a [f32] {
        let (page, len) = (&self.pages[self.rows[row].pages[page] as usize], self.heads.head_len());
        &page[self.offset + key_head * len..][..len]
    }

    /// The same, where it is one of floats.
    fn numbers(&self, row: usize, page: usize, key_head: usize) -> Numbers<'a> {
        Numbers::in_places(self.heads.kept, self.head(row, page, key_head))
    }

    /// Keys and values of a head in one of the tiles of a row, where they lie ready.
    fn tile(&self, row: usize, tile: usize, key_head: usize) -> (Numbers<'a>, Numbers<'a>) {
        self.numbers(row, tile, key_head).split_at(self.heads.dim * TILE)
    }

    /// The same, where they are whole numbers.
    fn whole_tile(&self, row: usize, tile: usize, key_head: usize) -> whole_numbers::Tile<'a> {
        let [keys, key_scales, values, _] = self.heads.whole_lens();
        let (keys, rest) = self.head(row, tile, key_head).split_at(keys);
        let (key_scales, rest) = rest.split_at(key_scales);
        let (values, value_scales) = rest.split_at(values);
        let (keys, values) = (pairs(keys), pairs(values));
        let visible = self.visible(row, tile);
        whole_numbers::Tile { keys, key_scales, values, value_scales, visible }
    }

    /// Whether tiles have to be put together first.
    fn is_scattered(&self) -> bool {
        self.heads.within || self.chosen.is_some()
    }

    /// Whether the definition has tiles put together first.
    fn is_put_together(&self) -> bool {
        self.is_scattered() || self.heads.kept == Kept::F16
    }

    /// Numbers in the keys and in the values of a tile.
    fn tile_lens(&self) -> (usize, usize) {
        (self.heads.dim * TILE, self.heads.value_dim * TILE)
    }

    /// Puts together what is seen of a tile: keys by numbers, `(dim, 64)`, and values by positions.
    fn put_together(
        &self,
        (row, tile, key_head): (usize, usize, usize),
        visible: Range<usize>,
        (keys, values): (&mut [f32], &mut [f32]),
    ) {
        let value_dim = self.heads.value_dim;
        let chosen = self.chosen.map(|chosen| &chosen.positions[row * chosen.most..]);
        for lane in visible {
            let place = tile * TILE + lane;
            let position = chosen.map_or(place, |chosen| chosen[place] as usize);
            let to = (&mut keys[lane..], &mut values[lane * value_dim..][..value_dim]);
            match self.numbers(row, position / TILE, key_head) {
                Numbers::F32(head) => self.heads.take_out(head, position % TILE, to),
                Numbers::F16(head) => self.heads.take_out(head, position % TILE, to),
            }
        }
    }

    fn sink(&self, query_head: usize) -> Option<f32> {
        self.sinks.map(|sinks| sinks[query_head])
    }

    /// The definition itself: one query head of a row.
    fn attend_head(
        &self,
        (row, head): (usize, usize),
        q: &[f32],
        together: &mut Together,
        out: &mut [f32],
    ) {
        let (key_head, scaling) = (head / self.heads.sharing(), (self.scale, self.sink(head)));
        if self.heads.kept == Kept::I16 {
            let mut levels = [[0; 2]; DIM_MAX / 2];
            let levels = &mut levels[..q.len().div_ceil(2)];
            let top = whole_numbers::key_top(q.len());
            let scale = whole_numbers::round(q, top, levels.as_flattened_mut());
            let query = &whole_numbers::Query { levels, factor: scale * self.scale };
            let tiles = self.tiles(row).map(|tile| self.whole_tile(row, tile, key_head));
            return whole_numbers::attend(query, self.sink(head), tiles, out);
        }
        let tile = |tile, (keys, values)| Tile { keys, values, visible: self.visible(row, tile) };
        if !self.is_put_together() {
            let ready = |i| match self.tile(row, i, key_head) {
                (Numbers::F32(keys), Numbers::F32(values)) => tile(i, (keys, values)),
                _ => unreachable!("halves are put together"),
            };
            return attend::attend(q, scaling, self.tiles(row).map(ready), out);
        }
        let (tiles, (key_len, value_len)) = (self.tiles(row), self.tile_lens());
        let (keys, values) = together;
        keys.resize(tiles.len() * key_len, 0.0);
        values.resize(tiles.len() * value_len, 0.0);
        let places = keys.chunks_exact_mut(key_len).zip(values.chunks_exact_mut(value_len));
        for (tile, place) in tiles.clone().zip(places) {
            self.put_together((row, tile, key_head), self.visible(row, tile), place);
        }
        let places = keys.chunks_exact(key_len).zip(values.chunks_exact(value_len));
        attend::attend(q, scaling, tiles.zip(places).map(|(i, place)| tile(i, place)), out);
    }
}

impl Machine {
    /// Attends with each query row; `q` is `(n, queries · dim)`, `out` `(n, queries · value_dim)`.
    pub fn attend(&mut self, q: &[f32], of: &Attention, out: &mut [f32]) {
        let (n, heads) = (of.rows.len(), of.heads);
        assert_eq!(heads.queries % heads.keys, 0, "as many query heads to each key head");
        assert_eq!(q.len(), n * heads.queries * heads.dim);
        assert_eq!(out.len(), n * heads.queries * heads.value_dim);
        assert!(of.sinks.is_none_or(|sinks| sinks.len() == heads.queries), "a sink for each head");
        assert!(heads.kept != Kept::I16 || !of.is_scattered(), "whole numbers lie ready");
        let out = Shared::rows(out, heads.queries * heads.value_dim);
        let (threads, mut scratch) = (self.threads(), std::mem::take(&mut self.attention));
        scratch.threads.resize_with(threads, Own::default);
        let own = &mut scratch.threads;
        let job = |kernels| Job { isa: self.isa, kernels, q, of, out };
        match Kernels::of(self.isa).map(job) {
            None => self.attend_plainly(q, of, out, own),
            Some(job) if threads > 1 && n * heads.keys < ENOUGH * threads => {
                self.attend_by_tile(&job, own);
            }
            Some(job) => self.attend_by_bundle(&job, own),
        }
        self.attention = scratch;
    }

    /// Head by head, by the definition.
    fn attend_plainly(&self, q: &[f32], of: &Attention, out: Shared, own: &mut [Own]) {
        let (n, heads, threads) = (of.rows.len(), of.heads, self.threads());
        // Heads outside, rows inside: with a long prompt each thread gets short and long rows.
        let positions: usize = of.rows.iter().map(|row| row.position + 1).sum();
        if self.rehearses() && of.is_put_together() {
            let tiles = (0..n).map(|row| of.tiles(row).len()).max().unwrap_or(0);
            own.iter_mut().for_each(|own| own.make_room_for_tiles(tiles, of));
        }
        let (items, own) = (heads.queries * n, Shared::rows(own, 1));
        self.share(positions * heads.queries * heads.dim, &|thread| {
            // SAFETY: each thread has its own.
            let together = &mut unsafe { own.row(thread) }[0].together;
            for item in thread * items / threads..(thread + 1) * items / threads {
                let (head, row) = (item / n, item % n);
                let q = &q[(row * heads.queries + head) * heads.dim..][..heads.dim];
                // SAFETY: an output head belongs to one item, and an item to one thread.
                let out = unsafe { out.part(row, head * heads.value_dim, heads.value_dim) };
                of.attend_head((row, head), q, together, out);
            }
        });
    }
}
