//! Anthropic's dialect: messages, and how long their prompts are.

mod ask;
mod count;
mod error;
mod messages;
mod reply;
mod tools;

pub use ask::decode;
pub(crate) use error::refusal;

use crate::plan::Plan;
use crate::reply::{Way, answer};
use crate::said::Said;
use crate::server::{Route, Scope};
use crate::{Asked, Refusal};

/// The routes of this dialect.
pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/messages", Scope::Ask, answer::<Message>)
            .about("Goes on with a conversation"),
        Route::post("/v1/messages/count_tokens", Scope::Ask, count::count)
            .about("How many tokens a message would read"),
    ]
}

/// A message that answers others.
struct Message;

impl Way for Message {
    type Stream = reply::Stream;

    fn decode(body: &[u8]) -> Result<(Asked, Message), Refusal> {
        Ok((decode(body)?, Message))
    }

    fn stream(self, plan: Plan) -> reply::Stream {
        reply::Stream::new(plan)
    }

    fn whole(self, plan: Plan, said: Vec<Said>) -> String {
        reply::whole(&plan, said)
    }
}

/// Decodes any bytes, for the fuzzer.
#[doc(hidden)]
pub fn probe(data: &[u8]) {
    // Any outcome will do, as long as there is one.
    if let Ok(asked) = decode(data) {
        assert!(asked.turns(0).next().is_some(), "something was asked");
    }
    let _ = ask::decode_prompt(data);
}

#[cfg(test)]
mod tests;
