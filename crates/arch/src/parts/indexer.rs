//! The indexer of sparse attention: each row chooses the positions that it attends to.

use kernels::{Chosen, Heads, Index, Kept, Machine, Pages, Rounding};

use super::mixer::Site;
use crate::cache::{Keeps, Seat, Seats, Store};
use crate::rope::Rope;
use crate::source::{Name, name};
use crate::weight::{self, Bias, Linear};
use crate::{Error, Scratch, Step};

const Q: Name = name("indexer.attn_q_b", "self_attn.indexer.wq_b");
const K: Name = name("indexer.attn_k", "self_attn.indexer.wk");
const NORM: Name = name("indexer.k_norm", "self_attn.indexer.k_norm");
const WEIGHTS: Name = name("indexer.proj", "self_attn.indexer.weights_proj");

/// What the norm of keys adds to their variance.
const EPS: f32 = 1e-6;

/// The sizes of an indexer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub heads: usize,
    pub dim: usize,
    /// Positions that a row chooses.
    pub most: usize,
    /// Width of the compressed queries, of which it makes its own.
    pub query_rank: usize,
}

pub(crate) struct Indexer {
    q: Linear,
    k: Linear,
    weights: Linear,
    norm: (Vec<f32>, Vec<f32>),
    heads: Heads,
    most: usize,
    seat: Seat,
}

impl Indexer {
    pub fn find(site: Site, with: Options, seats: &mut Seats) -> Result<Indexer, Error> {
        let Site { source, layer, hyper: h, .. } = site;
        let find = |name, shape| Linear::find(source, (name, layer), shape, Bias::No);
        let norm =
            |kind| weight::row(source, &source.tensor_name(NORM, Some(layer), kind), with.dim);
        // Rounded keys would choose other positions.
        seats.keeps_others = true;
        let (kept, dim) = (Kept::F32, with.dim);
        let heads = Heads { queries: with.heads, keys: 1, dim, value_dim: 0, within: false, kept };
        Ok(Indexer {
            q: find(Q, (with.heads * with.dim, with.query_rank))?,
            k: find(K, (with.dim, h.hidden))?,
            weights: find(WEIGHTS, (with.heads, h.hidden))?,
            norm: (norm("weight")?, norm("bias")?),
            heads,
            most: with.most,
            seat: seats.give(layer, Keeps::All, heads.page_len()),
        })
    }

    /// From `scratch.hidden` and the compressed queries in `scratch.gate` to `scratch.places`.
    pub fn apply(
        &self,
        machine: &mut Machine,
        rope: &Rope,
        step: &mut Step,
        scratch: &mut Scratch,
    ) {
        let (n, heads) = (step.tokens.len(), self.heads);
        let Scratch { queries, keys, scores, places, .. } = scratch;
        queries.resize(n * heads.queries * heads.dim, 0.0);
        keys.resize(n * heads.dim, 0.0);
        scores.resize(n * heads.queries, 0.0);
        // A choice that falls otherwise changes all that follows.
        machine.product(&scratch.gate, &mut [self.q.product(Rounding::Twice, queries)]);
        let products = &mut [
            self.k.product(Rounding::Twice, keys),
            self.weights.product(Rounding::Twice, scores),
        ];
        machine.product(&scratch.hidden, products);
        machine.layer_norm_in_place(keys, (&self.norm.0, &self.norm.1), EPS);
        let rotation = rope.rotation_in_halves(&scratch.turns[0]);
        machine.rotate(queries, heads.dim, rotation);
        machine.rotate(keys, heads.dim, rotation);
        machine.scale(scores, 1.0 / (heads.queries as f32).sqrt());
        let (offset, Store { pages, rows }) = (self.seat.offset, &mut step.stores[self.seat.store]);
        machine.store(heads, offset, &mut Pages { pages, rows, keys, values: &[] });
        let scale = 1.0 / (heads.dim as f32).sqrt();
        let of = &Index { heads, scale, most: self.most, offset, pages, rows };
        machine.index(queries, scores, of, places);
    }

    /// What rows have chosen.
    pub fn chosen<'a>(&self, places: &'a [u32]) -> Chosen<'a> {
        Chosen { positions: places, most: self.most }
    }

    pub fn linears(&mut self) -> [&mut Linear; 3] {
        [&mut self.q, &mut self.k, &mut self.weights]
    }

    /// Bytes that one row reads.
    pub fn bytes(&self) -> u64 {
        [&self.q, &self.k, &self.weights].iter().map(|linear| linear.weight.bytes()).sum()
    }
}
