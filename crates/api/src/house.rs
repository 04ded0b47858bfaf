//! What the dialects talk to: the models of this house, behind traits that the binary implements.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use turn::{Embed, Fault, Listener, Prompt, Tool, Turn, WhenEmbedded};

/// The models, as the dialects see them.
pub trait House: Send + Sync + 'static {
    /// Models that can be asked, sorted by name.
    fn models(&self) -> Vec<ModelCard>;

    /// Begins a turn and returns at once. The turn ends early when the listener breaks or `gone`
    /// becomes true. Whatever happens, the listener is told one `End` or `Failed`, and is dropped
    /// after that.
    fn begin(&self, turn: Turn, gone: Arc<AtomicBool>, listener: Listener);

    /// Begins to embed texts and returns at once. It ends early when `gone` becomes true. Whatever
    /// happens, `done` is called.
    fn embed(&self, texts: Embed, gone: Arc<AtomicBool>, done: WhenEmbedded);

    /// How a model is spoken to. Waits until it is loaded.
    ///
    /// # Errors
    /// When there is no such model, or it cannot be loaded.
    fn language(&self, model: &str) -> Result<Arc<dyn Language>, Fault>;

    /// What identifies weights, tokenizer, template and arithmetic of a model. Asked for once the
    /// model has begun to answer.
    fn fingerprint(&self, model: &str) -> String;

    /// What the loaded models do now, sorted by name; nothing where that is not known.
    fn loads(&self) -> Vec<Load> {
        Vec::new()
    }

    /// Whether turns are answered now.
    fn is_ready(&self) -> bool;
}

/// What a loaded model does now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Its name.
    pub model: String,
    /// Turns that are read or written.
    pub running: usize,
    /// Turns that wait.
    pub waiting: usize,
    /// Bytes of what is kept of conversations, and bytes that may be.
    pub kept_bytes: u64,
    /// Bytes that may be.
    pub room_bytes: u64,
    /// Bytes that are set aside for the model altogether.
    pub model_bytes: u64,
}

/// How a model is spoken to.
pub trait Language: Send + Sync {
    /// The bytes of a token; none for a mark that is no text.
    fn bytes_of(&self, token: u32) -> &[u8];

    /// The tokens that a turn with this prompt and these tools reads.
    ///
    /// # Errors
    /// When it cannot be asked this.
    fn read(&self, prompt: &Prompt, tools: &[Tool]) -> Result<Vec<u32>, Fault>;

    /// The tokens of a text.
    fn tokens_of(&self, text: &str, options: TextOptions) -> Vec<u32>;

    /// The text of tokens, with the spelling of markup.
    fn text_of(&self, tokens: &[u32]) -> String;

    /// A token as the vocabulary spells it; empty when there is no such token.
    fn piece(&self, token: u32) -> &str;
}

/// How a text is made tokens of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextOptions {
    /// What is spelled like markup is markup.
    pub markup: bool,
    /// The tokens that belong before and after a whole text are added.
    pub special: bool,
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
    /// Numbers of an embedding.
    pub width: usize,
}
