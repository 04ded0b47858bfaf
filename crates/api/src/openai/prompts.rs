//! A text, tokens, or a list of either.

use serde_json::Value;
use turn::Prompt;

use crate::Refusal;
use crate::fields::Fields;

/// Reads what a field has of them; there is at least one, and a text may be empty.
pub fn prompts(fields: &mut Fields, name: &str) -> Result<Vec<Prompt>, Refusal> {
    let given = fields.take(name);
    let items = match fields.need(name, given)? {
        Value::Array(items) if !items.iter().all(Value::is_number) => items,
        one => vec![one],
    };
    let prompt = |item: Value| match item {
        Value::String(text) => Some(Prompt::Text(text)),
        Value::Array(items) => tokens(&items).map(Prompt::Tokens),
        _ => None,
    };
    let prompts: Option<Vec<Prompt>> = items.into_iter().map(prompt).collect();
    let what = "must be a text, tokens, or a list of either";
    prompts.ok_or_else(|| fields.refusal(name, what))
}

/// Tokens, of which there is at least one.
pub fn tokens(items: &[Value]) -> Option<Vec<u32>> {
    let token = |item: &Value| item.as_u64().and_then(|token| u32::try_from(token).ok());
    let tokens: Option<Vec<u32>> = items.iter().map(token).collect();
    tokens.filter(|tokens| !tokens.is_empty())
}
