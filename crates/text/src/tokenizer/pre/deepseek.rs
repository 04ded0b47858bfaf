//! The classes and rules of DeepSeek's vocabularies, which cut in several steps.

use super::deepseek_table::LETTERS;
use super::reader::{Reader, is_break};
use super::runs::Run;
use super::{Found, Rule, Splitter};
use crate::tokenizer::unicode::{LETTER, MARK, NUMBER, PUNCTUATION, SPACE, SYMBOL, Set};

/// `[\r\n]`, `\s?[letters]+`, `\s?[punctuation]+`, `\s+$`, `[han, …]+`, single digits.
pub(super) fn llm() -> Vec<Splitter> {
    [
        Run::single(line_break),
        Run::after_space(cased_letter),
        Run::after_space(punctuation),
        Run::at_end(space),
        Run::of(eastern),
        Run::single(number),
    ]
    .map(Splitter::Run)
    .into()
}

/// `[\r\n]`, `\s?\p{L}+`, `\s?\p{P}+`, `[han, …]+`, single digits.
pub(super) fn coder() -> Vec<Splitter> {
    [
        Run::single(line_break),
        Run::after_space(letter),
        Run::after_space(unicode_punctuation),
        Run::of(eastern),
        Run::single(number),
    ]
    .map(Splitter::Run)
    .into()
}

/// `\p{N}{1,3}`, `[han, kana]+`, then `Script`.
pub(super) fn v3() -> Vec<Splitter> {
    vec![
        Splitter::Run(Run { most: 3, ..Run::of(number) }),
        Splitter::Run(Run::of(han_or_kana)),
        Splitter::Script(Script),
    ]
}

pub(super) fn line_break(c: char, _: Set) -> bool {
    is_break(c)
}

pub(super) fn space(_: char, set: Set) -> bool {
    set.meets(SPACE)
}

pub(super) fn number(_: char, set: Set) -> bool {
    set.meets(NUMBER)
}

pub(super) fn letter(_: char, set: Set) -> bool {
    set.meets(LETTER)
}

pub(super) fn unicode_punctuation(_: char, set: Set) -> bool {
    set.meets(PUNCTUATION)
}

/// The letters with case of the Unicode version of the time.
pub(super) fn cased_letter(c: char, _: Set) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphabetic();
    }
    let range = LETTERS.partition_point(|&(_, last)| last < c);
    LETTERS.get(range).is_some_and(|&(first, _)| first <= c)
}

pub(super) fn punctuation(c: char, _: Set) -> bool {
    matches!(c, '!'..='/' | ':'..='~' | '！'..='／' | '：'..='～' | '‘'..='‟' | '\u{3000}'..='。')
}

/// `[一-龥ࠀ-一가-퟿]`: Hangul, and all from U+0800 to the end of Han.
pub(super) fn eastern(c: char, _: Set) -> bool {
    matches!(c, '\u{800}'..='龥' | '가'..='\u{d7ff}')
}

pub(super) fn han_or_kana(c: char, _: Set) -> bool {
    matches!(c, '一'..='龥' | '\u{3040}'..='ゟ' | '゠'..='ヿ')
}

/// `[!-/:-@\[-`{-~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*`
/// `|\s*[\r\n]+|\s+(?!\S)|\s+`
pub(in crate::tokenizer) struct Script;

impl Rule for Script {
    fn at(&self, text: &Reader<'_>, at: usize) -> Found {
        let second = text.after(at);
        let ascii = |c: char, _| c.is_ascii_alphabetic();
        if text.char(at).is_some_and(|c| c.is_ascii_punctuation()) {
            let end = text.run_of(second, usize::MAX, ascii);
            if end > second {
                return Found::Word(end);
            }
        }
        let letters = LETTER.or(MARK);
        let free =
            !text.char(at).is_some_and(is_break) && !text.is(at, LETTER.or(PUNCTUATION).or(SYMBOL));
        if free && text.is(second, letters) {
            return Found::Word(text.run(second, letters));
        }
        if text.is(at, letters) {
            return Found::Word(text.run(at, letters));
        }
        let start = if text.char(at) == Some(' ') { second } else { at };
        let marks = PUNCTUATION.or(SYMBOL);
        if text.is(start, marks) {
            let end = text.run(start, marks);
            return Found::Word(text.run_of(end, usize::MAX, |c, _| is_break(c)));
        }
        text.spaces(at, true).map_or(Found::Nothing(second), Found::Word)
    }
}
