//! A conversation: Ollama's messages as chat templates take them.

use std::collections::VecDeque;

use serde_json::{Map, Value, json};

use crate::fields::Fields;
use crate::offer::{Offered, function_only};
use crate::{Refusal, history};

/// Results are looked for among so many calls; nobody makes more at once.
const NEAR: usize = 512;

/// The role of what was thought, where that is a message.
const THINKING: &str = "thinking";

/// Reads `messages`; there may be none.
pub fn messages(fields: &mut Fields) -> Result<Vec<Value>, Refusal> {
    let list = fields.list("messages")?.unwrap_or_default();
    let read = |(path, value)| message(Fields::of_value(path, value)?);
    let mut messages: Vec<Value> = list.into_iter().map(read).collect::<Result<_, _>>()?;
    join_thoughts(&mut messages);
    pair_results(&mut messages);
    Ok(messages)
}

/// Some clients send what was thought as a message of its own, before what was said.
fn join_thoughts(messages: &mut Vec<Value>) {
    let mut thoughts: Vec<String> = Vec::new();
    messages.retain_mut(|message| {
        if message["role"] == THINKING {
            thoughts.extend(message["content"].as_str().map(str::to_owned));
            return false;
        }
        let mut thoughts = std::mem::take(&mut thoughts);
        if message["role"] == "assistant" && !thoughts.is_empty() {
            thoughts.extend(message["reasoning_content"].as_str().map(str::to_owned));
            message["reasoning_content"] = thoughts.join("\n\n").into();
        }
        true
    });
}

/// Few clients send ids, by which templates find the call that a result is of: it is of the next
/// one of its tool, or of the next at all.
fn pair_results(messages: &mut [Value]) {
    let mut given = 0;
    let mut open: VecDeque<(Value, Value)> = VecDeque::new();
    for message in messages {
        let calls = message.get_mut("tool_calls").and_then(Value::as_array_mut);
        if let Some(calls) = calls {
            open.clear();
            for call in calls {
                given += 1;
                if call["id"].is_null() {
                    call["id"] = format!("call_{given}").into();
                }
                open.push_back((call["id"].clone(), call["function"]["name"].clone()));
            }
        }
        if message["role"] != "tool" || open.is_empty() {
            continue;
        }
        let of = |(id, name): &(Value, Value)| match message.get("tool_call_id") {
            Some(stated) => stated == id,
            None => message.get("name").is_none_or(|stated| stated == name),
        };
        let at = open.iter().take(NEAR).position(of);
        if message.get("tool_call_id").is_some() {
            at.map(|at| open.remove(at));
        } else if let Some((id, _)) = open.remove(at.unwrap_or(0)) {
            message["tool_call_id"] = id;
        }
    }
}

fn message(mut fields: Fields) -> Result<Value, Refusal> {
    let role = fields.string("role")?;
    let role = fields.need("role", role)?;
    if !["system", "user", "assistant", "tool", THINKING].contains(&role.as_str()) {
        return Err(fields.refusal("role", "must be system, user, assistant or tool"));
    }
    no_images(&mut fields)?;
    let mut message = Map::new();
    message.insert("role".to_owned(), role.as_str().into());
    let content = fields.string("content")?;
    match role.as_str() {
        "assistant" => said(&mut fields, content, &mut message)?,
        role => {
            message.insert("content".to_owned(), fields.need("content", content)?.into());
            if role == "tool" {
                result(&mut fields, &mut message)?;
            }
        }
    }
    fields.finish()?;
    Ok(Value::Object(message))
}

/// Refuses images; an empty list has none.
pub fn no_images(fields: &mut Fields) -> Result<(), Refusal> {
    match fields.list("images")?.is_none_or(|images| images.is_empty()) {
        true => Ok(()),
        false => Err(fields.refusal("images", "cannot be read: this model takes text only")),
    }
}

/// What an assistant said, thought and called.
fn said(
    fields: &mut Fields,
    content: Option<String>,
    message: &mut Map<String, Value>,
) -> Result<(), Refusal> {
    let thinking = fields.string("thinking")?;
    let calls = fields.list("tool_calls")?.unwrap_or_default();
    let call = |(path, value)| call(Fields::of_value(path, value)?);
    let calls: Vec<Value> = calls.into_iter().map(call).collect::<Result<_, _>>()?;
    history::said(fields, message, (content, thinking), calls)
}

fn call(mut fields: Fields) -> Result<Value, Refusal> {
    function_only(&mut fields)?;
    let id = fields.string("id")?;
    let function = fields.object("function")?;
    let mut function = fields.need("function", function)?;
    let name = function.string("name")?;
    let name = function.need("name", name)?;
    let arguments = match function.take("arguments") {
        None => json!({}),
        Some(object @ Value::Object(_)) => object,
        Some(_) => return Err(function.refusal("arguments", "must be an object")),
    };
    for fields in [&mut function, &mut fields] {
        // Some clients keep the place of a call, here or there.
        let _ = fields.count("index", 0..=i64::from(u32::MAX))?;
    }
    function.finish()?;
    fields.finish()?;
    let mut call = Map::new();
    call.insert("id".to_owned(), id.into());
    call.insert("type".to_owned(), "function".into());
    call.insert("function".to_owned(), json!({ "name": name, "arguments": arguments }));
    Ok(call.into())
}

/// Of which call a result is.
fn result(fields: &mut Fields, message: &mut Map<String, Value>) -> Result<(), Refusal> {
    // Its name today, and the one before.
    let (named, before) = (fields.string("tool_name")?, fields.string("name")?);
    let id = fields.string("tool_call_id")?;
    for (name, value) in [("name", named.or(before)), ("tool_call_id", id)] {
        if let Some(value) = value {
            message.insert(name.to_owned(), value.into());
        }
    }
    Ok(())
}

/// Reads a tool.
pub fn tool(mut fields: Fields) -> Result<Offered, Refusal> {
    function_only(&mut fields)?;
    let function = fields.object("function")?;
    let mut function = fields.need("function", function)?;
    let offered = Offered::read(&mut function, "parameters")?;
    function.finish()?;
    fields.finish()?;
    Ok(offered)
}
