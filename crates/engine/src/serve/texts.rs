//! Texts that are embedded beside turns: what they get of a step, and what becomes of them.
//!
//! The texts of a request are read one after the other, in pieces, as many in a step as its rows
//! hold. Each step begins with another request, so that a long one does not keep short ones
//! waiting. A text keeps nothing for later ones, and begins with nothing that others have left: the
//! output of every token is needed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use turn::{Embedded, Fault, WhenEmbedded};

use super::Policy;
use crate::pool::Pool;
use crate::{Engine, Error, Feed, Sequence, Wanted};

/// Texts to be embedded, of one request.
pub struct Texts {
    /// Their tokens.
    pub texts: Vec<Vec<u32>>,
    /// When they were asked for, by the clock of who runs the turns.
    pub asked: Duration,
    /// Set by a client that wants no more.
    pub gone: Arc<AtomicBool>,
    /// Told what became of them; dropped when the model stops.
    pub done: WhenEmbedded,
}

/// All requests of one model, the oldest first.
#[derive(Default)]
pub(super) struct Embeddings {
    requests: Vec<Request>,
    /// The one that comes first in the next step.
    first: usize,
    /// When the oldest one that lacks room was asked for.
    lack_room: Option<Duration>,
}

/// Room for texts in a step.
pub(super) struct Room {
    /// Bytes that nobody has been promised.
    pub free: u64,
    pub policy: Policy,
    /// When the turn was asked for which there is none.
    pub lack_room: Option<Duration>,
}

struct Request {
    texts: Texts,
    /// Of the first texts.
    vectors: Vec<Vec<f32>>,
    /// The texts behind them, as far as they are being read.
    open: VecDeque<Open>,
    error: Option<Error>,
}

/// A text that is being read.
struct Open {
    sequence: Sequence,
    pool: Pool,
    /// Bytes that it may come to keep.
    room: u64,
    /// Its rows in this step.
    rows: usize,
}

impl Embeddings {
    /// How many there are.
    pub fn requests(&self) -> usize {
        self.requests.len()
    }

    /// How many have not begun.
    pub fn waiting(&self) -> usize {
        let waits = |request: &&Request| request.open.is_empty() && request.vectors.is_empty();
        self.requests.iter().filter(waits).count()
    }

    /// Bytes that those that are being read may come to keep.
    pub fn room(&self) -> u64 {
        self.requests.iter().flat_map(|request| &request.open).map(|open| open.room).sum()
    }

    #[cfg(test)]
    pub fn sequences(&self) -> impl Iterator<Item = &Sequence> {
        self.requests.iter().flat_map(|request| &request.open).map(|open| &open.sequence)
    }

    /// When the oldest request was asked for that waits for room.
    pub fn lack_room(&self) -> Option<Duration> {
        self.lack_room
    }

    pub fn add(&mut self, texts: Texts) {
        let (vectors, open) = (Vec::new(), VecDeque::new());
        self.requests.push(Request { texts, vectors, open, error: None });
    }

    /// Gives each request its part of so many rows, and opens what there is room for.
    pub fn share(&mut self, engine: &Engine, rows: usize, room: Room) {
        let (mut left, mut room) = (rows, room);
        self.let_in(engine, &mut room);
        let is_roomy = self.lack_room.is_none() && room.lack_room.is_none();
        for request in self.in_turn() {
            let mut opened = 0;
            loop {
                left -= request.share(opened, left);
                opened = request.open.len();
                if left == 0 || !is_roomy || !request.open_next(engine, &mut room) {
                    break;
                }
            }
        }
    }

    /// Opens a text of each request that has none, the oldest first. Who lacks room keeps those
    /// that came later from taking it, turns too.
    fn let_in(&mut self, engine: &Engine, room: &mut Room) {
        self.lack_room = None;
        for request in self.requests.iter_mut().filter(|request| request.open.is_empty()) {
            let asked = request.texts.asked;
            let turn_first = room.lack_room.is_some_and(|turn| turn <= asked);
            if turn_first || !request.open_next(engine, room) {
                self.lack_room = Some(asked);
                return;
            }
        }
    }

    /// In the order in which they stand in this step.
    fn in_turn(&mut self) -> impl Iterator<Item = &mut Request> {
        let first = self.first % self.requests.len().max(1);
        let (last, begin) = self.requests.split_at_mut(first);
        begin.iter_mut().chain(last)
    }

    /// Their part of a step.
    pub fn feeds(&mut self) -> impl Iterator<Item = Feed<'_>> {
        self.in_turn().flat_map(Request::feeds)
    }

    /// Takes what a step has shown.
    pub fn take(&mut self, engine: &mut Engine) {
        let outputs = engine.lend_outputs();
        let mut left = &outputs[..];
        for request in self.in_turn() {
            request.take(engine, &mut left);
        }
        engine.take_back_outputs(outputs);
        self.first = self.first.wrapping_add(1);
        self.tell(engine);
    }

    /// The same step without turns, one of which is at fault. If it fails again, all do.
    pub fn step_alone(&mut self, engine: &mut Engine) {
        let mut feeds: Vec<Feed> = self.feeds().collect();
        if feeds.is_empty() {
            return;
        }
        match engine.step(&mut feeds).map(|_| ()) {
            Ok(()) => self.take(engine),
            Err(error) => {
                let fed = self.requests.iter_mut().filter(|request| !request.open.is_empty());
                fed.for_each(|request| request.error = Some(error.clone()));
                self.tell(engine);
            }
        }
    }

    /// Ends the requests that are over.
    fn tell(&mut self, engine: &mut Engine) {
        for mut request in self.requests.extract_if(.., |request| request.is_over()) {
            request.close(engine);
            let outcome = match request.error {
                Some(error) => Err(Fault::from(error)),
                None => Ok(Embedded {
                    vectors: request.vectors,
                    tokens: request.texts.texts.iter().map(Vec::len).collect(),
                }),
            };
            (request.texts.done)(outcome);
        }
    }

    /// Gives up those that nobody waits for any more.
    pub fn dismiss(&mut self, engine: &mut Engine) {
        let gone = |request: &mut Request| request.texts.gone.load(Ordering::Relaxed);
        for mut request in self.requests.extract_if(.., gone) {
            let read = request.open.iter().map(|open| open.sequence.tokens().len());
            let whole = request.texts.texts[..request.vectors.len()].iter().map(Vec::len);
            let tokens = whole.chain(read).collect();
            request.close(engine);
            (request.texts.done)(Ok(Embedded { vectors: request.vectors, tokens }));
        }
        // One without texts is over before it has begun.
        self.tell(engine);
    }

    /// Gives up all.
    pub fn stop(&mut self, engine: &mut Engine) {
        self.requests.drain(..).for_each(|mut request| request.close(engine));
    }

    /// Ends all with this fault, and touches nothing else.
    pub fn fail(&mut self, fault: &Fault) {
        for request in std::mem::take(&mut self.requests) {
            (request.texts.done)(Err(fault.clone()));
        }
    }
}

impl Request {
    fn is_over(&self) -> bool {
        self.error.is_some() || self.vectors.len() == self.texts.texts.len()
    }

    /// Begins to read the next text; says whether there is one, and room for it.
    fn open_next(&mut self, engine: &Engine, room: &mut Room) -> bool {
        let next = self.texts.texts.get(self.vectors.len() + self.open.len());
        let Some(text) = next else { return false };
        let shape = engine.shape();
        let needed = room.policy.room_for(shape, text.len());
        if needed > room.free {
            return false;
        }
        room.free -= needed;
        let pool = Pool::new(shape.pooling, shape.hidden);
        self.open.push_back(Open { sequence: Sequence::default(), pool, room: needed, rows: 0 });
        true
    }

    /// Gives the texts that are open, but for the first ones, up to so many rows; says how many.
    fn share(&mut self, from: usize, most: usize) -> usize {
        let (mut left, texts) = (most, &self.texts.texts[self.vectors.len()..]);
        for (open, text) in self.open.iter_mut().zip(texts).skip(from) {
            open.rows = left.min(text.len() - open.sequence.tokens().len());
            left -= open.rows;
        }
        most - left
    }

    fn feeds(&mut self) -> impl Iterator<Item = Feed<'_>> {
        let open = self.open.iter_mut().zip(&self.texts.texts[self.vectors.len()..]);
        open.filter(|(open, _)| open.rows > 0).map(|(open, text)| {
            let tokens = &text[open.sequence.tokens().len()..][..open.rows];
            Feed { sequence: &mut open.sequence, tokens, wanted: Wanted::Output }
        })
    }

    /// Takes its rows from the front of these.
    fn take(&mut self, engine: &mut Engine, left: &mut &[f32]) {
        let width = engine.shape().hidden;
        for open in &mut self.open {
            let (own, rest) = left.split_at(open.rows * width);
            *left = rest;
            if let Err(error) = open.pool.add(own) {
                self.error = Some(error);
            }
        }
        while let Some(open) = self.open.pop_front() {
            if open.sequence.tokens().len() < self.texts.texts[self.vectors.len()].len() {
                self.open.push_front(open);
                return;
            }
            self.vectors.push(open.pool.vector());
            engine.drop(open.sequence);
        }
    }

    /// Gives back what its texts keep.
    fn close(&mut self, engine: &mut Engine) {
        self.open.drain(..).for_each(|open| engine.drop(open.sequence));
    }
}
