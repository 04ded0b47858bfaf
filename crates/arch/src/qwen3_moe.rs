//! Qwen3-MoE: Qwen3 whose feed-forward layers are mixtures of experts, with plain ones among them
//! where the configuration says so.

use crate::hyper::Hyper;
use crate::parts::decoder::{Decoder, Recipe};
use crate::parts::experts::{self, Score};
use crate::parts::feed_forward::Kind;
use crate::parts::mlp;
use crate::source::{Name, Source};
use crate::{Error, Family, Model, qwen3};

pub(crate) const FAMILY: Family = Family {
    name: "qwen3-moe",
    gguf: &["qwen3moe"],
    hugging_face: &["Qwen3MoeForCausalLM"],
    follows: &["expert_count"],
    unstated: &[],
    load,
};

fn load(source: &Source) -> Result<Box<dyn Model>, Error> {
    let hyper = Hyper::read(source)?;
    let recipe = Recipe {
        family: FAMILY.name,
        feed_forward: feed_forward(source, hyper.layers)?,
        ..qwen3::recipe(source, &hyper)?
    };
    Ok(Box::new(Decoder::find(source, &hyper, recipe)?))
}

/// Which layers have experts. GGUF files do not say; there the tensors do.
fn feed_forward(source: &Source, layers: usize) -> Result<Vec<Kind>, Error> {
    // GGUF files have no key for it; the published models all renormalise.
    let renormalise = source.is_gguf() || source.flag("norm_topk_prob", false)?;
    let score = if renormalise { Score::Renormalised } else { Score::Softmax };
    let experts = experts::Options::read(source, source.size(experts::WIDTH)?, score)?;
    let experts = Kind::Experts(experts);
    let plain = Kind::Gated(mlp::Options::PLAIN);
    let step = Name { gguf: "", hugging_face: "decoder_sparse_step" };
    let step = if source.is_gguf() { 1 } else { source.size_or(step, 1)? };
    let listed = source.setting("mlp_only_layers").as_array();
    let kind = |layer: usize| {
        let in_list =
            listed.is_some_and(|listed| listed.iter().any(|i| i.as_u64() == Some(layer as u64)));
        let in_file =
            source.is_gguf() && source.find(&format!("blk.{layer}.ffn_gate.weight")).is_some();
        let is_plain = in_list || in_file || !(layer + 1).is_multiple_of(step);
        if is_plain { plain } else { experts }
    };
    Ok((0..layers).map(kind).collect())
}
