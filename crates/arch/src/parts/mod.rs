//! Pieces that families are made of: each finds its weights and applies them.

pub mod attention;
pub mod decoder;
pub mod mlp;
pub mod window;
