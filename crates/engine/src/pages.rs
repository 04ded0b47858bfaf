//! Pages of keys and values, and the sequences that own them.
//!
//! A page holds 64 positions of all layers. A sequence owns its pages alone; a closed one gives
//! them back for the next.

use kernels::portable::attend::TILE;

/// Positions in a page.
pub(crate) const PAGE: usize = TILE;

/// The token ids of one turn, and where their keys and values are.
#[derive(Debug, Default)]
pub struct Sequence {
    tokens: Vec<u32>,
    pages: Vec<u32>,
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

    pub(crate) fn pages(&self) -> &[u32] {
        &self.pages
    }

    pub(crate) fn push(&mut self, tokens: &[u32]) {
        self.tokens.extend_from_slice(tokens);
    }
}

/// All pages of an engine.
pub(crate) struct Pages {
    pages: Vec<Box<[f32]>>,
    free: Vec<u32>,
    page_len: usize,
}

impl Pages {
    pub fn new(page_len: usize) -> Pages {
        Pages { pages: Vec::new(), free: Vec::new(), page_len }
    }

    pub fn all(&mut self) -> &mut [Box<[f32]>] {
        &mut self.pages
    }

    /// Gives a sequence pages enough for `len` positions.
    pub fn reserve(&mut self, sequence: &mut Sequence, len: usize) {
        while sequence.pages.len() < len.div_ceil(PAGE) {
            let page = self.free.pop().unwrap_or_else(|| {
                self.pages.push(vec![0.0; self.page_len].into_boxed_slice());
                (self.pages.len() - 1) as u32
            });
            sequence.pages.push(page);
        }
    }

    /// Forgets all but the first `len` tokens of a sequence.
    pub fn truncate(&mut self, sequence: &mut Sequence, len: usize) {
        sequence.tokens.truncate(len);
        let kept = sequence.tokens.len().div_ceil(PAGE).min(sequence.pages.len());
        self.free.extend(sequence.pages.drain(kept..));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_owned_by_one_sequence_and_come_back() {
        let mut pages = Pages::new(8);
        let (mut a, mut b) = (Sequence::default(), Sequence::default());
        pages.reserve(&mut a, 65);
        a.push(&[7; 65]);
        pages.reserve(&mut b, 64);
        assert_eq!((a.pages(), b.pages()), (&[0, 1][..], &[2][..]));
        pages.truncate(&mut a, 64);
        assert_eq!(a.pages(), &[0]);
        pages.reserve(&mut b, 65);
        assert_eq!(b.pages(), &[2, 1]);
        pages.truncate(&mut a, 0);
        assert_eq!(a.tokens(), &[] as &[u32]);
        assert_eq!(pages.all().len(), 3);
    }
}
