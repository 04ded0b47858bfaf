//! `options`: how tokens are chosen and when to stop, and much about memory and threads.
//!
//! What is not stated is the model's own to say, as in the other dialects, and not what Ollama
//! would take: the same question has the same answer in each of them.

use turn::{Limits, Wishes};

use crate::Refusal;
use crate::fields::Fields;
use crate::settings;

/// They cannot change an answer: memory, threads, and room.
///
/// `num_ctx` is among them, be it more or less than the model's context: nothing is ever cut out of
/// a prompt to make it fit, so one that fits has the same answer with any number, and one that does
/// not is refused.
const IDLE: [&str; 16] = [
    "num_ctx",
    "num_keep",
    "num_batch",
    "num_gpu",
    "main_gpu",
    "num_thread",
    "numa",
    "low_vram",
    "use_mmap",
    "use_mlock",
    "f16_kv",
    "logits_all",
    "vocab_only",
    "embedding_only",
    // Of mirostat, which is off.
    "mirostat_tau",
    "mirostat_eta",
];
/// Ways of choosing tokens that are not served, each with the value that means it is off.
const OFF: [(&str, f64); 3] = [("mirostat", 0.0), ("typical_p", 1.0), ("tfs_z", 1.0)];

/// What some clients write beside the options, and which of them they mean.
const BESIDE: [(&str, &str); 3] =
    [("temperature", "temperature"), ("top_p", "top_p"), ("max_output_tokens", "num_predict")];

/// Puts what stands beside `options` among them, where they do not say it themselves.
pub fn move_in(fields: &mut Fields) -> Result<(), Refusal> {
    for (beside, name) in BESIDE {
        if let Some(value) = fields.take(beside) {
            fields.set_within("options", name, value)?;
        }
    }
    Ok(())
}

/// Reads `options`.
pub fn options(
    fields: &mut Fields,
    ignored: &mut Vec<String>,
) -> Result<(Wishes, Limits), Refusal> {
    let Some(mut options) = fields.object("options")? else {
        return Ok((Wishes::default(), Limits::default()));
    };
    for name in IDLE {
        options.ignore(name, ignored);
    }
    off(&mut options, ignored)?;
    let wishes = Wishes {
        temperature: options.number("temperature", 0.0..=100.0)?,
        top_k: settings::top_k(&mut options)?,
        top_p: options.number("top_p", 0.0..=1.0)?,
        min_p: options.number("min_p", 0.0..=1.0)?,
        repetition_penalty: repeat_penalty(&mut options)?,
        frequency_penalty: options.number("frequency_penalty", -100.0..=100.0)?,
        presence_penalty: options.number("presence_penalty", -100.0..=100.0)?,
        seed: seed(&mut options)?,
        ..Wishes::default()
    };
    let wishes = penalised(&mut options, wishes, ignored)?;
    let limits = Limits { tokens: tokens(&mut options)?, stop: settings::stop(&mut options)? };
    options.finish()?;
    Ok((wishes, limits))
}

fn off(options: &mut Fields, ignored: &mut Vec<String>) -> Result<(), Refusal> {
    for (name, value) in OFF {
        match options.take(name) {
            None => {}
            Some(given) if given.as_f64() == Some(value) => ignored.push(options.path(name)),
            Some(_) => {
                let what = format!("must be {value}: this way of choosing is not served");
                return Err(options.refusal(name, &what));
            }
        }
    }
    Ok(())
}

/// Clients that know other penalties only write none of them as nothing.
fn repeat_penalty(options: &mut Fields) -> Result<Option<f32>, Refusal> {
    if options.copy("repeat_penalty").is_some_and(|given| given.as_f64() == Some(0.0)) {
        options.take("repeat_penalty");
        return Ok(Some(1.0));
    }
    options.number("repeat_penalty", 0.01..=100.0)
}

/// -1 stands for a random one, as no seed does.
fn seed(options: &mut Fields) -> Result<Option<u64>, Refusal> {
    let seed = settings::seed(options)?;
    Ok(seed.filter(|seed| *seed != u64::MAX))
}

/// How far back penalties look: as far as there are tokens. Another distance changes the answer
/// unless nothing is penalised.
fn penalised(
    options: &mut Fields,
    wishes: Wishes,
    ignored: &mut Vec<String>,
) -> Result<Wishes, Refusal> {
    let is_none = |penalty: Option<f32>| penalty.is_none_or(|penalty| penalty == 0.0);
    let is_asked = wishes.repetition_penalty.is_some_and(|penalty| penalty != 1.0)
        || !is_none(wishes.frequency_penalty)
        || !is_none(wishes.presence_penalty);
    let nothing = wishes.repetition_penalty.is_some() && !is_asked;
    if options.flag("penalize_newline")? == Some(false) && !nothing {
        return Err(options.refusal("penalize_newline", "must be true: no token is left out"));
    }
    match options.whole("repeat_last_n", -1..=i64::MAX)? {
        None | Some(-1) => Ok(wishes),
        // Nothing is looked at.
        Some(0) => Ok(Wishes {
            repetition_penalty: Some(1.0),
            frequency_penalty: Some(0.0),
            presence_penalty: Some(0.0),
            ..wishes
        }),
        // Forms with all settings send Ollama's own default along. Where the model's maker, and not
        // the client, wants a penalty, it looks at all tokens.
        Some(_) if !is_asked => {
            ignored.push(options.path("repeat_last_n"));
            Ok(wishes)
        }
        Some(_) => {
            let what = "must be -1, which is all tokens, or 0, which is none";
            Err(options.refusal("repeat_last_n", what))
        }
    }
}

/// Both negative numbers that Ollama knows mean: until the context is full.
fn tokens(options: &mut Fields) -> Result<Option<usize>, Refusal> {
    match options.whole("num_predict", -2..=i64::MAX)? {
        None | Some(-1 | -2) => Ok(None),
        Some(0) => Err(options.refusal("num_predict", "must be at least 1, or -1 for no limit")),
        Some(count) => Ok(usize::try_from(count).ok()),
    }
}
