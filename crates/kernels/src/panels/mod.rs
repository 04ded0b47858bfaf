//! Panels: sixteen weight rows side by side, so that a lane of a vector is a row.
//!
//! A matrix is packed once, when it is loaded, at the width it has in the file: a panel holds the
//! blocks of its rows in order, and in each block the fields are interleaved, so that four bytes of
//! each of sixteen rows are one vector. No bit of a block changes.
//!
//! ```text
//!   Q4_K, a block of 16 rows        2048          192            32  32
//!   | q: 32 times 16 rows × 4 bytes | s: 12 × 16  | d: 16 | m: 16 |
//! ```
//!
//! A product takes a block of a panel at a time: `expand` makes bytes of its levels, `tile`
//! multiplies them with a few rows of activations. Sums are exact integers within a part, and
//! parts come in the order of the canon, so the bits are those of `portable`.

pub(crate) mod activations;
mod expand;
mod fields;
mod kernels;
mod pack;
mod tile;

pub(crate) use expand::Expanded;
pub(crate) use kernels::Kernels;
pub(crate) use pack::pack_panel;
pub(crate) use tile::{OUTPUTS, PANELS};

use crate::Format;

/// Weight rows in a panel.
pub const ROWS: usize = 16;

/// Columns that are expanded together: a block of the long formats, or up to eight short ones.
pub(crate) const STRETCH: usize = 256;

/// Bytes of a packed matrix; the last panel is full even if its rows are not.
///
/// `None` when the columns are no whole number of blocks, or the size has no number.
pub fn packed_len(format: Format, rows: usize, cols: usize) -> Option<usize> {
    rows.checked_next_multiple_of(ROWS)?.checked_mul(format.row_bytes(cols)?)
}
