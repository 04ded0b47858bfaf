//! Replies of `/v1/chat/completions`: chunk by chunk, or whole.

use serde_json::{Map, Value, json};
use turn::{Account, Event, Fault};

use super::error;
use super::reply::{Kind, finish_of, finish_reason};
use crate::logprobs;
use crate::plan::Plan;
use crate::said::{Said, Spent, Thoughts};
use crate::sse::{KEEP_ALIVE, frame};
use crate::stream::Encode;

const CHUNK: Kind = Kind { object: "chat.completion.chunk", prefix: PREFIX };
const WHOLE: Kind = Kind { object: "chat.completion", prefix: PREFIX };
const PREFIX: &str = "chatcmpl-";

/// Writes a stream.
pub struct Stream {
    plan: Plan,
    choices: Vec<Told>,
    spent: Spent,
    /// Choices that have not ended.
    open: usize,
}

/// What has been told of a choice.
#[derive(Clone, Default)]
struct Told {
    /// Its role.
    begun: bool,
    calls: usize,
    /// The last call has none so far.
    lacks_arguments: bool,
    /// Log probabilities of tokens whose text is still to come.
    rows: Vec<Value>,
    thoughts: Thoughts,
}

impl Stream {
    pub fn new(plan: Plan) -> Stream {
        let open = plan.choices();
        Stream { choices: vec![Told::default(); open], spent: Spent::default(), open, plan }
    }

    fn chunk(&mut self, at: usize, delta: Value, finish: Option<&str>, out: &mut String) {
        let told = &mut self.choices[at];
        let rows = match delta.as_object().is_some_and(Map::is_empty) {
            // The chunk that says why it ended says nothing else.
            true => Vec::new(),
            false => std::mem::take(&mut told.rows),
        };
        let logprobs = (!rows.is_empty()).then(|| json!({ "content": rows, "refusal": null }));
        let mut choice = json!({ "index": at, "delta": null, "logprobs": logprobs });
        choice["delta"] = delta;
        choice["finish_reason"] = finish.into();
        frame(&CHUNK.around(&self.plan, vec![choice]), out);
    }

    /// The first chunk of a choice names the role, and no other does: clients join what is said
    /// twice.
    fn begin(&mut self, at: usize, out: &mut String) {
        if !std::mem::replace(&mut self.choices[at].begun, true) {
            let rows = std::mem::take(&mut self.choices[at].rows);
            self.chunk(at, json!({ "role": "assistant", "content": "" }), None, out);
            self.choices[at].rows = rows;
        }
    }

    fn call(&mut self, at: usize, name: &str, out: &mut String) {
        self.complete_call(at, out);
        let told = &mut self.choices[at];
        let index = told.calls;
        told.calls += 1;
        told.lacks_arguments = true;
        let function = json!({ "name": name, "arguments": "" });
        let id = call_id(&self.plan, at, index);
        let call = json!({ "index": index, "id": id, "type": "function", "function": function });
        self.chunk(at, json!({ "tool_calls": [call] }), None, out);
    }

    fn arguments(&mut self, at: usize, more: &str, out: &mut String) {
        let told = &mut self.choices[at];
        told.lacks_arguments = false;
        let call =
            json!({ "index": told.calls.saturating_sub(1), "function": { "arguments": more } });
        self.chunk(at, json!({ "tool_calls": [call] }), None, out);
    }

    /// Arguments are JSON, and nothing is not.
    fn complete_call(&mut self, at: usize, out: &mut String) {
        if self.choices[at].lacks_arguments {
            self.arguments(at, "{}", out);
        }
    }

    fn end(&mut self, at: usize, account: &Account, out: &mut String) {
        self.complete_call(at, out);
        if !self.choices[at].rows.is_empty() {
            self.chunk(at, json!({ "content": "" }), None, out);
        }
        let told = &self.choices[at];
        let reason = finish_reason(account.finish, told.calls > 0);
        self.spent.add(at, &self.plan, &account.usage, &told.thoughts);
        self.chunk(at, json!({}), Some(reason), out);
        self.open -= 1;
        if self.open == 0 {
            CHUNK.close(&self.plan, &self.spent, out);
        }
    }
}

impl Encode for Stream {
    fn event(&mut self, at: usize, event: Event, out: &mut String) {
        self.choices[at].thoughts.hear(&event);
        if !matches!(event, Event::Begun(_) | Event::Read(_)) {
            self.begin(at, out);
        }
        match event {
            Event::Begun(_) | Event::Read(_) | Event::Failed(_) => {}
            Event::Token(choice) if self.plan.manner.logprobs => {
                let row = logprobs::row(&choice, &self.plan);
                self.choices[at].rows.push(row);
            }
            Event::Token(_) => {}
            Event::Reasoning(more) => {
                let delta = json!({ "reasoning_content": more, "reasoning": more });
                self.chunk(at, delta, None, out);
            }
            Event::Text(more) => self.chunk(at, json!({ "content": more }), None, out),
            Event::Call(name) => self.call(at, &name, out),
            Event::Arguments(more) => self.arguments(at, &more, out),
            Event::End(account) => self.end(at, &account, out),
        }
    }

    /// Clients raise what is under `error`. There is no `[DONE]` after it.
    fn fault(&mut self, fault: &Fault, out: &mut String) {
        frame(&error::fault(fault), out);
    }

    fn idle(&mut self, out: &mut String) {
        out.push_str(KEEP_ALIVE);
    }
}

/// A whole reply.
pub fn whole(plan: &Plan, said: Vec<Said>) -> String {
    WHOLE.whole(plan, said, |(at, said)| choice(plan, at, said))
}

fn choice(plan: &Plan, at: usize, mut said: Said) -> Value {
    let calls: Vec<Value> = said.take_calls().into_iter().enumerate().map(call(plan, at)).collect();
    let finish_reason = finish_of(said.account.as_ref(), !calls.is_empty());
    let rows = || said.tokens.iter().map(|token| logprobs::row(token, plan)).collect::<Vec<_>>();
    let rows = plan.manner.logprobs.then(|| json!({ "content": rows(), "refusal": null }));
    // Beside calls, no text is `null`.
    let content = Some(said.text).filter(|text| calls.is_empty() || !text.is_empty());
    let mut message = json!({ "role": "assistant", "content": content, "refusal": null });
    if !said.reasoning.is_empty() {
        // Some clients read the one, some the other.
        message["reasoning_content"] = said.reasoning.as_str().into();
        message["reasoning"] = said.reasoning.into();
    }
    if !calls.is_empty() {
        message["tool_calls"] = calls.into();
    }
    json!({ "index": at, "message": message, "logprobs": rows, "finish_reason": finish_reason })
}

fn call(plan: &Plan, at: usize) -> impl Fn((usize, (String, String))) -> Value {
    move |(index, (name, arguments))| {
        let function = json!({ "name": name, "arguments": arguments });
        json!({ "id": call_id(plan, at, index), "type": "function", "function": function })
    }
}

fn call_id(plan: &Plan, at: usize, index: usize) -> String {
    format!("call_{}", plan.call_id(at, index))
}
