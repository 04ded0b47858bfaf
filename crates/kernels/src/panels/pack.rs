//! From the blocks of a file to panels, and where a packed number lies.

use super::{ROWS, fields};
use crate::Format;

/// Interleaves sixteen rows of blocks to a panel. `rows` has the bytes of up to sixteen rows; what
/// is missing becomes zeros.
pub(crate) fn pack_panel(format: Format, rows: &[&[u8]], panel: &mut [u8]) {
    const ZEROS: &[u8] = &[0; 256];
    let len = format.block_bytes();
    assert!(rows.len() <= ROWS && rows.iter().all(|row| row.len() * ROWS == panel.len()));
    for (index, panel) in panel.chunks_exact_mut(len * ROWS).enumerate() {
        let block = |lane: usize| rows.get(lane).map_or(ZEROS, |row| &row[index * len..]);
        let blocks: [&[u8]; ROWS] = std::array::from_fn(|lane| &block(lane)[..len]);
        let mut rest = panel;
        for field in fields::of(format) {
            let (place, after) = rest.split_at_mut(field.packed_len());
            let field_of = blocks.map(|block| &block[field.from..][..field.len]);
            match field.together {
                4 => interleave::<4>(&field_of, place),
                2 => interleave::<2>(&field_of, place),
                _ => interleave::<1>(&field_of, place),
            }
            rest = after;
        }
    }
}

/// Puts runs of `N` bytes of all rows side by side.
#[inline]
fn interleave<const N: usize>(rows: &[&[u8]; ROWS], place: &mut [u8]) {
    let rows = rows.map(|row| row.as_chunks::<N>().0);
    let (runs, rest) = place.as_chunks_mut::<N>();
    let runs = runs.as_chunks_mut::<ROWS>().0;
    assert!(rest.is_empty() && rows.iter().all(|row| row.len() == runs.len()));
    for (i, run) in runs.iter_mut().enumerate() {
        for (to, row) in run.iter_mut().zip(&rows) {
            // SAFETY: every row has as many runs as the place, as has just been asserted.
            *to = unsafe { *row.get_unchecked(i) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_lane() {
        for format in Format::ALL.into_iter().filter(|f| !fields::of(*f).is_empty()) {
            let (blocks, len) = (3, 3 * format.block_bytes());
            let number = |row: usize, at: usize| (row * 31 + at * 7 + at / 256 * 3) as u8;
            let rows: Vec<Vec<u8>> =
                (0..ROWS).map(|row| (0..len).map(|at| number(row, at)).collect()).collect();
            for count in [1, 15, 16] {
                let rows: Vec<&[u8]> = rows[..count].iter().map(Vec::as_slice).collect();
                let mut out = vec![0xaa; len * ROWS];
                pack_panel(format, &rows, &mut out);
                let mut at = 0;
                for block in 0..blocks {
                    for field in fields::of(format) {
                        for i in 0..field.packed_len() {
                            let (run, lane) =
                                (i / field.together / ROWS, i / field.together % ROWS);
                            let byte = field.from + run * field.together + i % field.together;
                            let row = number(lane, block * format.block_bytes() + byte);
                            let want = if lane < count { row } else { 0 };
                            assert_eq!(out[at], want, "{format:?}, block {block}, byte {byte}");
                            at += 1;
                        }
                    }
                }
            }
        }
    }
}
