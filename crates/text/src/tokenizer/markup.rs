//! Finding tokens that are written out in a text: markup, and texts that are always one token.
//!
//! The longest token that starts first wins. Markup is found only when the caller asks for it,
//! so that what a user types cannot pretend to be the template.

use aho_corasick::{AhoCorasick, MatchKind};

use super::error::Error;
use super::unicode::{Categories, LETTER, MARK, NUMBER};

/// A token to look for.
pub(super) struct Added {
    pub(super) text: String,
    pub(super) id: u32,
    /// Found only in texts whose markup counts.
    pub(super) control: bool,
    /// White space before and after it belongs to it.
    pub(super) strips: (bool, bool),
    /// Found only where no word goes on before or after it.
    pub(super) single_word: bool,
}

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Text(&'a str),
    Token(u32),
}

/// A set of tokens to look for.
pub(super) struct Markup {
    tokens: Vec<Added>,
    /// Finds all tokens, numbered as in `tokens`.
    all: Option<AhoCorasick>,
    /// Finds those that are no markup, which come first in `tokens`.
    defined: Option<AhoCorasick>,
}

impl Markup {
    pub(super) fn new(mut tokens: Vec<Added>) -> Result<Markup, Error> {
        tokens.retain(|token| !token.text.is_empty());
        tokens.sort_by_key(|token| (token.control, token.id));
        let defined = tokens.partition_point(|token| !token.control);
        let all = if defined < tokens.len() { Some(search(&tokens)?) } else { None };
        let defined = if defined > 0 { Some(search(&tokens[..defined])?) } else { None };
        Ok(Markup { tokens, all, defined })
    }

    /// Hands out the parts of a text, none of them empty.
    pub(super) fn split<'a>(&self, text: &'a str, markup: bool, mut part: impl FnMut(Part<'a>)) {
        let all = if markup { self.all.as_ref() } else { None };
        let Some(search) = all.or(self.defined.as_ref()) else {
            if !text.is_empty() {
                part(Part::Text(text));
            }
            return;
        };
        let mut done = 0;
        for found in search.find_iter(text) {
            let token = &self.tokens[found.pattern().as_usize()];
            let Some((start, end)) = token.extent(text, (found.start(), found.end())) else {
                continue;
            };
            if found.start() < done {
                continue; // The token before has taken its white space.
            }
            if start.max(done) > done {
                part(Part::Text(&text[done..start]));
            }
            part(Part::Token(token.id));
            done = end;
        }
        if done < text.len() {
            part(Part::Text(&text[done..]));
        }
    }
}

impl Added {
    /// What of the text the token takes, or `None` when it may not stand there.
    fn extent(&self, text: &str, place: (usize, usize)) -> Option<(usize, usize)> {
        let (start, end) = place;
        let (before, after) = (&text[..start], &text[end..]);
        if self.single_word
            && (before.chars().next_back().is_some_and(is_word)
                || after.chars().next().is_some_and(is_word))
        {
            return None;
        }
        let start = if self.strips.0 { before.trim_end().len() } else { start };
        let end = if self.strips.1 { text.len() - after.trim_start().len() } else { end };
        Some((start, end))
    }
}

fn is_word(c: char) -> bool {
    c == '_' || Categories::get().is(c, LETTER.or(MARK).or(NUMBER))
}

fn search(tokens: &[Added]) -> Result<AhoCorasick, Error> {
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .build(tokens.iter().map(|token| token.text.as_bytes()))
        .map_err(|error| Error::Unsupported { what: "added tokens", name: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(text: &str, id: u32, control: bool) -> Added {
        Added { text: text.to_owned(), id, control, strips: (false, false), single_word: false }
    }

    fn parts<'a>(markup: &Markup, text: &'a str, parse: bool) -> Vec<Part<'a>> {
        let mut parts = Vec::new();
        markup.split(text, parse, |part| parts.push(part));
        parts
    }

    #[test]
    fn the_first_and_longest_wins() {
        let tokens = vec![added("<a>", 1, true), added("<a><b>", 2, true), added("b", 3, false)];
        let markup = Markup::new(tokens).unwrap();
        use Part::*;
        assert_eq!(parts(&markup, "x<a><b>y", true), [Text("x"), Token(2), Text("y")]);
        assert_eq!(parts(&markup, "<a>b", true), [Token(1), Token(3)]);
        assert_eq!(parts(&markup, "<a>b", false), [Text("<a>"), Token(3)]);
        assert_eq!(parts(&markup, "", true), []);
    }

    #[test]
    fn tokens_that_take_white_space() {
        let mut mask = added("[M]", 1, true);
        mask.strips = (true, true);
        let markup = Markup::new(vec![mask, added(" y", 2, true)]).unwrap();
        use Part::*;
        assert_eq!(
            parts(&markup, "x [M]  [M] yz", true),
            [Text("x"), Token(1), Token(1), Text("yz")]
        );
        assert_eq!(parts(&markup, " [M] ", true), [Token(1)]);
    }

    #[test]
    fn tokens_that_are_whole_words() {
        let mut word = added("on", 1, true);
        word.single_word = true;
        let markup = Markup::new(vec![word]).unwrap();
        use Part::*;
        assert_eq!(parts(&markup, "on iron, on", true), [Token(1), Text(" iron, "), Token(1)]);
    }

    #[test]
    fn no_tokens_no_parts() {
        let markup = Markup::new(vec![added("", 1, true)]).unwrap();
        assert_eq!(parts(&markup, "text", true), [Part::Text("text")]);
    }
}
