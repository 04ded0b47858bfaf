//! From the bytes of a file to text: UTF-8, UTF-16 with a mark, or Windows-1252.

/// What Windows-1252 has where Latin-1 has control characters; five places are empty.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž',
    '\u{fffd}', '\u{fffd}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{fffd}',
    'ž', 'Ÿ',
];

/// Files that people will try. They begin like this.
const KNOWN: [(&[u8], &str); 4] = [
    (b"%PDF-", "a PDF file"),
    (b"PK\x03\x04", "a ZIP, Word, Excel or OpenDocument file"),
    (b"{\\rtf", "an RTF file"),
    (b"\xd0\xcf\x11\xe0", "an old Word, Excel or Outlook file"),
];
const BINARY: &str = "a binary file";

/// The text of a file, or what the file seems to be instead.
///
/// # Errors
/// When it is no text.
pub fn decode(bytes: &[u8]) -> Result<String, &'static str> {
    if let Some((_, looks)) = KNOWN.iter().find(|(start, _)| bytes.starts_with(start)) {
        return Err(looks);
    }
    match bytes {
        [0xff, 0xfe, rest @ ..] => return Ok(utf16(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => return Ok(utf16(rest, u16::from_be_bytes)),
        _ => {}
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.contains(&0) {
        return Err(BINARY);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) if bytes.iter().any(|byte| is_binary(*byte)) => Err(BINARY),
        Err(_) => Ok(mixed(bytes)),
    }
}

/// The character of a byte in Windows-1252: Latin-1, with other characters for its controls.
pub(crate) fn windows_1252(byte: u8) -> char {
    match byte {
        0x80..=0x9f => WINDOWS_1252[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// What is UTF-8 stays, so that a file that was put together from both kinds is right in all parts.
fn mixed(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| windows_1252(*byte)));
    }
    text
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.as_chunks::<2>().0.iter().map(|pair| unit(*pair));
    let characters = char::decode_utf16(units);
    characters.map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// Control characters that no text has. Escapes are in logs, 0x1a ends files of DOS.
fn is_binary(byte: u8) -> bool {
    byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0x1a | 0x1b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_common_encoding_gives_the_same_text() {
        let text = "Größe: 5 €";
        let utf16 = |mark: [u8; 2], of: fn(u16) -> [u8; 2]| {
            [mark].into_iter().chain(text.encode_utf16().map(of)).flatten().collect::<Vec<u8>>()
        };
        for bytes in [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            b"Gr\xf6\xdfe: 5 \x80".to_vec(),
            b"Gr\xc3\xb6\xdfe: 5 \x80".to_vec(),
            utf16([0xff, 0xfe], u16::to_le_bytes),
            utf16([0xfe, 0xff], u16::to_be_bytes),
        ] {
            assert_eq!(decode(&bytes).as_deref(), Ok(text), "{bytes:?}");
        }
        assert_eq!(decode(b""), Ok(String::new()));
    }

    #[test]
    fn what_is_no_text_is_named() {
        assert_eq!(decode(b"%PDF-1.7\n%\xe2\xe3"), Err("a PDF file"));
        assert_eq!(decode(b"text\0more"), Err("a binary file"));
        assert_eq!(decode(b"\x89PNG\r\n\x1a\n\x01"), Err("a binary file"));
        assert!(decode(b"PK\x03\x04").is_err_and(|looks| looks.contains("Word")));
        assert_eq!(decode(b"\x1b[31mred\x1b[0m \xe4").as_deref(), Ok("\x1b[31mred\x1b[0m ä"));
    }
}
