//! OpenAI's dialect: chat completions, completions, responses and models.

mod chat;
mod chat_reply;
mod completions;
mod error;
mod form;
mod logprobs;
mod messages;
mod models;
mod reply;
mod responses;
mod settings;
mod text_reply;
mod tools;

pub use chat::decode as decode_chat;
pub use completions::decode as decode_completion;
pub(crate) use error::refusal;
pub(crate) use responses::Store;
pub use responses::decode as decode_response;

use crate::plan::Plan;
use crate::reply::{Way, answer};
use crate::said::Said;
use crate::server::{Route, Scope};
use crate::{Asked, Refusal};

/// The routes of this dialect.
pub(crate) fn routes() -> Vec<Route> {
    let mut routes = vec![
        Route::post("/v1/chat/completions", Scope::Ask, answer::<Chat>),
        Route::post("/v1/completions", Scope::Ask, answer::<Text>),
        Route::get("/v1/models", Scope::List, models::list),
        Route::get("/v1/models/{*id}", Scope::List, models::one),
    ];
    routes.extend(responses::routes());
    routes
}

/// Chat completions.
struct Chat;

impl Way for Chat {
    type Stream = chat_reply::Stream;

    fn decode(body: &[u8]) -> Result<(Asked, Chat), Refusal> {
        Ok((chat::decode(body)?, Chat))
    }

    fn stream(self, plan: Plan) -> chat_reply::Stream {
        chat_reply::Stream::new(plan)
    }

    fn whole(self, plan: Plan, said: Vec<Said>) -> String {
        chat_reply::whole(&plan, said)
    }
}

/// Completions.
struct Text;

impl Way for Text {
    type Stream = text_reply::Stream;

    fn decode(body: &[u8]) -> Result<(Asked, Text), Refusal> {
        Ok((completions::decode(body)?, Text))
    }

    fn stream(self, plan: Plan) -> text_reply::Stream {
        text_reply::Stream::new(plan)
    }

    fn whole(self, plan: Plan, said: Vec<Said>) -> String {
        text_reply::whole(&plan, said)
    }
}

/// Decodes any bytes, for the fuzzer.
#[doc(hidden)]
pub fn probe(data: &[u8]) {
    // Any outcome will do, as long as there is one.
    for decode in [decode_chat, decode_completion, decode_response] {
        if let Ok(asked) = decode(data) {
            assert!(asked.turns(0).next().is_some(), "something was asked");
        }
    }
}

#[cfg(test)]
mod tests;
