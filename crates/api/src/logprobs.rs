//! Log probabilities, token by token.

use serde_json::{Map, Value};
use turn::Choice;

use crate::plan::Plan;

/// JSON has no minus infinity; clients know this number for it.
pub const NEVER: f32 = -9999.0;

/// What is said of a chosen token, and of those that might have been.
pub fn row(choice: &Choice, plan: &Plan) -> Value {
    let mut row = token(choice.token, choice.logprob, plan);
    let top = choice.top.iter().map(|(other, logprob)| token(*other, *logprob, plan).into());
    row.insert("top_logprobs".to_owned(), top.collect::<Vec<Value>>().into());
    row.into()
}

fn token(token: u32, logprob: f32, plan: &Plan) -> Map<String, Value> {
    let bytes = plan.bytes_of(token);
    let mut object = Map::new();
    object.insert("token".to_owned(), String::from_utf8_lossy(bytes).into());
    object.insert("logprob".to_owned(), logprob.max(NEVER).into());
    object.insert("bytes".to_owned(), bytes.into());
    object
}
