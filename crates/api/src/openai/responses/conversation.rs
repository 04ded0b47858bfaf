//! Items as messages, which chat templates take.
//!
//! What an assistant thought, said and called in a row is several items and one message.

use serde_json::{Value, json};

use super::item::Item;
use super::tools::called;
use crate::openai::messages::arguments;

/// The messages of a conversation.
pub fn messages<'a>(
    instructions: Option<&str>,
    items: impl Iterator<Item = &'a Item>,
) -> Vec<Value> {
    let mut messages = Vec::new();
    if let Some(text) = instructions {
        messages.push(json!({ "role": "system", "content": text }));
    }
    for item in items {
        match item {
            Item::Message { role, text } if role == "assistant" => say(&mut messages, text),
            Item::Message { role, text } => tell(&mut messages, role, text),
            Item::Reasoning(text) => think(&mut messages, text),
            Item::Call { call, namespace, name, arguments } => {
                let name = called(namespace.as_deref(), name);
                self::call(&mut messages, (call, &name), arguments);
            }
            Item::Result { call, text } => {
                let message = json!({ "role": "tool", "tool_call_id": call, "content": text });
                messages.push(message);
            }
        }
    }
    messages
}

/// Instructions and what developers say at the beginning are one message: many templates know one
/// only, and some drop the second.
fn tell(messages: &mut Vec<Value>, role: &str, text: &str) {
    match messages.as_mut_slice() {
        [first] if role == "system" && first["role"] == "system" => {
            append(&mut first["content"], "\n\n");
            append(&mut first["content"], text);
        }
        _ => messages.push(json!({ "role": role, "content": text })),
    }
}

fn think(messages: &mut Vec<Value>, text: &str) {
    let message = assistant(messages, |message| {
        message["content"] == "" && message.get("tool_calls").is_none()
    });
    match message.get_mut("reasoning_content") {
        Some(thought) => append(thought, text),
        None => message["reasoning_content"] = text.into(),
    }
}

/// What follows a call is still of its message, so that results stand behind their calls.
fn say(messages: &mut Vec<Value>, text: &str) {
    let message = assistant(messages, |message| {
        message["content"] == "" || message.get("tool_calls").is_some()
    });
    append(&mut message["content"], text);
}

fn call(messages: &mut Vec<Value>, (id, name): (&str, &str), arguments: &str) {
    let function = json!({ "name": name, "arguments": self::arguments(arguments.to_owned()) });
    let call = json!({ "id": id, "type": "function", "function": function });
    let message = assistant(messages, |_| true);
    match message.get_mut("tool_calls").and_then(Value::as_array_mut) {
        Some(calls) => calls.push(call),
        None => message["tool_calls"] = json!([call]),
    }
}

/// The message of the assistant that is last if it may go on, or else a new one.
fn assistant(messages: &mut Vec<Value>, may_go_on: impl Fn(&Value) -> bool) -> &mut Value {
    let is_open = |last: &Value| last["role"] == "assistant" && may_go_on(last);
    if !messages.last().is_some_and(is_open) {
        messages.push(json!({ "role": "assistant", "content": "" }));
    }
    let last = messages.len() - 1;
    &mut messages[last]
}

fn append(value: &mut Value, more: &str) {
    if let Value::String(text) = value {
        text.push_str(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(role: &str, text: &str) -> Item {
        Item::Message { role: role.to_owned(), text: text.to_owned() }
    }

    fn call(id: &str) -> Item {
        let (name, arguments) = ("f".to_owned(), r#"{"a": 1}"#.to_owned());
        Item::Call { call: id.to_owned(), namespace: None, name, arguments }
    }

    #[test]
    fn what_an_assistant_does_in_a_row_is_one_message() {
        let result = Item::Result { call: "2".to_owned(), text: "ok".to_owned() };
        let items = [
            message("system", "b"),
            message("user", "hi"),
            Item::Reasoning("hm".to_owned()),
            message("assistant", "I look."),
            call("1"),
            call("2"),
            result,
            Item::Reasoning("so".to_owned()),
            message("assistant", "Done."),
            message("assistant", "Really."),
            message("system", "c"),
        ];
        let function = json!({ "name": "f", "arguments": { "a": 1 } });
        let call = |id: &str| json!({ "id": id, "type": "function", "function": function });
        let expected = [
            json!({ "role": "system", "content": "a\n\nb" }),
            json!({ "role": "user", "content": "hi" }),
            json!({ "role": "assistant", "content": "I look.", "reasoning_content": "hm",
                "tool_calls": [call("1"), call("2")] }),
            json!({ "role": "tool", "tool_call_id": "2", "content": "ok" }),
            json!({ "role": "assistant", "content": "Done.", "reasoning_content": "so" }),
            json!({ "role": "assistant", "content": "Really." }),
            json!({ "role": "system", "content": "c" }),
        ];
        assert_eq!(messages(Some("a"), items.iter()), expected);
    }
}
