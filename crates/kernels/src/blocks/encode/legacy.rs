//! Blocks of 32 numbers under one scale. The layouts are drawn in the files that decode them.

use super::fit::{self, Even, Levels};
use super::{half, pack, put};
use crate::blocks::iq4;

/// How often a scale is fitted to the levels that it gives.
const ROUNDS: usize = 3;

#[inline(always)]
pub(super) fn q4_0(numbers: &[f32; 32], out: &mut Vec<u8>) {
    let (d, level) = signed(numbers, Even(-8.0, 7.0));
    put(d, out);
    pack::nibbles(&level.map(|q| q + 8.0), out);
}

#[inline(always)]
pub(super) fn q5_0(numbers: &[f32; 32], out: &mut Vec<u8>) {
    let (d, level) = signed(numbers, Even(-16.0, 15.0));
    put(d, out);
    five_bits(&level.map(|q| q + 16.0), out);
}

#[inline(always)]
pub(super) fn q4_1(numbers: &[f32; 32], out: &mut Vec<u8>) {
    let (d, min, level) = with_min(numbers, 15.0);
    put(d, out);
    put(fit::minus(min), out);
    pack::nibbles(&level, out);
}

#[inline(always)]
pub(super) fn q5_1(numbers: &[f32; 32], out: &mut Vec<u8>) {
    let (d, min, level) = with_min(numbers, 31.0);
    put(d, out);
    put(fit::minus(min), out);
    five_bits(&level, out);
}

#[inline(always)]
pub(super) fn iq4_nl(numbers: &[f32; 32], out: &mut Vec<u8>) {
    let (d, level) = signed(numbers, Uneven);
    put(d, out);
    let index = |level: f32| iq4::LEVEL.partition_point(|known| f32::from(*known) < level) as f32;
    pack::nibbles(&level.map(index), out);
}

/// The fifth bits of all, and the nibbles.
#[inline(always)]
fn five_bits(levels: &[f32; 32], out: &mut Vec<u8>) {
    let high = (0..32).fold(0_u32, |high, i| high | (levels[i] as u32 >> 4) << i);
    out.extend(high.to_le_bytes());
    pack::nibbles(levels, out);
}

/// The scale, and the level of each number.
#[inline(always)]
fn signed(numbers: &[f32; 32], levels: impl Levels) -> (f32, [f32; 32]) {
    let mut d = half(fit::scale(numbers, levels));
    let mut least = fit::error(numbers, levels, (d, 0.0));
    let levels_of = |d: f32| {
        let inverse = fit::inverse(d);
        fit::map(numbers, |x| levels.nearest(x * inverse))
    };
    for _ in 0..ROUNDS {
        let level = levels_of(d);
        let both = fit::sum::<32>(|i| numbers[i] * level[i]);
        let refitted = half(both * fit::inverse(fit::sum::<32>(|i| level[i] * level[i])));
        let error = fit::error(numbers, levels, (refitted, 0.0));
        if error >= least {
            break;
        }
        (d, least) = (refitted, error);
    }
    (d, levels_of(d))
}

/// The scale, what is taken away, and the level of each number.
#[inline(always)]
fn with_min(numbers: &[f32; 32], top: f32) -> (f32, f32, [f32; 32]) {
    let levels = Even(0.0, top);
    let (scale, min) = fit::scale_and_min(numbers, top, f32::NEG_INFINITY);
    let (d, min) = (half(scale), half(min));
    let inverse = fit::inverse(d);
    (d, min, fit::map(numbers, |x| levels.nearest((x + min) * inverse)))
}

/// The sixteen levels of IQ4_NL.
#[derive(Clone, Copy)]
struct Uneven;

impl Levels for Uneven {
    #[inline(always)]
    fn nearest(self, number: f32) -> f32 {
        let mut nearest = f32::from(iq4::LEVEL[0]);
        for pair in iq4::LEVEL.windows(2) {
            let (low, high) = (f32::from(pair[0]), f32::from(pair[1]));
            nearest = if number > (low + high) / 2.0 { high } else { nearest };
        }
        nearest
    }

    #[inline(always)]
    fn ends(self) -> [f32; 2] {
        [iq4::LEVEL[0], iq4::LEVEL[15]].map(f32::from)
    }

    #[inline(always)]
    fn step(self) -> f32 {
        1.5
    }
}
