//! The byte-level alphabet: how byte-level vocabularies spell their bytes as printable characters.
//!
//! Printable bytes of Latin-1 stand for themselves; the other 68 are U+0100 onward, in order.

/// The byte that a character of the alphabet stands for.
pub(super) fn byte_of(c: char) -> Option<u8> {
    let point = c as u32;
    if point < 0x100 {
        return is_printable(point as u8).then_some(point as u8);
    }
    let rank = point - 0x100;
    match rank {
        0..=32 => Some(rank as u8),
        33..=66 => Some((rank - 33 + 127) as u8),
        67 => Some(0xad),
        _ => None,
    }
}

/// The character that stands for a byte.
pub(super) fn char_of(byte: u8) -> char {
    let point = match byte {
        _ if is_printable(byte) => u32::from(byte),
        0..=32 => 0x100 + u32::from(byte),
        127..=160 => 0x100 + 33 + u32::from(byte) - 127,
        _ => 0x100 + 67,
    };
    char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The bytes that a piece spells, or `None` when a character is not of the alphabet.
pub(super) fn decode(piece: &str) -> Option<Vec<u8>> {
    piece.chars().map(byte_of).collect()
}

fn is_printable(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_one_character() {
        let alphabet: Vec<char> = (0..=255).map(char_of).collect();
        for (byte, &c) in (0..=255).zip(&alphabet) {
            assert_eq!(byte_of(c), Some(byte));
        }
        assert_eq!(alphabet[b' ' as usize], 'Ġ');
        assert_eq!(alphabet[b'\n' as usize], 'Ċ');
        assert_eq!(alphabet[0xff], 'ÿ');
        assert_eq!(decode("Ġthe"), Some(b" the".to_vec()));
        assert_eq!(decode("a b"), None);
    }
}
