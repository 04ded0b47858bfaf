//! Qwen3 dense (text): each query and key head is normalised before it is rotated, heads are as
//! wide as the file says, and small ones use the embedding as head.

use kernels::portable::rope::Pairing;

use crate::hyper::Hyper;
use crate::parts::attention::Options;
use crate::parts::decoder::{Decoder, Recipe};
use crate::parts::mixer;
use crate::parts::window;
use crate::rope::Rope;
use crate::source::Source;
use crate::weight::Bias;
use crate::{Error, Family, Model};

pub(crate) const FAMILY: Family = Family {
    name: "qwen3",
    gguf: &["qwen3"],
    hugging_face: &["Qwen3ForCausalLM"],
    follows: &[],
    unstated: &[],
    load,
};

fn load(source: &Source) -> Result<Box<dyn Model>, Error> {
    let hyper = Hyper::read(source)?;
    let recipe = recipe(source, &hyper)?;
    Ok(Box::new(Decoder::find(source, &hyper, recipe)?))
}

/// The recipe, which Qwen3-MoE shares but for the feed-forward layers.
pub(crate) fn recipe(source: &Source, hyper: &Hyper) -> Result<Recipe, Error> {
    let bias = Bias::by_flag(source, "attention_bias")?;
    let plain = Options { bias, output_bias: bias, head_norms: true, ..Options::PLAIN };
    let rope = Rope::read(source, hyper.head_dim, Pairing::Halves)?;
    Ok(Recipe {
        mixers: mixer::attention(window::of_layers(source, hyper, plain)?),
        ..Recipe::plain(FAMILY.name, hyper.layers, rope)
    })
}
