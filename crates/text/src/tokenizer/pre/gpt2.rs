//! The rule of GPT-2: words with the space before them, numbers, the rest.

use super::reader::Reader;
use super::{Found, Rule};
use crate::tokenizer::unicode::{LETTER, NUMBER, SPACE};

/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
pub(in crate::tokenizer) struct Gpt2;

impl Rule for Gpt2 {
    fn at(&self, text: &Reader<'_>, at: usize) -> Found {
        if let Some(end) = text.contraction(at, false) {
            return Found::Word(end);
        }
        let start = if text.char(at) == Some(' ') { at + 1 } else { at };
        for set in [LETTER, NUMBER, SPACE.or(LETTER).or(NUMBER).not()] {
            if text.is(start, set) {
                return Found::Word(text.run(start, set));
            }
        }
        // What is left is white space.
        Found::Word(text.spaces(at, false).unwrap_or_else(|| text.after(at)))
    }
}
