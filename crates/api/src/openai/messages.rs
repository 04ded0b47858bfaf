//! A conversation: OpenAI's messages as chat templates take them.

use serde_json::{Map, Value, json};
use turn::{Fault, Side};

use crate::fields::Fields;
use crate::offer::function_only;
use crate::{Refusal, history};

/// What clients leave in messages that they send back; no template reads it.
const IDLE: [&str; 5] =
    ["annotations", "cache_control", "provider_specific_fields", "id", "parsed"];

/// Reads `messages`.
pub fn messages(fields: &mut Fields, ignored: &mut Vec<String>) -> Result<Vec<Value>, Refusal> {
    let list = fields.list("messages")?;
    let list = fields.need("messages", list)?;
    if list.is_empty() {
        return Err(fields.refusal("messages", "must not be empty"));
    }
    list.into_iter().map(|(path, value)| message(Fields::of_value(path, value)?, ignored)).collect()
}

fn message(mut fields: Fields, ignored: &mut Vec<String>) -> Result<Value, Refusal> {
    let role = fields.string("role")?;
    let role = fields.need("role", role)?;
    let mut message = Map::new();
    message.insert("role".to_owned(), role_in_templates(&fields, &role)?.into());
    if let Some(name) = fields.string("name")? {
        message.insert("name".to_owned(), name.into());
    }
    let content = content(&mut fields, ignored)?;
    match role.as_str() {
        "assistant" => said(&mut fields, content, &mut message)?,
        role => {
            let content = fields.need("content", content)?;
            message.insert("content".to_owned(), content.into());
            if role == "tool" {
                let id = fields.string("tool_call_id")?;
                message.insert("tool_call_id".to_owned(), fields.need("tool_call_id", id)?.into());
            }
        }
    }
    for name in IDLE {
        // An empty list is no more than `null`.
        let empty = fields.copy(name).is_some_and(|value| value == json!([]));
        if empty {
            fields.take(name);
        }
        fields.ignore_once(name, ignored);
    }
    fields.finish()?;
    Ok(Value::Object(message))
}

/// Few templates know developers, and to those that do they are the system as well.
pub fn role_in_templates<'a>(fields: &Fields, role: &'a str) -> Result<&'a str, Refusal> {
    match role {
        "system" | "user" | "assistant" | "tool" => Ok(role),
        "developer" => Ok("system"),
        "function" => Err(fields.refusal("role", "cannot be `function`; use `tool`")),
        _ => Err(fields.refusal("role", "must be system, developer, user, assistant or tool")),
    }
}

/// What an assistant said, thought and called.
fn said(
    fields: &mut Fields,
    content: Option<String>,
    message: &mut Map<String, Value>,
) -> Result<(), Refusal> {
    // Both names are about; clients that know both send the same under both.
    let named = fields.string("reasoning_content")?;
    let reasoning = named.or(fields.string("reasoning")?);
    let refused = fields.string("refusal")?;
    let calls = calls(fields)?;
    let content = content.or(refused);
    history::said(fields, message, (content, reasoning), calls)
}

fn calls(fields: &mut Fields) -> Result<Vec<Value>, Refusal> {
    let list = fields.list("tool_calls")?.unwrap_or_default();
    list.into_iter().map(|(path, value)| call(Fields::of_value(path, value)?)).collect()
}

fn call(mut fields: Fields) -> Result<Value, Refusal> {
    function_only(&mut fields)?;
    let id = fields.string("id")?;
    let id = fields.need("id", id)?;
    // Clients that put streams together keep the place of a call.
    let _ = fields.count("index", 0..=i64::from(u32::MAX))?;
    let function = fields.object("function")?;
    let mut function = fields.need("function", function)?;
    let name = function.string("name")?;
    let name = function.need("name", name)?;
    let arguments = match function.take("arguments") {
        None => json!({}),
        Some(Value::String(text)) => arguments(text),
        Some(object @ Value::Object(_)) => object,
        Some(_) => return Err(function.refusal("arguments", "must be a string of JSON")),
    };
    // Clients keep beside the text what they made of it.
    let _ = function.take("parsed_arguments");
    function.finish()?;
    fields.finish()?;
    let function = json!({ "name": name, "arguments": arguments });
    Ok(json!({ "id": id, "type": "function", "function": function }))
}

/// Templates expect the object that the string spells. What does not parse is what a model wrote
/// and is shown to it again as it was.
pub fn arguments(text: String) -> Value {
    match crate::json::parse(text.as_bytes()) {
        Ok(object @ Value::Object(_)) => object,
        _ if text.trim().is_empty() => json!({}),
        _ => Value::String(text),
    }
}

/// The text of a message; parts are one text.
fn content(fields: &mut Fields, ignored: &mut Vec<String>) -> Result<Option<String>, Refusal> {
    if !fields.has("content") {
        return Ok(None);
    }
    match fields.take("content") {
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Array(parts)) => {
            let path = fields.path("content");
            let mut text = String::new();
            for (at, value) in parts.into_iter().enumerate() {
                text += &part(Fields::of_value(format!("{path}[{at}]"), value)?, ignored)?;
            }
            Ok(Some(text))
        }
        _ => Err(fields.refusal("content", "must be a string or a list of parts")),
    }
}

fn part(mut fields: Fields, ignored: &mut Vec<String>) -> Result<String, Refusal> {
    let kind = fields.string("type")?;
    let name = match fields.need("type", kind)?.as_str() {
        "text" => "text",
        "refusal" => "refusal",
        "image_url" | "input_audio" | "file" | "video_url" => {
            let message = format!("`{}`: this model takes text only", fields.path("type"));
            let fault = Fault::new(Side::Caller, message);
            return Err(Refusal { fault, field: Some(fields.path("type")) });
        }
        _ => return Err(fields.refusal("type", "must be `text`")),
    };
    let text = fields.string(name)?;
    let text = fields.need(name, text)?;
    fields.ignore_once("cache_control", ignored);
    fields.finish()?;
    Ok(text)
}
