//! The K formats. Their layouts are drawn in the file of that name that decodes them.

use super::fit::Even;
use super::runs::{self, Block};
use super::{pack, put};

#[inline(always)]
pub(super) fn q2_k(numbers: &[f32; 256], out: &mut Vec<u8>) {
    let block = runs::with_minima::<16>(numbers, 3.0, 15.0);
    let level = block.levels::<16>(numbers, Even(0.0, 3.0)).map(|q| q as u8);
    let factors = block.sub.iter().zip(&block.below);
    out.extend(factors.map(|(sub, below)| *sub as u8 | (*below as u8) << 4));
    pack::pairs(&level, out);
    put(block.d, out);
    put(block.m, out);
}

#[inline(always)]
pub(super) fn q3_k(numbers: &[f32; 256], out: &mut Vec<u8>) {
    let levels = Even(-4.0, 3.0);
    let block = runs::signed(numbers, levels, [-32.0, 31.0]);
    let level = block.levels::<16>(numbers, levels).map(|q| (q + 4.0) as u8);
    pack::top_bits(&level.map(|q| q >> 2), out);
    pack::pairs(&level, out);
    let sub = block.sub.map(|sub| (sub + 32.0) as u8);
    out.extend((0..8).map(|n| (sub[n] & 15) | (sub[n + 8] & 15) << 4));
    let high = |n: usize| (0..4).fold(0, |byte, k| byte | (sub[n + 4 * k] >> 4) << (2 * k));
    out.extend((0..4).map(high));
    put(block.d, out);
}

#[inline(always)]
pub(super) fn q4_k(numbers: &[f32; 256], out: &mut Vec<u8>) {
    let block = runs::with_minima::<32>(numbers, 15.0, 63.0);
    let level = block.levels::<32>(numbers, Even(0.0, 15.0));
    put(block.d, out);
    put(block.m, out);
    six_bits(&block, out);
    level.as_chunks::<64>().0.iter().for_each(|level| pack::nibbles(level, out));
}

#[inline(always)]
pub(super) fn q5_k(numbers: &[f32; 256], out: &mut Vec<u8>) {
    let block = runs::with_minima::<32>(numbers, 31.0, 63.0);
    let level = block.levels::<32>(numbers, Even(0.0, 31.0));
    put(block.d, out);
    put(block.m, out);
    six_bits(&block, out);
    pack::top_bits(&level.map(|q| q as u8 >> 4), out);
    level.as_chunks::<64>().0.iter().for_each(|level| pack::nibbles(level, out));
}

#[inline(always)]
pub(super) fn q6_k(numbers: &[f32; 256], out: &mut Vec<u8>) {
    let levels = Even(-32.0, 31.0);
    let block = runs::signed(numbers, levels, [-128.0, 127.0]);
    let level = block.levels::<16>(numbers, levels).map(|q| q + 32.0);
    level.as_chunks::<128>().0.iter().for_each(|level| pack::nibbles(level, out));
    pack::pairs(&level.map(|q| q as u8 >> 4), out);
    out.extend(block.sub.map(|sub| sub as i8 as u8));
    put(block.d, out);
}

/// Sub-scales and sub-minima of eight runs, six bits each.
#[inline(always)]
fn six_bits(block: &Block, out: &mut Vec<u8>) {
    let [sub, below] = [&block.sub, &block.below].map(|numbers| numbers.map(|n| n as u8));
    out.extend((0..4).map(|n| sub[n] | sub[n + 4] >> 4 << 6));
    out.extend((0..4).map(|n| below[n] | below[n + 4] >> 4 << 6));
    out.extend((0..4).map(|n| (sub[n + 4] & 15) | (below[n + 4] & 15) << 4));
}
