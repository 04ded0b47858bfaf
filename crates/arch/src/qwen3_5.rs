//! Qwen3.5 and Qwen3.6 (text): three layers with a gated delta net to each with gated attention,
//! which rotates a quarter of its heads; dense, or with experts of which one is shared.

use kernels::portable::rope::Pairing;

use crate::hyper::Hyper;
use crate::parts::decoder::{Decoder, Recipe};
use crate::parts::experts::{self, Score, Stored};
use crate::parts::feed_forward::Kind;
use crate::parts::norms::Norms;
use crate::parts::{attention, delta, mixer, mlp};
use crate::rope::Rope;
use crate::source::{Name, OtherNames, Source, name};
use crate::weight::Bias;
use crate::{Error, Family, Model};

pub(crate) const FAMILY: Family = Family {
    name: "qwen3.5",
    gguf: &["qwen35"],
    hugging_face: &["Qwen3_5ForCausalLM", "Qwen3_5ForConditionalGeneration"],
    follows: &[],
    unstated: &[("partial_rotary_factor", 0.25)],
    load,
};

pub(crate) const MOE: Family = Family {
    name: "qwen3.5-moe",
    gguf: &["qwen35moe"],
    hugging_face: &["Qwen3_5MoeForCausalLM", "Qwen3_5MoeForConditionalGeneration"],
    follows: &["expert_count"],
    load: load_moe,
    ..FAMILY
};

const INTERVAL: Name = name("full_attention_interval", "full_attention_interval");
const RECURRENT: Name = name("attention.recurrent_layers", "");
const SHARED_WIDTH: Name =
    name("expert_shared_feed_forward_length", "shared_expert_intermediate_size");

/// What Ollama's files call the bias of fading.
const FIRST_NAMES: OtherNames = &[("ssm_dt.bias", "ssm_dt")];

/// Of this many layers the last has attention, where a file does not say.
const UNSTATED_INTERVAL: usize = 4;

const SHARED_NAMES: [Name; 3] = [
    name("ffn_gate_shexp", "mlp.shared_expert.gate_proj"),
    name("ffn_up_shexp", "mlp.shared_expert.up_proj"),
    name("ffn_down_shexp", "mlp.shared_expert.down_proj"),
];

fn load(source: &Source) -> Result<Box<dyn Model>, Error> {
    let hyper = Hyper::read(source)?;
    let recipe = recipe(source, &hyper)?;
    Ok(Box::new(Decoder::find(source, &hyper, recipe)?))
}

fn load_moe(source: &Source) -> Result<Box<dyn Model>, Error> {
    let hyper = Hyper::read(source)?;
    let stored = match source.has("mlp.experts.gate_up_proj") {
        true => Stored::Joined("mlp.experts"),
        false => Stored::Apart,
    };
    let experts = experts::Options {
        stored,
        shared: Some(mlp::Options {
            names: SHARED_NAMES,
            width: Some(source.size(SHARED_WIDTH)?),
            ..mlp::Options::PLAIN
        }),
        shared_gate: Some(name("ffn_gate_inp_shexp", "mlp.shared_expert_gate")),
        ..experts::Options::read(source, source.size(experts::WIDTH)?, Score::Renormalised)?
    };
    let recipe = Recipe {
        family: MOE.name,
        feed_forward: vec![Kind::Experts(experts); hyper.layers],
        ..recipe(source, &hyper)?
    };
    Ok(Box::new(Decoder::find(source, &hyper, recipe)?))
}

fn recipe(source: &Source, hyper: &Hyper) -> Result<Recipe, Error> {
    // Heads of predictions of further tokens, which hearth does without.
    source.may_skip_all("mtp.");
    source.may_skip_senses();
    source.set_other_names_if_there(FIRST_NAMES);
    let rope = Rope::read(source, hyper.head_dim, Pairing::Halves)?;
    Ok(Recipe {
        mixers: mixers(source, hyper)?,
        norms: Norms {
            feed_forward: name("post_attention_norm", "post_attention_layernorm"),
            // Folders store the weights of norms less one; GGUF files do not.
            offset: if source.is_gguf() { 0.0 } else { 1.0 },
            ..Norms::PLAIN
        },
        ..Recipe::plain(FAMILY.name, hyper.layers, rope)
    })
}

fn mixers(source: &Source, hyper: &Hyper) -> Result<Vec<mixer::Kind>, Error> {
    let bias = Bias::by_flag(source, "attention_bias")?;
    let attention = mixer::Kind::Attention(attention::Options {
        bias,
        output_bias: bias,
        head_norms: true,
        gated: true,
        ..attention::Options::PLAIN
    });
    let recurrent = recurrent(source, hyper.layers)?;
    let delta = mixer::Kind::Delta(delta::Options::read(source)?);
    let kind = |recurrent| if recurrent { delta } else { attention };
    Ok(recurrent.into_iter().map(kind).collect())
}

/// Which layers keep a state: those that a file lists, or all but every so many-th.
fn recurrent(source: &Source, layers: usize) -> Result<Vec<bool>, Error> {
    if let Some(listed) = source.flags(RECURRENT, layers)? {
        return Ok(listed);
    }
    let kinds = ("linear_attention", "full_attention");
    if let Some(listed) = source.listed("layer_types", layers, kinds)? {
        return Ok(listed);
    }
    let interval = source.size_or(INTERVAL, UNSTATED_INTERVAL)?;
    Ok((0..layers).map(|layer| !(layer + 1).is_multiple_of(interval)).collect())
}
