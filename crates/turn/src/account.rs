//! What a turn was asked and what came of it: enough to show it again.

use std::time::Duration;

use crate::{Demand, Finish, Limits, Sampling, Usage};

/// The account of a turn that is over. The model being the same, a turn with this prompt and these
/// parameters says the same tokens again.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// The prompt as the model read it.
    pub prompt: Vec<u32>,
    /// How tokens were chosen, the seed included.
    pub sampling: Sampling,
    /// When to stop; with the limit of the server where the turn stated none.
    pub limits: Limits,
    /// What the reply had to keep to, if to anything.
    pub demand: Option<Demand>,
    /// The tokens that were chosen, with the one that ended the reply.
    pub reply: Vec<u32>,
    /// Why it ended.
    pub finish: Finish,
    /// The stop string that ended it, if one did.
    pub stop: Option<String>,
    /// What it used.
    pub usage: Usage,
    /// How sure the model was.
    pub certainty: Certainty,
    /// When things happened.
    pub times: Times,
}

/// Log probabilities of the chosen tokens under the model alone.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Certainty {
    /// Their sum.
    pub total: f64,
    /// The smallest.
    pub least: f32,
}

/// Times since a turn was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// How long it had waited for its model before that.
    pub loading: Duration,
    /// When the model began to read.
    pub begun: Option<Duration>,
    /// When the first token was there.
    pub first: Option<Duration>,
    /// When it was over.
    pub over: Duration,
}

impl Account {
    /// Of a turn that was asked and has not begun.
    pub fn new(prompt: Vec<u32>, sampling: Sampling, limits: Limits) -> Account {
        Account {
            prompt,
            sampling,
            limits,
            demand: None,
            reply: Vec::new(),
            finish: Finish::Cancelled,
            stop: None,
            usage: Usage::default(),
            certainty: Certainty::default(),
            times: Times::default(),
        }
    }
}

impl Certainty {
    /// Adds the log probability of a token.
    pub fn add(&mut self, logprob: f32) {
        self.total += f64::from(logprob);
        self.least = self.least.min(logprob);
    }
}
