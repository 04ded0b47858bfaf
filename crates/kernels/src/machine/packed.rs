//! Products with packed weights: activations are rounded and interleaved once, then each thread
//! takes panels of every matrix.

use std::ops::Range;

use super::Machine;
use super::product::{Job, Rounding};
use super::rounded::Groups;
use super::shared::Shared;
use crate::panels::activations::{self, Layout, Run};
use crate::panels::{self, Expanded, Kernels, Next, OUTPUTS, PANELS, STRETCH, WIDEST};

/// Rows up to which nothing is expanded: taking blocks apart twice costs less than memory does.
const FEW_ROWS: usize = 8;

/// Buffers of these products.
#[derive(Default)]
pub(super) struct Scratch {
    rounded: [Interleaved; 4],
    threads: Vec<Own>,
}

/// Activations for products of one group length and rounding.
#[derive(Default)]
struct Interleaved {
    layout: Layout,
    words: Vec<i32>,
}

/// What a thread has for itself.
struct Own {
    rows: Groups,
    weights: Box<[Expanded; PANELS]>,
    /// Outputs of some panels for every row.
    sums: Vec<f32>,
}

impl Default for Own {
    fn default() -> Own {
        let weights = Box::new([Expanded::ZERO; PANELS]);
        Own { rows: Groups::default(), weights, sums: Vec::new() }
    }
}

/// Which activations a job takes.
pub(super) fn kind(job: &Job) -> usize {
    2 * usize::from(is_long(job)) + usize::from(job.rounding == Rounding::Twice)
}

pub(super) fn is_long(job: &Job) -> bool {
    job.weights.format.group_len() == STRETCH
}

impl Machine {
    /// Computes jobs that share the activations `x`.
    pub(super) fn multiply_packed<'a, 'j: 'a>(
        &self,
        x: &[f32],
        jobs: impl Iterator<Item = &'a Job<'j>> + Clone + Sync,
        scratch: &mut Scratch,
    ) {
        let Some(first) = jobs.clone().next() else { return };
        let n = x.len() / first.weights.cols;
        scratch.threads.resize_with(self.threads(), Own::default);
        for own in &mut scratch.threads {
            own.sums.resize(n * OUTPUTS, 0.0);
        }
        for wanted in 0..scratch.rounded.len() {
            if let Some(job) = jobs.clone().find(|job| kind(job) == wanted) {
                self.interleave(x, job, &mut scratch.rounded[wanted], &mut scratch.threads);
            }
        }
        let (isa, threads, rounded) = (self.isa, self.threads(), &scratch.rounded);
        let own = Shared::rows(&mut scratch.threads, 1);
        let weights: usize = jobs.clone().map(|job| job.weights.rows).sum();
        self.share(weights * x.len(), &|thread| {
            // SAFETY: each thread has its own.
            let own = &mut unsafe { own.row(thread) }[0];
            for job in jobs.clone() {
                let panels = job.weights.rows.div_ceil(panels::ROWS);
                let panels = thread * panels / threads..(thread + 1) * panels / threads;
                let kernels = Kernels::of(isa, job.weights.format);
                let kernels = &kernels.expect("weights are packed for machines that pack them");
                Share { job, kernels, x: &rounded[kind(job)], own }.run(panels);
            }
        });
    }

    /// Rounds the rows as `job` wants them.
    fn interleave(&self, x: &[f32], job: &Job, to: &mut Interleaved, own: &mut [Own]) {
        let (cols, group_len) = (job.weights.cols, job.weights.format.group_len());
        let rows = x.len() / cols * job.rounding.planes();
        to.layout = Layout { rows, cols, long: is_long(job) };
        to.words.resize(to.layout.words(), 0);
        let (isa, layout, threads) = (self.isa, to.layout, self.threads());
        let (words, own) = (Shared::rows(&mut to.words, 1), Shared::rows(own, 1));
        self.share(x.len(), &|thread| {
            // SAFETY: each thread has its own.
            let own = &mut unsafe { own.row(thread) }[0];
            for group in layout.groups().skip(thread).step_by(threads) {
                let planes = job.rounding.planes();
                let x = &x[group.first / planes * cols..][..group.rows / planes * cols];
                own.rows.fill(isa, x, (cols, group_len), job.rounding);
                for stretch in 0..layout.stretches() {
                    let (at, len) = layout.place(stretch, group);
                    // SAFETY: the words of a group belong to the one thread that has it.
                    let words = unsafe { words.run(at, len) };
                    let rounded = &own.rows.view(job.rounding);
                    activations::interleave(rounded, stretch, group.rows, words);
                }
            }
        });
    }
}

/// A thread's share of a job.
struct Share<'a> {
    job: &'a Job<'a>,
    kernels: &'a Kernels,
    x: &'a Interleaved,
    own: &'a mut Own,
}

impl Share<'_> {
    fn run(&mut self, panels: Range<usize>) {
        if self.x.layout.rows <= FEW_ROWS {
            return panels.for_each(|panel| self.run_at_once(panel));
        }
        // Panels are taken in bundles, and some bundles share a stretch of activations.
        let bundle = self.kernels.panels;
        for first in panels.clone().step_by(PANELS) {
            let set = first..panels.end.min(first + PANELS);
            self.own.sums.fill(0.0);
            for stretch in 0..self.x.layout.stretches() {
                for first in set.clone().step_by(bundle) {
                    let now = first..set.end.min(first + bundle);
                    let next = self.after((stretch, first + bundle), &set, &panels);
                    self.expand(now.clone(), stretch);
                    let place = (first - set.start) * panels::ROWS;
                    self.multiply((stretch, now.len()), place, next);
                }
            }
            self.job.put_out(set, &self.own.sums);
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
        let (layout, bytes) = (&self.x.layout, self.job.weights.panel(panel));
        let planes = self.job.rounding.planes();
        self.own.sums.fill(0.0);
        for group in layout.groups() {
            for walk in layout.walks() {
                let run = Run { first: group.first, rows: group.rows, groups: 1 };
                let x = layout.stretch(&self.x.words, walk.first, run);
                let sums = &mut self.own.sums[group.first / planes * OUTPUTS..];
                assert!(sums.len() >= group.rows / planes * OUTPUTS);
                let (rows, to) = ((group.rows, planes), (x, sums.as_mut_ptr()));
                let scratch = &mut self.own.weights[0];
                // SAFETY: `x` has the rows of the group, of which there are as many in every
                // stretch of the walk, and `sums` a row for each output.
                unsafe { self.kernels.multiply((bytes, walk), rows, to, scratch) }
            }
        }
        self.job.put_out(panel..panel + 1, &self.own.sums);
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
            let x = layout.stretch(&self.x.words, stretch, run);
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
