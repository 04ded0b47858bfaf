//! Atoms: what a passage has whole. A heading, a sentence, or what of it stands on one line.

use std::ops::Range;

use super::shape::{Lines, Shape, is_fence, is_underline};
use crate::document::{Document, Kind};

/// What is before an atom, from the worst place to cut to the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// A heading, which must not stay behind alone.
    BelowHeading,
    /// A word of the same sentence, which was too long.
    Word,
    /// A line that ends within a sentence, or is none.
    Line,
    Sentence,
    /// The end of an item of a list, or of a row.
    Item,
    Blank,
    Heading,
}

/// A part of a document's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Atom {
    pub(super) range: Range<usize>,
    pub(super) size: usize,
    pub(super) before: Place,
    /// The level, if it is a heading.
    pub(super) heading: Option<usize>,
}

/// How large things may be, in words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) passage: usize,
    /// The headings that are repeated. An atom is at most half a passage, a heading that is held
    /// with it a quarter, so that there is always room.
    pub(super) context: usize,
    atom: usize,
    heading: usize,
}

/// A word of more bytes counts as several, as it does for a model.
const BYTES_OF_WORD: usize = 16;

impl Sizes {
    pub(super) fn of(most_words: usize) -> Sizes {
        let passage = most_words.max(8);
        Sizes { passage, context: passage / 4, atom: passage / 2, heading: (passage / 4).min(24) }
    }
}

/// Tells of each atom of a document in turn.
pub(super) fn each(document: &Document, sizes: Sizes, mut take: impl FnMut(Atom)) {
    let text = document.body.text();
    let mut reader = Reader { kind: document.kind, sizes, place: Place::Blank, is_fenced: false };
    let (mut before, mut at) = ("", 0);
    let mut lines = text.split('\n').peekable();
    while let Some(line) = lines.next() {
        let after = lines.peek().copied().unwrap_or_default();
        let mut end = at + line.len();
        let shape = reader.shape(&Lines { before, line, after });
        before = line;
        let is_underlined = matches!(shape, Shape::Heading(_)) && is_underline(after);
        if is_underlined && let Some(underline) = lines.next() {
            end += 1 + underline.len();
        }
        reader.line(text, at..end, shape, &mut take);
        at = end + 1;
    }
}

struct Reader {
    kind: Kind,
    sizes: Sizes,
    /// What is before the next atom.
    place: Place,
    is_fenced: bool,
}

impl Reader {
    fn shape(&mut self, lines: &Lines) -> Shape {
        let was_fenced = self.is_fenced;
        if self.kind == Kind::Markdown && is_fence(lines.line) {
            self.is_fenced = !was_fenced;
        }
        match lines.shape(self.kind) {
            Shape::Heading(_) if size_of(lines.line) > self.sizes.heading => Shape::Text,
            Shape::Heading(_) | Shape::Item if was_fenced => Shape::Text,
            shape => shape,
        }
    }

    fn line(&mut self, text: &str, range: Range<usize>, shape: Shape, take: &mut impl FnMut(Atom)) {
        match shape {
            Shape::Blank if self.place != Place::BelowHeading => {
                self.place = if self.is_fenced { Place::Line } else { Place::Blank };
            }
            Shape::Blank => {}
            Shape::Heading(level) => {
                let below = self.place == Place::BelowHeading;
                let before = if below { Place::BelowHeading } else { Place::Heading };
                let size = size_of(&text[range.clone()]);
                take(Atom { range, size, before, heading: Some(level) });
                self.place = Place::BelowHeading;
            }
            Shape::Item | Shape::Text => {
                if shape == Shape::Item && self.place != Place::BelowHeading {
                    self.place = self.place.max(Place::Item);
                }
                self.sentences(text, range, take);
                if shape == Shape::Item {
                    self.place = self.place.max(Place::Sentence);
                }
            }
        }
    }

    /// Leaves behind what is before the line that follows.
    fn sentences(&mut self, text: &str, range: Range<usize>, take: &mut impl FnMut(Atom)) {
        let mut start = range.start;
        while start < range.end {
            let rest = &text[start..range.end];
            let (length, is_ended) = first_sentence(rest);
            self.pieces(rest[..length].trim_end(), start, take);
            self.place = if is_ended { Place::Sentence } else { Place::Line };
            start += length;
        }
    }

    /// A sentence, in several atoms if it is too long.
    fn pieces(&mut self, sentence: &str, start: usize, take: &mut impl FnMut(Atom)) {
        let mut at = 0;
        while at < sentence.len() {
            let (length, size) = fitting(&sentence[at..], self.sizes.atom);
            let range = start + at..start + at + length;
            take(Atom { range, size, before: self.place, heading: None });
            self.place = Place::Word;
            at += length;
        }
    }
}

/// The bytes of the first sentence with what is blank after it, and whether it has an end.
fn first_sentence(text: &str) -> (usize, bool) {
    let mut ends = text.match_indices(['.', '!', '?', '…']).map(|(at, mark)| at + mark.len());
    let end = ends.find_map(|end| sentence_end(text, end));
    match end {
        Some(end) => (end, true),
        None => (text.len(), false),
    }
}

/// Where the next sentence begins if the mark before `at` ends one.
fn sentence_end(text: &str, at: usize) -> Option<usize> {
    let is_closing = |c: char| matches!(c, '"' | '\'' | ')' | ']' | '”' | '“' | '’' | '»' | '«');
    let after = text[at..].trim_start_matches(is_closing);
    let next = after.trim_start();
    let is_apart = next.is_empty() || next.len() < after.len();
    let is_new = next.chars().next().is_none_or(|c| !c.is_lowercase());
    let ends =
        is_apart && is_new && !(text[..at].ends_with('.') && is_abbreviated(&text[..at - 1]));
    ends.then(|| text.len() - next.len())
}

/// Words before a full stop that ends no sentence.
const ABBREVIATIONS: [&str; 24] = [
    "abs", "art", "bzw", "ca", "co", "dr", "evtl", "fig", "fr", "ggf", "hr", "inkl", "mr", "mrs",
    "ms", "no", "nr", "prof", "st", "str", "tel", "vgl", "vs", "zzgl",
];

/// Whether what ends here is an abbreviation, a letter alone (`z. B.`) or a day (`3. Mai`).
fn is_abbreviated(before: &str) -> bool {
    // Longer words are none, and need not be looked at to their beginning.
    let mut length = 0;
    for character in before.chars().rev().take_while(|c| c.is_alphanumeric()) {
        length += character.len_utf8();
        if length > 8 {
            return false;
        }
    }
    let word = &before[before.len() - length..];
    let is_letter = word.chars().count() == 1;
    let is_day = length <= 2 && word.bytes().all(|byte| byte.is_ascii_digit()) && length > 0;
    is_letter || is_day || ABBREVIATIONS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// How much of a text fits, at least a character, in bytes and in words.
fn fitting(text: &str, room: usize) -> (usize, usize) {
    // No more is looked at, so that a word without end does not take time without end.
    let text = &text[..text.floor_char_boundary(room * BYTES_OF_WORD)];
    let (mut at, mut size) = (0, 0);
    while at < text.len() {
        let (length, cost) = first_run(&text[at..]);
        if size + cost > room {
            break;
        }
        (at, size) = (at + length, size + cost);
    }
    (at, size)
}

/// The bytes of what is blank, or of the word, that a text begins with, and how much it counts.
fn first_run(text: &str) -> (usize, usize) {
    let is_blank = text.starts_with(char::is_whitespace);
    let length = text.find(|c: char| c.is_whitespace() != is_blank).unwrap_or(text.len());
    let cost = if is_blank { length / BYTES_OF_WORD } else { length.div_ceil(BYTES_OF_WORD) };
    (length, cost)
}

fn size_of(text: &str) -> usize {
    let (mut rest, mut size) = (text, 0);
    while !rest.is_empty() {
        let (length, cost) = first_run(rest);
        size += cost;
        rest = &rest[length..];
    }
    size
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(text: &str) -> Vec<&str> {
        let (mut rest, mut found) = (text, Vec::new());
        while !rest.is_empty() {
            let (length, _) = first_sentence(rest);
            found.push(rest[..length].trim_end());
            rest = &rest[length..];
        }
        found
    }

    #[test]
    fn sentences_end_where_a_reader_ends_them() {
        let text = "Dr. Maier kommt am 3. Mai, z. B. um 9.30 Uhr. \"Gut!\" Sie (Nr. 5) sagt: ja. \
                    Is it? e.g. this. Ja… Über 1.5 Mio. sind es.";
        let expected = [
            "Dr. Maier kommt am 3. Mai, z. B. um 9.30 Uhr.",
            "\"Gut!\"",
            "Sie (Nr. 5) sagt: ja.",
            "Is it? e.g. this.",
            "Ja…",
            "Über 1.5 Mio. sind es.",
        ];
        assert_eq!(sentences(text), expected);
        assert_eq!(first_sentence("no end"), (6, false));
        assert_eq!(first_sentence("an end."), (7, true));
    }

    #[test]
    fn long_words_and_long_blanks_count_as_several() {
        assert_eq!(size_of("two words"), 2);
        assert_eq!(size_of(&"x".repeat(33)), 3);
        assert_eq!(size_of(&format!("a{}b", " ".repeat(40))), 4);
        assert_eq!(fitting(&"ä".repeat(100), 2), (32, 2));
        assert_eq!(fitting("one two three", 2), (8, 2));
    }
}
