//! Reading a text by character and category, and the turns of phrase that several rules share.

use crate::tokenizer::unicode::{Categories, SPACE, Set};

/// A text whose characters can be asked for by place.
pub(super) struct Reader<'a> {
    text: &'a str,
    categories: &'static Categories,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Reader<'a> {
        Reader { text, categories: Categories::get() }
    }

    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// How many characters there are between two places.
    pub(super) fn count(&self, at: usize, end: usize) -> usize {
        self.text[at..end].chars().count()
    }

    /// The character at a place, if the text goes on.
    #[inline]
    pub(super) fn char(&self, at: usize) -> Option<char> {
        match self.text.as_bytes().get(at) {
            Some(&byte) if byte < 128 => Some(char::from(byte)),
            Some(_) => self.text[at..].chars().next(),
            None => None,
        }
    }

    /// Its category; the empty set at the end of the text.
    #[inline]
    pub(super) fn set(&self, at: usize) -> Set {
        self.char(at).map_or(Set::EMPTY, |c| self.categories.of(c))
    }

    /// The place after the character at `at`.
    #[inline]
    pub(super) fn after(&self, at: usize) -> usize {
        at + self.char(at).map_or(0, char::len_utf8)
    }

    #[inline]
    pub(super) fn is(&self, at: usize, set: Set) -> bool {
        self.set(at).meets(set)
    }

    /// The end of the run of characters of these categories, which may be empty.
    #[inline]
    pub(super) fn run(&self, mut at: usize, set: Set) -> usize {
        while let Some(c) = self.char(at).filter(|&c| self.categories.is(c, set)) {
            at += c.len_utf8();
        }
        at
    }

    /// The end of the run of characters that pass, but of at most so many.
    #[inline]
    pub(super) fn run_of(&self, at: usize, most: usize, pass: impl Fn(char, Set) -> bool) -> usize {
        let mut end = at;
        for c in self.text[at..].chars().take(most) {
            if !pass(c, self.categories.of(c)) {
                break;
            }
            end += c.len_utf8();
        }
        end
    }

    /// The end of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d` at this place.
    ///
    /// `ſ` is a small form of `S`, so it counts where letter case does not.
    pub(super) fn contraction(&self, at: usize, any_case: bool) -> Option<usize> {
        if self.char(at) != Some('\'') {
            return None;
        }
        let fold = |c: char| match c {
            'ſ' if any_case => 's',
            _ if any_case => c.to_ascii_lowercase(),
            _ => c,
        };
        let first = self.char(at + 1)?;
        let second_at = at + 1 + first.len_utf8();
        if matches!(fold(first), 's' | 't' | 'm' | 'd') {
            return Some(second_at);
        }
        let pair = (fold(first), fold(self.char(second_at)?));
        matches!(pair, ('r', 'e') | ('v', 'e') | ('l', 'l')).then_some(second_at + 1)
    }

    /// `\s*[\r\n]+|\s+(?!\S)|\s+`: white space up to its last line break, else all but the last
    /// character, which belongs to the word behind, else all. `None` when there is none.
    pub(super) fn spaces(&self, at: usize, lines: bool) -> Option<usize> {
        let end = self.run(at, SPACE);
        let run = &self.text[at..end];
        let last_break = if lines { run.rfind(['\r', '\n']) } else { None };
        match (last_break, run.chars().next_back()) {
            (Some(place), _) => Some(at + place + 1),
            (None, Some(last)) if end < self.len() && run.len() > last.len_utf8() => {
                Some(end - last.len_utf8())
            }
            (None, Some(_)) => Some(end),
            (None, None) => None,
        }
    }
}

/// Whether a character ends a line.
pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n')
}
