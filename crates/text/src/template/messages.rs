//! What is done to messages before any template sees them.

use serde_json::{Map, Value};

/// The two names under which templates look for what the model thought.
const NAMES: [&str; 2] = ["thinking", "reasoning_content"];

/// Makes reasoning that was given under one of its two names available under both.
///
/// Templates disagree about the name, and so do clients. Where both are given, both are kept.
pub fn unify_reasoning(messages: &mut Value) {
    let messages = messages.as_array_mut().into_iter().flatten();
    for message in messages.filter_map(Value::as_object_mut) {
        copy_if_missing(message, NAMES[0], NAMES[1]);
        copy_if_missing(message, NAMES[1], NAMES[0]);
    }
}

fn copy_if_missing(message: &mut Map<String, Value>, from: &str, to: &str) {
    let is_given = |value: &&Value| !value.is_null();
    if message.get(to).as_ref().is_some_and(is_given) {
        return;
    }
    if let Some(value) = message.get(from).filter(is_given).cloned() {
        message.insert(to.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reasoning_goes_by_both_names() {
        let mut messages = json!([
            {"role": "assistant", "thinking": "a"},
            {"role": "assistant", "reasoning_content": "b", "thinking": null},
            {"role": "assistant", "reasoning_content": "c", "thinking": "d"},
            {"role": "user", "content": "e"},
            "not a message",
        ]);
        unify_reasoning(&mut messages);
        let expected = json!([
            {"role": "assistant", "thinking": "a", "reasoning_content": "a"},
            {"role": "assistant", "reasoning_content": "b", "thinking": "b"},
            {"role": "assistant", "reasoning_content": "c", "thinking": "d"},
            {"role": "user", "content": "e"},
            "not a message",
        ]);
        assert_eq!(messages, expected);
    }
}
