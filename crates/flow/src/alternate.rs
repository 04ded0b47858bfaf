//! Conversations for templates that know one system message, at the beginning, and after it users
//! and assistants in turn.

use serde_json::{Value, json};
use turn::Chat;

/// The same conversation in that order: system messages at the beginning are one, what a system
/// says later is passed on by the user, and neighbours of one role are one message.
pub fn alternating(chat: &Chat) -> Chat {
    let mut messages: Vec<Value> = Vec::new();
    let mut is_late = false;
    for message in &chat.messages {
        let mut message = message.clone();
        is_late |= message["role"] != "system";
        if message["role"] == "system" && is_late {
            let text = message["content"].as_str().unwrap_or_default();
            message = json!({ "role": "user", "content": format!("<system>\n{text}\n</system>") });
        }
        match messages.last_mut() {
            Some(last)
                if is_plain(last) && is_plain(&message) && last["role"] == message["role"] =>
            {
                if let (Value::String(before), Some(after)) =
                    (&mut last["content"], message["content"].as_str())
                {
                    // In its place: there may be a hundred thousand of them.
                    before.push_str("\n\n");
                    before.push_str(after);
                }
            }
            _ => messages.push(message),
        }
    }
    Chat { messages, tools: chat.tools.clone(), variables: chat.variables.clone() }
}

/// Whether it is a text and nothing else, not even a result, which belongs to its call.
fn is_plain(message: &Value) -> bool {
    let has_only = message.as_object().is_some_and(|fields| fields.len() == 2);
    has_only && message["content"].is_string() && message["role"] != "tool"
}

#[cfg(test)]
mod tests {
    use text::template::DateTime;
    use text::tokenizer::Tokenizer;
    use turn::Prompt;

    use super::*;
    use crate::Language;

    /// Only where the template refuses what it was given.
    #[test]
    fn templates_get_the_order_that_they_know() {
        let strict = "{% for m in messages %}{% if m.role == 'system' and not loop.first %}\
            {{ raise_exception('no') }}{% endif %}{{ m.role ~ ':' ~ m.content ~ ';' }}{% endfor %}";
        let lax = "{% for m in messages %}{{ m.role ~ ':' ~ m.content ~ ';' }}{% endfor %}";
        let said = [("system", "a"), ("system", "b"), ("user", "c"), ("system", "d")];
        let said = said.map(|(role, text)| json!({ "role": role, "content": text }));
        let prompt = Prompt::Chat(Chat { messages: said.to_vec(), ..Chat::default() });
        let read = |template: &str| {
            let tokenizer = Tokenizer::from_folder(&testkit::golden("models/qwen3")).unwrap();
            let language = Language::with_template(tokenizer, Some(template.to_owned())).unwrap();
            let ids = language.read(&prompt, &[], DateTime::from_unix(0)).unwrap().ids;
            language.tokenizer().decode(&ids, false)
        };
        assert_eq!(read(strict), "system:a\n\nb;user:c\n\n<system>\nd\n</system>;");
        assert_eq!(read(lax), "system:a;system:b;user:c;system:d;");
    }

    #[test]
    fn what_comes_twice_is_joined_and_late_systems_are_passed_on() {
        let say = |role: &str, text: &str| json!({ "role": role, "content": text });
        let call = json!({ "role": "assistant", "content": "", "tool_calls": [{ "name": "f" }] });
        let result = json!({ "role": "tool", "tool_call_id": "1", "content": "4" });
        let messages = vec![
            say("system", "Be brief."),
            say("system", "It is Monday."),
            say("user", "a"),
            say("user", "b"),
            call.clone(),
            result.clone(),
            result.clone(),
            say("system", "Hurry."),
            say("user", "c"),
            say("assistant", "d"),
            say("assistant", "e"),
        ];
        let chat = Chat { messages, tools: vec![json!({})], ..Chat::default() };
        let expected = vec![
            say("system", "Be brief.\n\nIt is Monday."),
            say("user", "a\n\nb"),
            call,
            result.clone(),
            result,
            say("user", "<system>\nHurry.\n</system>\n\nc"),
            say("assistant", "d\n\ne"),
        ];
        let made = alternating(&chat);
        assert_eq!((&made.messages, made.tools.len()), (&expected, 1));
        assert_eq!(alternating(&made).messages, expected);
    }
}
