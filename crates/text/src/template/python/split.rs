//! Cutting strings into parts, as `str.split`, `str.rsplit` and `str.splitlines` do.

use super::strings::is_space;

/// At most `limit` cuts, from the left, at the separator or at runs of white space.
pub(crate) fn split<'t>(text: &'t str, separator: Option<&str>, limit: usize) -> Vec<&'t str> {
    if let Some(separator) = separator {
        return text.splitn(limit.saturating_add(1), separator).collect();
    }
    let mut parts = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    while !rest.is_empty() && parts.len() < limit {
        let (part, tail) = rest.split_at(rest.find(is_space).unwrap_or(rest.len()));
        parts.push(part);
        rest = tail.trim_start_matches(is_space);
    }
    if !rest.is_empty() {
        // White space after the last cut stays, as in Python.
        parts.push(rest);
    }
    parts
}

/// The same from the right.
pub(crate) fn split_right<'t>(
    text: &'t str,
    separator: Option<&str>,
    limit: usize,
) -> Vec<&'t str> {
    let mut parts = Vec::new();
    if let Some(separator) = separator {
        parts.extend(text.rsplitn(limit.saturating_add(1), separator));
    } else {
        let mut rest = text.trim_end_matches(is_space);
        while !rest.is_empty() && parts.len() < limit {
            let start = rest.char_indices().rev().find(|(_, c)| is_space(*c));
            let (head, part) = rest.split_at(start.map_or(0, |(at, c)| at + c.len_utf8()));
            parts.push(part);
            rest = head.trim_end_matches(is_space);
        }
        if !rest.is_empty() {
            parts.push(rest);
        }
    }
    parts.reverse();
    parts
}

/// The lines of the text; `\r\n` is one line break, and a final one begins no new line.
pub(crate) fn lines(text: &str, keep_ends: bool) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(is_line_break) {
        let width = if rest[at..].starts_with("\r\n") {
            2
        } else {
            rest[at..].chars().next().map_or(0, char::len_utf8)
        };
        let (line, tail) = rest.split_at(at + width);
        lines.push(if keep_ends { line } else { &line[..at] });
        rest = tail;
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}')
        || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_cut_from_both_sides() {
        assert_eq!(split(" a  b c ", None, usize::MAX), ["a", "b", "c"]);
        assert_eq!(split(" a  b c ", None, 1), ["a", "b c "]);
        assert_eq!(split_right(" a  b c ", None, 1), [" a  b", "c"]);
        assert_eq!(split("  ", None, 5), [""; 0]);
        assert_eq!(split(" a", None, 0), ["a"]);
    }

    #[test]
    fn separators_are_cut_at() {
        assert_eq!(split("a,b,,c", Some(","), usize::MAX), ["a", "b", "", "c"]);
        assert_eq!(split_right("a,b,c", Some(","), 1), ["a,b", "c"]);
        assert_eq!(split("", Some(","), usize::MAX), [""]);
    }

    #[test]
    fn line_breaks_of_all_kinds() {
        assert_eq!(lines("a\r\nb\rc\n\nd\u{2028}", false), ["a", "b", "c", "", "d"]);
        assert_eq!(lines("a\r\nb", true), ["a\r\n", "b"]);
        assert_eq!(lines("", false), [""; 0]);
    }
}
