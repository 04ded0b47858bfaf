//! Blocks of 256 numbers whose runs have integer sub-scales, and some sub-minima, under floats.
//!
//! The runs are fitted on their own first. Then the integers are chosen for the floats and the
//! floats fitted to the integers in turn, and the best that was met is kept.

use super::fit::{self, Even, Levels};
use super::half;
use crate::{f16_to_f32, f32_to_f16};

/// How often the integers are chosen anew.
const ROUNDS: usize = 3;

/// The steps by which sub-scales and sub-minima are moved.
const AROUND: [(f32, f32); 9] = [
    (0.0, 0.0),
    (-1.0, 0.0),
    (1.0, 0.0),
    (0.0, -1.0),
    (0.0, 1.0),
    (1.0, 1.0),
    (-1.0, -1.0),
    (1.0, -1.0),
    (-1.0, 1.0),
];

/// A block as integers and floats.
#[derive(Clone)]
pub(super) struct Block {
    pub d: f32,
    pub m: f32,
    /// Of each run.
    pub sub: [f32; 16],
    pub below: [f32; 16],
}

impl Block {
    #[inline(always)]
    fn factors(&self, run: usize) -> (f32, f32) {
        (self.d * self.sub[run], self.m * self.below[run])
    }

    #[inline(always)]
    fn error<const N: usize>(&self, numbers: &[f32; 256], levels: Even) -> f32 {
        let runs = numbers.as_chunks::<N>().0.iter().enumerate();
        runs.map(|(n, run)| fit::error(run, levels, self.factors(n))).sum()
    }

    /// The level of each number.
    #[inline(always)]
    pub fn levels<const N: usize>(&self, numbers: &[f32; 256], levels: Even) -> [f32; 256] {
        let mut out = [0.0; 256];
        let runs = numbers.as_chunks::<N>().0.iter().zip(out.as_chunks_mut::<N>().0);
        for (n, (run, out)) in runs.enumerate() {
            let (scale, min) = self.factors(n);
            let inverse = fit::inverse(scale);
            *out = fit::map(run, |x| levels.nearest((x + min) * inverse));
        }
        out
    }

    /// Fits the floats to the integers.
    #[inline(always)]
    fn refit<const N: usize>(&mut self, numbers: &[f32; 256], levels: Even) {
        let found = self.levels::<N>(numbers, levels);
        // The sums of the normal equations: a is what d multiplies, b what m does.
        let (mut aa, mut ab, mut bb, mut ax, mut bx) = (0.0, 0.0, 0.0, 0.0, 0.0);
        let runs = numbers.as_chunks::<N>().0.iter().zip(found.as_chunks::<N>().0);
        for (n, (run, level)) in runs.enumerate() {
            let (sub, below) = (self.sub[n], -self.below[n]);
            let own = fit::sum::<N>(|i| level[i] * level[i]);
            let levels = fit::sum::<N>(|i| level[i]);
            aa += sub * sub * own;
            ab += sub * below * levels;
            bb += below * below * N as f32;
            ax += sub * fit::sum::<N>(|i| run[i] * level[i]);
            bx += below * fit::sum::<N>(|i| run[i]);
        }
        let spread = aa * bb - ab * ab;
        // Without minima, or where these go the way of the scales, the scale alone is fitted.
        if bb > 0.0 && spread > 1e-4 * aa * bb {
            self.d = half((ax * bb - bx * ab) / spread);
            self.m = half((bx * aa - ax * ab) / spread);
        } else if aa > 0.0 {
            self.d = half((ax - ab * self.m) / aa);
        }
    }
}

/// Signed sub-scales from `low` to `high`, and no minima.
#[inline(always)]
pub(super) fn signed(numbers: &[f32; 256], levels: Even, [low, high]: [f32; 2]) -> Block {
    let runs = numbers.as_chunks::<16>().0;
    let mut scales = [0.0; 16];
    for (run, scale) in runs.iter().zip(&mut scales) {
        *scale = fit::scale(run, levels);
    }
    let d = unit(fit::extreme(&scales) / low);
    let sub = counted(scales, d, [low, high]);
    let mut best = Best::of::<16>(Block { d, m: 0.0, sub, below: [0.0; 16] }, numbers, levels);
    let mut block = best.block.clone();
    for _ in 0..ROUNDS {
        for (n, run) in runs.iter().enumerate() {
            let (mut least, sub) = (f32::INFINITY, block.sub[n]);
            for step in [0.0, -1.0, 1.0] {
                let sub = (sub + step).max(low).min(high);
                let error = fit::error(run, levels, (block.d * sub, 0.0));
                if error < least {
                    (least, block.sub[n]) = (error, sub);
                }
            }
        }
        best.keep::<16>(&block, numbers, levels);
        block.refit::<16>(numbers, levels);
        best.keep::<16>(&block, numbers, levels);
    }
    best.block
}

/// Sub-scales and sub-minima from 0 to `most`, and levels from 0 to `top`.
#[inline(always)]
pub(super) fn with_minima<const N: usize>(numbers: &[f32; 256], top: f32, most: f32) -> Block {
    let levels = Even(0.0, top);
    let runs = numbers.as_chunks::<N>().0;
    let (mut scales, mut mins) = ([0.0; 16], [0.0; 16]);
    for (n, run) in runs.iter().enumerate() {
        (scales[n], mins[n]) = fit::scale_and_min(run, top, 0.0);
    }
    let [d, m] = [scales, mins].map(|factors| unit(fit::extreme(&factors) / most));
    let (sub, below) = (counted(scales, d, [0.0, most]), counted(mins, m, [0.0, most]));
    let mut best = Best::of::<N>(Block { d, m, sub, below }, numbers, levels);
    let mut block = best.block.clone();
    for _ in 0..ROUNDS {
        for (n, run) in runs.iter().enumerate() {
            let (mut least, sub, below) = (f32::INFINITY, block.sub[n], block.below[n]);
            for (step, down) in AROUND {
                let sub = (sub + step).max(0.0).min(most);
                let below = (below + down).max(0.0).min(most);
                let error = fit::error(run, levels, (block.d * sub, block.m * below));
                if error < least {
                    (least, block.sub[n], block.below[n]) = (error, sub, below);
                }
            }
        }
        best.keep::<N>(&block, numbers, levels);
        block.refit::<N>(numbers, levels);
        best.keep::<N>(&block, numbers, levels);
    }
    best.block
}

/// Factors as integers between two bounds, in this unit.
#[inline(always)]
fn counted(factors: [f32; 16], unit: f32, [low, high]: [f32; 2]) -> [f32; 16] {
    let inverse = fit::inverse(unit);
    factors.map(|factor| fit::integer((factor * inverse).max(low).min(high)))
}

/// The best block so far.
struct Best {
    error: f32,
    block: Block,
}

impl Best {
    #[inline(always)]
    fn of<const N: usize>(block: Block, numbers: &[f32; 256], levels: Even) -> Best {
        Best { error: block.error::<N>(numbers, levels), block }
    }

    #[inline(always)]
    fn keep<const N: usize>(&mut self, block: &Block, numbers: &[f32; 256], levels: Even) {
        let error = block.error::<N>(numbers, levels);
        if error < self.error {
            *self = Best { error, block: block.clone() };
        }
    }
}

/// The half that is not nearer to zero: integers counted in it stay within their bounds.
#[inline(always)]
fn unit(wanted: f32) -> f32 {
    let near = half(wanted);
    if near.abs() >= wanted.abs() {
        return near;
    }
    let next = f16_to_f32(f32_to_f16(near.abs()) + 1);
    if next.is_finite() { next.copysign(wanted) } else { near }
}
