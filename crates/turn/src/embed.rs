//! Texts that become vectors.

use std::time::Duration;

use crate::{Fault, Prompt};

/// Texts that a model is to embed.
#[derive(Clone, Debug, PartialEq)]
pub struct Embed {
    /// The model.
    pub model: String,
    /// Each becomes a vector of its own.
    pub texts: Vec<Prompt>,
    /// Whether a text that does not fit into the model's context is cut at its end. Otherwise it is
    /// refused.
    pub cut: bool,
    /// How long the model is to be kept after this, if the client has said; `Some(None)` is for
    /// ever.
    pub keep: Option<Option<Duration>>,
}

/// What became of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedded {
    /// The vectors, each of length 1, in the order of the texts.
    pub vectors: Vec<Vec<f32>>,
    /// How many tokens of each text were read.
    pub tokens: Vec<usize>,
}

/// Is told once what became of texts, from any thread. It never blocks. Who has gone is told what
/// was read until then, because it counts.
pub type WhenEmbedded = Box<dyn FnOnce(Result<Embedded, Fault>) + Send>;
