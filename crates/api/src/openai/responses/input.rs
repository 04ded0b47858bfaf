//! `input`: a text, or items as clients write them or send them back.

use serde_json::{Value, json};

use super::item::Item;
use crate::Refusal;
use crate::asked::UNSEEN;
use crate::fields::Fields;
use crate::openai::messages::role_in_templates;

/// What clients leave in items that they send back; nothing follows from it here.
const IDLE: [&str; 8] = [
    "status",
    "phase",
    "annotations",
    "logprobs",
    "encrypted_content",
    "prompt_cache_breakpoint",
    "namespace",
    "internal_chat_message_metadata_passthrough",
];
/// Items of what OpenAI's servers did or keep by themselves. The conversation goes on without.
const THEIRS: [&str; 6] = [
    "web_search_call",
    "file_search_call",
    "code_interpreter_call",
    "image_generation_call",
    "tool_search_call",
    "compaction",
];

/// What a client gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Given(Given),
    /// An item of a response that is kept, by its id.
    Reference {
        /// Where in the body it is named.
        path: String,
        id: String,
    },
}

/// An item, and its id if the client has said one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    pub id: Option<String>,
    pub item: Item,
}

/// Reads `input`.
pub fn input(fields: &mut Fields, ignored: &mut Vec<String>) -> Result<Vec<Input>, Refusal> {
    let path = fields.path("input");
    let input = fields.take("input");
    let items = match fields.need("input", input)? {
        Value::String(text) => {
            let item = Item::Message { role: "user".to_owned(), text };
            return Ok(vec![Input::Given(Given { id: None, item })]);
        }
        Value::Array(items) if items.is_empty() => {
            return Err(fields.refusal("input", "must not be empty"));
        }
        Value::Array(items) => items,
        _ => return Err(fields.refusal("input", "must be a text or a list of items")),
    };
    let mut read = Vec::with_capacity(items.len());
    for (at, value) in items.into_iter().enumerate() {
        let item = Fields::of_value(format!("{path}[{at}]"), value)?;
        match item.copy("type") {
            Some(Value::String(kind)) if THEIRS.contains(&kind.as_str()) => {
                ignored.push(item.path(&kind));
            }
            _ => read.push(one(item, ignored)?),
        }
    }
    Ok(read)
}

fn one(mut fields: Fields, ignored: &mut Vec<String>) -> Result<Input, Refusal> {
    let id = fields.string("id")?;
    let is_bare = !fields.has("role") && id.is_some();
    let kind = match fields.string("type")? {
        Some(kind) => kind,
        None if is_bare => "item_reference".to_owned(),
        None => "message".to_owned(),
    };
    let item = match kind.as_str() {
        "message" => message(&mut fields, ignored)?,
        "reasoning" => reasoning(&mut fields, ignored)?,
        "function_call" => {
            let arguments = fields.string("arguments")?.unwrap_or_default();
            call(&mut fields, arguments)?
        }
        // Its argument is a text of any kind, as another model wrote it before.
        "custom_tool_call" => {
            let written = fields.string("input")?;
            let written = fields.need("input", written)?;
            call(&mut fields, json!({ "input": written }).to_string())?
        }
        "function_call_output" | "custom_tool_call_output" => result(&mut fields, ignored)?,
        "item_reference" => {
            let path = fields.path("id");
            let id = fields.need("id", id)?;
            fields.finish()?;
            return Ok(Input::Reference { path, id });
        }
        _ => {
            let what = "must be message, reasoning, function_call, function_call_output or \
                        item_reference";
            return Err(fields.refusal("type", what));
        }
    };
    idle(&mut fields, ignored);
    fields.finish()?;
    Ok(Input::Given(Given { id, item }))
}

fn message(fields: &mut Fields, ignored: &mut Vec<String>) -> Result<Item, Refusal> {
    let role = fields.string("role")?;
    let role = match fields.need("role", role)?.as_str() {
        "tool" => {
            return Err(fields.refusal("role", "cannot be `tool`; use a function_call_output"));
        }
        role => role_in_templates(fields, role)?.to_owned(),
    };
    let text = text(fields, "content", ignored)?;
    Ok(Item::Message { role, text })
}

/// Where there is the reasoning itself, a summary of it adds nothing.
fn reasoning(fields: &mut Fields, ignored: &mut Vec<String>) -> Result<Item, Refusal> {
    let mut read = |name: &str| match fields.has(name) {
        true => text(fields, name, ignored),
        false => Ok(String::new()),
    };
    let (content, summary) = (read("content")?, read("summary")?);
    Ok(Item::Reasoning(if content.is_empty() { summary } else { content }))
}

fn call(fields: &mut Fields, arguments: String) -> Result<Item, Refusal> {
    let call = fields.string("call_id")?;
    let name = fields.string("name")?;
    Ok(Item::Call {
        call: fields.need("call_id", call)?,
        namespace: fields.string("namespace")?,
        name: fields.need("name", name)?,
        arguments,
    })
}

fn result(fields: &mut Fields, ignored: &mut Vec<String>) -> Result<Item, Refusal> {
    let call = fields.string("call_id")?;
    let call = fields.need("call_id", call)?;
    // Templates know it from the call.
    let _ = fields.string("name")?;
    Ok(Item::Result { call, text: shown(fields, "output", ignored)? })
}

/// A text, or parts that are one text.
fn text(fields: &mut Fields, name: &str, ignored: &mut Vec<String>) -> Result<String, Refusal> {
    joined(fields, name, |fields| part(fields, ignored))
}

/// The same of what a tool has given. A picture among it stays in the conversation for good, so the
/// model is told that there is one instead of refusing all that follows.
fn shown(fields: &mut Fields, name: &str, ignored: &mut Vec<String>) -> Result<String, Refusal> {
    joined(fields, name, |fields| match fields.copy("type").is_some_and(|it| it == "input_image") {
        true => {
            ignored.push(fields.path("type"));
            Ok(UNSEEN.to_owned())
        }
        false => part(fields, ignored),
    })
}

fn joined(
    fields: &mut Fields,
    name: &str,
    mut read: impl FnMut(Fields) -> Result<String, Refusal>,
) -> Result<String, Refusal> {
    let path = fields.path(name);
    let value = fields.take(name);
    match fields.need(name, value)? {
        Value::String(text) => Ok(text),
        Value::Array(parts) => {
            let mut text = String::new();
            for (at, value) in parts.into_iter().enumerate() {
                text += &read(Fields::of_value(format!("{path}[{at}]"), value)?)?;
            }
            Ok(text)
        }
        _ => Err(fields.refusal(name, "must be a text or a list of parts")),
    }
}

fn part(mut fields: Fields, ignored: &mut Vec<String>) -> Result<String, Refusal> {
    let kind = fields.string("type")?;
    let name = match fields.need("type", kind)?.as_str() {
        "input_text" | "output_text" | "text" | "summary_text" | "reasoning_text" => "text",
        "refusal" => "refusal",
        "input_image" | "input_file" | "input_audio" => {
            return Err(fields.refusal("type", "is not served: this model takes text only"));
        }
        _ => return Err(fields.refusal("type", "must be input_text or output_text")),
    };
    let text = fields.string(name)?;
    let text = fields.need(name, text)?;
    idle(&mut fields, ignored);
    fields.finish()?;
    Ok(text)
}

fn idle(fields: &mut Fields, ignored: &mut Vec<String>) {
    for name in IDLE {
        // An empty list is no more than `null`, and every item that is sent back is completed.
        let empty = match fields.take(name) {
            None => true,
            Some(Value::Array(items)) => items.is_empty(),
            Some(value) => value == "completed",
        };
        if !empty && !ignored.iter().any(|known| known == name) {
            ignored.push(name.to_owned());
        }
    }
}
