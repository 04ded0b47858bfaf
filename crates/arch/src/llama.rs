//! Llama 2 and 3 (text), and what was built on them: TinyLlama, Yi, the R1 distills on Llama.
//!
//! GGUF files store queries and keys permuted, so that neighbours form a rotary pair; checkpoints
//! pair halves. Mistral's GGUF files say `llama` as well and carry no window.

use kernels::portable::rope::Pairing;

use crate::hyper::Hyper;
use crate::parts::attention::Options;
use crate::parts::decoder::{Decoder, Recipe};
use crate::parts::feed_forward::Kind;
use crate::parts::mixer;
use crate::parts::mlp;
use crate::rope::Rope;
use crate::source::Source;
use crate::weight::Bias;
use crate::{Error, Family, Model};

pub(crate) const FAMILY: Family = Family {
    name: "llama",
    gguf: &["llama"],
    hugging_face: &["LlamaForCausalLM"],
    follows: &[],
    unstated: &[],
    load,
};

fn load(source: &Source) -> Result<Box<dyn Model>, Error> {
    let hyper = Hyper::read(source)?;
    let pairing = if source.is_gguf() { Pairing::Neighbours } else { Pairing::Halves };
    let bias = Bias::by_flag(source, "attention_bias")?;
    let attention = Options { bias, output_bias: bias, ..Options::PLAIN };
    let mlp = mlp::Options { bias: Bias::by_flag(source, "mlp_bias")?, ..mlp::Options::PLAIN };
    let rope = Rope::read(source, hyper.head_dim, pairing)?;
    let recipe = Recipe {
        mixers: mixer::attention(vec![attention; hyper.layers]),
        feed_forward: vec![Kind::Gated(mlp); hyper.layers],
        ..Recipe::plain(FAMILY.name, hyper.layers, rope)
    };
    Ok(Box::new(Decoder::find(source, &hyper, recipe)?))
}
