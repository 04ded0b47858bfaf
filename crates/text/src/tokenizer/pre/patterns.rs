//! Published patterns for which there is a scanner, to the letter.

use super::Splitter;
use super::cased::Cased;
use super::deepseek::{self, Script};
use super::gpt2::Gpt2;
use super::runs::Run;
use super::words::Words;

/// What all patterns of `Words` and `Cased` end with.
const SPACES: &str = r"|\s*[\r\n]+|\s+(?!\S)|\s+";
const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
const CONTRACTIONS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const SPELLED_CONTRACTIONS: &str = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";
const LETTERS: &str = r"|[^\r\n\p{L}\p{N}]?\p{L}+|";
const LETTERS_AND_MARKS: &str = r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|";
const OTHERS: &str = r"| ?[^\s\p{L}\p{N}]+[\r\n]*";
const OTHERS_BUT_MARKS: &str = r"| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*";
const LOWER_WORD: &str =
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+";
const UPPER_WORD: &str =
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*";
const OTHERS_OR_SLASH: &str = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*";
const SCRIPT: &str = concat!(
    r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"##,
    r"|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*",
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
);
const RUNS: [(&str, Run); 8] = [
    (r"\p{N}", Run::single(deepseek::number)),
    (r"\p{N}+", Run::of(deepseek::number)),
    (r"\p{N}{1,3}", Run { most: 3, ..Run::of(deepseek::number) }),
    (r"[\r\n]", Run::single(deepseek::line_break)),
    (r"\s?\p{L}+", Run::after_space(deepseek::letter)),
    (r"\s?\p{P}+", Run::after_space(deepseek::unicode_punctuation)),
    ("[一-龥ࠀ-一가-퟿]+", Run::of(deepseek::eastern)),
    ("[一-龥\u{3040}-ゟ゠-ヿ]+", Run::of(deepseek::han_or_kana)),
];

/// The scanner for a pattern whose matches are to be isolated.
pub(in crate::tokenizer) fn by_pattern(pattern: &str) -> Option<Splitter> {
    if pattern == GPT2 {
        return Some(Splitter::Gpt2(Gpt2));
    }
    if pattern == SCRIPT {
        return Some(Splitter::Script(Script));
    }
    if let Some((_, run)) = RUNS.into_iter().find(|(known, _)| *known == pattern) {
        return Some(Splitter::Run(run));
    }
    words(pattern).map(Splitter::Words).or_else(|| cased(pattern).map(Splitter::Cased))
}

fn words(pattern: &str) -> Option<Words> {
    let body = pattern.strip_suffix(SPACES)?;
    let body = [CONTRACTIONS, SPELLED_CONTRACTIONS].iter().find_map(|c| body.strip_prefix(c))?;
    let marks = !body.starts_with(LETTERS);
    let (start, end) =
        if marks { (LETTERS_AND_MARKS, OTHERS_BUT_MARKS) } else { (LETTERS, OTHERS) };
    let digits = digits(body.strip_prefix(start)?.strip_suffix(end)?)?;
    Some(Words { digits, marks })
}

fn cased(pattern: &str) -> Option<Cased> {
    let body = pattern.strip_suffix(SPACES)?.strip_suffix(OTHERS_OR_SLASH)?;
    let body = body.strip_prefix(LOWER_WORD)?;
    [CONTRACTIONS, SPELLED_CONTRACTIONS, ""].iter().find_map(|&tail| {
        let optional = if tail.is_empty() { "" } else { "?" };
        let body = body.strip_prefix(tail)?.strip_prefix(optional)?.strip_prefix('|')?;
        let body = body.strip_prefix(UPPER_WORD)?;
        let body = body.strip_prefix(tail)?.strip_prefix(optional)?.strip_prefix('|')?;
        Some(Cased { digits: digits(body)?, contractions: !tail.is_empty() })
    })
}

fn digits(pattern: &str) -> Option<usize> {
    match pattern {
        r"\p{N}" => Some(1),
        r"\p{N}{1,3}" => Some(3),
        r"\p{N}+" => Some(usize::MAX),
        _ => None,
    }
}
