//! `/api/generate`: from a body to what was asked.

use serde_json::{Value, json};
use turn::{Chat, Prompt};

use super::think::Think;
use super::{ask, messages};
use crate::fields::Fields;
use crate::{Asked, Refusal};

/// Decodes a body. An empty prompt asks for nothing but the model itself.
///
/// # Errors
/// The first field that is wrong, unknown or not served.
pub fn decode(body: &[u8]) -> Result<(Asked, Option<Think>), Refusal> {
    let mut fields = Fields::of_body(body)?;
    let (mut asked, think) = ask::asked(&mut fields)?;
    messages::no_images(&mut fields)?;
    refuse(&mut fields)?;
    let prompt = prompt(&mut fields)?;
    if think.is_some() && prompt.as_ref().is_some_and(|prompt| !matches!(prompt, Prompt::Chat(_))) {
        return Err(fields.refusal("think", "is the template's, which is not used here"));
    }
    fields.finish()?;
    asked.prompts.extend(prompt);
    Ok((asked, think))
}

/// What old clients send along while it is empty.
fn refuse(fields: &mut Fields) -> Result<(), Refusal> {
    if fields.string("template")?.is_some_and(|template| !template.is_empty()) {
        let what = "cannot be given: the model's own is used, or none where `raw` is true";
        return Err(fields.refusal("template", what));
    }
    match fields.list("context")?.is_none_or(|tokens| tokens.is_empty()) {
        true => Ok(()),
        false => Err(fields.refusal("context", "is not served; ask /api/chat with all messages")),
    }
}

fn prompt(fields: &mut Fields) -> Result<Option<Prompt>, Refusal> {
    let prompt = fields.string("prompt")?.unwrap_or_default();
    let system = fields.string("system")?.filter(|text| !text.is_empty());
    let suffix = fields.string("suffix")?.filter(|text| !text.is_empty());
    let raw = fields.flag("raw")?.unwrap_or(false);
    let plain = if raw { "`raw`" } else { "`suffix`" };
    match (system, suffix) {
        (Some(_), suffix) if raw || suffix.is_some() => {
            Err(fields.refusal("system", &format!("is the template's, which {plain} leaves out")))
        }
        (_, Some(_)) if raw => Err(fields.refusal("suffix", "cannot be given where `raw` is true")),
        (_, Some(after)) => Ok(Some(Prompt::Gap { before: prompt, after })),
        _ if prompt.is_empty() => Ok(None),
        _ if raw => Ok(Some(Prompt::Text(prompt))),
        (system, None) => Ok(Some(conversation(system, prompt))),
    }
}

fn conversation(system: Option<String>, prompt: String) -> Prompt {
    let message = |role: &str, text: String| json!({ "role": role, "content": text });
    let system = system.map(|text| message("system", text));
    let messages: Vec<Value> = system.into_iter().chain([message("user", prompt)]).collect();
    Prompt::Chat(Chat { messages, ..Chat::default() })
}
