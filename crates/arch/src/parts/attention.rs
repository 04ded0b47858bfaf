//! Grouped-query attention with rotary positions, and the norms and biases that families add.

use kernels::portable::angles::ln;
use kernels::portable::math::Gate;
use kernels::{Heads, Machine, Pages, Rounding};

use super::mixer::Site;
use crate::cache::{Keeps, Seat, Seats, Store};
use crate::rope::Rope;
use crate::source::{Name, Source};
use crate::weight::{self, Bias, Linear, Weight};
use crate::{Error, Scratch, Step};

const Q: Name = Name { gguf: "attn_q", hugging_face: "self_attn.q_proj" };
const K: Name = Name { gguf: "attn_k", hugging_face: "self_attn.k_proj" };
const V: Name = Name { gguf: "attn_v", hugging_face: "self_attn.v_proj" };
const O: Name = Name { gguf: "attn_output", hugging_face: "self_attn.o_proj" };
const Q_NORM: Name = Name { gguf: "attn_q_norm", hugging_face: "self_attn.q_norm" };
const K_NORM: Name = Name { gguf: "attn_k_norm", hugging_face: "self_attn.k_norm" };

const SINKS: Name = Name { gguf: "attn_sinks.weight", hugging_face: "self_attn.sinks" };

/// What a family's attention has beyond the four matrices.
#[derive(Clone, Copy)]
pub(crate) struct Options {
    /// Biases of query, key and value.
    pub bias: Bias,
    /// Bias of the output.
    pub output_bias: Bias,
    /// Whether each query and key head is normalised before it is rotated.
    pub head_norms: bool,
    /// How many of the last positions are seen.
    pub window: Option<usize>,
    /// Whether each query head has a sink.
    pub sinks: bool,
    /// Factor of the scores, where it does not follow from the width of a head.
    pub scale: Option<f32>,
    /// Which of the model's rotations it takes, if any.
    pub rope: Option<usize>,
    /// Positions are cut into chunks of so many, and only the own one is seen.
    pub chunk: Option<usize>,
    /// Whether query and key heads are normalised after they are rotated, without weights.
    pub norms_at_last: bool,
    /// How queries grow with their position.
    pub growth: Option<Growth>,
    /// Width of a head, and key heads, where they are not those of all layers.
    pub head_dim: Option<usize>,
    pub key_heads: Option<usize>,
    /// Where values come from.
    pub values: Values,
    /// The layer whose keys and values it reads, if it has none of its own.
    pub reads: Option<usize>,
    /// Whether the query matrix makes a gate behind each head, for what the head gives.
    pub gated: bool,
}

/// Where the values of a layer come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Values {
    /// From a matrix of their own.
    Plain,
    /// The same, normalised head by head, without weights.
    Normed,
    /// From the keys' products, before anything is done with them; normalised.
    NormedKeys,
}

/// Queries are multiplied by `ln(floor((position + 1) / length) + 1) · factor + 1`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Growth {
    pub length: f64,
    pub factor: f64,
}

impl Options {
    /// Four matrices and nothing else.
    pub const PLAIN: Options = Options {
        bias: Bias::No,
        output_bias: Bias::No,
        head_norms: false,
        window: None,
        sinks: false,
        scale: None,
        rope: Some(0),
        chunk: None,
        norms_at_last: false,
        growth: None,
        head_dim: None,
        key_heads: None,
        values: Values::Plain,
        reads: None,
        gated: false,
    };
}

/// One attention layer.
pub(crate) struct Attention {
    q: Linear,
    /// None where it reads those of another layer.
    k: Option<Linear>,
    /// None where values come from the keys' products.
    v: Option<Linear>,
    o: Linear,
    norms: Option<HeadNorms>,
    /// Of values.
    value_norm: Option<Vec<f32>>,
    eps: f32,
    heads: Heads,
    sinks: Option<Vec<f32>>,
    /// After rotation.
    last_norms: Option<HeadNorms>,
    with: Options,
    scale: f32,
    /// Where the layer keeps keys and values.
    seat: Seat,
}

struct HeadNorms {
    q: Vec<f32>,
    k: Vec<f32>,
    eps: f32,
}

impl HeadNorms {
    fn without_weights(dim: usize, eps: f32) -> HeadNorms {
        HeadNorms { q: vec![1.0; dim], k: vec![1.0; dim], eps }
    }

    fn apply(&self, machine: &Machine, q: &mut [f32], k: &mut [f32]) {
        machine.rms_norm_in_place(q, &self.q, self.eps);
        if !k.is_empty() {
            machine.rms_norm_in_place(k, &self.k, self.eps);
        }
    }
}

impl Attention {
    pub fn find(site: Site, with: Options, seats: &mut Seats) -> Result<Attention, Error> {
        let Site { source, layer, hyper: h, norms } = site;
        let dim = with.head_dim.unwrap_or(h.head_dim);
        let keys = with.key_heads.unwrap_or(h.key_heads);
        let kept = seats.kept.by_heads((dim, dim), false);
        let heads = Heads { queries: h.heads, keys, dim, value_dim: dim, within: false, kept };
        let find = |name, shape, bias| Linear::find(source, (name, layer), shape, bias);
        let (wide, narrow) = ((h.heads * dim, h.hidden), (keys * dim, h.hidden));
        let norm = |name| norms.find(source, (name, Some(layer)), dim);
        let norms = match with.head_norms {
            true => Some(HeadNorms {
                q: norm(Q_NORM)?,
                k: if with.reads.is_none() { norm(K_NORM)? } else { Vec::new() },
                eps: h.eps,
            }),
            false => None,
        };
        let keeps = with.window.into_iter().chain(with.chunk).min().map_or(Keeps::All, Keeps::Last);
        let own_keys = with.reads.is_none();
        let own_values = own_keys && with.values != Values::NormedKeys;
        let key_or_value = |name, own: bool| own.then(|| find(name, narrow, with.bias)).transpose();
        let seat = match with.reads {
            None => seats.give(layer, keeps, heads.page_len()),
            Some(other) => {
                // Some files have them all the same.
                for unused in [K, V, K_NORM] {
                    source.may_skip(&source.tensor_name(unused, Some(layer), "weight"));
                }
                seats.of(other).expect("a family names a layer before that has keys")
            }
        };
        Ok(Attention {
            q: find(Q, (wide.0 * (1 + usize::from(with.gated)), wide.1), with.bias)?,
            k: key_or_value(K, own_keys)?,
            v: key_or_value(V, own_values)?,
            o: find(O, (h.hidden, h.heads * dim), with.output_bias)?,
            norms,
            value_norm: (with.values != Values::Plain).then(|| vec![1.0; dim]),
            eps: h.eps,
            heads,
            scale: with.scale.unwrap_or(1.0 / (dim as f32).sqrt()),
            last_norms: with.norms_at_last.then(|| HeadNorms::without_weights(dim, h.eps)),
            with,
            sinks: with.sinks.then(|| sinks(source, layer, h.heads)).transpose()?,
            seat,
        })
    }

    /// From `scratch.hidden` to `scratch.hidden`, keeping keys and values in the pages.
    pub fn apply(
        &self,
        machine: &mut Machine,
        ropes: &[Rope],
        step: &mut Step,
        scratch: &mut Scratch,
    ) {
        let (n, heads) = (step.tokens.len(), self.heads);
        scratch.queries.resize(n * heads.queries * heads.dim, 0.0);
        let keys = if self.k.is_some() { n * heads.keys } else { 0 };
        scratch.keys.resize(keys * heads.dim, 0.0);
        scratch.values.resize(keys * heads.value_dim, 0.0);
        scratch.mixed.resize(n * heads.queries * heads.value_dim, 0.0);
        self.project(machine, scratch);
        let (q, k, v) = (&mut scratch.queries, &mut scratch.keys, &mut scratch.values);
        if let Some(norms) = &self.norms {
            norms.apply(machine, q, k);
        }
        if let Some(rope) = self.with.rope {
            let rotation = ropes[rope].rotation(&scratch.turns[rope]);
            machine.rotate(q, heads.dim, rotation);
            machine.rotate(k, heads.dim, rotation);
        }
        if let Some(norms) = &self.last_norms {
            norms.apply(machine, q, k);
        }
        if let Some(growth) = self.with.growth {
            scratch.factors.clear();
            scratch.factors.extend(step.positions.iter().map(|position| growth.at(*position)));
            machine.scale_rows(q, &scratch.factors);
        }

        let (offset, Store { pages, rows }) = (self.seat.offset, &mut step.stores[self.seat.store]);
        if self.k.is_some() {
            machine.store(heads, offset, &mut Pages { pages, rows, keys: k, values: v });
        }
        let of = &kernels::Attention {
            heads,
            scale: self.scale,
            window: self.with.window,
            chunk: self.with.chunk,
            chosen: None,
            sinks: self.sinks.as_deref(),
            offset,
            pages,
            rows,
        };
        machine.attend(q, of, &mut scratch.mixed); // (n, queries · value_dim)
        let mut given = &scratch.mixed;
        if self.with.gated {
            machine.open(&mut scratch.up, &scratch.mixed, Gate::Sigmoid);
            given = &scratch.up;
        }
        machine.product(given, &mut [self.o.product(Rounding::Once, &mut scratch.hidden)]);
    }

    /// Queries, keys and values as the matrices make them, and gates in `scratch.up`.
    fn project(&self, machine: &mut Machine, scratch: &mut Scratch) {
        let (q, k, v) = (&mut scratch.queries, &mut scratch.keys, &mut scratch.values);
        let n = scratch.hidden.len() / self.q.weight.cols();
        scratch.gate.resize(n * self.q.weight.rows(), 0.0);

        // Keys and values stay, and all later tokens read them: they are worth the second plane.
        let to = if self.with.gated { &mut scratch.gate } else { &mut *q };
        let queries = self.q.product(Rounding::Once, to);
        let x = &scratch.hidden;
        match (&self.k, &self.v) {
            (None, _) => machine.product(x, &mut [queries]),
            (Some(keys), None) => {
                machine.product(x, &mut [queries, keys.product(Rounding::Twice, k)]);
                v.copy_from_slice(k);
            }
            (Some(keys), Some(values)) => {
                let keys = keys.product(Rounding::Twice, k);
                machine.product(x, &mut [queries, keys, values.product(Rounding::Twice, v)]);
            }
        }
        if let Some(ones) = &self.value_norm {
            machine.rms_norm_in_place(v, ones, self.eps);
        }
        if self.with.gated {
            scratch.up.resize(q.len(), 0.0);
            part_gates(&scratch.gate, self.heads.dim, (q, &mut scratch.up));
        }
    }

    pub fn weights(&mut self) -> impl Iterator<Item = &mut Weight> {
        let own = self.k.iter_mut().chain(&mut self.v);
        [&mut self.q, &mut self.o].into_iter().chain(own).map(|linear| &mut linear.weight)
    }

    /// Bytes that one row reads.
    pub fn bytes(&self) -> u64 {
        let own = self.k.iter().chain(&self.v);
        [&self.q, &self.o].into_iter().chain(own).map(|linear| linear.weight.bytes()).sum()
    }
}

impl Growth {
    fn at(self, position: usize) -> f32 {
        let lengths = ((position + 1) as f64 / self.length).floor();
        (ln(lengths + 1.0) * self.factor + 1.0) as f32
    }
}

/// Parts heads, each with its gate behind it, into heads and gates.
fn part_gates(both: &[f32], dim: usize, (heads, gates): (&mut [f32], &mut [f32])) {
    let places = heads.chunks_exact_mut(dim).zip(gates.chunks_exact_mut(dim));
    for (both, (head, gate)) in both.chunks_exact(2 * dim).zip(places) {
        head.copy_from_slice(&both[..dim]);
        gate.copy_from_slice(&both[dim..]);
    }
}

/// In folders their name has nothing behind it.
fn sinks(source: &Source, layer: usize, heads: usize) -> Result<Vec<f32>, Error> {
    weight::row(source, &source.whole_name(SINKS, layer), heads)
}
