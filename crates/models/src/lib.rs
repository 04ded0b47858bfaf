//! How models come to be on this machine, in a form that hearth runs.
//!
//! Each way has a module; [`import`] makes a GGUF file of what a training leaves, [`pull`] gets
//! files from registries. Knows no terminal and no server, and names no file that it writes:
//! progress is a function, and what is written goes where the caller says.

pub mod catalogue;
mod digest;
mod error;
pub mod get;
pub mod identity;
pub mod import;
pub mod pull;
pub mod store;
pub mod trust;

pub use digest::{Digest, NoDigest};
pub use error::Error;
