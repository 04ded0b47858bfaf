//! Attention of many rows, of one sequence or of several, over pages of keys and values.
//!
//! A page holds 64 positions, the tile of the canon, of all layers. A layer's part of a page lies
//! at an offset that its owner knows, and is laid out head by head:
//!
//! ```text
//!   head 0: keys (dim, 64) | values (64, value_dim)   head 1: keys | values   …
//! ```

use super::Machine;
use super::shared::Shared;
use crate::isa::per_isa;
use crate::portable::attend::{self, TILE, Tile};

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
}

impl Heads {
    /// Numbers that this layer keeps in one page.
    pub const fn page_len(&self) -> usize {
        self.keys * self.head_len()
    }

    /// The query heads that share a key head.
    fn queries_of(&self, key_head: usize) -> std::ops::Range<usize> {
        let together = self.queries / self.keys;
        key_head * together..(key_head + 1) * together
    }

    const fn head_len(&self) -> usize {
        (self.dim + self.value_dim) * TILE
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
    /// Where the layer begins in a page.
    pub offset: usize,
    /// All pages.
    pub pages: &'a [Box<[f32]>],
    /// One entry for each row.
    pub rows: &'a [RowTable<'a>],
}

/// One query head of one row.
pub(crate) struct Query<'a> {
    row: usize,
    key_head: usize,
    q: &'a [f32],
}

per_isa!(attend_head = attend_head_portable;
    (of: &Attention<'_>, query: &Query<'_>, out: &mut [f32]));

impl Machine {
    /// Puts the keys and values of each row in its place in the pages.
    pub fn store(&self, heads: Heads, offset: usize, to: &mut Pages) {
        let (k_len, v_len) = (heads.keys * heads.dim, heads.keys * heads.value_dim);
        for (i, row) in to.rows.iter().enumerate() {
            let page = &mut to.pages[row.pages[row.position / TILE] as usize];
            let place = &mut page[offset..][..heads.page_len()];
            let keys = to.keys[i * k_len..][..k_len].chunks_exact(heads.dim);
            let values = to.values[i * v_len..][..v_len].chunks_exact(heads.value_dim);
            let lane = row.position % TILE;
            for (place, (k, v)) in place.chunks_exact_mut(heads.head_len()).zip(keys.zip(values)) {
                let (key_place, value_place) = place.split_at_mut(heads.dim * TILE);
                for (column, k) in key_place.chunks_exact_mut(TILE).zip(k) {
                    column[lane] = *k;
                }
                value_place[lane * heads.value_dim..][..heads.value_dim].copy_from_slice(v);
            }
        }
    }

    /// Attends with each query row; `q` is `(n, queries · dim)`, `out` `(n, queries · value_dim)`.
    pub fn attend(&self, q: &[f32], of: &Attention, out: &mut [f32]) {
        let (n, heads, isa) = (of.rows.len(), of.heads, self.isa);
        assert_eq!(heads.queries % heads.keys, 0, "as many query heads to each key head");
        assert_eq!(q.len(), n * heads.queries * heads.dim);
        assert_eq!(out.len(), n * heads.queries * heads.value_dim);
        let out = Shared::rows(out, heads.queries * heads.value_dim);
        // Heads outside, rows inside: with a long prompt each thread gets short and long rows.
        let positions: usize = of.rows.iter().map(|row| row.position + 1).sum();
        self.split(heads.keys * n, positions * heads.queries * heads.dim, &|items| {
            for item in items {
                let (key_head, row) = (item / n, item % n);
                for head in heads.queries_of(key_head) {
                    let q = &q[(row * heads.queries + head) * heads.dim..][..heads.dim];
                    // SAFETY: an output head belongs to one item, and an item to one thread.
                    let out = unsafe { out.part(row, head * heads.value_dim, heads.value_dim) };
                    attend_head(isa, of, &Query { row, key_head, q }, out);
                }
            }
        });
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
    /// `(n, keys · value_dim)`
    pub values: &'a [f32],
}

#[inline(always)]
fn attend_head_portable(of: &Attention, query: &Query, out: &mut [f32]) {
    let &Query { row, key_head, q } = query;
    let RowTable { position, pages } = of.rows[row];
    let first = of.window.map_or(0, |window| (position + 1).saturating_sub(window));
    let tiles = (first / TILE..=position / TILE).map(|tile| {
        let page = &of.pages[pages[tile] as usize];
        let head = &page[of.offset + key_head * of.heads.head_len()..][..of.heads.head_len()];
        let (keys, values) = head.split_at(of.heads.dim * TILE);
        let visible = first.saturating_sub(tile * TILE)..(position + 1 - tile * TILE).min(TILE);
        Tile { keys, values, visible }
    });
    attend::attend(q, of.scale, tiles, out);
}
