//! General categories of characters, looked up in two steps.
//!
//! Splitters ask "is this character in this set of categories" once per character, so the ranges
//! of `unicode_table` are spread at first use over pages of 256 characters, equal pages shared.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::unicode_table::RANGES;

/// A set of general categories, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Set(u32);

impl Set {
    pub(super) const EMPTY: Set = Set(0);

    const fn range(first: u32, last: u32) -> Set {
        Set((u32::MAX >> (31 - last)) & (u32::MAX << first))
    }

    pub(super) const fn or(self, other: Set) -> Set {
        Set(self.0 | other.0)
    }

    pub(super) const fn not(self) -> Set {
        Set(!self.0)
    }

    pub(super) const fn meets(self, other: Set) -> bool {
        self.0 & other.0 != 0
    }
}

// The order is that of `examples/unicode_table.rs`.
pub(super) const UPPER: Set = Set::range(1, 1);
pub(super) const LOWER: Set = Set::range(2, 2);
pub(super) const TITLE: Set = Set::range(3, 3);
pub(super) const UNCASED: Set = Set::range(4, 5); // Lm, Lo
pub(super) const LETTER: Set = Set::range(1, 5);
pub(super) const MARK_NONSPACING: Set = Set::range(6, 6);
pub(super) const MARK: Set = Set::range(6, 8);
pub(super) const NUMBER: Set = Set::range(9, 11);
pub(super) const PUNCTUATION: Set = Set::range(12, 18);
pub(super) const SYMBOL: Set = Set::range(19, 22);
/// The property White_Space: Z and the control characters from tab to return, and U+0085.
pub(super) const SPACE: Set = Set::range(23, 25).or(Set::range(30, 30));
/// Control, format and private characters, white or not.
pub(super) const OTHER: Set = Set::range(26, 30);

/// The categories of all characters.
pub(super) struct Categories {
    pages: Vec<u16>, // number of a block, by code point / 256
    blocks: Vec<[u8; 256]>,
    ascii: [Set; 128],
}

static CATEGORIES: LazyLock<Categories> = LazyLock::new(Categories::build);

impl Categories {
    pub(super) fn get() -> &'static Categories {
        &CATEGORIES
    }

    /// The one category of a character, as a set.
    #[inline]
    pub(super) fn of(&self, c: char) -> Set {
        let point = c as usize;
        if point < 128 {
            return self.ascii[point];
        }
        let block = &self.blocks[usize::from(self.pages[point >> 8])];
        Set(1 << block[point & 255])
    }

    #[inline]
    pub(super) fn is(&self, c: char, set: Set) -> bool {
        self.of(c).meets(set)
    }

    fn build() -> Categories {
        let mut found: HashMap<[u8; 256], u16> = HashMap::new();
        let mut built = Categories { pages: Vec::new(), blocks: Vec::new(), ascii: [Set(0); 128] };
        let mut range = 0;
        for page in 0..0x1100_u32 {
            let mut block = [0; 256];
            for (offset, category) in (0..).zip(&mut block) {
                let point = page << 8 | offset;
                while RANGES.get(range + 1).is_some_and(|&(start, _)| start <= point) {
                    range += 1;
                }
                *category = RANGES[range].1;
            }
            let number = *found.entry(block).or_insert_with(|| {
                built.blocks.push(block);
                built.blocks.len() as u16 - 1
            });
            built.pages.push(number);
        }
        for (set, category) in built.ascii.iter_mut().zip(built.blocks[0]) {
            *set = Set(1 << category);
        }
        built
    }
}

#[cfg(test)]
mod tests {
    use regex_automata::meta::Regex;

    use super::*;

    /// The hand-written splitters use this table, the others the regex engine's.
    #[test]
    fn agrees_with_the_regex_engine() {
        let sets = [
            (r"\p{Lu}", UPPER),
            (r"\p{Ll}", LOWER),
            (r"\p{Lt}", TITLE),
            (r"[\p{Lm}\p{Lo}]", UNCASED),
            (r"\p{L}", LETTER),
            (r"\p{Mn}", MARK_NONSPACING),
            (r"\p{M}", MARK),
            (r"\p{N}", NUMBER),
            (r"\p{P}", PUNCTUATION),
            (r"\p{S}", SYMBOL),
            (r"\s", SPACE),
        ];
        let table = Categories::get();
        for (pattern, set) in sets {
            let regex = Regex::new(&format!("^{pattern}$")).unwrap();
            // The last planes hold private characters only.
            for c in ('\0'..'\u{32000}').chain('\u{e0000}'..'\u{e0200}') {
                let expected = regex.is_match(c.encode_utf8(&mut [0; 4]).as_bytes());
                assert_eq!(table.is(c, set), expected, "{pattern} {c:?}");
            }
        }
        assert!(table.is('\u{10fffd}', OTHER) && table.is('\u{7f}', OTHER));
    }

    #[test]
    fn sets_are_their_bits() {
        assert_eq!(UPPER.or(LOWER).or(TITLE).or(UNCASED), LETTER);
        assert!(!LETTER.not().meets(LETTER) && LETTER.not().meets(SPACE));
    }
}
