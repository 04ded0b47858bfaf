//! The rule of o200k (GPT-4o, gpt-oss, Llama 4) and Tekken: words also end where capitals begin.

use super::reader::{Reader, is_break};
use super::{Found, Rule};
use crate::tokenizer::unicode::{LETTER, LOWER, MARK, NUMBER, SPACE, Set, TITLE, UNCASED, UPPER};

/// With `U` for `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`, `l` for `[\p{Ll}\p{Lm}\p{Lo}\p{M}]` and `C` for
/// `(?i:'s|'t|'re|'ve|'m|'ll|'d)?`: `[^\r\n\p{L}\p{N}]?U*l+C|[^\r\n\p{L}\p{N}]?U+l*C|\p{N}{1,3}`
/// `| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
pub(in crate::tokenizer) struct Cased {
    /// The most digits of one word.
    pub(super) digits: usize,
    /// Words take their contraction with them.
    pub(super) contractions: bool,
}

const NEITHER: Set = UNCASED.or(MARK);
const UPPERS: Set = UPPER.or(TITLE).or(NEITHER);
const LOWERS: Set = LOWER.or(NEITHER);

impl Rule for Cased {
    fn at(&self, text: &Reader<'_>, at: usize) -> Found {
        if let Some(end) = word(text, at) {
            let tail = if self.contractions { text.contraction(end, true) } else { None };
            return Found::Word(tail.unwrap_or(end));
        }
        if text.is(at, NUMBER) {
            let is_number = |_, set: Set| set.meets(NUMBER);
            return Found::Word(text.run_of(at, self.digits, is_number));
        }
        let start = if text.char(at) == Some(' ') { at + 1 } else { at };
        let others = LETTER.or(NUMBER).or(SPACE).not();
        if text.is(start, others) {
            let end = text.run(start, others);
            return Found::Word(text.run_of(end, usize::MAX, |c, _| is_break(c) || c == '/'));
        }
        Found::Word(text.spaces(at, true).unwrap_or_else(|| text.after(at)))
    }
}

/// The first two alternatives, each with and then without the character before the letters.
fn word(text: &Reader<'_>, at: usize) -> Option<usize> {
    let second = text.after(at);
    let free = !text.char(at).is_some_and(is_break) && !text.is(at, LETTER.or(NUMBER));
    let led = |rule: fn(&Reader<'_>, usize) -> Option<usize>| {
        let with_lead = if free { rule(text, second) } else { None };
        with_lead.or_else(|| rule(text, at))
    };
    led(lower_word).or_else(|| led(upper_word))
}

/// `U*l+`
fn lower_word(text: &Reader<'_>, at: usize) -> Option<usize> {
    let capitals = text.run(at, UPPERS);
    let end = text.run(capitals, LOWERS);
    if end > capitals {
        return Some(end);
    }
    // Give back capitals up to the last character that is of both kinds.
    let mut end = None;
    let mut place = at;
    while place < capitals {
        let next = text.after(place);
        if text.is(place, NEITHER) {
            end = Some(next);
        }
        place = next;
    }
    end
}

/// `U+l*`
fn upper_word(text: &Reader<'_>, at: usize) -> Option<usize> {
    let capitals = text.run(at, UPPERS);
    (capitals > at).then(|| text.run(capitals, LOWERS))
}
