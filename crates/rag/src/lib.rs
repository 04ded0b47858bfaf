//! Documents, the passages that they are cut into, and the passages that fit a question.
//!
//! A document is plain text of which every part knows its line in the file, so that what is quoted
//! can be cited by file and line. Passages are found by their words, in an index in memory. This
//! crate knows files and words; models and what becomes of a passage it does not know. Nothing in
//! here speaks to a network, waits for anybody or starts a thread.

mod cite;
mod decode;
mod document;
mod error;
mod html;
mod index;
mod numbered;
mod passages;
mod words;

pub use cite::Citation;
pub use decode::decode;
pub use document::{Document, Kind, MOST_BYTES, probe};
pub use error::Error;
pub use index::{Hit, Index};
pub use passages::Passage;
