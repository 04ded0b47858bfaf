//! The first part of a layer, in which rows learn from the rows before them.

use kernels::Machine;

use super::attention::{self, Attention};
use super::delta::{self, DeltaNet};
use super::latent::{self, Latent};
use super::norms::Norms;
use crate::cache::Seats;
use crate::hyper::Hyper;
use crate::rope::Rope;
use crate::source::Source;
use crate::weight::Weight;
use crate::{Error, Scratch, Step};

/// Which kind of it a layer has.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Attention(attention::Options),
    Delta(delta::Options),
    Latent(latent::Options),
}

/// Nothing but attention.
pub(crate) fn attention(layers: Vec<attention::Options>) -> Vec<Kind> {
    layers.into_iter().map(Kind::Attention).collect()
}

/// A layer whose parts are looked for, and what they follow.
#[derive(Clone, Copy)]
pub(crate) struct Site<'a> {
    pub source: &'a Source,
    pub layer: usize,
    pub hyper: &'a Hyper,
    pub norms: &'a Norms,
}

/// A layer's first part.
pub(crate) enum Mixer {
    Attention(Box<Attention>),
    Delta(Box<DeltaNet>),
    Latent(Box<Latent>),
}

impl Mixer {
    pub fn find(site: Site, kind: Kind, seats: &mut Seats) -> Result<Mixer, Error> {
        Ok(match kind {
            Kind::Attention(with) => {
                Mixer::Attention(Box::new(Attention::find(site, with, seats)?))
            }
            Kind::Delta(with) => Mixer::Delta(Box::new(DeltaNet::find(site, with, seats)?)),
            Kind::Latent(with) => Mixer::Latent(Box::new(Latent::find(site, with, seats)?)),
        })
    }

    /// From `scratch.hidden` to `scratch.hidden`.
    pub fn apply(
        &self,
        machine: &mut Machine,
        ropes: &[Rope],
        step: &mut Step,
        scratch: &mut Scratch,
    ) {
        match self {
            Mixer::Attention(attention) => attention.apply(machine, ropes, step, scratch),
            Mixer::Delta(delta) => delta.apply(machine, step, scratch),
            Mixer::Latent(latent) => latent.apply(machine, ropes, step, scratch),
        }
    }

    pub fn weights<'a>(&'a mut self, all: &mut Vec<&'a mut Weight>) {
        match self {
            Mixer::Attention(attention) => all.extend(attention.weights()),
            Mixer::Delta(delta) => all.extend(delta.weights()),
            Mixer::Latent(latent) => all.extend(latent.weights()),
        }
    }

    /// Bytes that one row reads.
    pub fn bytes(&self) -> u64 {
        match self {
            Mixer::Attention(attention) => attention.bytes(),
            Mixer::Delta(delta) => delta.bytes(),
            Mixer::Latent(latent) => latent.bytes(),
        }
    }
}
