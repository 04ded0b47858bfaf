//! From a request to its reply: the way that all dialects share.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{Extension, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use crate::gate::Principal;
use crate::plan::Plan;
use crate::refused::Refused;
use crate::said::Said;
use crate::server::{Shared, json};
use crate::stream::{self, Encode, Heard, Told};
use crate::{Asked, Language, Refusal, date, sse};

/// Larger bodies are decoded where nobody else waits.
const LARGE: usize = 256 << 10;

/// One way of asking for replies, in the terms of its dialect. A value of it is what a request
/// says about its reply besides what all dialects share.
pub trait Way: Sized + Send + 'static {
    /// What its streams are marked as.
    const STREAM: &'static str = sse::KIND;
    /// Writes a stream.
    type Stream: Encode;

    /// Decodes a body.
    ///
    /// # Errors
    /// The first field that is wrong, unknown or not served.
    fn decode(body: &[u8]) -> Result<(Asked, Self), Refusal>;

    /// Begins a stream.
    fn stream(self, plan: Plan) -> Self::Stream;

    /// Writes a whole reply.
    fn whole(self, plan: Plan, said: Vec<Said>) -> String;
}

/// A body as it came.
pub type Received = Result<Bytes, BytesRejection>;

/// Answers a request that is nothing but a question to a model.
pub async fn answer<W: Way>(
    State(server): State<Shared>,
    Extension(principal): Extension<Principal>,
    body: Received,
) -> Result<Response, Refused> {
    let (asked, way) = decode(body?, W::decode).await?;
    reply(&server, principal, asked, way).await
}

/// Decodes a body, where it is large beside the threads that serve.
pub async fn decode<T: Send + 'static>(
    body: Bytes,
    decode: fn(&[u8]) -> Result<T, Refusal>,
) -> Result<T, Refused> {
    match body.len() < LARGE {
        true => Ok(decode(&body)?),
        false => Ok(beside(move || decode(&body)).await??),
    }
}

/// Does what takes its time where nobody else waits.
pub async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refused> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Refused::broken())
}

/// Turns that have begun.
pub struct Begun {
    pub heard: Heard,
    /// What was heard already.
    pub first: Option<Told>,
    pub plan: Plan,
}

/// Begins the turns of a request. A fault that is known soon is a status. Variables that the
/// model's template does not read are added to what is ignored.
pub async fn begin(
    server: &Shared,
    principal: Principal,
    asked: &mut Asked,
) -> Result<Begun, Refused> {
    let mut heard = Heard::begin(server, asked.turns(server.ids.seed()), principal);
    // By then the model is there, too, for whoever asks for its fingerprint.
    let streamed = asked.manner.streamed;
    let patience = if streamed { server.options.patience } else { Duration::MAX };
    let first = match timeout(patience, heard.next()).await {
        Ok(next) => next?,
        Err(_) => None,
    };
    // Nobody waits for a model only to be told what its template does not read.
    let is_noted = first.is_some() && asked.variables().next().is_some();
    let is_needed = asked.manner.logprobs || is_noted;
    let language = match is_needed {
        true => Some(language(server, &asked.model).await?),
        false => None,
    };
    let is_read = |name: &&String| language.as_ref().is_some_and(|language| language.reads(name));
    let unread = asked.variables().filter(|name| is_noted && !is_read(name));
    let unread: Vec<_> = unread.cloned().collect();
    asked.ignored.extend(unread);
    Ok(Begun { heard, first, plan: plan(server, asked, language) })
}

/// Begins the turns of a request, and writes what they say.
pub async fn reply<W: Way>(
    server: &Shared,
    principal: Principal,
    mut asked: Asked,
    way: W,
) -> Result<Response, Refused> {
    let Begun { heard, first, plan } = begin(server, principal, &mut asked).await?;
    let fingerprint = plan.fingerprint.clone();
    let mut response = if asked.manner.streamed {
        let pause = server.options.keep_alive;
        streamed(W::STREAM, stream::body(heard, way.stream(plan), first, pause))
    } else {
        let mut said = vec![Said::default(); plan.choices()];
        first.into_iter().for_each(|(turn, event)| said[turn].take(event, &plan));
        heard.all(|turn, event| said[turn].take(event, &plan)).await?;
        json(StatusCode::OK, way.whole(plan, said))
    };
    name_ignored(&mut response, &asked.ignored);
    name_fingerprint(&mut response, &fingerprint);
    Ok(response)
}

/// By which arithmetic and which model it was made; not all dialects have a field for it.
pub fn name_fingerprint(response: &mut Response, fingerprint: &str) {
    if let Ok(fingerprint) = HeaderValue::from_str(fingerprint) {
        response.headers_mut().insert(HeaderName::from_static("x-hearth-fingerprint"), fingerprint);
    }
}

/// What all pieces of a reply share.
fn plan(server: &Shared, asked: &Asked, language: Option<Arc<dyn Language>>) -> Plan {
    Plan {
        id: server.ids.name(""),
        created: date::now().as_secs(),
        model: asked.model.clone(),
        fingerprint: server.house.fingerprint(&asked.model),
        manner: asked.manner,
        prompts: asked.prompts.len(),
        copies: asked.copies,
        language,
    }
}

/// How a model is spoken to. It may have to be loaded for that.
pub async fn language(server: &Shared, model: &str) -> Result<Arc<dyn Language>, Refused> {
    let (house, model) = (server.house.clone(), model.to_owned());
    Ok(beside(move || house.language(&model)).await??)
}

/// A reply that is written while it comes.
pub fn streamed(kind: &'static str, body: Body) -> Response {
    let headers = [(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")];
    (StatusCode::OK, headers, body).into_response()
}

/// Characters of names that are told; clients and proxies take no longer headers.
const NAMES: usize = 2000;

/// Says which fields changed nothing.
pub fn name_ignored(response: &mut Response, ignored: &[String]) {
    // Names of a template's variables are the client's, and may have any characters.
    let plain = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    let mut names: String = ignored.join(", ").chars().map(plain).collect();
    if names.len() > NAMES {
        names.truncate(NAMES);
        names += "...";
    }
    let value = HeaderValue::from_str(&names);
    if let (false, Ok(value)) = (ignored.is_empty(), value) {
        response.headers_mut().insert(HeaderName::from_static("x-hearth-ignored"), value);
    }
}
