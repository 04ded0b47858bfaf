//! What has been read before: a tree of blocks of tokens, whose pages new sequences begin with.
//!
//! ```text
//!   root ─ block of 64 ─ block of 64 ─ block of 64 ─ rest of a reply
//!                     └─ block of 64 ─ rest of another
//! ```
//!
//! Each owner has a tree, for how much of a prompt is there tells what was asked before.
//!
//! A block holds a page of each cache of keys and values, as far as it is still there, and the
//! state at its end, where a sequence has left one. Full pages are never written again, so that
//! sequences share them; of a page that is not full, a sequence takes a copy. So a sequence that
//! begins with what was read before has the very numbers that it would have computed.

use std::cmp::Reverse;

use arch::Keeps;

use crate::pages::{NONE, Owner, PAGE, Pages, Sequence, seen};

/// The number of a block.
type Id = usize;

/// Stands above the blocks that begin a sequence of nobody in particular, and above the roots of
/// owners, which are blocks without tokens.
const ROOT: Id = 0;

/// All blocks.
pub(crate) struct Prefixes {
    /// Those that are gone have no tokens; the first is the root.
    blocks: Vec<Block>,
    gone: Vec<Id>,
    /// Grows with each use.
    clock: u64,
}

#[derive(Default)]
struct Block {
    /// Of the root of an owner.
    owner: Owner,
    tokens: Box<[u32]>,
    above: Id,
    below: Vec<Id>,
    /// One for each cache.
    pages: Vec<u32>,
    used: u64,
    depth: usize,
}

impl Prefixes {
    pub fn new() -> Prefixes {
        Prefixes { blocks: vec![Block::default()], gone: Vec::new(), clock: 0 }
    }

    /// A sequence with as much of the prompt as is there, but for its last token, whose logits are
    /// needed.
    pub fn open(&mut self, pages: &mut Pages, owner: &Owner, prompt: &[u32]) -> Sequence {
        let mut opened = match self.root_of(owner) {
            Some(root) => self.open_below(root, pages, prompt),
            None => Sequence::default(),
        };
        opened.owner.clone_from(owner);
        opened
    }

    fn open_below(&mut self, root: Id, pages: &mut Pages, prompt: &[u32]) -> Sequence {
        let wanted = &prompt[..prompt.len().saturating_sub(1)];
        let blocks = self.find(root, wanted);
        self.clock += 1;
        for depth in (0..=blocks.len()).rev() {
            let chain = &blocks[..depth];
            let above = chain.last().copied().unwrap_or(root);
            let parts = self.parts(above, &wanted[depth * PAGE..]);
            let part = parts.into_iter().find(|part| self.can_part(pages, chain, *part));
            if part.is_none() && !self.can_end(pages, chain) {
                continue;
            }
            let len = depth * PAGE + part.map_or(0, |(_, len)| len);
            for id in chain.iter().copied().chain(part.map(|(id, _)| id)) {
                self.blocks[id].used = self.clock;
            }
            let chain: Vec<&[u32]> = chain.iter().map(|id| &self.blocks[*id].pages[..]).collect();
            let part = part.map(|(id, _)| &self.blocks[id].pages[..]);
            return pages.begin(&wanted[..len], &chain, part);
        }
        Sequence::default()
    }

    /// Keeps the full blocks of a sequence, and with `rest` what is left behind them: then nothing
    /// may be added to the sequence any more.
    pub fn keep(&mut self, pages: &mut Pages, sequence: &Sequence, rest: bool) {
        self.clock += 1;
        let root = self.root_of(&sequence.owner);
        let root = root.unwrap_or_else(|| {
            let root = self.add(ROOT, &[], 0);
            self.blocks[root].owner.clone_from(&sequence.owner);
            root
        });
        self.keep_below(root, pages, sequence, rest);
        // There may have been nothing to keep.
        self.clear_away(root);
    }

    fn keep_below(&mut self, root: Id, pages: &mut Pages, sequence: &Sequence, rest: bool) {
        let mut above = root;
        for (i, tokens) in sequence.tokens().chunks(PAGE).enumerate() {
            if tokens.len() < PAGE && !rest {
                return;
            }
            let own = pages.of_block(sequence, i, i * PAGE + tokens.len());
            let below = self.blocks[above].below.iter().copied();
            let same = below.clone().find(|id| *self.blocks[*id].tokens == *tokens);
            let id = same.unwrap_or_else(|| self.add(above, tokens, own.len()));
            self.blocks[id].used = self.clock;
            for (cache, (kept, page)) in self.blocks[id].pages.iter_mut().zip(own).enumerate() {
                if *kept == NONE && page != NONE {
                    pages.share(cache, page);
                    *kept = page;
                }
            }
            above = id;
        }
    }

    /// Gives back the pages of the block that was not used for the longest time, of those that have
    /// a page that nobody else uses; says whether there was one.
    pub fn forget_one(&mut self, pages: &mut Pages) -> bool {
        let idle = |block: &Block| {
            let mut own = block.pages.iter().enumerate().filter(|(_, page)| **page != NONE);
            own.any(|(cache, page)| pages.users(cache, *page) == 1)
        };
        let ids = (1..self.blocks.len()).filter(|id| idle(&self.blocks[*id]));
        // Of a chain the last goes first: without it, the others are of use.
        let age = |id: &Id| (self.blocks[*id].used, Reverse(self.blocks[*id].depth));
        let Some(oldest) = ids.min_by_key(age) else { return false };
        pages.give_back(&self.blocks[oldest].pages);
        self.blocks[oldest].pages.fill(NONE);
        self.clear_away(oldest);
        true
    }

    /// Removes blocks that have nothing and that nothing stands on.
    fn clear_away(&mut self, from: Id) {
        let mut id = from;
        while id != ROOT {
            let Block { above, below, pages, .. } = &self.blocks[id];
            if !below.is_empty() || pages.iter().any(|page| *page != NONE) {
                return;
            }
            let above = *above;
            self.blocks[id] = Block::default();
            self.blocks[above].below.retain(|other| *other != id);
            self.gone.push(id);
            id = above;
        }
    }

    /// How many blocks there are.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.blocks.len() - self.gone.len() - 1
    }

    /// The pages of all blocks.
    #[cfg(test)]
    pub fn all_pages(&self) -> impl Iterator<Item = &[u32]> {
        self.blocks.iter().map(|block| &block.pages[..])
    }

    /// Above the blocks that begin this owner's sequences, if there are any.
    fn root_of(&self, owner: &Owner) -> Option<Id> {
        let mut roots = self.blocks[ROOT].below.iter().copied();
        match owner {
            None => Some(ROOT),
            Some(_) => roots.find(|id| self.blocks[*id].owner == *owner),
        }
    }

    fn add(&mut self, above: Id, tokens: &[u32], caches: usize) -> Id {
        let block = Block {
            owner: None,
            tokens: tokens.into(),
            above,
            below: Vec::new(),
            pages: vec![NONE; caches],
            used: self.clock,
            depth: self.blocks[above].depth + 1,
        };
        let id = self.gone.pop().unwrap_or_else(|| {
            self.blocks.push(Block::default());
            self.blocks.len() - 1
        });
        self.blocks[id] = block;
        self.blocks[above].below.push(id);
        id
    }

    /// Full blocks, all of whose tokens are wanted.
    fn find(&self, root: Id, wanted: &[u32]) -> Vec<Id> {
        let (mut blocks, mut above) = (Vec::new(), root);
        for tokens in wanted.chunks_exact(PAGE) {
            let mut below = self.blocks[above].below.iter();
            let Some(id) = below.find(|id| *self.blocks[**id].tokens == *tokens) else { break };
            blocks.push(*id);
            above = *id;
        }
        blocks
    }

    /// Blocks below of whose tokens some are wanted, and how many; the longest first, and of equal
    /// ones the first, so that the order of the blocks decides.
    fn parts(&self, above: Id, wanted: &[u32]) -> Vec<(Id, usize)> {
        let common = |id: &Id| {
            let both = self.blocks[*id].tokens.iter().zip(wanted);
            (*id, both.take_while(|(a, b)| a == b).count())
        };
        let below = self.blocks[above].below.iter();
        let mut parts: Vec<_> = below.map(common).filter(|(_, len)| *len > 0).collect();
        parts.sort_by_key(|(_, len)| Reverse(*len));
        parts
    }

    /// Whether all that a row behind these blocks needs is there.
    fn can_end(&self, pages: &Pages, chain: &[Id]) -> bool {
        pages.keeps().enumerate().all(|(cache, keeps)| {
            let there = |id: &Id| self.blocks[*id].pages[cache] != NONE;
            match keeps {
                Keeps::All => chain.iter().all(there),
                Keeps::Last(last) => chain[seen(chain.len() * PAGE, last)].iter().all(there),
                Keeps::State => chain.last().is_none_or(there),
            }
        })
    }

    /// Whether a sequence can go on within a block behind these: a state is there for its end only,
    /// and then those of these blocks are not needed.
    fn can_part(&self, pages: &Pages, chain: &[Id], (id, len): (Id, usize)) -> bool {
        let (block, end) = (&self.blocks[id], chain.len() * PAGE + len);
        pages.keeps().enumerate().all(|(cache, keeps)| {
            let there = |id: &Id| self.blocks[*id].pages[cache] != NONE;
            let own = block.pages[cache] != NONE;
            match keeps {
                Keeps::All => own && chain.iter().all(there),
                Keeps::Last(last) => {
                    let before = seen(end, last).start.min(chain.len());
                    own && chain[before..].iter().all(there)
                }
                Keeps::State => own && len == block.tokens.len(),
            }
        })
    }
}
