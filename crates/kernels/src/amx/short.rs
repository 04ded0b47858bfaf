//! Stretches of parts with float scales: half tiles, of 32 columns, for each part.
//!
//! ```text
//!   tiles   0, 1  sums of panels 0 and 1, even parts    4     activations
//!           2, 3  those of odd parts                    6, 7  weights
//! ```
//!
//! A pass takes four parts, one in each step, so that an output is read and written once for all.
//! The last pass may have fewer.

use super::kernels::{Multiply, TOGETHER};
use super::pass::{self, Floats, Part, Pass, STEPS, load, load_f32};
use super::unit::{ROW_BYTES, Unit};
use super::{Products, RowTile, Rows, Sums, Weights};
use crate::simd::{Avx512, Simd};

/// The functions for one panel and for two.
pub(super) fn kernels<U: Unit, const MINIMA: bool, const P: usize>() -> [Multiply<U>; TOGETHER] {
    [multiply::<U, MINIMA, 1, P>, multiply::<U, MINIMA, 2, P>]
}

/// Multiplies `W` panels with rows of `P` planes.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c")]
fn multiply<U: Unit, const MINIMA: bool, const W: usize, const P: usize>(
    unit: &mut U,
    weights: &[Weights],
    rows: Rows,
    to: &mut Sums,
) {
    let Some(weights) = weights.first_chunk::<W>() else { return };
    for first in (0..rows.parts).step_by(STEPS) {
        match rows.parts - first {
            1 => run::<U, MINIMA, 1, W, P>(unit, (weights, first), rows, to),
            2 => run::<U, MINIMA, 2, W, P>(unit, (weights, first), rows, to),
            3 => run::<U, MINIMA, 3, W, P>(unit, (weights, first), rows, to),
            _ => run::<U, MINIMA, STEPS, W, P>(unit, (weights, first), rows, to),
        }
    }
}

/// Multiplies `N` parts from `first` on.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c")]
fn run<U: Unit, const MINIMA: bool, const N: usize, const W: usize, const P: usize>(
    unit: &mut U,
    (weights, first): (&[Weights; W], usize),
    rows: Rows,
    to: &mut Sums,
) {
    // SAFETY: this function's features are those of the token.
    let s = unsafe { Avx512::new() };
    let (mut scale, mut min) = ([[s.splat_f32(0.0); N]; W], [[s.splat_f32(0.0); N]; W]);
    for (w, Weights { parts, .. }) in weights.iter().enumerate() {
        for part in 0..N {
            scale[w][part] = load_f32(s, &parts.scale[first + part]);
            min[w][part] = load_f32(s, &parts.min[first + part]);
        }
    }
    let short = Short::<MINIMA, N, W> { s, weights, first, scale, min };
    pass::run::<U, W, P>(unit, &short, rows, to);
}

/// `N` parts of `W` panels.
struct Short<'a, const MINIMA: bool, const N: usize, const W: usize> {
    s: Avx512,
    weights: &'a [Weights; W],
    first: usize,
    scale: [[Floats; N]; W],
    min: [[Floats; N]; W],
}

impl<const MINIMA: bool, const N: usize, const W: usize, const P: usize> Pass<W, P>
    for Short<'_, MINIMA, N, W>
{
    #[inline(always)]
    fn multiply<U: Unit>(&self, unit: &mut U, step: usize, tile: &RowTile, to: &mut Products) {
        // Odd parts take other tiles, so that they need not wait until the even ones are stored.
        match step {
            _ if step >= N => {}
            0 | 2 => self.part::<U, 0, 1>(unit, step, tile, to),
            _ => self.part::<U, 2, 3>(unit, step, tile, to),
        }
    }

    #[inline(always)]
    fn add(&self, from: &Products, tile: &RowTile, row: usize, sums: &mut [Floats; W]) {
        let s = self.s;
        for part in 0..N {
            for row in row..row + P {
                let x_scale = s.splat_f32(tile.scales[row][self.first + part]);
                // The minimum is that of every weight: sixteen times one, twice.
                let sixteens = s.splat(tile.sums[row][self.first + part]);
                let minima = s.dot_pairs(s.splat(0), s.splat(0x0001_0001), sixteens);
                for (w, sum) in sums.iter_mut().enumerate() {
                    let products = load(s, &from.0[w * STEPS + part][row]);
                    let minima = MINIMA.then_some((self.min[w][part], minima));
                    let products = (self.scale[w][part], products);
                    *sum = Part { x_scale, products, minima }.add_to(s, *sum);
                }
            }
        }
    }
}

impl<const MINIMA: bool, const N: usize, const W: usize> Short<'_, MINIMA, N, W> {
    /// Multiplies and stores a part; `C` and `D` take the sums.
    #[inline(always)]
    fn part<U: Unit, const C: usize, const D: usize>(
        &self,
        unit: &mut U,
        step: usize,
        tile: &RowTile,
        to: &mut Products,
    ) {
        let part = self.first + step;
        let levels = |w: usize| self.weights[w].planes[0][8 * part..][..8].as_ptr().cast();
        // A row of a tile of activations has two parts.
        let x = tile.q[part / 2].as_ptr().cast::<u8>().wrapping_add(part % 2 * ROW_BYTES / 2);
        // SAFETY: activations are sixteen rows of 32 bytes, weights eight and sums sixteen of 64.
        unsafe {
            unit.zero::<C>();
            unit.load::<4>(x);
            unit.load::<6>(levels(0));
            unit.dot_signed::<C, 4, 6>();
            if W == 2 {
                unit.zero::<D>();
                unit.load::<7>(levels(1));
                unit.dot_signed::<D, 4, 7>();
                unit.store::<D>(to.0[STEPS + step].as_mut_ptr());
            }
            unit.store::<C>(to.0[step].as_mut_ptr());
        }
    }
}
