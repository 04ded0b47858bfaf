//! The rows of a step: those of all feeds, one after the other. Their buffers stay from one step to
//! the next, so that a step allocates nothing.

use std::ops::Range;

use arch::Cache;
use kernels::RowTable;

use crate::{Feed, Wanted};

/// The rows of a step.
#[derive(Default)]
pub(crate) struct Batch<'a> {
    pub tokens: Vec<u32>,
    pub positions: Vec<usize>,
    /// Rows whose logits are wanted.
    pub wanted: Vec<usize>,
    /// Rows whose normalised output is.
    pub shown: Vec<usize>,
    /// `(caches, rows)`
    tables: Vec<RowTable<'a>>,
}

impl<'a> Batch<'a> {
    /// Adds the rows of all feeds.
    pub fn fill(&mut self, feeds: &'a [Feed], caches: &[Cache]) {
        for feed in feeds {
            self.tokens.extend_from_slice(feed.tokens);
            self.positions.extend(positions(feed));
            let end = self.tokens.len();
            match feed.wanted {
                Wanted::None => {}
                Wanted::Last => self.wanted.push(end - 1),
                Wanted::All => self.wanted.extend(end - feed.tokens.len()..end),
                Wanted::Output => self.shown.extend(end - feed.tokens.len()..end),
            }
        }
        for (i, cache) in caches.iter().enumerate() {
            for feed in feeds {
                let pages = |position| feed.sequence.table(i, cache.keeps, position);
                let row = |position| RowTable { position, pages: pages(position) };
                self.tables.extend(positions(feed).map(row));
            }
        }
    }

    /// Where each row has its pages of a cache.
    pub fn tables(&self, cache: usize) -> &[RowTable<'a>] {
        let rows = self.tokens.len();
        &self.tables[cache * rows..][..rows]
    }

    /// The same memory for another step, whose tables live elsewhere: a vector that is collected
    /// from an empty one of its own kind keeps its memory.
    pub fn emptied<'b>(mut self) -> Batch<'b> {
        self.tokens.clear();
        self.positions.clear();
        self.wanted.clear();
        self.shown.clear();
        self.tables.clear();
        let Batch { tokens, positions, wanted, shown, tables } = self;
        let tables = tables.into_iter().map(|_| unreachable!("it is empty")).collect();
        Batch { tokens, positions, wanted, shown, tables }
    }
}

/// Where the tokens of a feed will stand.
fn positions(feed: &Feed) -> Range<usize> {
    let first = feed.sequence.tokens().len();
    first..first + feed.tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emptied_batch_keeps_its_memory() {
        let pages = [7];
        let mut batch = Batch::default();
        batch.tables.push(RowTable { position: 0, pages: &pages });
        let (memory, room) = (batch.tables.as_ptr().addr(), batch.tables.capacity());
        let other: Batch<'static> = batch.emptied();
        assert_eq!((other.tables.as_ptr().addr(), other.tables.capacity()), (memory, room));
        assert!(other.tables.is_empty());
    }
}
