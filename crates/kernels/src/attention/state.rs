//! What queries have gathered from the tiles that they have seen.

use std::ops::Range;

use crate::isa::per_isa;
use crate::portable::attend::{self, Softmax};
use crate::portable::math::exp;
use crate::room::{make_room, room};

/// Maxima, sums and outputs of many queries.
#[derive(Default)]
pub(crate) struct States {
    /// Numbers in an output, filled up to a multiple of 16.
    width: usize,
    largest: Vec<f32>,
    sums: Vec<f32>,
    /// `(queries, width)`
    out: Vec<f32>,
}

/// What a tile gives some queries beside their outputs, and by what the outputs are multiplied when
/// they are merged.
#[derive(Default)]
pub(crate) struct Tiles {
    pub largest: Vec<f32>,
    pub sums: Vec<f32>,
    /// Factors of the outputs so far.
    pub keep: Vec<f32>,
    /// Factors of the tile's outputs.
    pub take: Vec<f32>,
}

per_isa!(merge_sums = merge_sums_portable;
    (largest: &mut [f32], sums: &mut [f32], tile: &mut Tiles));
per_isa!(merge_state = merge_state_portable;
    (seen: &mut Softmax, out: &mut [f32], new: &Softmax, new_out: &[f32]));
per_isa!(divide = divide_portable; (out: &mut [f32], by: f32));

/// The sums of a query that has seen no position; its outputs are made −0. Merging a tile with
/// this gives the tile, to the bit: −0 changes no number to which it is added.
pub(crate) fn begin(out: &mut [f32]) -> Softmax {
    out.fill(-0.0);
    Softmax { largest: f32::NEG_INFINITY, sum: 0.0 }
}

impl Tiles {
    /// Makes room for `n` queries.
    pub fn resize(&mut self, n: usize) {
        for numbers in [&mut self.largest, &mut self.sums, &mut self.keep, &mut self.take] {
            numbers.resize(n, 0.0);
        }
    }

    /// Makes room for as many, without filling it.
    pub fn make_room(&mut self, n: usize) {
        for numbers in [&mut self.largest, &mut self.sums, &mut self.keep, &mut self.take] {
            make_room(numbers, n);
        }
    }

    /// Bytes of it.
    pub fn bytes(&self) -> u64 {
        [&self.largest, &self.sums, &self.keep, &self.take].into_iter().map(room).sum()
    }
}

impl States {
    /// Makes room for `n` queries that have seen no position.
    pub fn begin(&mut self, n: usize, width: usize) {
        self.width = width;
        self.out.resize(n * width, 0.0);
        let Softmax { largest, sum } = begin(&mut self.out);
        self.largest.clear();
        self.largest.resize(n, largest);
        self.sums.clear();
        self.sums.resize(n, sum);
    }

    /// Makes room for as many, without filling it.
    pub fn make_room(&mut self, n: usize, width: usize) {
        make_room(&mut self.out, n * width);
        make_room(&mut self.largest, n);
        make_room(&mut self.sums, n);
    }

    /// Bytes of it.
    pub fn bytes(&self) -> u64 {
        room(&self.out) + room(&self.largest) + room(&self.sums)
    }

    /// The state of query `i`.
    pub fn get(&self, i: usize) -> (Softmax, &[f32]) {
        let softmax = Softmax { largest: self.largest[i], sum: self.sums[i] };
        (softmax, &self.out[i * self.width..][..self.width])
    }

    /// The outputs of some queries.
    pub fn out(&mut self, queries: Range<usize>) -> &mut [f32] {
        &mut self.out[queries.start * self.width..queries.end * self.width]
    }

    /// Merges what a tile gives some queries, but for the outputs, whose factors it finds.
    pub fn merge_sums(&mut self, isa: crate::Isa, queries: Range<usize>, tile: &mut Tiles) {
        merge_sums(isa, &mut self.largest[queries.clone()], &mut self.sums[queries], tile);
    }
}

#[inline(always)]
fn merge_sums_portable(largest: &mut [f32], sums: &mut [f32], tile: &mut Tiles) {
    let factors = tile.keep.iter_mut().zip(&mut tile.take);
    let new = tile.largest.iter().zip(&tile.sums);
    let seen = largest.iter_mut().zip(sums);
    for (((largest, sum), (new_largest, new_sum)), (keep, take)) in seen.zip(new).zip(factors) {
        let both = largest.max(*new_largest);
        (*keep, *take) = (exp(*largest - both), exp(new_largest - both));
        (*largest, *sum) = (both, sum.mul_add(*keep, new_sum * *take));
    }
}

#[inline(always)]
fn merge_state_portable(seen: &mut Softmax, out: &mut [f32], new: &Softmax, new_out: &[f32]) {
    *seen = attend::merge(seen, new, out, new_out);
}

#[inline(always)]
fn divide_portable(out: &mut [f32], by: f32) {
    for out in out {
        *out /= by;
    }
}
