//! Grouped-query attention with rotary positions, and the norms and biases that families add.

use kernels::portable::angles::ln;
use kernels::{Heads, Machine, Pages, Rounding};

use super::norms::Norms;
use crate::hyper::Hyper;
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
    };
}

/// One attention layer.
pub(crate) struct Attention {
    q: Linear,
    k: Linear,
    v: Linear,
    o: Linear,
    norms: Option<HeadNorms>,
    heads: Heads,
    sinks: Option<Vec<f32>>,
    /// After rotation.
    last_norms: Option<HeadNorms>,
    with: Options,
    scale: f32,
    /// Where the layer begins in a page of the cache.
    offset: usize,
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
        machine.rms_norm_in_place(k, &self.k, self.eps);
    }
}

impl Attention {
    pub fn find(
        source: &Source,
        layer: usize,
        h: &Hyper,
        (with, norms): (Options, &Norms),
    ) -> Result<Attention, Error> {
        let (dim, value_dim) = (h.head_dim, h.head_dim);
        let heads = Heads { queries: h.heads, keys: h.key_heads, dim, value_dim };
        let find = |name, shape, bias| Linear::find(source, (name, layer), shape, bias);
        let (wide, narrow) = ((h.heads * dim, h.hidden), (h.key_heads * dim, h.hidden));
        let norm = |name| norms.find(source, (name, Some(layer)), dim);
        let norms = match with.head_norms {
            true => Some(HeadNorms { q: norm(Q_NORM)?, k: norm(K_NORM)?, eps: h.eps }),
            false => None,
        };
        Ok(Attention {
            q: find(Q, wide, with.bias)?,
            k: find(K, narrow, with.bias)?,
            v: find(V, narrow, with.bias)?,
            o: find(O, (h.hidden, h.heads * dim), with.output_bias)?,
            norms,
            heads,
            scale: with.scale.unwrap_or(1.0 / (dim as f32).sqrt()),
            last_norms: with.norms_at_last.then(|| HeadNorms::without_weights(dim, h.eps)),
            with,
            sinks: with.sinks.then(|| sinks(source, layer, h.heads)).transpose()?,
            offset: layer * heads.page_len(),
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
        let (n, heads) = (step.rows.len(), self.heads);
        scratch.queries.resize(n * heads.queries * heads.dim, 0.0);
        scratch.keys.resize(n * heads.keys * heads.dim, 0.0);
        scratch.values.resize(n * heads.keys * heads.value_dim, 0.0);
        scratch.mixed.resize(n * heads.queries * heads.value_dim, 0.0);
        let (q, k, v) = (&mut scratch.queries, &mut scratch.keys, &mut scratch.values);

        // Keys and values stay, and all later tokens read them: they are worth the second plane.
        let products = &mut [
            self.q.product(Rounding::Once, q),
            self.k.product(Rounding::Twice, k),
            self.v.product(Rounding::Twice, v),
        ];
        machine.product(&scratch.hidden, products);
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
            for (row, q) in step.rows.iter().zip(q.chunks_exact_mut(heads.queries * heads.dim)) {
                let factor = growth.at(row.position);
                q.iter_mut().for_each(|q| *q *= factor);
            }
        }

        let to = &mut Pages { pages: step.pages, rows: step.rows, keys: k, values: v };
        machine.store(heads, self.offset, to);
        let of = &kernels::Attention {
            heads,
            scale: self.scale,
            window: self.with.window,
            chunk: self.with.chunk,
            sinks: self.sinks.as_deref(),
            offset: self.offset,
            pages: step.pages,
            rows: step.rows,
        };
        machine.attend(q, of, &mut scratch.mixed); // (n, queries · value_dim)
        machine.product(&scratch.mixed, &mut [self.o.product(Rounding::Once, &mut scratch.hidden)]);
    }

    /// Numbers that the layer keeps in a page.
    pub fn page_len(&self) -> usize {
        self.heads.page_len()
    }

    pub fn weights(&mut self) -> [&mut Weight; 4] {
        [&mut self.q, &mut self.k, &mut self.v, &mut self.o].map(|linear| &mut linear.weight)
    }

    pub fn bytes(&self) -> u64 {
        [&self.q, &self.k, &self.v, &self.o].iter().map(|linear| linear.weight.bytes()).sum()
    }
}

impl Growth {
    fn at(self, position: usize) -> f32 {
        let lengths = ((position + 1) as f64 / self.length).floor();
        (ln(lengths + 1.0) * self.factor + 1.0) as f32
    }
}

/// In folders their name has nothing behind it.
fn sinks(source: &Source, layer: usize, heads: usize) -> Result<Vec<f32>, Error> {
    let name = match source.is_gguf() {
        true => format!("blk.{layer}.attn_sinks.weight"),
        false => source.in_layer(layer, "self_attn.sinks"),
    };
    weight::row(source, &name, heads)
}
