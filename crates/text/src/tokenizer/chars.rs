//! A map from characters to ids, as pages of 256, and the seams where no token crosses.

use super::pairs::Pairs;
use super::vocab::{Kind, Vocab};

/// Ids by character. Only pages in use take room.
#[derive(Default)]
pub(super) struct CharMap {
    pages: Vec<u16>, // number of a block + 1, by code point / 256
    blocks: Vec<[u32; 256]>,
}

const NONE: u32 = u32::MAX;

impl CharMap {
    pub(super) fn insert(&mut self, c: char, id: u32) {
        let page = c as usize >> 8;
        if self.pages.len() <= page {
            self.pages.resize(page + 1, 0);
        }
        if self.pages[page] == 0 {
            self.blocks.push([NONE; 256]);
            self.pages[page] = self.blocks.len() as u16; // at most 0x1100 blocks
        }
        self.blocks[usize::from(self.pages[page]) - 1][c as usize & 255] = id;
    }

    #[inline]
    pub(super) fn get(&self, c: char) -> Option<u32> {
        let block = usize::from(*self.pages.get(c as usize >> 8)?).checked_sub(1)?;
        Some(self.blocks[block][c as usize & 255]).filter(|&id| id != NONE)
    }
}

/// Cuts text where no token of the vocabulary has the two neighbouring characters side by side.
///
/// A join yields a token, so no join crosses such a place: the parts can be encoded one by one
/// with the same result. This is what makes vocabularies without words of their own fast.
pub(super) struct Seams {
    inside: Pairs<()>,
}

impl Seams {
    /// The seams between the pieces of text.
    pub(super) fn of(vocab: &Vocab) -> Seams {
        let texts = vocab.iter().filter(|&(_, _, kind)| kind == Kind::Text);
        Seams::new(texts.map(|(_, piece, _)| piece))
    }

    fn new<'a>(pieces: impl Iterator<Item = &'a str>) -> Seams {
        let mut pairs = Vec::new();
        for piece in pieces {
            let neighbours = piece.chars().zip(piece.chars().skip(1));
            pairs.extend(neighbours.map(|(left, right)| (left as u32, right as u32, ())));
        }
        pairs.sort_unstable();
        pairs.dedup();
        Seams { inside: Pairs::new(&pairs) }
    }

    /// Hands out the parts of the text.
    pub(super) fn cut<'a>(&self, text: &'a str, mut part: impl FnMut(&'a str)) {
        let mut chars = text.char_indices();
        let Some((mut start, mut left)) = chars.next() else { return };
        for (at, right) in chars {
            if self.inside.get(left as u32, right as u32).is_none() {
                part(&text[start..at]);
                start = at;
            }
            left = right;
        }
        part(&text[start..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_of_all_planes() {
        let mut map = CharMap::default();
        for (id, c) in (0..).zip(['a', 'b', 'ű', '漢', '🙂', char::MAX]) {
            assert_eq!(map.get(c), None);
            map.insert(c, id);
            assert_eq!(map.get(c), Some(id));
        }
        assert_eq!(map.get('c'), None);
    }

    #[test]
    fn text_is_cut_where_no_token_crosses() {
        let seams = Seams::new(["▁the", "ab", "bc"].into_iter());
        let mut parts = Vec::new();
        seams.cut("▁the▁abcab", |part| parts.push(part));
        assert_eq!(parts, ["▁the", "▁", "abc", "ab"]);
        seams.cut("", |_| panic!("there is nothing"));
    }
}
