//! Attention of a few query heads at a time over one tile of keys and values.
//!
//! Query heads that read the same key head, those of one row and of rows that follow it, share each
//! vector of keys or values that is loaded. A tile takes three steps:
//!
//! ```text
//!   scores   a lane is a position    one fused sum over dim for each query
//!   weigh    a lane is a position    maximum, exp, sum; then `state` merges the sums
//!   mix      a lane is an output     one fused sum over the positions that the query sees
//! ```
//!
//! Knows neither pages nor threads. Each step does what `portable::attend` does, in its order.

mod kernels;
mod mix;
mod numbers;
mod scores;
mod state;
mod weigh;
mod whole;

pub(crate) use kernels::Kernels;
pub(crate) use mix::{Mixed, Values};
pub use numbers::Kept;
pub(crate) use numbers::{Half, Number, Numbers, halves_mut, pairs, pairs_mut};
pub(crate) use scores::Keys;
pub(crate) use state::{States, Tiles, begin, divide, merge_state};
pub(crate) use whole::{WholeKeys, WholeMixed, WholeValues};

use crate::simd::{LANES, Simd, prefetch};

/// Memory that will be read next. A kernel asks for it, a few lines with each of its first steps,
/// so that it is in the cache when its time comes.
#[derive(Clone, Copy)]
pub(crate) struct Ahead {
    start: *const u8,
    /// Bytes of a lane.
    size: usize,
    /// Steps of a pass that ask for some.
    steps: usize,
}

impl Ahead {
    /// Part `i` of `n` of what begins at `start`, for a kernel of `steps` steps, each of which
    /// reads `width` numbers in all passes together.
    pub fn part(
        start: Option<(*const u8, Kept)>,
        (i, n): (usize, usize),
        (steps, width): (usize, usize),
    ) -> Ahead {
        let Some((start, kept)) = start else {
            return Ahead { start: std::ptr::null(), size: 0, steps: 0 };
        };
        let (from, to, size) = (i * steps / n, (i + 1) * steps / n, kept.lane_bytes());
        Ahead { start: start.wrapping_add(from * width * size), size, steps: to - from }
    }

    /// Asks for some of it, in step `step` of the pass over the `V` vectors from `column`.
    #[inline(always)]
    fn ask<const V: usize>(&self, column: usize, step: usize) {
        for v in 0..V {
            let line = self.steps * column + (step * V + v) * LANES;
            prefetch(self.start.wrapping_add(line * self.size));
        }
    }
}

/// Adds to the sums of `Q` queries the products of their factors, `stride` apart, with the `V`
/// vectors at `row`.
///
/// # Safety
/// All of them may be read.
#[inline(always)]
unsafe fn add_products<S: Simd, const HALF: bool, const Q: usize, const V: usize>(
    s: S,
    sums: &mut [[S::F; V]; Q],
    row: *const u8,
    (factors, stride): (*const f32, usize),
) {
    let mut vectors = [s.splat_f32(0.0); V];
    for (v, vector) in vectors.iter_mut().enumerate() {
        // SAFETY: the caller's promise.
        *vector = unsafe { numbers::load::<S, HALF>(s, numbers::at::<HALF>(row, v * LANES)) };
    }
    for (q, sums) in sums.iter_mut().enumerate() {
        // SAFETY: the caller's promise.
        let factor = s.splat_f32(unsafe { *factors.add(q * stride) });
        for (sum, vector) in sums.iter_mut().zip(vectors) {
            *sum = s.fma(factor, vector, *sum);
        }
    }
}
