//! Model files as they lie on disk: GGUF and safetensors, memory-mapped, read and (GGUF) written.
//!
//! Everything in here treats a file as hostile: each length is checked against the bytes that are
//! left before anything is allocated or sliced, and opening a file never takes more heap than the
//! file is long plus one MiB. This crate knows names, shapes and bytes; what a tensor means, or how
//! a block of numbers is decoded, it does not know.

mod error;
pub mod gguf;
mod json;
mod limits;
mod looks;
pub mod map;
pub mod safetensors;
mod source;
mod storage;
mod tensor;

pub use error::{Error, Flaw, Reason};
pub use safetensors::Safetensors;
pub use source::Place;
pub use storage::Storage;
pub use tensor::{Shape, Tensor};
