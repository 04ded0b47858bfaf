//! A step: matrices packed, chunks dealt out to threads, and what these found summed.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::block;
use crate::math::Angles;
use crate::model::{Chunk, Model, Packed, Shape};
use crate::tile::in_blocks;
use crate::worker::Worker;

/// Tokens that a thread takes at once, more or less: sequences stay whole.
const CHUNK: usize = 1024;

/// All that lives from step to step.
pub struct Learner {
    shape: Shape,
    angles: Angles,
    packed: Packed,
    workers: Vec<Worker>,
}

impl Learner {
    /// A learner of models of a shape, on so many threads.
    pub fn new(shape: Shape, threads: usize) -> Learner {
        Learner {
            shape,
            angles: Angles::new(shape.context, shape.head, shape.theta),
            packed: Packed::new(shape),
            workers: (0..threads).map(|_| Worker::new(shape)).collect(),
        }
    }

    pub fn parameters(&self) -> usize {
        self.shape.parameters()
    }

    /// Writes the gradients of the sum of all losses, each times what it counts, and returns that
    /// sum. The same call gives the same bits: chunks are dealt out and sums made in a fixed order.
    pub fn gradients(&mut self, weights: &[f32], of: &Chunk, out: &mut [f32]) -> f64 {
        self.pack(weights);
        let model =
            Model { shape: self.shape, angles: &self.angles, packed: &self.packed, weights };
        let threads = self.workers.len();
        let chunks = chunks(of, threads);
        thread::scope(|scope| {
            for (first, worker) in self.workers.iter_mut().enumerate() {
                let (chunks, model) = (&chunks, &model);
                scope.spawn(move || {
                    block::configure();
                    worker.clear();
                    for (rows, ends) in chunks.iter().skip(first).step_by(threads) {
                        worker.learn(model, &part(of, rows, ends));
                    }
                });
            }
        });
        self.collect(out);
        self.workers.iter().map(|worker| worker.loss).sum()
    }

    fn pack(&mut self, weights: &[f32]) {
        let threads = self.workers.len();
        let todo = Mutex::new(self.packed.todo(self.shape, weights));
        let next = || todo.lock().unwrap_or_else(PoisonError::into_inner).pop();
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some((to, of, wide)) = next() {
                        to.pack(of, wide);
                    }
                });
            }
        });
    }

    /// Sums what the threads found, and lays it out as the parameters are.
    fn collect(&self, out: &mut [f32]) {
        let (words, layers) = out.split_at_mut(self.shape.words().end);
        thread::scope(|scope| {
            scope.spawn(|| {
                self.matrix(words, 0, Laid { wide: self.shape.width, transposed: true });
                for worker in &self.workers {
                    add(words, &worker.read);
                }
            });
            scope.spawn(|| self.collect_layers(layers));
        });
    }

    fn collect_layers(&self, mut rest: &mut [f32]) {
        let s = self.shape;
        let mut from = s.words().end;
        let mut take = |range: Range<usize>, laid: Option<Laid>| {
            let (now, later) = std::mem::take(&mut rest).split_at_mut(range.len());
            match laid {
                Some(laid) => self.matrix(now, from, laid),
                None => self.sum(now, from),
            }
            (rest, from) = (later, range.end);
        };
        for layer in 0..s.layers {
            let at = s.places(layer);
            take(at.norm, None);
            take(at.qkv, Some(Laid { wide: s.width, transposed: true }));
            take(at.o, Some(Laid { wide: s.inside(), transposed: false }));
            take(at.q_norm, None);
            take(at.k_norm, None);
            take(at.norm2, None);
            take(at.gate_up, Some(Laid { wide: s.width, transposed: true }));
            take(at.down, Some(Laid { wide: s.inner, transposed: false }));
        }
        take(s.last_norm(), None);
    }

    fn sum(&self, out: &mut [f32], from: usize) {
        out.fill(0.0);
        for worker in &self.workers {
            add(out, &worker.gradients[from..]);
        }
    }

    /// As [`sum`](Self::sum), out of blocks.
    fn matrix(&self, out: &mut [f32], from: usize, laid: Laid) {
        let mut blocks = vec![0f32; out.len()];
        self.sum(&mut blocks, from);
        for (row, line) in out.chunks_exact_mut(laid.wide).enumerate() {
            for (column, o) in line.iter_mut().enumerate() {
                let [row, column] = if laid.transposed { [column, row] } else { [row, column] };
                // Every matrix has the model's width on one of its sides, and that is down here.
                *o = blocks[in_blocks(self.shape.width, row, column)];
            }
        }
    }
}

/// How a matrix lies among the parameters: how wide its rows are, and whether its gradients were
/// found with rows for columns.
struct Laid {
    wide: usize,
    transposed: bool,
}

fn add(out: &mut [f32], of: &[f32]) {
    for (o, x) in out.iter_mut().zip(of) {
        *o += x;
    }
}

/// Whole sequences in chunks of about the same size, as many for each thread: the rows of each, and
/// where in it sequences end.
fn chunks(of: &Chunk, threads: usize) -> Vec<(Range<usize>, Vec<usize>)> {
    let all = of.tokens.len().max(1);
    let count = threads * all.div_ceil(threads * CHUNK);
    let mut chunks: Vec<(Range<usize>, Vec<usize>)> = Vec::new();
    let mut last = usize::MAX;
    for sequence in of.sequences().filter(|sequence| !sequence.is_empty()) {
        // A sequence belongs where its middle is.
        let number = (sequence.start + sequence.end) / 2 * count / all;
        match chunks.last_mut().filter(|_| number == last) {
            Some((rows, ends)) => {
                ends.push(sequence.end - rows.start);
                rows.end = sequence.end;
            }
            None => chunks.push((sequence.clone(), vec![sequence.len()])),
        }
        last = number;
    }
    chunks
}

fn part<'a>(of: &'a Chunk, rows: &Range<usize>, ends: &'a [usize]) -> Chunk<'a> {
    Chunk {
        tokens: &of.tokens[rows.clone()],
        targets: &of.targets[rows.clone()],
        counts: &of.counts[rows.clone()],
        ends,
    }
}
