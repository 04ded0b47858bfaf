//! Where the norms of a decoder stand, and how their weights are stored.

use crate::source::{Name, Source};
use crate::weight;
use crate::{Error, source};

/// The norms of a layer.
#[derive(Clone, Copy)]
pub(crate) struct Norms {
    pub attention: Name,
    /// Of what attention makes, before it is added to the stream.
    pub after_attention: Option<Name>,
    pub feed_forward: Name,
    pub after_feed_forward: Option<Name>,
    /// What is added to the weights of every norm.
    pub offset: f32,
}

impl Norms {
    /// One before each part.
    pub const PLAIN: Norms = Norms {
        attention: source::name("attn_norm", "input_layernorm"),
        after_attention: None,
        feed_forward: source::name("ffn_norm", "post_attention_layernorm"),
        after_feed_forward: None,
        offset: 0.0,
    };

    /// The weights of a norm, as they are multiplied.
    pub fn find(
        &self,
        source: &Source,
        (name, layer): (Name, Option<usize>),
        len: usize,
    ) -> Result<Vec<f32>, Error> {
        let mut row = weight::row(source, &source.tensor_name(name, layer, "weight"), len)?;
        row.iter_mut().for_each(|weight| *weight += self.offset);
        Ok(row)
    }
}
