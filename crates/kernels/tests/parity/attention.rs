//! Storing and attending: prompts and single rows, several sequences in one cache, grouped heads,
//! windows, edges of tiles. What no row of a batch sees is NaN.

use std::collections::HashSet;

use kernels::{Attention, Chosen, Heads, Index, Kept, Machine, Pages, RowTable};
use kernels::{f16_to_f32, f32_to_f16};

use super::inputs::Random;
use super::oracle::{self, Head};
use super::{assert_bits, machines, name};

const EDGES: [usize; 11] = [0, 1, 15, 16, 62, 63, 64, 65, 127, 128, 130];
const WINDOWS: [Option<usize>; 9] =
    [None, Some(1), Some(2), Some(16), Some(63), Some(64), Some(65), Some(100), Some(1000)];
const FEW_WINDOWS: [Option<usize>; 3] = [None, Some(1), Some(65)];
const SEQUENCES: usize = 3;
/// The layer does not begin its page.
const OFFSET: usize = 7;

/// A sequence and a position in it.
type Row = (usize, usize);

/// What rows see: the last positions, of their own chunk.
#[derive(Clone, Copy, Debug)]
struct Sight {
    window: Option<usize>,
    chunk: Option<usize>,
}

impl Sight {
    /// The first position that a row sees.
    fn first(self, position: usize) -> usize {
        let in_window = self.window.map_or(0, |window| (position + 1).saturating_sub(window));
        in_window.max(self.chunk.map_or(0, |chunk| position - position % chunk))
    }
}

/// Keys and values of some sequences, `[sequence][head][position]`.
#[derive(Clone)]
struct Case {
    heads: Heads,
    len: usize,
    scale: f32,
    keys: Vec<Vec<Vec<Vec<f32>>>>,
    values: Vec<Vec<Vec<Vec<f32>>>>,
    /// Pages of each sequence: neither in order nor side by side.
    tables: Vec<Vec<u32>>,
}

/// Heads of one width.
fn heads(queries: usize, keys: usize, dim: usize) -> Heads {
    Heads { queries, keys, dim, value_dim: dim, within: false, kept: Kept::F32 }
}

/// Heads whose values are the last numbers of their keys.
fn within(queries: usize, keys: usize, dim: usize, value_dim: usize) -> Heads {
    Heads { queries, keys, dim, value_dim, within: true, kept: Kept::F32 }
}

fn numbers(random: &mut Random, len: usize) -> Vec<f32> {
    (0..len).map(|_| random.even() * 2.0).collect()
}

impl Case {
    fn new(heads: Heads, len: usize) -> Case {
        let mut random = Random::new((heads.dim * 100 + heads.queries) as u64);
        let mut heads_of = |dim: usize| -> Vec<Vec<Vec<f32>>> {
            let mut head = |_| (0..len).map(|_| numbers(&mut random, dim)).collect();
            (0..heads.keys).map(&mut head).collect()
        };
        let keys: Vec<_> = (0..SEQUENCES).map(|_| heads_of(heads.dim)).collect();
        let mut values: Vec<_> = (0..SEQUENCES).map(|_| heads_of(heads.value_dim)).collect();
        if heads.within {
            values.clone_from(&keys);
            let rows = values.iter_mut().flatten().flatten();
            rows.for_each(|row| drop(row.drain(..heads.dim - heads.value_dim)));
        }
        let pages = len.div_ceil(64);
        let page = |sequence, i| (SEQUENCES * (pages - 1 - i) + sequence) as u32;
        let table = |sequence| (0..pages).map(|i| page(sequence, i)).collect();
        let tables = (0..SEQUENCES).map(table).collect();
        Case { heads, len, scale: 1.0 / (heads.dim as f32).sqrt(), keys, values, tables }
    }

    /// The same, kept in this way.
    fn with(&self, kept: Kept) -> Case {
        let Heads { dim, value_dim, within, .. } = self.heads;
        let kept = kept.by_heads((dim, value_dim), within);
        Case { heads: Heads { kept, ..self.heads }, ..self.clone() }
    }

    /// With the keys and values that come back from where they are kept.
    fn kept(&self) -> Case {
        let mut case = self.clone();
        if self.heads.kept == Kept::F16 {
            let all = case.keys.iter_mut().chain(&mut case.values);
            all.flatten().flatten().flatten().for_each(|x| *x = f16_to_f32(f32_to_f16(*x)));
        }
        case
    }

    /// All rows of all sequences from one position to before another.
    fn rows(&self, positions: impl Iterator<Item = usize> + Clone) -> Vec<Row> {
        (0..SEQUENCES)
            .flat_map(|sequence| positions.clone().map(move |at| (sequence, at)))
            .collect()
    }

    fn tables(&self, rows: &[Row]) -> Vec<RowTable<'_>> {
        let table = |&(sequence, position): &Row| {
            let pages = &self.tables[sequence];
            RowTable { position, pages }
        };
        rows.iter().map(table).collect()
    }

    /// What lies at each row's position, head after head.
    fn at(all: &[Vec<Vec<Vec<f32>>>], rows: &[Row]) -> Vec<f32> {
        let heads =
            rows.iter().flat_map(|&(sequence, at)| all[sequence].iter().map(move |h| &h[at]));
        heads.flatten().copied().collect()
    }

    /// Pages in which all has been stored, all sequences together, `step` positions at once.
    fn stored(&self, machine: &Machine, step: usize) -> Vec<Box<[f32]>> {
        let len = OFFSET + self.heads.page_len() + 5;
        let count = self.tables.iter().map(Vec::len).sum();
        let mut pages: Vec<Box<[f32]>> = (0..count).map(|_| vec![f32::NAN; len].into()).collect();
        for first in (0..self.len).step_by(step) {
            let rows = self.rows(first..self.len.min(first + step));
            let (keys, values) = (Case::at(&self.keys, &rows), Case::at(&self.values, &rows));
            self.store(machine, &mut pages, &rows, (&keys, &values));
        }
        for page in &pages {
            let (before, after) = (&page[..OFFSET], &page[OFFSET + self.heads.page_len()..]);
            assert!(before.iter().chain(after).all(|x| x.is_nan()), "another layer's place");
        }
        pages
    }

    fn store(
        &self,
        machine: &Machine,
        pages: &mut [Box<[f32]>],
        rows: &[Row],
        (keys, values): (&[f32], &[f32]),
    ) {
        let values = if self.heads.within { &[] } else { values };
        let to = &mut Pages { pages, rows: &self.tables(rows), keys, values };
        machine.store(self.heads, OFFSET, to);
    }

    /// Stores NaN wherever none of the rows sees anything.
    fn spoil(&self, machine: &Machine, pages: &mut [Box<[f32]>], seen: &HashSet<Row>) {
        let mut rows = self.rows(0..self.len);
        rows.retain(|row| !seen.contains(row));
        let nothing = |dim: usize| vec![f32::NAN; rows.len() * self.heads.keys * dim];
        let (keys, values) = (nothing(self.heads.dim), nothing(self.heads.value_dim));
        self.store(machine, pages, &rows, (&keys, &values));
    }

    fn want(
        &self,
        rows: &[Row],
        queries: &[f32],
        (sight, sinks): (Sight, Option<&[f32]>),
    ) -> Vec<f32> {
        let Heads { queries: count, keys, dim, .. } = self.heads;
        let mut want = Vec::new();
        for (&(sequence, position), queries) in rows.iter().zip(queries.chunks(count * dim)) {
            for (head, q) in queries.chunks(dim).enumerate() {
                let sink = sinks.map(|sinks| sinks[head]);
                let key_head = head / (count / keys);
                let (keys, values) =
                    (&self.keys[sequence][key_head], &self.values[sequence][key_head]);
                let is_whole = self.heads.kept == Kept::I16;
                let head = Head { q, keys, values, scale: self.scale, is_whole };
                let window = Some(position + 1 - sight.first(position));
                want.extend(oracle::attend(&head, position, window, sink));
            }
        }
        want
    }

    /// All machines and ways to keep, with the same rows and several windows.
    fn check(&self, rows: &[Row], windows: &[Option<usize>]) {
        for kept in Kept::ALL {
            self.with(kept).check_as_kept(rows, windows);
        }
    }

    fn check_as_kept(&self, rows: &[Row], windows: &[Option<usize>]) {
        let kept = self.kept();
        let mut random = Random::new(rows.len() as u64);
        let queries = numbers(&mut random, rows.len() * self.heads.queries * self.heads.dim);
        // Sinks below, among and above the scores, with every second window; chunks with most.
        let sinks: Vec<f32> = (0..self.heads.queries).map(|i| [-3.0, 0.5, 9.0][i % 3]).collect();
        let with = windows.iter().enumerate().map(|(i, window)| {
            let sinks = (i + rows.len()).is_multiple_of(2).then_some(&sinks[..]);
            let chunk = [None, Some(40), Some(64), Some(100)][(i + rows.len()) % 4];
            let sight = Sight { window: *window, chunk };
            (sight, sinks, kept.want(rows, &queries, (sight, sinks)))
        });
        let windows: Vec<_> = with.collect();
        for (mut machine, step) in
            machines().into_iter().zip([self.len, 1, 64, 7].into_iter().cycle())
        {
            let stored = self.stored(&machine, step);
            for (sight, sinks, want) in &windows {
                let mut pages = stored.clone();
                self.spoil(&machine, &mut pages, &seen(rows, *sight));
                let (heads, scale, tables) = (self.heads, self.scale, self.tables(rows));
                let (Sight { window, chunk }, sinks, offset) = (*sight, *sinks, OFFSET);
                let (pages, rows) = (&pages, &tables[..]);
                let chosen = None;
                let of =
                    Attention { heads, scale, window, chunk, chosen, sinks, offset, pages, rows };
                let mut out = vec![f32::NAN; rows.len() * heads.queries * heads.value_dim];
                machine.attend(&queries, &of, &mut out);
                let what = || format!("{heads:?}, {sight:?}, {}", name(&machine));
                assert_bits(&out, want, what);
            }
        }
    }
}

/// What the rows see.
fn seen(rows: &[Row], sight: Sight) -> HashSet<Row> {
    let seen = |&(of, last): &Row| (sight.first(last)..=last).map(move |at| (of, at));
    rows.iter().flat_map(seen).collect()
}

#[test]
fn every_position_sees_what_it_may() {
    for heads in [
        heads(1, 1, 1),
        heads(4, 2, 6),
        Heads { value_dim: 5, ..heads(6, 2, 17) },
        Heads { value_dim: 33, ..heads(3, 3, 16) },
        within(4, 1, 18, 12),
        within(6, 2, 33, 33),
    ] {
        let case = Case::new(heads, 131);
        case.check(&case.rows(EDGES.into_iter()), &WINDOWS);
    }
}

#[test]
fn heads_of_every_width() {
    for heads in
        [heads(2, 1, 64), heads(1, 1, 80), heads(3, 1, 96), heads(4, 2, 128), heads(1, 1, 256)]
    {
        let case = Case::new(heads, 131);
        case.check(&case.rows([0, 63, 64, 130].into_iter()), &FEW_WINDOWS);
    }
}

/// Rows of one sequence that follow each other, more than a block holds and fewer.
#[test]
fn prompts() {
    let groups = [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (7, 1), (8, 1), (12, 4), (4, 4)];
    for ((queries, keys), first) in groups.into_iter().zip([0, 37, 63, 64, 1].into_iter().cycle()) {
        let heads = match queries {
            5 | 12 => within(queries, keys, 10, 7),
            _ => heads(queries, keys, 8),
        };
        let case = Case::new(heads, 205);
        let rows = |count| -> Vec<Row> { (first..first + count).map(|at| (1, at)).collect() };
        case.check(&rows(140), &FEW_WINDOWS);
        case.check(&rows(5), &[None, Some(3)]);
    }
}

/// Wide heads of rows enough for the unit of tiles, in steps of 64 numbers.
#[test]
fn prompts_of_wide_heads() {
    for (heads, first) in [
        (heads(2, 1, 64), 20),
        (heads(4, 2, 96), 63),
        (Heads { value_dim: 40, ..heads(3, 1, 130) }, 7),
        (Heads { value_dim: 128, ..heads(1, 1, 256) }, 64),
        (heads(1, 1, 512), 0),
    ] {
        let case = Case::new(heads, 131);
        let rows = |count| -> Vec<Row> { (first..first + count).map(|at| (2, at)).collect() };
        case.check(&rows(67), &[None, Some(65)]);
        case.check(&rows(35), &[None]);
    }
}

/// Keys and values that are zero, tiny and huge, and seen: their scales are zero, or far apart.
#[test]
fn sizes_that_differ() {
    for heads in [heads(2, 1, 8), Heads { value_dim: 5, ..heads(4, 2, 17) }] {
        let mut case = Case { scale: 0.01, ..Case::new(heads, 131) };
        let sizes = [0.0, 1e-42, 1e-38, 1e-20, 1.0, 1e3];
        for all in [&mut case.keys, &mut case.values] {
            for (i, row) in all.iter_mut().flatten().flatten().enumerate() {
                row.iter_mut().for_each(|x| *x *= sizes[i * 7 % sizes.len()]);
            }
        }
        // A tile whose values are all zero.
        for row in case.values.iter_mut().flatten().flat_map(|head| &mut head[..64]) {
            row.fill(0.0);
        }
        case.check(&case.rows([0, 5, 63, 64, 130].into_iter()), &FEW_WINDOWS);
        let prompt: Vec<Row> = (40..120).map(|at| (1, at)).collect();
        case.check(&prompt, &[None, Some(3)]);
    }
}

/// A prompt between single rows of other sequences, and rows that follow each other by chance.
#[test]
fn sequences_differ_in_one_batch() {
    let prompt =
        |sequence, positions: std::ops::Range<usize>| positions.map(move |at| (sequence, at));
    let mut rows: Vec<Row> = vec![(0, 130), (1, 3), (2, 4), (0, 5)];
    rows.extend(prompt(1, 40..75));
    rows.extend([(2, 75), (0, 63), (1, 64)]);
    rows.extend(prompt(2, 120..131));
    rows.extend([(2, 10), (2, 11), (2, 9), (2, 9)]);
    for heads in [heads(8, 2, 16), heads(3, 3, 7), heads(2, 1, 33)] {
        Case::new(heads, 131).check(&rows, &FEW_WINDOWS);
    }
}

/// One row, or a few, and fewer key heads than threads: tiles are split, then merged in order.
#[test]
fn long_contexts_of_few_rows() {
    for heads in [heads(8, 1, 16), heads(4, 2, 24), heads(9, 3, 16), within(5, 1, 24, 16)] {
        let case = Case::new(heads, 900);
        case.check(&[(1, 899)], &[None, Some(300)]);
        case.check(&[(2, 700), (0, 63), (1, 831)], &[None]);
    }
}

/// Scores far apart: whole tiles weigh nothing beside others, in both directions.
#[test]
fn scores_far_apart_are_merged() {
    let heads = Heads { value_dim: 4, ..heads(2, 1, 8) };
    let case = Case { scale: 60.0, ..Case::new(heads, 131) };
    case.check(&case.rows(EDGES.into_iter()), &WINDOWS);
}

/// Chosen positions make a sequence of their own; what is not chosen is NaN.
#[test]
fn rows_attend_to_what_they_have_chosen() {
    let all = [heads(2, 1, 16), heads(4, 2, 6), within(3, 1, 20, 12), within(9, 1, 34, 32)];
    for (heads, kept) in all.into_iter().zip([Kept::F32, Kept::F16].into_iter().cycle()) {
        let case = Case::new(Heads { kept, ..heads }, 300);
        let (heads, as_kept) = (case.heads, case.kept());
        for (most, rows) in [
            (1, vec![(0, 0), (1, 299), (2, 64)]),
            (70, vec![(0, 299), (1, 3), (1, 69), (1, 70), (2, 131)]),
            (200, (150..299).map(|at| (1, at)).collect()),
            (128, vec![(2, 299)]),
        ] {
            let mut random = Random::new(most as u64);
            let queries = numbers(&mut random, rows.len() * heads.queries * heads.dim);
            let mut places = vec![u32::MAX; rows.len() * most];
            let (mut want, mut seen) = (Vec::new(), HashSet::new());
            for (i, &(sequence, position)) in rows.iter().enumerate() {
                let mut all: Vec<usize> = (0..=position).collect();
                while all.len() > most {
                    all.remove(random.below(all.len()));
                }
                seen.extend(all.iter().map(|at| (sequence, *at)));
                for (place, at) in places[i * most..].iter_mut().zip(&all) {
                    *place = *at as u32;
                }
                let row_len = heads.queries * heads.dim;
                for (head, q) in queries[i * row_len..][..row_len].chunks(heads.dim).enumerate() {
                    let key_head = head / (heads.queries / heads.keys);
                    let of = |rows: &Vec<Vec<f32>>| -> Vec<Vec<f32>> {
                        all.iter().map(|at| rows[*at].clone()).collect()
                    };
                    let keys = &of(&as_kept.keys[sequence][key_head]);
                    let values = &of(&as_kept.values[sequence][key_head]);
                    let head = Head { q, keys, values, scale: case.scale, is_whole: false };
                    want.extend(oracle::attend(&head, all.len() - 1, None, None));
                }
            }
            for mut machine in machines() {
                let mut pages = case.stored(&machine, 7);
                case.spoil(&machine, &mut pages, &seen);
                let tables = case.tables(&rows);
                let of = Attention {
                    heads,
                    scale: case.scale,
                    window: None,
                    chunk: None,
                    chosen: Some(Chosen { positions: &places, most }),
                    sinks: None,
                    offset: OFFSET,
                    pages: &pages,
                    rows: &tables,
                };
                let mut out = vec![f32::NAN; rows.len() * heads.queries * heads.value_dim];
                machine.attend(&queries, &of, &mut out);
                assert_bits(&out, &want, || format!("{heads:?}, {most}, {}", name(&machine)));
            }
        }
    }
}

/// The indexer scores every position, and the best are chosen; of equals the first.
#[test]
fn the_best_positions_are_chosen() {
    for (queries, dim, most, last) in
        [(1, 1, 3, 5), (5, 16, 70, 299), (3, 64, 1, 130), (2, 8, 500, 99)]
    {
        let heads = Heads { value_dim: 0, ..heads(queries, 1, dim) };
        let mut case = Case::new(heads, 300);
        // Equal keys have equal scores.
        for head in case.keys.iter_mut().flatten() {
            (0..100).for_each(|i| head[3 * i] = head[0].clone());
        }
        let rows: Vec<Row> = vec![(0, last), (1, last), (1, 0), (2, last / 2)];
        let mut random = Random::new(5);
        let asked = numbers(&mut random, rows.len() * queries * dim);
        let weights = numbers(&mut random, rows.len() * queries);
        let want = rows.iter().enumerate().map(|(i, &(sequence, position))| {
            let score = |at: usize| {
                (0..queries).fold(0.0_f32, |sum, head| {
                    let query = &asked[(i * queries + head) * dim..][..dim];
                    let key = &case.keys[sequence][0][at];
                    let score = query.iter().zip(key).fold(0.0_f32, |s, (q, k)| q.mul_add(*k, s));
                    let score = score * case.scale;
                    let score = if score > 0.0 { score } else { 0.0 };
                    weights[i * queries + head].mul_add(score, sum)
                })
            };
            let mut all: Vec<(f32, usize)> = (0..=position).map(|at| (score(at), at)).collect();
            all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            let mut best: Vec<u32> = all.iter().take(most).map(|(_, at)| *at as u32).collect();
            best.sort_unstable();
            best
        });
        let want: Vec<Vec<u32>> = want.collect();
        for mut machine in machines() {
            let pages = case.stored(&machine, 64);
            let tables = case.tables(&rows);
            let (scale, offset) = (case.scale, OFFSET);
            let of = &Index { heads, scale, most, offset, pages: &pages, rows: &tables };
            let mut places = Vec::new();
            machine.index(&asked, &weights, of, &mut places);
            for (places, want) in places.chunks(most).zip(&want) {
                assert_eq!(places[..want.len()], want[..], "{heads:?}, {}", name(&machine));
            }
        }
    }
}

/// Products that vanish leave the sign of the last of them, and nothing else may be added to it.
#[test]
fn zeros_keep_their_sign() {
    let mut case = Case { scale: 2.0, ..Case::new(heads(2, 1, 8), 131) };
    for head in case.values.iter_mut().flatten() {
        for (position, x) in
            head.iter_mut().enumerate().flat_map(|(i, row)| row.iter_mut().map(move |x| (i, x)))
        {
            let sign = if position % 2 == 0 { 1.0 } else { -1.0 };
            *x = sign * if *x > 0.0 { 0.0 } else { f32::from_bits(1) };
        }
    }
    case.check(&case.rows(0..131), &FEW_WINDOWS);
}
