//! What both ways of asking have in common: how tokens are chosen, when to stop, how to reply.

use std::collections::BTreeMap;
use std::time::Duration;

use turn::{Limits, Wishes};

use crate::fields::Fields;
use crate::{Manner, Refusal, keep, settings};

/// Tokens with a bias; each is looked at for every token of a reply.
const BIASES: usize = 1024;
/// Replies to one prompt.
pub const COPIES: i64 = 16;
/// They cannot change an answer: bookkeeping, and hints for caches and clouds.
const IDLE: [&str; 8] = [
    "metadata",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "prompt_cache_options",
    "cache_prompt",
    "service_tier",
];

/// How tokens are to be chosen. Log probabilities are the business of each way of asking.
pub fn wishes(fields: &mut Fields) -> Result<Wishes, Refusal> {
    Ok(Wishes {
        temperature: fields.number("temperature", 0.0..=2.0)?,
        top_k: settings::top_k(fields)?,
        top_p: fields.number("top_p", 0.0..=1.0)?,
        min_p: fields.number("min_p", 0.0..=1.0)?,
        repetition_penalty: penalty(fields)?,
        frequency_penalty: fields.number("frequency_penalty", -2.0..=2.0)?,
        presence_penalty: fields.number("presence_penalty", -2.0..=2.0)?,
        logit_bias: logit_bias(fields)?,
        seed: settings::seed(fields)?,
        top_logprobs: None,
    })
}

/// vLLM's name counts before llama.cpp's.
fn penalty(fields: &mut Fields) -> Result<Option<f32>, Refusal> {
    let one = fields.number("repetition_penalty", 0.01..=100.0)?;
    let other = fields.number("repeat_penalty", 0.01..=100.0)?;
    Ok(one.or(other))
}

fn logit_bias(fields: &mut Fields) -> Result<Option<Vec<(u32, f32)>>, Refusal> {
    let Some(object) = fields.object("logit_bias")? else { return Ok(None) };
    let what = "must map token ids to numbers between -100 and 100";
    let object = object.rest();
    if object.len() > BIASES {
        return Err(fields.refusal("logit_bias", &format!("has more than {BIASES} tokens")));
    }
    let mut biases = BTreeMap::new();
    for (token, bias) in object {
        let bias = bias.as_f64().filter(|bias| (-100.0..=100.0).contains(bias));
        match (token.parse(), bias) {
            (Ok(token), Some(bias)) if biases.insert(token, bias as f32).is_none() => {}
            (Ok(_), Some(_)) => return Err(fields.refusal("logit_bias", "has a token twice")),
            _ => return Err(fields.refusal("logit_bias", what)),
        }
    }
    Ok(Some(biases.into_iter().collect()))
}

/// The strings that end a reply, and the limit of tokens that the caller has read.
pub fn limits(fields: &mut Fields, tokens: Option<usize>) -> Result<Limits, Refusal> {
    Ok(Limits { tokens, stop: settings::stop(fields)? })
}

/// Whether the reply is streamed, and what its stream ends with.
pub fn manner(fields: &mut Fields, ignored: &mut Vec<String>) -> Result<Manner, Refusal> {
    let streamed = fields.flag("stream")?.unwrap_or(false);
    let mut manner = Manner { streamed, ..Manner::default() };
    if let Some(mut options) = fields.object("stream_options")? {
        manner.with_usage = options.flag("include_usage")?.unwrap_or(false) && streamed;
        // Padding against eavesdroppers on the length of pieces.
        options.ignore("include_obfuscation", ignored);
        // How summaries of reasoning come; there are none but the whole.
        options.ignore("reasoning_summary_delivery", ignored);
        options.finish()?;
        if !streamed {
            ignored.push("stream_options".to_owned());
        }
    }
    Ok(manner)
}

/// Notes the fields that cannot change an answer.
pub fn idle(fields: &mut Fields) -> Vec<String> {
    let mut ignored = Vec::new();
    for name in IDLE {
        fields.ignore(name, &mut ignored);
    }
    ignored
}

/// Replies of these ways of asking are not kept.
pub fn unkept(fields: &mut Fields, ignored: &mut Vec<String>) -> Result<(), Refusal> {
    if fields.flag("store")?.is_some() {
        ignored.push("store".to_owned());
    }
    Ok(())
}

/// How long the model is to be kept: `keep_alive` as Ollama's clients write it, or `ttl` in
/// seconds as LM Studio's do.
pub fn keep(fields: &mut Fields) -> Result<Option<Option<Duration>>, Refusal> {
    let ttl = fields.whole("ttl", 0..=i64::from(u32::MAX))?;
    match ttl {
        None => keep::keep_alive(fields),
        Some(_) if fields.has("keep_alive") => {
            Err(fields.refusal("ttl", "says the same as `keep_alive`; give one of them"))
        }
        Some(seconds) => Ok(Some(Some(Duration::from_secs(seconds.cast_unsigned())))),
    }
}
