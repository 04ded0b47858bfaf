//! Stretches of parts with float scales: half tiles, of 32 columns, for each part.
//!
//! ```text
//!   tiles   0, 1  sums of the first tile of rows    4, 5  activations
//!           2, 3  sums of the second                6, 7  weights: two panels
//! ```
//!
//! A pass takes two parts, one in each round, so that an output is read and written once for both.
//! The last pass may have one.

use super::kernels::{Multiply, TOGETHER};
use super::pass::{self, DOTS, Floats, Part, Pass, load, load_f32};
use super::unit::{ROW_BYTES, Unit};
use super::{Products, RowTile, Rows, Sums, Weights};
use crate::simd::{Avx512, Simd};

/// Parts of a pass.
const PARTS: usize = 2;

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
    for first in (0..rows.parts).step_by(PARTS) {
        match rows.parts - first {
            1 => run::<U, MINIMA, 1, W, P>(unit, (weights, first), rows, to),
            _ => run::<U, MINIMA, PARTS, W, P>(unit, (weights, first), rows, to),
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
    for (w, Weights { scales, .. }) in weights.iter().enumerate() {
        for part in 0..N {
            scale[w][part] = load_f32(s, &scales.scale[first + part]);
            min[w][part] = load_f32(s, &scales.min[first + part]);
        }
    }
    let short = Short::<MINIMA, N, W> { s, weights, first, scale, min };
    pass::run::<U, _, W, P>(unit, &short, rows, to);
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
    const ROUNDS: usize = PARTS;

    #[inline(always)]
    fn multiply<U: Unit, const D: usize>(&self, unit: &mut U, round: usize, tile: &RowTile) {
        if D % 2 >= W || round >= N {
            return;
        }
        let part = self.first + round;
        let levels = self.weights[D % 2].planes[0][8 * part..][..8].as_ptr().cast();
        // A row of a tile of activations has two parts.
        let x = tile.q[part / 2].as_ptr().cast::<u8>().wrapping_add(part % 2 * ROW_BYTES / 2);
        unit.zero::<D>();
        // SAFETY: activations are sixteen rows of 32 bytes, and weights eight of 64.
        unsafe { pass::product::<U, D>(unit, (x, levels), true) }
    }

    #[inline(always)]
    fn end<U: Unit, const A: usize>(&self, unit: &mut U, round: usize, to: &mut Products) {
        if round < N {
            pass::store::<U, A>(unit, W == 2, &mut to.0[round * DOTS + A * 2..][..2]);
        }
    }

    #[inline(always)]
    fn add(
        &self,
        from: &Products,
        (tile, a, row): (&RowTile, usize, usize),
        sums: &mut [Floats; W],
    ) {
        let s = self.s;
        for part in 0..N {
            for row in row..row + P {
                let x_scale = s.splat_f32(tile.scales[row][self.first + part]);
                // The minimum is that of every weight: sixteen times one, twice.
                let sixteens = s.splat(tile.sums[row][self.first + part]);
                let minima = s.dot_pairs(s.splat(0), s.splat(0x0001_0001), sixteens);
                for (w, sum) in sums.iter_mut().enumerate() {
                    let products = load(s, &from.0[part * DOTS + a * 2 + w][row]);
                    let minima = MINIMA.then_some((self.min[w][part], minima));
                    let products = (self.scale[w][part], products);
                    *sum = Part { x_scale, products, minima }.add_to(s, *sum);
                }
            }
        }
    }
}
