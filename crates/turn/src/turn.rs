//! What a client asks of a model, whatever dialect it speaks.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::{Demand, Limits, Sampling};

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// Whose it is, where several are told apart.
    pub owner: Option<Arc<str>>,
    /// The model that is to answer.
    pub model: String,
    /// What it is to go on from. It may be large, and several turns may have the same.
    pub prompt: Arc<Prompt>,
    /// How tokens are to be chosen, as far as the client has said.
    pub wishes: Wishes,
    /// When to stop.
    pub limits: Limits,
    /// What the reply must keep to.
    pub demand: Demand,
    /// How long the model is to be kept after this, if the client has said; `Some(None)` is for
    /// ever.
    pub keep: Option<Option<Duration>>,
}

/// What a model goes on from.
#[derive(Clone, Debug, PartialEq)]
pub enum Prompt {
    /// A conversation, which the model's template makes a text of.
    Chat(Chat),
    /// A text as it is.
    Text(String),
    /// Tokens as they are.
    Tokens(Vec<u32>),
    /// A text with a gap, which the model is to fill.
    Gap {
        /// What stands before it.
        before: String,
        /// What stands behind it.
        after: String,
    },
}

/// A conversation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chat {
    /// Messages as chat templates take them: `role`, `content`, `tool_calls` and so on.
    pub messages: Vec<Value>,
    /// Tools as chat templates take them.
    pub tools: Vec<Value>,
    /// Other variables of the template, such as `enable_thinking`.
    pub variables: Map<String, Value>,
}

/// Settings that a client has stated. What it has not is the model's to say, then the server's.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs)] // They are those of `Sampling`.
pub struct Wishes {
    pub temperature: Option<f32>,
    pub top_k: Option<usize>,
    pub top_p: Option<f32>,
    pub min_p: Option<f32>,
    pub repetition_penalty: Option<f32>,
    pub frequency_penalty: Option<f32>,
    pub presence_penalty: Option<f32>,
    pub logit_bias: Option<Vec<(u32, f32)>>,
    pub seed: Option<u64>,
    pub top_logprobs: Option<usize>,
}

impl Wishes {
    /// The settings with these as they are where nothing was stated.
    pub fn over(&self, default: Sampling) -> Sampling {
        Sampling {
            temperature: self.temperature.unwrap_or(default.temperature),
            top_k: self.top_k.unwrap_or(default.top_k),
            top_p: self.top_p.unwrap_or(default.top_p),
            min_p: self.min_p.unwrap_or(default.min_p),
            repetition_penalty: self.repetition_penalty.unwrap_or(default.repetition_penalty),
            frequency_penalty: self.frequency_penalty.unwrap_or(default.frequency_penalty),
            presence_penalty: self.presence_penalty.unwrap_or(default.presence_penalty),
            logit_bias: self.logit_bias.clone().unwrap_or(default.logit_bias),
            seed: self.seed.unwrap_or(default.seed),
            top_logprobs: self.top_logprobs.unwrap_or(default.top_logprobs),
        }
    }
}
