//! Storing and attending: several sequences in one cache, grouped heads, windows, edges of tiles.

use kernels::{Attention, Heads, Machine, Pages, RowTable};

use super::inputs::Random;
use super::oracle::{self, Head};
use super::{assert_bits, machines, name};

const POSITIONS: [usize; 11] = [0, 1, 15, 16, 62, 63, 64, 65, 127, 128, 130];
const WINDOWS: [Option<usize>; 9] =
    [None, Some(1), Some(2), Some(16), Some(63), Some(64), Some(65), Some(100), Some(1000)];
const LEN: usize = 131;
const SEQUENCES: usize = 3;
/// The layer does not begin its page.
const OFFSET: usize = 7;

/// Keys and values of some sequences, `[sequence][head][position]`, and a query for each position.
struct Case {
    heads: Heads,
    keys: Vec<Vec<Vec<Vec<f32>>>>,
    values: Vec<Vec<Vec<Vec<f32>>>>,
    queries: Vec<f32>,
    /// Pages of each sequence: neither in order nor side by side.
    tables: Vec<Vec<u32>>,
}

impl Case {
    fn new(heads: Heads) -> Case {
        let mut random = Random::new((heads.dim * 100 + heads.queries) as u64);
        let mut row = |len: usize| (0..len).map(|_| random.even() * 2.0).collect::<Vec<f32>>();
        let mut heads_of = |len: usize| -> Vec<Vec<Vec<f32>>> {
            (0..heads.keys).map(|_| (0..LEN).map(|_| row(len)).collect()).collect()
        };
        let keys = (0..SEQUENCES).map(|_| heads_of(heads.dim)).collect();
        let values = (0..SEQUENCES).map(|_| heads_of(heads.value_dim)).collect();
        let queries = row(POSITIONS.len() * heads.queries * heads.dim);
        let pages = LEN.div_ceil(64);
        let page = |sequence, i| (SEQUENCES * (pages - 1 - i) + sequence) as u32;
        let table = |sequence| (0..pages).map(|i| page(sequence, i)).collect();
        Case { heads, keys, values, queries, tables: (0..SEQUENCES).map(table).collect() }
    }

    fn rows(&self, positions: &[usize]) -> Vec<RowTable<'_>> {
        let rows = self.tables.iter().flat_map(|pages| {
            positions.iter().map(move |position| RowTable { position: *position, pages })
        });
        rows.collect()
    }

    /// What lies at each row's position, head after head.
    fn at(&self, all: &[Vec<Vec<Vec<f32>>>], positions: &[usize]) -> Vec<f32> {
        let rows = all.iter().flat_map(|heads| positions.iter().map(move |at| (heads, *at)));
        rows.flat_map(|(heads, at)| heads.iter().flat_map(move |head| &head[at]).copied()).collect()
    }

    /// Pages in which positions have been stored, all sequences together, `step` positions at once.
    fn stored(&self, machine: &Machine, step: usize) -> Vec<Box<[f32]>> {
        let len = OFFSET + self.heads.page_len() + 5;
        let count = self.tables.iter().map(Vec::len).sum();
        let mut pages: Vec<Box<[f32]>> = (0..count).map(|_| vec![f32::NAN; len].into()).collect();
        let positions: Vec<usize> = (0..LEN).collect();
        for positions in positions.chunks(step) {
            let (keys, values) = (self.at(&self.keys, positions), self.at(&self.values, positions));
            let rows = self.rows(positions);
            let to = &mut Pages { pages: &mut pages, rows: &rows, keys: &keys, values: &values };
            machine.store(self.heads, OFFSET, to);
        }
        for page in &pages {
            let (before, after) = (&page[..OFFSET], &page[OFFSET + self.heads.page_len()..]);
            assert!(before.iter().chain(after).all(|x| x.is_nan()), "another layer's place");
        }
        pages
    }

    fn query(&self, at: usize) -> &[f32] {
        let len = self.heads.queries * self.heads.dim;
        &self.queries[at * len..][..len]
    }

    fn want(&self, scale: f32, window: Option<usize>) -> Vec<f32> {
        let mut want = Vec::new();
        for (keys, values) in self.keys.iter().zip(&self.values) {
            for (at, position) in POSITIONS.iter().enumerate() {
                for (head, q) in self.query(at).chunks(self.heads.dim).enumerate() {
                    let key_head = head / (self.heads.queries / self.heads.keys);
                    let (keys, values) = (&keys[key_head], &values[key_head]);
                    let head = Head { q, keys, values, scale };
                    want.extend(oracle::attend(&head, *position, window));
                }
            }
        }
        want
    }

    fn check(&self, machine: &Machine, pages: &[Box<[f32]>], scale: f32) {
        let (rows, q) = (self.rows(&POSITIONS), self.queries.repeat(SEQUENCES));
        for window in WINDOWS {
            let heads = self.heads;
            let of = Attention { heads, scale, window, offset: OFFSET, pages, rows: &rows };
            let mut out = vec![f32::NAN; rows.len() * heads.queries * heads.value_dim];
            machine.attend(&q, &of, &mut out);
            let what = || format!("{heads:?}, window {window:?}, {}", name(machine));
            assert_bits(&out, &self.want(scale, window), what);
        }
    }
}

#[test]
fn every_position_sees_what_it_may() {
    let machines = machines();
    for (queries, keys, dim, value_dim) in
        [(1, 1, 1, 1), (4, 2, 6, 6), (6, 2, 17, 5), (3, 3, 16, 33), (2, 1, 64, 64)]
    {
        let case = Case::new(Heads { queries, keys, dim, value_dim });
        for (machine, step) in machines.iter().zip([LEN, 1, 64, 7].into_iter().cycle()) {
            let pages = case.stored(machine, step);
            case.check(machine, &pages, 1.0 / (dim as f32).sqrt());
        }
    }
}

/// Scores far apart: whole tiles weigh nothing beside others, in both directions.
#[test]
fn scores_far_apart_are_merged() {
    let case = Case::new(Heads { queries: 2, keys: 1, dim: 8, value_dim: 4 });
    for machine in machines() {
        let pages = case.stored(&machine, LEN);
        case.check(&machine, &pages, 60.0);
    }
}
