//! Pages of what models keep, and the sequences that own them.
//!
//! Sequences share pages that are full, with each other and with what is kept for later ones; what
//! nobody needs goes back for the next. Where a model
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
use std::sync::Arc;

use arch::{Cache, Keeps};
use kernels::portable::attend::TILE;

/// Positions in a page.
pub(crate) const PAGE: usize = TILE;

/// Stands in a table where there is no page.
pub(crate) const NONE: u32 = u32::MAX;

/// Marks that a sequence has at most; the oldest gives way.
pub(crate) const MARKS: usize = 2;

/// Whose turn it is, where several are told apart.
pub type Owner = Option<Arc<str>>;

/// The token ids of one turn, and where that is which the model keeps of them.
#[derive(Debug, Default)]
pub struct Sequence {
    pub(crate) owner: Owner,
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

    /// States that a sequence has during a step that makes it `len` long.
    fn states_for(&self, len: usize) -> usize {
        let on_the_way = self.mark_within(self.tokens.len()..len);
        self.marks.len() + 2 + usize::from(on_the_way.is_some())
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
    /// How many use each page.
    users: Vec<u32>,
    /// Pages that nobody uses, and numbers of pages that have no memory.
    free: Vec<u32>,
    bare: Vec<u32>,
}

impl Pages {
    pub fn new(caches: &[Cache]) -> Pages {
        Pages { pools: caches.iter().map(|cache| Pool::new(cache.clone())).collect() }
    }

    /// The pages of each cache.
    pub fn all(&mut self) -> impl Iterator<Item = &mut [Box<[f32]>]> {
        self.pools.iter_mut().map(|pool| &mut pool.pages[..])
    }

    /// What each cache keeps.
    pub fn keeps(&self) -> impl Iterator<Item = Keeps> {
        self.pools.iter().map(|pool| pool.cache.keeps)
    }

    /// How many use a page of a cache.
    pub fn users(&self, cache: usize, page: u32) -> u32 {
        self.pools[cache].users[page as usize]
    }

    /// Adds a user to a page of a cache.
    pub fn share(&mut self, cache: usize, page: u32) {
        self.pools[cache].share(page);
    }

    /// Takes a user from a page of each cache.
    pub fn give_back(&mut self, pages: &[u32]) {
        for (pool, page) in self.pools.iter_mut().zip(pages) {
            pool.give_back([*page]);
        }
    }

    /// A sequence of these tokens whose full pages are those of a chain of blocks; behind them it
    /// has a copy of a page that is not full.
    pub fn begin(&mut self, tokens: &[u32], chain: &[&[u32]], part: Option<&[u32]>) -> Sequence {
        let mut sequence = Sequence { tokens: tokens.to_vec(), ..Sequence::default() };
        if tokens.is_empty() {
            return sequence;
        }
        for (cache, pool) in self.pools.iter_mut().enumerate() {
            let mut table = Vec::new();
            if pool.cache.keeps == Keeps::State {
                let end = part.or(chain.last().copied()).map_or(NONE, |pages| pages[cache]);
                table.push(pool.share(end));
            } else {
                table.extend(chain.iter().map(|pages| pool.share(pages[cache])));
                table.extend(part.map(|pages| pool.copy(pages[cache])));
            }
            sequence.tables.push(table);
        }
        self.give_back_unseen(&mut sequence);
        sequence
    }

    /// The pages of block `i` of a sequence, and the state at `len`, its end.
    pub fn of_block(&self, sequence: &Sequence, i: usize, len: usize) -> Vec<u32> {
        let page = |(pool, table): (&Pool, &Vec<u32>)| match pool.cache.keeps {
            Keeps::All | Keeps::Last(_) => table[i],
            Keeps::State if len == sequence.tokens.len() => table[sequence.marks.len()],
            Keeps::State => {
                let mark = sequence.marks.iter().position(|mark| *mark == len);
                mark.map_or(NONE, |mark| table[mark])
            }
        };
        self.pools.iter().zip(&sequence.tables).map(page).collect()
    }

    /// Whether each page has as many users as there are references to it.
    #[cfg(test)]
    pub fn check<'a>(&self, sequences: &[&Sequence], blocks: impl Iterator<Item = &'a [u32]>) {
        let mut users: Vec<Vec<u32>> =
            self.pools.iter().map(|pool| vec![0; pool.pages.len()]).collect();
        let mut count = |cache: usize, page: u32| {
            if page != NONE {
                users[cache][page as usize] += 1;
            }
        };
        for sequence in sequences {
            for (cache, table) in sequence.tables.iter().enumerate() {
                table.iter().for_each(|page| count(cache, *page));
            }
        }
        for pages in blocks {
            pages.iter().enumerate().for_each(|(cache, page)| count(cache, *page));
        }
        for (pool, users) in self.pools.iter().zip(users) {
            assert_eq!(pool.users, users);
            let unused = users.iter().filter(|users| **users == 0).count();
            let free = pool.free.len() + pool.bare.len();
            assert_eq!(free, unused, "free and used pages are all there are");
        }
    }

    /// Bytes of pages that somebody uses.
    pub fn used_bytes(&self) -> u64 {
        self.pools.iter().map(|pool| pool.bytes_of(pool.there() - pool.free.len())).sum()
    }

    /// Bytes of all pages.
    pub fn bytes(&self) -> u64 {
        self.pools.iter().map(|pool| pool.bytes_of(pool.there())).sum()
    }

    /// Bytes of the pages that `reserve` would take.
    pub fn missing(&self, sequence: &Sequence, len: usize) -> u64 {
        let missing = |(cache, pool): (usize, &Pool)| {
            let there = sequence.tables.get(cache).map_or(0, Vec::len);
            let wanted = match pool.cache.keeps {
                Keeps::All | Keeps::Last(_) => len.div_ceil(PAGE),
                // A fresh sequence has no state yet, but a place for it.
                Keeps::State => sequence.states_for(len) - usize::from(there == 0),
            };
            pool.bytes_of(wanted.saturating_sub(there))
        };
        self.pools.iter().enumerate().map(missing).sum()
    }

    /// The same for the copies of pages that a sequence may begin with.
    pub fn missing_at_begin(&self) -> u64 {
        self.pools.iter().map(|pool| pool.bytes_of(1)).sum()
    }

    /// Gives back the memory of free pages until no more than so many bytes are there. What one
    /// cache has needed, another may need now.
    pub fn shrink(&mut self, most: u64) {
        let mut left = self.bytes().saturating_sub(most);
        for pool in &mut self.pools {
            while left > 0 && !pool.free.is_empty() {
                left = left.saturating_sub(pool.bytes_of(1));
                let page = pool.free.remove(0);
                pool.pages[page as usize] = Box::default();
                pool.bare.push(page);
            }
        }
    }

    /// Gives a sequence the pages of a step that makes it `len` long.
    pub fn reserve(&mut self, sequence: &mut Sequence, len: usize) {
        let states = sequence.states_for(len);
        // Room for the tokens of a page comes with the page.
        sequence.tokens.reserve(len.next_multiple_of(PAGE) - sequence.tokens.len());
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
        // One without tokens may have pages: its first step has failed.
        if len == sequence.tokens.len() && len > 0 {
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

    /// Takes a mark away, if the sequence still has it.
    pub fn unmark(&mut self, sequence: &mut Sequence, len: usize) {
        if let Some(at) = sequence.marks.iter().position(|mark| *mark == len) {
            sequence.marks.remove(at);
            self.each_state(sequence, |table| Some(table.remove(at)));
            self.give_back_unseen(sequence);
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
pub(crate) fn seen(len: usize, last: usize) -> Range<usize> {
    (len + 1).saturating_sub(last) / PAGE..len.div_ceil(PAGE)
}

impl Pool {
    fn new(cache: Cache) -> Pool {
        Pool { cache, pages: vec![], users: vec![], free: vec![], bare: vec![] }
    }

    /// Bytes of so many pages.
    fn bytes_of(&self, pages: usize) -> u64 {
        (pages * self.cache.page_len) as u64 * 4
    }

    /// Pages that have memory.
    fn there(&self) -> usize {
        self.pages.len() - self.bare.len()
    }

    fn take(&mut self) -> u32 {
        let page = self.free.pop().unwrap_or_else(|| self.fresh());
        self.users[page as usize] = 1;
        page
    }

    fn fresh(&mut self) -> u32 {
        let page = self.bare.pop().unwrap_or_else(|| {
            self.pages.push(Box::default());
            self.users.push(0);
            // So that giving back needs no memory.
            self.free.reserve(self.pages.len());
            (self.pages.len() - 1) as u32
        });
        self.pages[page as usize] = vec![0.0; self.cache.page_len].into_boxed_slice();
        page
    }

    fn share(&mut self, page: u32) -> u32 {
        if page != NONE {
            self.users[page as usize] += 1;
        }
        page
    }

    fn copy(&mut self, page: u32) -> u32 {
        let copy = self.take();
        let from = std::mem::take(&mut self.pages[page as usize]);
        self.pages[copy as usize].copy_from_slice(&from);
        self.pages[page as usize] = from;
        copy
    }

    fn give_back(&mut self, pages: impl IntoIterator<Item = u32>) {
        for page in pages.into_iter().filter(|page| *page != NONE) {
            let users = &mut self.users[page as usize];
            *users -= 1;
            if *users == 0 {
                self.free.push(page);
            }
        }
    }
}

#[cfg(test)]
mod tests;
