//! What the dialects talk to: the models of this house, behind traits that the binary implements.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use turn::{
    Abilities, Embed, Fault, Kind, Listener, Prompt, Sampling, Side, Tool, Turn, WhenEmbedded,
};

/// The models, as the dialects see them.
pub trait House: Send + Sync + 'static {
    /// Models that can be asked, sorted by name.
    fn models(&self) -> Vec<ModelCard>;

    /// The model that a name means. A house may know it by other names, too.
    ///
    /// # Errors
    /// When there is no such model.
    fn find(&self, model: &str) -> Result<ModelCard, Fault> {
        let missing = || Fault::new(Side::Caller, format!("there is no model {model:?}"));
        let found = self.models().into_iter().find(|card| card.id == model);
        found.ok_or_else(|| Fault { kind: Kind::Missing, ..missing() })
    }

    /// What is known of a model. Its files may have to be read for that.
    ///
    /// # Errors
    /// When there is no such model, or it cannot be read.
    fn about(&self, model: &str) -> Result<About, Fault> {
        self.find(model).map(|_| About::default())
    }

    /// Models that are in memory.
    fn residents(&self) -> Vec<Resident> {
        Vec::new()
    }

    /// Brings a model into memory, and waits for it. It is kept for so long, if that was said;
    /// `Some(None)` is for ever.
    ///
    /// # Errors
    /// When there is no such model, or it cannot be loaded.
    fn bring(&self, model: &str, _keep: Option<Option<Duration>>) -> Result<(), Fault> {
        self.find(model).map(drop)
    }

    /// Lets a model go as soon as nobody uses it, unless somebody asks for it again.
    ///
    /// # Errors
    /// When there is no such model.
    fn let_go(&self, model: &str) -> Result<(), Fault> {
        self.find(model).map(drop)
    }

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

    /// Whether turns are answered now.
    fn is_ready(&self) -> bool;
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

    /// Whether its template reads this variable.
    fn reads(&self, variable: &str) -> bool;

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

/// What is known of a model besides.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    /// Bytes of its files.
    pub bytes: u64,
    /// Tells it from other models: 64 hexadecimal digits.
    pub digest: String,
    /// How its files are written: `gguf` or `safetensors`.
    pub format: &'static str,
    /// What its files say that it is, such as `qwen3`.
    pub architecture: String,
    /// How its weights are stored, such as `Q4_K_M`.
    pub storage: String,
    /// How many weights it has.
    pub parameters: u64,
    /// How many layers.
    pub layers: usize,
    /// Entries of its vocabulary.
    pub vocabulary: usize,
    /// Its chat template, if it has one.
    pub template: Option<String>,
    /// What can be asked of it.
    pub abilities: Abilities,
    /// How its tokens are chosen where a client says nothing.
    pub sampling: Sampling,
}

/// A model in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resident {
    /// What it is asked by.
    pub id: String,
    /// Bytes that are set aside for it.
    pub bytes: u64,
    /// How long it stays if nobody asks again; nothing is for ever.
    pub left: Option<Duration>,
    /// Turns that are read or written now.
    pub running: usize,
    /// Turns that wait.
    pub waiting: usize,
    /// Bytes of what is kept of conversations now.
    pub kept: u64,
    /// Bytes that may be.
    pub room: u64,
}
