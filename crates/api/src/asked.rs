//! What a client asked for, decoded from whatever dialect.

use std::sync::Arc;
use std::time::Duration;

use turn::{Demand, Limits, Prompt, Turn, Wishes};

/// What stands for a picture that a tool has given.
pub const UNSEEN: &str = "[a picture, which this model cannot see]";

/// A request: one turn or several of a kind, and how their replies are to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The model that is to answer.
    pub model: String,
    /// What it is to go on from; each gets replies of its own.
    pub prompts: Vec<Prompt>,
    /// How many replies each prompt gets.
    pub copies: usize,
    /// How tokens are to be chosen.
    pub wishes: Wishes,
    /// When to stop.
    pub limits: Limits,
    /// What the replies must keep to.
    pub demand: Demand,
    /// How long the model is to be kept.
    pub keep: Option<Option<Duration>>,
    /// How the replies are to be written.
    pub manner: Manner,
    /// Fields that were read and change nothing; the client is told their names.
    pub ignored: Vec<String>,
}

/// How replies are to be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// Piece by piece, as they come.
    pub streamed: bool,
    /// With the numbers of tokens at the end of a stream.
    pub with_usage: bool,
    /// With log probabilities.
    pub logprobs: bool,
}

impl Asked {
    /// The variables of the template that are stated.
    pub fn variables(&self) -> impl Iterator<Item = &String> {
        // A request has one conversation at most.
        let chat = match self.prompts.first() {
            Some(Prompt::Chat(chat)) => Some(chat),
            _ => None,
        };
        chat.into_iter().flat_map(|chat| chat.variables.keys())
    }

    /// The turns, those of a prompt beside each other. The replies of one prompt differ by their
    /// seeds; where none was stated they count from `seed`, so that a turn always has one and can
    /// be shown again.
    pub fn turns(&self, seed: u64) -> impl Iterator<Item = Turn> {
        let seed = self.wishes.seed.unwrap_or(seed);
        let seeds = move || (0..self.copies as u64).map(move |copy| seed.wrapping_add(copy));
        let each = self.prompts.iter().flat_map(move |prompt| {
            // A prompt may be megabytes long; all replies to it share it.
            let prompt = Arc::new(prompt.clone());
            seeds().map(move |seed| (Arc::clone(&prompt), seed))
        });
        let turn = |(prompt, seed): (Arc<Prompt>, u64)| Turn {
            owner: None,
            model: self.model.clone(),
            prompt,
            wishes: Wishes { seed: Some(seed), ..self.wishes.clone() },
            limits: self.limits.clone(),
            demand: self.demand.clone(),
            keep: self.keep,
        };
        each.map(turn)
    }
}
