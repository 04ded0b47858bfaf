//! Arithmetic on rows of numbers and blocks of quantised weights, the same bits everywhere.
//!
//! Owns the canon (`docs/numerics.md`): `portable` is its definition in plain Rust, and every
//! faster path must equal it bit for bit. A [`Machine`] holds an instruction set and a crew of
//! threads and offers each operation whole; who calls it knows neither.
//!
//! Does not know files, models or sequences. Never allocates in an operation whose scratch was
//! reserved, never locks, logs or spawns.

#[cfg(not(all(target_endian = "little", target_pointer_width = "64")))]
compile_error!("hearth runs on 64-bit little-endian machines only");

#[cfg(target_arch = "x86_64")]
mod amx;
mod attention;
pub mod blocks;
mod crew;
mod format;
#[cfg(any(test, all(windows, target_env = "gnu")))]
mod fused;
mod half;
mod isa;
mod machine;
mod panels;
pub mod portable;
mod room;
mod row;
mod simd;

pub use attention::Kept;
pub use crew::Crew;
pub use format::Format;
pub use half::{bf16_to_f32, f16_to_f32, f32_to_bf16, f32_to_f16};
pub use isa::{Isa, UnknownIsa};
pub use machine::{
    Attention, Choice, Chosen, DeltaHeads, DeltaRows, Expert, Experts, Heads, Index, Machine,
    Matrix, Pages, Product, Rotation, Rounding, RoutedProduct, Routing, RowTable, Sharing, States,
    Take,
};
pub use panels::{ROWS as PANEL_ROWS, packed_len};
pub use portable::row::{Above, Totals};
pub use room::room;
