//! Items: what a conversation of `/v1/responses` consists of, and how they are shown.

use serde_json::{Value, json};

/// One item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// What somebody says, under the role that templates know.
    Message { role: String, text: String },
    /// What the model thought.
    Reasoning(String),
    /// A call of a tool.
    Call { call: String, namespace: Option<String>, name: String, arguments: String },
    /// What the call gave.
    Result { call: String, text: String },
}

impl Item {
    /// What items of its kind are named with.
    pub fn prefix(&self) -> &'static str {
        match self {
            Item::Message { .. } => "msg_",
            Item::Reasoning(_) => "rs_",
            Item::Call { .. } => "fc_",
            Item::Result { .. } => "fco_",
        }
    }

    /// What it says: the part of it that grows while it is written.
    pub fn text(&self) -> &str {
        match self {
            Item::Message { text, .. } | Item::Reasoning(text) | Item::Result { text, .. } => text,
            Item::Call { arguments, .. } => arguments,
        }
    }

    /// Adds to what it says.
    pub fn add(&mut self, more: &str) {
        match self {
            Item::Message { text, .. } | Item::Reasoning(text) | Item::Result { text, .. } => {
                text.push_str(more);
            }
            Item::Call { arguments, .. } => arguments.push_str(more),
        }
    }

    /// The bytes that it takes in memory, about.
    pub fn bytes(&self) -> usize {
        let more = match self {
            Item::Message { role, .. } => role.len(),
            Item::Reasoning(_) => 0,
            Item::Call { call, namespace, name, .. } => {
                call.len() + namespace.as_ref().map_or(0, String::len) + name.len()
            }
            Item::Result { call, .. } => call.len(),
        };
        size_of::<Item>() + self.text().len() + more
    }

    /// As clients read it.
    pub fn shown(&self, id: &str, status: &str) -> Value {
        match self {
            Item::Message { role, .. } => json!({
                "id": id,
                "type": "message",
                "status": status,
                "role": role,
                "content": [self.part()],
            }),
            Item::Reasoning(_) => json!({
                "id": id,
                "type": "reasoning",
                "status": status,
                "summary": [self.part()],
            }),
            Item::Call { call, namespace, name, arguments } => {
                let mut shown = json!({
                    "id": id,
                    "type": "function_call",
                    "status": status,
                    "call_id": call,
                    "name": name,
                    "arguments": arguments,
                });
                if let Some(namespace) = namespace {
                    shown["namespace"] = namespace.as_str().into();
                }
                shown
            }
            Item::Result { call, text } => json!({
                "id": id,
                "type": "function_call_output",
                "status": status,
                "call_id": call,
                "output": text,
            }),
        }
    }

    /// The part of a message or of reasoning that has the text.
    pub fn part(&self) -> Value {
        match self {
            Item::Message { role, text } if role == "assistant" => {
                json!({ "type": "output_text", "annotations": [], "logprobs": [], "text": text })
            }
            Item::Reasoning(text) => json!({ "type": "summary_text", "text": text }),
            other => json!({ "type": "input_text", "text": other.text() }),
        }
    }
}
