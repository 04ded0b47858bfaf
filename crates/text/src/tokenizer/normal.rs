//! What is done to text before it is cut: composition, case, spaces.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, is_nfkd_quick};
use unicode_normalization::{UnicodeNormalization, is_nfc_quick, is_nfd_quick, is_nfkc_quick};

use super::error::Error;
use super::pre::General;
use super::unicode::{Categories, MARK_NONSPACING, OTHER, SPACE};

/// One change to a text.
pub(super) enum Normal {
    Nfc,
    Nfd,
    Nfkc,
    Nfkd,
    Lowercase,
    StripAccents,
    Strip { left: bool, right: bool },
    Prepend(Prepend),
    Replace { pattern: Pattern, with: String },
    Bert(Bert),
}

/// What is replaced.
pub(super) enum Pattern {
    Text(String),
    Regex(Box<General>),
}

/// Puts something before a text that is not empty.
pub(super) struct Prepend {
    pub(super) what: String,
    /// Only at the beginning of the whole input.
    pub(super) first_only: bool,
    /// Not where the text has it already.
    pub(super) unless_there: bool,
}

/// The switches of the normaliser that BERT came with.
#[derive(Clone, Copy)]
pub(super) struct Bert {
    pub(super) clean: bool,
    pub(super) chinese: bool,
    pub(super) accents: bool,
    pub(super) lowercase: bool,
}

const MOST_REPLACEMENT: usize = 16;
const MOST_STEPS: usize = 16;
const MOST_GROWING_STEPS: usize = 3;

/// Bounds how much a list from a file can make a text grow.
pub(super) fn check(list: &[Normal]) -> Result<(), Error> {
    let puts = |step: &Normal| match step {
        Normal::Replace { with, .. } => with.len(),
        Normal::Prepend(prepend) => prepend.what.len(),
        _ => 0,
    };
    let growing = list.iter().filter(|step| puts(step) > 1).count();
    let bounded = list.len() <= MOST_STEPS && growing <= MOST_GROWING_STEPS;
    if bounded && list.iter().all(|step| puts(step) <= MOST_REPLACEMENT) {
        return Ok(());
    }
    let name = format!("list of {} steps that make text grow too much", list.len());
    Err(Error::Unsupported { what: "normalizer", name })
}

/// Applies all steps. `first` says that the text begins the whole input.
pub(super) fn apply<'a>(list: &[Normal], text: &'a str, first: bool) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(text);
    for step in list {
        if let Some(changed) = step.change(&text, first) {
            text = Cow::Owned(changed);
        }
    }
    text
}

impl Normal {
    /// The changed text, or `None` when it stays as it is.
    fn change(&self, text: &str, first: bool) -> Option<String> {
        let composes = |quick: IsNormalized| quick != IsNormalized::Yes && !text.is_ascii();
        match self {
            Normal::Nfc => composes(is_nfc_quick(text.chars())).then(|| text.nfc().collect()),
            Normal::Nfd => composes(is_nfd_quick(text.chars())).then(|| text.nfd().collect()),
            Normal::Nfkc => composes(is_nfkc_quick(text.chars())).then(|| text.nfkc().collect()),
            Normal::Nfkd => composes(is_nfkd_quick(text.chars())).then(|| text.nfkd().collect()),
            Normal::Lowercase => Some(lowercase(text)),
            Normal::StripAccents => Some(without_accents(text.chars())),
            Normal::Strip { left, right } => {
                let text = if *left { text.trim_start() } else { text };
                Some(if *right { text.trim_end() } else { text }.to_owned())
            }
            Normal::Prepend(prepend) => prepend.change(text, first),
            Normal::Replace { pattern: Pattern::Text(from), with } => {
                text.contains(from.as_str()).then(|| text.replace(from.as_str(), with))
            }
            Normal::Replace { pattern: Pattern::Regex(regex), with } => replace(text, regex, with),
            Normal::Bert(bert) => Some(bert.change(text)),
        }
    }
}

impl Prepend {
    fn change(&self, text: &str, first: bool) -> Option<String> {
        let there = self.unless_there && text.starts_with(&self.what);
        let wanted = !text.is_empty() && !there && (first || !self.first_only);
        wanted.then(|| format!("{}{text}", self.what))
    }
}

impl Bert {
    fn change(self, text: &str) -> String {
        let mut text: String = text.chars().flat_map(|c| self.clean_char(c)).collect();
        if self.accents {
            text = without_accents(text.nfd());
        }
        if self.lowercase { lowercase(&text) } else { text }
    }

    /// White space becomes a space, control characters go, ideographs stand apart.
    fn clean_char(self, c: char) -> impl Iterator<Item = char> {
        let categories = Categories::get();
        let c = match c {
            _ if !self.clean => Some(c),
            '\t' | '\n' | '\r' => Some(' '),
            '\0' | char::REPLACEMENT_CHARACTER => None,
            _ if categories.is(c, OTHER) => None,
            _ if categories.is(c, SPACE) => Some(' '),
            _ => Some(c),
        };
        let apart = (self.chinese && c.is_some_and(is_ideograph)).then_some(' ');
        apart.into_iter().chain(c).chain(apart)
    }
}

fn is_ideograph(c: char) -> bool {
    matches!(u32::from(c),
        0x4e00..=0x9fff | 0x3400..=0x4dbf | 0x2_0000..=0x2_a6df | 0x2_a700..=0x2_b73f
        | 0x2_b740..=0x2_b81f | 0x2_b920..=0x2_ceaf | 0xf900..=0xfaff | 0x2_f800..=0x2_fa1f)
}

/// Character by character, so that a final sigma is like any other.
fn lowercase(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

fn without_accents(chars: impl Iterator<Item = char>) -> String {
    let categories = Categories::get();
    chars.filter(|&c| !categories.is(c, MARK_NONSPACING)).collect()
}

fn replace(text: &str, pattern: &General, with: &str) -> Option<String> {
    let (mut start, mut end) = pattern.find(text, 0)?;
    let mut result = String::with_capacity(text.len() + with.len());
    let mut done = 0;
    loop {
        result.push_str(&text[done..start]);
        result.push_str(with);
        done = end;
        let Some(next) = pattern.find(text, done) else { break };
        (start, end) = next;
    }
    result.push_str(&text[done..]);
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::super::pre::Behavior;
    use super::*;

    fn one(step: Normal, text: &str) -> String {
        apply(&[step], text, true).into_owned()
    }

    fn spaces_to(with: &str) -> Normal {
        Normal::Replace { pattern: Pattern::Text(" ".to_owned()), with: with.to_owned() }
    }

    #[test]
    fn each_step() {
        assert_eq!(one(Normal::Nfc, "e\u{301}"), "é");
        assert_eq!(one(Normal::Nfd, "é"), "e\u{301}");
        assert_eq!(one(Normal::Nfkc, "ﬁ ①"), "fi 1");
        assert_eq!(one(Normal::Lowercase, "ÉΣ"), "éσ");
        assert_eq!(one(Normal::StripAccents, "e\u{301}x"), "ex");
        assert_eq!(one(Normal::Strip { left: true, right: false }, " a "), "a ");
        assert_eq!(one(spaces_to("▁"), " a  b"), "▁a▁▁b");
        let runs = General::new(" {2,}", Behavior::Isolated, false).unwrap();
        let pattern = Pattern::Regex(Box::new(runs));
        assert_eq!(one(Normal::Replace { pattern, with: " ".to_owned() }, "  a b   "), " a b ");
        let bert = Bert { clean: true, chinese: true, accents: true, lowercase: true };
        assert_eq!(one(Normal::Bert(bert), "É\u{7f}\t漢"), "e  漢 ");
    }

    #[test]
    fn prepending_knows_where_it_is() {
        let prepend = |first_only, unless_there| {
            Normal::Prepend(Prepend { what: "▁".to_owned(), first_only, unless_there })
        };
        let steps = [prepend(true, true)];
        assert_eq!(apply(&steps, "a", true), "▁a");
        assert_eq!(apply(&steps, "a", false), "a");
        assert_eq!(apply(&steps, "▁a", true), "▁a");
        assert_eq!(apply(&[prepend(false, false)], "▁a", false), "▁▁a");
        assert_eq!(apply(&[prepend(false, false)], "", false), "");
    }

    #[test]
    fn lists_that_blow_text_up_are_errors() {
        assert!(check(&[spaces_to("▁"), spaces_to("__")]).is_ok());
        assert!(check(&[spaces_to(&"x".repeat(17))]).is_err());
        assert!(check(&[(); 4].map(|()| spaces_to("  "))).is_err());
        assert!(check(&[(); 17].map(|()| Normal::Nfc)).is_err());
    }
}
