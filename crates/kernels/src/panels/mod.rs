//! Panels: sixteen weight rows side by side, so that a lane of a vector is a row.
//!
//! A matrix is packed once, when it is loaded, at the width it has in the file: a panel holds the
//! blocks of its rows in order, and in each block the fields are interleaved, so that four bytes
//! of each of sixteen rows are one vector. No bit of a block changes. Vectors begin at lines of
//! memory.
//!
//! ```text
//!   Q4_K   head: for each block          body: for each block
//!          | d: 16 × 2 | m: 16 × 2 | …   | q: 32 times 16 × 4     | s: 12 times 16 × 1 | …
//! ```
//!
//! A product takes a block of a panel at a time: `expand` makes bytes of its levels, `tile`
//! multiplies them with a few rows of activations. Sums are exact integers within a part, and
//! parts come in the order of the canon, so the bits are those of `portable`.

pub(crate) mod activations;
pub(crate) mod expand;
mod fields;
mod kernels;
mod pack;
mod tile;

pub(crate) use expand::Expanded;
pub(crate) use kernels::{Kernels, ROWS_MAX};
pub(crate) use pack::pack_panel;
pub(crate) use tile::{Next, OUTPUTS, PANELS, WIDEST};

use crate::Format;

/// Weight rows in a panel.
pub const ROWS: usize = 16;

/// Columns that are expanded together: a block of the long formats, or up to eight short ones.
pub(crate) const STRETCH: usize = 256;

/// Bytes of a packed matrix: those of the file, and what fills up its last panel and lines.
///
/// `None` when the format is not packed, the columns are no whole number of blocks, or the size has
/// no number.
pub fn packed_len(format: Format, rows: usize, cols: usize) -> Option<usize> {
    let is_packed = !fields::of(format).is_empty();
    let blocks = format.row_bytes(cols).filter(|_| is_packed)? / format.block_bytes();
    // A panel of so many blocks has a size, because the rows of a file have one.
    rows.checked_next_multiple_of(ROWS)?.checked_mul(format.row_bytes(cols)?)?;
    rows.div_ceil(ROWS).checked_mul(fields::panel_len(format, blocks))
}
