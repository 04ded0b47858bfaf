//! The gradients against differences of the loss, and what must not change them.

use crate::learner::Learner;
use crate::model::{Chunk, Shape};

const SHAPE: Shape = Shape {
    vocabulary: 64,
    width: 32,
    layers: 2,
    heads: 2,
    head: 32,
    inner: 64,
    context: 128,
    theta: 10_000.0,
    eps: 1e-6,
};

/// Numbers between -1 and 1, the same each time.
fn noise(seed: u64) -> impl Iterator<Item = f32> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    })
}

fn weights() -> Vec<f32> {
    let mut weights: Vec<f32> = noise(1).take(SHAPE.parameters()).map(|x| x * 0.3).collect();
    let norms = (0..SHAPE.layers).flat_map(|layer| {
        let at = SHAPE.places(layer);
        [at.norm, at.q_norm, at.k_norm, at.norm2]
    });
    for norm in norms.chain([SHAPE.last_norm()]) {
        weights[norm].iter_mut().for_each(|weight| *weight += 1.0);
    }
    weights
}

struct Sequences {
    tokens: Vec<u16>,
    targets: Vec<u16>,
    counts: Vec<f32>,
    ends: Vec<usize>,
}

impl Sequences {
    fn new(lengths: &[usize]) -> Sequences {
        let all = lengths.iter().sum();
        let words = |seed| noise(seed).take(all).map(|x| (x.abs() * 63.0) as u16).collect();
        let ends = lengths.iter().scan(0, |end, length| {
            *end += length;
            Some(*end)
        });
        Sequences {
            tokens: words(2),
            targets: words(3),
            counts: noise(4).take(all).map(|x| x.max(0.0)).collect(),
            ends: ends.collect(),
        }
    }

    fn gradients(&self, threads: usize, weights: &[f32]) -> (f64, Vec<f32>) {
        let Sequences { tokens, targets, counts, ends } = self;
        let mut out = vec![f32::NAN; weights.len()];
        let mut learner = Learner::new(SHAPE, threads);
        let loss = learner.gradients(weights, &Chunk { tokens, targets, counts, ends }, &mut out);
        (loss, out)
    }
}

#[test]
fn gradients_tell_how_the_loss_changes() {
    let of = Sequences::new(&[70, 1, 33]);
    let weights = weights();
    let (loss, gradients) = of.gradients(1, &weights);
    let at = SHAPE.places(1);
    let parts = [
        SHAPE.words(),
        SHAPE.places(0).qkv,
        SHAPE.places(0).norm,
        at.norm,
        at.qkv,
        at.o,
        at.q_norm,
        at.k_norm,
        at.norm2,
        at.gate_up,
        at.down,
        SHAPE.last_norm(),
    ];
    for (number, part) in parts.into_iter().enumerate() {
        // Steps along a part's gradient, forth and back, by as much as is to change the loss by a
        // fiftieth: well above what halves round away, well below what bends the way.
        let told = loss / 50.0;
        let square: f64 = gradients[part.clone()].iter().map(|g| f64::from(g * g)).sum();
        assert!(square > 0.0, "part {number}");
        let step = (told / square / 2.0) as f32;
        let moved = |step: f32| {
            let mut weights = weights.clone();
            let pairs = weights[part.clone()].iter_mut().zip(&gradients[part.clone()]);
            pairs.for_each(|(weight, g)| *weight += step * g);
            of.gradients(1, &weights).0
        };
        let change = moved(step) - moved(-step);
        assert!((change / told - 1.0).abs() < 0.05, "part {number}: {change}, told {told}");
    }
}

#[test]
fn threads_and_chunks_change_no_more_than_the_order_of_sums() {
    let of = Sequences::new(&[128, 90, 128, 128, 7, 128, 128, 128, 128, 100, 64, 128]);
    let weights = weights();
    let (loss, one) = of.gradients(1, &weights);
    let (again, same) = of.gradients(1, &weights);
    assert_eq!((loss.to_bits(), &one), (again.to_bits(), &same));
    let (other, three) = of.gradients(3, &weights);
    assert!((loss / other - 1.0).abs() < 1e-6);
    let length = |of: &mut dyn Iterator<Item = f32>| of.map(|x| x * x).sum::<f32>().sqrt();
    let apart = length(&mut one.iter().zip(&three).map(|(a, b)| a - b));
    assert!(apart < 1e-4 * length(&mut one.iter().copied()));
}

#[test]
fn a_sequence_learns_the_same_beside_others() {
    let together = Sequences::new(&[50, 37]);
    let weights = weights();
    let (_, both) = together.gradients(1, &weights);
    let mut sum = vec![0.0; weights.len()];
    for rows in [0..50, 50..87] {
        let alone = Sequences {
            tokens: together.tokens[rows.clone()].to_vec(),
            targets: together.targets[rows.clone()].to_vec(),
            counts: together.counts[rows.clone()].to_vec(),
            ends: vec![rows.len()],
        };
        let (_, gradients) = alone.gradients(1, &weights);
        sum.iter_mut().zip(gradients).for_each(|(sum, g)| *sum += g);
    }
    let most = both.iter().fold(0f32, |most, g| most.max(g.abs()));
    assert!(both.iter().zip(&sum).all(|(a, b)| (a - b).abs() < 1e-3 * most));
}

#[test]
fn without_anything_to_learn_nothing_is_learned() {
    let weights = weights();
    let nothing = Sequences { counts: vec![0.0; 40], ..Sequences::new(&[40]) };
    for of in [nothing, Sequences::new(&[])] {
        let (loss, gradients) = of.gradients(2, &weights);
        assert!(loss == 0.0 && gradients.iter().all(|g| *g == 0.0));
    }
}

/// Lengths around the edges of tiles, blocks and stretches of keys.
#[test]
fn any_length_learns_as_much_alone_as_in_front_of_others() {
    let weights = weights();
    for length in [1, 2, 31, 32, 33, 63, 64, 65, 127, 128] {
        let alone = Sequences::new(&[length]);
        let mut first = Sequences::new(&[length, 20]);
        first.counts[length..].fill(0.0);
        for (of, like) in [(&mut first.tokens, &alone.tokens), (&mut first.targets, &alone.targets)]
        {
            of[..length].copy_from_slice(like);
        }
        first.counts[..length].copy_from_slice(&alone.counts);
        let ((loss, gradients), (other, others)) =
            (alone.gradients(1, &weights), first.gradients(1, &weights));
        assert!((loss - other).abs() <= 1e-6 * loss, "{length}: {loss}, {other}");
        let most = gradients.iter().fold(1e-9f32, |most, g| most.max(g.abs()));
        let apart = gradients.iter().zip(&others).map(|(a, b)| (a - b).abs());
        assert!(apart.fold(0.0, f32::max) < 1e-3 * most, "{length}");
    }
}
