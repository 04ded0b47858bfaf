//! How much memory a model will take, told before it is loaded, from its header alone.
//!
//! Weights and pages are counted. Scratch is what a rehearsal makes room for: the recipe's own
//! forward pass, on a machine that computes nothing and reads no weights, over fewer rows than a
//! step has; all buffers grow with the rows of a step, in proportion.

use arch::{CACHES_MAX, Cache, Model, Places, Scratch, Shape, Source, Step, Store};
use kernels::{Machine, RowTable};

use crate::Settings;

/// What a model is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Tokens of each conversation.
    pub context: usize,
    /// Conversations that are kept at once.
    pub users: usize,
}

/// Bytes that a model takes. All but the weights in the file are the process' own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// Weights that are packed.
    pub packed: u64,
    /// Weights that stay in the file and are read there in each step. The system may drop them and
    /// read them again, which takes long.
    pub in_file: u64,
    /// Norms, biases and weights that are made of what the file has.
    pub small: u64,
    /// Keys, values and states of all conversations.
    pub cache: u64,
    /// Buffers of a step, logits among them.
    pub scratch: u64,
    /// The tokenizer.
    pub text: u64,
    /// The stacks of threads.
    pub threads: u64,
}

impl Need {
    /// Bytes of all weights.
    pub fn weights(&self) -> u64 {
        self.packed + self.in_file + self.small
    }

    /// Bytes that do not grow with conversations.
    pub fn fixed(&self) -> u64 {
        self.weights() + self.scratch + self.text + self.threads
    }

    /// All of it.
    pub fn total(&self) -> u64 {
        self.fixed() + self.cache
    }
}

/// Rows of the second of two rehearsals from which a longer step is told; the first has half of
/// them. With fewer, which is for models wider than known ones, what attention needs is told too
/// high.
const REHEARSED: usize = 256;

/// Bytes up to which a step is rehearsed as it is.
const SMALL: u64 = 64 << 20;

/// About what a rehearsal takes at most: a header may claim any width.
const LARGE: u64 = 256 << 20;

/// What a token of the vocabulary takes in a tokenizer; in published ones between 120 and 240.
const TOKEN: usize = 180;

/// What a thread takes, mostly of its stack.
const THREAD: u64 = 24 << 10;

/// A model whose memory can be told for any demand.
pub struct Fit {
    model: Box<dyn Model>,
    shape: Shape,
    settings: Settings,
    places: Places,
    small: u64,
}

impl Fit {
    /// Of the model whose header `source` has.
    ///
    /// # Errors
    /// When it cannot be loaded, as `arch::load` says.
    pub fn of(source: &Source, settings: Settings) -> Result<Fit, arch::Error> {
        let mut model = arch::load_keeping(source, settings.kept)?;
        let small = arch::small_bytes(&mut *model, source);
        let machine = settings.pack.then(|| Machine::rehearsing(settings.isa, settings.threads));
        let places = arch::place(&mut *model, machine.as_ref())?;
        let shape = settings.shape(model.shape());
        Ok(Fit { model, shape, settings, places, small })
    }

    /// Numbers in the matrices of its products.
    pub fn numbers(&self) -> u64 {
        self.places.numbers
    }

    /// The model's sizes.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// What the model takes when so much is asked of it.
    pub fn need(&self, demand: Demand) -> Need {
        let Places { packed, in_file, made, .. } = self.places;
        Need {
            packed,
            in_file,
            small: self.small + made,
            cache: self.cache(demand),
            scratch: self.scratch(demand),
            text: (self.shape().vocabulary * TOKEN) as u64,
            threads: self.settings.threads.saturating_sub(1) as u64 * THREAD,
        }
    }

    /// The largest context for which no more than `bytes` are needed, if there is one.
    pub fn longest(&self, users: usize, bytes: u64) -> Option<usize> {
        /// People count in such steps.
        const STEP: usize = 256;
        let fits = |context| self.need(Demand { context, users }).total() <= bytes;
        let whole = self.shape().context;
        if fits(whole) {
            return Some(whole);
        }
        let (mut fitting, mut too_long) = (0, whole.div_ceil(STEP));
        while fitting + 1 < too_long {
            let middle = fitting.midpoint(too_long);
            if fits(middle * STEP) { fitting = middle } else { too_long = middle }
        }
        (fitting > 0).then_some(fitting * STEP)
    }

    /// A step has no more rows than it has, whosever they are: only those need pages ahead.
    fn cache(&self, Demand { context, users }: Demand) -> u64 {
        let bytes = |cache: &Cache| {
            let kept = cache.kept_pages(context);
            let ahead = cache.peak_pages(context, self.settings.chunk).saturating_sub(kept);
            ((kept * users + ahead) * cache.page_len * size_of::<f32>()) as u64
        };
        self.shape().caches.iter().map(bytes).sum()
    }

    fn scratch(&self, demand: Demand) -> u64 {
        // A row of each user's, and the copy of it that their tokens are chosen in.
        let logits = 2 * demand.users * self.shape().vocabulary * size_of::<f32>();
        let rows = self.settings.chunk.min(demand.context).max(1);
        self.of_rows(rows.max(demand.users), demand) + logits as u64
    }

    fn of_rows(&self, rows: usize, demand: Demand) -> u64 {
        let [one, two] = [1, 2].map(|rows| self.rehearse(rows, demand));
        let rows_in = |bytes: u64| (bytes / two.saturating_sub(one).max(1)) as usize;
        let more = 1 << rows_in(LARGE).clamp(2, REHEARSED).ilog2();
        if rows <= more || rows <= rows_in(SMALL) {
            return self.rehearse(rows, demand);
        }
        let few = more / 2;
        let [at_few, at_more] = [few, more].map(|rows| self.rehearse(rows, demand));
        let each = at_more.saturating_sub(at_few) / (more - few) as u64;
        at_more + each * (rows - more) as u64
    }

    /// Bytes for which a step of so many rows and then one of all users, as far as they go into so
    /// many, make room.
    fn rehearse(&self, rows: usize, Demand { context, users }: Demand) -> u64 {
        let users = users.min(rows);
        let mut machine = Machine::rehearsing(self.settings.isa, self.settings.threads);
        let mut scratch = Scratch::default();
        let prompt: Vec<usize> = (context.saturating_sub(rows)..context).collect();
        let last = vec![context.saturating_sub(1); users];
        for (positions, wanted) in [(&prompt, 1), (&last, users)] {
            self.pass(positions, wanted, (&mut machine, &mut scratch));
        }
        let of_row = self.shape().caches.len() * size_of::<RowTable>() + 2 * size_of::<usize>();
        scratch.bytes() + machine.scratch_bytes() + (rows * of_row) as u64
    }

    fn pass(
        &self,
        positions: &[usize],
        wanted: usize,
        (machine, scratch): (&mut Machine, &mut Scratch),
    ) {
        let row = |position: &usize| RowTable { position: *position, pages: &[] };
        let rows: Vec<RowTable> = positions.iter().map(row).collect();
        let mut stores: [Store; CACHES_MAX] = Default::default();
        let stores = &mut stores[..self.shape().caches.len()];
        stores.iter_mut().for_each(|store| store.rows = &rows);
        let wanted: Vec<usize> = (positions.len() - wanted..positions.len()).collect();
        let mut step = Step {
            tokens: &vec![0; positions.len()],
            positions,
            stores,
            wanted: &wanted,
            logits: &mut vec![0.0; wanted.len() * self.shape().vocabulary],
            shown: &[],
            outputs: &mut [],
            watch: None,
        };
        self.model.forward(machine, scratch, &mut step);
    }
}
