//! Grouped-query attention with rotary positions, and the norms and biases that families add.

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
    /// Which of the model's rotations it takes.
    pub rope: usize,
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
        rope: 0,
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
    window: Option<usize>,
    sinks: Option<Vec<f32>>,
    scale: f32,
    rope: usize,
    /// Where the layer begins in a page of the cache.
    offset: usize,
}

struct HeadNorms {
    q: Vec<f32>,
    k: Vec<f32>,
    eps: f32,
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
            window: with.window,
            scale: with.scale.unwrap_or(1.0 / (dim as f32).sqrt()),
            rope: with.rope,
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
            machine.rms_norm_in_place(q, &norms.q, norms.eps);
            machine.rms_norm_in_place(k, &norms.k, norms.eps);
        }
        let rotation = ropes[self.rope].rotation(&scratch.turns[self.rope]);
        machine.rotate(q, heads.dim, rotation);
        machine.rotate(k, heads.dim, rotation);

        let to = &mut Pages { pages: step.pages, rows: step.rows, keys: k, values: v };
        machine.store(heads, self.offset, to);
        let of = &kernels::Attention {
            heads,
            scale: self.scale,
            window: self.window,
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

/// In folders their name has nothing behind it.
fn sinks(source: &Source, layer: usize, heads: usize) -> Result<Vec<f32>, Error> {
    let name = match source.is_gguf() {
        true => format!("blk.{layer}.attn_sinks.weight"),
        false => format!("model.layers.{layer}.self_attn.sinks"),
    };
    weight::row(source, &name, heads)
}
