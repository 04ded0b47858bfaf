//! Replies of `/v1/completions`: chunk by chunk, or whole.

use serde_json::{Value, json};
use turn::{Account, Event, Fault};

use super::error;
use super::logprobs::Lists;
use super::reply::{Kind, finish_of, finish_reason};
use crate::plan::Plan;
use crate::said::{Said, Spent, Thoughts};
use crate::sse::{KEEP_ALIVE, frame};
use crate::stream::Encode;

const KIND: Kind = Kind { object: "text_completion", prefix: "cmpl-" };

/// Writes a stream.
pub struct Stream {
    plan: Plan,
    /// Log probabilities of tokens whose text is still to come.
    lists: Vec<Lists>,
    spent: Spent,
    /// Choices that have not ended.
    open: usize,
}

impl Stream {
    pub fn new(plan: Plan) -> Stream {
        let open = plan.choices();
        Stream { lists: vec![Lists::default(); open], spent: Spent::default(), open, plan }
    }

    fn chunk(&mut self, at: usize, text: &str, finish: Option<&str>, out: &mut String) {
        let logprobs = self.lists[at].take();
        let choice =
            json!({ "index": at, "text": text, "logprobs": logprobs, "finish_reason": finish });
        frame(&KIND.around(&self.plan, vec![choice]), out);
    }

    fn end(&mut self, at: usize, account: &Account, out: &mut String) {
        self.spent.add(at, &self.plan, &account.usage, &Thoughts::default());
        self.chunk(at, "", Some(finish_reason(account.finish, false)), out);
        self.open -= 1;
        if self.open == 0 {
            KIND.close(&self.plan, &self.spent, out);
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
            Event::Begun(_) | Event::Read(_) | Event::Token(_) | Event::Failed(_) => {}
            // No tools are offered.
            Event::Call(_) | Event::Arguments(_) => {}
        }
    }

    fn fault(&mut self, fault: &Fault, out: &mut String) {
        frame(&error::fault(fault), out);
    }

    fn idle(&mut self, out: &mut String) {
        out.push_str(KEEP_ALIVE);
    }
}

/// A whole reply.
pub fn whole(plan: &Plan, said: Vec<Said>) -> String {
    KIND.whole(plan, said, |(at, said)| choice(plan, at, said))
}

fn choice(plan: &Plan, at: usize, said: Said) -> Value {
    let mut lists = Lists::default();
    said.tokens.iter().for_each(|token| lists.push(token, plan));
    let text = said.reasoning + &said.text;
    json!({
        "index": at,
        "text": text,
        "logprobs": lists.take(),
        "finish_reason": finish_of(said.account.as_ref(), false),
    })
}
