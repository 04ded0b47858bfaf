//! What is known of a request once it is over, for logs and meters; never what was said in it,
//! unless a witness asks for that.
//!
//! A request begins with a [`Note`], which goes where the request goes: to the gate, to the
//! handler, to the listeners of its turns. Each adds what it knows. When the last of them lets go
//! of it, nothing more can come, and the witnesses are told. That may be on a model's thread.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::http::{Method, StatusCode};
use turn::{Event, Fault, Finish, Prompt, Times, Turn, Usage};

/// Is told of each request that is over. It never waits: models go on only when it is done.
pub trait Witness: Send + Sync + 'static {
    /// A request is over.
    fn over(&self, record: &Record);

    /// Whether it is to be told what was said, too.
    fn hears_all(&self) -> bool {
        false
    }
}

/// A request that is over.
#[derive(Clone, Debug)]
pub struct Record {
    /// The id that its reply had.
    pub id: String,
    /// The name of the key that it came with, where one was needed.
    pub key: Option<String>,
    /// How it was asked.
    pub method: Method,
    /// The path as it came, without its query.
    pub path: String,
    /// The path as the table of routes has it; none where no route is.
    pub route: Option<&'static str>,
    /// None where the client hung up before there was one.
    pub status: Option<StatusCode>,
    /// The model that was asked, as the client wrote it: there may be none of this name.
    pub model: Option<String>,
    /// Turns that were begun.
    pub turns: usize,
    /// What all turns together used.
    pub usage: Usage,
    /// Since the request came: when the first of its turns was begun by a model, when the first
    /// token was there, and when nobody worked on it any more.
    pub times: Times,
    /// How it ended.
    pub end: End,
    /// What was said in each turn, if a witness hears all.
    pub said: Vec<Exchange>,
}

/// What was said in a turn.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What was asked.
    pub prompt: Arc<Prompt>,
    /// Reasoning, text and calls, as they came.
    pub reply: String,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It was answered, without a turn.
    Answered,
    /// Its turns were over; this is why the last was.
    Finished(Finish),
    /// It was refused, or failed halfway.
    Failed(Fault),
    /// The client was gone before.
    HungUp,
}

/// The record of a request that is not over.
#[derive(Clone)]
pub struct Note(Arc<Draft>);

struct Draft {
    came: Instant,
    record: Mutex<Record>,
    witnesses: Arc<[Arc<dyn Witness>]>,
}

impl Note {
    /// Of a request that has just come.
    pub fn new(
        id: String,
        (method, path): (Method, &str),
        witnesses: Arc<[Arc<dyn Witness>]>,
    ) -> Note {
        let record = Record {
            id,
            key: None,
            method,
            path: path.to_owned(),
            route: None,
            status: None,
            model: None,
            turns: 0,
            usage: Usage::default(),
            times: Times::default(),
            end: End::HungUp,
            said: Vec::new(),
        };
        Note(Arc::new(Draft { came: Instant::now(), record: Mutex::new(record), witnesses }))
    }

    /// There is such a route.
    pub fn found(&self, route: &'static str) {
        self.0.record().route = Some(route);
    }

    /// It was let in with the key of this name.
    pub fn entered(&self, key: &str) {
        self.0.record().key = Some(key.to_owned());
    }

    /// It asked this model.
    pub fn asked(&self, model: &str) {
        self.0.record().model.get_or_insert_with(|| model.to_owned());
    }

    /// A turn of it is handed to a model.
    pub fn begun(&self, turn: &Turn) {
        self.asked(&turn.model);
        let mut record = self.0.record();
        record.turns += 1;
        if self.0.witnesses.iter().any(|witness| witness.hears_all()) {
            record.said.push(Exchange { prompt: turn.prompt.clone(), reply: String::new() });
        }
    }

    /// One of its turns has used this, or its texts have.
    pub fn used(&self, usage: Usage) {
        let mut record = self.0.record();
        record.usage.prompt_tokens += usage.prompt_tokens;
        record.usage.cached_tokens += usage.cached_tokens;
        record.usage.generated_tokens += usage.generated_tokens;
    }

    /// Hears an event of one of the turns, on the model's thread.
    pub fn hear(&self, turn: usize, event: &Event) {
        let since = || Some(self.0.came.elapsed());
        match event {
            Event::Begun(_) => {
                let times = &mut self.0.record().times;
                times.begun = times.begun.or_else(since);
            }
            Event::Token(_) => {
                let times = &mut self.0.record().times;
                times.first = times.first.or_else(since);
            }
            Event::End(account) => self.used(account.usage),
            Event::Reasoning(more)
            | Event::Text(more)
            | Event::Call(more)
            | Event::Arguments(more) => {
                if let Some(said) = self.0.record().said.get_mut(turn) {
                    said.reply += more;
                }
            }
            Event::Read(_) | Event::Failed(_) => {}
        }
    }

    /// The header of its reply is known.
    pub fn replied(&self, status: StatusCode) {
        self.0.record().status = Some(status);
    }

    /// It ended like this.
    pub fn ended(&self, end: End) {
        self.0.record().end = end;
    }

    /// It was answered at once, if nothing else is known of its end.
    pub fn answered(&self) {
        let end = &mut self.0.record().end;
        if *end == End::HungUp {
            *end = End::Answered;
        }
    }
}

impl Default for Note {
    /// Of a request that nobody is told of.
    fn default() -> Note {
        Note::new(String::new(), (Method::GET, ""), Arc::new([]))
    }
}

impl Draft {
    /// A record is whole between any two calls, whoever panics.
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let mut record = self.record();
        record.times.over = self.came.elapsed();
        self.witnesses.iter().for_each(|witness| witness.over(&record));
    }
}
