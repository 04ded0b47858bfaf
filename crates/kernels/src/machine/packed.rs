//! Products with packed weights: activations are rounded and interleaved once, then each thread
//! takes panels of every matrix.

use std::ops::Range;

use super::Machine;
use super::product::{Job, Rounding};
use super::rounded::Groups;
use super::shared::Shared;
use crate::panels::activations::{self, Layout, Run};
use crate::panels::{self, Expanded, Kernels, OUTPUTS, PANELS, STRETCH};

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
    weights: Box<[Expanded; 2]>,
    /// Outputs of some panels for every row.
    sums: Vec<f32>,
}

impl Default for Own {
    fn default() -> Own {
        let weights = Box::new([Expanded::ZERO; 2]);
        Own { rows: Groups::default(), weights, sums: Vec::new() }
    }
}

/// Which activations a job takes.
fn kind(job: &Job) -> usize {
    2 * usize::from(is_long(job)) + usize::from(job.rounding == Rounding::Twice)
}

fn is_long(job: &Job) -> bool {
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
        let kernels = Kernels::of(self.isa, job.weights.format);
        let together = kernels.map_or(1, |kernels| kernels.rows);
        let rows = x.len() / cols * job.rounding.planes();
        to.layout = Layout { rows, cols, together, long: is_long(job) };
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
        // Few rows read every panel in one go. Many take two at a time, and several pairs of them
        // share a stretch of activations.
        let (side_by_side, pair) =
            if self.x.layout.rows >= self.kernels.rows { (PANELS, 2) } else { (1, 1) };
        for first in panels.clone().step_by(side_by_side) {
            let panels = first..panels.end.min(first + side_by_side);
            self.own.sums.fill(0.0);
            for stretch in 0..self.x.layout.stretches() {
                for first in panels.clone().step_by(pair) {
                    let two = first..panels.end.min(first + pair);
                    self.expand(two.clone(), stretch);
                    let place = (first - panels.start) * panels::ROWS;
                    for run in self.x.layout.runs().into_iter().flatten() {
                        self.multiply(stretch, run, (two.len(), place));
                    }
                }
            }
            self.put_out(panels);
        }
    }

    fn expand(&mut self, panels: Range<usize>, stretch: usize) {
        let (layout, format) = (&self.x.layout, self.job.weights.format);
        let stretch_bytes = STRETCH / format.block_len() * format.block_bytes() * panels::ROWS;
        let parts = layout.parts(stretch);
        for (panel, to) in panels.zip(self.own.weights.iter_mut()) {
            let bytes = &self.job.weights.panel(panel)[stretch * stretch_bytes..];
            // SAFETY: the panel has the blocks of this stretch, which are `parts` parts.
            unsafe { (self.kernels.expand)(bytes.as_ptr(), parts, to) };
        }
    }

    /// Multiplies the expanded panels with a run of rows; `place` is that of the outputs.
    fn multiply(&mut self, stretch: usize, run: Run, (panels, place): (usize, usize)) {
        let (kernels, planes) = (self.kernels, self.job.rounding.planes());
        let x = self.x.layout.stretch(&self.x.words, stretch, run);
        let sums = &mut self.own.sums[run.first / planes * OUTPUTS..];
        assert!(sums.len() >= run.groups * run.rows / planes * OUTPUTS);
        assert!(place + panels * panels::ROWS <= OUTPUTS);
        // SAFETY: the panels are expanded, `x` has the rows of the run, and `sums` as many, of
        // which those of these panels begin at `place`.
        unsafe {
            let (weights, sums) = (self.own.weights.as_ptr(), sums.as_mut_ptr().add(place));
            if panels == 2 && run.rows == kernels.rows {
                return kernels.wide_tile(planes)(weights, x, (sums, run.groups));
            }
            let tile = kernels.tile(run.rows, planes);
            for panel in 0..panels {
                let sums = sums.add(panel * panels::ROWS);
                tile(weights.add(panel), x, (sums, run.groups));
            }
        }
    }

    /// Writes the outputs of panels.
    fn put_out(&self, panels: Range<usize>) {
        let first = panels.start * panels::ROWS;
        let count = (panels.end * panels::ROWS).min(self.job.weights.rows) - first;
        for (row, sums) in self.own.sums.chunks_exact(OUTPUTS).enumerate() {
            // SAFETY: the outputs of a panel are written by the one thread that has it.
            let out = unsafe { self.job.out.part(row, first, count) };
            match self.job.bias {
                None => out.copy_from_slice(&sums[..count]),
                Some(bias) => {
                    for ((out, sum), bias) in out.iter_mut().zip(sums).zip(&bias[first..]) {
                        *out = sum + bias;
                    }
                }
            }
        }
    }
}
