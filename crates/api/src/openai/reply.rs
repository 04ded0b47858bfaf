//! What both kinds of reply share: their head, why they end, what they used, what was said.

use serde_json::{Value, json};
use turn::{Event, Finish, Usage};

use super::logprobs::{self, Lists};
use crate::Manner;

/// What is known before the first event.
pub struct Plan {
    pub id: String,
    pub created: u64,
    pub model: String,
    pub fingerprint: String,
    pub manner: Manner,
    pub prompts: usize,
    /// Replies to each prompt, which are beside each other.
    pub copies: usize,
    /// The bytes of a token.
    pub bytes_of: Box<dyn Fn(u32) -> Vec<u8> + Send + Sync>,
}

impl Plan {
    /// A reply, or a piece of it: the same head each time.
    pub fn around(&self, object: &str, choices: Vec<Value>) -> Value {
        let mut piece = json!({
            "id": self.id,
            "object": object,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.fingerprint,
        });
        piece["choices"] = choices.into();
        piece
    }

    /// How many choices there are.
    pub fn choices(&self) -> usize {
        self.prompts * self.copies
    }
}

/// Why a reply ended. `length` also where it was cut short for another reason: clients know that
/// such an answer is not whole.
pub fn finish_reason(finish: Finish, called: bool) -> &'static str {
    match finish {
        Finish::End | Finish::Stop if called => "tool_calls",
        Finish::End | Finish::Stop => "stop",
        Finish::Length | Finish::Context | Finish::Deadline | Finish::Form => "length",
        // Turned into a fault before it comes here.
        Finish::Cancelled => "length",
    }
}

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
            Event::Read(_) | Event::Failed(_) => {}
        }
    }

    fn settle(&mut self) {
        let undecided = std::mem::take(&mut self.undecided);
        self.tokens += if self.thinking { undecided } else { 0 };
    }
}

/// What all choices used together.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    prompt: usize,
    cached: usize,
    completion: usize,
    reasoning: usize,
}

impl Totals {
    /// Adds a choice. A prompt counts once, however many replies it has.
    pub fn add(&mut self, choice: usize, plan: &Plan, usage: &Usage, thoughts: &Thoughts) {
        if choice.is_multiple_of(plan.copies) {
            self.prompt += usage.prompt_tokens;
            self.cached += usage.cached_tokens;
        }
        self.completion += usage.generated_tokens;
        self.reasoning += thoughts.tokens.min(usage.generated_tokens);
    }

    pub fn json(&self) -> Value {
        json!({
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "total_tokens": self.prompt + self.completion,
            "prompt_tokens_details": { "cached_tokens": self.cached },
            "completion_tokens_details": { "reasoning_tokens": self.reasoning },
        })
    }
}

/// All that was said in one choice.
#[derive(Clone, Debug, Default)]
pub struct Said {
    pub reasoning: String,
    pub text: String,
    /// Names and arguments.
    pub calls: Vec<(String, String)>,
    /// Log probabilities as chat replies show them, and as completions do.
    pub rows: Vec<Value>,
    pub lists: Lists,
    pub thoughts: Thoughts,
    /// Why it ended, and what it used.
    pub end: Option<(Finish, Usage)>,
}

impl Said {
    pub fn take(&mut self, event: Event, plan: &Plan) {
        self.thoughts.hear(&event);
        match event {
            Event::Read(_) | Event::Failed(_) => {}
            Event::Token(choice) if plan.manner.logprobs => {
                self.rows.push(logprobs::row(&choice, plan));
                self.lists.push(&choice, plan);
            }
            Event::Token(_) => {}
            Event::Reasoning(more) => self.reasoning += &more,
            Event::Text(more) => self.text += &more,
            Event::Call(name) => self.calls.push((name, String::new())),
            Event::Arguments(more) => {
                if let Some((_, arguments)) = self.calls.last_mut() {
                    *arguments += &more;
                }
            }
            Event::End(account) => self.end = Some((account.finish, account.usage)),
        }
    }

    /// Why it ended, as clients read it.
    pub fn finish_reason(&self) -> &'static str {
        let finish = self.end.map_or(Finish::End, |(finish, _)| finish);
        finish_reason(finish, !self.calls.is_empty())
    }
}

/// What whole replies used.
fn usage(plan: &Plan, said: &[Said]) -> Value {
    let mut totals = Totals::default();
    for (at, said) in said.iter().enumerate() {
        let usage = said.end.map(|(_, usage)| usage).unwrap_or_default();
        totals.add(at, plan, &usage, &said.thoughts);
    }
    totals.json()
}

/// A whole reply.
pub fn whole(
    plan: &Plan,
    object: &str,
    said: Vec<Said>,
    choice: impl Fn((usize, Said)) -> Value,
) -> String {
    let usage = usage(plan, &said);
    let mut reply = plan.around(object, said.into_iter().enumerate().map(choice).collect());
    reply["usage"] = usage;
    reply.to_string()
}

/// The end of a stream whose choices have all ended.
pub fn close(plan: &Plan, object: &str, totals: &Totals, out: &mut String) {
    if plan.manner.with_usage {
        let mut last = plan.around(object, Vec::new());
        last["usage"] = totals.json();
        frame(&last, out);
    }
    out.push_str(DONE);
}

/// A piece of a stream.
pub fn frame(piece: &Value, out: &mut String) {
    out.push_str("data: ");
    out.push_str(&piece.to_string());
    out.push_str("\n\n");
}

/// A comment, which clients skip.
pub const KEEP_ALIVE: &str = ": still here\n\n";
/// The end of a stream that has come to its end.
const DONE: &str = "data: [DONE]\n\n";
