//! From the blocks of a file to panels, and where a packed number lies.

use super::{ROWS, fields};
use crate::Format;

/// Interleaves sixteen rows of blocks to a panel. `rows` has the bytes of up to sixteen rows; what
/// is missing becomes zeros.
pub(crate) fn pack_panel(format: Format, rows: &[&[u8]], panel: &mut [u8]) {
    const ZEROS: &[u8] = &[0; 256];
    let len = format.block_bytes();
    let blocks = rows.first().map_or(0, |row| row.len() / len);
    assert!(rows.len() <= ROWS && rows.iter().all(|row| row.len() == blocks * len));
    assert_eq!(panel.len(), fields::panel_len(format, blocks));
    let (head, body) = panel.split_at_mut(fields::head_len(format, blocks));
    head.fill(0);
    let heads = head.chunks_mut(fields::block_len(format, true));
    let bodies = body.chunks_mut(fields::block_len(format, false));
    for (index, (mut head, mut body)) in heads.zip(bodies).enumerate() {
        let block = |lane: usize| rows.get(lane).map_or(ZEROS, |row| &row[index * len..]);
        let blocks: [&[u8]; ROWS] = std::array::from_fn(|lane| &block(lane)[..len]);
        for field in fields::of(format) {
            let rest = if field.in_head() { &mut head } else { &mut body };
            let place = rest.split_off_mut(..field.packed_len()).expect("fields fill their block");
            let rows = blocks.map(|block| &block[field.from..][..field.len]);
            match field.together {
                4 => interleave::<4>(&rows, place),
                2 => interleave::<2>(&rows, place),
                _ => interleave::<1>(&rows, place),
            }
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
                let mut panel = vec![0xaa; fields::panel_len(format, blocks)];
                pack_panel(format, &rows, &mut panel);
                let (head, body) = panel.split_at(fields::head_len(format, blocks));
                for (index, field) in fields::of(format).iter().enumerate() {
                    let part = if field.in_head() { head } else { body };
                    let block_len = fields::block_len(format, field.in_head());
                    for block in 0..blocks {
                        let at = block * block_len + fields::place(format, index);
                        for i in 0..field.packed_len() {
                            let (run, lane) =
                                (i / field.together / ROWS, i / field.together % ROWS);
                            let byte = field.from + run * field.together + i % field.together;
                            let row = number(lane, block * format.block_bytes() + byte);
                            let want = if lane < count { row } else { 0 };
                            assert_eq!(part[at + i], want, "{format:?}, {block}, byte {byte}");
                        }
                    }
                }
            }
        }
    }
}
