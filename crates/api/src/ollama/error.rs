//! Faults as Ollama's clients read them: a text.

use serde_json::{Value, json};

use crate::Refusal;

/// The object that clients look for, in a body or as a line of a stream.
pub fn refusal(refusal: &Refusal) -> Value {
    json!({ "error": refusal.fault.message })
}
