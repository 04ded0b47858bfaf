//! Norms, rotations, gates and sums, row by row: rows too short to be worth a crew, and long ones.

use kernels::portable::math::Gate;
use kernels::portable::rope::Pairing;
use kernels::{Machine, Rotation};

use super::inputs::{Random, activations};
use super::oracle;
use super::{assert_bits, machines, name};

/// Row lengths and numbers of rows; the last ones are split among threads.
fn shapes() -> impl Iterator<Item = (usize, usize)> {
    let short = (1..=70).map(|len| (len, 3));
    short.chain([(1024, 1), (1000, 33), (4099, 8), (33_000, 5)])
}

fn numbers(seed: u64, len: usize) -> Vec<f32> {
    let mut random = Random::new(seed);
    (0..len).map(|_| random.even()).collect()
}

#[test]
fn norms() {
    let machines = machines();
    for (len, n) in shapes() {
        let (mut x, weight, eps) = (activations(n, len), numbers(len as u64, len), 1e-5);
        x[0] = 1e-30; // A square that vanishes beside eps, or is all there is.
        let want: Vec<f32> =
            x.chunks(len).flat_map(|x| oracle::rms_norm(x, &weight, eps)).collect();
        let bias = numbers(3, len);
        let centred = x.chunks(len).flat_map(|x| oracle::layer_norm(x, (&weight, &bias), eps));
        let want_centred: Vec<f32> = centred.collect();
        for machine in &machines {
            let what = || format!("{n} rows of {len}, {}", name(machine));
            let (mut out, mut in_place) = (vec![f32::NAN; x.len()], x.clone());
            machine.rms_norm(&x, &weight, eps, &mut out);
            machine.rms_norm_in_place(&mut in_place, &weight, eps);
            assert_bits(&out, &want, what);
            assert_bits(&in_place, &want, what);
            let mut centred = x.clone();
            machine.layer_norm_in_place(&mut centred, (&weight, &bias), eps);
            assert_bits(&centred, &want_centred, what);
        }
    }
}

/// `heads` heads of `dim` numbers in each of `n` rows, of which `pairs` pairs turn.
fn check_rotation(machines: &[Machine], (n, heads): (usize, usize), dim: usize, pairs: usize) {
    let x = activations(n, heads * dim);
    let (cos, sin) = (numbers(dim as u64, n * pairs), numbers(pairs as u64, n * pairs));
    for pairing in [Pairing::Halves, Pairing::Neighbours] {
        let mut want = x.clone();
        for (row, x) in want.chunks_mut(heads * dim).enumerate() {
            let (cos, sin) = (&cos[row * pairs..][..pairs], &sin[row * pairs..][..pairs]);
            x.chunks_mut(dim).for_each(|head| oracle::rotate(head, cos, sin, pairing));
        }
        for machine in machines {
            let mut got = x.clone();
            machine.rotate(&mut got, dim, Rotation { cos: &cos, sin: &sin, len: pairs, pairing });
            assert_bits(&got, &want, || {
                format!("{n} rows, {heads} × {dim}, {pairs} {pairing:?}, {}", name(machine))
            });
        }
    }
}

#[test]
fn rotations() {
    let machines = machines();
    for dim in (2..=70).step_by(2) {
        for pairs in [1, dim / 4, dim / 2] {
            check_rotation(&machines, (3, 2), dim, pairs.max(1));
        }
    }
    check_rotation(&machines, (33, 8), 128, 64);
    check_rotation(&machines, (37, 7), 128, 48);
}

#[test]
fn gates_and_sums() {
    let machines = machines();
    let long = [1023, 1024, 1025, 2048, 32_767, 40_001];
    for len in (1..=70).chain(long) {
        let (x, y) = (activations(1, len), numbers(len as u64, len));
        let x: Vec<f32> = x.iter().enumerate().map(|(i, x)| x * (1 + i % 9) as f32 * 3.0).collect();
        let clamped = Gate::Clamped { alpha: 1.702, limit: 7.0 };
        let gates = [Gate::Silu, Gate::Gelu, Gate::Sigmoid, clamped];
        let sums: Vec<f32> = x.iter().zip(&y).map(|(x, y)| x + y).collect();
        for machine in &machines {
            for by in &gates {
                let open = |(x, y): (&f32, &f32)| match *by {
                    Gate::Silu => oracle::silu(*x) * y,
                    Gate::Gelu => oracle::gelu(*x) * y,
                    Gate::Sigmoid => oracle::sigmoid(*x) * y,
                    Gate::Clamped { alpha, limit } => oracle::clamped(*x, *y, (alpha, limit)),
                };
                let want: Vec<f32> = x.iter().zip(&y).map(open).collect();
                let mut gate = x.clone();
                machine.open(&mut gate, &y, *by);
                assert_bits(&gate, &want, || format!("{by:?} of {len}, {}", name(machine)));
            }
            let want: Vec<f32> = x.iter().map(|x| oracle::soft_cap(*x, 5.0)).collect();
            let mut capped = x.clone();
            machine.soft_cap(&mut capped, 5.0);
            assert_bits(&capped, &want, || format!("soft cap of {len}, {}", name(machine)));
            let mut sum = x.clone();
            machine.add(&mut sum, &y);
            assert_bits(&sum, &sums, || format!("sum of {len}, {}", name(machine)));
        }
    }
}
