//! Pieces that families are made of: each finds its weights and applies them.

pub mod attention;
pub mod decoder;
pub mod delta;
pub mod experts;
pub mod feed_forward;
mod fused;
pub mod indexer;
pub mod inputs;
pub mod latent;
pub mod mixer;
pub mod mlp;
pub mod norms;
mod router;
mod twin;
pub mod window;
