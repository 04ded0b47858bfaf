//! Keys and values of new rows go to their places in the pages; keys are transposed.

use std::ops::Range;

use super::super::shared::Shared;
use super::{Heads, Machine, Pages};
use crate::attention::{Half, Kept, Number, halves_mut};
use crate::portable::attend::TILE;

/// Rows whose keys are transposed together. More would meet in too few places of the nearest cache.
const TOGETHER: usize = 8;

impl Machine {
    /// Puts the keys and values of each row in its place in the pages.
    pub fn store(&self, heads: Heads, offset: usize, to: &mut Pages) {
        let &mut Pages { ref mut pages, rows, keys, values } = to;
        let (n, threads) = (rows.len(), self.threads());
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
