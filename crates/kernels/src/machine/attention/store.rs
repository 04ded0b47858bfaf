//! Keys and values of new rows go to their places in the pages; keys are transposed.

use std::ops::Range;

use super::super::shared::Shared;
use super::whole::rounded;
use super::{Heads, Machine, Pages};
use crate::Isa;
use crate::attention::{Half, Kept, Number, halves_mut, pairs_mut};
use crate::portable::attend::TILE;
use crate::portable::whole::{DIM_MAX, Pair, VALUE_TOP, key_top};

/// Rows whose keys are transposed together. More would meet in too few places of the nearest cache.
const TOGETHER: usize = 8;

impl Machine {
    /// Puts the keys and values of each row in its place in the pages.
    pub fn store(&self, heads: Heads, offset: usize, to: &mut Pages) {
        let &mut Pages { ref mut pages, rows, keys, values } = to;
        let (n, threads, isa) = (rows.len(), self.threads(), self.isa);
        assert_eq!(keys.len(), n * heads.keys * heads.dim);
        let own_values = if heads.within { 0 } else { heads.value_dim };
        assert_eq!(values.len(), n * heads.keys * own_values);
        let page_of = |row: usize| rows[row].pages[rows[row].position / TILE] as usize;
        let pages = Shared::rows(pages, 1);
        self.share(keys.len() + values.len(), &|thread| {
            let mut row = 0;
            while row < n {
                let page = page_of(row);
                let lane = rows[row].position % TILE;
                let follows = |i: &usize| {
                    page_of(row + i) == page && rows[row + i].position % TILE == lane + i
                };
                let count = (0..(n - row).min(TOGETHER)).take_while(follows).count();
                if page % threads == thread {
                    // SAFETY: a page is visited by one thread.
                    let page = &mut unsafe { pages.row(page) }[0][offset..][..heads.page_len()];
                    let rows = row..row + count;
                    match heads.kept {
                        Kept::F32 => put::<f32>(heads, (page, lane), (keys, values), rows),
                        Kept::F16 => {
                            put::<Half>(heads, (halves_mut(page), lane), (keys, values), rows);
                        }
                        Kept::I16 => {
                            let put = PutWhole { isa, heads, keys, values };
                            put.rows(page, lane, rows);
                        }
                    }
                }
                row += count;
            }
        });
    }
}

/// Puts rows whose positions follow each other, from `lane` on, in a page.
fn put<T: Number>(
    heads: Heads,
    (page, lane): (&mut [T], usize),
    (keys, values): (&[f32], &[f32]),
    rows: Range<usize>,
) {
    let page_len = page.len();
    for (head, place) in page.chunks_exact_mut(page_len / heads.keys).enumerate() {
        let key = |row| &keys[(row * heads.keys + head) * heads.dim..][..heads.dim];
        if heads.within {
            let places = place.chunks_exact_mut(heads.dim).skip(lane);
            places.zip(rows.clone()).for_each(|(place, row)| copy(key(row), place));
            continue;
        }
        let (key_place, value_place) = place.split_at_mut(heads.dim * TILE);
        let value = |row| &values[(row * heads.keys + head) * heads.value_dim..][..heads.value_dim];
        let mut together = [&[][..]; TOGETHER];
        for (together, row) in together.iter_mut().zip(rows.clone()) {
            *together = key(row);
        }
        for (d, column) in key_place.chunks_exact_mut(TILE).enumerate() {
            for (place, key) in column[lane..].iter_mut().zip(&together[..rows.len()]) {
                *place = T::of(key[d]);
            }
        }
        if heads.value_dim == 0 {
            continue;
        }
        let places = value_place.chunks_exact_mut(heads.value_dim).skip(lane);
        for (place, row) in places.zip(rows.clone()) {
            copy(value(row), place);
        }
    }
}

fn copy<T: Number>(from: &[f32], to: &mut [T]) {
    to.iter_mut().zip(from).for_each(|(to, x)| *to = T::of(*x));
}

/// Puts rows in a page as whole numbers.
struct PutWhole<'a> {
    isa: Isa,
    heads: Heads,
    keys: &'a [f32],
    values: &'a [f32],
}

impl PutWhole<'_> {
    /// Those whose positions follow each other, from `lane` on.
    fn rows(&self, page: &mut [f32], lane: usize, rows: Range<usize>) {
        let lens = self.heads.whole_lens();
        let mut levels = [[[0; 2]; DIM_MAX / 2]; TOGETHER];
        let levels = &mut levels[..rows.len()];
        for (head, place) in page.chunks_exact_mut(self.heads.head_len()).enumerate() {
            let (keys, place) = place.split_at_mut(lens[0]);
            let (key_scales, place) = place.split_at_mut(lens[1]);
            let (values, value_scales) = place.split_at_mut(lens[2]);
            self.keys((keys, &mut key_scales[lane..]), (head, lane), rows.clone(), levels);
            self.values((values, &mut value_scales[lane..]), (head, lane), rows.clone());
        }
    }

    fn keys(
        &self,
        (place, scales): (&mut [f32], &mut [f32]),
        (head, lane): (usize, usize),
        rows: Range<usize>,
        levels: &mut [[Pair; DIM_MAX / 2]],
    ) {
        let dim = self.heads.dim;
        for ((row, levels), scale) in rows.zip(&mut *levels).zip(scales) {
            let key = &self.keys[(row * self.heads.keys + head) * dim..][..dim];
            *scale = rounded(
                self.isa,
                (key, key_top(dim)),
                levels[..dim.div_ceil(2)].as_flattened_mut(),
            );
        }
        for (d, column) in pairs_mut(place).chunks_exact_mut(TILE).enumerate() {
            for (place, levels) in column[lane..].iter_mut().zip(&*levels) {
                *place = levels[d];
            }
        }
    }

    fn values(
        &self,
        (place, scales): (&mut [f32], &mut [f32]),
        (head, lane): (usize, usize),
        rows: Range<usize>,
    ) {
        let (dim, width) = (self.heads.value_dim, self.heads.width());
        let mut levels = [0; DIM_MAX];
        for ((at, row), scale) in (lane..).zip(rows).zip(scales) {
            let value = &self.values[(row * self.heads.keys + head) * dim..][..dim];
            *scale = rounded(self.isa, (value, VALUE_TOP), &mut levels[..dim]);
            let pairs = &mut pairs_mut(place)[at / 2 * width..][..dim];
            for (pair, level) in pairs.iter_mut().zip(&levels) {
                pair[at % 2] = *level;
            }
        }
    }
}
