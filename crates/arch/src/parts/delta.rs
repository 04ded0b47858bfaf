//! Gated delta-net layers: heads that keep a matrix instead of keys and values, behind a short
//! convolution, with a gate on what they give.

use kernels::portable::angles::exp;
use kernels::portable::math::Gate;
use kernels::{DeltaHeads, DeltaRows, Machine, Rounding, Sharing, States};

use super::mixer::Site;
use crate::cache::{Keeps, Seat, Seats, Store};
use crate::source::{Name, Source, name};
use crate::weight::{self, Bias, Linear, Weight};
use crate::{Error, Scratch, Step};

const QKV: Name = name("attn_qkv", "linear_attn.in_proj_qkv");
const GATE: Name = name("attn_gate", "linear_attn.in_proj_z");
const DECAY: Name = name("ssm_alpha", "linear_attn.in_proj_a");
const BETA: Name = name("ssm_beta", "linear_attn.in_proj_b");
const OUT: Name = name("ssm_out", "linear_attn.out_proj");
const NORM: Name = name("ssm_norm", "linear_attn.norm");
const CONVOLUTION: Name = name("ssm_conv1d", "linear_attn.conv1d");
const RATE: Name = name("ssm_a", "linear_attn.A_log");
const FADING_BIAS: Name = name("ssm_dt.bias", "linear_attn.dt_bias");

const KEY_HEADS: Name = name("ssm.group_count", "linear_num_key_heads");
const VALUE_HEADS: Name = name("ssm.time_step_rank", "linear_num_value_heads");
const KEY_DIM: Name = name("ssm.state_size", "linear_key_head_dim");
const VALUE_DIM: Name = name("", "linear_value_head_dim");
const VALUES_LEN: Name = name("ssm.inner_size", "");
const TAPS: Name = name("ssm.conv_kernel", "linear_conv_kernel_dim");

/// What is added to the square of a query's or key's length before it is divided by it.
const LENGTH_EPS: f32 = 1e-6;

/// The sizes of a layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    heads: DeltaHeads,
    /// Positions that the convolution sees, the own one included.
    taps: usize,
}

impl Options {
    pub fn read(source: &Source) -> Result<Options, Error> {
        let values = source.size(VALUE_HEADS)?;
        let (value_dim, sharing) = match source.is_gguf() {
            // GGUF files have the value heads in another order.
            true => (source.size(VALUES_LEN)? / values, Sharing::Strided),
            false => (source.size(VALUE_DIM)?, Sharing::Neighbours),
        };
        let (keys, key_dim) = (source.size(KEY_HEADS)?, source.size(KEY_DIM)?);
        if !values.is_multiple_of(keys) {
            let why = format!("is {values}, which is no multiple of {keys} key heads");
            return Err(source.bad(VALUE_HEADS, why));
        }
        let heads = DeltaHeads { keys, values, key_dim, value_dim, sharing };
        Ok(Options { heads, taps: source.size(TAPS)? })
    }
}

/// One such layer.
pub(crate) struct DeltaNet {
    qkv: Linear,
    gate: Linear,
    decay: Linear,
    beta: Linear,
    out: Linear,
    /// Weights of the convolution, `(taps, channels)`.
    taps: Vec<f32>,
    /// By what a head's state fades, and what is added before.
    fading: (Vec<f32>, Vec<f32>),
    /// Of queries and keys: weights of norms.
    lengths: (Vec<f32>, Vec<f32>),
    norm: Vec<f32>,
    heads: DeltaHeads,
    /// Where the last rows of the convolution are kept, and behind them the states.
    seat: Seat,
    kept: usize,
    eps: f32,
}

impl DeltaNet {
    pub fn find(site: Site, with: Options, seats: &mut Seats) -> Result<DeltaNet, Error> {
        let Site { source, layer, hyper: h, .. } = site;
        let (heads, find) = (with.heads, |name, rows| {
            Linear::find(source, (name, layer), (rows, h.hidden), Bias::No)
        });
        let values = heads.values * heads.value_dim;
        let channels = 2 * heads.keys * heads.key_dim + values;
        let kept = (with.taps - 1) * channels;
        Ok(DeltaNet {
            qkv: find(QKV, channels)?,
            gate: find(GATE, values)?,
            decay: find(DECAY, heads.values)?,
            beta: find(BETA, heads.values)?,
            out: Linear::find(source, (OUT, layer), (h.hidden, values), Bias::No)?,
            taps: taps(source, layer, (channels, with.taps))?,
            fading: fading(source, layer, heads.values)?,
            lengths: lengths(heads.key_dim),
            norm: {
                let name = source.tensor_name(NORM, Some(layer), "weight");
                weight::row(source, &name, heads.value_dim)?
            },
            heads,
            seat: seats.give(layer, Keeps::State, kept + heads.state_len()),
            kept,
            eps: h.eps,
        })
    }

    /// From `scratch.hidden` to `scratch.hidden`.
    pub fn apply(&self, machine: &mut Machine, step: &mut Step, scratch: &mut Scratch) {
        let (n, heads) = (step.tokens.len(), self.heads);
        let (keys, values) = (heads.keys * heads.key_dim, heads.values * heads.value_dim);
        scratch.up.resize(n * (2 * keys + values), 0.0);
        scratch.gate.resize(n * values, 0.0);
        scratch.mixed.resize(n * values, 0.0);
        scratch.queries.resize(n * keys, 0.0);
        scratch.keys.resize(n * keys, 0.0);
        scratch.values.resize(n * values, 0.0);
        scratch.decays.resize(n * heads.values, 0.0);
        scratch.betas.resize(n * heads.values, 0.0);
        let Scratch { queries, keys, values, decays, betas, gate, up, mixed, .. } = scratch;
        // What a state has learnt stays, like keys and values.
        let products = &mut [
            self.qkv.product(Rounding::Twice, up),
            self.decay.product(Rounding::Twice, decays),
            self.beta.product(Rounding::Twice, betas),
            self.gate.product(Rounding::Once, gate),
        ];
        machine.product(&scratch.hidden, products);

        let Store { pages, rows } = &mut step.stores[self.seat.store];
        let last_rows = States { pages, rows, offset: self.seat.offset };
        machine.convolve(&self.taps, last_rows, up, &mut [queries, keys, values]);
        let eps = LENGTH_EPS / heads.key_dim as f32;
        machine.rms_norm_in_place(queries, &self.lengths.0, eps);
        machine.rms_norm_in_place(keys, &self.lengths.1, eps);
        machine.delta_gates(decays, betas, (&self.fading.0, &self.fading.1));
        let x =
            &DeltaRows { queries: &scratch.queries, keys: &scratch.keys, values, decays, betas };
        let states = States { pages, rows, offset: self.seat.offset + self.kept };
        machine.delta(heads, states, x, mixed); // (n, values)
        machine.rms_norm_in_place(mixed, &self.norm, self.eps);
        machine.open(gate, mixed, Gate::Silu);
        machine.product(gate, &mut [self.out.product(Rounding::Once, &mut scratch.hidden)]);
    }

    pub fn weights(&mut self) -> [&mut Weight; 5] {
        [&mut self.qkv, &mut self.gate, &mut self.decay, &mut self.beta, &mut self.out]
            .map(|linear| &mut linear.weight)
    }

    /// Bytes that one row reads.
    pub fn bytes(&self) -> u64 {
        let all = [&self.qkv, &self.gate, &self.decay, &self.beta, &self.out];
        all.iter().map(|linear| linear.weight.bytes()).sum()
    }
}

/// The weights of the convolution: files have those of a channel side by side.
fn taps(
    source: &Source,
    layer: usize,
    (channels, taps): (usize, usize),
) -> Result<Vec<f32>, Error> {
    let name = source.tensor_name(CONVOLUTION, Some(layer), "weight");
    let weights = match source.is_gguf() {
        true => weight::floats(source, &name, &[channels, taps])?,
        false => weight::floats(source, &name, &[channels, 1, taps])?,
    };
    let places = (0..taps).flat_map(|tap| (0..channels).map(move |channel| channel * taps + tap));
    Ok(places.map(|place| weights[place]).collect())
}

/// Weights of norms that make the length of a head one, but for the scale of the queries.
fn lengths(dim: usize) -> (Vec<f32>, Vec<f32>) {
    (vec![1.0 / dim as f32; dim], vec![1.0 / (dim as f32).sqrt(); dim])
}

/// Rates and biases of the heads' decays. Folders have the logarithm of a rate's opposite.
fn fading(source: &Source, layer: usize, heads: usize) -> Result<(Vec<f32>, Vec<f32>), Error> {
    let row = |name: String| weight::row(source, &name, heads);
    let named = |name| source.whole_name(name, layer);
    let (name, biases) = (named(RATE), row(named(FADING_BIAS))?);
    if source.is_gguf() {
        return Ok((row(name)?, biases));
    }
    let rate = |log: f32| match log.abs() < 80.0 {
        true => Ok(-exp(f64::from(log)) as f32),
        false => Err(Error::Value { key: name.clone(), why: format!("holds {log}") }),
    };
    let rates = row(name.clone())?.into_iter().map(rate).collect::<Result<_, _>>()?;
    Ok((rates, biases))
}
