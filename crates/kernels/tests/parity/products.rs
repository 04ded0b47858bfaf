//! Products of every format, in one plane and two, with and without a bias, alone and together.

use kernels::{Format, Machine, Matrix, Product, Rounding, packed_len};

use super::inputs::{Weights, activations};
use super::oracle::{self, Row, WeightRow};
use super::{assert_bits, machines, name};

const ROUNDINGS: [Rounding; 2] = [Rounding::Once, Rounding::Twice];

/// A matrix, activations, and the outputs of all of them in each rounding, without bias.
struct Case {
    format: Format,
    rows: usize,
    cols: usize,
    weights: Vec<u8>,
    bias: Vec<f32>,
    x: Vec<f32>,
    /// `(n, rows)`, once and twice.
    want: [Vec<f32>; 2],
}

impl Case {
    fn new(weights: &mut Weights, format: Format, cols: usize, (rows, n): (usize, usize)) -> Case {
        let (weights, x) = (weights.bytes(format, rows * cols), activations(n, cols));
        Case::of(format, cols, (weights, x))
    }

    fn of(format: Format, cols: usize, (weights, x): (Vec<u8>, Vec<f32>)) -> Case {
        let rows = weights.len() / format.row_bytes(cols).unwrap();
        let row_bytes = format.row_bytes(cols).unwrap();
        let w = weights.chunks(row_bytes).map(|row| WeightRow::new(format, row));
        let (w, x_rows): (Vec<_>, Vec<_>) = (w.collect(), x.chunks(cols).map(Row::new).collect());
        let want = ROUNDINGS.map(|rounding| {
            let outputs = x_rows.iter().flat_map(|x| w.iter().map(move |w| (w, x)));
            outputs.map(|(w, x)| oracle::product(w, x, rounding, None)).collect()
        });
        let bias = (0..rows).map(|row| (row % 7) as f32 * 0.37 - 1.0).collect();
        Case { format, rows, cols, weights, bias, x, want }
    }

    /// The first rows of the matrix.
    fn matrix(&self, rows: usize) -> Matrix<'_> {
        let bytes = &self.weights[..self.format.row_bytes(self.cols).unwrap() * rows];
        Matrix::new(self.format, rows, self.cols, bytes).unwrap()
    }

    /// What the first rows of the matrix give for the first rows of activations.
    fn want(&self, (rows, n): (usize, usize), rounding: Rounding, biased: bool) -> Vec<f32> {
        let all = &self.want[usize::from(rounding == Rounding::Twice)];
        let rows = all.chunks(self.rows).take(n).map(|out| &out[..rows]);
        let add = |(out, bias): (&f32, &f32)| if biased { out + bias } else { *out };
        rows.flat_map(|out| out.iter().zip(&self.bias).map(add)).collect()
    }

    fn check(&self, machine: &mut Machine, (rows, n): (usize, usize)) {
        self.check_with(machine, self.matrix(rows), n);
        self.check_packed(machine, (rows, n));
    }

    fn check_packed(&self, machine: &mut Machine, (rows, n): (usize, usize)) {
        if let Some(packed) = self.packed(machine, rows) {
            self.check_with(machine, packed.view(), n);
        }
    }

    fn check_with(&self, machine: &mut Machine, weights: Matrix, n: usize) {
        let rows = weights.rows;
        for (rounding, biased) in [(ROUNDINGS[0], true), (ROUNDINGS[1], false)] {
            let bias = biased.then_some(&self.bias[..rows]);
            let mut out = vec![f32::NAN; rows * n];
            let product = Product { weights, rounding, bias, out: &mut out };
            machine.product(&self.x[..n * self.cols], &mut [product]);
            assert_bits(&out, &self.want((rows, n), rounding, biased), || {
                let (format, cols) = (self.format, self.cols);
                format!("{format:?} {rounding:?}, {n} × {cols} × {rows}, {}", name(machine))
            });
        }
    }

    /// The first rows of the matrix, packed, when this machine packs them.
    fn packed(&self, machine: &Machine, rows: usize) -> Option<Packed> {
        let Case { format, cols, .. } = *self;
        machine.packs(format).then(|| {
            let mut bytes = vec![0xaa; packed_len(format, rows, cols).unwrap()];
            machine.pack(&self.matrix(rows), &mut bytes);
            Packed { format, rows, cols, bytes }
        })
    }
}

/// A matrix in panels.
struct Packed {
    format: Format,
    rows: usize,
    cols: usize,
    bytes: Vec<u8>,
}

impl Packed {
    fn view(&self) -> Matrix<'_> {
        Matrix::packed(self.format, self.rows, self.cols, &self.bytes).unwrap()
    }
}

#[test]
fn float_rows_of_every_length() {
    let (mut weights, mut machines) = (Weights::new(1), machines());
    for blocks in [1, 2, 7, 8, 9, 17] {
        let case = Case::new(&mut weights, Format::F8, 32 * blocks, (17, 35));
        machines.iter_mut().for_each(|machine| case.check(machine, (17, 35)));
    }
    for format in [Format::F32, Format::F16, Format::BF16] {
        for cols in (1..=70).chain([255, 256, 257, 511, 512, 513]) {
            let case = Case::new(&mut weights, format, cols, (3, 2));
            machines.iter_mut().for_each(|machine| case.check(machine, (3, 2)));
        }
    }
}

#[test]
fn quantised_rows_of_one_block_and_of_many() {
    let (mut weights, mut machines) = (Weights::new(2), machines());
    for format in Format::ALL.into_iter().filter(|format| !format.is_float()) {
        for blocks in [1, 2, 3, 9] {
            let case = Case::new(&mut weights, format, blocks * format.block_len(), (17, 4));
            machines.iter_mut().for_each(|machine| case.check(machine, (17, 4)));
        }
    }
}

/// All bits of levels and sub-scales are set, and activations are as large as they can be: no sum
/// on the way may be too long for where it is kept.
#[test]
fn the_largest_levels_and_activations() {
    let mut machines = machines();
    for (format, floats) in [
        (Format::Q4_0, 0..2),
        (Format::Q4_1, 0..4),
        (Format::Q5_0, 0..2),
        (Format::Q5_1, 0..4),
        (Format::Q8_0, 0..2),
        (Format::Q2_K, 80..84),
        (Format::Q3_K, 108..110),
        (Format::Q4_K, 0..4),
        (Format::Q5_K, 0..4),
        (Format::Q6_K, 208..210),
        (Format::IQ4_XS, 0..2),
    ] {
        let mut block = vec![0xff; format.block_bytes()];
        block[floats].as_chunks_mut::<2>().0.fill([0, 0x3c]); // 1.0
        let (cols, n) = (512, 33);
        let weights = block.repeat(17 * cols / format.block_len());
        let x = (0..n * cols).map(|i| if i / cols % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let case = Case::of(format, cols, (weights, x));
        for machine in &mut machines {
            [1, 4, 33].into_iter().for_each(|n| case.check(machine, (17, n)));
        }
    }
}

#[test]
fn every_number_of_weight_rows_with_every_batch() {
    let (mut weights, mut machines) = (Weights::new(3), machines());
    for format in Format::ALL {
        let cols = if format.is_float() { 70 } else { 2 * format.block_len() };
        let case = Case::new(&mut weights, format, cols, (33, 65));
        for machine in &mut machines {
            for rows in [1, 2, 15, 16, 17, 33] {
                for n in [1, 2, 31, 32, 33, 65] {
                    case.check(machine, (rows, n));
                }
            }
        }
    }
}

/// Formats with groups of both lengths and float ones, in both roundings, share their input: one of
/// them must not see what another needs, nor anything of the operation before.
#[test]
fn several_products_share_their_input() {
    let mut weights = Weights::new(4);
    let formats =
        [Format::Q4_K, Format::Q8_0, Format::Q6_K, Format::NVFP4, Format::F16, Format::Q4_1];
    let shapes = [(512, 33), (256, 2), (768, 5), (256, 40)];
    for mut machine in machines() {
        for (cols, n) in shapes {
            let cases = formats.map(|format| Case::new(&mut weights, format, cols, (9, n)));
            for first in 0..formats.len() {
                check_together(&cases[first..], &mut machine, n);
                check_together(&cases[..=first], &mut machine, n);
            }
        }
    }
}

/// Two products take one plane, the next two take two, so that both group lengths serve both; every
/// third has a bias.
fn check_together(cases: &[Case], machine: &mut Machine, n: usize) {
    let settings = |i: usize| (ROUNDINGS[i / 2 % 2], i % 3 == 1);
    let mut outs: Vec<Vec<f32>> = cases.iter().map(|case| vec![f32::NAN; n * case.rows]).collect();
    let packed: Vec<_> = cases.iter().map(|case| case.packed(machine, case.rows)).collect();
    let products = cases.iter().zip(&mut outs).enumerate().map(|(i, (case, out))| {
        let (rounding, biased) = settings(i);
        let bias = biased.then_some(&case.bias[..]);
        // One of them lies as in the file.
        let packed = packed[i].as_ref().filter(|_| i != 1).map(Packed::view);
        let weights = packed.unwrap_or_else(|| case.matrix(case.rows));
        Product { weights, rounding, bias, out }
    });
    machine.product(&cases[0].x, &mut products.collect::<Vec<_>>());
    for (i, (case, out)) in cases.iter().zip(&outs).enumerate() {
        let (rounding, biased) = settings(i);
        assert_bits(out, &case.want((case.rows, n), rounding, biased), || {
            format!("{:?}, number {i} of {}, {}", case.format, cases.len(), name(machine))
        });
    }
}

#[test]
fn no_rows_and_no_products_are_no_work() {
    let mut weights = Weights::new(5);
    for mut machine in machines() {
        machine.product(&[], &mut []);
        let case = Case::new(&mut weights, Format::Q4_K, 256, (3, 1));
        case.check(&mut machine, (3, 0));
        case.check(&mut machine, (3, 1));
    }
}

/// A row with a NaN or an infinite number in it has no output; the rows beside it have theirs.
#[test]
fn what_is_no_number_spoils_its_row_and_no_other() {
    let (mut weights, mut machines) = (Weights::new(6), machines());
    for format in Format::ALL {
        let mut case = Case::new(&mut weights, format, 256, (2, 3));
        for bad in [f32::NAN, f32::INFINITY] {
            case.x[256 + 77] = bad;
            for machine in &mut machines {
                let mut out = [0.0; 6];
                let (rounding, weights) = (Rounding::Twice, case.matrix(2));
                let product = Product { weights, rounding, bias: None, out: &mut out };
                machine.product(&case.x, &mut [product]);
                let what = || format!("{format:?}, {bad}, {}", name(machine));
                let want = case.want((2, 3), rounding, false);
                assert_bits(&out[..2], &want[..2], what);
                assert_bits(&out[4..], &want[4..], what);
                assert!(out[2..4].iter().all(|out| !out.is_finite()), "{}: {out:?}", what());
            }
        }
    }
}

/// Tiles take sixteen rows and one panel or two, and begin with eight rows. A stretch is 256
/// columns long; the short formats pass through it in batches of four blocks.
#[test]
fn packed_weights_around_the_edges_of_tiles() {
    let (mut weights, mut machines) = (Weights::new(7), machines());
    machines.retain(|machine| machine.threads() <= 2);
    for format in Format::ALL {
        if !machines.iter().any(|machine| machine.packs(format)) {
            continue;
        }
        let blocks: &[usize] =
            if format.block_len() == 256 { &[1, 3] } else { &[1, 2, 5, 7, 8, 9, 19] };
        for blocks in blocks {
            let case = Case::new(&mut weights, format, blocks * format.block_len(), (209, 70));
            for machine in machines.iter_mut().filter(|machine| machine.packs(format)) {
                for n in [7, 9, 16, 24, 31, 32, 33, 47, 48, 49, 65, 70] {
                    case.check_packed(machine, ([16, 31, 33, 96, 209][n % 5], n));
                }
            }
        }
    }
}

/// So many outputs that a thread takes the widest piece of them.
#[test]
fn packed_weights_in_wide_pieces() {
    let (mut weights, mut machines) = (Weights::new(8), machines());
    machines.retain(|machine| machine.threads() == 1);
    for format in [Format::Q4_K, Format::Q2_K, Format::Q8_0] {
        let case = Case::new(&mut weights, format, 512, (801, 49));
        for machine in machines.iter_mut().filter(|machine| machine.packs(format)) {
            case.check_packed(machine, (801, 49));
        }
    }
}
