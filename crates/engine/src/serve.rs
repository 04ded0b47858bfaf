//! Many turns at once: a step of the model takes the next token of every turn that writes, and
//! slices of prompts that are being read.
//!
//! A turn waits, reads, writes and ends, and ends once. It is let in when all that it may come to
//! keep finds room, so that none has to be put aside later. The clock may be another than the
//! world's.

mod active;
mod texts;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use arch::Shape;
use text::reply::Reader;
use text::tokenizer::Tokenizer;
use turn::{Account, Event, Fault, Finish, Limits, Listener, Retry, Sampling, Side, Times};

use active::{Active, Share};
pub use texts::Texts;
use texts::{Embeddings, Room};

use crate::generate::{Writer, mark_of};
use crate::guess::Guesser;
use crate::masks::Masks;
use crate::pages::{MARKS, Owner};
use crate::sample::Row;
use crate::{Engine, Error, Feed, Request, Rules, Wanted};

/// How many turns at once, and how much of them in a step.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Turns that are read or written together.
    pub together: usize,
    /// Turns that may wait.
    pub waiting: usize,
    /// Rows of a step.
    pub rows: usize,
    /// Rows of prompts in a step in which others write: they wait so long for their next token.
    pub rows_beside: usize,
    /// Tokens of a reply that states no limit.
    pub reply: usize,
    /// How long a turn may take from when it was asked.
    pub time: Option<Duration>,
    /// Whether what was there before is guessed to come again, and checked in one step.
    pub guess: bool,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            together: 16,
            waiting: 256,
            rows: 512,
            rows_beside: 64,
            reply: 4096,
            time: None,
            guess: true,
        }
    }
}

impl Policy {
    /// Bytes that the longest turn of a model may come to keep.
    pub fn room(&self, shape: &Shape) -> u64 {
        self.room_for(shape, shape.context)
    }

    /// The same for a turn of at most so many tokens.
    pub fn room_for(&self, shape: &Shape, tokens: usize) -> u64 {
        shape.room(tokens, self.rows, MARKS + 1)
    }
}

/// Guesses of what comes next, and how many of them were right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// Guesses that the model has checked.
    pub made: usize,
    /// Those that it would have said itself.
    pub right: usize,
}

/// A turn to be answered.
pub struct Job {
    /// Whose it is: nobody goes on from what another has asked.
    pub owner: Owner,
    /// The whole prompt.
    pub prompt: Vec<u32>,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// When to stop.
    pub limits: Limits,
    /// How the reply is to be read.
    pub reader: Reader,
    /// The form that the answer must keep to.
    pub rules: Option<Rules>,
    /// When it was asked, by the clock of who runs the turns.
    pub asked: Duration,
    /// When it must be over, by the same clock.
    pub deadline: Option<Duration>,
    /// Set by a client that wants no more.
    pub gone: Arc<AtomicBool>,
    /// Receives the events; `Break` ends the turn.
    pub reply: Listener,
}

/// All turns of one model.
pub struct Turns<'t> {
    engine: Engine,
    tokenizer: &'t Tokenizer,
    policy: Policy,
    waiting: VecDeque<Job>,
    active: Vec<Active<'t>>,
    embeddings: Embeddings,
    masks: Masks,
    tried: Tried,
    clock: Box<dyn Fn() -> Duration>,
}

/// Rows of a step that cost little more than one, because weights are read for them once.
const ROWS_ANYWAY: usize = 12;

impl<'t> Turns<'t> {
    /// No turns yet. Time begins now.
    pub fn new(engine: Engine, tokenizer: &'t Tokenizer, policy: Policy) -> Turns<'t> {
        let begun = Instant::now();
        Turns {
            engine,
            tokenizer,
            policy,
            waiting: VecDeque::new(),
            active: Vec::new(),
            embeddings: Embeddings::default(),
            masks: Masks::default(),
            tried: Tried::default(),
            clock: Box::new(move || begun.elapsed()),
        }
    }

    /// The same by another clock.
    #[must_use]
    pub fn by(mut self, clock: impl Fn() -> Duration + 'static) -> Turns<'t> {
        self.clock = Box::new(clock);
        self
    }

    /// Turns that wait, and turns that are read or written.
    pub fn counts(&self) -> (usize, usize) {
        (self.waiting.len(), self.active.len())
    }

    /// Guesses so far.
    pub fn tried(&self) -> Tried {
        self.tried
    }

    /// The model and what it keeps.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The model, when all turns are over.
    pub fn into_engine(self) -> Engine {
        self.engine
    }

    /// Takes a turn; one that can never be answered, or that finds the queue full, ends at once.
    pub fn submit(&mut self, job: Job) {
        let mut job = job;
        job.limits.tokens.get_or_insert(self.policy.reply);
        let over = self.policy.time.map(|time| job.asked.saturating_add(time));
        job.deadline = job.deadline.into_iter().chain(over).min();
        let checked = self.check(&job).map_err(Fault::from);
        // Who finds a place does not wait, though it is only taken with the next step.
        let places = self.policy.together.saturating_sub(self.active.len());
        match checked.and_then(|()| self.queue_up(self.waiting.len(), places)) {
            Err(fault) => _ = (job.reply)(Event::Failed(fault)),
            Ok(()) => self.waiting.push_back(job),
        }
    }

    /// Takes texts that are to be embedded; if one of them can never be, or too many wait, none is.
    pub fn embed(&mut self, texts: Texts) {
        let checked = texts.texts.iter().try_for_each(|text| self.check_text(text));
        let checked = checked.map_err(Fault::from);
        match checked.and_then(|()| self.queue_up(self.embeddings.waiting(), 1)) {
            Err(fault) => (texts.done)(Err(fault)),
            Ok(()) => self.embeddings.add(texts),
        }
    }

    fn queue_up(&self, waiting: usize, places: usize) -> Result<(), Fault> {
        match waiting < self.policy.waiting + places {
            true => Ok(()),
            false => Err(Fault {
                retry: Retry::Later,
                ..Fault::new(Side::Us, "too many turns are waiting already; ask again later")
            }),
        }
    }

    fn check(&self, job: &Job) -> Result<(), Error> {
        self.engine.check(&job.request())?;
        self.check_room(self.room_of(job))
    }

    fn check_text(&self, text: &[u32]) -> Result<(), Error> {
        self.engine.admit(0, text)?;
        self.check_room(self.policy.room_for(self.engine.shape(), text.len()))
    }

    fn check_room(&self, needed: u64) -> Result<(), Error> {
        let limit = self.engine.room();
        if needed > limit { Err(Error::Room { needed, limit }) } else { Ok(()) }
    }

    /// Bytes that a turn may come to keep.
    fn room_of(&self, job: &Job) -> u64 {
        let shape = self.engine.shape();
        self.policy.room_for(shape, job.longest(shape.context))
    }

    /// Does one step; says whether there is more to do.
    pub fn step(&mut self) -> bool {
        self.dismiss();
        let lacks_room = self.let_in();
        self.guess();
        let shares = self.shares();
        self.open_texts(&shares, lacks_room);
        self.look_ahead(&shares);
        let turns = self.active.iter_mut().zip(&shares).filter(|(_, share)| share.rows > 0);
        let mut feeds: Vec<Feed> = turns.map(|(active, share)| active.feed(*share)).collect();
        feeds.extend(self.embeddings.feeds());
        if feeds.is_empty() {
            return self.is_busy();
        }
        let whole = self.engine.step(&mut feeds).is_ok();
        for (turn, rules) in self.masks.end() {
            self.active[turn].writer.constrain(rules);
        }
        match whole {
            true => {
                self.take(&shares);
                self.embeddings.take(&mut self.engine);
            }
            // One of them is at fault; alone, the others go on.
            false => {
                self.step_alone(&shares);
                self.embeddings.step_alone(&mut self.engine);
            }
        }
        self.is_busy()
    }

    fn is_busy(&self) -> bool {
        !self.active.is_empty() || !self.waiting.is_empty() || self.embeddings.requests() > 0
    }

    /// Ends all turns, those that wait too.
    pub fn stop(&mut self, finish: Finish) {
        while let Some(job) = self.waiting.pop_front() {
            self.end_waiting(job, finish);
        }
        for active in std::mem::take(&mut self.active) {
            self.end(active, finish);
        }
        self.embeddings.stop(&mut self.engine);
    }

    /// Ends all turns with this fault. Nothing else is touched: a step may have been cut short.
    pub(crate) fn fail(&mut self, fault: &Fault) {
        let active = std::mem::take(&mut self.active).into_iter().map(|active| active.job);
        for mut job in std::mem::take(&mut self.waiting).into_iter().chain(active) {
            let _ = (job.reply)(Event::Failed(fault.clone()));
        }
        self.embeddings.fail(fault);
    }

    /// Ends turns that nobody waits for any more, or whose time is over.
    fn dismiss(&mut self) {
        let now = (self.clock)();
        let over = |job: &Job| match job.deadline {
            _ if job.gone.load(Ordering::Relaxed) => Some(Finish::Cancelled),
            Some(deadline) if now >= deadline => Some(Finish::Deadline),
            _ => None,
        };
        for i in (0..self.waiting.len()).rev() {
            if let Some(finish) = over(&self.waiting[i]) {
                let Some(job) = self.waiting.remove(i) else { continue };
                self.end_waiting(job, finish);
            }
        }
        for i in (0..self.active.len()).rev() {
            if let Some(finish) = over(&self.active[i].job) {
                let active = self.active.remove(i);
                self.end(active, finish);
            }
        }
        self.embeddings.dismiss(&mut self.engine);
    }

    /// Ends a turn that has not begun.
    fn end_waiting(&self, job: Job, finish: Finish) {
        let mut job = job;
        let mut writer = Writer::new(&self.engine, self.tokenizer, (&job.request(), 0));
        writer.unread();
        job.rules.take().into_iter().for_each(|rules| writer.constrain(rules));
        let over = self.since(&job);
        let (account, mut reply) = job.close(Times { over, ..Times::default() });
        writer.end(finish, account, &mut reply);
    }

    /// Time since a turn was asked.
    fn since(&self, job: &Job) -> Duration {
        (self.clock)().saturating_sub(job.asked)
    }

    /// Room that nobody has been promised.
    fn free_room(&self) -> u64 {
        let turns: u64 = self.active.iter().map(|active| active.room).sum();
        self.engine.room().saturating_sub(turns).saturating_sub(self.embeddings.room())
    }

    /// Lets waiting turns in, in their order, while there is room. If there is none for one, says
    /// when that was asked.
    fn let_in(&mut self) -> Option<Duration> {
        while self.active.len() < self.policy.together {
            let job = self.waiting.front()?;
            let room = self.room_of(job);
            let texts_first = self.embeddings.lack_room().is_some_and(|asked| asked < job.asked);
            if texts_first || room > self.free_room() {
                return Some(job.asked);
            }
            let mut job = self.waiting.pop_front()?;
            let mut sequence = self.engine.open(&job.owner, &job.prompt);
            let cached = sequence.tokens().len();
            sequence.plan_mark(mark_of(&job.prompt));
            let mut writer = Writer::new(&self.engine, self.tokenizer, (&job.request(), cached));
            job.rules.take().into_iter().for_each(|rules| writer.constrain(rules));
            // Who does not listen any more is found when it is told more.
            let _ = (job.reply)(Event::Begun(writer.usage()));
            let (next, guesser) = (Vec::new(), Guesser::new());
            let times = Times { begun: Some(self.since(&job)), ..Times::default() };
            self.active.push(Active {
                job,
                sequence,
                writer,
                next,
                guesser,
                again: 0,
                forced: false,
                tried: Tried::default(),
                certain: 0,
                room,
                times,
            });
        }
        None
    }

    /// Gives texts their rows of a step: beside turns as many as a prompt would get.
    fn open_texts(&mut self, shares: &[Share], lack_room: Option<Duration>) {
        let alone = shares.iter().all(|share| share.rows == 0);
        let rows = if alone { self.policy.rows } else { self.policy.rows_beside };
        let room = Room { free: self.free_room(), policy: self.policy, lack_room };
        self.embeddings.share(&self.engine, rows, room);
    }

    /// Lets turns that write guess, as far as the rows are few that a step takes anyway.
    fn guess(&mut self) {
        let writing = self.active.iter().filter(|active| !active.next.is_empty()).count();
        if !self.policy.guess || writing == 0 {
            return;
        }
        let each = (ROWS_ANYWAY / writing).saturating_sub(1);
        let context = self.engine.shape().context;
        for active in &mut self.active {
            let len = active.sequence.tokens().len();
            let left = active.job.longest(context).saturating_sub(len + 1);
            active.guess(self.tokenizer, each.min(left));
            if active.next.len() > active.again + 1 {
                self.engine.hold_end(&mut active.sequence);
            }
        }
    }

    /// Lets forms find what may come next while the model computes.
    fn look_ahead(&mut self, shares: &[Share]) {
        for (i, (active, share)) in self.active.iter_mut().zip(shares).enumerate() {
            let rules = if share.wants() { active.writer.lend_rules() } else { None };
            if let Some(rules) = rules {
                self.masks.begin(i, rules, active.next.get(active.again + 1..).unwrap_or_default());
            }
        }
    }

    /// Who gets how many rows: first all that write, then those that read, in their order.
    fn shares(&self) -> Vec<Share> {
        let writing = self.active.iter().map(|active| active.next.len()).sum();
        let beside = if writing > 0 { self.policy.rows_beside } else { self.policy.rows };
        let mut left = beside.min(self.policy.rows.saturating_sub(writing));
        let share = |active: &Active| {
            if !active.next.is_empty() {
                return Share { rows: active.next.len(), wanted: Wanted::All };
            }
            let unread = active.job.prompt.len() - active.sequence.tokens().len();
            let rows = unread.min(left);
            left -= rows;
            let wanted = if rows == unread { Wanted::Last } else { Wanted::None };
            Share { rows, wanted }
        };
        self.active.iter().map(share).collect()
    }

    /// Chooses the next token of every turn that wants one, on all threads.
    fn choose<'a>(&mut self, shares: &[Share], rows: impl Iterator<Item = Row<'a>>) {
        let mut rows = rows;
        let mut turns = Vec::with_capacity(shares.len());
        for (active, share) in self.active.iter_mut().zip(shares).filter(|(_, s)| s.wants()) {
            let Active { writer, sequence, next, again, .. } = active;
            // Of several rows the first that was not there before.
            let before = if next.is_empty() { 0 } else { *again };
            let own = if next.is_empty() { 1 } else { share.rows };
            let tokens = &sequence.tokens()[..sequence.tokens().len() - (own - before - 1)];
            let mut own = rows.by_ref().take(own).skip(before);
            turns.extend(own.next().map(|row| (writer, row, tokens)));
            own.for_each(drop);
        }
        self.engine
            .for_each(&mut turns, &|(writer, row, tokens)| writer.choose_ahead(*row, tokens));
    }

    /// Lets every turn of a step take its next token, or tells how much of its prompt is read.
    fn take(&mut self, shares: &[Share]) {
        let (context, vocabulary) = (self.engine.shape().context, self.engine.shape().vocabulary);
        let lent = self.engine.lend_logits();
        let rows = lent.0.chunks_exact(vocabulary).zip(&lent.1);
        let mut rows = rows.map(|(logits, totals)| Row { logits, totals: *totals });
        self.choose(shares, rows.clone());
        let mut over = Vec::new();
        for (i, share) in shares.iter().enumerate().filter(|(_, share)| share.rows > 0) {
            let active = &mut self.active[i];
            let reading = active.next.is_empty();
            let read = Event::Read(active.sequence.tokens().len());
            if reading && (active.job.reply)(read).is_break() {
                over.push((i, Finish::Cancelled));
                rows.by_ref().take(usize::from(share.wants())).for_each(drop);
                continue;
            }
            if !share.wants() {
                continue;
            }
            if reading {
                self.engine.keep(&active.sequence);
            }
            let mut own = rows.by_ref().take(if reading { 1 } else { share.rows });
            let now = (self.clock)().saturating_sub(active.job.asked);
            active.times.first.get_or_insert(now);
            if let Err(finish) = active.write(&mut own, context) {
                over.push((i, finish));
            }
            // Those behind a wrong guess say nothing.
            own.for_each(drop);
            let Tried { made, right } = active.tried;
            self.tried = Tried { made: self.tried.made + made, right: self.tried.right + right };
            if !reading {
                let end = active.sequence.tokens().len() - share.rows;
                let again = self.engine.settle(&mut active.sequence, (end, active.certain));
                active.again = again.len();
                active.next.splice(..0, again);
            }
        }
        self.engine.take_back_logits(lent);
        for (i, finish) in over.into_iter().rev() {
            let active = self.active.remove(i);
            self.end(active, finish);
        }
    }

    /// A step of one turn; says what it had of it.
    fn step_one(&mut self, i: usize, share: Share) -> Result<Share, Error> {
        let stepped = self.engine.step(&mut [self.active[i].feed(share)]).map(drop);
        let active = &mut self.active[i];
        let sure = active.again + 1;
        match stepped {
            // Where a guess leads to need not be where the model goes.
            Err(Error::NotFinite { .. }) if active.next.len() > sure => {
                active.next.truncate(sure);
                let share = Share { rows: sure, ..share };
                self.engine.step(&mut [active.feed(share)]).map(|_| share)
            }
            stepped => stepped.map(|()| share),
        }
    }

    /// The same step one turn after the other. The one that fails ends.
    fn step_alone(&mut self, shares: &[Share]) {
        for (i, share) in shares.iter().enumerate().rev().filter(|(_, share)| share.rows > 0) {
            match self.step_one(i, *share) {
                Ok(share) => {
                    let mut alone = vec![Share { rows: 0, wanted: Wanted::None }; i];
                    alone.push(share);
                    self.take(&alone);
                }
                Err(error) => {
                    let mut active = self.active.remove(i);
                    let _ = (active.job.reply)(Event::Failed(error.into()));
                    self.engine.drop(active.sequence);
                }
            }
        }
    }

    /// Ends a turn, and keeps what it has read and written for the next.
    fn end(&mut self, active: Active, finish: Finish) {
        let Active { job, sequence, writer, times, .. } = active;
        self.engine.close(sequence);
        let over = self.since(&job);
        let (account, mut reply) = job.close(Times { over, ..times });
        writer.end(finish, account, &mut reply);
    }
}

impl Job {
    /// What is left of it when it is over.
    fn close(self, times: Times) -> (Account, Listener) {
        let account = Account::new(self.prompt, self.sampling, self.limits);
        (Account { times, ..account }, self.reply)
    }

    fn request(&self) -> Request<'_> {
        let Job { prompt, sampling, limits, reader, .. } = self;
        Request { prompt, sampling, limits, reader }
    }

    /// Tokens that the turn may come to have; its limit is stated from when it was submitted.
    fn longest(&self, context: usize) -> usize {
        let reply = self.limits.tokens.unwrap_or(context);
        self.prompt.len().saturating_add(reply).min(context)
    }
}

#[cfg(test)]
mod tests;
