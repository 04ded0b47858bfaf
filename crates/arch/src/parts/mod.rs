//! Pieces that families are made of: each finds its weights and applies them.

pub mod attention;
pub mod decoder;
pub mod experts;
pub mod feed_forward;
pub mod mlp;
pub mod window;
