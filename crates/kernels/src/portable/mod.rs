//! The canon in plain Rust: the definition of every number, kept readable for ever. `whole` is
//! canon 2, everything else canon 1.
//!
//! Nothing here is chosen for speed where that would hide the order of a sum. The functions are
//! inlined into one copy per instruction set (see `isa`), which changes their speed and no bit:
//! every step is an IEEE operation or an exact integer one, and the compiler may not fuse or
//! reorder floats.

pub mod angles;
pub mod attend;
pub mod delta;
pub mod index;
pub mod lanes;
pub mod math;
pub mod norm;
pub mod product;
pub mod rope;
pub mod round;
pub mod row;
pub mod whole;
