//! What both kinds of reply share: their head, why they end, what they used.

use serde_json::{Value, json};
use turn::{Account, Finish};

use crate::plan::Plan;
use crate::said::{Said, Spent};
use crate::sse::frame;

/// What sets the replies of one way apart.
#[derive(Clone, Copy)]
pub struct Kind {
    pub object: &'static str,
    /// Of its id.
    pub prefix: &'static str,
}

impl Kind {
    /// A reply, or a piece of it: the same head each time.
    pub fn around(self, plan: &Plan, choices: Vec<Value>) -> Value {
        let mut piece = json!({
            "id": format!("{}{}", self.prefix, plan.id),
            "object": self.object,
            "created": plan.created,
            "model": plan.model,
            "system_fingerprint": plan.fingerprint,
        });
        piece["choices"] = choices.into();
        piece
    }

    /// A whole reply.
    pub fn whole(
        self,
        plan: &Plan,
        said: Vec<Said>,
        choice: impl Fn((usize, Said)) -> Value,
    ) -> String {
        let usage = usage(&Spent::by(plan, &said));
        let mut reply = self.around(plan, said.into_iter().enumerate().map(choice).collect());
        reply["usage"] = usage;
        reply.to_string()
    }

    /// The end of a stream whose choices have all ended.
    pub fn close(self, plan: &Plan, spent: &Spent, out: &mut String) {
        if plan.manner.with_usage {
            let mut last = self.around(plan, Vec::new());
            last["usage"] = usage(spent);
            frame(&last, out);
        }
        out.push_str(DONE);
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

/// Why a whole reply ended.
pub fn finish_of(account: Option<&Account>, called: bool) -> &'static str {
    finish_reason(account.map_or(Finish::End, |account| account.finish), called)
}

fn usage(spent: &Spent) -> Value {
    json!({
        "prompt_tokens": spent.prompt,
        "completion_tokens": spent.generated,
        "total_tokens": spent.prompt + spent.generated,
        "prompt_tokens_details": { "cached_tokens": spent.cached },
        "completion_tokens_details": { "reasoning_tokens": spent.reasoning },
    })
}

/// The end of a stream that has come to its end.
const DONE: &str = "data: [DONE]\n\n";
