//! Rows of a weight matrix times activation rows.
//!
//! For quantised weights an output has one f32 accumulator. The parts of its row are taken in
//! ascending order, and for each plane of the rounded activations a part adds its exact integer sum
//! with one fused multiply-add, and its minima with another. For float weights an output is a sum
//! over lanes. In both an output depends on its weight row and its activation row alone, so batches
//! cannot change it.

use super::lanes::{Lanes, accumulate};
use super::round::RUN;
use crate::blocks::{self, Part};
use crate::machine::Matrix;

/// Activation rows that share one unpacking of a weight block.
pub const ROWS_TOGETHER: usize = 32;

/// Rounded activation rows, row after row, each as one plane or two.
#[derive(Clone, Copy)]
pub struct Rounded<'a> {
    /// Numbers in a row.
    pub len: usize,
    /// Length of a group.
    pub group_len: usize,
    /// Planes of a row; a second one holds what the first has rounded away.
    pub planes: usize,
    /// Planes that this product takes, from the first.
    pub planes_used: usize,
    /// `(n, planes, len)`
    pub q: &'a [i8],
    /// `(n, planes, len / group_len)`
    pub scales: &'a [f32],
    /// `(n, planes, len / 16)`
    pub sums: &'a [i16],
}

impl<'a> Rounded<'a> {
    /// The rows from `row` on.
    pub fn from_row(self, row: usize) -> Rounded<'a> {
        let at = row * self.planes * self.len;
        Rounded {
            q: &self.q[at..],
            scales: &self.scales[at / self.group_len..],
            sums: &self.sums[at / RUN..],
            ..self
        }
    }

    #[inline(always)]
    fn piece(&self, start: usize, len: usize) -> Piece<'a> {
        Piece {
            scale: self.scales[start / self.group_len],
            q: &self.q[start..start + len],
            sums: &self.sums[start / RUN..(start + len) / RUN],
        }
    }
}

/// The activations that meet one part of a weight row.
struct Piece<'a> {
    scale: f32,
    q: &'a [i8],
    sums: &'a [i16],
}

/// Outputs of weight row `row` for the first activation rows, as many as `out` has room for.
#[inline(always)]
pub fn quantised_row(w: &Matrix, row: usize, x: &Rounded, out: &mut [f32]) {
    let (format, mut part) = (w.format, Part::ZERO);
    let (block_len, part_len) = (format.block_len(), format.part_len());
    out.fill(0.0);
    for (block_index, block) in w.row(row).chunks_exact(format.block_bytes()).enumerate() {
        for index in 0..block_len / part_len {
            blocks::unpack(format, block, index, &mut part);
            let at = block_index * block_len + index * part_len;
            for (i, sum) in out.iter_mut().enumerate() {
                for plane in 0..x.planes_used {
                    let start = (i * x.planes + plane) * x.len + at;
                    *sum = add_part(&part, &x.piece(start, part_len), *sum);
                }
            }
        }
    }
}

#[inline(always)]
fn add_part(part: &Part, x: &Piece, sum: f32) -> f32 {
    let products = integer_dot(&part.level[..x.q.len()], x.q);
    let sum = (part.scale * x.scale).mul_add(products as f32, sum);
    if part.min == 0.0 {
        return sum;
    }
    let minima = integer_minima(&part.below[..x.sums.len()], x.sums);
    (-(part.min * x.scale)).mul_add(minima as f32, sum)
}

#[inline(always)]
fn integer_dot(level: &[i16], q: &[i8]) -> i32 {
    level.iter().zip(q).map(|(&level, &q)| i32::from(level) * i32::from(q)).sum()
}

#[inline(always)]
fn integer_minima(below: &[u8], sums: &[i16]) -> i32 {
    below.iter().zip(sums).map(|(&below, &sum)| i32::from(below) * i32::from(sum)).sum()
}

/// Weights decoded at a time in a product with float weights.
const FLOATS_TOGETHER: usize = 256;

/// Outputs of float weight row `row` for `out.len()` activation rows that begin `x`.
#[inline(always)]
pub fn float_row(w: &Matrix, row: usize, x: &[f32], out: &mut [f32]) {
    let mut sums = [Lanes::ZERO; ROWS_TOGETHER];
    let mut weights = [0.0_f32; FLOATS_TOGETHER];
    let bytes = w.row(row);
    let block = (w.format.block_len(), w.format.block_bytes());
    let step = FLOATS_TOGETHER / block.0 * block.1;
    for (index, bytes) in bytes.chunks(step).enumerate() {
        let len = bytes.len() / block.1 * block.0;
        let (at, weights) = (index * FLOATS_TOGETHER, &mut weights[..len]);
        blocks::decode(w.format, bytes, weights);
        for (i, sums) in sums[..out.len()].iter_mut().enumerate() {
            let start = i * w.cols + at;
            accumulate(sums, weights, &x[start..start + len]);
        }
    }
    for (out, sums) in out.iter_mut().zip(sums) {
        *out = sums.total();
    }
}
