//! WordPiece: a word is cut from the left into the longest pieces there are.

use std::collections::HashMap;

/// A vocabulary of word beginnings and continuations.
pub(super) struct WordPiece {
    starts: HashMap<Box<str>, u32>,
    continuations: HashMap<Box<str>, u32>,
    unknown: u32,
    /// Longer words are unknown.
    most_chars: usize,
    /// Bytes of the longest piece.
    longest: usize,
}

impl WordPiece {
    pub(super) fn new(unknown: u32, most_chars: usize) -> WordPiece {
        let (starts, continuations) = (HashMap::new(), HashMap::new());
        WordPiece { starts, continuations, unknown, most_chars, longest: 0 }
    }

    /// Adds a piece, which must not be empty.
    pub(super) fn insert(&mut self, piece: &str, continues: bool, id: u32) {
        let pieces = if continues { &mut self.continuations } else { &mut self.starts };
        pieces.insert(piece.into(), id);
        self.longest = self.longest.max(piece.len());
    }

    /// Appends the ids of one word; one unknown token when some part of it has none.
    pub(super) fn encode(&self, word: &str, ids: &mut Vec<u32>) {
        let before = ids.len();
        if word.chars().nth(self.most_chars).is_some() || !self.cut(word, ids) {
            ids.truncate(before);
            ids.push(self.unknown);
        }
    }

    fn cut(&self, word: &str, ids: &mut Vec<u32>) -> bool {
        let mut rest = word;
        while !rest.is_empty() {
            let pieces = if rest.len() == word.len() { &self.starts } else { &self.continuations };
            let ends = (1..=rest.len().min(self.longest)).rev();
            let mut found = ends.filter_map(|end| Some((end, *pieces.get(rest.get(..end)?)?)));
            let Some((end, id)) = found.next() else { return false };
            ids.push(id);
            rest = &rest[end..];
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_piece_wins_and_gaps_make_the_word_unknown() {
        let mut model = WordPiece::new(9, 8);
        for (id, (piece, continues)) in
            (0..).zip([("un", false), ("u", false), ("able", true), ("a", true), ("b", true)])
        {
            model.insert(piece, continues, id);
        }
        for (word, expected) in [
            ("unable", vec![0, 2]),
            ("unab", vec![0, 3, 4]),
            ("ua", vec![1, 3]),
            ("unx", vec![9]),
            ("able", vec![9]),
            ("ubbbbbbb", vec![1, 4, 4, 4, 4, 4, 4, 4]),
            ("ubbbbbbbb", vec![9]),
        ] {
            let mut ids = Vec::new();
            model.encode(word, &mut ids);
            assert_eq!(ids, expected, "{word}");
        }
    }
}
