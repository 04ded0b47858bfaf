//! From a body to what was asked: what `/api/chat` and `/api/generate` have in common.

use serde_json::{Value, json};
use turn::{Demand, Form, Wishes};

use super::options::{move_in, options};
use super::think::{Think, think};
use crate::fields::Fields;
use crate::{Asked, Manner, Refusal, keep, settings};

/// Reads all that does not depend on the way of asking. Nothing is asked of the model so far.
pub fn asked(fields: &mut Fields) -> Result<(Asked, Option<Think>), Refusal> {
    let model = settings::model(fields)?;
    let mut ignored = Vec::new();
    never_cut(fields)?;
    move_in(fields)?;
    let (wishes, limits) = options(fields, &mut ignored)?;
    let (logprobs, top_logprobs) = settings::logprobs(fields)?;
    let streamed = fields.flag("stream")?.unwrap_or(true);
    let asked = Asked {
        model,
        prompts: Vec::new(),
        copies: 1,
        wishes: Wishes { top_logprobs, ..wishes },
        limits,
        demand: Demand { answer: form(fields)?, ..Demand::default() },
        keep: keep::keep_alive(fields)?,
        manner: Manner { streamed, with_usage: true, logprobs },
        ignored,
    };
    Ok((asked, think(fields)?))
}

/// A prompt that does not fit is refused, and a reply ends where the context does. Nothing is cut
/// out of a conversation.
fn never_cut(fields: &mut Fields) -> Result<(), Refusal> {
    let what = [
        ("truncate", "cannot be true: a prompt that is too long is refused"),
        ("shift", "cannot be true: a reply ends when the context is full"),
    ];
    for (name, what) in what {
        if fields.flag(name)? == Some(true) {
            return Err(fields.refusal(name, what));
        }
    }
    Ok(())
}

/// What the answer must be.
fn form(fields: &mut Fields) -> Result<Option<Form>, Refusal> {
    match fields.take("format") {
        None => Ok(None),
        Some(Value::String(word)) if word.is_empty() => Ok(None),
        Some(Value::String(word)) if word == "json" => {
            Ok(Some(Form::Schema(json!({ "type": "object" }))))
        }
        Some(schema @ Value::Object(_)) => Ok(Some(Form::Schema(schema))),
        Some(_) => Err(fields.refusal("format", "must be `json` or a JSON schema")),
    }
}
