//! Every thread takes tiles, with all heads: for a row of a long context and fewer key heads than
//! threads. What each tile gives is kept by itself, and merged in ascending order at the end.
//!
//! ```text
//!   row 0: tile 0 1 2 3 4   row 1: tile 2 3        numbered through: 0 … 6
//!          └─ thread 0 ─┘└── thread 1 ──┘
//! ```

use std::ops::Range;

use super::super::shared::Shared;
use super::bundle::{Bundle, Job, Own};
use super::{Attention, Machine};
use crate::attention::{begin, divide, merge_state};

impl Machine {
    pub(super) fn attend_by_tile(&self, job: &Job, own: &mut [Own]) {
        let (heads, threads) = (job.of.heads, self.threads());
        let all = numbered(job.of).map(|(_, numbers)| numbers.len()).sum::<usize>();
        let share = |thread| thread * all / threads..(thread + 1) * all / threads;
        let work = all * heads.keys * heads.tile_work();
        if self.rehearses() {
            let states = all.div_ceil(threads) * heads.queries;
            for own in own.iter_mut() {
                own.make_room(job.isa, (heads.queries, states), job.of);
                if job.widens(1) {
                    own.make_room_for_tiles(1, job.of);
                }
            }
        }
        let to_fill = Shared::rows(own, 1);
        self.share(work, &|thread| {
            // SAFETY: each thread has its own.
            job.see_tiles(share(thread), &mut unsafe { to_fill.row(thread) }[0]);
        });
        self.share(work, &|thread| {
            for (row, numbers) in numbered(job.of) {
                for head in (thread..heads.queries).step_by(threads) {
                    let shares = own.iter().enumerate().map(|(thread, own)| (share(thread), own));
                    job.merge_tiles((row, head), &numbers, shares);
                }
            }
        });
    }
}

impl Job<'_> {
    /// Gives each of a share of all tiles states of its own.
    fn see_tiles(&self, share: Range<usize>, own: &mut Own) {
        let heads = self.of.heads;
        own.states.begin(share.len() * heads.queries, self.width());
        for (row, numbers) in numbered(self.of) {
            let bundle = Bundle { rows: row..row + 1, heads: 0..heads.keys };
            let (first, mine) = (self.of.tiles(row).start, common(&share, &numbers));
            let tile = |number| first + number - numbers.start;
            let state = |tile| (numbers.start + tile - first - share.start) * heads.queries;
            if !mine.is_empty() {
                self.see_all(&bundle, tile(mine.start)..tile(mine.end), state, own);
            }
        }
    }

    /// Merges the tiles of one query head of one row, and writes its output.
    fn merge_tiles<'a>(
        &self,
        (row, head): (usize, usize),
        numbers: &Range<usize>,
        shares: impl Iterator<Item = (Range<usize>, &'a Own)>,
    ) {
        let heads = self.of.heads;
        // SAFETY: each head of each row is visited by one thread.
        let out = unsafe { self.out.part(row, head * heads.value_dim, heads.value_dim) };
        let mut seen = begin(out);
        for (share, own) in shares {
            for number in common(&share, numbers) {
                let (new, new_out) = own.states.get((number - share.start) * heads.queries + head);
                merge_state(self.isa, &mut seen, out, &new, new_out);
            }
        }
        divide(self.isa, out, seen.sum_with(self.of.sink(head)));
    }
}

/// All rows with their tiles, which are numbered through.
fn numbered(of: &Attention) -> impl Iterator<Item = (usize, Range<usize>)> {
    (0..of.rows.len()).scan(0, |end, row| {
        let first = *end;
        *end += of.tiles(row).len();
        Some((row, first..*end))
    })
}

fn common(a: &Range<usize>, b: &Range<usize>) -> Range<usize> {
    a.start.max(b.start)..a.end.min(b.end)
}
