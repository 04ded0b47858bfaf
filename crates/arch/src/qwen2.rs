//! Qwen2 and Qwen2.5 (text), and the R1 distills on them: a Llama with biases of query, key and
//! value, and a window in the upper layers of the few checkpoints that ask for one.

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
    name: "qwen2",
    gguf: &["qwen2"],
    hugging_face: &["Qwen2ForCausalLM"],
    follows: &[],
    unstated: &[],
    load,
};

fn load(source: &Source) -> Result<Box<dyn Model>, Error> {
    let hyper = Hyper::read(source)?;
    let plain = Options { bias: Bias::Yes, ..Options::PLAIN };
    let rope = Rope::read(source, hyper.head_dim, Pairing::Halves)?;
    let recipe = Recipe {
        mixers: mixer::attention(window::of_layers(source, &hyper, plain)?),
        ..Recipe::plain(FAMILY.name, hyper.layers, rope)
    };
    Ok(Box::new(Decoder::find(source, &hyper, recipe)?))
}
