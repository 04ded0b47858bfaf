//! Small jobs that a model does all day: quoting an answer from a text, filling in fields,
//! choosing a label or a tool.
//!
//! Each says what a model is asked, which form its reply must keep, and reads the reply with how
//! sure the model was. The words of the prompts are those that kindling was trained on; any other
//! model understands them as well. Knows no files, no models and no queues.

pub mod ask;
pub mod classify;
pub mod extract;
mod schema;

use std::sync::Arc;

use kernels::portable::angles::exp;
use serde_json::{Map, Value, json};
use turn::{Calls, Chat, Demand, Finish, Form, Limits, Prompt, Reply, Token, Tool, Turn, Wishes};

/// Tokens of a reply at most. Forms end by themselves; this is for models that think before they
/// answer, and for lists without end. With a prompt of a page it fits into the least room that a
/// model is loaded with.
const MOST_TOKENS: usize = 3072;
/// The same of a call, whose arguments are few.
const MOST_TOKENS_OF_CALL: usize = 256;

/// e to this is no probability that anybody could tell from none.
const LEAST: f64 = -600.0;

/// What a model is asked to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// What it is told.
    pub prompt: String,
    /// What its reply must be.
    pub form: Form,
}

impl Task {
    /// As a turn of this model. The most probable tokens are taken, and models that can be told
    /// not to think are: there is nothing to think about.
    pub fn turn(self, model: &str) -> Turn {
        let messages = vec![json!({ "role": "user", "content": self.prompt })];
        let variables = Map::from_iter([("enable_thinking".to_owned(), false.into())]);
        Turn {
            owner: None,
            model: model.to_owned(),
            prompt: Arc::new(Prompt::Chat(Chat { messages, variables, ..Chat::default() })),
            wishes: Wishes { temperature: Some(0.0), ..Wishes::default() },
            limits: Limits { tokens: Some(MOST_TOKENS), ..Limits::default() },
            demand: Demand::from(self.form),
            keep: None,
        }
    }
}

/// Asks for what a request wants, for which one of these tools may be called. They are told as
/// OpenAI's interface has them.
pub fn call(request: &str, tools: &[Value]) -> Turn {
    let offered = tools.iter().map(|tool| Tool {
        name: tool["function"]["name"].as_str().unwrap_or_default().to_owned(),
        parameters: tool["function"]["parameters"].clone(),
        strict: true,
    });
    let demand = Demand { calls: Calls::May, tools: offered.collect(), ..Demand::default() };
    let messages = vec![json!({ "role": "user", "content": request })];
    Turn {
        owner: None,
        model: String::new(),
        prompt: Arc::new(Prompt::Chat(Chat { messages, tools: tools.to_vec(), ..Chat::default() })),
        wishes: Wishes::default(),
        limits: Limits { tokens: Some(MOST_TOKENS_OF_CALL), ..Limits::default() },
        demand,
        keep: None,
    }
}

/// How probable the model found its answer, from 0 to 1: of all tokens of it together, with the one
/// that ends it where there was a choice to go on. What was thought before does not count.
pub fn confidence(reply: &Reply) -> f64 {
    probability(reply, |_| true)
}

fn probability(reply: &Reply, is_counted: impl Fn(&Token) -> bool) -> f64 {
    let counted = reply.tokens.iter().filter(|token| is_counted(token));
    let sum: f64 = counted.map(|token| f64::from(token.logprob)).sum();
    // Not the system's, which is another on another machine.
    if sum > LEAST { exp(sum) } else { 0.0 }
}

/// Whether the reply came to its end; else why it is no answer.
fn ended(reply: &Reply) -> Result<(), String> {
    let why = match reply.account.as_ref().map(|account| account.finish) {
        None | Some(Finish::End) => return Ok(()),
        Some(Finish::Context) => "the model's context was full before the answer came to its end",
        Some(Finish::Length) => "the model does not come to an end",
        Some(_) => "the answer was broken off",
    };
    Err(why.to_owned())
}

/// A text as JSON writes it.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
