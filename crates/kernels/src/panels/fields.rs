//! Where the fields of a block lie in a panel, each interleaved by rows.
//!
//! The fields of one or two bytes, mostly scales, stand in the panel's head, block after block; the
//! others follow in its body, so that every vector of them is a line of memory.

use super::ROWS;
use crate::Format;
use crate::simd::BYTES;

/// A field of a block.
#[derive(Clone, Copy)]
pub(super) struct Field {
    /// Its first byte in the block of the file.
    pub from: usize,
    /// Its length there.
    pub len: usize,
    /// Bytes of one row that stay together.
    pub together: usize,
}

impl Field {
    /// Its bytes in a block of a panel.
    pub const fn packed_len(self) -> usize {
        self.len * ROWS
    }

    /// Whether it stands in the head.
    pub const fn in_head(self) -> bool {
        self.len <= 2
    }
}

const fn field(from: usize, len: usize, together: usize) -> Field {
    Field { from, len, together }
}

/// The fields of a format in the order of a panel; none when it is not packed.
pub(super) const fn of(format: Format) -> &'static [Field] {
    match format {
        Format::Q4_0 | Format::IQ4_NL => const { &[field(2, 16, 4), field(0, 2, 2)] },
        Format::Q4_1 => const { &[field(4, 16, 4), field(0, 2, 2), field(2, 2, 2)] },
        Format::Q5_0 => const { &[field(6, 16, 4), field(2, 4, 2), field(0, 2, 2)] },
        Format::Q5_1 => {
            const { &[field(8, 16, 4), field(4, 4, 2), field(0, 2, 2), field(2, 2, 2)] }
        }
        Format::Q8_0 => const { &[field(2, 32, 4), field(0, 2, 2)] },
        Format::MXFP4 => const { &[field(1, 16, 4), field(0, 1, 1)] },
        Format::Q2_K => {
            const { &[field(16, 64, 4), field(0, 16, 1), field(80, 2, 2), field(82, 2, 2)] }
        }
        Format::Q3_K => {
            const { &[field(32, 64, 4), field(0, 32, 4), field(96, 12, 1), field(108, 2, 2)] }
        }
        Format::Q4_K => {
            const { &[field(16, 128, 4), field(4, 12, 1), field(0, 2, 2), field(2, 2, 2)] }
        }
        Format::Q5_K => {
            const {
                &[
                    field(48, 128, 4),
                    field(16, 32, 4),
                    field(4, 12, 1),
                    field(0, 2, 2),
                    field(2, 2, 2),
                ]
            }
        }
        Format::Q6_K => {
            const { &[field(0, 128, 4), field(128, 64, 4), field(192, 16, 1), field(208, 2, 2)] }
        }
        Format::IQ4_XS => {
            const { &[field(8, 128, 4), field(4, 4, 1), field(2, 2, 2), field(0, 2, 2)] }
        }
        _ => &[],
    }
}

/// Where field number `index` begins in its block, in the head or in the body.
pub(super) const fn place(format: Format, index: usize) -> usize {
    let fields = of(format);
    let (mut at, mut i) = (0, 0);
    while i < index {
        if fields[i].in_head() == fields[index].in_head() {
            at += fields[i].packed_len();
        }
        i += 1;
    }
    at
}

/// Bytes of a block in the head, or in the body.
pub(super) const fn block_len(format: Format, in_head: bool) -> usize {
    let (fields, mut len, mut i) = (of(format), 0, 0);
    while i < fields.len() {
        if fields[i].in_head() == in_head {
            len += fields[i].packed_len();
        }
        i += 1;
    }
    len
}

/// Bytes of the head of a panel: whole lines.
pub(super) const fn head_len(format: Format, blocks: usize) -> usize {
    (blocks * block_len(format, true)).next_multiple_of(BYTES)
}

/// Bytes of a panel.
pub(super) const fn panel_len(format: Format, blocks: usize) -> usize {
    head_len(format, blocks) + blocks * block_len(format, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_fill_their_blocks_exactly() {
        for format in Format::ALL.into_iter().filter(|format| !of(*format).is_empty()) {
            let mut taken = vec![0; format.block_bytes()];
            for field in of(format) {
                assert_eq!(field.len % field.together, 0);
                taken[field.from..][..field.len].iter_mut().for_each(|byte| *byte += 1);
            }
            assert!(taken.iter().all(|byte| *byte == 1), "{format:?}: {taken:?}");
            let (head, body) = (block_len(format, true), block_len(format, false));
            assert_eq!(head + body, format.block_bytes() * ROWS);
            assert_eq!(body % BYTES, 0, "{format:?}: the body is lines");
        }
    }
}
