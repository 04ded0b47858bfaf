//! What the dialects see of the models: the shelf, and a thread for each turn until its prompt is
//! handed in.

mod loaded;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use api::{About, ModelCard, Resident, TextOptions};
use engine::memory::Size;
use engine::{Lease, Library, Listed, Load, Policy, Room, Settings, Shelf};
use flow::{Language, Local};
use text::tokenizer::Encode;
use tokio::runtime::Handle;
use turn::{Embed, Event, Fault, Kind, Listener, Prompt, Retry, Side, Tool, Turn, WhenEmbedded};

use crate::failure::Failure;
use crate::fit::Checked;
use crate::models::Model;
use crate::{load, log, memory};
use loaded::Loaded;

/// How long a model that could not be loaded is left alone before it is tried again.
const AGAIN: Duration = Duration::from_secs(10);

/// How models are run.
#[derive(Clone, Copy)]
pub struct Running {
    pub settings: Settings,
    pub checked: Checked,
    pub policy: Policy,
    /// Bytes of what one model may keep of sequences.
    pub kept: u64,
    /// How long a model stays that nobody asks; nothing is for ever.
    pub keep: Option<Duration>,
}

impl Running {
    /// Bytes of what this model may keep: never more than all answers together can need.
    pub fn kept_by(&self, model: &Model) -> u64 {
        model.longest.saturating_mul(self.policy.together as u64).min(self.kept)
    }
}

/// All models of a server.
#[derive(Clone)]
pub struct House(Arc<Inner>);

struct Inner {
    shelf: Shelf<Loaded>,
    models: Arc<[Model]>,
    keep: Option<Duration>,
    running: Running,
    /// The first model is there.
    is_warm: AtomicBool,
    /// When the first model is to be tried again, once it could not be loaded any more.
    again: Mutex<Option<Instant>>,
    is_stopping: AtomicBool,
    runtime: Handle,
}

/// What Ollama's clients write behind the name of a model that has no other tag.
const TAG: &str = ":latest";

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
        Ok(House(Arc::new(Inner {
            shelf,
            models,
            keep: running.keep,
            running,
            is_warm: AtomicBool::new(false),
            again: Mutex::default(),
            is_stopping: AtomicBool::new(false),
            runtime,
        })))
    }

    /// Brings a model into memory, so that nobody has to wait for it. From then on it is ready.
    pub fn warm(&self, name: &str) -> Result<(), Fault> {
        self.0.take(name, self.0.keep).map(drop)
    }

    /// Whether it has been told to stop.
    pub fn is_stopping(&self) -> bool {
        self.0.is_stopping.load(Ordering::Relaxed)
    }

    /// Answers nobody who comes from now on, and those who have come within this time.
    pub fn stop(&self, within: Duration) {
        self.0.is_stopping.store(true, Ordering::Relaxed);
        self.0.shelf.stop(within);
    }
}

impl Inner {
    fn again(&self) -> MutexGuard<'_, Option<Instant>> {
        self.again.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a model.
    fn take(&self, name: &str, keep: Option<Duration>) -> Result<Lease<Loaded>, Fault> {
        let name = &find(&self.models, name)?.name;
        let taken = self.shelf.take(name, keep);
        // Ready is who can answer with the model that was named first.
        let is_first = self.models.first().is_some_and(|first| first.name == *name);
        match &taken {
            Ok(_) if is_first => self.is_warm.store(true, Ordering::Relaxed),
            Err(fault) if is_first && fault.side == Side::Us && fault.retry == Retry::No => {
                self.is_warm.store(false, Ordering::Relaxed);
                *self.again() = Some(Instant::now() + AGAIN);
            }
            _ => {}
        }
        taken
    }

    fn begin(&self, turn: Turn, gone: Arc<AtomicBool>, listener: Listener) {
        let (mut listener, asked) = (listener, Instant::now());
        let keep = turn.keep.unwrap_or(self.keep);
        // Nothing is loaded, rendered or compiled for who is not there any more.
        let still_there = || match gone.load(Ordering::Acquire) {
            true => Err(Fault::new(Side::Caller, "the client has gone")),
            false => Ok(()),
        };
        let taken = still_there().and_then(|()| self.take(&turn.model, keep));
        match taken.and_then(|lease| still_there().map(|()| lease)) {
            Err(fault) => _ = listener(Event::Failed(fault)),
            Ok(lease) => {
                let (held, loading) = (lease.clone(), asked.elapsed());
                let listener = move |mut event| {
                    // The model stays for as long as somebody listens to it.
                    let _ = &held;
                    if let Event::End(account) = &mut event {
                        account.times.loading = loading;
                    }
                    listener(event)
                };
                lease.begin(turn, gone, Box::new(listener));
            }
        }
    }

    fn embed(&self, texts: &Embed, gone: Arc<AtomicBool>, done: WhenEmbedded) {
        let keep = texts.keep.unwrap_or(self.keep);
        match self.take(&texts.model, keep) {
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
        let mut cards: Vec<_> = self.0.models.iter().map(card).collect();
        cards.sort_by(|a, b| a.id.cmp(&b.id));
        cards
    }

    fn find(&self, model: &str) -> Result<ModelCard, Fault> {
        find(&self.0.models, model).map(card)
    }

    fn about(&self, model: &str) -> Result<About, Fault> {
        Ok(find(&self.0.models, model)?.about()?)
    }

    fn residents(&self) -> Vec<Resident> {
        // One that nobody uses and that goes at once is as good as gone.
        let stays = |it: &Listed| it.users > 0 || it.left != Some(Duration::ZERO);
        let room = |name: &str| find(&self.0.models, name).map(|it| self.0.running.kept_by(it));
        let resident = |(it, load): (Listed, Load)| Resident {
            room: room(&it.name).unwrap_or_default(),
            id: it.name,
            bytes: it.bytes,
            left: it.left,
            running: load.running,
            waiting: load.waiting,
            kept: load.kept_bytes,
        };
        let there = self.0.shelf.survey(|model| model.load()).into_iter();
        there.filter(|(it, _)| stays(it)).map(resident).collect()
    }

    fn bring(&self, model: &str, keep: Option<Option<Duration>>) -> Result<(), Fault> {
        self.0.take(model, keep.unwrap_or(self.0.keep)).map(drop)
    }

    fn let_go(&self, model: &str) -> Result<(), Fault> {
        let name = &find(&self.0.models, model)?.name;
        // As after a turn that wants it kept for no time: whoever may ask may do that, and who asks
        // again before it has gone keeps it.
        match self.0.shelf.list().iter().any(|listed| listed.name == *name) {
            true => self.0.shelf.take(name, Some(Duration::ZERO)).map(drop),
            false => Ok(()),
        }
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
        let name = &find(&self.0.models, model)?.name;
        let language = |model: &Loaded| Arc::clone(model.language());
        let there = self.0.shelf.survey(language).into_iter().find(|(it, _)| it.name == *name);
        // Who only asks how it is spoken to does not change how long it stays.
        let language = match there {
            Some((_, language)) => language,
            None => language(&*self.0.shelf.take(name, self.0.keep)?),
        };
        Ok(Arc::new(Spoken(language)))
    }

    fn fingerprint(&self, model: &str) -> String {
        find(&self.0.models, model).map_or(String::new(), Model::fingerprint)
    }

    fn is_ready(&self) -> bool {
        if self.is_stopping() {
            return false;
        }
        // Nobody may ask it for anything else until it is ready.
        let is_due = self.0.again().take_if(|at| Instant::now() >= *at).is_some();
        if is_due && let Some(first) = self.0.models.first() {
            let (inner, name) = (Arc::clone(&self.0), first.name.clone());
            self.0.runtime.spawn_blocking(move || inner.take(&name, inner.keep).map(drop));
        }
        self.0.is_warm.load(Ordering::Relaxed)
    }
}

/// The model that a name means.
fn find<'a>(models: &'a [Model], name: &str) -> Result<&'a Model, Fault> {
    let named = |name: &str| models.iter().find(|model| model.name == name);
    named(name).or_else(|| named(name.strip_suffix(TAG)?)).ok_or_else(|| {
        let known: Vec<&str> = models.iter().map(|model| &model.name[..]).collect();
        let message = format!("there is no model {name:?} here; there are: {}", known.join(", "));
        Fault { kind: Kind::Missing, ..Fault::new(Side::Caller, message) }
    })
}

fn card(model: &Model) -> ModelCard {
    ModelCard {
        id: model.name.clone(),
        created: model.created,
        context: model.context,
        width: model.width,
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

    fn reads(&self, variable: &str) -> bool {
        self.0.reads(variable)
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
    /// What all models together may use was known when the server was started. Other programs may
    /// have taken some of it since.
    fn check_room(&self, model: &Model) -> Result<(), Fault> {
        let free = memory::available().filter(|_| self.running.checked.refuses);
        let Some(free) = free.filter(|free| *free < model.least) else { return Ok(()) };
        let (name, needed) = (&model.name, model.least);
        let fields = [("model", name.as_str().into()), ("free", free.into())];
        log::warn("there is no room for a model", &fields);
        let message = format!(
            "{name} needs {} of memory, and {} are free now; ask again later",
            Size(needed),
            Size(free)
        );
        let fault = Fault::new(Side::Us, message);
        Err(Fault { kind: Kind::NoRoom, retry: Retry::Later, ..fault })
    }

    fn start(&self, model: &Model) -> Result<Local, Failure> {
        model.is_as_it_was()?;
        let source = load::source(&model.path)?;
        let language = load::language(&model.path, &source)?;
        let settings =
            Settings { room: Some(self.running.kept_by(model)), ..self.running.settings };
        let engine = load::engine(&model.path, &source, (settings, self.running.checked))?;
        load::check_tokens(&model.path, language.tokenizer(), &engine)?;
        let how = (self.running.policy, model.sampling.clone());
        Ok(Local::start(engine, Arc::new(language), how)?)
    }
}

impl Library<Loaded> for Files {
    fn size(&self, name: &str) -> Result<u64, Fault> {
        let model = find(&self.models, name)?;
        Ok(model.fixed + self.running.kept_by(model))
    }

    fn load(&self, name: &str) -> Result<Loaded, Fault> {
        let model = find(&self.models, name)?;
        self.check_room(model)?;
        let bytes = model.fixed + self.running.kept_by(model);
        Loaded::bring((&model.name, bytes), || self.start(model))
    }
}
