//! Rounded activations as tiles read them: stretch after stretch of columns, and in each the rows
//! in small groups, interleaved quad by quad.
//!
//! ```text
//!   stretch 0: | rows 0…5 | rows 6…11 | … |   stretch 1: …
//! ```

use super::STRETCH;
use super::tile::{self, Stretch};
use crate::portable::product::Rounded;
use crate::portable::round::RUN;

/// How rows of activations are laid out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Layout {
    /// Rows, each plane counted as one.
    pub rows: usize,
    pub cols: usize,
    /// Rows in a group, at most.
    pub together: usize,
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

    /// As many groups of the most rows as there are, then of 4, 2 and 1.
    pub fn groups(&self) -> impl Iterator<Item = Group> + use<> {
        self.runs().into_iter().flatten().flat_map(|run| {
            let group = move |i| Group { first: run.first + i * run.rows, rows: run.rows };
            (0..run.groups).map(group)
        })
    }

    /// The same as runs of equal groups.
    pub fn runs(&self) -> [Option<Run>; 4] {
        let mut first = 0;
        [self.together, 4, 2, 1].map(|rows| {
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
    let used = rounded.planes_used;
    for row in 0..rows {
        let plane = row / used * rounded.planes + row % used;
        let from = plane * rounded.len + stretch * STRETCH;
        let len = STRETCH.min(rounded.len - stretch * STRETCH);
        let mut lane = words[row..].iter_mut().step_by(rows);
        let quads = rounded.q[from..from + len].as_chunks::<4>().0;
        for (quad, word) in quads.iter().zip(&mut lane) {
            *word = i32::from_le_bytes(quad.map(|q| q as u8));
        }
        let sums = rounded.sums[from / RUN..(from + len) / RUN].as_chunks::<2>().0;
        for ([first, second], word) in sums.iter().zip(&mut lane) {
            *word = i32::from(*second) << 16 | i32::from(*first as u16);
        }
        if rounded.group_len == STRETCH {
            for [[a, b], [c, d]] in sums.as_chunks::<2>().0 {
                if let Some(word) = lane.next() {
                    *word = i32::from(c + d) << 16 | i32::from((a + b) as u16);
                }
            }
        }
        let scales = from / rounded.group_len..(from + len) / rounded.group_len;
        for (scale, word) in rounded.scales[scales].iter().zip(lane) {
            *word = scale.to_bits() as i32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_take_every_row_once() {
        for together in [4, 6] {
            for rows in 0..50 {
                let layout = Layout { rows, cols: 512, together, long: true };
                let mut next = 0;
                for group in layout.groups() {
                    assert_eq!(group.first, next);
                    assert!([together, 4, 2, 1].contains(&group.rows));
                    next += group.rows;
                }
                assert_eq!(next, rows);
            }
        }
    }

    #[test]
    fn places_fill_the_words() {
        for (cols, long) in [(32, false), (288, false), (512, false), (512, true)] {
            let layout = Layout { rows: 9, cols, together: 6, long };
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
