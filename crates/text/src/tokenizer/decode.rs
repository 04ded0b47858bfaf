//! Text from tokens, whole or one token at a time.
//!
//! Bytes that are not UTF-8 become U+FFFD, in a stream just as in the whole. The first bytes of a
//! character wait for the rest of it.

use super::Tokenizer;

/// Turns tokens into text as they come.
pub struct Decoder<'a> {
    tokenizer: &'a Tokenizer,
    markup: bool,
    /// Markup that is shown all the same.
    marks: Vec<u32>,
    /// Nothing has been shown yet, and the space before the first word is not part of the text.
    at_start: bool,
    /// Bytes that may be the beginning of a character, at most three.
    waiting: Vec<u8>,
    text: String,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(tokenizer: &'a Tokenizer, markup: bool) -> Decoder<'a> {
        let at_start = tokenizer.strips_first_space;
        let (marks, waiting, text) = (Vec::new(), Vec::new(), String::new());
        Decoder { tokenizer, markup, marks, at_start, waiting, text }
    }

    /// The text goes on from an earlier one, so that a space before its first word is shown.
    #[must_use]
    pub fn continuing(mut self) -> Decoder<'a> {
        self.at_start = false;
        self
    }

    /// These pieces of markup are shown, whatever happens to the others.
    #[must_use]
    pub fn showing(mut self, marks: &[&str]) -> Decoder<'a> {
        self.marks = marks.iter().filter_map(|mark| self.tokenizer.id_of(mark)).collect();
        self
    }

    /// The text that this token completes, which may be none.
    pub fn push(&mut self, id: u32) -> &str {
        self.text.clear();
        self.append(id);
        &self.text
    }

    /// What is left at the end: U+FFFD when a character was begun and not ended.
    pub fn finish(&self) -> &'static str {
        if self.waiting.is_empty() { "" } else { "\u{fffd}" }
    }

    /// The whole text of these tokens.
    pub(super) fn all(mut self, ids: &[u32]) -> String {
        for &id in ids {
            self.append(id);
        }
        let text = std::mem::take(&mut self.text);
        text + self.finish()
    }

    fn append(&mut self, id: u32) {
        if !self.markup && self.tokenizer.is_markup(id) && !self.marks.contains(&id) {
            return;
        }
        let mut bytes = self.tokenizer.bytes_of(id);
        if bytes.is_empty() {
            return;
        }
        if std::mem::take(&mut self.at_start) && !self.tokenizer.is_markup(id) {
            bytes = bytes.strip_prefix(b" ").unwrap_or(bytes);
        }
        self.waiting.extend_from_slice(bytes);
        let mut rest = 0;
        let mut chunks = self.waiting.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            self.text.push_str(chunk.valid());
            let invalid = chunk.invalid();
            if chunks.peek().is_none() && could_go_on(invalid) {
                rest = invalid.len();
            } else if !invalid.is_empty() {
                self.text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        self.waiting.drain(..self.waiting.len() - rest);
    }
}

/// Whether these last bytes are the beginning of a character.
fn could_go_on(bytes: &[u8]) -> bool {
    str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}
