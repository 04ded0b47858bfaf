//! Llama 4 (text): three layers that see a chunk of the positions to each full one without
//! rotation, and a shared expert beside a routed one in every or every second layer.

use kernels::portable::rope::Pairing;
use serde_json::Value;

use crate::hyper::Hyper;
use crate::parts::attention::{self, Growth};
use crate::parts::decoder::{Decoder, Recipe};
use crate::parts::experts::{self, Score, Stored};
use crate::parts::feed_forward::Kind;
use crate::parts::mixer;
use crate::parts::mlp;
use crate::rope::Rope;
use crate::source::{Name, Source, name};
use crate::weight::Bias;
use crate::{Error, Family, Model};

pub(crate) const FAMILY: Family = Family {
    name: "llama4",
    gguf: &["llama4"],
    hugging_face: &["Llama4ForCausalLM", "Llama4ForConditionalGeneration"],
    follows: &["expert_count"],
    unstated: &[],
    load,
};

/// Of this many layers the last is full and does not rotate, where a file does not say.
const UNSTATED_INTERVAL: usize = 4;

/// What GGUF files mean, which have no keys for it; the same where a folder does not say. The
/// factor is that of a folder which says 0.1.
const CHUNK: usize = 8192;
const GROWTH: Growth = Growth { length: 8192.0, factor: 0.1_f32 as f64 };

/// With so many experts, heads are not normalised; GGUF files have no key for it.
const EXPERTS_WITHOUT_NORMS: usize = 128;

const PLAIN_NAMES: [Name; 3] = [
    name("ffn_gate", "feed_forward.gate_proj"),
    name("ffn_up", "feed_forward.up_proj"),
    name("ffn_down", "feed_forward.down_proj"),
];
const SHARED_NAMES: [Name; 3] = [
    name("ffn_gate_shexp", "feed_forward.shared_expert.gate_proj"),
    name("ffn_up_shexp", "feed_forward.shared_expert.up_proj"),
    name("ffn_down_shexp", "feed_forward.shared_expert.down_proj"),
];

fn load(source: &Source) -> Result<Box<dyn Model>, Error> {
    let hyper = Hyper::read(source)?;
    source.may_skip_senses();
    let rope = Rope::read(source, hyper.head_dim, Pairing::Neighbours)?;
    let width = source.size(name("expert_feed_forward_length", "intermediate_size"))?;
    let experts = experts::Options {
        stored: Stored::Stacked,
        shared: Some(mlp::Options {
            names: SHARED_NAMES,
            width: Some(width),
            ..mlp::Options::PLAIN
        }),
        ..experts::Options::read(source, width, Score::SigmoidOfInput)?
    };
    let recipe = Recipe {
        mixers: mixer::attention(attention(source, &hyper, experts.count)?),
        feed_forward: feed_forward(source, &hyper, experts)?,
        ..Recipe::plain(FAMILY.name, hyper.layers, rope)
    };
    Ok(Box::new(Decoder::find(source, &hyper, recipe)?))
}

fn attention(
    source: &Source,
    hyper: &Hyper,
    experts: usize,
) -> Result<Vec<attention::Options>, Error> {
    let folder = !source.is_gguf();
    let number = |key, otherwise: f64| match folder {
        true => Ok::<_, Error>(source.number(name("", key))?.map_or(otherwise, f64::from)),
        false => Ok(otherwise),
    };
    let size = |key, otherwise| match folder {
        true => source.size_or(name("", key), otherwise),
        false => Ok(otherwise),
    };
    let interval = size("no_rope_layer_interval", UNSTATED_INTERVAL)?;
    let rotates = layers(source, "no_rope_layers", hyper.layers, |layer, listed| match listed {
        Some(flag) => flag.as_u64().filter(|flag| *flag <= 1).map(|flag| flag == 1),
        None => Some(!(layer + 1).is_multiple_of(interval)),
    })?;
    let chunked = layers(source, "layer_types", hyper.layers, |layer, listed| match listed {
        None => Some(rotates[layer]),
        Some(kind) if kind == "chunked_attention" => Some(true),
        Some(kind) => (kind == "full_attention").then_some(false),
    })?;
    let normed =
        if folder { source.flag("use_qk_norm", true)? } else { experts != EXPERTS_WITHOUT_NORMS };
    const GROWS: &str = "attn_temperature_tuning";
    let grows = match source.setting(GROWS) {
        _ if !folder => true,
        // Once it was a number.
        Value::Number(number) => number.as_f64() != Some(0.0),
        _ => source.flag(GROWS, true)?,
    };
    let growth = Growth {
        length: number("floor_scale", GROWTH.length)?,
        factor: number("attn_scale", GROWTH.factor)?,
    };
    if growth.length < 1.0 {
        return Err(source.bad(name("", "floor_scale"), format!("is {}", growth.length)));
    }
    let chunk = size("attention_chunk_size", CHUNK)?;
    let bias = Bias::by_flag(source, "attention_bias")?;
    let options = |(rotates, chunked): (bool, bool)| attention::Options {
        bias,
        output_bias: bias,
        rope: rotates.then_some(0),
        chunk: chunked.then_some(chunk),
        norms_at_last: rotates && normed,
        growth: (grows && !rotates).then_some(growth),
        ..attention::Options::PLAIN
    };
    Ok(rotates.into_iter().zip(chunked).map(options).collect())
}

/// A flag for each layer: by a list of the folder where there is one.
fn layers(
    source: &Source,
    key: &str,
    count: usize,
    flag: impl Fn(usize, Option<&Value>) -> Option<bool>,
) -> Result<Vec<bool>, Error> {
    let listed = source.setting(key).as_array().filter(|listed| !listed.is_empty());
    let bad = |why| Error::Value { key: key.to_owned(), why };
    if let Some(listed) = listed.filter(|listed| listed.len() != count) {
        return Err(bad(format!("names {} layers of {count}", listed.len())));
    }
    let of = |layer: usize| {
        let listed = listed.map(|listed| &listed[layer]);
        flag(layer, listed).ok_or_else(|| {
            bad(format!("names {}, which this family does not have", listed.unwrap_or_default()))
        })
    };
    (0..count).map(of).collect()
}

/// The layers that `moe_layers` lists have experts, or else every so many one.
fn feed_forward(
    source: &Source,
    hyper: &Hyper,
    experts: experts::Options,
) -> Result<Vec<Kind>, Error> {
    let width = match source.is_gguf() {
        true => hyper.feed_forward,
        false => Some(source.size_or(name("", "intermediate_size_mlp"), 16_384)?),
    };
    let plain = mlp::Options { names: PLAIN_NAMES, width, ..mlp::Options::PLAIN };
    let step = source.size_or(name("interleave_moe_layer_step", "interleave_moe_layer_step"), 1)?;
    let listed = source.setting("moe_layers").as_array();
    let kind = |layer: usize| {
        let routed = match listed {
            Some(listed) => listed.iter().any(|i| i.as_u64() == Some(layer as u64)),
            None => (layer + 1).is_multiple_of(step),
        };
        if routed { Kind::Experts(experts) } else { Kind::Gated(plain) }
    };
    Ok((0..hyper.layers).map(kind).collect())
}
