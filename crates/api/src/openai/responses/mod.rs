//! `/v1/responses`: replies as items, and conversations that the server keeps.

mod conversation;
mod events;
mod input;
mod item;
mod kept;
mod request;
mod store;

mod tools;

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use turn::Event;

use self::events::{Keep, Stream};
use self::input::{Given, Input};
use self::item::Item;
use self::request::Request;
use self::store::Kept;
pub(crate) use self::store::Store;
use crate::gate::Principal;
use crate::refused::Refused;
use crate::reply::{self, Begun, Received, begin, beside, language};
use crate::reply::{name_fingerprint, name_ignored};
use crate::server::{Route, Scope, Shared, json as written};
use crate::stream::{self, Encode};
use crate::{Asked, Refusal, sse};

/// The routes of responses.
pub fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/responses", Scope::Ask, create)
            .about("Goes on with a conversation that the server may keep"),
        Route::post("/v1/responses/input_tokens", Scope::Ask, count)
            .about("How many tokens a response would read"),
        Route::get("/v1/responses/{id}", Scope::Ask, kept::show).about("A response that was kept"),
        Route::delete("/v1/responses/{id}", Scope::Ask, kept::forget).about("Forgets a response"),
        Route::post("/v1/responses/{id}/cancel", Scope::Ask, kept::cancel)
            .about("Cancels a response in the background, of which there are none"),
        Route::get("/v1/responses/{id}/input_items", Scope::Ask, kept::input)
            .about("What a response answered"),
    ]
}

/// Decodes a body, as far as it asks for nothing that is kept.
///
/// # Errors
/// The first field that is wrong, unknown or not served.
pub fn decode(body: &[u8]) -> Result<Asked, Refusal> {
    let request = request::decode(body)?;
    let given = request.input.iter().filter_map(|input| match input {
        Input::Given(given) => Some(given.clone()),
        Input::Reference { .. } => None,
    });
    Ok(request.ask([].into_iter(), &given.collect::<Vec<_>>()))
}

/// A request with what was kept of its conversation.
struct Recalled {
    request: Request,
    asked: Asked,
    given: Vec<Given>,
}

/// Whose responses these are: those of a key, by its name.
fn owner(principal: &Principal) -> Option<String> {
    principal.name().map(str::to_owned)
}

/// Makes a response.
async fn create(
    State(server): State<Shared>,
    Extension(principal): Extension<Principal>,
    body: Received,
) -> Result<Response, Refused> {
    let owner = owner(&principal);
    let Recalled { request, mut asked, given } = recall(&server, owner.as_deref(), body).await?;
    let Begun { heard, first, plan } = begin(&server, principal, &mut asked).await?;
    let keep = request.store.then(|| {
        let said = Vec::new();
        let kept = Kept { owner, previous: request.previous, given, said, shown: String::new() };
        keep(Arc::clone(&server), format!("resp_{}", plan.id), kept)
    });
    let fingerprint = plan.fingerprint.clone();
    let mut events = Stream::new(plan, request.echo, keep);
    let mut response = if asked.manner.streamed {
        let pause = server.options.keep_alive;
        reply::streamed(sse::KIND, stream::body(heard, events, first, pause))
    } else {
        let mut unsent = String::new();
        let mut take = |turn: usize, event: Event| {
            events.event(turn, event, &mut unsent);
            unsent.clear();
        };
        first.into_iter().for_each(|(turn, event)| take(turn, event));
        heard.all(take).await?;
        written(StatusCode::OK, events.into_whole().to_string())
    };
    name_ignored(&mut response, &asked.ignored);
    name_fingerprint(&mut response, &fingerprint);
    Ok(response)
}

/// Counts the tokens that a response would read.
async fn count(
    State(server): State<Shared>,
    Extension(principal): Extension<Principal>,
    body: Received,
) -> Result<Response, Refused> {
    let asked = recall(&server, owner(&principal).as_deref(), body).await?.asked;
    let language = language(&server, &asked.model).await?;
    let ignored = asked.ignored.clone();
    let read = move || {
        let tokens = asked.prompts.iter().map(|prompt| language.read(prompt, &asked.demand.tools));
        tokens.map(|tokens| tokens.map(|tokens| tokens.len())).sum::<Result<usize, _>>()
    };
    let tokens = beside(read).await??;
    let reply = json!({ "object": "response.input_tokens", "input_tokens": tokens });
    let mut response = written(StatusCode::OK, reply.to_string());
    name_ignored(&mut response, &ignored);
    Ok(response)
}

/// Decodes a body, and finds what it goes on from.
async fn recall(server: &Shared, owner: Option<&str>, body: Received) -> Result<Recalled, Refused> {
    let mut request = reply::decode(body?, request::decode).await?;
    let now = Instant::now();
    let history = match &request.previous {
        None => Vec::new(),
        Some(id) => server
            .responses
            .history(id, owner, now)
            .map_err(|id| absent("previous_response_id", &format!("response {id:?}")))?,
    };
    let mut given = Vec::new();
    for input in std::mem::take(&mut request.input) {
        given.push(match input {
            Input::Given(given) => given,
            Input::Reference { path, id } => match referred(server, owner, &id) {
                Some(item) => Given { id: Some(id), item },
                None => return Err(absent(&path, &format!("item {id:?}"))),
            },
        });
    }
    // What was said before may be long.
    let recall = move || {
        let asked = request.ask(history.iter().map(|kept| &**kept), &given);
        Recalled { request, asked, given }
    };
    beside(recall).await
}

/// An item that a response which is kept has said. Its name begins with the response's.
fn referred(server: &Shared, owner: Option<&str>, id: &str) -> Option<Item> {
    let (_, rest) = id.split_once('_')?;
    let (digits, at) = rest.split_at_checked(rest.len().checked_sub(3)?)?;
    let kept = server.responses.find(&format!("resp_{digits}"), owner, Instant::now())?;
    kept.said.get(at.parse::<usize>().ok()?).cloned()
}

/// What a field names is not kept, or not any more.
fn absent(field: &str, what: &str) -> Refused {
    let message = format!("names {what}, which is not kept here, or not any more");
    let refusal = Refusal::of(field, &message);
    Refused { refusal, ..Refused::with(StatusCode::NOT_FOUND, "") }
}

/// Keeps a response of this name when it is over and can be completed.
fn keep(server: Shared, id: String, kept: Kept) -> Keep {
    Box::new(move |response: &Value, said: Vec<Item>| {
        let kept = Kept { said, shown: response.to_string(), ..kept };
        server.responses.keep(&id, kept, Instant::now());
    })
}

#[cfg(test)]
mod tests;
