//! Text to tokens and back, and from a conversation to the text that a model reads.
//!
//! Everything here comes with a model and is read as input from a stranger. Knows nothing of
//! weights.

pub mod reply;
pub mod template;
pub mod tokenizer;
