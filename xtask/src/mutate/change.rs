//! How one value or one line is spoilt, and nothing else about a file is touched.

/// What is done to a file.
pub enum Change {
    /// A piece of text that occurs once, and what takes its place.
    Text { from: &'static str, to: &'static str },
    /// The first whole number after a marker grows by one.
    Number { after: &'static str },
    /// One element of a tensor of 32-bit numbers in a safetensors file grows by one.
    Element { tensor: &'static str, index: usize },
}

impl Change {
    /// The spoilt content of a file; an error when the place is not there any more.
    pub fn apply(&self, content: &[u8]) -> Result<Vec<u8>, String> {
        match self {
            Change::Text { from, to } => {
                let text = as_text(content)?;
                match text.matches(from).count() {
                    1 => Ok(text.replacen(from, to, 1).into_bytes()),
                    0 => Err(format!("the text to change is gone: {from}")),
                    count => Err(format!("the text to change occurs {count} times: {from}")),
                }
            }
            Change::Number { after } => increase_number(as_text(content)?, after),
            Change::Element { tensor, index } => increase_element(content, tensor, *index),
        }
    }
}

fn as_text(content: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(content).map_err(|error| error.to_string())
}

fn increase_number(text: &str, after: &str) -> Result<Vec<u8>, String> {
    let gone = || format!("there is no number after the marker: {after}");
    let marker_end = text.find(after).ok_or_else(gone)? + after.len();
    let tail = &text[marker_end..];
    let start = marker_end + tail.find(|c: char| c.is_ascii_digit()).ok_or_else(gone)?;
    let digits: String = text[start..].chars().take_while(char::is_ascii_digit).collect();
    let number: u64 = digits.parse().map_err(|_| gone())?;
    Ok(format!("{}{}{}", &text[..start], number + 1, &text[start + digits.len()..]).into_bytes())
}

fn increase_element(content: &[u8], tensor: &str, index: usize) -> Result<Vec<u8>, String> {
    let gone = || format!("there is no element {index} of `{tensor}`");
    let header_len = content.first_chunk().map(|length| u64::from_le_bytes(*length));
    let header_len = header_len.and_then(|length| usize::try_from(length).ok()).ok_or_else(gone)?;
    let data_start = header_len.checked_add(8).ok_or_else(gone)?;
    let header = as_text(content.get(8..data_start).ok_or_else(gone)?)?;
    let entry = entry_of(header, tensor).ok_or_else(gone)?;
    let (start, end) = offsets(entry).ok_or_else(gone)?;
    let at = data_start + start + 4 * index;
    if start + 4 * (index + 1) > end {
        return Err(gone());
    }
    let bytes: [u8; 4] = *content.get(at..).and_then(|tail| tail.first_chunk()).ok_or_else(gone)?;
    let grown = if entry.contains("\"F32\"") {
        (f32::from_le_bytes(bytes) + 1.0).to_le_bytes()
    } else if entry.contains("\"I32\"") {
        i32::from_le_bytes(bytes).wrapping_add(1).to_le_bytes()
    } else {
        return Err(format!("`{tensor}` does not hold 32-bit numbers"));
    };
    let mut changed = content.to_vec();
    changed[at..at + 4].copy_from_slice(&grown);
    Ok(changed)
}

/// What the header says of one tensor; good for files as compact as the reference tools write.
fn entry_of<'a>(header: &'a str, tensor: &str) -> Option<&'a str> {
    let (_, rest) = header.split_once(&format!("\"{tensor}\":{{"))?;
    rest.split_once('}').map(|(entry, _)| entry)
}

fn offsets(entry: &str) -> Option<(usize, usize)> {
    let (_, rest) = entry.split_once("\"data_offsets\":[")?;
    let (start, end) = rest.split_once(']')?.0.split_once(',')?;
    Some((start.trim().parse().ok()?, end.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_replaced_where_it_occurs_once() {
        let change = Change::Text { from: "a + b", to: "b - a" };
        assert_eq!(change.apply(b"x = a + b;").unwrap(), b"x = b - a;");
        assert!(change.apply(b"x = b + a;").unwrap_err().contains("gone"));
        assert!(change.apply(b"a + b; a + b").unwrap_err().contains("2 times"));
    }

    #[test]
    fn a_number_grows() {
        let change = Change::Number { after: "\"ids\"" };
        let changed = change.apply(b"[1, {\"ids\": [99, 3]}]").unwrap();
        assert_eq!(changed, b"[1, {\"ids\": [100, 3]}]");
        assert!(change.apply(b"[1]").is_err());
        assert!(change.apply(b"\"ids\": []").is_err());
    }

    #[test]
    fn an_element_grows_and_no_other() {
        let a = r#""a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#;
        let b = r#""b":{"dtype":"I32","shape":[1],"data_offsets":[8,12]}"#;
        let header = format!("{{{a},{b}}}");
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.as_bytes());
        let data = file.len();
        file.extend([1.0f32.to_le_bytes(), 2.0f32.to_le_bytes(), 7i32.to_le_bytes()].concat());

        let changed = Change::Element { tensor: "a", index: 1 }.apply(&file).unwrap();
        assert_eq!(changed[..data + 4], file[..data + 4]);
        assert_eq!(changed[data + 4..data + 8], 3.0f32.to_le_bytes());
        assert_eq!(changed[data + 8..], file[data + 8..]);
        let changed = Change::Element { tensor: "b", index: 0 }.apply(&file).unwrap();
        assert_eq!(changed[data + 8..], 8i32.to_le_bytes());

        assert!(Change::Element { tensor: "a", index: 2 }.apply(&file).is_err());
        assert!(Change::Element { tensor: "c", index: 0 }.apply(&file).is_err());
        assert!(Change::Element { tensor: "a", index: 0 }.apply(b"short").is_err());
    }
}
