//! What stands behind attention in a layer.

use kernels::Machine;

use super::experts::{self, Experts};
use super::mlp::{self, GatedMlp};
use crate::hyper::Hyper;
use crate::source::Source;
use crate::weight::Weight;
use crate::{Error, Scratch};

/// Which kind of it a layer has.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Gated(mlp::Options),
    Experts(experts::Options),
}

/// A layer's feed-forward part.
pub(crate) enum FeedForward {
    Gated(Box<GatedMlp>),
    Experts(Box<Experts>),
}

impl FeedForward {
    pub fn find(source: &Source, layer: usize, h: &Hyper, kind: Kind) -> Result<Self, Error> {
        Ok(match kind {
            Kind::Gated(with) => Self::Gated(Box::new(GatedMlp::find(source, layer, h, with)?)),
            Kind::Experts(with) => Self::Experts(Box::new(Experts::find(source, layer, h, with)?)),
        })
    }

    /// From `scratch.hidden` to `scratch.hidden`.
    pub fn apply(&self, machine: &mut Machine, scratch: &mut Scratch) {
        match self {
            Self::Gated(mlp) => mlp.apply(machine, scratch),
            Self::Experts(experts) => experts.apply(machine, scratch),
        }
    }

    pub fn weights<'a>(&'a mut self, all: &mut Vec<&'a mut Weight>) {
        match self {
            Self::Gated(mlp) => all.extend(mlp.weights()),
            Self::Experts(experts) => all.extend(experts.weights()),
        }
    }

    /// Bytes that one row reads.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Gated(mlp) => mlp.bytes(),
            Self::Experts(experts) => experts.bytes(),
        }
    }
}
