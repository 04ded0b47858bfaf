//! A map from characters to ids, as pages of 256, and the seams where no token crosses.

use super::pairs::Pairs;
use super::vocab::Vocab;

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

/// The character that is the whole piece.
pub(super) fn single(piece: &str) -> Option<char> {
    let mut chars = piece.chars();
    chars.next().filter(|_| chars.next().is_none())
}

/// Cuts text where no token of the vocabulary has the two neighbouring characters side by side.
///
/// A join yields a token, so no join crosses such a place: the parts can be encoded one by one
/// with the same result. This is what makes vocabularies without words of their own fast.
/// Characters that are no tokens stay together, because a run of them may be one unknown token.
pub(super) struct Seams {
    inside: Pairs<()>,
    tokens: CharMap,
}

impl Seams {
    /// The seams between all pieces, since a join may yield any of them.
    pub(super) fn of(vocab: &Vocab) -> Seams {
        Seams::new(vocab.iter().map(|(_, piece, _)| piece))
    }

    fn new<'a>(pieces: impl Iterator<Item = &'a str>) -> Seams {
        let (mut pairs, mut tokens) = (Vec::new(), CharMap::default());
        for piece in pieces {
            if let Some(c) = single(piece) {
                tokens.insert(c, 0);
            }
            let neighbours = piece.chars().zip(piece.chars().skip(1));
            pairs.extend(neighbours.map(|(left, right)| (left as u32, right as u32, ())));
        }
        pairs.sort_unstable();
        pairs.dedup();
        Seams { inside: Pairs::new(&pairs), tokens }
    }

    /// Hands out the parts of the text.
    pub(super) fn cut<'a>(&self, text: &'a str, mut part: impl FnMut(&'a str)) {
        let mut chars = text.char_indices();
        let Some((mut start, mut left)) = chars.next() else { return };
        for (at, right) in chars {
            let inside = || self.inside.get(left as u32, right as u32).is_some();
            let unknown = || self.tokens.get(left).or(self.tokens.get(right)).is_none();
            if !inside() && !unknown() {
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
        let seams = Seams::new(["▁the", "ab", "bc", "▁", "a", "c"].into_iter());
        let mut parts = Vec::new();
        seams.cut("▁the▁abcab", |part| parts.push(part));
        assert_eq!(parts, ["▁the", "▁", "abc", "ab"]);
        parts.clear();
        seams.cut("axyc", |part| parts.push(part));
        assert_eq!(parts, ["a", "xy", "c"]);
        seams.cut("", |_| panic!("there is nothing"));
    }
}
