//! What the dialects see of the models: the shelf, and a thread for each turn until its prompt is
//! handed in.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use api::{ModelCard, TextOptions};
use engine::{Library, Policy, Room, Settings, Shelf};
use flow::{Language, Local};
use text::tokenizer::Encode;
use tokio::runtime::Handle;
use turn::{Embed, Event, Fault, Kind, Listener, Prompt, Side, Tool, Turn, WhenEmbedded};

use crate::failure::Failure;
use crate::load;
use crate::models::Model;

/// How models are run.
#[derive(Clone, Copy)]
pub struct Running {
    pub settings: Settings,
    pub policy: Policy,
    /// Bytes of what one model keeps of sequences.
    pub kept: u64,
    /// How long a model stays that nobody asks; nothing is for ever.
    pub keep: Option<Duration>,
}

/// All models of a server.
#[derive(Clone)]
pub struct House(Arc<Inner>);

struct Inner {
    shelf: Shelf<Local>,
    models: Arc<[Model]>,
    keep: Option<Duration>,
    is_ready: AtomicBool,
    runtime: Handle,
}

/// Loads models from where the command line says they are.
struct Files {
    models: Arc<[Model]>,
    running: Running,
}

impl House {
    /// An empty shelf for these models.
    pub fn new(
        models: Arc<[Model]>,
        running: Running,
        (room, runtime): (Room, Handle),
    ) -> std::io::Result<House> {
        let files = Files { models: Arc::clone(&models), running };
        let shelf = Shelf::new(Box::new(files), room)?;
        let (keep, is_ready) = (running.keep, AtomicBool::new(true));
        Ok(House(Arc::new(Inner { shelf, models, keep, is_ready, runtime })))
    }

    /// Brings a model into memory, so that nobody has to wait for it.
    pub fn warm(&self, name: &str) -> Result<(), Fault> {
        self.0.shelf.take(name, self.0.keep).map(drop)
    }

    /// Answers nobody who comes from now on, and those who have come within this time.
    pub fn stop(&self, within: Duration) {
        self.0.is_ready.store(false, Ordering::Relaxed);
        self.0.shelf.stop(within);
    }
}

impl Inner {
    fn begin(&self, turn: Turn, gone: Arc<AtomicBool>, listener: Listener) {
        let mut listener = listener;
        let keep = turn.keep.unwrap_or(self.keep);
        match self.shelf.take(&turn.model, keep) {
            Err(fault) => _ = listener(Event::Failed(fault)),
            Ok(lease) => {
                let held = lease.clone();
                let listener = move |event| {
                    // The model stays for as long as somebody listens to it.
                    let _ = &held;
                    listener(event)
                };
                lease.begin(turn, gone, Box::new(listener));
            }
        }
    }
}

impl Inner {
    fn embed(&self, texts: &Embed, gone: Arc<AtomicBool>, done: WhenEmbedded) {
        let keep = texts.keep.unwrap_or(self.keep);
        match self.shelf.take(&texts.model, keep) {
            Err(fault) => done(Err(fault)),
            Ok(lease) => {
                let held = lease.clone();
                let done = move |outcome| {
                    done(outcome);
                    // The model stays until its texts are read.
                    drop(held);
                };
                lease.embed(texts, gone, Box::new(done));
            }
        }
    }
}

impl api::House for House {
    fn models(&self) -> Vec<ModelCard> {
        let card = |model: &Model| ModelCard {
            id: model.name.clone(),
            created: model.created,
            context: model.context,
            width: model.width,
        };
        self.0.models.iter().map(card).collect()
    }

    fn begin(&self, turn: Turn, gone: Arc<AtomicBool>, listener: Listener) {
        // A model may have to be loaded, a template rendered, a form compiled.
        let inner = Arc::clone(&self.0);
        self.0.runtime.spawn_blocking(move || inner.begin(turn, gone, listener));
    }

    fn embed(&self, texts: Embed, gone: Arc<AtomicBool>, done: WhenEmbedded) {
        let inner = Arc::clone(&self.0);
        self.0.runtime.spawn_blocking(move || inner.embed(&texts, gone, done));
    }

    fn language(&self, model: &str) -> Result<Arc<dyn api::Language>, Fault> {
        let lease = self.0.shelf.take(model, self.0.keep)?;
        Ok(Arc::new(Spoken(Arc::clone(lease.language()))))
    }

    fn fingerprint(&self, model: &str) -> String {
        let known = self.0.models.iter().find(|known| known.name == model);
        known.map_or(String::new(), |known| known.fingerprint.clone())
    }

    fn is_ready(&self) -> bool {
        self.0.is_ready.load(Ordering::Relaxed)
    }
}

/// How a model is spoken to. It outlives the model itself.
struct Spoken(Arc<Language>);

impl api::Language for Spoken {
    fn bytes_of(&self, token: u32) -> &[u8] {
        self.0.bytes_of(token)
    }

    fn read(&self, prompt: &Prompt, tools: &[Tool]) -> Result<Vec<u32>, Fault> {
        Ok(self.0.read(prompt, tools, flow::now())?.ids)
    }

    fn tokens_of(&self, text: &str, options: TextOptions) -> Vec<u32> {
        let TextOptions { markup, special } = options;
        self.0.tokenizer().encode(text, Encode { markup, add_special: special })
    }

    fn text_of(&self, tokens: &[u32]) -> String {
        self.0.tokenizer().decode(tokens, true)
    }

    fn piece(&self, token: u32) -> &str {
        self.0.tokenizer().piece(token)
    }
}

impl Files {
    fn find(&self, name: &str) -> Result<&Model, Fault> {
        self.models.iter().find(|model| model.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.models.iter().map(|model| &model.name[..]).collect();
            let message =
                format!("there is no model {name:?} here; there are: {}", known.join(", "));
            Fault { kind: Kind::Missing, ..Fault::new(Side::Caller, message) }
        })
    }

    fn start(&self, model: &Model) -> Result<Local, Failure> {
        let source = load::source(&model.path)?;
        let tokenizer = load::tokenizer(&model.path, &source)?;
        let way_out = "Its chat template cannot be used.";
        let language = Language::new(tokenizer)
            .map_err(|error| Failure::model(&model.path, error, way_out))?;
        let settings = Settings { room: Some(self.running.kept), ..self.running.settings };
        let engine = load::engine(&model.path, &source, settings)?;
        let how = (self.running.policy, model.sampling.clone());
        Ok(Local::start(engine, Arc::new(language), how)?)
    }
}

impl Library<Local> for Files {
    fn size(&self, name: &str) -> Result<u64, Fault> {
        Ok(self.find(name)?.weights + self.running.kept)
    }

    fn load(&self, name: &str) -> Result<Local, Fault> {
        let model = self.find(name)?;
        Ok(self.start(model)?)
    }
}
