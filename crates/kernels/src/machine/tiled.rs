//! Products of packed weights with many rows by tiles: activations are rounded and laid out once,
//! then each thread takes panels of every matrix.

use std::ops::Range;

use super::Machine;
use super::packed::kind;
use super::product::Job;
use super::rounded::Groups;
use super::shared::{Pieces, Shared};
use crate::amx::{
    Emulated, Hardware, OUTPUTS, PANELS, Products, RowTile, Rows, Soon, Sums, TILE_ROWS, TOGETHER,
    TileKernels, Unit, Weights,
};
use crate::isa::Level;
use crate::panels::{self, STRETCH};
use crate::room::room;
use crate::simd::BYTES;

/// Buffers of these products.
#[derive(Default)]
pub(super) struct Scratch {
    rounded: [Tiles; 4],
    threads: Vec<Own>,
}

/// Activations for products of one group length and rounding: `(stretches, tiles)`.
#[derive(Default)]
struct Tiles {
    rows: usize,
    cols: usize,
    tiles: Vec<RowTile>,
}

/// What a thread has for itself.
struct Own {
    rows: Groups,
    weights: Box<[Weights; TOGETHER]>,
    products: Box<[Products; 2]>,
    /// Outputs of some panels for every row.
    outputs: Vec<f32>,
}

impl Scratch {
    pub fn bytes(&self) -> u64 {
        let of_thread = |own: &Own| {
            let fixed = size_of_val(&*own.weights) + size_of_val(&*own.products);
            own.rows.bytes() + fixed as u64 + room(&own.outputs)
        };
        let threads: u64 = self.threads.iter().map(of_thread).sum();
        let rounded: u64 = self.rounded.iter().map(|tiles| room(&tiles.tiles)).sum();
        rounded + room(&self.threads) + threads
    }
}

impl Default for Own {
    fn default() -> Own {
        Own {
            rows: Groups::default(),
            weights: Box::new([Weights::ZERO; TOGETHER]),
            products: Box::new([Products::ZERO; 2]),
            outputs: Vec::new(),
        }
    }
}

impl Tiles {
    /// Makes room for rows of so many columns.
    fn reserve(&mut self, rows: usize, cols: usize) {
        (self.rows, self.cols) = (rows, cols);
        self.tiles.resize(self.tiles_of_stretch() * self.stretches(), RowTile::ZERO);
    }

    fn tiles_of_stretch(&self) -> usize {
        self.rows.div_ceil(TILE_ROWS)
    }

    fn stretches(&self) -> usize {
        self.cols.div_ceil(STRETCH)
    }

    fn stretch(&self, stretch: usize) -> Rows<'_> {
        let count = self.tiles_of_stretch();
        let parts = (self.cols - stretch * STRETCH).min(STRETCH) / 32;
        let tiles = &self.tiles[stretch * count..][..count];
        Rows { tiles, count: self.rows, parts, soon: Soon::NOTHING }
    }
}

impl Machine {
    /// Computes jobs that share the activations `x`.
    pub(super) fn multiply_tiled<'a>(
        &self,
        x: &[f32],
        jobs: impl Iterator<Item = Job<'a>> + Clone + Sync,
        scratch: &mut Scratch,
    ) {
        let Some(first) = jobs.clone().next() else { return };
        let n = x.len() / first.weights.cols;
        scratch.threads.resize_with(self.threads(), Own::default);
        for own in &mut scratch.threads {
            own.outputs.resize(n * OUTPUTS, 0.0);
        }
        for wanted in 0..scratch.rounded.len() {
            if let Some(job) = jobs.clone().find(|job| kind(job) == wanted) {
                self.lay_out(x, &job, &mut scratch.rounded[wanted], &mut scratch.threads);
            }
        }
        match self.isa.level() {
            Level::Amx => self.multiply_with::<Hardware>(x, jobs, scratch),
            _ => self.multiply_with::<Emulated>(x, jobs, scratch),
        }
    }

    /// Rounds the rows as `job` wants them.
    fn lay_out(&self, x: &[f32], job: &Job, to: &mut Tiles, own: &mut [Own]) {
        let (cols, planes) = (job.weights.cols, job.rounding.planes());
        let group_len = job.weights.format.group_len();
        to.reserve(x.len() / cols * planes, cols);
        let (isa, threads) = (self.isa, self.threads());
        if self.rehearses() {
            let (rows, shape) = (TILE_ROWS / planes, (cols, group_len));
            own.iter_mut().for_each(|own| own.rows.make_room(rows, shape, job.rounding));
        }
        let (tiles, stretches) = (to.tiles_of_stretch(), to.stretches());
        let (to, own) = (Shared::rows(&mut to.tiles, 1), Shared::rows(own, 1));
        self.share(x.len(), &|thread| {
            // SAFETY: each thread has its own.
            let rows = &mut unsafe { own.row(thread) }[0].rows;
            let of_tile = x.chunks(TILE_ROWS / planes * cols).enumerate();
            for (tile, x) in of_tile.skip(thread).step_by(threads) {
                rows.fill(isa, x.chunks_exact(cols), (cols, group_len), job.rounding);
                let rounded = &rows.view(job.rounding);
                for stretch in 0..stretches {
                    // SAFETY: a tile belongs to the one thread that has its rows.
                    let to = unsafe { to.row(stretch * tiles + tile) };
                    to[0].fill(rounded, stretch);
                }
            }
        });
    }

    fn multiply_with<'a, U: Unit>(
        &self,
        x: &[f32],
        jobs: impl Iterator<Item = Job<'a>> + Clone + Sync,
        scratch: &mut Scratch,
    ) {
        let (isa, threads, rounded) = (self.isa, self.threads(), &scratch.rounded);
        let pieces = Pieces::default();
        let own = Shared::rows(&mut scratch.threads, 1);
        let weights: usize = jobs.clone().map(|job| job.weights.rows).sum();
        self.share(weights * x.len(), &|thread| {
            // SAFETY: each thread has its own.
            let own = &mut unsafe { own.row(thread) }[0];
            let mut taker = pieces.taker();
            for job in jobs.clone() {
                let panels = job.weights.rows.div_ceil(panels::ROWS);
                let (format, planes) = (job.weights.format, job.rounding.planes());
                let kernels = TileKernels::<U>::of(isa, format, planes);
                let kernels = &kernels.expect("weights are packed for machines that pack them");
                // SAFETY: a machine of this level has the unit; a thread does one job at a time.
                let unit = &mut unsafe { U::start(kernels.shapes) };
                let x = &rounded[kind(&job)];
                while let Some(panels) = taker.next(panels, piece_len(panels, threads)) {
                    Share { job: &job, kernels, x, own }.run(unit, panels);
                }
            }
        });
    }
}

/// How many panels make a piece: few enough that threads end together, and at most `PANELS`.
fn piece_len(panels: usize, threads: usize) -> usize {
    const OF_THREAD: usize = 4;
    (panels / (threads * OF_THREAD)).next_multiple_of(TOGETHER).clamp(TOGETHER, PANELS)
}

/// A thread's share of a job.
struct Share<'a, U> {
    job: &'a Job<'a>,
    kernels: &'a TileKernels<U>,
    x: &'a Tiles,
    own: &'a mut Own,
}

impl<U: Unit> Share<'_, U> {
    /// Computes the outputs of some panels, at most `PANELS`.
    fn run(&mut self, unit: &mut U, panels: Range<usize>) {
        self.own.outputs.fill(0.0);
        for stretch in 0..self.x.stretches() {
            for first in panels.clone().step_by(TOGETHER) {
                self.multiply(unit, stretch, (first, &panels));
            }
        }
        self.job.put_out(panels, &self.own.outputs, OUTPUTS);
    }

    /// Multiplies a stretch of those of `panels` that are multiplied together with `first`.
    fn multiply(&mut self, unit: &mut U, stretch: usize, (first, panels): (usize, &Range<usize>)) {
        let together = |first: usize| first..panels.end.min(first + TOGETHER);
        let rows = Rows { soon: self.soon(stretch, (first, panels)), ..self.x.stretch(stretch) };
        let Own { weights, products, outputs, .. } = &mut *self.own;
        let weights = &mut weights[..together(first).len()];
        for (panel, weights) in together(first).zip(&mut *weights) {
            self.kernels.prepare(self.job.weights.panel(panel), stretch, rows.parts, weights);
        }
        let place = (first - panels.start) * panels::ROWS;
        let mut to = Sums { outputs: &mut outputs[place..], products };
        self.kernels.multiply(unit, weights, rows, &mut to);
    }

    /// What is read after a stretch of the panels from `first` on: the panels that follow, and in
    /// equal shares the next stretch of activations.
    fn soon(&self, stretch: usize, (first, panels): (usize, &Range<usize>)) -> Soon {
        let mut soon = Soon::NOTHING;
        let is_last = first + TOGETHER >= panels.end;
        let next = if is_last { (stretch + 1, panels.start) } else { (stretch, first + TOGETHER) };
        if stretch + 1 < self.x.stretches() {
            let passes = panels.len().div_ceil(TOGETHER);
            let pass = (first - panels.start) / TOGETHER;
            let tiles = self.x.stretch(stretch + 1).tiles;
            let share = pass * tiles.len() / passes..(pass + 1) * tiles.len() / passes;
            let tiles = &tiles[share];
            soon.0[0] = (tiles.as_ptr().cast(), size_of_val(tiles) / BYTES);
        } else if is_last {
            return soon;
        }
        let parts = self.x.stretch(next.0).parts;
        for (panel, soon) in (next.1..panels.end).zip(&mut soon.0[1..]) {
            *soon = self.kernels.lines(self.job.weights.panel(panel), next.0, parts);
        }
        soon
    }
}

#[cfg(test)]
mod tests {
    use crate::amx::STARTED;
    use crate::{Format, Isa, Machine, Matrix, Product, Rounding, packed_len};

    /// How many units one product of `n` rows starts.
    fn units(isa: Isa, n: usize, rounding: Rounding, packed: bool) -> usize {
        let (rows, cols, bytes) = (20, 32, [0; 20 * 34]);
        let mut machine = Machine::new(isa, 1);
        let matrix = Matrix::new(Format::Q8_0, rows, cols, &bytes).unwrap();
        let mut panels = vec![0; packed_len(Format::Q8_0, rows, cols).unwrap()];
        machine.pack(&matrix, &mut panels);
        let in_panels = Matrix::packed(Format::Q8_0, rows, cols, &panels).unwrap();
        let weights = if packed { in_panels } else { matrix };
        let (before, mut out) = (STARTED.get(), vec![0.0; n * rows]);
        let product = Product { weights, rounding, bias: None, out: &mut out };
        machine.product(&vec![1.0; n * cols], &mut [product]);
        STARTED.get() - before
    }

    #[test]
    fn many_rows_of_packed_weights_go_by_tiles_and_nothing_else() {
        let Some(emulated) = Isa::emulated_amx() else { return };
        let (once, twice) = (Rounding::Once, Rounding::Twice);
        let cases = [(32, once, 1), (31, once, 0), (16, twice, 1), (15, twice, 0), (40, once, 1)];
        for (n, rounding, want) in cases {
            assert_eq!(units(emulated, n, rounding, true), want, "{n} rows, {rounding:?}");
            assert_eq!(units(emulated, n, rounding, false), 0);
            for isa in Isa::available() {
                if Machine::new(isa, 1).packs(Format::Q8_0) {
                    assert_eq!(units(isa, n, rounding, true), 0, "{}", isa.name());
                }
            }
        }
    }
}
