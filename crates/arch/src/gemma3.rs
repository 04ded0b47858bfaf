//! Gemma 3 (text): norms before and after each part, five layers with a window to each full one,
//! and another rotary base for each kind.

use kernels::portable::math::Gate;

use crate::hyper::Hyper;
use crate::parts::attention;
use crate::parts::decoder::{Decoder, Recipe};
use crate::parts::feed_forward::Kind;
use crate::parts::mixer;
use crate::parts::mlp;
use crate::parts::norms::Norms;
use crate::parts::window;
use crate::rope::{GLOBAL_BASE, Layers, Rope, Unstated};
use crate::source::{Name, Source, name};
use crate::weight::Bias;
use crate::{Error, Family, Model};

pub(crate) const FAMILY: Family = Family {
    name: "gemma3",
    gguf: &["gemma3"],
    hugging_face: &["Gemma3ForCausalLM", "Gemma3ForConditionalGeneration"],
    follows: &["attention.sliding_window", "final_logit_softcapping"],
    unstated: UNSTATED,
    load,
};

/// The settings of the nested configurations of 4B and larger, which state what differs from these.
const UNSTATED: &[(&str, f64)] = &[
    ("hidden_size", 2304.0),
    ("intermediate_size", 9216.0),
    ("num_hidden_layers", 26.0),
    ("num_attention_heads", 8.0),
    ("num_key_value_heads", 4.0),
    ("head_dim", 256.0),
    ("max_position_embeddings", 131_072.0),
    ("rms_norm_eps", 1e-6),
    ("query_pre_attn_scalar", 256.0),
    ("sliding_window", 4096.0),
];

const SOFT_CAP: Name = name("final_logit_softcapping", "final_logit_softcapping");
const PATTERN: Name = name("attention.sliding_window_pattern", "sliding_window_pattern");
const SCALAR: Name = name("", "query_pre_attn_scalar");

/// Of this many layers the last is full, where a file does not say.
const UNSTATED_PATTERN: usize = 6;

/// The context of those that were stretched, 4B and larger.
const STRETCHED: usize = 131_072;

/// The layers of the 27B, whose scores are scaled otherwise; GGUF files have no key for it.
const LAYERS_OF_27B: usize = 62;

fn load(source: &Source) -> Result<Box<dyn Model>, Error> {
    let hyper = Hyper::read(source)?;
    source.expect_setting("hidden_activation", "gelu_pytorch_tanh")?;
    for key in ["attn_logit_softcapping", "use_bidirectional_attention"] {
        if !matches!(source.setting(key), serde_json::Value::Null | serde_json::Value::Bool(false))
        {
            let why = "is set, which hearth does not know in this family".to_owned();
            return Err(Error::Value { key: key.to_owned(), why });
        }
    }
    let norms = Norms {
        after_attention: Some(name("post_attention_norm", "post_attention_layernorm")),
        feed_forward: name("ffn_norm", "pre_feedforward_layernorm"),
        after_feed_forward: Some(name("post_ffw_norm", "post_feedforward_layernorm")),
        // Folders store the weights of norms less one; GGUF files do not.
        offset: if source.is_gguf() { 0.0 } else { 1.0 },
        ..Norms::PLAIN
    };
    // Until the end of 2025 Ollama's own converter wrote parts that see beside the text model,
    // other names for the bases, and left out what is the same in all.
    let by_ollama = source.may_skip_senses() || source.number(GLOBAL_BASE)?.is_some();
    let is_stretched = by_ollama && hyper.context >= STRETCHED;
    let factor = if is_stretched { 8.0 } else { 1.0 };
    let unstated = Unstated { base: 1e6, factor, ..Unstated::USUAL };
    let layers = [Layers::Full, Layers::Window];
    let ropes = layers.map(|layers| Rope::read_for(source, hyper.head_dim, (layers, unstated)));
    let mlp = mlp::Options { gate: Gate::Gelu, ..mlp::Options::PLAIN };
    let recipe = Recipe {
        family: FAMILY.name,
        ropes: ropes.into_iter().collect::<Result<_, _>>()?,
        mixers: mixer::attention(attention(source, &hyper)?),
        feed_forward: vec![Kind::Gated(mlp); hyper.layers],
        norms,
        embedding_scale: (hyper.hidden as f32).sqrt(),
        tied: true,
        inputs: None,
        layer_scale: None,
        // Ollama's converter wrote a cap that these models do not have, and it applied none.
        soft_cap: source.number(SOFT_CAP)?.filter(|cap| *cap != 0.0 && !by_ollama),
    };
    Ok(Box::new(Decoder::find(source, &hyper, recipe)?))
}

fn attention(source: &Source, hyper: &Hyper) -> Result<Vec<attention::Options>, Error> {
    // llama.cpp's converter writes none where all layers are full.
    let window = source.size_if(name("attention.sliding_window", "sliding_window"))?;
    let flags = source.flags(PATTERN, hyper.layers)?;
    let pattern = if flags.is_some() { 1 } else { source.size_or(PATTERN, UNSTATED_PATTERN)? };
    let by_pattern = |layer: usize| match &flags {
        Some(flags) => flags[layer],
        None => window.is_some() && !(layer + 1).is_multiple_of(pattern),
    };
    let windowed = window::listed_or(source, hyper.layers, by_pattern)?;
    if window.is_none() && windowed.contains(&true) {
        return Err(source.missing(name("attention.sliding_window", "sliding_window")));
    }
    let bias = Bias::by_flag(source, "attention_bias")?;
    let scale = 1.0 / scaled_width(source, hyper)?.sqrt();
    let options = |windowed: bool| attention::Options {
        bias,
        output_bias: bias,
        head_norms: true,
        window: window.filter(|_| windowed),
        scale: Some(scale),
        rope: Some(usize::from(windowed)),
        ..attention::Options::PLAIN
    };
    Ok(windowed.into_iter().map(options).collect())
}

/// The width whose root divides the scores.
fn scaled_width(source: &Source, hyper: &Hyper) -> Result<f32, Error> {
    let by_layers = match hyper.layers {
        LAYERS_OF_27B => (hyper.hidden / hyper.heads) as f32,
        _ => hyper.head_dim as f32,
    };
    if source.is_gguf() {
        return Ok(by_layers);
    }
    let stated = source.number(SCALAR)?.unwrap_or(by_layers);
    if stated > 0.0 { Ok(stated) } else { Err(source.bad(SCALAR, format!("is {stated}"))) }
}
