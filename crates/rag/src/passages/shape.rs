//! What a line is: a heading, an item, blank, or text.

use crate::document::Kind;

/// A line on its own, as far as it can be told from its neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Blank,
    /// With its level; the first is 1.
    Heading(usize),
    /// Of a list, or the row of a table.
    Item,
    Text,
}

/// A line and its neighbours; what is not there is blank.
pub(super) struct Lines<'a> {
    pub(super) before: &'a str,
    pub(super) line: &'a str,
    pub(super) after: &'a str,
}

impl Lines<'_> {
    /// An underlined heading is the level of its line; the underline is seen by `is_underline`.
    pub(super) fn shape(&self, kind: Kind) -> Shape {
        let line = self.line.trim();
        if line.is_empty() {
            return Shape::Blank;
        }
        if let Some(level) = self.heading(line, kind) {
            return Shape::Heading(level);
        }
        if is_item(line) || line.contains(['|', '\t']) { Shape::Item } else { Shape::Text }
    }

    fn heading(&self, line: &str, kind: Kind) -> Option<usize> {
        if kind != Kind::Text
            && let Some(level) = marked(line)
        {
            return Some(level);
        }
        if kind == Kind::Html || !self.before.trim().is_empty() || is_item(line) {
            return None;
        }
        match self.after.trim().chars().next() {
            Some('=') if is_underline(self.after) => Some(1),
            Some('-') if is_underline(self.after) => Some(2),
            None if kind == Kind::Text && looks_like_heading(line) => Some(depth(line)),
            _ => None,
        }
    }
}

/// Whether a line only underlines the one before it.
pub(super) fn is_underline(line: &str) -> bool {
    let line = line.trim();
    let is_of = |c: char| line.chars().all(|one| one == c);
    line.len() >= 3 && (is_of('=') || is_of('-'))
}

/// Whether a line begins or ends a part of Markdown that is kept as it stands.
pub(super) fn is_fence(line: &str) -> bool {
    line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~")
}

/// The level of a heading as Markdown marks it.
fn marked(line: &str) -> Option<usize> {
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    ((1..=6).contains(&level) && line[level..].starts_with(' ')).then_some(level)
}

fn is_item(line: &str) -> bool {
    let is_bullet = ["- ", "* ", "+ ", "• ", "– ", "· "].iter().any(|mark| line.starts_with(mark));
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let is_numbered = (1..=3).contains(&digits)
        && (line[digits..].starts_with(". ") || line[digits..].starts_with(") "));
    is_bullet || is_numbered
}

/// In plain text a heading is a short line that stands alone and is no sentence.
fn looks_like_heading(line: &str) -> bool {
    let begins =
        line.chars().next().is_some_and(|c| c.is_uppercase() || c.is_ascii_digit() || c == '§');
    let is_short = line.len() <= 100 && line.split_whitespace().count() <= 12;
    let is_plain = !line.contains(['|', '\t', '@']) && !line.contains("  ");
    let is_open = !line.ends_with(['.', ',', ';', '!']);
    begins && is_short && is_plain && is_open && line.contains(char::is_alphabetic)
}

/// `2.3 Duties` is deeper than `2 Duties`; what has no number is like the latter.
fn depth(line: &str) -> usize {
    let number = line.split_whitespace().next().unwrap_or_default();
    let is_number = number.chars().all(|c| c.is_ascii_digit() || c == '.');
    let parts = number.split('.').filter(|part| !part.is_empty()).count();
    if is_number { 1 + parts.min(5) } else { 2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(kind: Kind, [before, line, after]: [&str; 3]) -> Shape {
        Lines { before, line, after }.shape(kind)
    }

    #[test]
    fn headings_go_by_marks_or_by_standing_alone() {
        use Kind::{Html, Markdown, Text};
        for (kind, lines, level) in [
            (Markdown, ["a", "## Two", "b"], 2),
            (Html, ["a", "# One", "b"], 1),
            (Markdown, ["", "One", "==="], 1),
            (Text, ["", "Two", "-----"], 2),
            (Text, ["", "§ 4 Kündigung", ""], 2),
            (Text, ["", "2.3 Duties of the tenant", ""], 3),
            (Text, ["", "Häufige Fragen:", ""], 2),
        ] {
            assert_eq!(shape(kind, lines), Shape::Heading(level), "{lines:?}");
        }
        for (kind, lines) in [
            (Text, ["", "Dear Sir,", ""]),
            (Text, ["", "It is open.", ""]),
            (Text, ["a", "Not alone", ""]),
            (Text, ["", "Not alone", "a"]),
            (Text, ["", "Milk   2,00", ""]),
            (Text, ["", "# comment", "a"]),
            (Text, ["", "5 %", "---- ----"]),
            (Markdown, ["", "Alone", ""]),
            (Markdown, ["", "#hashtag", ""]),
            (Markdown, ["", "####### seven", ""]),
        ] {
            assert_eq!(shape(kind, lines), Shape::Text, "{lines:?}");
        }
    }

    #[test]
    fn items_are_lists_and_rows() {
        for line in ["- a", "* a", "• a", "12. a", "3) a", "  - a", "| a | b |", "a\tb"] {
            assert_eq!(shape(Kind::Text, ["", line, ""]), Shape::Item, "{line}");
        }
        for line in ["-a", "1.5 a", "2026. a", "a - b"] {
            assert_eq!(shape(Kind::Markdown, ["", line, ""]), Shape::Text, "{line}");
        }
    }
}
