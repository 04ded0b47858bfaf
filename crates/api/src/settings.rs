//! Settings that several dialects write in the same way.

use serde_json::Value;

use crate::Refusal;
use crate::fields::Fields;

/// Stop strings; each is looked for in all that is said.
const STOPS: usize = 64;
/// Bytes of each.
const STOP_BYTES: usize = 1024;
/// Alternatives that may be reported with each token.
pub const ALTERNATIVES: i64 = 20;

/// vLLM's clients write -1 for all, others 0.
pub fn top_k(fields: &mut Fields) -> Result<Option<usize>, Refusal> {
    let count = fields.whole("top_k", -1..=i64::from(u32::MAX))?;
    Ok(count.map(|count| usize::try_from(count).unwrap_or(0)))
}

/// Any number of 64 bits; a negative one is taken for its bits.
pub fn seed(fields: &mut Fields) -> Result<Option<u64>, Refusal> {
    let Some(value) = fields.take("seed") else { return Ok(None) };
    let bits = value.as_u64().or_else(|| value.as_i64().map(i64::cast_unsigned));
    bits.map(Some).ok_or_else(|| fields.refusal("seed", "must be a whole number of 64 bits"))
}

/// The strings that end a reply: one or a list.
pub fn stop(fields: &mut Fields) -> Result<Vec<String>, Refusal> {
    let stop = match fields.take("stop") {
        None => Vec::new(),
        Some(Value::Array(items)) => items,
        Some(one) => vec![one],
    };
    stops(fields, "stop", stop)
}

/// The same of what a field of this name has.
pub fn stops(fields: &Fields, name: &str, stop: Vec<Value>) -> Result<Vec<String>, Refusal> {
    if stop.len() > STOPS {
        return Err(fields.refusal(name, &format!("has more than {STOPS} strings")));
    }
    let text = |item| match item {
        Value::String(text) if text.len() > STOP_BYTES => {
            Err(fields.refusal(name, &format!("has a string of more than {STOP_BYTES} bytes")))
        }
        Value::String(text) if !text.is_empty() => Ok(text),
        _ => Err(fields.refusal(name, "must have strings only, none empty")),
    };
    stop.into_iter().map(text).collect()
}

/// Whether log probabilities are shown, and how many alternatives with each.
pub fn logprobs(fields: &mut Fields) -> Result<(bool, Option<usize>), Refusal> {
    let wanted = fields.flag("logprobs")?.unwrap_or(false);
    let top = fields.count("top_logprobs", 0..=ALTERNATIVES)?;
    match top {
        Some(top) if top > 0 && !wanted => {
            Err(fields.refusal("top_logprobs", "needs `logprobs` to be true"))
        }
        _ => Ok((wanted, top.filter(|_| wanted))),
    }
}

/// The name of the model that is asked.
pub fn model(fields: &mut Fields) -> Result<String, Refusal> {
    let name = fields.string("model")?;
    match fields.need("model", name)? {
        name if name.is_empty() => Err(fields.refusal("model", "must not be empty")),
        name => Ok(name),
    }
}
