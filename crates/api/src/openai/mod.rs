//! OpenAI's dialect: chat completions, completions, responses, embeddings and models. Beside them
//! what other local servers add to it: tokens, and gaps to be filled.

mod chat;
mod chat_reply;
mod completions;
mod embeddings;
mod error;
mod form;
mod infill;
mod later;
mod logprobs;
mod messages;
mod models;
mod prompts;
mod reply;
mod responses;
mod settings;
mod text_reply;
mod tokens;
pub(crate) mod tools;

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
        Route::post("/v1/chat/completions", Scope::Ask, answer::<Chat>)
            .about("Goes on with a conversation"),
        Route::post("/v1/completions", Scope::Ask, answer::<Text>)
            .about("Goes on with a text, or fills the gap before a suffix"),
        Route::post("/v1/embeddings", Scope::Ask, embeddings::answer)
            .about("Turns texts into vectors"),
        Route::post("/infill", Scope::Ask, infill::answer)
            .about("Fills a gap, as llama.cpp's editors ask for it"),
        Route::post("/tokenize", Scope::Ask, tokens::tokenize)
            .about("The tokens of a text or a conversation"),
        Route::post("/detokenize", Scope::Ask, tokens::detokenize).about("The text of tokens"),
        Route::get("/v1/models", Scope::List, models::list).about("Which models there are"),
        Route::get("/v1/models/{*id}", Scope::List, models::one).about("One of the models"),
    ];
    routes.extend(responses::routes());
    routes.extend(later::routes());
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

/// Decodes any bytes, for the fuzzer; says whether any route takes them.
#[doc(hidden)]
pub fn probe(data: &[u8]) -> bool {
    let asked = [decode_chat, decode_completion, decode_response, infill::decode];
    let asked = asked.map(|decode| decode(data));
    for asked in asked.iter().flatten() {
        assert!(asked.turns(0).next().is_some(), "something was asked");
    }
    let wanted = embeddings::decode(data);
    if let Ok(wanted) = &wanted {
        assert!(!wanted.embed.texts.is_empty(), "something was asked");
    }
    let tokens = [tokens::decode_text(data).is_ok(), tokens::decode_tokens(data).is_ok()];
    asked.iter().any(Result::is_ok) || wanted.is_ok() || tokens.contains(&true)
}

#[cfg(test)]
mod tests;
