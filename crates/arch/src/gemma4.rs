//! Gemma 4 (text): wider heads in the full layers, of which a quarter turns; keys and values that
//! the last layers read from layers before; inputs of their own for all layers; and, in some
//! models, experts beside the gated layer.

use std::ops::Range;

use kernels::portable::math::Gate;
use serde_json::Value;

use crate::hyper::{self, FEED_FORWARD, HEAD_DIM, Hyper, KEY_HEADS};
use crate::parts::attention::{self, Values};
use crate::parts::decoder::{Decoder, Recipe};
use crate::parts::experts::{self, Score, Stored};
use crate::parts::feed_forward::Kind;
use crate::parts::norms::Norms;
use crate::parts::{mixer, mlp, window};
use crate::rope::{Layers, Rope, Unstated};
use crate::source::{Name, OtherNames, Source, name};
use crate::weight::Bias;
use crate::{Error, Family, Model};

pub(crate) const FAMILY: Family = Family {
    name: "gemma4",
    gguf: &["gemma4"],
    hugging_face: &["Gemma4ForCausalLM", "Gemma4ForConditionalGeneration"],
    follows: &["attention.sliding_window", "final_logit_softcapping", "expert_count"],
    unstated: &[
        ("num_key_value_heads", 4.0),
        ("head_dim", 256.0),
        ("global_head_dim", 512.0),
        ("max_position_embeddings", 131_072.0),
        ("rms_norm_eps", 1e-6),
        ("sliding_window", 512.0),
        ("hidden_size_per_layer_input", 256.0),
    ],
    load,
};

const SOFT_CAP: Name = name("final_logit_softcapping", "final_logit_softcapping");
const WINDOW_PATTERN: Name = name("attention.sliding_window_pattern", "");
const WINDOW_HEAD_DIM: Name = name("attention.key_length_swa", "head_dim");
const FULL_HEAD_DIM: Name = name("attention.key_length", "global_head_dim");
const FULL_KEY_HEADS: Name = name("", "num_global_key_value_heads");
const SHARED_LAYERS: Name = name("attention.shared_kv_layers", "num_kv_shared_layers");
const INPUTS: Name = name("embedding_length_per_layer_input", "hidden_size_per_layer_input");
const EACH: Name = name("expert_used_count", "top_k_experts");

/// What Ollama's first files called the factors of experts.
const FIRST_NAMES: OtherNames = &[("ffn_down_exps.scale", "ffn_gate_inp.per_expert_scale")];

/// Of this many layers the last is full, where a folder does not say.
const UNSTATED_PATTERN: usize = 6;

fn load(source: &Source) -> Result<Box<dyn Model>, Error> {
    let hyper = Hyper::read(source)?;
    source.expect_setting("hidden_activation", "gelu_pytorch_tanh")?;
    // Pictures may be seen from both sides; a text is not.
    source.expect_setting("use_bidirectional_attention", "vision")?;
    source.may_skip_senses();
    let plan = Plan::read(source, &hyper)?;
    let norms = Norms {
        after_attention: Some(name("post_attention_norm", "post_attention_layernorm")),
        feed_forward: name("ffn_norm", "pre_feedforward_layernorm"),
        after_feed_forward: Some(name("post_ffw_norm", "post_feedforward_layernorm")),
        ..Norms::PLAIN
    };
    let ropes = [(Layers::Full, plan.full.head_dim), (Layers::Window, plan.windowed.head_dim)];
    let ropes =
        ropes.map(|(layers, head_dim)| Rope::read_for(source, head_dim, (layers, Unstated::USUAL)));
    let recipe = Recipe {
        family: FAMILY.name,
        ropes: ropes.into_iter().collect::<Result<_, _>>()?,
        mixers: mixer::attention(plan.attention(source)?),
        feed_forward: feed_forward(source, &hyper, &plan)?,
        norms,
        embedding_scale: (hyper.hidden as f32).sqrt(),
        tied: true,
        inputs: source.count_if(INPUTS)?.filter(|width| *width > 0),
        layer_scale: Some(name("layer_output_scale.weight", "layer_scalar")),
        soft_cap: source.number(SOFT_CAP)?.filter(|cap| *cap != 0.0),
    };
    Ok(Box::new(Decoder::find(source, &hyper, recipe)?))
}

/// The sizes of the heads in one kind of layers.
#[derive(Clone, Copy)]
struct Heads {
    head_dim: usize,
    keys: usize,
}

/// Which layers are of which kind.
struct Plan {
    windows: Vec<bool>,
    full: Heads,
    windowed: Heads,
    /// The last layers, which read keys and values of others.
    readers: Range<usize>,
}

impl Plan {
    fn read(source: &Source, hyper: &Hyper) -> Result<Plan, Error> {
        let windows = match source.flags(WINDOW_PATTERN, hyper.layers)? {
            Some(windows) => windows,
            None => window::listed_or(source, hyper.layers, |layer| {
                !(layer + 1).is_multiple_of(UNSTATED_PATTERN)
            })?,
        };
        let windowed = Heads { head_dim: source.size(WINDOW_HEAD_DIM)?, keys: hyper.key_heads };
        let (full, windowed) = match source.is_gguf() {
            true => {
                let keys = source.sizes(KEY_HEADS)?;
                // One for all layers, or one for each.
                let keys_of = |window: bool| {
                    let layer = windows.iter().position(|windowed| *windowed == window);
                    keys.get(layer.unwrap_or(0)).or(keys.first()).copied()
                };
                let keys = |window| keys_of(window).ok_or_else(|| source.missing(KEY_HEADS));
                let full = Heads { head_dim: source.size(FULL_HEAD_DIM)?, keys: keys(false)? };
                (full, Heads { keys: keys(true)?, ..windowed })
            }
            false => (full_heads(source, &windows, hyper)?, windowed),
        };
        for (name, heads) in [(FULL_HEAD_DIM, full), (WINDOW_HEAD_DIM, windowed)] {
            hyper::check_head(source, name, heads.head_dim)?;
            if heads.keys == 0 || !hyper.heads.is_multiple_of(heads.keys) {
                let why = format!("is {}, which does not divide {}", heads.keys, hyper.heads);
                return Err(source.bad(KEY_HEADS, why));
            }
        }
        let shared = source.count_if(SHARED_LAYERS)?.unwrap_or(0);
        if shared >= hyper.layers {
            return Err(
                source.bad(SHARED_LAYERS, format!("is {shared} of {} layers", hyper.layers))
            );
        }
        Ok(Plan { windows, full, windowed, readers: hyper.layers - shared..hyper.layers })
    }

    fn attention(&self, source: &Source) -> Result<Vec<attention::Options>, Error> {
        let window = source.size(name("attention.sliding_window", "sliding_window"))?;
        let bias = Bias::by_flag(source, "attention_bias")?;
        let keys_are_values = source.flag("attention_k_eq_v", false)?;
        let options = |(layer, windowed): (usize, &bool)| {
            let heads = if *windowed { self.windowed } else { self.full };
            let reads = match self.readers.contains(&layer) {
                true => Some(self.read_by(source, *windowed)?),
                false => None,
            };
            let as_values = match source.is_gguf() {
                true => source.find(&format!("blk.{layer}.attn_v.weight")).is_none(),
                false => keys_are_values && !windowed,
            };
            Ok(attention::Options {
                bias,
                output_bias: bias,
                head_norms: true,
                window: windowed.then_some(window),
                scale: Some(1.0),
                rope: Some(usize::from(*windowed)),
                head_dim: Some(heads.head_dim),
                key_heads: Some(heads.keys),
                values: if as_values { Values::NormedKeys } else { Values::Normed },
                reads,
                ..attention::Options::PLAIN
            })
        };
        self.windows.iter().enumerate().map(options).collect()
    }

    /// The layer whose keys and values the last layers of a kind read: the last of their kind that
    /// has any.
    fn read_by(&self, source: &Source, windowed: bool) -> Result<usize, Error> {
        let own = &self.windows[..self.readers.start];
        own.iter().rposition(|other| *other == windowed).ok_or_else(|| {
            let why = "leaves no layer of some kind with keys and values".to_owned();
            source.bad(SHARED_LAYERS, why)
        })
    }
}

/// Newer folders list what is special in a layer, older ones have one setting for the full layers.
fn full_heads(source: &Source, windows: &[bool], hyper: &Hyper) -> Result<Heads, Error> {
    let first = windows.iter().position(|windowed| !windowed);
    if let Value::Object(layers) = source.setting("per_layer_config") {
        let own = first.and_then(|layer| layers.get(&layer.to_string()));
        let size = |key: &'static str, otherwise: usize| match own.map(|own| &own[key]) {
            None | Some(Value::Null) => Ok(otherwise),
            Some(value) => value.as_u64().map(|size| size as usize).ok_or_else(|| {
                let key = format!("per_layer_config.{key}");
                Error::Value { key, why: format!("is {value}") }
            }),
        };
        let head_dim = size("head_dim", source.size(HEAD_DIM)?)?;
        return Ok(Heads { head_dim, keys: size("num_key_value_heads", hyper.key_heads)? });
    }
    let keys = match source.flag("attention_k_eq_v", false)? {
        true => source.size_or(FULL_KEY_HEADS, hyper.key_heads)?,
        false => hyper.key_heads,
    };
    Ok(Heads { head_dim: source.size(FULL_HEAD_DIM)?, keys })
}

fn feed_forward(source: &Source, hyper: &Hyper, plan: &Plan) -> Result<Vec<Kind>, Error> {
    let doubled = source.flag("use_double_wide_mlp", false)?;
    let widths = source.sizes(FEED_FORWARD)?;
    let missing = || source.missing(FEED_FORWARD);
    let width = |layer: usize| match widths[..] {
        [width] if doubled && plan.readers.contains(&layer) => Ok(2 * width),
        [width] => Ok(width),
        _ => widths.get(layer).copied().ok_or_else(missing),
    };
    let experts = experts(source)?;
    let kind = |layer| {
        let gated =
            mlp::Options { gate: Gate::Gelu, width: Some(width(layer)?), ..mlp::Options::PLAIN };
        Ok(match experts {
            Some(experts) => Kind::Twin(gated, experts),
            None => Kind::Gated(gated),
        })
    };
    (0..hyper.layers).map(kind).collect()
}

fn experts(source: &Source) -> Result<Option<experts::Options>, Error> {
    source.set_other_names_if_there(FIRST_NAMES);
    let there = match source.is_gguf() {
        true => source.count_if(experts::COUNT)?.is_some_and(|count| count > 0),
        false => source.flag("enable_moe_block", false)?,
    };
    if !there {
        return Ok(None);
    }
    let width = source.size(experts::WIDTH)?;
    Ok(Some(experts::Options {
        gate: Gate::Gelu,
        stored: Stored::Joined("experts"),
        router: Some(name("ffn_gate_inp", "router.proj")),
        scales: Some(name("ffn_down_exps.scale", "router.per_expert_scale")),
        ..experts::Options::read_by(source, EACH, (width, Score::Renormalised))?
    }))
}
