//! Replies of `/v1/messages`: event by event, or whole.

use serde_json::{Value, json};
use turn::{Account, Event, Fault, Finish, Usage};

use super::error;
use crate::plan::Plan;
use crate::said::Said;
use crate::sse::named;
use crate::stream::Encode;

/// Writes a stream.
pub struct Stream {
    plan: Plan,
    begun: bool,
    /// The block that is being written.
    open: Option<Block>,
    /// Blocks that have begun.
    blocks: usize,
    calls: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    Thinking,
    Text,
    Call,
}

impl Stream {
    pub fn new(plan: Plan) -> Stream {
        Stream { plan, begun: false, open: None, blocks: 0, calls: 0 }
    }

    /// Clients take nothing before this.
    fn begin(&mut self, usage: Usage, out: &mut String) {
        if !std::mem::replace(&mut self.begun, true) {
            let message = message(&self.plan, Vec::new(), &(Value::Null, Value::Null), usage);
            named(&json!({ "type": "message_start", "message": message }), out);
        }
    }

    /// Begins a block, unless one of this kind is being written.
    fn open(&mut self, block: Block, content: &Value, out: &mut String) {
        if self.open == Some(block) && block != Block::Call {
            return;
        }
        self.close(out);
        let index = self.blocks;
        let start =
            json!({ "type": "content_block_start", "index": index, "content_block": content });
        named(&start, out);
        (self.open, self.blocks) = (Some(block), index + 1);
    }

    fn delta(&self, delta: &Value, out: &mut String) {
        let index = self.blocks.saturating_sub(1);
        named(&json!({ "type": "content_block_delta", "index": index, "delta": delta }), out);
    }

    fn close(&mut self, out: &mut String) {
        if self.open.take().is_some() {
            named(&json!({ "type": "content_block_stop", "index": self.blocks - 1 }), out);
        }
    }

    fn end(&mut self, account: &Account, out: &mut String) {
        self.close(out);
        let (stop_reason, stop_sequence) = stopped(account, self.calls > 0);
        let delta = json!({ "stop_reason": stop_reason, "stop_sequence": stop_sequence });
        let usage = usage(account.usage);
        named(&json!({ "type": "message_delta", "delta": delta, "usage": usage }), out);
        named(&json!({ "type": "message_stop" }), out);
    }
}

impl Encode for Stream {
    fn event(&mut self, _: usize, event: Event, out: &mut String) {
        match &event {
            Event::Begun(usage) => self.begin(*usage, out),
            Event::End(account) => self.begin(account.usage, out),
            _ => self.begin(Usage::default(), out),
        }
        match event {
            Event::Begun(_) | Event::Read(_) | Event::Token(_) | Event::Failed(_) => {}
            Event::Reasoning(more) => {
                self.open(Block::Thinking, &thinking(""), out);
                self.delta(&json!({ "type": "thinking_delta", "thinking": more }), out);
            }
            Event::Text(more) => {
                self.open(Block::Text, &text(""), out);
                self.delta(&json!({ "type": "text_delta", "text": more }), out);
            }
            Event::Call(name) => {
                let call = call(&self.plan, self.calls, &name, &json!({}));
                self.open(Block::Call, &call, out);
                self.calls += 1;
            }
            Event::Arguments(more) => {
                self.delta(&json!({ "type": "input_json_delta", "partial_json": more }), out);
            }
            Event::End(account) => self.end(&account, out),
        }
    }

    fn fault(&mut self, fault: &Fault, out: &mut String) {
        named(&error::fault(fault), out);
    }

    fn idle(&mut self, out: &mut String) {
        named(&json!({ "type": "ping" }), out);
    }
}

/// A whole reply.
pub fn whole(plan: &Plan, said: Vec<Said>) -> String {
    let mut said = said.into_iter().next().unwrap_or_default();
    let mut content = Vec::new();
    if !said.reasoning.is_empty() {
        content.push(thinking(&said.reasoning));
    }
    if !said.text.is_empty() {
        content.push(text(&said.text));
    }
    let mut calls = 0;
    for (name, arguments) in said.take_calls() {
        // Without its arguments it would be another call.
        match serde_json::from_str::<Value>(&arguments) {
            Ok(input @ Value::Object(_)) => {
                content.push(call(plan, calls, &name, &input));
                calls += 1;
            }
            _ => content.push(text(&format!("{name} {arguments}"))),
        }
    }
    let account = said.account.as_ref();
    let stopped = account.map(|account| stopped(account, calls > 0));
    let usage = account.map(|account| account.usage).unwrap_or_default();
    message(plan, content, &stopped.unwrap_or_default(), usage).to_string()
}

/// A message, or the beginning of one.
fn message(
    plan: &Plan,
    content: Vec<Value>,
    (stop_reason, stop_sequence): &(Value, Value),
    used: Usage,
) -> Value {
    let mut message = json!({
        "id": format!("msg_{}", plan.id),
        "type": "message",
        "role": "assistant",
        "model": plan.model,
        "content": null,
        "stop_reason": stop_reason,
        "stop_sequence": stop_sequence,
        "usage": usage(used),
    });
    message["content"] = content.into();
    message
}

/// Anthropic's clients think of some signature. Nobody checks this one.
fn thinking(thoughts: &str) -> Value {
    json!({ "type": "thinking", "thinking": thoughts, "signature": "" })
}

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

fn call(plan: &Plan, index: usize, name: &str, input: &Value) -> Value {
    let id = format!("toolu_{}", plan.call_id(0, index));
    json!({ "type": "tool_use", "id": id, "name": name, "input": input })
}

/// Why a reply ended, and the stop string that ended it.
fn stopped(account: &Account, called: bool) -> (Value, Value) {
    let reason = match account.finish {
        Finish::End | Finish::Stop if called => "tool_use",
        Finish::End => "end_turn",
        Finish::Stop => "stop_sequence",
        Finish::Context => "model_context_window_exceeded",
        // The last of these is turned into a fault before it comes here.
        Finish::Length | Finish::Deadline | Finish::Form | Finish::Cancelled => "max_tokens",
    };
    (reason.into(), account.stop.clone().into())
}

/// What was read from a cache is not counted twice.
fn usage(usage: Usage) -> Value {
    json!({
        "input_tokens": usage.prompt_tokens - usage.cached_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached_tokens,
        "output_tokens": usage.generated_tokens,
    })
}
