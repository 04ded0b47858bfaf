//! What would change which models there are. They are given on the command line, so nothing does;
//! who asks for it is told so, and first whether the model is there at all.

use axum::extract::State;
use axum::response::Response;
use serde_json::json;
use turn::{Fault, Kind, Side};

use super::answer::once;
use super::models::{empty, name};
use crate::Refusal;
use crate::fields::Fields;
use crate::refused::Refused;
use crate::reply::{Received, decode};
use crate::server::Shared;

/// `/api/pull`: a model that is there has been fetched. Clients pull before they ask.
pub async fn pull(State(server): State<Shared>, body: Received) -> Result<Response, Refused> {
    let (name, streamed) = decode(body?, pulled).await?;
    server.house.find(&name)?;
    Ok(once(&json!({ "status": "success" }), streamed))
}

/// Decodes the body of `/api/pull`: the model, and whether progress is streamed.
///
/// # Errors
/// The first field that is wrong, unknown or not served.
pub fn pulled(body: &[u8]) -> Result<(String, bool), Refusal> {
    let mut fields = Fields::of_body(body)?;
    let name = name(&mut fields)?;
    let streamed = fields.flag("stream")?.unwrap_or(true);
    // Nothing is fetched, safely or not.
    let _ = fields.flag("insecure")?;
    empty(&mut fields, ["username", "password"])?;
    fields.finish()?;
    Ok((name, streamed))
}

/// `/api/push`
pub async fn push(State(server): State<Shared>, body: Received) -> Result<Response, Refused> {
    refuse(&server, body, |fields| name(fields).map(Some), "models are not sent anywhere").await
}

/// `/api/delete`
pub async fn delete(State(server): State<Shared>, body: Received) -> Result<Response, Refused> {
    refuse(&server, body, |fields| name(fields).map(Some), "this server removes no files").await
}

/// `/api/copy`
pub async fn copy(State(server): State<Shared>, body: Received) -> Result<Response, Refused> {
    let source = |fields: &mut Fields| {
        let source = fields.string("source")?;
        fields.need("source", source).map(Some)
    };
    refuse(&server, body, source, "`hearth serve NEW=PATH` gives a model another name").await
}

/// `/api/create`
pub async fn create(State(server): State<Shared>, body: Received) -> Result<Response, Refused> {
    // Without a base it would be made of files.
    let base = |fields: &mut Fields| fields.string("from");
    refuse(&server, body, base, "`hearth serve NAME=PATH` adds a model").await
}

/// `/api/blobs/{digest}`
pub async fn blob() -> Refused {
    not_yet("files are not taken").into()
}

/// Refuses because the model is not there, or because of what is to be done with it.
async fn refuse(
    server: &Shared,
    body: Received,
    model: fn(&mut Fields) -> Result<Option<String>, Refusal>,
    why: &str,
) -> Result<Response, Refused> {
    let mut fields = decode(body?, Fields::of_body).await?;
    if let Some(model) = model(&mut fields)? {
        server.house.find(&model)?;
    }
    Err(not_yet(why).into())
}

fn not_yet(why: &str) -> Fault {
    let message = format!("models are given on the command line: {why}");
    Fault { kind: Kind::NotYet, ..Fault::new(Side::Us, message) }
}
