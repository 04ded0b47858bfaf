//! Layers with a state: every split of a sequence into steps, and every neighbour in the batch,
//! gives what plain loops give for the sequence alone.

use kernels::portable::angles;
use kernels::{DeltaHeads, DeltaRows, Machine, RowTable, Sharing, States};

use super::inputs::Random;
use super::{assert_bits, machines, name, oracle};

const OFFSET: usize = 3;

fn numbers(random: &mut Random, len: usize) -> Vec<f32> {
    (0..len).map(|_| random.even()).collect()
}

/// The rows of a sequence.
struct Sequence {
    queries: Vec<f32>,
    keys: Vec<f32>,
    values: Vec<f32>,
    decays: Vec<f32>,
    betas: Vec<f32>,
}

impl Sequence {
    fn new(random: &mut Random, h: DeltaHeads, len: usize) -> Sequence {
        let mut of = |width| numbers(random, len * width);
        let fraction = |x: &mut f32| *x = (*x * *x).min(1.0);
        let (mut decays, mut betas) = (of(h.values), of(h.values));
        decays.iter_mut().chain(&mut betas).for_each(fraction);
        let (queries, keys) = (of(h.keys * h.key_dim), of(h.keys * h.key_dim));
        Sequence { queries, keys, values: of(h.values * h.value_dim), decays, betas }
    }

    /// What the page says, number by number.
    fn want(&self, h: DeltaHeads) -> Vec<f32> {
        let len = self.decays.len() / h.values;
        let mut out = vec![0.0; len * h.values * h.value_dim];
        for head in 0..h.values {
            let key_head = match h.sharing {
                Sharing::Neighbours => head / (h.values / h.keys),
                Sharing::Strided => head % h.keys,
            };
            for c in 0..h.value_dim {
                let mut state = vec![0.0_f32; h.key_dim];
                for i in 0..len {
                    let at = (i * h.keys + key_head) * h.key_dim;
                    let (key, query) = (&self.keys[at..], &self.queries[at..]);
                    let gate = i * h.values + head;
                    let place = gate * h.value_dim + c;
                    let (decay, beta) = (self.decays[gate], self.betas[gate]);
                    let answer = (0..h.key_dim).fold(0.0, |sum, d| state[d].mul_add(key[d], sum));
                    let learnt = (self.values[place] - decay * answer) * beta;
                    let mut asked = 0.0;
                    for d in 0..h.key_dim {
                        state[d] = key[d].mul_add(learnt, state[d] * decay);
                        asked = state[d].mul_add(query[d], asked);
                    }
                    out[place] = asked;
                }
            }
        }
        out
    }
}

/// Page tables of two sequences whose steps begin at these positions: each finds the page that the
/// step before has left.
fn tables(starts: &[usize], sequence: usize) -> Vec<[u32; 2]> {
    (0..starts.len() as u32)
        .map(|i| [i + 100, i + 101].map(|p| p - 100 + 50 * sequence as u32))
        .collect()
}

fn rows<'a>(
    tables: &'a [[u32; 2]],
    (starts, end): (&'a [usize], usize),
    within: std::ops::Range<usize>,
) -> Vec<RowTable<'a>> {
    let ends = starts[1..].iter().copied().chain([end]);
    let steps = starts.iter().copied().zip(ends).zip(tables);
    let row = |((start, end), pages): ((usize, usize), &'a [u32; 2])| {
        (start..end).map(move |position| RowTable { position, pages })
    };
    steps.flat_map(row).filter(|row| within.contains(&row.position)).collect()
}

fn pages(len: usize) -> Vec<Box<[f32]>> {
    vec![vec![f32::NAN; OFFSET + len + 2].into_boxed_slice(); 60]
}

fn part(x: &[f32], width: usize, rows: std::ops::Range<usize>) -> &[f32] {
    &x[rows.start * width..rows.end * width]
}

#[test]
fn states_go_from_step_to_step() {
    const LEN: usize = 21;
    let shapes = [(1, 1, 1, 1), (2, 4, 16, 16), (2, 2, 5, 70), (1, 3, 128, 128), (3, 6, 8, 33)];
    for (keys, values, key_dim, value_dim) in shapes {
        for sharing in [Sharing::Neighbours, Sharing::Strided] {
            let h = DeltaHeads { keys, values, key_dim, value_dim, sharing };
            let mut random = Random::new(7);
            let both = [(); 2].map(|()| Sequence::new(&mut random, h, LEN));
            let want = both.each_ref().map(|sequence| sequence.want(h));
            // The last entry is a mark in the middle of a step.
            for starts in [&[0][..], &[0, 1, 2, 9], &[0, 20], &[0, 8, 15]] {
                for machine in &machines() {
                    check(machine, h, (&both, &want), starts);
                }
            }
        }
    }
}

/// Both sequences together: the first steps one by one, the rest in one go.
fn check(
    machine: &Machine,
    h: DeltaHeads,
    (x, want): (&[Sequence; 2], &[Vec<f32>; 2]),
    starts: &[usize],
) {
    let len = want[0].len() / (h.values * h.value_dim);
    let mut pages = pages(h.state_len());
    let tables = [0, 1].map(|i| tables(starts, i));
    let mut got = [Vec::new(), Vec::new()];
    let cuts = [0, starts.get(1).copied().unwrap_or(len), len];
    for cut in cuts.windows(2) {
        let within = cut[0]..cut[1];
        let rows: Vec<RowTable> =
            tables.iter().flat_map(|t| rows(t, (starts, len), within.clone())).collect();
        let together = |of: fn(&Sequence) -> &Vec<f32>, width| {
            x.iter().flat_map(|x| part(of(x), width, within.clone())).copied().collect::<Vec<_>>()
        };
        let (key_row, row) = (h.keys * h.key_dim, h.values * h.value_dim);
        let x = DeltaRows {
            queries: &together(|x| &x.queries, key_row),
            keys: &together(|x| &x.keys, key_row),
            values: &together(|x| &x.values, row),
            decays: &together(|x| &x.decays, h.values),
            betas: &together(|x| &x.betas, h.values),
        };
        let mut out = vec![f32::NAN; rows.len() * row];
        let states = States { pages: &mut pages, rows: &rows, offset: OFFSET };
        machine.delta(h, states, &x, &mut out);
        let half = out.len() / 2;
        got[0].extend_from_slice(&out[..half]);
        got[1].extend_from_slice(&out[half..]);
    }
    for (got, want) in got.iter().zip(want) {
        assert_bits(got, want, || format!("{h:?}, steps {starts:?}, {}", name(machine)));
    }
    let untouched = |page: &[f32]| {
        page[..OFFSET].iter().chain(&page[OFFSET + h.state_len()..]).all(|x| x.is_nan())
    };
    assert!(pages.iter().all(|page| untouched(page)), "a state stays in its place");
}

#[test]
fn convolutions_see_the_rows_before() {
    const LEN: usize = 19;
    for (taps, widths) in [(4, [3, 5]), (1, [16, 1]), (2, [300, 17]), (7, [64, 700])] {
        let width = widths[0] + widths[1];
        let mut random = Random::new(taps as u64);
        let weights = numbers(&mut random, taps * width);
        let both = [(); 2].map(|()| numbers(&mut random, LEN * width));
        let want = |x: &[f32], i: usize, c: usize| {
            let first = (i + 1).saturating_sub(taps);
            let sum = (first..=i).fold(0.0_f32, |sum, j| {
                weights[(taps - 1 - (i - j)) * width + c].mul_add(x[j * width + c], sum)
            });
            oracle::silu(sum)
        };
        for starts in [&[0][..], &[0, 1, 2, 3, 12], &[0, 6, 11]] {
            for machine in &machines() {
                let mut pages = pages((taps - 1) * width);
                let tables = [0, 1].map(|i| tables(starts, i));
                // The first step of both sequences alone; the others as one with marks.
                let cuts = [0, starts.get(1).copied().unwrap_or(LEN), LEN];
                for cut in cuts.windows(2).filter(|cut| cut[0] < cut[1]) {
                    let within = cut[0]..cut[1];
                    let of = |table| rows(table, (starts, LEN), within.clone());
                    let rows: Vec<RowTable> = tables.iter().flat_map(|table| of(table)).collect();
                    let x = both.iter().flat_map(|x| part(x, width, within.clone()));
                    let x: Vec<f32> = x.copied().collect();
                    let mut outs = widths.map(|width| vec![f32::NAN; rows.len() * width]);
                    let [a, b] = &mut outs;
                    let states = States { pages: &mut pages, rows: &rows, offset: OFFSET };
                    machine.convolve(&weights, states, &x, &mut [a, b]);
                    for ((out, first), len) in outs.iter().zip([0, widths[0]]).zip(widths) {
                        let row = |x, i| (first..first + len).map(move |c| want(x, i, c));
                        let rows = |x| within.clone().flat_map(move |i| row(x, i));
                        let want: Vec<f32> = both.iter().flat_map(|x| rows(x)).collect();
                        let what = || format!("{taps} taps, {starts:?}, {}", name(machine));
                        assert_bits(out, &want, what);
                    }
                }
            }
        }
    }
}

#[test]
fn gates_fade_and_learn() {
    let mut random = Random::new(3);
    for (n, heads) in [(1, 1), (3, 4), (900, 32)] {
        let x: Vec<f32> = (0..n * heads).map(|_| random.uneven() * 30.0).collect();
        let y = numbers(&mut random, n * heads);
        let rates: Vec<f32> = (0..heads).map(|_| -random.even().abs() * 16.0).collect();
        let biases = numbers(&mut random, heads);
        let decay = |(i, x): (usize, &f32)| {
            let (x, rate) = (f64::from(x + biases[i % heads]), f64::from(rates[i % heads]));
            let softplus = if x > 20.0 { x } else { angles::ln(1.0 + angles::exp(x.max(-600.0))) };
            angles::exp((rate * softplus).clamp(-600.0, 600.0)) as f32
        };
        let want: Vec<f32> = x.iter().enumerate().map(decay).collect();
        let want_beta: Vec<f32> = y.iter().map(|y| 1.0 / (1.0 + oracle::exp(-y))).collect();
        for machine in &machines() {
            let (mut decays, mut betas) = (x.clone(), y.clone());
            machine.delta_gates(&mut decays, &mut betas, (&rates, &biases));
            assert_bits(&decays, &want, || name(machine));
            assert_bits(&betas, &want_beta, || name(machine));
        }
    }
}
