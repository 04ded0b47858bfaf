//! Products with packed weights: activations are rounded and interleaved once, then each thread
//! takes panels of every matrix.

use std::ops::Range;

use super::Machine;
use super::product::{Input, Job, Rounding};
use super::rounded::Groups;
use super::shared::{Pieces, Shared};
use super::unpacked::SHORT;
use crate::panels::activations::{self, Layout, Run};
use crate::panels::{self, Expanded, Kernels, Next, OUTPUTS, PANELS, STRETCH, WIDEST};
use crate::room::room;

/// Rows up to which nothing is expanded: taking blocks apart twice costs less than memory does.
const FEW_ROWS: usize = 8;

/// Buffers of these products.
#[derive(Default)]
pub(super) struct Scratch {
    /// For each input the kinds of activations that its jobs take.
    inputs: Vec<[Interleaved; KINDS]>,
    words: Vec<i32>,
    threads: Vec<Own>,
}

/// Activations of an input for products of one group length and rounding.
#[derive(Clone, Copy, Default)]
struct Interleaved {
    layout: Layout,
    /// Where they begin among the words.
    start: usize,
    rounding: Option<Rounding>,
}

/// What a thread has for itself.
struct Own {
    rows: Groups,
    weights: Box<[Expanded; PANELS]>,
    /// Outputs of some panels for every row.
    sums: Vec<f32>,
}

impl Scratch {
    pub fn bytes(&self) -> u64 {
        let of_thread =
            |own: &Own| own.rows.bytes() + size_of_val(&*own.weights) as u64 + room(&own.sums);
        let threads: u64 = self.threads.iter().map(of_thread).sum();
        room(&self.inputs) + room(&self.words) + room(&self.threads) + threads
    }
}

impl Default for Own {
    fn default() -> Own {
        let weights = Box::new([Expanded::ZERO; PANELS]);
        Own { rows: Groups::default(), weights, sums: Vec::new() }
    }
}

/// Kinds of activations: two group lengths, each for two roundings.
const KINDS: usize = 4;

/// Which activations a job takes.
pub(super) fn kind(job: &Job) -> usize {
    2 * usize::from(is_long(job)) + usize::from(job.rounding == Rounding::Twice)
}

fn is_long(job: &Job) -> bool {
    job.weights.format.group_len() == STRETCH
}

/// The inputs of some jobs.
pub(super) struct Inputs<F> {
    pub of: F,
    /// How many there may be and rows that each may have, whichever are chosen this time: with
    /// room for them, the next choice needs no more.
    pub count: usize,
    pub rows: usize,
}

impl Machine {
    /// Computes jobs, each with the input of which it has the number.
    pub(super) fn multiply_packed<'a>(
        &self,
        inputs: &Inputs<impl Fn(usize) -> Input<'a> + Sync>,
        jobs: impl Iterator<Item = Job<'a>> + Clone + Sync,
        scratch: &mut Scratch,
    ) {
        let Some(plan) = self.plan(inputs, jobs.clone(), scratch) else { return };
        self.interleave(&inputs.of, plan.numbers, scratch);
        let (isa, threads) = (self.isa, self.threads());
        let (of_inputs, words) = (&scratch.inputs, &scratch.words);
        let own = Shared::rows(&mut scratch.threads, 1);
        let pieces = Pieces::default();
        self.share(plan.products, &|thread| {
            // SAFETY: each thread has its own.
            let own = &mut unsafe { own.row(thread) }[0];
            let mut taker = pieces.taker();
            for job in jobs.clone() {
                let kernels = Kernels::of(isa, job.weights.format);
                let kernels = &kernels.expect("weights are packed for machines that pack them");
                let Interleaved { layout, start, .. } = of_inputs[job.input][kind(&job)];
                let panels = job.weights.rows.div_ceil(panels::ROWS);
                let len = piece_len(&job, layout.rows, threads);
                while let Some(panels) = taker.next(panels, len) {
                    let x = Activations { layout, words: &words[start..][..layout.words()] };
                    Share { job: &job, kernels, x, own }.run(panels);
                }
            }
        });
    }

    /// Finds out what the jobs need, and makes room for it.
    fn plan<'a>(
        &self,
        inputs: &Inputs<impl Fn(usize) -> Input<'a>>,
        jobs: impl Iterator<Item = Job<'a>>,
        scratch: &mut Scratch,
    ) -> Option<Plan> {
        let Scratch { inputs: of_inputs, words, threads } = scratch;
        let (mut plan, mut most, mut len) = (None, inputs.rows, 0);
        of_inputs.clear();
        of_inputs.reserve(inputs.count);
        for job in jobs {
            of_inputs.resize(of_inputs.len().max(job.input + 1), Default::default());
            let (x, cols) = ((inputs.of)(job.input), job.weights.cols);
            let Plan { numbers, products } = plan.get_or_insert_default();
            let (n, to) = (x.len(cols), &mut of_inputs[job.input][kind(&job)]);
            most = most.max(n);
            *products += n * cols * job.weights.rows;
            if to.rounding.is_none() {
                let rows = n * job.rounding.planes();
                to.layout = Layout { rows, cols, long: is_long(&job) };
                (to.rounding, to.start) = (Some(job.rounding), len);
                len += to.layout.words();
                *numbers += rows * cols;
            }
        }
        words.resize(len, 0);
        threads.resize_with(self.threads(), Own::default);
        for own in &mut *threads {
            own.sums.resize(most * OUTPUTS, 0.0);
        }
        if self.rehearses() {
            // What threads round at a time.
            for kind in of_inputs.iter().flatten() {
                let Some(rounding) = kind.rounding else { continue };
                let (rows, layout) = (panels::ROWS_MAX.min(kind.layout.rows), kind.layout);
                let group_len = if layout.long { STRETCH } else { SHORT };
                let shape = (layout.cols, group_len);
                let rows = rows / rounding.planes();
                threads.iter_mut().for_each(|own| own.rows.make_room(rows, shape, rounding));
            }
        }
        plan
    }

    /// Rounds the rows of all inputs as their jobs want them.
    fn interleave<'a>(
        &self,
        inputs: &(impl Fn(usize) -> Input<'a> + Sync),
        numbers: usize,
        scratch: &mut Scratch,
    ) {
        let (isa, threads, of_inputs) = (self.isa, self.threads(), &scratch.inputs);
        let words = Shared::rows(&mut scratch.words, 1);
        let own = Shared::rows(&mut scratch.threads, 1);
        self.share(numbers, &|thread| {
            // SAFETY: each thread has its own.
            let rounded = &mut unsafe { own.row(thread) }[0].rows;
            let mut turn = 0;
            for (number, kinds) in of_inputs.iter().enumerate() {
                let wanted = kinds.iter().filter_map(|kind| Some((kind, kind.rounding?)));
                for (Interleaved { layout, start, .. }, rounding) in wanted {
                    let (x, cols, planes) = (inputs(number), layout.cols, rounding.planes());
                    let group_len = if layout.long { STRETCH } else { SHORT };
                    for group in layout.groups() {
                        turn += 1;
                        if turn % threads != thread {
                            continue;
                        }
                        let first = group.first / planes;
                        let rows = (first..first + group.rows / planes).map(|i| x.row(i, cols));
                        rounded.fill(isa, rows, (cols, group_len), rounding);
                        for stretch in 0..layout.stretches() {
                            let (at, len) = layout.place(stretch, group);
                            // SAFETY: the words of a group belong to the one thread that has it.
                            let words = unsafe { words.run(start + at, len) };
                            let rounded = &rounded.view(rounding);
                            activations::interleave(rounded, stretch, group.rows, words);
                        }
                    }
                }
            }
        });
    }
}

/// How many panels of a job make a piece that a thread takes.
fn piece_len(job: &Job, rows: usize, threads: usize) -> usize {
    /// Pieces for each thread, if they are not too small.
    const OF_THREAD: usize = 8;
    /// Bytes of weights from which on it does not show that what is asked for ahead of the end of
    /// a piece is for somebody else.
    const WORTH_TAKING: usize = 256 << 10;
    let panels = job.weights.rows.div_ceil(panels::ROWS).max(1);
    let len = panels.div_ceil(threads * OF_THREAD);
    if rows > FEW_ROWS {
        return len.next_multiple_of(PANELS);
    }
    len.max(WORTH_TAKING.div_ceil(job.weights.bytes().len() / panels)).min(panels.div_ceil(threads))
}

/// How much there is to do.
#[derive(Default)]
struct Plan {
    /// Numbers that are rounded.
    numbers: usize,
    /// Multiplications.
    products: usize,
}

/// Interleaved activations of a job.
struct Activations<'a> {
    layout: Layout,
    words: &'a [i32],
}

/// A thread's share of a job.
struct Share<'a> {
    job: &'a Job<'a>,
    kernels: &'a Kernels,
    x: Activations<'a>,
    own: &'a mut Own,
}

impl Share<'_> {
    /// Sums of some panels for the rows of this job.
    fn sums(&mut self) -> &mut [f32] {
        let outputs = self.x.layout.rows / self.job.rounding.planes();
        &mut self.own.sums[..outputs * OUTPUTS]
    }

    fn run(&mut self, panels: Range<usize>) {
        if self.x.layout.rows <= FEW_ROWS {
            return panels.for_each(|panel| self.run_at_once(panel));
        }
        // Panels are taken in bundles, and some bundles share a stretch of activations.
        let bundle = self.kernels.panels;
        for first in panels.clone().step_by(PANELS) {
            let set = first..panels.end.min(first + PANELS);
            self.sums().fill(0.0);
            for stretch in 0..self.x.layout.stretches() {
                for first in set.clone().step_by(bundle) {
                    let now = first..set.end.min(first + bundle);
                    let next = self.after((stretch, first + bundle), &set, &panels);
                    self.expand(now.clone(), stretch);
                    let place = (first - set.start) * panels::ROWS;
                    self.multiply((stretch, now.len()), place, next);
                }
            }
            self.job.put_out(set, self.sums(), OUTPUTS);
        }
    }

    /// The stretch and the first panel that follow, when the bundle at `first` of the set would be
    /// next; nothing at the end of all panels.
    fn after(
        &self,
        (stretch, first): (usize, usize),
        set: &Range<usize>,
        all: &Range<usize>,
    ) -> Option<(usize, usize)> {
        if first < set.end {
            return Some((stretch, first));
        }
        if stretch + 1 < self.x.layout.stretches() {
            return Some((stretch + 1, set.start));
        }
        (set.end < all.end).then_some((0, set.end))
    }

    /// Multiplies one panel with all rows, group after group, straight from its blocks.
    fn run_at_once(&mut self, panel: usize) {
        let bytes = self.job.weights.panel(panel);
        let planes = self.job.rounding.planes();
        self.sums().fill(0.0);
        let (layout, words) = (&self.x.layout, self.x.words);
        for group in layout.groups() {
            for walk in layout.walks() {
                let run = Run { first: group.first, rows: group.rows, groups: 1 };
                let x = layout.stretch(words, walk.first, run);
                let sums = &mut self.own.sums[group.first / planes * OUTPUTS..];
                assert!(sums.len() >= group.rows / planes * OUTPUTS);
                let (rows, to) = ((group.rows, planes), (x, sums.as_mut_ptr()));
                let scratch = &mut self.own.weights[0];
                // SAFETY: `x` has the rows of the group, of which there are as many in every
                // stretch of the walk, and `sums` a row for each output.
                unsafe { self.kernels.multiply((bytes, walk), rows, to, scratch) }
            }
        }
        self.job.put_out(panel..panel + 1, self.sums(), OUTPUTS);
    }

    fn expand(&mut self, panels: Range<usize>, stretch: usize) {
        let parts = self.x.layout.parts(stretch);
        for (panel, to) in panels.zip(self.own.weights.iter_mut()) {
            self.kernels.expand(self.job.weights.panel(panel), stretch, parts, to);
        }
    }

    /// Multiplies the expanded panels with all rows, and meanwhile asks for what is `next`; `place`
    /// is that of the outputs.
    fn multiply(
        &mut self,
        (stretch, panels): (usize, usize),
        place: usize,
        next: Option<(usize, usize)>,
    ) {
        assert!(place + panels * panels::ROWS <= OUTPUTS);
        let (layout, kernels) = (&self.x.layout, self.kernels);
        let planes = self.job.rounding.planes();
        let mut next = next.map_or(Next::NONE, |next| self.lines_of(next, panels));
        for run in layout.runs().into_iter().flatten() {
            let x = layout.stretch(self.x.words, stretch, run);
            let sums = &mut self.own.sums[run.first / planes * OUTPUTS..];
            assert!(sums.len() >= run.groups * run.rows / planes * OUTPUTS);
            let (weights, sums) = (self.own.weights.as_ptr(), sums.as_mut_ptr());
            next.lines = next.lines.div_ceil(run.groups);
            // SAFETY: the panels are expanded, `x` has the rows of the run, and `sums` as many, of
            // which those of these panels begin at `place`.
            unsafe {
                let sums = sums.add(place);
                if panels == kernels.panels && run.rows == panels::ROWS_MAX {
                    kernels.wide_tile(planes)(weights, (x, &next), (sums, run.groups));
                } else {
                    let tile = kernels.tile(run.rows, planes);
                    for panel in 0..panels {
                        let next = Next { starts: [next.starts[panel]; WIDEST], ..next };
                        let sums = sums.add(panel * panels::ROWS);
                        tile(weights.add(panel), (x, &next), (sums, run.groups));
                    }
                }
            }
            // The first run has asked for all of it.
            next.lines = 0;
        }
    }

    /// A stretch of some panels, whose lines will be needed.
    fn lines_of(&self, (stretch, first): (usize, usize), panels: usize) -> Next {
        let (mut next, parts) = (Next::NONE, self.x.layout.parts(stretch));
        let last = self.job.weights.rows.div_ceil(panels::ROWS) - 1;
        for (i, start) in next.starts[..panels].iter_mut().enumerate() {
            let panel = self.job.weights.panel(last.min(first + i));
            (*start, next.lines) = self.kernels.lines(panel, stretch, parts);
        }
        next
    }
}
