//! Pages of what models keep, and the sequences that own them.
//!
//! A sequence owns its pages alone; what it needs no more goes back for the next. Where a model
//! keeps less than every position, a sequence cannot be cut at any length, but at its *marks*,
//! whose pages are kept like those of its end.
//!
//! ```text
//!   keys and values   a page for 64 positions:    0 1 2 3 …, those before a window given back
//!   states            one of each mark and one of the end; a step adds what it makes:
//!
//!                     marks …, end  →  marks …, end, new         the old end is given back
//!                     marks …, end  →  marks …, end, mark, new   with a mark on the way
//! ```

use std::ops::Range;

use arch::{Cache, Keeps};
use kernels::portable::attend::TILE;

/// Positions in a page.
const PAGE: usize = TILE;

/// Stands in a table where there is no page.
const NONE: u32 = u32::MAX;

/// Marks that a sequence has at most; the oldest gives way.
const MARKS: usize = 2;

/// The token ids of one turn, and where that is which the model keeps of them.
#[derive(Debug, Default)]
pub struct Sequence {
    tokens: Vec<u32>,
    /// A table of pages for each cache.
    tables: Vec<Vec<u32>>,
    /// Lengths that the sequence can be cut at, ascending.
    marks: Vec<usize>,
    /// The next of them.
    planned: Option<usize>,
}

impl Sequence {
    /// Tokens that have passed through the model.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// How many of the first tokens are the same as in `other`.
    pub fn common_prefix(&self, other: &[u32]) -> usize {
        self.tokens.iter().zip(other).take_while(|(a, b)| a == b).count()
    }

    /// Asks for a mark at this length, which the sequence has not yet grown beyond.
    pub(crate) fn plan_mark(&mut self, len: usize) {
        self.planned = Some(len).filter(|len| *len > 0);
    }

    /// The pages of a cache for the row at `position` of a step.
    pub(crate) fn table(&self, cache: usize, keeps: Keeps, position: usize) -> &[u32] {
        let table = &self.tables[cache];
        if keeps != Keeps::State {
            return table;
        }
        let from = match self.mark_within(self.tokens.len()..position + 1) {
            Some(_) => self.marks.len() + 1,
            None => self.marks.len(),
        };
        &table[from..from + 2]
    }

    /// The planned mark, if it lies behind the first and before the last of these lengths.
    fn mark_within(&self, lengths: Range<usize>) -> Option<usize> {
        self.planned.filter(|mark| lengths.start < *mark && *mark < lengths.end)
    }
}

/// All pages of an engine: a pool for each cache.
pub(crate) struct Pages {
    pools: Vec<Pool>,
}

/// The pages of one cache.
struct Pool {
    cache: Cache,
    pages: Vec<Box<[f32]>>,
    free: Vec<u32>,
}

impl Pages {
    pub fn new(caches: &[Cache]) -> Pages {
        let pool = |cache: &Cache| Pool { cache: cache.clone(), pages: vec![], free: vec![] };
        Pages { pools: caches.iter().map(pool).collect() }
    }

    /// The pages of each cache.
    pub fn all(&mut self) -> impl Iterator<Item = &mut [Box<[f32]>]> {
        self.pools.iter_mut().map(|pool| &mut pool.pages[..])
    }

    /// Bytes of all pages.
    pub fn bytes(&self) -> u64 {
        let bytes = |pool: &Pool| (pool.pages.len() * pool.cache.page_len) as u64 * 4;
        self.pools.iter().map(bytes).sum()
    }

    /// Gives a sequence the pages of a step that makes it `len` long.
    pub fn reserve(&mut self, sequence: &mut Sequence, len: usize) {
        let on_the_way = sequence.mark_within(sequence.tokens.len()..len);
        let states = sequence.marks.len() + 2 + usize::from(on_the_way.is_some());
        sequence.tables.resize_with(self.pools.len(), Vec::new);
        for (pool, table) in self.pools.iter_mut().zip(&mut sequence.tables) {
            let wanted = match pool.cache.keeps {
                Keeps::All | Keeps::Last(_) => len.div_ceil(PAGE),
                Keeps::State if table.is_empty() => {
                    table.push(NONE);
                    states
                }
                Keeps::State => states,
            };
            while table.len() < wanted {
                table.push(pool.take());
            }
        }
    }

    /// Takes back the states that a step should have made and has not.
    pub fn cancel(&mut self, sequence: &mut Sequence) {
        for (pool, table) in self.pools.iter_mut().zip(&mut sequence.tables) {
            if pool.cache.keeps == Keeps::State {
                pool.give_back(table.drain(sequence.marks.len() + 1..));
            }
        }
    }

    /// Adds the tokens of a step to their sequence, and takes back what it needs no more.
    pub fn finish(&mut self, sequence: &mut Sequence, tokens: &[u32]) {
        let (old, new) = (sequence.tokens.len(), sequence.tokens.len() + tokens.len());
        sequence.tokens.extend_from_slice(tokens);
        let mark = sequence.planned.take_if(|mark| *mark < new).filter(|mark| *mark >= old);
        let end = sequence.marks.len();
        // The old end stays if it is marked.
        let gone = (mark != Some(old)).then_some(end);
        self.each_state(sequence, |table| gone.map(|end| table.remove(end)));
        sequence.marks.extend(mark);
        if sequence.marks.len() > MARKS {
            sequence.marks.remove(0);
            self.each_state(sequence, |table| Some(table.remove(0)));
        }
        self.give_back_unseen(sequence);
    }

    /// Cuts a sequence after `len` tokens, or earlier, where that is not possible.
    pub fn truncate(&mut self, sequence: &mut Sequence, len: usize) {
        let len = self.place_before(sequence, len);
        if len == sequence.tokens.len() {
            return;
        }
        sequence.tokens.truncate(len);
        let marks = sequence.marks.partition_point(|mark| *mark < len);
        sequence.marks.truncate(marks);
        sequence.planned = None;
        for (pool, table) in self.pools.iter_mut().zip(&mut sequence.tables) {
            let kept = match pool.cache.keeps {
                Keeps::All | Keeps::Last(_) => len.div_ceil(PAGE),
                Keeps::State if len == 0 => 0,
                Keeps::State => marks + 1,
            };
            pool.give_back(table.drain(kept.min(table.len())..));
        }
    }

    /// The largest length up to `len` that a sequence can be cut at.
    fn place_before(&self, sequence: &Sequence, len: usize) -> usize {
        let len = len.min(sequence.tokens.len());
        let there = self.pools.iter().zip(&sequence.tables).all(|(pool, table)| {
            let pages = match pool.cache.keeps {
                Keeps::All => return true,
                Keeps::Last(last) => seen(len, last),
                Keeps::State => return len == sequence.tokens.len(),
            };
            table[pages].iter().all(|page| *page != NONE)
        });
        let marks = sequence.marks.iter().rev().find(|mark| **mark <= len);
        if there { len } else { marks.copied().unwrap_or(0) }
    }

    /// Takes back a page of each state, if there is one to take.
    fn each_state(&mut self, sequence: &mut Sequence, take: impl Fn(&mut Vec<u32>) -> Option<u32>) {
        for (pool, table) in self.pools.iter_mut().zip(&mut sequence.tables) {
            if pool.cache.keeps == Keeps::State {
                pool.give_back(take(table));
            }
        }
    }

    /// Takes back pages that neither the next row sees nor one that goes on at a mark.
    fn give_back_unseen(&mut self, sequence: &mut Sequence) {
        for (pool, table) in self.pools.iter_mut().zip(&mut sequence.tables) {
            let Keeps::Last(last) = pool.cache.keeps else { continue };
            let len = sequence.tokens.len();
            let marks = sequence.marks.iter().map(|len| seen(*len, last));
            // A page more at the end, so that the last tokens can be taken back.
            let kept = marks.chain([seen(len, last + PAGE)]);
            // Pages behind the end wait for the next step.
            for (i, page) in table[..len.div_ceil(PAGE)].iter_mut().enumerate() {
                if !kept.clone().any(|kept| kept.contains(&i)) {
                    pool.give_back([std::mem::replace(page, NONE)]);
                }
            }
        }
    }
}

/// Pages before the one at position `len` that it sees, where it sees the `last` positions.
fn seen(len: usize, last: usize) -> Range<usize> {
    (len + 1).saturating_sub(last) / PAGE..len.div_ceil(PAGE)
}

impl Pool {
    fn take(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.pages.push(vec![0.0; self.cache.page_len].into_boxed_slice());
            (self.pages.len() - 1) as u32
        })
    }

    fn give_back(&mut self, pages: impl IntoIterator<Item = u32>) {
        self.free.extend(pages.into_iter().filter(|page| *page != NONE));
    }
}

#[cfg(test)]
mod tests;
