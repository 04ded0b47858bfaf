//! Byte-pair encoding proper: joins neighbours, the lowest rank first, the leftmost of equals.
//!
//! Short words are scanned again for every join, which beats any queue. Long ones go through a
//! heap, because a megabyte without a break must not take the square of its length.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::pairs::Pairs;
use super::vocab::Vocab;

/// A join of two neighbours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Merge {
    /// Joins of lower rank come first.
    pub(super) rank: u32,
    /// What the two become.
    pub(super) id: u32,
}

pub(super) type Merges = Pairs<Merge>;

/// Above this many symbols the heap is faster.
const SHORT: usize = 96;
const NO_MERGE: Merge = Merge { rank: u32::MAX, id: 0 };
const NONE: u32 = u32::MAX;

/// Room to work in, kept between words.
#[derive(Default)]
pub(super) struct Joiner {
    candidates: Vec<Merge>,
    next: Vec<u32>,
    previous: Vec<u32>,
    heap: BinaryHeap<Reverse<u64>>,
}

impl Joiner {
    /// Replaces the symbols with what they become.
    pub(super) fn join(&mut self, merges: &Merges, symbols: &mut Vec<u32>) {
        if symbols.len() <= SHORT {
            self.join_short(merges, symbols);
        } else {
            self.join_long(merges, symbols);
        }
    }

    fn join_short(&mut self, merges: &Merges, symbols: &mut Vec<u32>) {
        let candidate = |left, right| merges.get(left, right).unwrap_or(NO_MERGE);
        self.candidates.clear();
        self.candidates.extend(symbols.windows(2).map(|pair| candidate(pair[0], pair[1])));
        while let Some(at) = lowest(&self.candidates) {
            symbols[at] = self.candidates[at].id;
            symbols.remove(at + 1);
            self.candidates.remove(at);
            if at > 0 {
                self.candidates[at - 1] = candidate(symbols[at - 1], symbols[at]);
            }
            if at + 1 < symbols.len() {
                self.candidates[at] = candidate(symbols[at], symbols[at + 1]);
            }
        }
    }

    fn join_long(&mut self, merges: &Merges, symbols: &mut Vec<u32>) {
        let count = symbols.len() as u32;
        self.next.clear();
        self.next.extend((1..count).chain([NONE]));
        self.previous.clear();
        self.previous.extend([NONE].into_iter().chain(0..count - 1));
        self.heap.clear();
        for at in 0..count - 1 {
            self.propose(merges, symbols, at);
        }
        while let Some(Reverse(entry)) = self.heap.pop() {
            let (rank, at) = ((entry >> 32) as u32, entry as u32);
            match self.candidate(merges, symbols, at) {
                Some(merge) if merge.rank == rank => self.apply(symbols, at, merge.id),
                _ => continue, // A neighbour has been joined elsewhere since.
            }
            self.propose(merges, symbols, at);
            if self.previous[at as usize] != NONE {
                self.propose(merges, symbols, self.previous[at as usize]);
            }
        }
        symbols.retain(|&symbol| symbol != NONE);
    }

    /// The join of the symbol at `at` with its present right neighbour.
    fn candidate(&self, merges: &Merges, symbols: &[u32], at: u32) -> Option<Merge> {
        let next = self.next[at as usize];
        let alive = symbols[at as usize] != NONE && next != NONE;
        alive.then(|| merges.get(symbols[at as usize], symbols[next as usize])).flatten()
    }

    fn propose(&mut self, merges: &Merges, symbols: &[u32], at: u32) {
        if let Some(merge) = self.candidate(merges, symbols, at) {
            self.heap.push(Reverse(u64::from(merge.rank) << 32 | u64::from(at)));
        }
    }

    fn apply(&mut self, symbols: &mut [u32], at: u32, id: u32) {
        let gone = self.next[at as usize];
        let after = self.next[gone as usize];
        symbols[at as usize] = id;
        symbols[gone as usize] = NONE;
        self.next[at as usize] = after;
        if after != NONE {
            self.previous[after as usize] = at;
        }
    }
}

/// The halves and the whole of `left right`, cut at the first space that leaves two tokens.
pub(super) fn cut_merge(vocab: &Vocab, line: &str) -> Option<(u32, u32, u32)> {
    const MOST_CUTS: usize = 256;
    line.match_indices(' ').take(MOST_CUTS).find_map(|(at, _)| {
        let (left, right) = (&line[..at], &line[at + 1..]);
        join(vocab, left, right)
    })
}

/// The ids of two pieces and of their join.
pub(super) fn join(vocab: &Vocab, left: &str, right: &str) -> Option<(u32, u32, u32)> {
    Some((vocab.id(left)?, vocab.id(right)?, vocab.id(&format!("{left}{right}"))?))
}

/// The first candidate of lowest rank.
fn lowest(candidates: &[Merge]) -> Option<usize> {
    let mut best = (NO_MERGE.rank, 0);
    for (at, merge) in candidates.iter().enumerate() {
        if merge.rank < best.0 {
            best = (merge.rank, at);
        }
    }
    (best.0 != NO_MERGE.rank).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Symbols 0..4 join into 4..; every join has its own rank.
    fn merges(pairs: &[(u32, u32)]) -> Merges {
        let list: Vec<_> = (0..)
            .zip(pairs)
            .map(|(rank, &(left, right))| (left, right, Merge { rank, id: 4 + rank }))
            .collect();
        Merges::new(&list)
    }

    #[test]
    fn the_lowest_rank_comes_first_and_the_leftmost_of_equals() {
        let merges = merges(&[(1, 2), (0, 1), (0, 0)]);
        for (before, after) in [
            (vec![0, 1, 2], vec![0, 4]),
            (vec![0, 1, 0], vec![5, 0]),
            (vec![0, 0, 0], vec![6, 0]),
            (vec![3], vec![3]),
            (vec![], vec![]),
        ] {
            let mut symbols = before.clone();
            Joiner::default().join(&merges, &mut symbols);
            assert_eq!(symbols, after, "{before:?}");
        }
    }

    proptest! {
        #[test]
        fn the_heap_does_what_the_scan_does(
            pairs in prop::collection::vec((0u32..12, 0u32..12), 0..24),
            symbols in prop::collection::vec(0u32..4, 1..200),
        ) {
            let merges = merges(&pairs);
            let mut joiner = Joiner::default();
            let (mut long, mut short) = (symbols.clone(), symbols);
            joiner.join_long(&merges, &mut long);
            joiner.join_short(&merges, &mut short);
            prop_assert_eq!(long, short);
        }
    }
}
