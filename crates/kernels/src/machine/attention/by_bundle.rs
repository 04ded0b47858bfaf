//! Every thread takes bundles of queries whole, and all the tiles that they see.

use std::ops::Range;

use super::super::shared::{Pieces, Shared, Taker};
use super::bundle::{Bundle, Job, Own};
use super::{Attention, Machine, RowTable};
use crate::attention::Kept;

/// Queries in a bundle, if one row has not more. All that belongs to them and a tile of keys and
/// values fit the cache that a core has for itself. More of them pay for a tile that is made ready
/// for a unit.
const fn queries(kept: Kept) -> usize {
    match kept {
        Kept::F32 | Kept::F16 => 128,
        Kept::I16 => 256,
    }
}

impl Machine {
    pub(super) fn attend_by_bundle(&self, job: &Job, own: &mut [Own]) {
        let plan = Plan::new(job.of, self.threads());
        // For every thread, whichever bundles it takes this time.
        let queries = plan.rows * plan.heads * job.of.heads.sharing();
        for own in own.iter_mut() {
            own.make_room(job.isa, (queries, queries), job.of);
            if job.widens(plan.rows) {
                own.make_room_for_tiles(1, job.of);
            }
        }
        let (own, pieces) = (Shared::rows(own, 1), Pieces::default());
        self.share(plan.work * job.of.heads.tile_work(), &|thread| {
            // SAFETY: each thread has its own.
            let own = &mut unsafe { own.row(thread) }[0];
            plan.take(&mut pieces.taker(), &mut |bundle| {
                own.states.begin(job.queries(bundle), job.width());
                job.see_all(bundle, job.tiles(bundle), |_| 0, own);
                job.put_out(bundle, own);
            });
        });
    }
}

/// Bundles for each thread, at least, if there are rows and key heads enough.
const OF_THREAD: usize = 8;

/// Which bundles there are. A tile for one row and key head is the unit of work.
struct Plan<'a> {
    of: &'a Attention<'a>,
    /// Rows of a bundle, at most.
    rows: usize,
    /// Key heads of a bundle, at most.
    heads: usize,
    /// The work of all.
    work: usize,
}

impl<'a> Plan<'a> {
    fn new(of: &'a Attention<'a>, threads: usize) -> Plan<'a> {
        let (keys, sharing) = (of.heads.keys, of.heads.sharing());
        let longest = runs(of, usize::MAX).map(|rows| rows.len()).max().unwrap_or(1);
        let few = of.rows.len() * keys / (OF_THREAD * threads);
        let few = if threads == 1 { usize::MAX } else { few };
        // Rows that choose see tiles of their own.
        let alone = if of.chosen.is_some() { 1 } else { usize::MAX };
        let queries = queries(of.heads.kept);
        let rows = longest.min(queries / sharing).min(few).min(alone).max(1);
        let heads = (queries / (rows * sharing)).min(few / rows).clamp(1, keys);
        let work = runs(of, rows).map(|rows| keys * work(of, &rows)).sum();
        Plan { of, rows, heads, work }
    }

    /// Calls `take` for each bundle that no other thread has taken.
    fn take(&self, taker: &mut Taker, take: &mut dyn FnMut(&Bundle)) {
        for first in (0..self.of.heads.keys).step_by(self.heads) {
            let heads = first..self.of.heads.keys.min(first + self.heads);
            for rows in runs(self.of, self.rows) {
                while taker.next(1, 1).is_some() {
                    take(&Bundle { rows: rows.clone(), heads: heads.clone() });
                }
            }
        }
    }
}

/// Rows that follow each other in one sequence, at most `most` together.
fn runs<'a>(of: &'a Attention<'a>, most: usize) -> impl Iterator<Item = Range<usize>> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let rows = &of.rows[next..];
        let first = rows.first()?;
        let follows = |(i, row): &(usize, &RowTable)| {
            row.position == first.position + i && std::ptr::eq(row.pages, first.pages)
        };
        let run = next..next + rows.iter().take(most).enumerate().take_while(follows).count();
        next = run.end;
        Some(run)
    })
}

/// The tiles of a run, once for each row.
fn work(of: &Attention, rows: &Range<usize>) -> usize {
    (of.tiles(rows.end - 1).end - of.tiles(rows.start).start) * rows.len()
}

#[cfg(test)]
mod tests {
    use super::super::Heads;
    use super::*;

    /// The work of each thread, if the one that has done least takes the next bundle; having
    /// checked that each row and head is taken once.
    fn shares(of: &Attention, threads: usize) -> Vec<usize> {
        let (plan, mut taken) = (Plan::new(of, threads), vec![0; of.rows.len() * of.heads.keys]);
        let mut shares = vec![0; threads];
        plan.take(&mut Pieces::default().taker(), &mut |bundle| {
            assert!(
                bundle.rows.len() * bundle.heads.len() * of.heads.sharing()
                    <= queries(of.heads.kept)
            );
            *shares.iter_mut().min().unwrap() += work(of, &bundle.rows) * bundle.heads.len();
            for row in bundle.rows.clone() {
                bundle.heads.clone().for_each(|head| taken[row * of.heads.keys + head] += 1);
            }
        });
        assert_eq!(shares.iter().sum::<usize>(), plan.work);
        assert!(taken.iter().all(|taken| *taken == 1), "{taken:?}");
        shares
    }

    #[test]
    fn all_threads_have_about_as_much_to_do() {
        let tables = [[1, 2, 3].as_slice(), [4].as_slice()];
        let row = |of: usize, position| RowTable { position, pages: tables[of] };
        let prompt = |first| (first..first + 512).map(|position| row(0, position)).collect();
        let streams = (0..16).map(|i| row(i % 2, 1000)).collect();
        let batches: [Vec<RowTable>; 3] = [prompt(0), prompt(1001), streams];
        for (rows, keys) in batches.iter().flat_map(|rows| [1, 2, 3, 8].map(|keys| (rows, keys))) {
            for (sharing, threads) in [(1, 1), (1, 2), (4, 3), (7, 2), (8, 4)] {
                let queries = keys * sharing;
                let (dim, value_dim, within, kept) = (16, 16, false, Kept::F32);
                let heads = Heads { queries, keys, dim, value_dim, within, kept };
                let of = &Attention {
                    heads,
                    scale: 1.0,
                    window: None,
                    chunk: None,
                    chosen: None,
                    sinks: None,
                    offset: 0,
                    pages: &[],
                    rows,
                };
                let shares = shares(of, threads);
                let (most, all) = (*shares.iter().max().unwrap(), shares.iter().sum::<usize>());
                let off = (most * threads) as f64 / all as f64;
                assert!(off < 1.2, "{keys} keys, {sharing} to each: {shares:?} is {off}");
            }
        }
    }
}
