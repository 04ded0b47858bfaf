//! A conversation: Anthropic's messages as chat templates take them.
//!
//! There, a tool's result is part of what a user says; here it is a message of its own. Messages of
//! one role beside each other are one, as the reference says.

use serde_json::{Map, Value, json};

use crate::Refusal;
use crate::asked::UNSEEN;
use crate::fields::Fields;

/// A conversation that grows.
#[derive(Default)]
struct Talk {
    messages: Vec<Value>,
}

/// Reads `system` and `messages`.
pub fn messages(fields: &mut Fields, ignored: &mut Vec<String>) -> Result<Vec<Value>, Refusal> {
    let mut talk = Talk::default();
    if fields.has("system") {
        let text = texts(fields, "system", ignored)?;
        talk.messages.push(json!({ "role": "system", "content": text }));
    }
    let list = fields.list("messages")?;
    let list = fields.need("messages", list)?;
    if list.is_empty() {
        return Err(fields.refusal("messages", "must not be empty"));
    }
    let mut last = String::new();
    for (path, value) in list {
        let mut message = Fields::of_value(path, value)?;
        let role = message.string("role")?;
        last = message.need("role", role)?;
        match last.as_str() {
            "user" => user(&mut message, &mut talk, ignored)?,
            "assistant" => assistant(&mut message, &mut talk, ignored)?,
            // Few templates know a system that speaks again; the user can pass its words on.
            "system" => {
                let text = texts(&mut message, "content", ignored)?;
                talk.say("user", &format!("<system>\n{text}\n</system>"));
            }
            _ => return Err(message.refusal("role", "must be user, assistant or system")),
        }
        message.finish()?;
    }
    match last.as_str() {
        "assistant" => {
            let what = "must not end with the assistant: replies cannot be begun for the model";
            Err(fields.refusal("messages", what))
        }
        _ => Ok(talk.messages),
    }
}

impl Talk {
    /// Adds what somebody says.
    fn say(&mut self, role: &str, text: &str) {
        match self.messages.last_mut().filter(|message| message["role"] == role) {
            Some(message) => add(message, "content", text),
            None => self.messages.push(json!({ "role": role, "content": text })),
        }
    }

    /// The message of the assistant that is being read.
    fn assistant(&mut self) -> Option<&mut Value> {
        self.messages.last_mut()
    }
}

/// Adds text to what a message has, on a line of its own.
fn add(message: &mut Value, name: &str, text: &str) {
    if text.is_empty() {
        return;
    }
    match &mut message[name] {
        Value::String(before) if !before.is_empty() => {
            before.push('\n');
            before.push_str(text);
        }
        nothing => *nothing = text.into(),
    }
}

/// What a user says, and what tools have said.
fn user(message: &mut Fields, talk: &mut Talk, ignored: &mut Vec<String>) -> Result<(), Refusal> {
    let begin = talk.messages.len();
    for mut block in blocks(message, "content")? {
        match kind(&mut block)?.as_str() {
            "text" => talk.say("user", &text(&mut block, ignored)?),
            "tool_result" => talk.messages.push(result(&mut block, ignored)?),
            other => return Err(unknown(&block, other)),
        }
        block.finish()?;
    }
    if talk.messages.len() == begin {
        // An empty message is one all the same.
        talk.say("user", "");
    }
    Ok(())
}

fn result(block: &mut Fields, ignored: &mut Vec<String>) -> Result<Value, Refusal> {
    let id = block.string("tool_use_id")?;
    let id = block.need("tool_use_id", id)?;
    let text = match block.has("content") {
        true => shown(block, ignored)?,
        false => String::new(),
    };
    let failed = block.flag("is_error")?.unwrap_or(false);
    let text = if failed { format!("Error: {text}") } else { text };
    // A cache ends where it likes here.
    block.ignore_once("cache_control", ignored);
    Ok(json!({ "role": "tool", "tool_call_id": id, "content": text }))
}

/// What a tool has given. A picture among it stays in the conversation for good, so the model is
/// told that there is one instead of refusing all that follows.
fn shown(block: &mut Fields, ignored: &mut Vec<String>) -> Result<String, Refusal> {
    joined(block, "content", |part, kind| match kind {
        "text" => text(part, ignored),
        "image" => {
            part.ignore_once("source", ignored);
            part.ignore_once("cache_control", ignored);
            Ok(UNSEEN.to_owned())
        }
        other => Err(unknown(part, other)),
    })
}

/// What the model has said, thought and called.
fn assistant(
    message: &mut Fields,
    talk: &mut Talk,
    ignored: &mut Vec<String>,
) -> Result<(), Refusal> {
    talk.say("assistant", "");
    for mut block in blocks(message, "content")? {
        match kind(&mut block)?.as_str() {
            "text" => talk.say("assistant", &text(&mut block, ignored)?),
            "thinking" => {
                let thoughts = block.string("thinking")?;
                let thoughts = block.need("thinking", thoughts)?;
                // It proves to Anthropic's servers that they have written them.
                let _ = block.string("signature")?;
                talk.assistant().into_iter().for_each(|it| add(it, "reasoning_content", &thoughts));
            }
            "redacted_thinking" => {
                // Nobody but Anthropic can read it.
                let _ = block.string("data")?;
                if !ignored.iter().any(|known| known == "redacted_thinking") {
                    ignored.push("redacted_thinking".to_owned());
                }
            }
            "tool_use" => {
                let call = call(&mut block, ignored)?;
                let calls = talk.assistant().map(|it| &mut it["tool_calls"]);
                match calls {
                    Some(Value::Array(calls)) => calls.push(call),
                    Some(none) => *none = json!([call]),
                    None => {}
                }
            }
            other => return Err(unknown(&block, other)),
        }
        block.finish()?;
    }
    Ok(())
}

fn call(block: &mut Fields, ignored: &mut Vec<String>) -> Result<Value, Refusal> {
    let (id, name) = (block.string("id")?, block.string("name")?);
    let (id, name) = (block.need("id", id)?, block.need("name", name)?);
    let input = block.object("input")?.map_or_else(Map::new, Fields::rest);
    block.ignore_once("caller", ignored);
    // A cache ends where it likes here.
    block.ignore_once("cache_control", ignored);
    let function = json!({ "name": name, "arguments": input });
    Ok(json!({ "id": id, "type": "function", "function": function }))
}

/// The blocks of a message. A text is one of them.
fn blocks(fields: &mut Fields, name: &str) -> Result<Vec<Fields>, Refusal> {
    let path = fields.path(name);
    let value = match fields.take(name) {
        Some(Value::String(text)) => json!([{ "type": "text", "text": text }]),
        Some(list @ Value::Array(_)) => list,
        Some(_) => return Err(Refusal::of(path, "must be a string or a list of blocks")),
        None => return Err(Refusal::of(path, "is missing")),
    };
    let list = if let Value::Array(list) = value { list } else { Vec::new() };
    let numbered = |(at, block)| Fields::of_value(format!("{path}[{at}]"), block);
    list.into_iter().enumerate().map(numbered).collect()
}

/// A text, or blocks that are nothing but texts.
fn texts(fields: &mut Fields, name: &str, ignored: &mut Vec<String>) -> Result<String, Refusal> {
    joined(fields, name, |block, kind| match kind {
        "text" => text(block, ignored),
        other => Err(unknown(block, other)),
    })
}

/// What is read of each block, as one text.
fn joined(
    fields: &mut Fields,
    name: &str,
    mut read: impl FnMut(&mut Fields, &str) -> Result<String, Refusal>,
) -> Result<String, Refusal> {
    let mut parts = Vec::new();
    for mut block in blocks(fields, name)? {
        let kind = kind(&mut block)?;
        parts.push(read(&mut block, &kind)?);
        block.finish()?;
    }
    Ok(parts.join("\n"))
}

fn kind(block: &mut Fields) -> Result<String, Refusal> {
    let kind = block.string("type")?;
    block.need("type", kind)
}

fn text(block: &mut Fields, ignored: &mut Vec<String>) -> Result<String, Refusal> {
    let text = block.string("text")?;
    // A cache ends where it likes here.
    block.ignore_once("cache_control", ignored);
    // What the model has quoted from where; no template reads it.
    block.ignore_once("citations", ignored);
    block.need("text", text)
}

fn unknown(block: &Fields, kind: &str) -> Refusal {
    match kind {
        "image" | "document" => block.refusal("type", "cannot be it: this model takes text only"),
        "text" | "tool_result" => block.refusal("type", "is what users say"),
        "tool_use" | "thinking" => block.refusal("type", "is what assistants say"),
        _ => block.refusal("type", &format!("is not served: {kind:?}")),
    }
}
