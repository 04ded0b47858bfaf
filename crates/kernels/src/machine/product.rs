//! Products of weight matrices with activation rows, split among threads by weight rows.
//!
//! A matrix lies as in its file, or packed into panels. The first are multiplied by the definition
//! itself, compiled for the instruction set; the others by the kernels of `panels`.

use std::ops::Range;

use super::packed::Inputs;
use super::shared::Shared;
#[cfg(target_arch = "x86_64")]
use super::tiled;
use super::{Machine, packed, unpacked};
use crate::panels::{Kernels, packed_len};
use crate::room::room;
use crate::{Format, Isa, panels};

/// A weight matrix where it lies: `rows` outputs of `cols` inputs each.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    /// How its numbers are stored.
    pub format: Format,
    /// Outputs.
    pub rows: usize,
    /// Inputs.
    pub cols: usize,
    pub(super) bytes: &'a [u8],
    row_bytes: usize,
    pub(super) packed: bool,
}

impl<'a> Matrix<'a> {
    /// A matrix over `bytes`; `None` when they are not exactly `rows` rows of whole blocks.
    pub fn new(format: Format, rows: usize, cols: usize, bytes: &'a [u8]) -> Option<Matrix<'a>> {
        let row_bytes = format.row_bytes(cols)?;
        let fits = row_bytes.checked_mul(rows)? == bytes.len();
        fits.then_some(Matrix { format, rows, cols, bytes, row_bytes, packed: false })
    }

    /// A matrix that [`Machine::pack`] has packed; `None` when `bytes` are not its bytes.
    pub fn packed(format: Format, rows: usize, cols: usize, bytes: &'a [u8]) -> Option<Matrix<'a>> {
        let row_bytes = format.row_bytes(cols)?;
        let fits = packed_len(format, rows, cols)? == bytes.len();
        fits.then_some(Matrix { format, rows, cols, bytes, row_bytes, packed: true })
    }

    /// All bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The bytes of row `i`.
    ///
    /// # Panics
    /// When the matrix is packed: then a row does not lie together.
    #[inline]
    pub fn row(&self, i: usize) -> &'a [u8] {
        assert!(!self.packed, "a row of a packed matrix");
        &self.bytes[i * self.row_bytes..][..self.row_bytes]
    }

    /// The bytes of panel `i` of a packed matrix.
    pub(super) fn panel(&self, i: usize) -> &'a [u8] {
        let len = self.bytes.len() / self.rows.div_ceil(panels::ROWS);
        &self.bytes[i * len..][..len]
    }
}

/// How finely the activations of a product with quantised weights are rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To 8 bits.
    Once,
    /// To 8 bits, and what that leaves to 8 bits again: near enough exact, for twice the work.
    Twice,
}

impl Rounding {
    pub(super) fn planes(self) -> usize {
        match self {
            Rounding::Once => 1,
            Rounding::Twice => 2,
        }
    }
}

/// One product of several that share their input.
pub struct Product<'a> {
    /// The weights.
    pub weights: Matrix<'a>,
    /// How finely the activations are rounded for it.
    pub rounding: Rounding,
    /// Added to each output row.
    pub bias: Option<&'a [f32]>,
    /// `(n, weights.rows)`
    pub out: &'a mut [f32],
}

/// Buffers of products, kept from one to the next.
#[derive(Default)]
pub(super) struct Scratch {
    unpacked: unpacked::Scratch,
    pub packed: packed::Scratch,
    #[cfg(target_arch = "x86_64")]
    tiled: tiled::Scratch,
    /// Rows of one expert.
    pub gathered: Vec<f32>,
}

impl Scratch {
    pub fn bytes(&self) -> u64 {
        #[cfg(target_arch = "x86_64")]
        let tiled = self.tiled.bytes();
        #[cfg(not(target_arch = "x86_64"))]
        let tiled = 0;
        self.unpacked.bytes() + self.packed.bytes() + tiled + room(&self.gathered)
    }
}

/// Products that may share their input.
pub(super) const TOGETHER_MAX: usize = 8;

/// What the threads need to compute one product.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    /// The number of its input among those of all jobs.
    pub input: usize,
    pub weights: Matrix<'a>,
    pub rounding: Rounding,
    pub bias: Option<&'a [f32]>,
    /// Outputs of this matrix, and which of their rows belongs to the first of the input.
    pub out: Shared<'a>,
    pub first: usize,
}

/// Rows of activations that go into a product.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    pub x: &'a [f32],
    /// Which rows of `x`; all without it.
    pub rows: Option<&'a [u32]>,
}

impl<'a> Input<'a> {
    /// How many rows of so many columns they are.
    pub fn len(&self, cols: usize) -> usize {
        self.rows.map_or(self.x.len() / cols, <[u32]>::len)
    }

    pub fn row(&self, i: usize, cols: usize) -> &'a [f32] {
        let i = self.rows.map_or(i, |rows| rows[i] as usize);
        &self.x[i * cols..][..cols]
    }
}

/// Rows, each plane counted as one, from which on products go by tiles: with fewer, making the
/// tiles of weights takes longer than what they save (`bench/LOG.md`, entry 15).
const TILED_ROWS: usize = 32;

impl Job<'_> {
    /// Whether it is multiplied by tiles when there are `n` rows.
    pub fn is_tiled(&self, isa: Isa, n: usize) -> bool {
        isa.has_tiles() && self.weights.packed && n * self.rounding.planes() >= TILED_ROWS
    }

    /// Writes the outputs of panels; `sums` has them in rows of `len`.
    pub fn put_out(&self, panels: Range<usize>, sums: &[f32], len: usize) {
        let first = panels.start * panels::ROWS;
        let count = (panels.end * panels::ROWS).min(self.weights.rows) - first;
        for (row, sums) in sums.chunks_exact(len).enumerate() {
            // SAFETY: the outputs of a panel are written by the one thread that has it.
            let out = unsafe { self.out.part(self.first + row, first, count) };
            match self.bias {
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

impl Machine {
    /// Whether products with weights of this format are faster when they are packed.
    pub fn packs(&self, format: Format) -> bool {
        Kernels::of(self.isa, format).is_some()
    }

    /// Packs a matrix. `out` has `packed_len` bytes.
    ///
    /// # Panics
    /// When it has not.
    pub fn pack(&self, matrix: &Matrix, out: &mut [u8]) {
        let Matrix { format, rows, cols, .. } = *matrix;
        assert_eq!(packed_len(format, rows, cols), Some(out.len()), "room for the panels");
        let panels = rows.div_ceil(panels::ROWS);
        let panel_len = out.len() / panels.max(1);
        let out = Shared::rows(out, panel_len);
        self.split(panels, rows * cols, &|panels| {
            for panel in panels {
                let first = panel * panels::ROWS;
                let mut lines = [&[][..]; panels::ROWS];
                let lines = &mut lines[..panels::ROWS.min(rows - first)];
                for (i, line) in lines.iter_mut().enumerate() {
                    *line = matrix.row(first + i);
                }
                // SAFETY: each panel is visited by one thread.
                panels::pack_panel(format, lines, unsafe { out.row(panel) });
            }
        });
    }

    /// Multiplies the same activation rows `x` with several matrices of as many columns.
    ///
    /// # Panics
    /// When the shapes do not fit together, or a matrix is packed and this machine does not.
    pub fn product(&mut self, x: &[f32], products: &mut [Product]) {
        let Some(cols) = products.first().map(|p| p.weights.cols) else { return };
        let n = x.len() / cols;
        assert_eq!(x.len() % cols, 0, "whole rows");
        for p in products.iter() {
            assert_eq!(p.weights.cols, cols, "matrices of one product share their input");
            assert_eq!(p.out.len(), n * p.weights.rows, "room for every output");
            assert!(p.bias.is_none_or(|bias| bias.len() == p.weights.rows), "a bias for each");
        }
        let mut jobs = [const { None }; TOGETHER_MAX];
        assert!(products.len() <= jobs.len(), "at most {TOGETHER_MAX} products of one input");
        for (job, p) in jobs.iter_mut().zip(products) {
            let Product { weights, rounding, bias, .. } = *p;
            let out = Shared::rows(p.out, weights.rows);
            *job = Some(Job { input: 0, weights, rounding, bias, out, first: 0 });
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        self.multiply(x, jobs.iter().flatten().copied(), &mut scratch);
        self.scratch = scratch;
    }

    /// Computes jobs that share the rows of `x`, each in the way that is best for it.
    pub(super) fn multiply<'a>(
        &self,
        x: &'a [f32],
        jobs: impl Iterator<Item = Job<'a>> + Clone + Sync,
        scratch: &mut Scratch,
    ) {
        let isa = self.isa;
        let is_tiled = |job: &Job| job.is_tiled(isa, x.len() / job.weights.cols);
        #[cfg(target_arch = "x86_64")]
        self.multiply_tiled(x, jobs.clone().filter(is_tiled), &mut scratch.tiled);
        let packed = jobs.clone().filter(|job| job.weights.packed && !is_tiled(job));
        if let Some(first) = packed.clone().next() {
            let rows = x.len() / first.weights.cols;
            let inputs = &Inputs { of: |_| Input { x, rows: None }, count: 1, rows };
            self.multiply_packed(inputs, packed, &mut scratch.packed);
        }
        let unpacked = jobs.filter(|job| !job.weights.packed);
        self.multiply_unpacked(x, unpacked, &mut scratch.unpacked);
    }
}
