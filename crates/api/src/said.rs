//! What was said in a reply, collected for those who want it whole, and what it used.

use turn::{Account, Choice, Event, Usage};

use crate::plan::Plan;

/// Counts the tokens of reasoning. A token comes before the text that it completes.
#[derive(Clone, Debug, Default)]
pub struct Thoughts {
    tokens: usize,
    undecided: usize,
    thinking: bool,
}

impl Thoughts {
    pub fn hear(&mut self, event: &Event) {
        match event {
            Event::Token(_) => self.undecided += 1,
            Event::Reasoning(_) => {
                self.thinking = true;
                self.settle();
            }
            Event::Text(_) | Event::Call(_) | Event::Arguments(_) => {
                self.thinking = false;
                self.settle();
            }
            Event::End(_) => self.settle(),
            Event::Begun(_) | Event::Read(_) | Event::Failed(_) => {}
        }
    }

    fn settle(&mut self) {
        let undecided = std::mem::take(&mut self.undecided);
        self.tokens += if self.thinking { undecided } else { 0 };
    }
}

/// What all replies to a request used together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    pub prompt: usize,
    /// Tokens of the prompt that need not be read again.
    pub cached: usize,
    pub generated: usize,
    /// Generated tokens that are no part of the answer.
    pub reasoning: usize,
}

impl Spent {
    /// Adds a reply. A prompt counts once, however many replies it has.
    pub fn add(&mut self, choice: usize, plan: &Plan, usage: &Usage, thoughts: &Thoughts) {
        if choice.is_multiple_of(plan.copies) {
            self.prompt += usage.prompt_tokens;
            self.cached += usage.cached_tokens;
        }
        self.generated += usage.generated_tokens;
        self.reasoning += thoughts.tokens.min(usage.generated_tokens);
    }

    /// What whole replies used.
    pub fn by(plan: &Plan, said: &[Said]) -> Spent {
        let mut spent = Spent::default();
        for (at, said) in said.iter().enumerate() {
            let usage = said.account.as_ref().map(|account| account.usage).unwrap_or_default();
            spent.add(at, plan, &usage, &said.thoughts);
        }
        spent
    }
}

/// All that was said in one reply.
#[derive(Clone, Debug, Default)]
pub struct Said {
    pub reasoning: String,
    pub text: String,
    /// Names and arguments.
    pub calls: Vec<(String, String)>,
    /// The tokens, where log probabilities are shown.
    pub tokens: Vec<Choice>,
    pub thoughts: Thoughts,
    /// What came of it.
    pub account: Option<Account>,
}

impl Said {
    pub fn take(&mut self, event: Event, plan: &Plan) {
        self.thoughts.hear(&event);
        match event {
            Event::Begun(_) | Event::Read(_) | Event::Failed(_) => {}
            Event::Token(choice) if plan.manner.logprobs => self.tokens.push(choice),
            Event::Token(_) => {}
            Event::Reasoning(more) => self.reasoning += &more,
            Event::Text(more) => self.text += &more,
            Event::Call(name) => self.calls.push((name, String::new())),
            Event::Arguments(more) => {
                if let Some((_, arguments)) = self.calls.last_mut() {
                    *arguments += &more;
                }
            }
            Event::End(account) => self.account = Some(*account),
        }
    }

    /// The calls. Arguments are JSON, and nothing is not.
    pub fn take_calls(&mut self) -> Vec<(String, String)> {
        let mut calls = std::mem::take(&mut self.calls);
        let empty = calls.iter_mut().filter(|(_, arguments)| arguments.is_empty());
        empty.for_each(|(_, arguments)| arguments.push_str("{}"));
        calls
    }
}
