//! OpenAI's dialect: chat completions, completions and models.

mod chat;
mod chat_reply;
mod completions;
mod error;
mod form;
mod logprobs;
mod messages;
mod models;
mod reply;
mod settings;
mod text_reply;
mod tools;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

pub use chat::decode as decode_chat;
pub use completions::decode as decode_completion;
pub(crate) use error::{fault_body, no_method, no_route};

use crate::server::{Route, Scope, Shared, json};
use crate::stream::{self, Heard, Told};
use crate::{Asked, Refusal};
use error::Refused;
use reply::{Plan, Said};

/// Larger bodies are decoded where nobody else waits.
const LARGE: usize = 256 << 10;

/// The routes of this dialect.
pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/chat/completions", Scope::Ask, chat),
        Route::post("/v1/completions", Scope::Ask, completions),
        Route::get("/v1/models", Scope::List, models::list),
        Route::get("/v1/models/{*id}", Scope::List, models::one),
    ]
}

/// What sets the two ways of asking apart.
struct Way {
    prefix: &'static str,
    decode: fn(&[u8]) -> Result<Asked, Refusal>,
    /// Writes a stream.
    body: fn(Plan, Heard, Option<Told>, Duration) -> Body,
    /// Writes a whole reply.
    whole: fn(&Plan, Vec<Said>) -> String,
}

const CHAT: Way = Way {
    prefix: "chatcmpl-",
    decode: chat::decode,
    body: |plan, heard, first, pause| {
        stream::body(heard, chat_reply::Stream::new(plan), first, pause)
    },
    whole: chat_reply::whole,
};

const TEXT: Way = Way {
    prefix: "cmpl-",
    decode: completions::decode,
    body: |plan, heard, first, pause| {
        stream::body(heard, text_reply::Stream::new(plan), first, pause)
    },
    whole: text_reply::whole,
};

type Received = Result<Bytes, BytesRejection>;

async fn chat(State(server): State<Shared>, body: Received) -> Result<Response, Refused> {
    answer(&server, body?, &CHAT).await
}

async fn completions(State(server): State<Shared>, body: Received) -> Result<Response, Refused> {
    answer(&server, body?, &TEXT).await
}

async fn answer(server: &Shared, body: Bytes, way: &Way) -> Result<Response, Refused> {
    let asked = decode(body, way.decode).await?;
    let mut heard = Heard::begin(&*server.house, asked.turns(server.ids.seed()));
    // A fault that is known by then is a status. By then the model is there, too, for whoever asks
    // for its fingerprint.
    let options = &server.options;
    let patience = if asked.manner.streamed { options.patience } else { Duration::MAX };
    let first = match timeout(patience, heard.next()).await {
        Ok(next) => next?,
        Err(_) => None,
    };
    let plan = plan(server, &asked, way.prefix);
    let mut response = if asked.manner.streamed {
        events((way.body)(plan, heard, first, options.keep_alive))
    } else {
        let mut said = vec![Said::default(); plan.choices()];
        first.into_iter().for_each(|(turn, event)| said[turn].take(event, &plan));
        heard.all(|turn, event| said[turn].take(event, &plan)).await?;
        json(StatusCode::OK, (way.whole)(&plan, said))
    };
    name_ignored(&mut response, &asked.ignored);
    Ok(response)
}

async fn decode(
    body: Bytes,
    decode: fn(&[u8]) -> Result<Asked, Refusal>,
) -> Result<Asked, Refused> {
    if body.len() < LARGE {
        return Ok(decode(&body)?);
    }
    let decoded = tokio::task::spawn_blocking(move || decode(&body)).await;
    Ok(decoded.map_err(|_| error::broken())??)
}

/// What all pieces of a reply share.
fn plan(server: &Shared, asked: &Asked, prefix: &str) -> Plan {
    let (house, model) = (Arc::clone(&server.house), asked.model.clone());
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Plan {
        id: server.ids.name(prefix),
        created: now.unwrap_or_default().as_secs(),
        model: asked.model.clone(),
        fingerprint: server.house.fingerprint(&asked.model),
        manner: asked.manner,
        prompts: asked.prompts.len(),
        copies: asked.copies,
        bytes_of: Box::new(move |token| house.bytes_of(&model, token)),
    }
}

/// A stream of events that the server sends.
fn events(body: Body) -> Response {
    let headers = [("content-type", "text/event-stream"), ("cache-control", "no-cache")];
    (StatusCode::OK, headers, body).into_response()
}

/// Says which fields changed nothing.
fn name_ignored(response: &mut Response, ignored: &[String]) {
    let value = HeaderValue::from_str(&ignored.join(", "));
    if let (false, Ok(value)) = (ignored.is_empty(), value) {
        response.headers_mut().insert(HeaderName::from_static("x-hearth-ignored"), value);
    }
}

/// Decodes any bytes, for the fuzzer.
#[doc(hidden)]
pub fn probe(data: &[u8]) {
    // Any outcome will do, as long as there is one.
    for decode in [decode_chat, decode_completion] {
        if let Ok(asked) = decode(data) {
            assert!(asked.turns(0).next().is_some(), "something was asked");
        }
    }
}

#[cfg(test)]
mod tests;
