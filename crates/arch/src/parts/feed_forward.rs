//! What stands behind attention in a layer.

use kernels::Machine;

use super::experts::{self, Experts};
use super::mixer::Site;
use super::mlp::{self, GatedMlp};
use super::twin::Twin;
use crate::weight::Weight;
use crate::{Error, Scratch};

/// Which kind of it a layer has.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Gated(mlp::Options),
    Experts(experts::Options),
    Twin(mlp::Options, experts::Options),
}

/// A layer's feed-forward part.
pub(crate) enum FeedForward {
    Gated(Box<GatedMlp>),
    Experts(Box<Experts>),
    Twin(Box<Twin>),
}

impl FeedForward {
    pub fn find(site: Site, kind: Kind) -> Result<Self, Error> {
        let Site { source, layer, hyper: h, .. } = site;
        Ok(match kind {
            Kind::Twin(gated, experts) => Self::Twin(Box::new(Twin::find(site, gated, experts)?)),
            Kind::Gated(with) => Self::Gated(Box::new(GatedMlp::find(source, layer, h, with)?)),
            Kind::Experts(with) => Self::Experts(Box::new(Experts::find(source, layer, h, with)?)),
        })
    }

    /// From `scratch.hidden`, the norm of `scratch.stream`, to `scratch.hidden`.
    pub fn apply(&self, machine: &mut Machine, scratch: &mut Scratch) {
        match self {
            Self::Gated(mlp) => mlp.apply(machine, scratch),
            Self::Experts(experts) => experts.apply(machine, scratch),
            Self::Twin(twin) => twin.apply(machine, scratch),
        }
    }

    pub fn weights<'a>(&'a mut self, all: &mut Vec<&'a mut Weight>) {
        match self {
            Self::Gated(mlp) => all.extend(mlp.weights()),
            Self::Experts(experts) => all.extend(experts.weights()),
            Self::Twin(twin) => all.extend(twin.weights()),
        }
    }

    /// Bytes that one row reads.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Gated(mlp) => mlp.bytes(),
            Self::Experts(experts) => experts.bytes(),
            Self::Twin(twin) => twin.bytes(),
        }
    }
}
