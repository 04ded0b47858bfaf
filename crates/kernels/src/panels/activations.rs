//! Rounded activations as tiles read them: stretch after stretch of columns, and in each the rows
//! in small groups, interleaved quad by quad.
//!
//! ```text
//!   stretch 0: | rows 0…3 | rows 4…7 | … |   stretch 1: …
//! ```

use super::tile::{self, Stretch, Walk};
use super::{ROWS_MAX, STRETCH};
use crate::portable::product::Rounded;
use crate::portable::round::RUN;

/// How rows of activations are laid out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Layout {
    /// Rows, each plane counted as one.
    pub rows: usize,
    pub cols: usize,
    /// Whether a stretch has one scale to a row, or one for every 32 columns.
    pub long: bool,
}

/// Rows that lie together, and that a tile takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub first: usize,
    pub rows: usize,
}

/// Groups of equally many rows, one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub first: usize,
    pub rows: usize,
    pub groups: usize,
}

impl Layout {
    /// Words of all rows.
    pub fn words(&self) -> usize {
        (0..self.stretches()).map(|i| self.rows * self.row_words(i)).sum()
    }

    /// As many groups of four rows as there are, then one of two and one of one.
    pub fn groups(&self) -> impl Iterator<Item = Group> + use<> {
        self.runs().into_iter().flatten().flat_map(|run| {
            let group = move |i| Group { first: run.first + i * run.rows, rows: run.rows };
            (0..run.groups).map(group)
        })
    }

    /// The same as runs of equal groups.
    pub fn runs(&self) -> [Option<Run>; 3] {
        let mut first = 0;
        [ROWS_MAX, 2, 1].map(|rows| {
            let groups = (self.rows - first) / rows;
            let run = Run { first, rows, groups };
            first += rows * groups;
            (groups > 0).then_some(run)
        })
    }

    /// Stretches of columns.
    pub fn stretches(&self) -> usize {
        self.cols.div_ceil(STRETCH)
    }

    /// Parts of 32 columns in a stretch.
    pub fn parts(&self, stretch: usize) -> usize {
        (self.cols - stretch * STRETCH).min(STRETCH) / 32
    }

    /// Stretches of as many parts each: first, how many, and words from one to the next.
    pub fn walks(&self) -> impl Iterator<Item = Walk> + use<> {
        let (whole, words) = (self.cols / STRETCH, self.rows * self.row_words(0));
        let rest = self.stretches() - whole;
        let walks = [(0, whole), (whole, rest)].into_iter().filter(|(_, count)| *count > 0);
        walks.map(move |(first, count)| Walk { first, count, words, ..Walk::default() })
    }

    /// The words of a group in a stretch: where they begin, and how many they are.
    pub fn place(&self, stretch: usize, group: Group) -> (usize, usize) {
        let before = stretch * self.row_words(0) * self.rows;
        let row_words = self.row_words(stretch);
        (before + group.first * row_words, group.rows * row_words)
    }

    /// The rows of a run of groups in a stretch, for a tile.
    pub fn stretch(&self, words: &[i32], stretch: usize, run: Run) -> Stretch {
        let all = Group { first: run.first, rows: run.rows * run.groups };
        let (at, len) = self.place(stretch, all);
        Stretch { start: words[at..at + len].as_ptr(), parts: self.parts(stretch) }
    }

    /// Words of one row in a stretch: quads, sums and scales.
    fn row_words(&self, stretch: usize) -> usize {
        tile::row_words(self.parts(stretch), self.long)
    }
}

/// Interleaves the first rows of `rounded` as the rows of a group in a stretch of columns. Of two
/// planes only the first may be wanted: `rounded` says how many are used.
pub(crate) fn interleave(rounded: &Rounded, stretch: usize, rows: usize, words: &mut [i32]) {
    match rows {
        1 => interleave_rows::<1>(rounded, stretch, words),
        2 => interleave_rows::<2>(rounded, stretch, words),
        _ => interleave_rows::<ROWS_MAX>(rounded, stretch, words),
    }
}

fn interleave_rows<const R: usize>(rounded: &Rounded, stretch: usize, words: &mut [i32]) {
    let used = rounded.planes_used;
    let words = words.as_chunks_mut::<R>().0;
    for row in 0..R {
        let plane = row / used * rounded.planes + row % used;
        let from = plane * rounded.len + stretch * STRETCH;
        let len = STRETCH.min(rounded.len - stretch * STRETCH);
        let (to_quads, words) = words.split_at_mut(len / 4);
        let quads = rounded.q[from..from + len].as_chunks::<4>().0;
        for (quad, words) in quads.iter().zip(to_quads) {
            words[row] = i32::from_le_bytes(quad.map(|q| q as u8));
        }
        let sums = rounded.sums[from / RUN..(from + len) / RUN].as_chunks::<2>().0;
        let (to_sums, words) = words.split_at_mut(sums.len());
        for (sums, words) in sums.iter().zip(to_sums) {
            words[row] = pair(sums[0], sums[1]);
        }
        let long = rounded.group_len == STRETCH;
        let pairs = if long { sums.as_chunks::<2>().0 } else { &[] };
        let (to_pairs, words) = words.split_at_mut(pairs.len());
        for ([first, second], words) in pairs.iter().zip(to_pairs) {
            words[row] = pair(first[0] + first[1], second[0] + second[1]);
        }
        let scales = from / rounded.group_len..(from + len) / rounded.group_len;
        for (scale, words) in rounded.scales[scales].iter().zip(words) {
            words[row] = scale.to_bits() as i32;
        }
    }
}

/// Two i16 in one word.
fn pair(first: i16, second: i16) -> i32 {
    i32::from(second) << 16 | i32::from(first as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_take_every_row_once() {
        for rows in 0..50 {
            let layout = Layout { rows, cols: 512, long: true };
            let mut next = 0;
            for group in layout.groups() {
                assert_eq!(group.first, next);
                assert!([4, 2, 1].contains(&group.rows));
                next += group.rows;
            }
            assert_eq!(next, rows);
        }
    }

    #[test]
    fn places_fill_the_words() {
        for (cols, long) in [(32, false), (288, false), (512, false), (512, true)] {
            let layout = Layout { rows: 7, cols, long };
            let mut next = 0;
            for stretch in 0..layout.stretches() {
                for group in layout.groups() {
                    let (at, len) = layout.place(stretch, group);
                    assert_eq!(at, next);
                    next += len;
                }
            }
            assert_eq!(next, layout.words(), "{cols} columns");
        }
    }
}
