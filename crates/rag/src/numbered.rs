//! Text of which every part knows its line in the source.
//!
//! Where the line changes stands a mark, so that several lines of a source may be folded into one.

use std::ops::Range;

/// From this byte of the text on, up to the next mark, all comes from one line of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    at: u32,
    line: u32,
}

/// What is pushed must come in the order of its lines, except that carried headings come first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Numbered {
    text: String,
    marks: Vec<Mark>,
}

impl Numbered {
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Appends a piece that stood on `line` of the source.
    pub(crate) fn push(&mut self, piece: &str, line: usize) {
        let line = short(line);
        if self.marks.last().is_none_or(|mark| mark.line != line) {
            self.marks.push(Mark { at: short(self.text.len()), line });
        }
        self.text.push_str(piece);
    }

    /// Appends what belongs to no line of its own: a break, or a space between two words.
    pub(crate) fn push_gap(&mut self, gap: &str) {
        self.text.push_str(gap);
    }

    /// Appends a part of another text, each piece with its line.
    pub(crate) fn push_part(&mut self, from: &Numbered, part: Range<usize>) {
        let mut at = part.start;
        while at < part.end {
            let next = from.marks.partition_point(|mark| mark.at as usize <= at);
            let end = from.marks.get(next).map_or(part.end, |mark| part.end.min(mark.at as usize));
            self.push(&from.text[at..end], from.line_at(at));
            at = end;
        }
    }

    /// The line of the source, counted from one, from which the byte at `at` comes.
    pub(crate) fn line_at(&self, at: usize) -> usize {
        let after = self.marks.partition_point(|mark| mark.at as usize <= at);
        self.marks[..after].last().map_or(1, |mark| mark.line as usize)
    }
}

/// Texts are far smaller than that, see [`MOST_BYTES`](crate::MOST_BYTES).
fn short(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_keep_their_lines() {
        let mut whole = Numbered::default();
        whole.push("one", 3);
        whole.push(" two", 3);
        whole.push_gap(" ");
        whole.push("three", 7);
        assert_eq!(whole.text(), "one two three");
        assert_eq!([0, 6, 7, 8, 12].map(|at| whole.line_at(at)), [3, 3, 3, 7, 7]);

        let mut part = Numbered::default();
        part.push_part(&whole, 4..11);
        assert_eq!(part.text(), "two thr");
        assert_eq!([0, 3, 4].map(|at| part.line_at(at)), [3, 3, 7]);
    }

    #[test]
    fn without_text_there_is_the_first_line() {
        assert_eq!(Numbered::default().line_at(0), 1);
    }
}
