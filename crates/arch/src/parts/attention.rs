//! Grouped-query attention with rotary positions, and the norms and biases that families add.

use kernels::{Heads, Machine, Pages, Rounding};

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
}

/// One attention layer.
pub(crate) struct Attention {
    q: Linear,
    k: Linear,
    v: Linear,
    o: Linear,
    norms: Option<Norms>,
    heads: Heads,
    window: Option<usize>,
    /// Where the layer begins in a page of the cache.
    offset: usize,
}

struct Norms {
    q: Vec<f32>,
    k: Vec<f32>,
    eps: f32,
}

impl Attention {
    pub fn find(
        source: &Source,
        layer: usize,
        h: &Hyper,
        with: Options,
    ) -> Result<Attention, Error> {
        let (dim, value_dim) = (h.head_dim, h.head_dim);
        let heads = Heads { queries: h.heads, keys: h.key_heads, dim, value_dim };
        let find = |name, shape, bias| Linear::find(source, (name, layer), shape, bias);
        let (wide, narrow) = ((h.heads * dim, h.hidden), (h.key_heads * dim, h.hidden));
        let norm =
            |name| weight::row(source, &source.tensor_name(name, Some(layer), "weight"), dim);
        let norms = match with.head_norms {
            true => Some(Norms { q: norm(Q_NORM)?, k: norm(K_NORM)?, eps: h.eps }),
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
            offset: layer * heads.page_len(),
        })
    }

    /// From `scratch.hidden` to `scratch.hidden`, keeping keys and values in the pages.
    pub fn apply(
        &self,
        machine: &mut Machine,
        rope: &Rope,
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
        let rotation = rope.rotation(&scratch.cos, &scratch.sin);
        machine.rotate(q, heads.dim, rotation);
        machine.rotate(k, heads.dim, rotation);

        let to = &mut Pages { pages: step.pages, rows: step.rows, keys: k, values: v };
        machine.store(heads, self.offset, to);
        let of = &kernels::Attention {
            heads,
            scale: 1.0 / (heads.dim as f32).sqrt(),
            window: self.window,
            sinks: None,
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
