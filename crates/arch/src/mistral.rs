//! Mistral 7B and its kin: a Llama whose layers may see only the last few thousand positions.
//!
//! Checkpoints only: their GGUF files say `llama`, and the window is lost in them.

use kernels::portable::rope::Pairing;

use crate::hyper::Hyper;
use crate::parts::attention::Options;
use crate::parts::decoder::{Decoder, Recipe};
use crate::parts::mixer;
use crate::parts::window;
use crate::rope::Rope;
use crate::source::Source;
use crate::{Error, Family, Model};

pub(crate) const FAMILY: Family = Family {
    name: "mistral",
    gguf: &[],
    hugging_face: &["MistralForCausalLM", "Mistral3ForConditionalGeneration"],
    follows: &[],
    unstated: &[],
    load,
};

fn load(source: &Source) -> Result<Box<dyn Model>, Error> {
    // Ministral, which nests its text model in the same way, scales queries by position.
    source.expect_setting("model_type", "mistral")?;
    let hyper = Hyper::read(source)?;
    let window = window::of_folder(source)?;
    let attention = Options { window, ..Options::PLAIN };
    let rope = Rope::read(source, hyper.head_dim, Pairing::Halves)?;
    let recipe = Recipe {
        mixers: mixer::attention(vec![attention; hyper.layers]),
        ..Recipe::plain(FAMILY.name, hyper.layers, rope)
    };
    Ok(Box::new(Decoder::find(source, &hyper, recipe)?))
}
