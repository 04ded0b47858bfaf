//! A gated layer and experts beside each other, as in Gemma 4: both begin at the stream, and each
//! normalises what it takes and what it makes.

use kernels::Machine;

use super::experts::{self, Experts};
use super::mixer::Site;
use super::mlp::{self, GatedMlp};
use crate::source::{Name, name};
use crate::weight::{self, Weight};
use crate::{Error, Scratch};

const AFTER_GATED: Name = name("post_ffw_norm_1", "post_feedforward_layernorm_1");
const EXPERTS: Name = name("pre_ffw_norm_2", "pre_feedforward_layernorm_2");
const AFTER_EXPERTS: Name = name("post_ffw_norm_2", "post_feedforward_layernorm_2");
const ROUTER: Name = name("ffn_gate_inp.scale", "router.scale");

pub(crate) struct Twin {
    gated: GatedMlp,
    after_gated: Vec<f32>,
    /// Of what the router sees.
    router: Vec<f32>,
    experts_norm: Vec<f32>,
    experts: Experts,
    after_experts: Vec<f32>,
    eps: f32,
}

impl Twin {
    pub fn find(site: Site, gated: mlp::Options, experts: experts::Options) -> Result<Twin, Error> {
        let Site { source, layer, hyper, norms } = site;
        let norm = |name| norms.find(source, (name, Some(layer)), hyper.hidden);
        let router = weight::row(source, &source.whole_name(ROUTER, layer), hyper.hidden)?;
        let shrink = 1.0 / (hyper.hidden as f32).sqrt();
        Ok(Twin {
            gated: GatedMlp::find(source, layer, hyper, gated)?,
            after_gated: norm(AFTER_GATED)?,
            router: router.into_iter().map(|weight| weight * shrink).collect(),
            experts_norm: norm(EXPERTS)?,
            experts: Experts::find(source, layer, hyper, experts)?,
            after_experts: norm(AFTER_EXPERTS)?,
            eps: hyper.eps,
        })
    }

    /// From `scratch.stream`, of which `scratch.hidden` has the norm, to `scratch.hidden`.
    pub fn apply(&self, machine: &mut Machine, scratch: &mut Scratch) {
        self.gated.apply(machine, scratch);
        let hidden = &mut scratch.hidden;
        machine.rms_norm_in_place(hidden, &self.after_gated, self.eps);
        scratch.beside.clear();
        scratch.beside.extend_from_slice(hidden);
        machine.rms_norm(&scratch.stream, &self.router, self.eps, hidden);
        self.experts.route(machine, scratch);
        let hidden = &mut scratch.hidden;
        machine.rms_norm(&scratch.stream, &self.experts_norm, self.eps, hidden);
        self.experts.run(machine, scratch);
        let hidden = &mut scratch.hidden;
        machine.rms_norm_in_place(hidden, &self.after_experts, self.eps);
        machine.add(hidden, &scratch.beside);
    }

    pub fn weights(&mut self) -> impl Iterator<Item = &mut Weight> {
        self.gated.weights().into_iter().chain(self.experts.weights())
    }

    /// Bytes that one row reads.
    pub fn bytes(&self) -> u64 {
        self.gated.bytes() + self.experts.bytes()
    }
}
