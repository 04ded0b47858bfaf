//! Bundles of whole numbers by the unit for tiles: where enough queries see a tile, its keys and
//! values are made ready for the unit, and the queries once for all tiles.

use std::ops::Range;

use super::bundle::{Job, Next, Own};
use super::whole::Whole;
use crate::Isa;
use crate::amx::{self, Emulated, Hardware, Soon, WholeColumns, WholeOut, WholeRows};
use crate::isa::Level;
use crate::portable::attend::TILE;
use crate::portable::whole::{Pair, Tile};
use crate::simd::BYTES;

/// Queries that see a tile, from which on the unit multiplies them, where there is one.
const ENOUGH: usize = 32;

/// Queries, weights, keys and values as the unit reads them.
#[derive(Default)]
pub(super) struct Tiles {
    queries: WholeRows,
    weights: WholeRows,
    keys: WholeColumns,
    values: WholeColumns,
}

impl Tiles {
    /// Room for so many queries.
    pub fn make_room(&mut self, isa: Isa, queries: usize, (dim, width): (usize, usize)) {
        if is_worth(isa, queries) {
            self.queries.make_room(queries, dim);
            self.weights.make_room(queries, TILE);
            self.keys.make_room(TILE, dim);
            self.values.make_room(width, TILE);
        }
    }

    /// Bytes of it.
    pub fn bytes(&self) -> u64 {
        let rows = self.queries.bytes() + self.weights.bytes();
        rows + self.keys.bytes() + self.values.bytes()
    }

    /// Takes the queries of a bundle, of `len` numbers each and so many of a key head.
    pub fn take_queries(&mut self, isa: Isa, (levels, of_head): (&[i16], usize), len: usize) {
        if is_worth(isa, of_head) {
            // SAFETY: where the unit is, the features are.
            unsafe { self.queries.fill(levels, len) };
        }
    }
}

fn is_worth(isa: Isa, queries: usize) -> bool {
    isa.has_tiles() && queries >= ENOUGH
}

/// So many pairs, which are read soon.
fn soon(start: *const u8, pairs: usize) -> Soon {
    let nothing = Soon::NOTHING.0[0];
    Soon([(start, pairs * size_of::<Pair>() / BYTES), nothing, nothing])
}

impl Job<'_> {
    /// Whether so many queries are multiplied with a tile by the unit.
    pub fn by_tiles(&self, n: usize) -> bool {
        is_worth(self.isa, n)
    }

    /// Scores of the queries that see a tile, of which the first is `query`.
    pub fn score_by_tiles(&self, tile: &Tile, query: usize, own: &mut Own) {
        let Whole { factors, tiles, .. } = &mut own.whole;
        let n = own.visible.len();
        let queries = (&tiles.queries, query);
        let factors = (&factors[query..][..n], tile.key_scales);
        let to =
            (&mut own.scores[..n * TILE], soon(tile.values.as_ptr().cast(), tile.values.len()));
        // SAFETY: where the level is, the unit and the features are.
        unsafe {
            tiles.keys.fill(tile.keys, TILE);
            match self.isa.level() {
                Level::Amx => amx::score_whole::<Hardware>(queries, &tiles.keys, factors, to),
                _ => amx::score_whole::<Emulated>(queries, &tiles.keys, factors, to),
            }
        }
    }

    /// Rounds the weights of queries that see a tile, and merges its values into their states.
    pub fn mix_by_tiles(&self, tile: &Tile, (states, next): (Range<usize>, Next), own: &mut Own) {
        let soon = next.map_or(Soon::NOTHING, |(start, _)| soon(start, tile.keys.len()));
        let width = self.width();
        let Whole { scales, tiles, .. } = &mut own.whole;
        let scores = &own.scores[..states.len() * TILE];
        let (keep, take) = (&own.sums.keep, &own.sums.take);
        // SAFETY: as above.
        unsafe {
            tiles.weights.fill_with_weights(scores, tile.value_scales, scales);
            tiles.values.fill(tile.values, width);
            let values = (&tiles.values, soon);
            let to = WholeOut { out: own.states.out(states), width, scales, keep, take };
            match self.isa.level() {
                Level::Amx => amx::mix_whole::<Hardware>(&tiles.weights, values, to),
                _ => amx::mix_whole::<Emulated>(&tiles.weights, values, to),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Attention, Heads, Pages, RowTable};
    use crate::amx::STARTED;
    use crate::{Isa, Kept, Machine};

    /// How often the unit is started for a prompt of `n` rows, which see one tile.
    fn units(isa: Isa, n: usize, kept: Kept) -> usize {
        let heads = Heads { queries: 2, keys: 1, dim: 3, value_dim: 5, within: false, kept };
        let mut machine = Machine::new(isa, 1);
        let (mut pages, table) = (vec![vec![0.0; heads.page_len()].into()], [0]);
        let rows: Vec<_> = (0..n).map(|position| RowTable { position, pages: &table }).collect();
        let (keys, values) = (vec![1.0; n * 3], vec![1.0; n * 5]);
        let (pages, rows) = (&mut pages, &rows[..]);
        machine.store(heads, 0, &mut Pages { pages, rows, keys: &keys, values: &values });
        let (window, chunk, chosen, sinks) = (None, None, None, None);
        let (scale, offset) = (1.0, 0);
        let of = Attention { heads, scale, window, chunk, chosen, sinks, offset, pages, rows };
        let before = STARTED.get();
        machine.attend(&vec![1.0; n * 6], &of, &mut vec![0.0; n * 10]);
        STARTED.get() - before
    }

    #[test]
    fn many_queries_go_by_tiles_if_they_are_whole_numbers() {
        let Some(emulated) = Isa::emulated_amx() else { return };
        for (n, kept, want) in [(16, Kept::I16, 2), (15, Kept::I16, 0), (40, Kept::F16, 0)] {
            assert_eq!(units(emulated, n, kept), want, "{n} rows, {kept:?}");
        }
        for isa in Isa::available() {
            assert_eq!(units(isa, 40, Kept::I16), 0, "{}", isa.name());
        }
    }
}
