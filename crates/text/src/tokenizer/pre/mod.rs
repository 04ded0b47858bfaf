//! Cutting text into words before byte pairs are joined.
//!
//! Every vocabulary was trained with its own rules, published as regular expressions. Those in
//! wide use are written out here as scanners that read each character about once; any other runs
//! on a regex engine. Text that a rule does not match stays together and goes to the next rule.

mod cased;
mod deepseek;
mod deepseek_table;
mod general;
mod gpt2;
mod names;
mod patterns;
mod reader;
mod runs;
#[cfg(test)]
mod tests;
mod words;

pub(super) use general::{Behavior, General, literal};
pub(super) use names::{by_name, names};
pub(super) use patterns::by_pattern;

use cased::Cased;
use deepseek::Script;
use gpt2::Gpt2;
use reader::Reader;
use runs::Run;
use words::Words;

use super::error::Error;

/// What a rule says about one place of the text.
enum Found {
    /// A word starts here and ends there.
    Word(usize),
    /// No word starts before that place, which is further on.
    Nothing(usize),
}

/// A rule that can be asked about any place of a text.
trait Rule {
    fn at(&self, text: &Reader<'_>, at: usize) -> Found;
}

/// One rule of cutting.
pub(super) enum Splitter {
    Gpt2(Gpt2),
    Words(Words),
    Cased(Cased),
    Run(Run),
    Script(Script),
    General(Box<General>),
}

impl Splitter {
    /// Whether every character of every text belongs to a match.
    pub(super) fn matches_everything(&self) -> bool {
        matches!(self, Splitter::Gpt2(_) | Splitter::Words(_) | Splitter::Cased(_))
    }

    fn cut<'a>(&self, text: &'a str, part: &mut dyn FnMut(&'a str)) {
        match self {
            Splitter::Gpt2(rule) => cut(rule, text, part),
            Splitter::Words(rule) => cut(rule, text, part),
            Splitter::Cased(rule) => cut(rule, text, part),
            Splitter::Run(rule) => cut(rule, text, part),
            Splitter::Script(rule) => cut(rule, text, part),
            Splitter::General(rule) => rule.cut(text, part),
        }
    }
}

/// Words between white space, with every punctuation mark on its own.
pub(super) fn bert_words() -> Result<Vec<Splitter>, Error> {
    let rules = [(r"\s+", Behavior::Removed), (r"[!-/:-@\[-`{-~\p{P}]", Behavior::Isolated)];
    let rule = |(pattern, behavior)| {
        General::new(pattern, behavior, false).map(|rule| Splitter::General(Box::new(rule)))
    };
    rules.into_iter().map(rule).collect()
}

/// Cuts by each rule in turn, the parts of the one by the next.
pub(super) fn split<'a>(steps: &[Splitter], text: &'a str, part: &mut dyn FnMut(&'a str)) {
    match steps {
        [] => part(text),
        [last] => last.cut(text, part),
        [first, rest @ ..] => first.cut(text, &mut |whole| split(rest, whole, part)),
    }
}

/// Hands out the words of one rule, and what lies between them.
fn cut<'a>(rule: &impl Rule, text: &'a str, part: &mut dyn FnMut(&'a str)) {
    let reader = Reader::new(text);
    let (mut at, mut rest) = (0, 0);
    while at < text.len() {
        match rule.at(&reader, at) {
            Found::Nothing(next) => at = next,
            Found::Word(end) => {
                if rest < at {
                    part(&text[rest..at]);
                }
                part(&text[at..end]);
                at = end;
                rest = end;
            }
        }
    }
    if rest < text.len() {
        part(&text[rest..]);
    }
}
