//! What the dialects talk to: the models of this house, behind a trait that the binary implements.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use turn::{Listener, Turn};

/// The models, as the dialects see them.
pub trait House: Send + Sync + 'static {
    /// Models that can be asked, sorted by name.
    fn models(&self) -> Vec<ModelCard>;

    /// Begins a turn and returns at once. The turn ends early when the listener breaks or `gone`
    /// becomes true. Whatever happens, the listener is told one `End` or `Failed`, and is dropped
    /// after that.
    fn begin(&self, turn: Turn, gone: Arc<AtomicBool>, listener: Listener);

    /// The bytes of a token of a model; none for a mark that is no text.
    fn bytes_of(&self, model: &str, token: u32) -> Vec<u8>;

    /// What identifies weights, tokenizer, template and arithmetic of a model. Asked for once the
    /// model has begun to answer.
    fn fingerprint(&self, model: &str) -> String;

    /// Whether turns are answered now.
    fn is_ready(&self) -> bool;
}

/// A model, as a list of models shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelCard {
    /// What it is asked by.
    pub id: String,
    /// When it was made or fetched, in seconds since 1970.
    pub created: u64,
    /// Tokens that prompt and reply may have together.
    pub context: usize,
}
