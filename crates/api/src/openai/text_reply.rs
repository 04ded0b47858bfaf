//! Replies of `/v1/completions`: chunk by chunk, or whole.

use serde_json::{Value, json};
use turn::{Account, Event, Fault};

use super::error;
use super::logprobs::Lists;
use super::reply::{self, KEEP_ALIVE, Plan, Said, Thoughts, Totals, finish_reason, frame};
use crate::stream::Encode;

const OBJECT: &str = "text_completion";

/// Writes a stream.
pub struct Stream {
    plan: Plan,
    /// Log probabilities of tokens whose text is still to come.
    lists: Vec<Lists>,
    totals: Totals,
    /// Choices that have not ended.
    open: usize,
}

impl Stream {
    pub fn new(plan: Plan) -> Stream {
        let open = plan.choices();
        Stream { lists: vec![Lists::default(); open], totals: Totals::default(), open, plan }
    }

    fn chunk(&mut self, at: usize, text: &str, finish: Option<&str>, out: &mut String) {
        let logprobs = self.lists[at].take();
        let choice =
            json!({ "index": at, "text": text, "logprobs": logprobs, "finish_reason": finish });
        frame(&self.plan.around(OBJECT, vec![choice]), out);
    }

    fn end(&mut self, at: usize, account: &Account, out: &mut String) {
        self.totals.add(at, &self.plan, &account.usage, &Thoughts::default());
        self.chunk(at, "", Some(finish_reason(account.finish, false)), out);
        self.open -= 1;
        if self.open == 0 {
            reply::close(&self.plan, OBJECT, &self.totals, out);
        }
    }
}

impl Encode for Stream {
    fn event(&mut self, at: usize, event: Event, out: &mut String) {
        match event {
            Event::Token(choice) if self.plan.manner.logprobs => {
                self.lists[at].push(&choice, &self.plan);
            }
            // Reasoning is told apart in chats only; here all is text.
            Event::Text(more) | Event::Reasoning(more) => self.chunk(at, &more, None, out),
            Event::End(account) => self.end(at, &account, out),
            Event::Read(_) | Event::Token(_) | Event::Failed(_) => {}
            // No tools are offered.
            Event::Call(_) | Event::Arguments(_) => {}
        }
    }

    fn fault(&mut self, fault: &Fault, out: &mut String) {
        frame(&error::fault_body(fault), out);
    }

    fn idle(&mut self, out: &mut String) {
        out.push_str(KEEP_ALIVE);
    }
}

/// A whole reply.
pub fn whole(plan: &Plan, said: Vec<Said>) -> String {
    reply::whole(plan, OBJECT, said, |(at, said)| choice(at, said))
}

fn choice(at: usize, mut said: Said) -> Value {
    let finish_reason = said.finish_reason();
    let text = said.reasoning + &said.text;
    json!({
        "index": at,
        "text": text,
        "logprobs": said.lists.take(),
        "finish_reason": finish_reason,
    })
}
