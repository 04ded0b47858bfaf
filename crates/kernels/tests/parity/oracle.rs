//! The canon once more, in the plainest loops: what `docs/numerics.md` says, and nothing for speed.
//!
//! Taken from the crate are only `blocks::unpack` and `f16_to_f32`, which have exhaustive tests of
//! their own. Everything is computed one output at a time.

use kernels::blocks::{Part, unpack};
use kernels::portable::rope::Pairing;
use kernels::{Format, Rounding, f16_to_f32};

/// Sums of lanes: 16 become 8, 4, 2 and 1.
fn tree(mut lanes: [f32; 16]) -> f32 {
    for width in [8, 4, 2, 1] {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
    }
    lanes[0]
}

pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0; 16];
    for i in 0..a.len() {
        lanes[i % 16] = a[i].mul_add(b[i], lanes[i % 16]);
    }
    tree(lanes)
}

/// One row of weights, taken apart.
pub enum WeightRow {
    Floats(Vec<f32>),
    Parts { format: Format, parts: Vec<Part> },
}

impl WeightRow {
    pub fn new(format: Format, bytes: &[u8]) -> WeightRow {
        let pairs = || bytes.chunks(2).map(|b| u16::from_le_bytes([b[0], b[1]]));
        match format {
            Format::F32 => WeightRow::Floats(
                bytes.chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect(),
            ),
            Format::BF16 => {
                WeightRow::Floats(pairs().map(|b| f32::from_bits(u32::from(b) << 16)).collect())
            }
            Format::F8 => {
                let value = |x: u8, scale: f32| {
                    let (e, m) = (i32::from(x >> 3 & 15), f32::from(x & 7));
                    let power = |e: i32| f32::from_bits(((e + 127) as u32) << 23);
                    let x32 = if e == 0 { m * power(-9) } else { (8.0 + m) * power(e - 10) };
                    (if x > 127 { -x32 } else { x32 }) * scale
                };
                let block = |block: &[u8]| -> Vec<f32> {
                    let (scale, numbers) = block.split_at(4);
                    let scale = f32::from_le_bytes(scale.try_into().unwrap());
                    numbers.iter().map(|x| value(*x, scale)).collect()
                };
                WeightRow::Floats(bytes.chunks(36).flat_map(block).collect())
            }
            Format::F16 => WeightRow::Floats(pairs().map(f16_to_f32).collect()),
            _ => {
                let mut parts = Vec::new();
                for block in bytes.chunks(format.block_bytes()) {
                    for index in 0..format.block_len() / format.part_len() {
                        let mut part = Part::ZERO;
                        unpack(format, block, index, &mut part);
                        parts.push(part);
                    }
                }
                WeightRow::Parts { format, parts }
            }
        }
    }
}

/// A group of activations after rounding.
struct Group {
    q: Vec<i64>,
    scale: f32,
}

fn round_group(x: &[f32]) -> Group {
    let mut largest = 0.0;
    for x in x {
        if x.abs() > largest {
            largest = x.abs();
        }
    }
    let scale = largest / 127.0;
    let inverse = 1.0 / scale;
    if !inverse.is_finite() {
        return Group { q: vec![0; x.len()], scale: 0.0 };
    }
    // Exact: a product of two f32 fits an f64, and is rounded to an f32 before the whole number.
    let q = x.iter().map(|x| f64::from(x * inverse).round_ties_even() as i64).collect();
    Group { q, scale }
}

/// A row of activations in groups of one length: `planes[p][g]`.
pub struct Planes {
    planes: Vec<Vec<Group>>,
    len: usize,
}

impl Planes {
    pub fn new(x: &[f32], len: usize) -> Planes {
        let (mut rest, mut planes) = (x.to_vec(), Vec::new());
        for _ in 0..2 {
            let groups: Vec<Group> = rest.chunks(len).map(round_group).collect();
            for (i, x) in rest.iter_mut().enumerate() {
                let Group { q, scale } = &groups[i / len];
                *x = (-scale).mul_add(q[i % len] as f32, *x);
            }
            planes.push(groups);
        }
        Planes { planes, len }
    }
}

/// An activation row as every format needs it.
pub struct Row {
    x: Vec<f32>,
    short: Planes,
    long: Planes,
}

impl Row {
    pub fn new(x: &[f32]) -> Row {
        Row { x: x.to_vec(), short: Planes::new(x, 32), long: Planes::new(x, 256) }
    }
}

pub fn product(w: &WeightRow, row: &Row, rounding: Rounding, bias: Option<f32>) -> f32 {
    let sum = match w {
        WeightRow::Floats(w) => dot(w, &row.x),
        WeightRow::Parts { format, parts } => {
            let groups = if format.block_len() == 256 { &row.long } else { &row.short };
            let count = if rounding == Rounding::Once { 1 } else { 2 };
            let part_len = if *format == Format::NVFP4 { 16 } else { groups.len };
            quantised(parts, part_len, groups, count)
        }
    };
    bias.map_or(sum, |bias| sum + bias)
}

fn quantised(parts: &[Part], part_len: usize, x: &Planes, count: usize) -> f32 {
    let mut sum = 0.0;
    for (index, part) in parts.iter().enumerate() {
        let at = index * part_len;
        for plane in &x.planes[..count] {
            let Group { q, scale } = &plane[at / x.len];
            let (mut products, mut minima) = (0_i64, 0_i64);
            for i in 0..part_len {
                let q = q[at % x.len + i];
                products += i64::from(part.level[i]) * q;
                minima += i64::from(part.below[i / 16]) * q;
            }
            sum = (part.scale * scale).mul_add(products as f32, sum);
            if part.min != 0.0 {
                sum = (-(part.min * scale)).mul_add(minima as f32, sum);
            }
        }
    }
    sum
}

pub fn rms_norm(x: &[f32], weight: &[f32], eps: f32) -> Vec<f32> {
    let mean = dot(x, x) / x.len() as f32;
    let scale = 1.0 / (mean + eps).sqrt();
    (0..x.len()).map(|i| (x[i] * scale) * weight[i]).collect()
}

pub fn layer_norm(x: &[f32], (weight, bias): (&[f32], &[f32]), eps: f32) -> Vec<f32> {
    let mut lanes = [0.0; 16];
    x.iter().enumerate().for_each(|(i, x)| lanes[i % 16] += x);
    let mean = tree(lanes) / x.len() as f32;
    let x: Vec<f32> = x.iter().map(|x| x - mean).collect();
    let normed = rms_norm(&x, weight, eps);
    normed.iter().zip(bias).map(|(x, bias)| x + bias).collect()
}

pub fn rotate(head: &mut [f32], cos: &[f32], sin: &[f32], pairing: Pairing) {
    for i in 0..cos.len() {
        let (a, b) = match pairing {
            Pairing::Halves => (i, i + cos.len()),
            Pairing::Neighbours => (2 * i, 2 * i + 1),
        };
        let (x, y) = (head[a], head[b]);
        head[a] = x.mul_add(cos[i], -(y * sin[i]));
        head[b] = x.mul_add(sin[i], y * cos[i]);
    }
}

pub fn exp(x: f32) -> f32 {
    let constant = f32::from_bits;
    let x = if x < -104.0 { -104.0 } else { x };
    let x = if x > 89.0 { 89.0 } else { x };
    let n = (x * constant(0x3fb8_aa3b)).round_ties_even();
    let r = n.mul_add(-constant(0xb95e_8083), n.mul_add(-constant(0x3f31_8000), x));
    let mut p = constant(0x3950_6967);
    for c in [0x3ab7_43ce, 0x3c08_8908, 0x3d2a_a9c1, 0x3e2a_aaaa, 0x3f00_0000] {
        p = p.mul_add(r, constant(c));
    }
    let p = p.mul_add(r * r, r) + 1.0;
    let half = (n as i32).div_euclid(2);
    p * 2f32.powi(half) * 2f32.powi(n as i32 - half)
}

pub fn silu(x: f32) -> f32 {
    x / (1.0 + exp(-x))
}

pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

pub fn gelu(x: f32) -> f32 {
    let cubic = (x * x * x).mul_add(0.044_715, x);
    x / (1.0 + exp(-(1.595_769 * cubic)))
}

pub fn soft_cap(x: f32, cap: f32) -> f32 {
    let e = exp(-2.0 * (x / cap).abs());
    let t = (1.0 - e) / (1.0 + e);
    if x.is_sign_negative() { -t * cap } else { t * cap }
}

pub fn clamped(gate: f32, up: f32, (alpha, limit): (f32, f32)) -> f32 {
    let gate = if gate > limit { limit } else { gate };
    let up = if up > limit { limit } else { up };
    let up = if up < -limit { -limit } else { up };
    gate / (1.0 + exp(-(alpha * gate))) * (up + 1.0)
}

/// One query head and the keys and values of its sequence, position by position.
pub struct Head<'a> {
    pub q: &'a [f32],
    pub keys: &'a [Vec<f32>],
    pub values: &'a [Vec<f32>],
    pub scale: f32,
    pub is_whole: bool,
}

/// What a tile gives, and what several give together.
struct Seen {
    largest: f32,
    sum: f32,
    out: Vec<f32>,
}

pub fn attend(head: &Head, position: usize, window: Option<usize>, sink: Option<f32>) -> Vec<f32> {
    let first = match window {
        Some(window) if window <= position => position + 1 - window,
        _ => 0,
    };
    let mut seen: Option<Seen> = None;
    for tile in first / 64..=position / 64 {
        let begin = first.max(tile * 64);
        let new = attend_tile(head, tile * 64, begin, position.min(tile * 64 + 63));
        seen = Some(match seen {
            None => new,
            Some(seen) => merge(&seen, &new),
        });
    }
    let Seen { sum, out, largest } = seen.unwrap();
    let sum = sink.map_or(sum, |sink| sum + exp(sink - largest));
    out.iter().map(|out| out / sum).collect()
}

fn attend_tile(head: &Head, tile: usize, first: usize, last: usize) -> Seen {
    let scores: Vec<f32> = head.keys[first..=last].iter().map(|key| score(head, key)).collect();
    let largest = scores.iter().fold(f32::NEG_INFINITY, |m, s| if *s > m { *s } else { m });
    let (mut lanes, mut out) = ([0.0; 16], vec![0.0; head.values[0].len()]);
    let mut weights = Vec::new();
    for (position, score) in (first..=last).zip(scores) {
        let weight = exp(score - largest);
        weights.push(weight);
        lanes[(position - tile) % 16] += weight;
        for (c, out) in out.iter_mut().enumerate() {
            *out = weight.mul_add(head.values[position][c], *out);
        }
    }
    if head.is_whole {
        out = mix_whole(&weights, &head.values[first..=last]);
    }
    Seen { largest, sum: tree(lanes), out }
}

fn score(head: &Head, key: &[f32]) -> f32 {
    if head.is_whole {
        let top = if key.len() > 128 { 2047.0 } else { 4095.0 };
        let ((q, q_scale), (key, key_scale)) = (levels(head.q, top), levels(key, top));
        let sum: i64 = q.iter().zip(key).map(|(q, key)| q * key).sum();
        return sum as f32 * ((q_scale * head.scale) * key_scale);
    }
    let products = head.q.iter().zip(key);
    products.fold(0.0_f32, |sum, (q, key)| q.mul_add(*key, sum)) * head.scale
}

fn mix_whole(weights: &[f32], values: &[Vec<f32>]) -> Vec<f32> {
    let rounded: Vec<_> = values.iter().map(|value| levels(value, 4095.0)).collect();
    let scaled: Vec<f32> = weights.iter().zip(&rounded).map(|(w, (_, scale))| w * scale).collect();
    let (weights, scale) = levels(&scaled, 8191.0);
    let sum = |c: usize| -> i64 {
        weights.iter().zip(&rounded).map(|(w, (value, _))| w * value[c]).sum()
    };
    (0..values[0].len()).map(|c| sum(c) as f32 * scale).collect()
}

fn levels(x: &[f32], top: f32) -> (Vec<i64>, f32) {
    let scale = x.iter().fold(0.0, |m: f32, x| m.max(x.abs())) / top;
    let inverse = 1.0 / scale;
    if !inverse.is_finite() {
        return (vec![0; x.len()], 0.0);
    }
    (x.iter().map(|x| (x * inverse).round_ties_even() as i64).collect(), scale)
}

fn merge(seen: &Seen, new: &Seen) -> Seen {
    let largest = if new.largest > seen.largest { new.largest } else { seen.largest };
    let (keep, take) = (exp(seen.largest - largest), exp(new.largest - largest));
    let out = seen.out.iter().zip(&new.out).map(|(out, new)| out.mul_add(keep, new * take));
    Seen { largest, sum: seen.sum.mul_add(keep, new.sum * take), out: out.collect() }
}
