//! One pass of rows through a model: of one sequence or of several at once.

use std::time::{Duration, Instant};

use arch::{CACHES_MAX, Keeps, Model, Scratch, Shape, Step, Store, Watch, Weight};
use kernels::{Isa, Kept, Machine, Totals};

use crate::batch::Batch;
use crate::pages::{Owner, Pages, Sequence};
use crate::prefix::Prefixes;
use crate::{Error, cores};

/// How an engine runs.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The instruction set.
    pub isa: Isa,
    /// Threads, the calling one included.
    pub threads: usize,
    /// Rows of a prompt that pass through the model together; changes speed and memory, no bit.
    pub chunk: usize,
    /// How keys and values are kept, as the model was loaded for it; nothing is what suits its
    /// weights. This changes the bits.
    pub kept: Option<Kept>,
    /// Whether weights are copied from the file and packed, for products at full speed.
    pub pack: bool,
    /// Bytes that what is kept of sequences may take; nothing is no limit.
    pub room: Option<u64>,
    /// Tokens of a sequence, where there are to be fewer than the model was made for.
    pub context: Option<usize>,
}

impl Settings {
    /// A model's sizes as they are with these settings.
    pub(crate) fn shape(&self, of: &Shape) -> Shape {
        let context = self.context.map_or(of.context, |context| of.context.min(context));
        Shape { context, ..of.clone() }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            isa: Isa::best(),
            threads: cores::usable(),
            chunk: 512,
            kept: None,
            pack: true,
            room: None,
            context: None,
        }
    }
}

/// A model with all that it needs to run.
pub struct Engine {
    model: Box<dyn Model>,
    shape: Shape,
    machine: Machine,
    scratch: Scratch,
    pages: Pages,
    prefixes: Prefixes,
    room: u64,
    /// Empty between steps.
    batch: Batch<'static>,
    logits: Vec<f32>,
    /// Of each row of logits.
    totals: Vec<Totals>,
    /// Normalised outputs of the rows for which they were wanted.
    outputs: Vec<f32>,
    chunk: usize,
    /// Time that the model itself has taken.
    computing: Duration,
}

/// Tokens to be added to a sequence in one pass.
pub struct Feed<'a> {
    /// The sequence.
    pub sequence: &'a mut Sequence,
    /// The tokens.
    pub tokens: &'a [u32],
    /// Whose logits are wanted.
    pub wanted: Wanted,
}

/// What is wanted of the fed tokens: the logits of some, or the normalised output of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// None of them: the middle of a prompt.
    None,
    /// The last one's: what comes next?
    Last,
    /// Those of all.
    All,
    /// No logits, but the normalised output of all.
    Output,
}

impl Engine {
    /// An engine for a model.
    ///
    /// # Errors
    /// When its weights are to be packed, and there is no memory for them.
    pub fn new(model: Box<dyn Model>, settings: Settings) -> Result<Engine, arch::Error> {
        Engine::with_progress(model, settings, &mut |_| {})
    }

    /// The same, telling from time to time how many bytes of weights are in memory.
    ///
    /// # Errors
    /// As for `new`.
    pub fn with_progress(
        mut model: Box<dyn Model>,
        settings: Settings,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Engine, arch::Error> {
        let machine = Machine::new(settings.isa, settings.threads);
        if settings.pack {
            arch::pack(&mut *model, &machine, progress)?;
        }
        let shape = settings.shape(model.shape());
        let pages = Pages::new(&shape.caches);
        let (scratch, batch, logits) = (Scratch::default(), Batch::default(), Vec::new());
        let (prefixes, room) = (Prefixes::new(), settings.room.unwrap_or(u64::MAX));
        let chunk = settings.chunk.max(1);
        Ok(Engine {
            model,
            shape,
            machine,
            scratch,
            pages,
            prefixes,
            room,
            batch,
            logits,
            totals: Vec::new(),
            outputs: Vec::new(),
            chunk,
            computing: Duration::ZERO,
        })
    }

    /// The model's sizes.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The weights that steps read in the file.
    pub fn in_file(&mut self) -> Vec<&[u8]> {
        let weights = self.model.weights().into_iter();
        weights.filter_map(|weight| Weight::in_file(weight)).collect()
    }

    /// Time that the model itself has taken so far; what else a step takes is the engine's own.
    pub fn computing(&self) -> Duration {
        self.computing
    }

    /// Bytes of memory for what is kept of sequences, in use or waiting for the next.
    pub fn cache_bytes(&self) -> u64 {
        self.pages.bytes()
    }

    /// The instruction set that it computes with.
    pub fn isa(&self) -> Isa {
        self.machine.isa()
    }

    /// Forgets all but the first `len` tokens of a sequence, or even fewer, where the model keeps
    /// too little to go on from there.
    pub fn truncate(&mut self, sequence: &mut Sequence, len: usize) {
        self.pages.truncate(sequence, len);
    }

    /// Adds a prompt to a sequence, piece by piece; returns the logits of its last token.
    ///
    /// # Errors
    /// When it is empty, does not fit, or holds a token that the model does not have; and when the
    /// model's numbers overflow.
    pub fn prefill(&mut self, sequence: &mut Sequence, tokens: &[u32]) -> Result<&[f32], Error> {
        let whole = self.prefill_while(sequence, tokens, &mut |_| true)?;
        Ok(whole.unwrap_or_default())
    }

    /// The same for as long as `go_on`, told after each piece how many tokens the sequence has,
    /// agrees; nothing is returned when it does not.
    pub(crate) fn prefill_while(
        &mut self,
        sequence: &mut Sequence,
        tokens: &[u32],
        go_on: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Option<&[f32]>, Error> {
        self.admit(sequence.tokens().len(), tokens)?;
        let mut pieces = tokens.chunks(self.chunk).peekable();
        while let Some(piece) = pieces.next() {
            let wanted = if pieces.peek().is_some() { Wanted::None } else { Wanted::Last };
            self.step(&mut [Feed { sequence, tokens: piece, wanted }])?;
            if !go_on(sequence.tokens().len()) {
                return Ok(None);
            }
        }
        Ok(Some(&self.logits))
    }

    /// One pass: all tokens of all feeds together. Returns the wanted logits, feed after feed.
    ///
    /// # Errors
    /// As for `prefill`; then no sequence has changed.
    pub fn step(&mut self, feeds: &mut [Feed]) -> Result<&[f32], Error> {
        self.step_watched(feeds, None)
    }

    /// The same, showing every layer's input, for comparisons with a reference.
    ///
    /// # Errors
    /// As for `step`.
    pub fn step_watched(
        &mut self,
        feeds: &mut [Feed],
        watch: Option<Watch>,
    ) -> Result<&[f32], Error> {
        for feed in feeds.iter_mut() {
            self.admit(feed.sequence.tokens().len(), feed.tokens)?;
        }
        self.reserve(feeds)?;
        let mut batch = std::mem::take(&mut self.batch).emptied();
        batch.fill(feeds, &self.shape.caches);
        self.forward(&batch, watch);
        let wrong = self.not_finite(&batch);
        self.batch = batch.emptied();
        for feed in feeds {
            match wrong {
                None => self.pages.finish(feed.sequence, feed.tokens),
                Some(_) => self.pages.cancel(feed.sequence),
            }
        }
        match wrong {
            None => Ok(&self.logits),
            Some(position) => Err(Error::NotFinite { position }),
        }
    }

    /// Runs rows through the model, to the logits of those that are wanted.
    fn forward(&mut self, batch: &Batch, watch: Option<Watch>) {
        let Shape { vocabulary, hidden, ref caches, .. } = self.shape;
        self.logits.resize(batch.wanted.len() * vocabulary, 0.0);
        self.outputs.resize(batch.shown.len() * hidden, 0.0);
        let mut stores: [Store; CACHES_MAX] = Default::default();
        for (cache, (store, pages)) in stores.iter_mut().zip(self.pages.all()).enumerate() {
            *store = Store { pages, rows: batch.tables(cache) };
        }
        let mut step = Step {
            tokens: &batch.tokens,
            positions: &batch.positions,
            stores: &mut stores[..caches.len()],
            wanted: &batch.wanted,
            logits: &mut self.logits,
            shown: &batch.shown,
            outputs: &mut self.outputs,
            watch,
        };
        let begin = Instant::now();
        self.model.forward(&mut self.machine, &mut self.scratch, &mut step);
        self.computing += begin.elapsed();
        self.totals.clear();
        self.totals.resize(batch.wanted.len(), Totals::default());
        self.machine.totals(&self.logits, &mut self.totals);
    }

    /// The position of the first row whose logits are no numbers.
    fn not_finite(&self, batch: &Batch) -> Option<usize> {
        let row = self.totals.iter().position(|totals| !totals.is_finite)?;
        Some(batch.positions[batch.wanted[row]])
    }

    /// Gives sequences the pages of a step.
    fn reserve(&mut self, feeds: &mut [Feed]) -> Result<(), Error> {
        for i in 0..feeds.len() {
            let feed = &mut feeds[i];
            let len = feed.sequence.tokens().len() + feed.tokens.len();
            let missing = self.pages.missing(feed.sequence, len);
            if let Err(error) = self.make_room(missing) {
                feeds[..i].iter_mut().for_each(|feed| self.pages.cancel(feed.sequence));
                return Err(error);
            }
            self.pages.reserve(feeds[i].sequence, len);
        }
        Ok(())
    }

    /// Makes room for so many bytes of pages. What was kept for later goes first.
    fn make_room(&mut self, missing: u64) -> Result<(), Error> {
        while self.pages.used_bytes() + missing > self.room {
            if !self.prefixes.forget_one(&mut self.pages) {
                let (needed, limit) = (self.pages.used_bytes() + missing, self.room);
                return Err(Error::Room { needed, limit });
            }
        }
        self.pages.shrink(self.room - missing);
        Ok(())
    }

    /// A sequence with as much of a prompt as earlier ones of this owner have left.
    pub fn open(&mut self, owner: &Owner, prompt: &[u32]) -> Sequence {
        // Without room for copies there is at least room for the sequence.
        let _ = self.make_room(self.pages.missing_at_begin());
        self.prefixes.open(&mut self.pages, owner, prompt)
    }

    /// Keeps what a sequence has read, for others that begin like it.
    pub(crate) fn keep(&mut self, sequence: &Sequence) {
        self.prefixes.keep(&mut self.pages, sequence, false);
    }

    /// Ends a sequence, and keeps all that it has read or written.
    pub fn close(&mut self, sequence: Sequence) {
        let mut sequence = sequence;
        self.prefixes.keep(&mut self.pages, &sequence, true);
        self.pages.truncate(&mut sequence, 0);
    }

    /// Does something with each item, on all threads of the model.
    pub(crate) fn for_each<T: Send>(&self, items: &mut [T], work: &(dyn Fn(&mut T) + Sync)) {
        self.machine.for_each(items, work);
    }

    /// The logits of the last step and their totals, to be given back.
    pub(crate) fn lend_logits(&mut self) -> (Vec<f32>, Vec<Totals>) {
        (std::mem::take(&mut self.logits), std::mem::take(&mut self.totals))
    }

    /// Takes their memory back.
    pub(crate) fn take_back_logits(&mut self, lent: (Vec<f32>, Vec<Totals>)) {
        (self.logits, self.totals) = lent;
    }

    /// The outputs of the last step, feed after feed, to be given back.
    pub(crate) fn lend_outputs(&mut self) -> Vec<f32> {
        std::mem::take(&mut self.outputs)
    }

    /// Takes their memory back.
    pub(crate) fn take_back_outputs(&mut self, lent: Vec<f32>) {
        self.outputs = lent;
    }

    /// Whether each page has as many users as there are references to it, and the memory in use is
    /// within its limit.
    #[cfg(test)]
    pub(crate) fn check_pages(&self, sequences: &[&Sequence]) {
        self.pages.check(sequences, self.prefixes.all_pages());
        assert!(self.pages.used_bytes() <= self.room, "{} bytes", self.pages.used_bytes());
    }

    #[cfg(test)]
    pub(crate) fn kept_blocks(&self) -> usize {
        self.prefixes.len()
    }

    /// Gives back all that is kept for later turns.
    pub fn forget(&mut self) {
        while self.prefixes.forget_one(&mut self.pages) {}
    }

    /// Ends a sequence of which nothing is worth keeping.
    pub(crate) fn drop(&mut self, sequence: Sequence) {
        let mut sequence = sequence;
        self.pages.truncate(&mut sequence, 0);
    }

    /// Lets a sequence be cut at its end after the next step. A state is kept for it; all else can
    /// be cut by a few tokens anyway.
    pub(crate) fn hold_end(&self, sequence: &mut Sequence) {
        if self.pages.keeps().any(|keeps| keeps == Keeps::State) {
            sequence.plan_mark(sequence.tokens().len());
        }
    }

    /// Cuts a sequence that was held at `end` to `len` tokens, or to `end` where it can be cut
    /// nowhere else. Returns the tokens up to `len` that must be fed again.
    pub(crate) fn settle(
        &mut self,
        sequence: &mut Sequence,
        (end, len): (usize, usize),
    ) -> Vec<u32> {
        if len == sequence.tokens().len() {
            self.pages.unmark(sequence, end);
            return Vec::new();
        }
        let sure = sequence.tokens()[end..len].to_vec();
        self.pages.truncate(sequence, len);
        let left = sequence.tokens().len();
        assert!(left >= end, "the end is held");
        sure[left - end..].to_vec()
    }

    /// Bytes of what is kept of sequences, for them or for later ones.
    pub fn used_bytes(&self) -> u64 {
        self.pages.used_bytes()
    }

    /// Bytes that what is kept of sequences may take.
    pub(crate) fn room(&self) -> u64 {
        self.room
    }

    /// Refuses tokens that cannot follow on a sequence, before any of them is computed.
    pub(crate) fn admit(&self, before: usize, tokens: &[u32]) -> Result<(), Error> {
        if tokens.is_empty() {
            return Err(Error::EmptyPrompt);
        }
        let context = self.shape.context;
        let needed = before + tokens.len();
        if needed > context {
            return Err(Error::ContextFull { needed, context });
        }
        self.known(tokens)
    }

    /// Refuses tokens that the vocabulary does not have.
    pub(crate) fn known<'a>(&self, tokens: impl IntoIterator<Item = &'a u32>) -> Result<(), Error> {
        let vocabulary = self.shape.vocabulary;
        match tokens.into_iter().find(|token| **token as usize >= vocabulary) {
            Some(&token) => Err(Error::Token { token, vocabulary }),
            None => Ok(()),
        }
    }
}
