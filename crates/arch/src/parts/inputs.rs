//! What tokens tell every layer besides the embedding: a row of a second embedding and of a product
//! with the first, which each layer adds to the stream through a gate.

use kernels::portable::math::Gate;
use kernels::{Machine, Rounding};

use super::mixer::Site;
use crate::hyper::{Hyper, VOCABULARY_MAX};
use crate::source::{Name, Source, name};
use crate::weight::{self, Bias, Linear, Weight};
use crate::{Error, Scratch, Step};

const EMBEDDING: Name = name("per_layer_token_embd", "model.embed_tokens_per_layer");
const PROJECTION: Name = name("per_layer_model_proj", "model.per_layer_model_projection");
const NORM: Name = name("per_layer_proj_norm", "model.per_layer_projection_norm");
const GATE: Name = name("inp_gate", "per_layer_input_gate");
const OUT: Name = name("proj", "per_layer_projection");
const AFTER: Name = name("post_norm", "post_per_layer_input_norm");

/// The inputs of all layers.
pub(crate) struct Inputs {
    embedding: Weight,
    /// From the embedding's row to the inputs of all layers.
    projection: Weight,
    norm: Vec<f32>,
    layers: usize,
    eps: f32,
}

/// How one layer takes its input.
pub(crate) struct Input {
    gate: Linear,
    out: Linear,
    after: Vec<f32>,
    layer: usize,
    eps: f32,
}

impl Inputs {
    /// Finds those of a model whose layers take `width` numbers.
    pub fn find(source: &Source, h: &Hyper, width: usize) -> Result<Inputs, Error> {
        let (all, named) = (h.layers * width, |name| source.tensor_name(name, None, "weight"));
        // It may have fewer rows than the first one.
        let rows = source.tensor(&named(EMBEDDING))?.shape.first().copied().unwrap_or(0);
        if rows < h.vocabulary || rows > VOCABULARY_MAX {
            let (name, found) = (named(EMBEDDING), vec![rows]);
            return Err(Error::Shape { name, expected: vec![h.vocabulary, all], found });
        }
        Ok(Inputs {
            embedding: Weight::find(source, &named(EMBEDDING), rows, all)?,
            projection: Weight::find(source, &named(PROJECTION), all, h.hidden)?,
            norm: weight::row(source, &named(NORM), width)?,
            layers: h.layers,
            eps: h.eps,
        })
    }

    /// From the tokens and `scratch.stream` to `scratch.inputs`.
    pub fn prepare(&self, machine: &mut Machine, step: &Step, scratch: &mut Scratch) {
        let (n, all, width) = (step.tokens.len(), self.projection.rows(), self.norm.len());
        let hidden = self.projection.cols();
        let Scratch { inputs, slots, stream, .. } = scratch;
        inputs.resize(n * all, 0.0);
        slots.resize(n * all, 0.0);
        machine.product(stream, &mut [self.projection.product(Rounding::Once, inputs)]);
        machine.scale(inputs, 1.0 / (hidden as f32).sqrt());
        machine.rms_norm_in_place(inputs, &self.norm, self.eps);
        for (token, row) in step.tokens.iter().zip(slots.chunks_exact_mut(all)) {
            self.embedding.row(*token as usize, row);
        }
        machine.scale(slots, (width as f32).sqrt());
        machine.add(inputs, slots);
        machine.scale(inputs, std::f32::consts::FRAC_1_SQRT_2); // (n, layers · width)
        debug_assert_eq!(all, self.layers * width);
    }

    pub fn weight(&mut self) -> &mut Weight {
        &mut self.projection
    }

    /// Bytes that one row reads.
    pub fn bytes(&self) -> u64 {
        self.projection.bytes()
    }
}

impl Input {
    pub fn find(site: Site, width: usize) -> Result<Input, Error> {
        let Site { source, layer, hyper: h, norms } = site;
        let find = |name, shape| Linear::find(source, (name, layer), shape, Bias::No);
        Ok(Input {
            gate: find(GATE, (width, h.hidden))?,
            out: find(OUT, (h.hidden, width))?,
            after: norms.find(source, (AFTER, Some(layer)), h.hidden)?,
            layer,
            eps: h.eps,
        })
    }

    /// Adds the layer's input to `scratch.stream`.
    pub fn apply(&self, machine: &mut Machine, scratch: &mut Scratch) {
        let width = self.gate.weight.rows();
        let n = scratch.stream.len() / self.gate.weight.cols();
        let all = scratch.inputs.len() / n;
        let Scratch { inputs, gate, up, stream, hidden, .. } = scratch;
        gate.resize(n * width, 0.0);
        up.clear();
        for row in inputs.chunks_exact(all) {
            up.extend_from_slice(&row[self.layer * width..][..width]);
        }
        machine.product(stream, &mut [self.gate.product(Rounding::Once, gate)]);
        machine.open(gate, up, Gate::Gelu);
        machine.product(gate, &mut [self.out.product(Rounding::Once, hidden)]);
        machine.rms_norm_in_place(hidden, &self.after, self.eps);
        machine.add(stream, hidden);
    }

    pub fn weights(&mut self) -> [&mut Weight; 2] {
        [&mut self.gate.weight, &mut self.out.weight]
    }

    /// Bytes that one row reads.
    pub fn bytes(&self) -> u64 {
        self.gate.weight.bytes() + self.out.weight.bytes()
    }
}
