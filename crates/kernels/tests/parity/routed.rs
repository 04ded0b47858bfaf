//! Products of experts: each slot has the bits that its row has with its expert alone.

use kernels::{
    Choice, Expert, Experts, Format, Isa, Machine, Matrix, Product, Rounding, RoutedProduct,
    Routing, Take, packed_len,
};

use super::inputs::{Random, Weights, activations};
use super::{assert_bits, machines, name};

const COUNT: usize = 7;
const ROWS: usize = 37;
const COLS: usize = 512;

/// Experts of one format, as in a file or in panels.
struct Several {
    format: Format,
    bytes: Vec<Vec<u8>>,
    biases: Option<Vec<f32>>,
    packed: bool,
}

impl Several {
    fn new(weights: &mut Weights, format: Format, biased: bool) -> Several {
        let bytes = (0..COUNT).map(|_| weights.bytes(format, ROWS * COLS)).collect();
        let biases = biased.then(|| (0..COUNT * ROWS).map(|i| i as f32 * 0.01 - 1.0).collect());
        Several { format, bytes, biases, packed: false }
    }

    /// As this machine likes them best.
    fn packed(&self, machine: &Machine) -> Several {
        let pack = |i: usize| {
            let mut bytes = vec![0; packed_len(self.format, ROWS, COLS).unwrap()];
            machine.pack(&self.expert(i).weights, &mut bytes);
            bytes
        };
        let packed = machine.packs(self.format);
        let bytes = if packed { (0..COUNT).map(pack).collect() } else { self.bytes.clone() };
        Several { format: self.format, bytes, biases: self.biases.clone(), packed }
    }

    /// What each slot must be.
    fn want(&self, x: &[f32], choices: &[Vec<Choice>], rounding: Rounding) -> Vec<f32> {
        let mut machine = Machine::new(Isa::PORTABLE, 1);
        let mut all = Vec::new();
        for expert in 0..COUNT {
            for (row, choices) in choices.iter().enumerate() {
                if choices.iter().any(|(chosen, _)| *chosen as usize == expert) {
                    let Expert { weights, bias } = self.expert(expert);
                    let mut out = vec![0.0; ROWS];
                    let product = Product { weights, rounding, bias, out: &mut out };
                    machine.product(&x[row * COLS..][..COLS], &mut [product]);
                    all.extend(out);
                }
            }
        }
        all
    }
}

impl Experts for Several {
    fn expert(&self, index: usize) -> Expert<'_> {
        let bytes = &self.bytes[index];
        let matrix = if self.packed { Matrix::packed } else { Matrix::new };
        let bias = self.biases.as_ref().map(|biases| &biases[index * ROWS..][..ROWS]);
        Expert { weights: matrix(self.format, ROWS, COLS, bytes).unwrap(), bias }
    }
}

/// Each row chooses other experts; expert 3 is never chosen, and all rows choose expert 5.
fn choices(n: usize, each: usize) -> Vec<Vec<Choice>> {
    let mut random = Random::new((n * each) as u64);
    let row = |_| {
        let mut chosen = vec![(5, random.even())];
        while chosen.len() < each {
            let expert = random.below(COUNT) as u32;
            if expert != 3 && chosen.iter().all(|(other, _)| *other != expert) {
                chosen.push((expert, random.even()));
            }
        }
        chosen
    };
    (0..n).map(row).collect()
}

fn routing(choices: &[Vec<Choice>]) -> Routing {
    let mut routing = Routing::default();
    routing.set(COUNT, &choices.concat(), choices.first().map_or(1, Vec::len));
    routing
}

#[test]
fn slots_have_the_bits_of_their_rows_alone() {
    let mut weights = Weights::new(11);
    let formats = [Format::Q4_K, Format::Q8_0, Format::MXFP4, Format::NVFP4, Format::BF16];
    for format in formats {
        let (first, second) =
            (Several::new(&mut weights, format, false), Several::new(&mut weights, format, true));
        for (n, each) in [(1, 1), (1, 4), (2, 2), (5, 3), (23, 2), (40, 4)] {
            let (x, choices) = (activations(n, COLS), choices(n, each));
            let routing = routing(&choices);
            let want = [
                first.want(&x, &choices, Rounding::Once),
                second.want(&x, &choices, Rounding::Twice),
            ];
            for mut machine in machines() {
                let experts = [first.packed(&machine), second.packed(&machine)];
                for experts in [[&first, &second], [&experts[0], &experts[1]]] {
                    let mut outs =
                        [vec![f32::NAN; n * each * ROWS], vec![f32::NAN; n * each * ROWS]];
                    let [a, b] = &mut outs;
                    let products = &mut [
                        RoutedProduct { experts: experts[0], rounding: Rounding::Once, out: a },
                        RoutedProduct { experts: experts[1], rounding: Rounding::Twice, out: b },
                    ];
                    machine.product_routed((&x, Take::Row), &routing, products);
                    for (out, want) in outs.iter().zip(&want) {
                        let what = || format!("{format:?}, {n} × {each}, {}", name(&machine));
                        assert_bits(out, want, what);
                    }
                }
            }
        }
    }
}

/// Rows of their own, as the output of one product is the input of the next.
#[test]
fn slots_may_have_rows_of_their_own() {
    let several = Several::new(&mut Weights::new(12), Format::Q4_K, false);
    for n in [1, 9] {
        let choices = choices(n, 2);
        let (routing, x) = (routing(&choices), activations(2 * n, COLS));
        let mut alone = Machine::new(Isa::PORTABLE, 1);
        let mut want = vec![0.0; 2 * n * ROWS];
        for expert in 0..COUNT {
            for slot in routing.of(expert) {
                let out = &mut want[slot * ROWS..][..ROWS];
                let weights = several.expert(expert).weights;
                let product = Product { weights, rounding: Rounding::Once, bias: None, out };
                alone.product(&x[slot * COLS..][..COLS], &mut [product]);
            }
        }
        for mut machine in machines() {
            let packed = several.packed(&machine);
            let mut out = vec![f32::NAN; 2 * n * ROWS];
            let product =
                RoutedProduct { experts: &packed, rounding: Rounding::Once, out: &mut out };
            machine.product_routed((&x, Take::Slot), &routing, &mut [product]);
            assert_bits(&out, &want, || format!("{n} rows, {}", name(&machine)));
        }
    }
}

#[test]
fn slots_are_added_in_the_order_of_experts() {
    for n in [1, 3, 50] {
        let choices = choices(n, 3);
        let (routing, y) = (routing(&choices), activations(3 * n, 40));
        let mut want = vec![0.0_f32; n * 40];
        for expert in 0..COUNT {
            for slot in routing.of(expert) {
                let row =
                    (0..n).filter(|row| choices[*row].iter().any(|(e, _)| *e as usize == expert));
                let row = row.clone().nth(slot - routing.of(expert).start).unwrap();
                let weight = choices[row].iter().find(|(e, _)| *e as usize == expert).unwrap().1;
                assert_eq!(weight, routing.weights()[slot]);
                for (out, y) in want[row * 40..][..40].iter_mut().zip(&y[slot * 40..]) {
                    *out = weight.mul_add(*y, *out);
                }
            }
        }
        for machine in machines() {
            let mut out = vec![f32::NAN; n * 40];
            machine.sum_slots(&routing, &y, 40, &mut out);
            assert_bits(&out, &want, || format!("{n} rows, {}", name(&machine)));
        }
    }
}

#[test]
fn nothing_chosen_is_no_work() {
    let several = Several::new(&mut Weights::new(13), Format::Q4_K, false);
    let routing = routing(&[]);
    for mut machine in machines() {
        let product = RoutedProduct { experts: &several, rounding: Rounding::Once, out: &mut [] };
        machine.product_routed((&[], Take::Row), &routing, &mut [product]);
        machine.sum_slots(&routing, &[], 40, &mut []);
    }
}
