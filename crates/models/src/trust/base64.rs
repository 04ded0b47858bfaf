//! Base64 as RFC 4648 has it, strictly: one text for some bytes, and one only.

/// The bytes, unless the text is anything else than what encoding them gives.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.as_bytes();
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    if padding > 2 {
        return None;
    }
    let (mut bytes, mut bits, mut filled) = (Vec::with_capacity(text.len() / 4 * 3), 0u32, 0);
    for byte in &text[..text.len() - padding] {
        bits = bits << 6 | u32::from(digit(*byte)?);
        filled += 6;
        if filled >= 8 {
            filled -= 8;
            bytes.push((bits >> filled) as u8);
            bits &= (1 << filled) - 1;
        }
    }
    // What is left over must be nothing, or two texts would be the same bytes.
    (bits == 0).then_some(bytes)
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_rfc_4648_shows() {
        let pairs =
            [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmE=", "fooba")];
        for (text, bytes) in pairs {
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        assert_eq!(decode("+/+/"), Some(vec![0xfb, 0xff, 0xbf]));
    }

    #[test]
    fn it_reads_nothing_else() {
        let other = ["Zg", "Zg=", "Zh==", "Zm9=", "Zm9v\n", "Zm 9", "Zm9_", "====", "Z===", "=Zg="];
        for text in other {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }
}
