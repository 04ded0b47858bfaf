//! Latent attention: all heads read one short row per position, of which keys and values would be
//! made. They never are: a head's query goes through the matrix of its keys instead, and what it
//! gives through that of its values.
//!
//! ```text
//!   what a position keeps   rotated (rope) | latent (rank)
//!   a head's query          rotated (rope) | its other part, through the matrix of its keys (rank)
//!   a head's output         latents, weighted (rank), through the matrix of its values
//! ```

use kernels::{Attention, Heads, Machine, Pages, Rounding, Routing, Take};

use super::experts::Stack;
use super::indexer::{self, Indexer};
use super::mixer::Site;
use crate::cache::{Keeps, Seat, Seats, Store};
use crate::hyper::{HEADS, STACKED_MAX, WIDTH_MAX};
use crate::rope::Rope;
use crate::source::{Name, Source, name};
use crate::weight::{Bias, Linear, Weight};
use crate::{Error, Scratch, Step};

const Q: Name = name("attn_q", "self_attn.q_proj");
const Q_A: Name = name("attn_q_a", "self_attn.q_a_proj");
const Q_A_NORM: Name = name("attn_q_a_norm", "self_attn.q_a_layernorm");
const Q_B: Name = name("attn_q_b", "self_attn.q_b_proj");
const KV_A: Name = name("attn_kv_a_mqa", "self_attn.kv_a_proj_with_mqa");
const KV_A_NORM: Name = name("attn_kv_a_norm", "self_attn.kv_a_layernorm");
const KV_B: Name = name("", "self_attn.kv_b_proj");
const K_B: Name = name("attn_k_b", "");
const V_B: Name = name("attn_v_b", "");
const O: Name = name("attn_output", "self_attn.o_proj");

/// The sizes of a family's latent attention.
#[derive(Clone, Copy)]
pub(crate) struct Options {
    pub heads: usize,
    /// Width of the compressed queries, if they are.
    pub query_rank: Option<usize>,
    /// Width of what positions keep, but for the part that is rotated.
    pub rank: usize,
    /// Numbers of a head that are rotated, and those that are not.
    pub rotated: usize,
    pub plain: usize,
    /// Width of a value.
    pub value: usize,
    pub scale: f32,
    pub bias: Bias,
    pub indexer: Option<indexer::Options>,
}

impl Options {
    /// Refuses widths that kernels cannot do.
    pub fn check(&self, source: &Source, rank: Name) -> Result<(), Error> {
        if self.rank > kernels::portable::attend::VALUE_DIM_MAX {
            return Err(source.bad(rank, format!("is {}", self.rank)));
        }
        Ok(())
    }
}

/// One layer of it.
pub(crate) struct Latent {
    compressed: Option<(Linear, Vec<f32>)>,
    q: Linear,
    kv: Linear,
    kv_norm: Vec<f32>,
    /// A matrix for each head.
    keys: Stack,
    values: Stack,
    o: Linear,
    indexer: Option<Indexer>,
    with: Options,
    heads: Heads,
    seat: Seat,
    eps: f32,
}

impl Latent {
    pub fn find(site: Site, with: Options, seats: &mut Seats) -> Result<Latent, Error> {
        let Site { source, layer, hyper: h, norms } = site;
        let find = |name, shape, bias| Linear::find(source, (name, layer), shape, bias);
        let queries = with.heads * (with.rotated + with.plain);
        if with.heads * (with.rotated + with.rank) > WIDTH_MAX
            || h.layers * with.heads > STACKED_MAX
        {
            let why = format!("is {}, more than hearth can run so wide", with.heads);
            return Err(source.bad(HEADS, why));
        }
        let norm = |name, len| norms.find(source, (name, Some(layer)), len);
        let compressed = |rank| {
            let linear = find(Q_A, (rank, h.hidden), with.bias)?;
            Ok::<_, Error>((linear, norm(Q_A_NORM, rank)?))
        };
        let q = match with.query_rank {
            Some(rank) => find(Q_B, (queries, rank), Bias::No)?,
            None => find(Q, (queries, h.hidden), Bias::No)?,
        };
        let [keys, values] = keys_and_values(source, layer, with)?;
        let (dim, value_dim) = (with.rotated + with.rank, with.rank);
        // All layers of such a model are like this one.
        seats.kept = seats.kept.by_heads((dim, value_dim), true);
        let (queries, kept) = (with.heads, seats.kept);
        let heads = Heads { queries, keys: 1, dim, value_dim, within: true, kept };
        let indexer = with.indexer.map(|with| Indexer::find(site, with, seats));
        Ok(Latent {
            compressed: with.query_rank.map(compressed).transpose()?,
            q,
            kv: find(KV_A, (with.rank + with.rotated, h.hidden), with.bias)?,
            kv_norm: norm(KV_A_NORM, with.rank)?,
            keys,
            values,
            o: find(O, (h.hidden, with.heads * with.value), with.bias)?,
            indexer: indexer.transpose()?,
            with,
            heads,
            seat: seats.give(layer, Keeps::All, heads.page_len()),
            eps: h.eps,
        })
    }

    /// From `scratch.hidden` to `scratch.hidden`, keeping a row for each position in the pages.
    pub fn apply(
        &self,
        machine: &mut Machine,
        ropes: &[Rope],
        step: &mut Step,
        scratch: &mut Scratch,
    ) {
        let (n, with, rope) = (step.tokens.len(), self.with, &ropes[0]);
        scratch.up.resize(n * self.q.weight.rows(), 0.0);
        scratch.values.resize(n * self.kv.weight.rows(), 0.0);
        let Scratch { hidden, gate, up, values, .. } = scratch;
        // What a position keeps stays: it is worth the second plane.
        let kept = self.kv.product(Rounding::Twice, values);
        if let Some((compress, norm)) = &self.compressed {
            gate.resize(n * norm.len(), 0.0);
            // The indexer's choices hang on it as well.
            machine.product(hidden, &mut [kept, compress.product(Rounding::Twice, gate)]);
            machine.rms_norm_in_place(gate, norm, self.eps);
            machine.product(gate, &mut [self.q.product(Rounding::Once, up)]);
        } else {
            machine.product(hidden, &mut [kept, self.q.product(Rounding::Once, up)]);
        }
        if let Some(indexer) = &self.indexer {
            indexer.apply(machine, rope, step, scratch);
        }

        self.make_rows(machine, scratch);
        self.make_queries(machine, n, scratch);
        let rotation = rope.rotation(&scratch.turns[0]);
        machine.rotate(&mut scratch.keys, self.heads.dim, rotation);
        machine.rotate(&mut scratch.queries, self.heads.dim, rotation);
        let Store { pages, rows } = &mut step.stores[self.seat.store];
        let offset = self.seat.offset;
        let to = &mut Pages { pages, rows, keys: &scratch.keys, values: &[] };
        machine.store(self.heads, offset, to);
        let of = &Attention {
            heads: self.heads,
            scale: with.scale,
            window: None,
            chunk: None,
            chosen: self.indexer.as_ref().map(|indexer| indexer.chosen(&scratch.places)),
            sinks: None,
            offset,
            pages,
            rows,
        };
        scratch.mixed.resize(n * with.heads * with.rank, 0.0);
        machine.attend(&scratch.queries, of, &mut scratch.mixed); // (n, heads · rank)
        self.give(machine, n, scratch);
    }

    /// From `(latent | rotated)` in `scratch.values` to `(rotated | latent)` in `scratch.keys`, the
    /// latents normalised.
    fn make_rows(&self, machine: &Machine, scratch: &mut Scratch) {
        let (rank, dim) = (self.with.rank, self.heads.dim);
        let Scratch { values, keys, slots, .. } = scratch;
        slots.clear();
        values.chunks_exact(dim).for_each(|row| slots.extend_from_slice(&row[..rank]));
        machine.rms_norm_in_place(slots, &self.kv_norm, self.eps);
        keys.clear();
        for (row, latent) in values.chunks_exact(dim).zip(slots.chunks_exact(rank)) {
            keys.extend_from_slice(&row[rank..]);
            keys.extend_from_slice(latent);
        }
    }

    /// From heads of `(plain | rotated)` in `scratch.up` to `scratch.queries`.
    fn make_queries(&self, machine: &mut Machine, n: usize, scratch: &mut Scratch) {
        let Options { heads, rank, rotated, plain, .. } = self.with;
        let width = rotated + plain;
        let Scratch { up, slots, mixed, queries, routing, choices, .. } = scratch;
        choices.clear();
        choices.extend((0..n).flat_map(|_| (0..heads).map(|head| (head as u32, 1.0))));
        routing.set(heads, choices, heads);
        slots.clear();
        for head in 0..heads {
            for row in up.chunks_exact(heads * width) {
                slots.extend_from_slice(&row[head * width..][..plain]);
            }
        }
        mixed.resize(n * heads * rank, 0.0);
        product_by_heads(machine, (slots, routing), (&self.keys, mixed));
        queries.clear();
        for (i, head) in up.chunks_exact(width).enumerate() {
            queries.extend_from_slice(&head[plain..]);
            queries.extend_from_slice(&mixed[slot(i, heads, n) * rank..][..rank]);
        }
    }

    /// From the latents that heads have gathered in `scratch.mixed` to `scratch.hidden`.
    fn give(&self, machine: &mut Machine, n: usize, scratch: &mut Scratch) {
        let Options { heads, rank, value, .. } = self.with;
        let Scratch { mixed, slots, up, gate, routing, hidden, .. } = scratch;
        slots.clear();
        for head in 0..heads {
            for row in mixed.chunks_exact(heads * rank) {
                slots.extend_from_slice(&row[head * rank..][..rank]);
            }
        }
        gate.resize(n * heads * value, 0.0);
        product_by_heads(machine, (slots, routing), (&self.values, gate));
        up.clear();
        for i in 0..n * heads {
            up.extend_from_slice(&gate[slot(i, heads, n) * value..][..value]);
        }
        machine.product(up, &mut [self.o.product(Rounding::Once, hidden)]);
    }

    pub fn weights(&mut self) -> impl Iterator<Item = &mut Weight> {
        let compressed = self.compressed.iter_mut().map(|(linear, _)| linear);
        let linears = compressed.chain([&mut self.q, &mut self.kv, &mut self.o]);
        let linears = linears.chain(&mut self.keys.0).chain(&mut self.values.0);
        let indexer = self.indexer.iter_mut().flat_map(Indexer::linears);
        linears.chain(indexer).map(|linear| &mut linear.weight)
    }

    /// Bytes that one row reads.
    pub fn bytes(&self) -> u64 {
        let compressed = self.compressed.iter().map(|(linear, _)| linear);
        let linears = compressed.chain([&self.q, &self.kv, &self.o]);
        let linears = linears.chain(&self.keys.0).chain(&self.values.0);
        let indexer = self.indexer.as_ref().map_or(0, Indexer::bytes);
        linears.map(|linear| linear.weight.bytes()).sum::<u64>() + indexer
    }
}

/// Where head `i mod heads` of row `i div heads` stands when all rows of a head stand together.
fn slot(i: usize, heads: usize, n: usize) -> usize {
    i % heads * n + i / heads
}

/// Each head's rows with its own matrix.
fn product_by_heads(
    machine: &mut Machine,
    (x, routing): (&[f32], &Routing),
    (stack, out): (&Stack, &mut [f32]),
) {
    machine.product_routed((x, Take::Slot), routing, &mut [stack.product(Rounding::Once, out)]);
}

/// The matrices of each head: from the plain part of a query to latents, and from latents to
/// values. Folders have the first turned, and a head's two beside each other.
fn keys_and_values(source: &Source, layer: usize, with: Options) -> Result<[Stack; 2], Error> {
    let Options { heads, rank, plain, value, .. } = with;
    if source.is_gguf() {
        let find = |name, shape| Stack::find(source, (name, layer), (heads, Bias::No), shape);
        return Ok([find(K_B, (rank, plain))?, find(V_B, (value, rank))?]);
    }
    let (name, both) = (source.tensor_name(KV_B, Some(layer), "weight"), plain + value);
    let rows = |head: usize, first, len| {
        let first = head * both + first;
        Weight::of_tensor(source, &name, &[heads * both, rank], first..first + len)
    };
    let stack = |find: &dyn Fn(usize) -> Result<Weight, Error>| {
        let linear = |head| Ok(Linear { weight: find(head)?, bias: None });
        (0..heads).map(linear).collect::<Result<_, Error>>().map(Stack)
    };
    let keys = |head| Ok(rows(head, 0, plain)?.turned());
    Ok([stack(&keys)?, stack(&|head| rows(head, plain, value))?])
}
