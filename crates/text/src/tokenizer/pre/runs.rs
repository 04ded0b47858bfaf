//! Rules that match a run of one class of characters, for vocabularies that cut in several steps.

use super::reader::Reader;
use super::{Found, Rule};
use crate::tokenizer::unicode::{SPACE, Set};

/// `[class]+`, `[class]{1,most}`, `\s?[class]+` or `[class]+$`.
pub(in crate::tokenizer) struct Run {
    pub(super) class: fn(char, Set) -> bool,
    /// The fewest and the most characters of one word.
    pub(super) least: usize,
    pub(super) most: usize,
    /// One white character before the run belongs to it.
    pub(super) space: bool,
    /// Only a run that ends the text counts.
    pub(super) at_end: bool,
}

impl Run {
    pub(super) const fn of(class: fn(char, Set) -> bool) -> Run {
        Run { class, least: 1, most: usize::MAX, space: false, at_end: false }
    }

    /// Words of one character each.
    pub(super) const fn single(class: fn(char, Set) -> bool) -> Run {
        Run { most: 1, ..Run::of(class) }
    }

    pub(super) const fn after_space(class: fn(char, Set) -> bool) -> Run {
        Run { space: true, ..Run::of(class) }
    }

    pub(super) const fn at_end(class: fn(char, Set) -> bool) -> Run {
        Run { at_end: true, ..Run::of(class) }
    }
}

impl Rule for Run {
    fn at(&self, text: &Reader<'_>, at: usize) -> Found {
        let second = text.after(at);
        if self.space && text.is(at, SPACE) {
            let end = text.run_of(second, self.most, self.class);
            if end > second {
                return Found::Word(end);
            }
        }
        let end = text.run_of(at, self.most, self.class);
        match end {
            _ if end == at => Found::Nothing(second),
            _ if self.at_end && end < text.len() => Found::Nothing(end),
            // Runs that are too short are rare and shorter than `least`: no fear of the square.
            _ if text.count(at, end) < self.least => Found::Nothing(end),
            _ => Found::Word(end),
        }
    }
}
