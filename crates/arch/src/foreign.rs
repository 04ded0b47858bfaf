//! Settings that change the computation and that no recipe follows.
//!
//! A file of these families has none of them, or has the value that does nothing. One with another
//! value is refused: running it as something else would give a wrong answer without a word.

use formats::gguf::{Gguf, Value as Metadata};
use serde_json::Value;

use crate::source::Source;
use crate::{Error, Family, stored};

/// Keys of GGUF files behind the architecture, each with the number that does nothing; 1 is true.
const GGUF: &[(&str, f64)] = &[
    ("attention.causal", 1.0),
    ("attention.clamp_kqv", 0.0),
    ("attention.max_alibi_bias", 0.0),
    ("attention.scale", 0.0),
    ("attention.sliding_window", 0.0),
    ("attention.temperature_scale", 0.0),
    ("attn_logit_softcapping", 0.0),
    ("embedding_scale", 1.0),
    ("expert_count", 0.0),
    ("final_logit_softcapping", 0.0),
    ("logit_scale", 1.0),
    ("residual_scale", 1.0),
    ("rope.scaling.yarn_ext_factor", 1.0),
    ("rope.scaling.yarn_log_multiplier", 0.0),
    ("use_parallel_residual", 0.0),
];

/// Refuses a model with such a setting.
pub(crate) fn refuse(source: &Source, family: &Family) -> Result<(), Error> {
    match source.gguf() {
        Some(gguf) => refuse_gguf(gguf, family),
        None => refuse_folder(source, family),
    }
}

fn refuse_gguf(gguf: &Gguf, family: &Family) -> Result<(), Error> {
    let architecture = gguf.str("general.architecture")?.unwrap_or("");
    for (name, nothing) in GGUF.iter().filter(|(name, _)| !family.follows.contains(name)) {
        let key = format!("{architecture}.{name}");
        if gguf.get(&key).is_some_and(|value| number(&value) != Some(*nothing)) {
            return Err(unknown(&key, "is set"));
        }
    }
    Ok(())
}

fn number(value: &Metadata) -> Option<f64> {
    match value {
        Metadata::F32(number) => Some(f64::from(*number)),
        Metadata::F64(number) => Some(*number),
        Metadata::Bool(flag) => Some(f64::from(u8::from(*flag))),
        other => other.integer().map(|number| number as f64),
    }
}

fn refuse_folder(source: &Source, family: &Family) -> Result<(), Error> {
    if !source.flag("is_causal", true)? {
        return Err(unknown("is_causal", "is false"));
    }
    match source.setting("quantization_config") {
        Value::Null => Ok(()),
        quantised => {
            let method = quantised["quant_method"].as_str().unwrap_or("of no known method");
            if stored::METHODS.contains(&method) {
                return stored::check(quantised);
            }
            if family.follows.contains(&method) {
                return Ok(());
            }
            let known = stored::METHODS.join(", ");
            let why =
                format!("is {method}; hearth reads {known}, plain checkpoints and GGUF files");
            Err(Error::Value { key: "quantization_config".to_owned(), why })
        }
    }
}

fn unknown(key: &str, found: &str) -> Error {
    let why = format!("{found}, which hearth does not know in this architecture");
    Error::Value { key: key.to_owned(), why }
}
