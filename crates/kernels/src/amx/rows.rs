//! Rounded activations as tiles read them: sixteen rows of a stretch of columns, their scales, and
//! their sums for minima.

use super::Soon;
use super::unit::{ROW_BYTES, TILE_ROWS};
use crate::panels::STRETCH;
use crate::portable::product::Rounded;
use crate::portable::round::RUN;

/// Parts of 32 columns in a stretch, at most.
const PARTS: usize = STRETCH / 32;

/// Sixteen rows of a stretch; those that are missing at the end are zeros. A row of two planes
/// counts as two, the finer one second.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
pub(crate) struct RowTile {
    /// Four tiles of 64 columns.
    pub q: [[[i8; ROW_BYTES]; TILE_ROWS]; STRETCH / ROW_BYTES],
    /// The scale of each part of each row; of the first alone if a group is as long as a stretch.
    pub scales: [[f32; PARTS]; TILE_ROWS],
    /// Sums of two runs of 16 columns each, as two i16.
    pub sums: [[i32; PARTS]; TILE_ROWS],
    /// Sums of two runs of 32 columns each, as two i16.
    pub pairs: [[i32; PARTS / 2]; TILE_ROWS],
}

/// All rows of a product over one stretch of columns.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// As many as it takes.
    pub tiles: &'a [RowTile],
    /// Rows.
    pub count: usize,
    /// Parts of 32 columns.
    pub parts: usize,
    /// What will be read after this.
    pub soon: Soon,
}

impl RowTile {
    /// No rows.
    pub const ZERO: RowTile = RowTile {
        q: [[[0; ROW_BYTES]; TILE_ROWS]; STRETCH / ROW_BYTES],
        scales: [[0.0; PARTS]; TILE_ROWS],
        sums: [[0; PARTS]; TILE_ROWS],
        pairs: [[0; PARTS / 2]; TILE_ROWS],
    };

    /// Takes all rows of `rounded`, sixteen at most, in a stretch of columns.
    pub fn fill(&mut self, rounded: &Rounded, stretch: usize) {
        let count = rounded.q.len() / rounded.len;
        assert!(count <= TILE_ROWS && rounded.planes == rounded.planes_used);
        if count < TILE_ROWS {
            *self = RowTile::ZERO;
        }
        for row in 0..count {
            let from = row * rounded.len + stretch * STRETCH;
            let len = STRETCH.min(rounded.len - stretch * STRETCH);
            let q = rounded.q[from..from + len].chunks(ROW_BYTES);
            for (q, tile) in q.zip(&mut self.q) {
                match <&[i8; ROW_BYTES]>::try_from(q) {
                    Ok(q) => tile[row] = *q,
                    Err(_) => tile[row][..q.len()].copy_from_slice(q),
                }
            }
            let scales = from / rounded.group_len..(from + len) / rounded.group_len;
            let scales = &rounded.scales[scales];
            self.scales[row][..scales.len()].copy_from_slice(scales);
            let sums = &rounded.sums[from / RUN..(from + len) / RUN];
            for (sums, to) in sums.chunks_exact(2).zip(&mut self.sums[row]) {
                *to = pair(sums[0], sums[1]);
            }
            for (sums, to) in sums.chunks_exact(4).zip(&mut self.pairs[row]) {
                *to = pair(sums[0] + sums[1], sums[2] + sums[3]);
            }
        }
    }
}

/// Two i16 in a lane, the first one lowest.
fn pair(first: i16, second: i16) -> i32 {
    i32::from(second) << 16 | i32::from(first as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two stretches, the second of one part and a half of a tile.
    #[test]
    fn every_number_has_its_place() {
        const LEN: usize = STRETCH + 32;
        let q: Vec<i8> = (0..3 * LEN).map(|i| (i * 37 % 255) as i8).collect();
        let sums: Vec<i16> = q.chunks(RUN).map(|q| q.iter().map(|q| i16::from(*q)).sum()).collect();
        let scales: Vec<f32> = (0..3 * LEN / 32).map(|i| i as f32).collect();
        let (planes, len, group_len) = (1, LEN, 32);
        let rounded =
            Rounded { len, group_len, planes, planes_used: 1, q: &q, scales: &scales, sums: &sums };
        for (stretch, parts) in [(0, 8), (1, 1)] {
            let mut tile = RowTile { scales: [[-1.0; PARTS]; TILE_ROWS], ..RowTile::ZERO };
            tile.fill(&rounded, stretch);
            for (row, part) in (0..3).flat_map(|row| (0..parts).map(move |part| (row, part))) {
                let from = row * LEN + stretch * STRETCH + 32 * part;
                assert_eq!(tile.q[part / 2][row][part % 2 * 32..][..32], q[from..from + 32]);
                assert_eq!(tile.scales[row][part], scales[from / 32]);
                let [first, second] = [0, 1].map(|i| i32::from(sums[from / 16 + i]));
                assert_eq!(tile.sums[row][part], second << 16 | first & 0xffff);
                if parts == 8 {
                    let pair = tile.pairs[row][part / 2] >> (part % 2 * 16);
                    assert_eq!(pair as i16, sums[from / 16] + sums[from / 16 + 1]);
                }
            }
            // Rows that are missing are zero.
            assert_eq!(tile.scales[3], [0.0; PARTS]);
            assert!(tile.q.iter().all(|q| q[3..].iter().all(|q| *q == [0; ROW_BYTES])));
        }
    }
}
