//! A model of this house that answers turns.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use engine::{Engine, Error, Forms, Job, Policy, Rules, Shelved, Texts, Worker};
use text::reply::Reader;
use text::template::DateTime;
use turn::{Calls, Demand, Embed, Event, Fault, Listener, Sampling, Turn, WhenEmbedded};

use crate::{Language, Reading};

/// A model at work, with all that a turn needs of it.
pub struct Local {
    worker: Worker,
    language: Arc<Language>,
    /// Made when the first turn needs it: it looks at the whole vocabulary.
    forms: OnceLock<Result<Forms, Fault>>,
    /// Tokens that a sequence may have.
    context: usize,
    /// What the model's maker recommends.
    sampling: Sampling,
    /// The time that templates are told.
    clock: fn() -> DateTime,
}

impl Local {
    /// Sets a model to work. Settings that a turn does not state are those of `sampling`.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        engine: Engine,
        language: Arc<Language>,
        (policy, sampling): (Policy, Sampling),
    ) -> std::io::Result<Local> {
        let context = engine.shape().context;
        let worker = Worker::start(engine, Arc::clone(language.tokenizer()), policy)?;
        Ok(Local { worker, language, forms: OnceLock::new(), context, sampling, clock: now })
    }

    /// The same for work whose results are to be the same on every day.
    #[must_use]
    pub fn of_no_day(self) -> Local {
        Local { clock: no_day, ..self }
    }

    /// How it is spoken to.
    pub fn language(&self) -> &Arc<Language> {
        &self.language
    }

    /// What it does now.
    pub fn load(&self) -> engine::Load {
        self.worker.load()
    }

    /// Begins a turn. Whatever happens, the listener is told one end. A template is rendered and
    /// forms are compiled here, which takes its time.
    pub fn begin(&self, turn: Turn, gone: Arc<AtomicBool>, listener: Listener) {
        let mut listener = listener;
        match self.prepare(&turn) {
            Ok((reading, sampling, rules)) => self.worker.submit(Job {
                owner: turn.owner.clone(),
                prompt: reading.ids,
                sampling,
                limits: turn.limits,
                reader: reading.reader,
                rules,
                asked: self.worker.now(),
                deadline: None,
                gone,
                reply: listener,
            }),
            Err(fault) => _ = listener(Event::Failed(fault)),
        }
    }

    /// Whether a turn could be begun.
    ///
    /// # Errors
    /// What would be told of it.
    pub fn check(&self, turn: &Turn) -> Result<(), Fault> {
        self.prepare(turn).map(drop)
    }

    /// Begins to embed texts. Whatever happens, `done` is called.
    pub fn embed(&self, embed: &Embed, gone: Arc<AtomicBool>, done: WhenEmbedded) {
        let most = if embed.cut { self.context } else { usize::MAX };
        let texts = embed.texts.iter().map(|text| self.language.read_to_embed(text, most));
        match texts.collect() {
            Ok(texts) => {
                self.worker.embed(Texts { texts, asked: self.worker.now(), gone, done });
            }
            Err(fault) => done(Err(fault)),
        }
    }

    fn prepare(&self, turn: &Turn) -> Result<(Reading, Sampling, Option<Rules>), Fault> {
        let sampling = turn.wishes.over(self.sampling.clone());
        sampling.check()?;
        let reading = self.language.read(&turn.prompt, &turn.demand.tools, (self.clock)())?;
        let (needed, context) = (reading.ids.len(), self.context);
        if needed > context {
            // Before a form is made of a long text, which may take more than there is.
            return Err(Error::ContextFull { needed, context }.into());
        }
        let rules = self.rules(&turn.demand, &reading.reader)?;
        Ok((reading, sampling, rules))
    }

    /// The form of the reply, where one is demanded.
    fn rules(&self, demand: &Demand, reader: &Reader) -> Result<Option<Rules>, Fault> {
        if demand.answer.is_none() && demand.calls == Calls::None {
            return Ok(None);
        }
        let forms = self.forms.get_or_init(|| Forms::new(self.language.tokenizer()));
        let forms = forms.as_ref().map_err(Clone::clone)?;
        forms.compile(demand, reader).map(Some)
    }
}

impl Shelved for Local {
    fn is_alive(&self) -> bool {
        self.worker.is_alive()
    }

    fn stop(&self, within: Duration) {
        self.worker.stop(within);
    }
}

/// The time for templates that state a date, in UTC.
pub fn now() -> DateTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    DateTime::from_unix(since.map_or(0, |since| since.as_secs()))
}

/// A time for what is the same on every day.
pub fn no_day() -> DateTime {
    DateTime::from_unix(0)
}
