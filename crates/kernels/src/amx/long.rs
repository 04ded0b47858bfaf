//! Stretches of one part with integer sub-scales: 256 columns in four steps of full tiles.
//!
//! ```text
//!   tiles   0, 1  sums of the first tile of rows     4, 5  activations
//!           2, 3  sums of the second                 6, 7  weights: two planes, or two panels
//! ```

use std::marker::PhantomData;

use super::kernels::{Multiply, TOGETHER};
use super::pass::{self, DOTS, Floats, Integers, Part, Pass, load, load_f32};
use super::unit::{ROW_BYTES, Unit};
use super::weights::{Eighths, Plane, Signed, Single};
use super::{Products, RowTile, Rows, Sums, Weights};
use crate::panels::STRETCH;
use crate::simd::{Avx512, Simd};

/// Rounds in which two tiles of weights are done.
const STEPS: usize = STRETCH / ROW_BYTES;

/// What products of planes mean.
pub(super) trait Form: Plane {
    /// What a product in the first counts, beside one in the second.
    const FACTOR: i32;
    /// Whether bytes are signed.
    const SIGNED: bool;
    /// Columns of a run that has an integer minimum.
    const MINIMA: Option<usize>;
}

macro_rules! forms {
    ($($name:ident: $factor:literal, $signed:literal, $minima:expr;)*) => {$(
        impl Form for $name {
            const FACTOR: i32 = $factor;
            const SIGNED: bool = $signed;
            const MINIMA: Option<usize> = $minima;
        }
    )*};
}

forms! {
    Single: 1, false, Some(16);
    Eighths: 8, false, Some(32);
    Signed: 128, true, None;
}

/// The functions for one panel and for two.
pub(super) fn kernels<U: Unit, F: Form, const P: usize>() -> [Multiply<U>; TOGETHER] {
    [multiply::<U, F, 1, P>, multiply::<U, F, 2, P>]
}

/// Multiplies `W` panels with rows of `P` planes.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c")]
fn multiply<U: Unit, F: Form, const W: usize, const P: usize>(
    unit: &mut U,
    weights: &[Weights],
    rows: Rows,
    to: &mut Sums,
) {
    let Some(weights) = weights.first_chunk::<W>() else { return };
    // SAFETY: this function's features are those of the token.
    let s = unsafe { Avx512::new() };
    let mut below = [[s.splat(0); STRETCH / 32]; W];
    for (w, below) in below.iter_mut().enumerate() {
        for (pair, below) in below[..pairs::<F>()].iter_mut().enumerate() {
            *below = load(s, &weights[w].scales.below[pair]);
        }
    }
    let (mut scale, mut min) = ([s.splat_f32(0.0); W], [s.splat_f32(0.0); W]);
    for (w, Weights { scales, .. }) in weights.iter().enumerate() {
        scale[w] = load_f32(s, &scales.scale[0]);
        min[w] = load_f32(s, &scales.min[0]);
    }
    let long = Long::<F, W> { s, weights, below, scale, min, form: PhantomData };
    pass::run::<U, _, W, P>(unit, &long, rows, to);
}

/// Pairs of runs that have minima.
const fn pairs<F: Form>() -> usize {
    match F::MINIMA {
        None => 0,
        Some(run) => STRETCH / run / 2,
    }
}

/// A stretch of `W` panels.
struct Long<'a, F, const W: usize> {
    s: Avx512,
    weights: &'a [Weights; W],
    /// Integer sub-minima of pairs of runs.
    below: [[Integers; STRETCH / 32]; W],
    scale: [Floats; W],
    min: [Floats; W],
    form: PhantomData<F>,
}

impl<F: Form, const W: usize, const P: usize> Pass<W, P> for Long<'_, F, W> {
    const ROUNDS: usize = STEPS * W.div_ceil(TOGETHER / F::COUNT);

    #[inline(always)]
    fn multiply<U: Unit, const D: usize>(&self, unit: &mut U, round: usize, tile: &RowTile) {
        let (w, plane) = self.weights_of(round, D % 2);
        if w >= W {
            return;
        }
        let step = round % STEPS;
        let levels = self.weights[w].planes[plane][step * ROW_BYTES / 4..].as_ptr().cast();
        if step == 0 {
            unit.zero::<D>();
        }
        let operands = (tile.q[step].as_ptr().cast(), levels);
        // SAFETY: the operands are sixteen rows of 64 bytes.
        unsafe { pass::product::<U, D>(unit, operands, F::SIGNED) }
    }

    #[inline(always)]
    fn end<U: Unit, const A: usize>(&self, unit: &mut U, round: usize, to: &mut Products) {
        if round % STEPS + 1 < STEPS {
            return;
        }
        let has_second = self.weights_of(round, 1).0 < W;
        pass::store::<U, A>(unit, has_second, &mut to.0[round / STEPS * DOTS + A * 2..][..2]);
    }

    #[inline(always)]
    fn add(
        &self,
        from: &Products,
        (tile, a, row): (&RowTile, usize, usize),
        sums: &mut [Floats; W],
    ) {
        let s = self.s;
        for row in row..row + P {
            let x_scale = s.splat_f32(tile.scales[row][0]);
            let minima = self.minima(tile, row);
            for (w, sum) in sums.iter_mut().enumerate() {
                let mut products = load(s, &from.0[tile_of::<F>(w, a)][row]);
                if F::COUNT == 2 {
                    let second = load(s, &from.0[tile_of::<F>(w, a) + 1][row]);
                    products = s.add_i32(s.mul_i32(products, s.splat(F::FACTOR)), second);
                }
                let minima = F::MINIMA.map(|_| (self.min[w], minima[w]));
                let products = (self.scale[w], products);
                *sum = Part { x_scale, products, minima }.add_to(s, *sum);
            }
        }
    }
}

/// Where the sums of panel `w` with tile `a` of rows are; those of a second plane follow.
fn tile_of<F: Form>(w: usize, a: usize) -> usize {
    match F::COUNT {
        2 => w * DOTS + a * 2,
        _ => a * 2 + w,
    }
}

impl<F: Form, const W: usize> Long<'_, F, W> {
    /// The panel and the plane that are tile `b` of a round: both planes of one panel, or one of
    /// each.
    #[inline(always)]
    fn weights_of(&self, round: usize, b: usize) -> (usize, usize) {
        if F::COUNT == 2 { (round / STEPS, b) } else { (b, 0) }
    }

    /// Sub-minima times sums of activations.
    #[inline(always)]
    fn minima(&self, tile: &RowTile, row: usize) -> [Integers; W] {
        let s = self.s;
        let mut minima = [s.splat(0); W];
        for pair in 0..pairs::<F>() {
            let sums =
                if F::MINIMA == Some(16) { tile.sums[row][pair] } else { tile.pairs[row][pair] };
            for (w, minima) in minima.iter_mut().enumerate() {
                *minima = s.dot_pairs(*minima, self.below[w][pair], s.splat(sums));
            }
        }
        minima
    }
}
