//! The indexer of sparse attention, for many rows.

use super::Machine;
use super::attention::{Chosen, Heads, RowTable};
use super::shared::Shared;
use crate::attention::Kept;
use crate::isa::per_isa;
use crate::portable::attend::TILE;
use crate::portable::index;
use crate::room::{make_room, room};

per_isa!(score = index::score;
    (by: (&[f32], &[f32]), keys: &[f32], scale: f32, out: &mut [f32; TILE]));

/// What the indexer needs beside queries and weights.
#[derive(Clone, Copy)]
pub struct Index<'a> {
    /// Its heads: one key head, and no values.
    pub heads: Heads,
    /// Factor of the scores.
    pub scale: f32,
    /// Positions that a row attends to, at most.
    pub most: usize,
    /// Where its keys begin in a page.
    pub offset: usize,
    /// All pages.
    pub pages: &'a [Box<[f32]>],
    /// One entry for each row.
    pub rows: &'a [RowTable<'a>],
}

/// What threads have for themselves.
#[derive(Default)]
pub(super) struct Scratch {
    threads: Vec<Own>,
}

#[derive(Default)]
struct Own {
    scores: Vec<f32>,
    order: Vec<u32>,
}

impl Scratch {
    pub fn bytes(&self) -> u64 {
        let of_thread = |own: &Own| room(&own.scores) + room(&own.order);
        room(&self.threads) + self.threads.iter().map(of_thread).sum::<u64>()
    }
}

impl Machine {
    /// Lets each row choose the positions that it will attend to, into `(n, most)` places.
    /// `queries` is `(n, heads · dim)`, `weights` `(n, heads)`.
    ///
    /// # Panics
    /// When the shapes do not fit together.
    pub fn index(&mut self, queries: &[f32], weights: &[f32], of: &Index, places: &mut Vec<u32>) {
        let (n, heads, isa) = (of.rows.len(), of.heads, self.isa);
        assert_eq!(heads.kept, Kept::F32, "rounded keys would choose other positions");
        assert_eq!(
            (queries.len(), weights.len()),
            (n * heads.queries * heads.dim, n * heads.queries)
        );
        places.clear();
        places.resize(n * of.most, 0);
        let (places, threads) = (Shared::rows(places, of.most), self.threads());
        let mut scratch = std::mem::take(&mut self.index);
        scratch.threads.resize_with(threads, Own::default);
        if self.rehearses() {
            let longest = of.rows.iter().map(|row| row.position + 1).max().unwrap_or(0);
            for Own { scores, order } in &mut scratch.threads {
                make_room(scores, longest.next_multiple_of(TILE));
                make_room(order, longest);
            }
        }
        let own = Shared::rows(&mut scratch.threads, 1);
        let work: usize = of.rows.iter().map(|row| row.position + 1).sum();
        self.share(work * heads.queries * heads.dim, &|thread| {
            // SAFETY: each thread has its own.
            let Own { scores, order } = &mut unsafe { own.row(thread) }[0];
            // Rows in turn: the later ones of a prompt have more to score.
            for row in (thread..n).step_by(threads) {
                let RowTable { position, pages } = of.rows[row];
                let query =
                    &queries[row * heads.queries * heads.dim..][..heads.queries * heads.dim];
                let weights = &weights[row * heads.queries..][..heads.queries];
                scores.clear();
                for page in &pages[..position / TILE + 1] {
                    let keys = &of.pages[*page as usize][of.offset..][..heads.dim * TILE];
                    let mut tile = [0.0; TILE];
                    score(isa, (query, weights), keys, of.scale, &mut tile);
                    scores.extend_from_slice(&tile);
                }
                // SAFETY: each row is visited by one thread.
                let places = unsafe { places.row(row) };
                let count = Chosen::count(position, of.most);
                index::choose(&scores[..position + 1], order, &mut places[..count]);
            }
        });
        self.index = scratch;
    }
}
