//! From a path on the command line to a model that is ready to run.

use std::path::Path;

use arch::Source;
use engine::{Engine, Settings};
use kernels::Isa;
use serde_json::{Map, Value};
use text::reply::Reader;
use text::template::{DateTime, Inputs, Template};
use text::tokenizer::{Encode, Tokenizer};

use crate::failure::Failure;
use crate::flags::MachineFlags;
use crate::{memory, output};

const WHAT_TO_GIVE: &str =
    "Give a GGUF file, or a folder with config.json, tokenizer.json and *.safetensors.";

/// What the machine flags stand for.
pub fn settings(flags: &MachineFlags) -> Result<Settings, Failure> {
    let default = Settings::default();
    let isa = match &flags.isa {
        Some(name) => {
            Isa::by_name(name).map_err(|error| Failure::Request(format!("--isa: {error}")))?
        }
        None => default.isa,
    };
    let threads = flags.threads.map_or(default.threads, usize::from);
    Ok(Settings { isa, threads, chunk: flags.chunk as usize, ..default })
}

/// Opens a model's files.
pub fn source(path: &Path) -> Result<Source, Failure> {
    if !path.exists() {
        return Err(Failure::model(path, "there is no such file or folder", WHAT_TO_GIVE));
    }
    Source::open(path).map_err(|error| Failure::model(path, error, WHAT_TO_GIVE))
}

/// Builds the model, and brings its weights into memory under a progress bar.
pub fn engine(path: &Path, source: &Source, settings: Settings) -> Result<Engine, Failure> {
    let way_out = "`hearth show` tells what is in it.";
    let model = arch::load(source).map_err(|error| Failure::model(path, error, way_out))?;
    let total = model.shape().weight_bytes;
    // Without room for all weights they stay in the file, and the system keeps what it can.
    let fits = memory::available().is_none_or(|available| total < available);
    let settings = Settings { pack: settings.pack && fits, ..settings };
    let bar = output::progress(total, "Loading");
    let engine = Engine::with_progress(model, settings, &mut |done| bar.set_position(done));
    bar.finish_and_clear();
    engine.map_err(|error| Failure::model(path, error, "Close other programs, and try again."))
}

/// A model that can be talked to.
pub struct Ready {
    pub engine: Engine,
    pub tokenizer: Tokenizer,
    pub template: Option<Template>,
}

/// What a model is to continue, and how its reply is to be read.
pub struct Prompt {
    pub ids: Vec<u32>,
    pub reader: Reader,
}

/// Opens everything that an answer needs; for a `raw` prompt that is no template.
pub fn ready(path: &Path, flags: &MachineFlags, raw: bool) -> Result<Ready, Failure> {
    let settings = settings(flags)?;
    let source = source(path)?;
    let tokenizer = tokenizer(path, &source)?;
    let template = if raw { None } else { template(path, &tokenizer)? };
    let engine = engine(path, &source, settings)?;
    let (tokens, vocabulary) = (tokenizer.len(), engine.shape().vocabulary);
    if tokens > vocabulary {
        let why = format!("its tokenizer has {tokens} tokens, but its weights only {vocabulary}");
        return Err(Failure::model(path, why, "Tokenizer and weights are of different models."));
    }
    Ok(Ready { engine, tokenizer, template })
}

/// The tokenizer that belongs to a model.
pub fn tokenizer(path: &Path, source: &Source) -> Result<Tokenizer, Failure> {
    let found = match source.gguf() {
        Some(gguf) => Tokenizer::from_gguf(gguf),
        None => Tokenizer::from_folder(path),
    };
    found.map_err(|error| Failure::model(path, error, "`hearth logits` works without a tokenizer."))
}

/// The chat template that belongs to a model, if it has one.
fn template(path: &Path, tokenizer: &Tokenizer) -> Result<Option<Template>, Failure> {
    let compiled = tokenizer.chat_template().map(Template::compile).transpose();
    compiled.map_err(|error| Failure::model(path, error, "--raw works without a template."))
}

impl Ready {
    /// A text that is to be continued as it is.
    pub fn raw(&self, text: &str) -> Prompt {
        let ids = self.tokenizer.encode(text, Encode { markup: true, add_special: true });
        Prompt { ids, reader: Reader::plain() }
    }

    /// A conversation, as the model's template writes it.
    pub fn chat(&self, messages: &[Value]) -> Result<Prompt, Failure> {
        let Some(template) = &self.template else {
            return Err(Failure::Request("the model has no chat template".to_owned()));
        };
        let token = |id: Option<u32>| id.map_or(Value::Null, |id| self.tokenizer.piece(id).into());
        let mut variables = Map::new();
        variables.insert("bos_token".to_owned(), token(self.tokenizer.bos()));
        variables.insert("eos_token".to_owned(), token(self.tokenizer.eos()));
        let inputs = Inputs {
            messages: Value::Array(messages.to_vec()),
            tools: None,
            documents: None,
            add_generation_prompt: true,
            variables,
            now: now(),
        };
        let text = template.render(&inputs).map_err(|error| Failure::Request(error.to_string()))?;
        // The template has written the special tokens itself.
        let ids = self.tokenizer.encode(&text, Encode { markup: true, add_special: false });
        let source = self.tokenizer.chat_template().unwrap_or_default();
        Ok(Prompt { ids, reader: Reader::new(source, &text) })
    }
}

/// The time for templates that state a date, in UTC.
fn now() -> DateTime {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    DateTime::from_unix(since.map_or(0, |since| since.as_secs()))
}
