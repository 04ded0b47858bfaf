//! Products of weight matrices with activation rows, split among threads by weight rows.

use super::Machine;
use super::shared::Shared;
use crate::isa::per_isa;
use crate::portable::product::{self, ROWS_TOGETHER, Rounded};
use crate::portable::round::{self, Plane, RUN};
use crate::{Format, Isa};

/// A weight matrix where it lies: `rows` outputs of `cols` inputs each.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    /// How its numbers are stored.
    pub format: Format,
    /// Outputs.
    pub rows: usize,
    /// Inputs.
    pub cols: usize,
    bytes: &'a [u8],
    row_bytes: usize,
}

impl<'a> Matrix<'a> {
    /// A matrix over `bytes`; `None` when they are not exactly `rows` rows of whole blocks.
    pub fn new(format: Format, rows: usize, cols: usize, bytes: &'a [u8]) -> Option<Matrix<'a>> {
        let row_bytes = format.row_bytes(cols)?;
        let fits = row_bytes.checked_mul(rows)? == bytes.len();
        fits.then_some(Matrix { format, rows, cols, bytes, row_bytes })
    }

    /// The bytes of row `i`.
    #[inline]
    pub fn row(&self, i: usize) -> &'a [u8] {
        &self.bytes[i * self.row_bytes..][..self.row_bytes]
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
    fn planes(self) -> usize {
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

/// Rounded activations, once for each group length in use.
#[derive(Default)]
pub(super) struct Scratch {
    short: Groups,
    long: Groups,
}

#[derive(Default)]
struct Groups {
    planes: usize,
    q: Vec<i8>,
    scales: Vec<f32>,
    sums: Vec<i16>,
    rest: Vec<f32>,
}

per_isa!(quantised_row = product::quantised_row;
    (w: &Matrix<'_>, row: usize, x: &Rounded<'_>, out: &mut [f32]));
per_isa!(float_row = product::float_row;
    (w: &Matrix<'_>, row: usize, x: &[f32], out: &mut [f32]));
per_isa!(round_row = round::round_row; (x: &[f32], group_len: usize, to: &mut Plane<'_>));
per_isa!(subtract_rounded = round::subtract_rounded;
    (x: &mut [f32], group_len: usize, rounded: &Plane<'_>));

const SHORT: usize = 32;
const LONG: usize = 256;

/// What a thread needs to compute its share of one product.
struct Job<'a> {
    weights: Matrix<'a>,
    rounding: Rounding,
    bias: Option<&'a [f32]>,
    out: Shared<'a>,
}

impl Machine {
    /// Multiplies the same activation rows `x` with several matrices of as many columns.
    pub fn product(&mut self, x: &[f32], products: &mut [Product]) {
        let Some(cols) = products.first().map(|p| p.weights.cols) else { return };
        let n = x.len() / cols;
        assert_eq!(x.len() % cols, 0, "whole rows");
        for p in products.iter() {
            assert_eq!(p.weights.cols, cols, "matrices of one product share their input");
            assert_eq!(p.out.len(), n * p.weights.rows, "room for every output");
            assert!(p.bias.is_none_or(|bias| bias.len() == p.weights.rows), "a bias for each");
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        for (groups, len) in [(&mut scratch.short, SHORT), (&mut scratch.long, LONG)] {
            let quantised = products.iter().filter(|p| !p.weights.format.is_float());
            let users = quantised.filter(|p| p.weights.format.group_len() == len);
            if let Some(planes) = users.map(|p| p.rounding.planes()).max() {
                groups.fill(self.isa, x, (cols, len), planes);
            }
        }
        let jobs = products.iter_mut().map(|p| Job {
            weights: p.weights,
            rounding: p.rounding,
            bias: p.bias,
            out: Shared::rows(p.out, p.weights.rows),
        });
        for job in jobs {
            self.split_rows(&job, x, &scratch);
        }
        self.scratch = scratch;
    }

    fn split_rows(&self, job: &Job, x: &[f32], scratch: &Scratch) {
        let (isa, rows) = (self.isa, job.weights.rows);
        let rounded = scratch.view(job);
        self.split(rows, rows * x.len(), &|rows| {
            rows.for_each(|row| job.row(isa, row, x, rounded.as_ref()));
        });
    }
}

impl Job<'_> {
    fn row(&self, isa: Isa, row: usize, x: &[f32], rounded: Option<&Rounded>) {
        let (cols, mut sums) = (self.weights.cols, [0.0; ROWS_TOGETHER]);
        let n = x.len() / cols;
        for first in (0..n).step_by(ROWS_TOGETHER) {
            let sums = &mut sums[..ROWS_TOGETHER.min(n - first)];
            match rounded {
                Some(rounded) => {
                    quantised_row(isa, &self.weights, row, &rounded.from_row(first), sums)
                }
                None => float_row(isa, &self.weights, row, &x[first * cols..], sums),
            }
            for (i, sum) in sums.iter().enumerate() {
                // SAFETY: outputs of a weight row are written by the one thread that has this row.
                let out = unsafe { self.out.part(first + i, row, 1) };
                out[0] = self.bias.map_or(*sum, |bias| sum + bias[row]);
            }
        }
    }
}

impl Scratch {
    /// The rounded activations for a job; nothing when its weights are float.
    fn view(&self, job: &Job) -> Option<Rounded<'_>> {
        let format = job.weights.format;
        if format.is_float() {
            return None;
        }
        let groups = if format.group_len() == SHORT { &self.short } else { &self.long };
        Some(Rounded {
            len: job.weights.cols,
            group_len: format.group_len(),
            planes: groups.planes,
            planes_used: job.rounding.planes(),
            q: &groups.q,
            scales: &groups.scales,
            sums: &groups.sums,
        })
    }
}

impl Groups {
    fn fill(&mut self, isa: Isa, x: &[f32], shape: (usize, usize), planes: usize) {
        let (cols, group_len) = shape;
        self.planes = planes;
        self.q.resize(x.len() * self.planes, 0);
        self.scales.resize(self.q.len() / group_len, 0.0);
        self.sums.resize(self.q.len() / RUN, 0);
        let planes = self.q.chunks_exact_mut(cols);
        let scales = self.scales.chunks_exact_mut(cols / group_len);
        let sums = self.sums.chunks_exact_mut(cols / RUN);
        let mut rows = x.chunks_exact(cols);
        for (i, ((q, scales), sums)) in planes.zip(scales).zip(sums).enumerate() {
            if i % self.planes == 0 {
                self.rest.clear();
                self.rest.extend_from_slice(rows.next().unwrap_or_default());
            }
            let plane = &mut Plane { q, scales, sums };
            round_row(isa, &self.rest, group_len, plane);
            if i % self.planes + 1 < self.planes {
                subtract_rounded(isa, &mut self.rest, group_len, plane);
            }
        }
    }
}
