//! Products by tiles: AMX multiplies sixteen rows of activations with a panel of weights at once.
//!
//! A tile is up to 16 rows of 64 bytes. One instruction adds the products of a tile of activations
//! (16 rows, 64 columns) and a tile of weights (64 columns, 16 weight rows) to a tile of exact i32:
//!
//! ```text
//!                         weights: 16 vectors of a panel's levels,
//!                         a lane for each weight row, 4 columns in a lane
//!                         ┌────────────────┐
//!      64 columns         │                │
//!    ┌────────────┐       └────────────────┘
//!    │ activations│ 16    ┌────────────────┐
//!    │            │ rows  │  16 × 16 sums  │   one vector for each row
//!    └────────────┘       └────────────────┘
//! ```
//!
//! The sums are exact, so they are those of the other paths. They are stored, and AVX-512 code
//! converts them and adds them up in the canon's order. Kernels are written over [`Unit`]: the
//! processor's own, or an emulated one, by which any machine that has AVX-512 can test them.

mod detect;
mod emulated;
mod kernels;
mod long;
mod pass;
mod rows;
mod short;
mod soon;
mod unit;
mod weights;
mod whole;

pub(crate) use detect::available;
pub(crate) use emulated::Emulated;
#[cfg(test)]
pub(crate) use emulated::STARTED;
pub(crate) use kernels::{TOGETHER, TileKernels};
pub(crate) use rows::{RowTile, Rows};
pub(crate) use soon::Soon;
pub(crate) use unit::{Hardware, TILE_ROWS, Unit};
pub(crate) use weights::Weights;
pub(crate) use whole::{
    WholeColumns, WholeOut, WholeRows, mix as mix_whole, scores as score_whole,
};

use crate::panels::ROWS;

/// Panels whose outputs a thread sums side by side: activations are read again for them while they
/// are in the second level of caches, and outputs are written in longer runs.
pub(crate) const PANELS: usize = 12;

/// Sums of a row of activations.
pub(crate) const OUTPUTS: usize = PANELS * ROWS;

/// Sums of products, as the unit stores them: eight tiles.
#[repr(C, align(64))]
pub(crate) struct Products([[[i32; ROWS]; TILE_ROWS]; 8]);

impl Products {
    /// Nothing yet.
    pub const ZERO: Products = Products([[[0; ROWS]; TILE_ROWS]; 8]);
}

/// Where the products of a stretch go.
pub(crate) struct Sums<'a> {
    /// A row of `OUTPUTS` for each row of outputs; those of the first panel in hand begin here.
    pub outputs: &'a mut [f32],
    /// One is filled while the other is converted.
    pub products: &'a mut [Products; 2],
}
