//! Where a quotation stands: its file and line.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crate::passages::Passage;
use crate::words::words;

/// A place in a document, written as `file:line`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Citation {
    /// The name of the document.
    pub document: Arc<str>,
    /// The line on which the quotation begins, counted from one.
    pub line: usize,
}

impl fmt::Display for Citation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.document, self.line)
    }
}

impl Passage {
    /// Where a quotation from this passage stands in the file. Blanks and breaks of lines need not
    /// be those of the passage. Of several places it is the one whose line has most to do with the
    /// question, the first of equals. `None` when the passage does not have it.
    #[must_use]
    pub fn cite(&self, quote: &str, question: &str) -> Option<Citation> {
        let quote = quote.trim();
        if quote.is_empty() {
            return None;
        }
        let mut places = find(self.text(), quote);
        if places.is_empty() {
            let (text, origins) = folded(self.text());
            let (quote, _) = folded(quote);
            places = find(&text, &quote).into_iter().map(|at| origins[at]).collect();
        }
        let asked: BTreeSet<String> = words(question).map(|word| word.stem).collect();
        let fit = |at: usize| {
            let line = line_around(self.text(), at);
            let stems: BTreeSet<String> = words(line).map(|word| word.stem).collect();
            asked.intersection(&stems).count()
        };
        let at = places.into_iter().rev().max_by_key(|at| fit(*at))?;
        Some(Citation { document: Arc::clone(&self.document), line: self.body.line_at(at) })
    }
}

fn line_around(text: &str, at: usize) -> &str {
    let begin = text[..at].rfind('\n').map_or(0, |end| end + 1);
    text[begin..].lines().next().unwrap_or_default()
}

/// Places that are compared; a word that stands everywhere need not be cited well.
const MOST_PLACES: usize = 100;

/// The places where the quotation stands as whole words; else the first one of all, as `5` is not
/// to be found in `2025` when it stands alone further down.
fn find(text: &str, quote: &str) -> Vec<usize> {
    let is_whole = |at: &usize| {
        let (before, after) = (&text[..*at], &text[at + quote.len()..]);
        !splits(before, quote) && !splits(quote, after)
    };
    let places = text.match_indices(quote).map(|(at, _)| at);
    let whole: Vec<usize> = places.filter(is_whole).take(MOST_PLACES).collect();
    if whole.is_empty() { text.find(quote).into_iter().collect() } else { whole }
}

/// Whether there is no end of a word or of a number between two texts.
fn splits(left: &str, right: &str) -> bool {
    let (mut left, mut right) = (left.chars().rev(), right.chars());
    let (l, r) = (left.next(), right.next());
    let is = |c: Option<char>, kind: fn(char) -> bool| c.is_some_and(kind);
    let is_digit = |c: char| c.is_ascii_digit();
    let joins = |c: char| matches!(c, '.' | ',' | ':' | '/' | '-');
    let inside_word = is(l, char::is_alphanumeric) && is(r, char::is_alphanumeric);
    // As in `2.5` before or behind the point.
    let before_point = is(l, is_digit) && is(r, joins) && is(right.next(), is_digit);
    let behind_point = is(r, is_digit) && is(l, joins) && is(left.next(), is_digit);
    inside_word || before_point || behind_point
}

/// The text with single spaces for whatever is blank, and for each byte of it its place before.
fn folded(text: &str) -> (String, Vec<usize>) {
    let (mut folded, mut places) = (String::new(), Vec::new());
    for (at, character) in text.char_indices() {
        let character = if character.is_whitespace() { ' ' } else { character };
        if character != ' ' || !folded.ends_with(' ') {
            folded.push(character);
            places.resize(folded.len(), at);
        }
    }
    (folded, places)
}

#[cfg(test)]
mod tests {
    use crate::{Document, Kind};

    fn cited(kind: Kind, text: &str, quote: &str) -> Option<String> {
        let document = Document::parse("a", kind, text).unwrap();
        let passages = document.passages(100);
        passages[0].cite(quote, "").map(|citation| citation.to_string())
    }

    #[test]
    fn a_quotation_has_the_line_on_which_it_begins() {
        let text = "Founded in 2025.\nÖffnungszeiten:\n  Mo-Fr   9 Uhr\nPreis 5 €, ab\n  Mai 6 €\n";
        for (quote, line) in [
            ("Founded", 1),
            ("Öffnungszeiten", 2),
            ("5", 4),
            ("25", 1),
            ("Mo-Fr 9 Uhr", 3),
            ("ab Mai 6 €", 4),
            ("  Mai 6 € ", 5),
            ("Uhr Preis\u{a0}5 €", 3),
        ] {
            let expected = format!("a:{line}");
            assert_eq!(cited(Kind::Text, text, quote), Some(expected), "{quote}");
        }
        for quote in ["", " \n", "Sonntag", "öffnungszeiten"] {
            assert_eq!(cited(Kind::Text, text, quote), None, "{quote}");
        }
    }

    #[test]
    fn of_several_places_the_one_that_was_asked_for_is_cited() {
        let text = "Kuchen: 2.5 kg\nBrot: 9 am\nTee: 9 am\n5 Tassen, 12.5.\n";
        let document = Document::parse("a", Kind::Text, text).unwrap();
        let passages = document.passages(100);
        let line = |quote, question| passages[0].cite(quote, question).unwrap().line;
        assert_eq!(line("9 am", "Wann gibt es Tee?"), 3);
        assert_eq!(line("9 am", "Wann gibt es Brot?"), 2);
        assert_eq!(line("9 am", ""), 2);
        assert_eq!(line("5", ""), 4);
        assert_eq!(line("12.5.", ""), 4);
    }

    #[test]
    fn a_folded_paragraph_of_html_keeps_its_lines() {
        let page = "<!-- one\ntwo -->\n<p>first\nsecond &amp;\n\nthird</p>";
        let line = |quote| cited(Kind::Html, page, quote);
        assert_eq!(line("first second & third").as_deref(), Some("a:3"));
        assert_eq!(line("second").as_deref(), Some("a:4"));
        assert_eq!(line("third").as_deref(), Some("a:6"));
    }
}
