//! The rule of cl100k and its kin: Llama 3, Qwen, GLM and many more.

use super::reader::{Reader, is_break};
use super::{Found, Rule};
use crate::tokenizer::unicode::{LETTER, MARK, NUMBER, SPACE, Set};

/// `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*`
/// `|\s*[\r\n]+|\s+(?!\S)|\s+`
pub(in crate::tokenizer) struct Words {
    /// The most digits of one word.
    pub(super) digits: usize,
    /// Marks belong to words like letters: `[\p{L}\p{M}]` where the pattern has `\p{L}`.
    pub(super) marks: bool,
}

impl Words {
    fn letters(&self) -> Set {
        if self.marks { LETTER.or(MARK) } else { LETTER }
    }
}

impl Rule for Words {
    fn at(&self, text: &Reader<'_>, at: usize) -> Found {
        if let Some(end) = text.contraction(at, true) {
            return Found::Word(end);
        }
        let letters = self.letters();
        if text.is(at, letters) {
            return Found::Word(text.run(at, letters));
        }
        if text.is(at, NUMBER) {
            let is_number = |_, set: Set| set.meets(NUMBER);
            return Found::Word(text.run_of(at, self.digits, is_number));
        }
        let second = text.after(at);
        if text.is(second, letters) && !text.char(at).is_some_and(is_break) {
            return Found::Word(text.run(second, letters));
        }
        let start = if text.char(at) == Some(' ') { second } else { at };
        let others = letters.or(NUMBER).or(SPACE).not();
        if text.is(start, others) {
            let end = text.run(start, others);
            return Found::Word(text.run_of(end, usize::MAX, |c, _| is_break(c)));
        }
        Found::Word(text.spaces(at, true).unwrap_or(second))
    }
}
