//! Rules that are any regular expression, on an engine whose time is linear in the text.
//!
//! The one look-ahead that published patterns use, `\s+(?!\S)|\s+`, is done by hand: the engine
//! matches `\s+`, and the last character is given back when a word follows. Any other look-around
//! is an error, because an engine that backtracks can be made to run for ever.

use regex_automata::Input;
use regex_automata::meta::Regex;
use regex_automata::util::syntax;

use crate::tokenizer::error::Error;

/// What becomes of matches, in the words of `tokenizer.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tokenizer) enum Behavior {
    Removed,
    Isolated,
    MergedWithPrevious,
    MergedWithNext,
    Contiguous,
}

/// A pattern and what becomes of its matches.
pub(in crate::tokenizer) struct General {
    regex: Regex,
    /// Which alternative is white space that may have to give back its last character.
    spaces: Option<usize>,
    behavior: Behavior,
    /// What the pattern does not match counts as matched, and the reverse.
    invert: bool,
}

const SPACES: &str = r"\s+(?!\S)|\s+";
const MOST_PATTERN_BYTES: usize = 16 << 10;
const MOST_ENGINE_BYTES: usize = 8 << 20;

impl General {
    pub(in crate::tokenizer) fn new(
        pattern: &str,
        behavior: Behavior,
        invert: bool,
    ) -> Result<General, Error> {
        let (regex, spaces) = compile(pattern)?;
        Ok(General { regex, spaces, behavior, invert })
    }

    /// The first match at or after a place.
    pub(in crate::tokenizer) fn find(&self, text: &str, at: usize) -> Option<(usize, usize)> {
        let found = self.regex.find_iter(Input::new(text).range(at..)).find(|m| !m.is_empty())?;
        let (start, mut end) = (found.start(), found.end());
        if self.spaces == Some(found.pattern().as_usize()) && end < text.len() {
            let last = text[start..end].chars().next_back().map_or(0, char::len_utf8);
            if end - last > start {
                end -= last;
            }
        }
        Some((start, end))
    }

    pub(super) fn cut<'a>(&self, text: &'a str, part: &mut dyn FnMut(&'a str)) {
        let mut parts = Parts { text, behavior: self.behavior, held: None, part };
        let mut at = 0;
        while let Some((start, end)) = self.find(text, at) {
            parts.add(at, start, self.invert);
            parts.add(start, end, !self.invert);
            at = end;
        }
        parts.add(at, text.len(), self.invert);
        parts.finish();
    }
}

/// Applies a behaviour to the alternation of matches and the rest.
struct Parts<'a, 'p> {
    text: &'a str,
    behavior: Behavior,
    /// A part that may still grow, and whether its last piece was a match.
    held: Option<(usize, usize, bool)>,
    part: &'p mut dyn FnMut(&'a str),
}

impl Parts<'_, '_> {
    fn add(&mut self, start: usize, end: usize, matched: bool) {
        if start == end || matched && self.behavior == Behavior::Removed {
            return;
        }
        if let Some((from, _, last)) = self.held {
            let joins = match self.behavior {
                Behavior::MergedWithPrevious => matched && !last,
                Behavior::MergedWithNext => !matched && last,
                Behavior::Contiguous => matched == last,
                Behavior::Removed | Behavior::Isolated => false,
            };
            if joins {
                self.held = Some((from, end, matched));
                return;
            }
            self.finish();
        }
        self.held = Some((start, end, matched));
    }

    fn finish(&mut self) {
        if let Some((start, end, _)) = self.held.take() {
            (self.part)(&self.text[start..end]);
        }
    }
}

fn compile(pattern: &str) -> Result<(Regex, Option<usize>), Error> {
    let wrong = |reason: &str| Error::Pattern {
        pattern: pattern.chars().take(200).collect(),
        reason: reason.to_owned(),
    };
    if pattern.len() > MOST_PATTERN_BYTES {
        return Err(wrong("too long"));
    }
    if is_possessive(pattern) {
        return Err(wrong("possessive quantifiers are not supported"));
    }
    let (list, spaces) = alternatives(pattern);
    let config = Regex::config().nfa_size_limit(Some(MOST_ENGINE_BYTES));
    // `^` and `$` mean lines in the engine these patterns were written for.
    let syntax = syntax::Config::new().multi_line(true);
    let regex = Regex::builder().configure(config).syntax(syntax).build_many(&list);
    regex.map(|regex| (regex, spaces)).map_err(|error| {
        let cause = error.syntax_error().map_or_else(|| error.to_string(), ToString::to_string);
        wrong(cause.lines().next_back().unwrap_or("does not parse"))
    })
}

/// The pattern as alternatives in order of preference, one of which may be the white space.
fn alternatives(pattern: &str) -> (Vec<&str>, Option<usize>) {
    let Some(at) = pattern.find(SPACES) else { return (vec![pattern], None) };
    let before = &pattern[..at];
    let after = &pattern[at + SPACES.len()..];
    // Only at the top level does the text of the pattern say what the alternatives are.
    let top = balanced(before) && balanced(after);
    let bounded = (before.is_empty() || before.ends_with('|'))
        && (after.is_empty() || after.starts_with('|'));
    if !top || !bounded {
        return (vec![pattern], None);
    }
    let mut list = Vec::new();
    list.extend(before.strip_suffix('|'));
    let spaces = list.len();
    list.push(r"\s+");
    list.extend(after.strip_prefix('|'));
    (list, Some(spaces))
}

/// Whether every group that opens also closes.
fn balanced(pattern: &str) -> bool {
    let mut depth = 0_i32;
    for (_, c) in outside_classes(pattern) {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

fn is_possessive(pattern: &str) -> bool {
    let mut last = (usize::MAX, ' ');
    for (at, c) in outside_classes(pattern) {
        if c == '+' && last.0.wrapping_add(1) == at && matches!(last.1, '?' | '+' | '*' | '}') {
            return true;
        }
        last = (at, c);
    }
    false
}

/// The characters with a meaning of their own: not escaped, and not in brackets.
fn outside_classes(pattern: &str) -> impl Iterator<Item = (usize, char)> {
    let (mut escaped, mut name, mut depth) = (false, false, 0_usize);
    pattern.char_indices().filter(move |&(at, c)| {
        let plain = !escaped && !name && depth == 0;
        match c {
            _ if escaped => {
                escaped = false;
                name = pattern[at + c.len_utf8()..].starts_with('{'); // \p{L}
            }
            _ if name => name = c != '}',
            '\\' => escaped = true,
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        plain && !matches!(c, '\\' | '[')
    })
}

/// The pattern that matches this text and nothing else.
pub(in crate::tokenizer) fn literal(text: &str) -> String {
    text.chars().map(|c| format!("\\x{{{:x}}}", c as u32)).collect()
}
