//! Where a quotation stands: its file and line.

use std::fmt;
use std::sync::Arc;

use crate::passages::Passage;

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
    /// be those of the passage. `None` when the passage does not have it.
    #[must_use]
    pub fn cite(&self, quote: &str) -> Option<Citation> {
        let quote = quote.trim();
        if quote.is_empty() {
            return None;
        }
        let at = find(self.text(), quote).or_else(|| {
            let (text, places) = folded(self.text());
            let (quote, _) = folded(quote);
            find(&text, &quote).map(|at| places[at])
        })?;
        Some(Citation { document: Arc::clone(&self.document), line: self.body.line_at(at) })
    }
}

/// The first place where the quotation stands as whole words; else the first one of all, as `5` is
/// not to be found in `2025` when it stands alone further down.
fn find(text: &str, quote: &str) -> Option<usize> {
    let is_whole = |at: usize| {
        let before = text[..at].chars().next_back();
        let after = text[at + quote.len()..].chars().next();
        !splits(before, quote.chars().next()) && !splits(quote.chars().next_back(), after)
    };
    let mut places = text.match_indices(quote).map(|(at, _)| at);
    places.find(|at| is_whole(*at)).or_else(|| text.find(quote))
}

/// Whether there is no end of a word between two characters.
fn splits(left: Option<char>, right: Option<char>) -> bool {
    let is_inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    is_inside(left) && is_inside(right)
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
        passages[0].cite(quote).map(|citation| citation.to_string())
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
    fn a_folded_paragraph_of_html_keeps_its_lines() {
        let page = "<!-- one\ntwo -->\n<p>first\nsecond &amp;\n\nthird</p>";
        let line = |quote| cited(Kind::Html, page, quote);
        assert_eq!(line("first second & third").as_deref(), Some("a:3"));
        assert_eq!(line("second").as_deref(), Some("a:4"));
        assert_eq!(line("third").as_deref(), Some("a:6"));
    }
}
