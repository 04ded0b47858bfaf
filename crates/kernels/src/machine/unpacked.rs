//! Products with weights as they lie in the file: the definition itself, compiled for the
//! instruction set.

use super::Machine;
use super::product::{Job, Matrix};
use super::rounded::Groups;
use crate::Isa;
use crate::isa::per_isa;
use crate::portable::product::{self, ROWS_TOGETHER, Rounded};

/// Rounded activations, once for each group length in use.
#[derive(Default)]
pub(super) struct Scratch {
    short: Groups,
    long: Groups,
}

per_isa!(quantised_row = product::quantised_row;
    (w: &Matrix<'_>, row: usize, x: &Rounded<'_>, out: &mut [f32]));
per_isa!(float_row = product::float_row;
    (w: &Matrix<'_>, row: usize, x: &[f32], out: &mut [f32]));

pub(super) const SHORT: usize = 32;
const LONG: usize = 256;

impl Machine {
    /// Computes jobs that share the activations `x`.
    pub(super) fn multiply_unpacked<'a>(
        &self,
        x: &[f32],
        jobs: impl Iterator<Item = Job<'a>> + Clone,
        scratch: &mut Scratch,
    ) {
        for (groups, len) in [(&mut scratch.short, SHORT), (&mut scratch.long, LONG)] {
            let quantised = jobs.clone().filter(|job| !job.weights.format.is_float());
            let users = quantised.filter(|job| job.weights.format.group_len() == len);
            if let Some(most) = users.max_by_key(|job| job.rounding.planes()) {
                let cols = most.weights.cols;
                groups.fill(self.isa, x.chunks_exact(cols), (cols, len), most.rounding);
            }
        }
        for job in jobs {
            let (isa, rows, rounded) = (self.isa, job.weights.rows, scratch.view(&job));
            self.split(rows, rows * x.len(), &|rows| {
                rows.for_each(|row| job.row(isa, row, x, rounded.as_ref()));
            });
        }
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
                let out = unsafe { self.out.part(self.first + first + i, row, 1) };
                out[0] = self.bias.map_or(*sum, |bias| sum + bias[row]);
            }
        }
    }
}

impl Scratch {
    pub fn bytes(&self) -> u64 {
        self.short.bytes() + self.long.bytes()
    }

    /// The rounded activations for a job; nothing when its weights are float.
    fn view(&self, job: &Job) -> Option<Rounded<'_>> {
        let format = job.weights.format;
        if format.is_float() {
            return None;
        }
        let groups = if format.group_len() == SHORT { &self.short } else { &self.long };
        Some(groups.view(job.rounding))
    }
}
