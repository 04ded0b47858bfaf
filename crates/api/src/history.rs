//! What an assistant has said before, as chat templates take it.

use serde_json::{Map, Value};

use crate::Refusal;
use crate::fields::Fields;

/// Adds text, reasoning and calls to a message. When there is none of them, its content is missing.
pub fn said(
    fields: &Fields,
    message: &mut Map<String, Value>,
    (content, reasoning): (Option<String>, Option<String>),
    calls: Vec<Value>,
) -> Result<(), Refusal> {
    if content.is_none() && reasoning.is_none() && calls.is_empty() {
        return Err(fields.refusal("content", "is missing"));
    }
    // Templates add it to other text, which `null` would not survive.
    message.insert("content".to_owned(), content.unwrap_or_default().into());
    if let Some(reasoning) = reasoning.filter(|text| !text.is_empty()) {
        message.insert("reasoning_content".to_owned(), reasoning.into());
    }
    if !calls.is_empty() {
        message.insert("tool_calls".to_owned(), calls.into());
    }
    Ok(())
}
