//! Log probabilities, as completions show them.

use serde_json::{Map, Value, json};
use turn::Choice;

use crate::logprobs::NEVER;
use crate::plan::Plan;

/// `logprobs` of completions: four lists of the same length.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    tokens: Vec<Value>,
    logprobs: Vec<Value>,
    top: Vec<Value>,
    offsets: Vec<Value>,
    /// Characters of all tokens so far.
    offset: usize,
}

impl Lists {
    /// Adds a token.
    pub fn push(&mut self, choice: &Choice, plan: &Plan) {
        let bytes = plan.bytes_of(choice.token);
        let mut top = Map::new();
        for (other, logprob) in choice.top.iter().chain([&(choice.token, choice.logprob)]) {
            top.insert(spelled(plan.bytes_of(*other)), logprob.max(NEVER).into());
        }
        self.offsets.push(self.offset.into());
        // Bytes that begin a character: a character may be begun in one token and end in another.
        self.offset += bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
        self.tokens.push(spelled(bytes).into());
        self.logprobs.push(choice.logprob.max(NEVER).into());
        self.top.push(top.into());
    }

    /// What has been added since the last time, if anything.
    pub fn take(&mut self) -> Value {
        if self.tokens.is_empty() {
            return Value::Null;
        }
        let Lists { tokens, logprobs, top, offsets, .. } = self;
        let [tokens, logprobs, top, offsets] = [tokens, logprobs, top, offsets].map(std::mem::take);
        json!({
            "tokens": tokens,
            "token_logprobs": logprobs,
            "top_logprobs": top,
            "text_offset": offsets,
        })
    }
}

/// The text of a token. Part of a character is written byte by byte, so that two tokens never have
/// one name.
fn spelled(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => {
            let bytes = bytes.iter().map(|byte| format!("\\x{byte:02x}"));
            format!("bytes:{}", bytes.collect::<String>())
        }
    }
}
