//! The gated feed-forward layer: `down(silu(gate(x)) · up(x))`.

use kernels::portable::math::Gate;
use kernels::{Machine, Product, Rounding};

use crate::hyper::{FEED_FORWARD, Hyper};
use crate::source::{Name, Source};
use crate::weight::{Bias, Linear, Weight};
use crate::{Error, Scratch};

const GATE: Name = Name { gguf: "ffn_gate", hugging_face: "mlp.gate_proj" };
const UP: Name = Name { gguf: "ffn_up", hugging_face: "mlp.up_proj" };
const DOWN: Name = Name { gguf: "ffn_down", hugging_face: "mlp.down_proj" };

/// What a family's layer has beside its three matrices.
#[derive(Clone, Copy)]
pub(crate) struct Options {
    pub bias: Bias,
    pub gate: Gate,
    /// What the matrices are called: gate, up and down.
    pub names: [Name; 3],
    /// The inner width, where it is not that of the model's feed-forward layers.
    pub width: Option<usize>,
}

impl Options {
    /// A gate of silu, and no biases.
    pub const PLAIN: Options =
        Options { bias: Bias::No, gate: Gate::Silu, names: [GATE, UP, DOWN], width: None };
}

/// The three matrices of the layer.
pub(crate) struct GatedMlp {
    gate: Linear,
    up: Linear,
    down: Linear,
    with: Options,
}

impl GatedMlp {
    pub fn find(
        source: &Source,
        layer: usize,
        h: &Hyper,
        with: Options,
    ) -> Result<GatedMlp, Error> {
        let bias = with.bias;
        let width = with.width.or(h.feed_forward).ok_or_else(|| source.missing(FEED_FORWARD))?;
        let [gate, up, down] = with.names;
        let (wide, narrow) = ((width, h.hidden), (h.hidden, width));
        Ok(GatedMlp {
            gate: Linear::find(source, (gate, layer), wide, bias)?,
            up: Linear::find(source, (up, layer), wide, bias)?,
            down: Linear::find(source, (down, layer), narrow, bias)?,
            with,
        })
    }

    /// From `scratch.hidden` to `scratch.hidden`.
    pub fn apply(&self, machine: &mut Machine, scratch: &mut Scratch) {
        let n = scratch.hidden.len() / self.gate.weight.cols();
        scratch.gate.resize(n * self.gate.weight.rows(), 0.0);
        scratch.up.resize(n * self.up.weight.rows(), 0.0);
        let (gate, up) = (&mut scratch.gate, &mut scratch.up);
        let products =
            &mut [self.gate.product(Rounding::Once, gate), self.up.product(Rounding::Once, up)];
        machine.product(&scratch.hidden, products);
        machine.open(&mut scratch.gate, &scratch.up, self.with.gate);
        let down = self.down.product(Rounding::Once, &mut scratch.hidden);
        machine.product(&scratch.gate, &mut [down]);
    }

    pub fn weights(&mut self) -> [&mut Weight; 3] {
        [&mut self.gate, &mut self.up, &mut self.down].map(|linear| &mut linear.weight)
    }

    pub fn bytes(&self) -> u64 {
        [&self.gate, &self.up, &self.down].iter().map(|linear| linear.weight.bytes()).sum()
    }
}

impl Linear {
    /// This layer as one product of a step.
    pub fn product<'a>(&'a self, rounding: Rounding, out: &'a mut [f32]) -> Product<'a> {
        Product { weights: self.weight.view(), rounding, bias: self.bias.as_deref(), out }
    }
}
