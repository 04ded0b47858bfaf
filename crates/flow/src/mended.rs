//! Conversations for templates that refuse what clients write, and what hearth itself has answered.

use std::collections::VecDeque;

use serde_json::{Value, json};
use turn::Chat;

/// A conversation in their order as the strictest templates know it besides: somebody asks; who
/// calls has thought, and said nothing to that; calls have ids of nine letters and digits, and
/// arguments with names.
pub fn mended(mut chat: Chat) -> Chat {
    let messages = &mut chat.messages;
    if !messages.iter().any(|message| message["role"] == "user") {
        let last = messages.iter_mut().rfind(|message| message["role"] == "system");
        last.into_iter().for_each(|last| last["role"] = "user".into());
    }
    let mut ids = Ids::default();
    for message in messages {
        if message["role"] == "tool" {
            let id = ids.of_result(&message["tool_call_id"]);
            id.into_iter().for_each(|id| message["tool_call_id"] = id.into());
        }
        let is_calling = message["tool_calls"].as_array().is_some_and(|calls| !calls.is_empty());
        if is_calling {
            into_thoughts(message);
            ids.open.clear();
        }
        let calls = message.get_mut("tool_calls").and_then(Value::as_array_mut);
        for call in calls.into_iter().flatten() {
            let id = ids.of_call(call["id"].take());
            call["id"] = id.into();
            let arguments = &mut call["function"]["arguments"];
            if arguments.is_string() {
                *arguments = json!({ "arguments": arguments.take() });
            }
        }
    }
    chat
}

/// Results are looked for among so many calls; nobody makes more at once.
const NEAR: usize = 512;

/// What was said beside a call becomes the end of what was thought.
fn into_thoughts(message: &mut Value) {
    let said = message["content"].as_str().unwrap_or_default().to_owned();
    let mut has_thought = false;
    for name in ["thinking", "reasoning_content"] {
        if let Some(Value::String(thought)) = message.get_mut(name)
            && !thought.is_empty()
            && !said.is_empty()
        {
            thought.push_str("\n\n");
            thought.push_str(&said);
            has_thought = true;
        }
    }
    if has_thought {
        message["content"] = "".into();
    }
}

/// Ids for calls, and which of them have no result yet.
#[derive(Default)]
struct Ids {
    given: usize,
    open: VecDeque<(Value, String)>,
}

impl Ids {
    fn of_call(&mut self, before: Value) -> String {
        self.given += 1;
        let id = format!("call{:05}", self.given);
        self.open.push_back((before, id.clone()));
        id
    }

    /// That of the call with the same id before, else of the next in order.
    fn of_result(&mut self, before: &Value) -> Option<String> {
        let named = self.open.iter().take(NEAR).position(|(of_call, _)| of_call == before);
        self.open.remove(named.unwrap_or(0)).map(|(_, id)| id)
    }
}

#[cfg(test)]
mod tests {
    use text::template::DateTime;
    use text::tokenizer::Tokenizer;
    use turn::Prompt;

    use super::*;
    use crate::Language;

    /// A conversation as a published template writes it.
    fn written(template: &str, messages: Value) -> String {
        let source = testkit::golden(&format!("templates/templates/{template}.jinja"));
        let source = std::fs::read_to_string(source).unwrap();
        let tokenizer = Tokenizer::from_folder(&testkit::golden("models/qwen3")).unwrap();
        let language = Language::with_template(tokenizer, Some(source)).unwrap();
        let Value::Array(messages) = messages else { panic!() };
        let prompt = Prompt::Chat(Chat { messages, ..Chat::default() });
        let read = language.read(&prompt, &[], DateTime::from_unix(0));
        let ids = read.unwrap_or_else(|fault| panic!("{template}: {fault}")).ids;
        language.tokenizer().decode(&ids, false)
    }

    fn call(id: &str, arguments: impl Into<Value>) -> Value {
        let arguments: Value = arguments.into();
        json!({ "id": id, "type": "function",
                "function": { "name": "look", "arguments": arguments } })
    }

    #[test]
    fn who_thinks_and_speaks_may_call() {
        let text = written(
            "openai-gpt-oss-120b",
            json!([
                { "role": "user", "content": "Hello" },
                { "role": "assistant", "content": "Hello." },
                { "role": "user", "content": "Where?" },
                { "role": "assistant", "reasoning_content": "Maps.", "content": "I look.",
                  "tool_calls": [call("call_a", json!({ "at": 1 }))] },
                { "role": "tool", "tool_call_id": "call_a", "content": "There." },
            ]),
        );
        assert!(text.contains("Maps.\n\nI look."), "{text}");
    }

    #[test]
    fn calls_get_the_ids_that_a_template_wants() {
        let text = written(
            "Mistral-Small-3.2-24B-Instruct-2506",
            json!([
                { "role": "user", "content": "Where?" },
                { "role": "assistant", "content": "",
                  "tool_calls": [call("call_0123456789abcdef", json!({})), call("b", json!({}))] },
                { "role": "tool", "tool_call_id": "b", "content": "second" },
                { "role": "tool", "tool_call_id": "call_0123456789abcdef", "content": "first" },
            ]),
        );
        let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("no {part} in {text}"));
        assert!(at("[TOOL_RESULTS]call00002") < at("second"), "{text}");
        assert!(at("second") < at("[TOOL_RESULTS]call00001"), "{text}");
    }

    #[test]
    fn arguments_that_nobody_understands_are_shown() {
        for template in ["Qwen3.5-4B", "Qwen3-Coder"] {
            let text = written(
                template,
                json!([
                    { "role": "user", "content": "Write." },
                    { "role": "assistant", "content": "",
                      "tool_calls": [call("a", "{\"path\": \"x")] },
                    { "role": "tool", "tool_call_id": "a", "content": "no JSON" },
                ]),
            );
            assert!(text.contains("{\"path\": \"x"), "{text}");
        }
    }

    #[test]
    fn a_system_alone_asks() {
        let text = written("Qwen3.5-4B", json!([{ "role": "system", "content": "Say hello." }]));
        assert!(text.contains("user\nSay hello."), "{text}");
    }

    /// In a conversation that has all that, nothing is lost, and nothing is changed twice.
    #[test]
    fn what_is_mended_stays_so() {
        let messages = vec![
            json!({ "role": "system", "content": "a" }),
            json!({ "role": "assistant", "content": "b", "thinking": "c",
                    "tool_calls": [call("x", "d"), call("x", json!({}))] }),
            json!({ "role": "tool", "content": "e" }),
            json!({ "role": "tool", "tool_call_id": "x", "content": "f" }),
            json!({ "role": "tool", "tool_call_id": "z", "content": "g" }),
        ];
        let once = mended(Chat { messages, ..Chat::default() });
        assert_eq!(once.messages[0]["role"], "user");
        assert_eq!(once.messages[1]["thinking"], "c\n\nb");
        assert_eq!(once.messages[1]["tool_calls"][0]["function"]["arguments"]["arguments"], "d");
        let ids: Vec<_> = once.messages[2..].iter().map(|it| it["tool_call_id"].clone()).collect();
        assert_eq!(ids, ["call00001", "call00002", "z"]);
        assert_eq!(mended(once.clone()).messages, once.messages);
    }
}
