//! Qwen2 and Qwen2.5 (text), and the R1 distills on them: a Llama with biases of query, key and
//! value, and a window in the upper layers of the few checkpoints that ask for one.

use kernels::portable::rope::Pairing;

use crate::hyper::Hyper;
use crate::parts::attention::Options;
use crate::parts::decoder::{Decoder, Recipe};
use crate::parts::feed_forward::Kind;
use crate::parts::mlp;
use crate::parts::norms::Norms;
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
    load,
};

fn load(source: &Source) -> Result<Box<dyn Model>, Error> {
    let hyper = Hyper::read(source)?;
    let plain = Options { bias: Bias::Yes, ..Options::PLAIN };
    let recipe = Recipe {
        family: FAMILY.name,
        ropes: vec![Rope::read(source, hyper.head_dim, Pairing::Halves)?],
        attention: window::of_layers(source, &hyper, plain)?,
        feed_forward: vec![Kind::Gated(mlp::Options::PLAIN); hyper.layers],
        norms: Norms::PLAIN,
        embedding_scale: 1.0,
    };
    Ok(Box::new(Decoder::find(source, &hyper, recipe)?))
}
