//! Characters that a page writes by name or by number.

use super::entities_table::NAMES;
use crate::decode::windows_1252;

/// Longer than every name of the table.
const LONGEST: usize = 12;

/// The character that the `&` at the beginning of `text` stands for, and how many bytes it takes.
/// `None` when the `&` is only itself.
pub(super) fn decode(text: &str) -> Option<(char, usize)> {
    let after = text.strip_prefix('&')?;
    match after.strip_prefix('#') {
        Some(number) => by_number(number).map(|(character, length)| (character, length + 2)),
        None => by_name(after).map(|(character, length)| (character, length + 1)),
    }
}

fn by_name(after: &str) -> Option<(char, usize)> {
    let length = run(after.as_bytes(), LONGEST, u8::is_ascii_alphanumeric);
    let name = &after[..length];
    let at = NAMES.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
    let character = NAMES[at].1;
    if after[length..].starts_with(';') {
        return Some((character, length + 1));
    }
    // These were once allowed without an end, and old pages have them so.
    let is_old = matches!(character, '&' | '<' | '>' | '"' | '\u{a0}'..='\u{ff}');
    is_old.then_some((character, length))
}

fn by_number(after: &str) -> Option<(char, usize)> {
    let (digits, radix, skipped) = match after.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16, 1),
        None => (after, 10, 0),
    };
    let is_digit = |byte: &u8| char::from(*byte).is_digit(radix);
    let length = run(digits.as_bytes(), usize::MAX, is_digit);
    if length == 0 {
        return None;
    }
    // Too large for a number is too large for a character.
    let number = u32::from_str_radix(&digits[..length], radix).unwrap_or(u32::MAX);
    let character = match (u8::try_from(number), char::from_u32(number)) {
        (Ok(byte), _) if byte > 0 => windows_1252(byte),
        (_, Some(character)) if number > 0 => character,
        _ => char::REPLACEMENT_CHARACTER,
    };
    let end = usize::from(digits[length..].starts_with(';'));
    Some((character, skipped + length + end))
}

fn run(bytes: &[u8], most: usize, is_part: impl Fn(&u8) -> bool) -> usize {
    bytes.iter().take(most).take_while(|byte| is_part(byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_short() {
        assert!(NAMES.is_sorted_by(|left, right| left.0 < right.0));
        assert!(NAMES.iter().all(|(name, _)| name.len() <= LONGEST));
    }

    #[test]
    fn names_and_numbers_are_decoded() {
        for (text, character, length) in [
            ("&amp;amp", '&', 5),
            ("&uuml;ber", 'ü', 6),
            ("&Uuml", 'Ü', 5),
            ("&ndash;", '–', 7),
            ("&bdquo;", '„', 7),
            ("&euro;5", '€', 6),
            ("&#228;", 'ä', 6),
            ("&#xE4;", 'ä', 6),
            ("&#128;", '€', 6),
            ("&#x1F600;", '😀', 9),
            ("&#0;", '\u{fffd}', 4),
            ("&#xD800;", '\u{fffd}', 8),
            ("&#99999999999;", '\u{fffd}', 14),
        ] {
            assert_eq!(decode(text), Some((character, length)), "{text}");
        }
        for text in ["&", "& ", "&T", "&ndash", "&nonsense;", "&#;", "&#x;", "&\u{fc};"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
