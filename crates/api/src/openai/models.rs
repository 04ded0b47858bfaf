//! `/v1/models`: which models there are.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use crate::fields::Fields;
use crate::refused::Refused;
use crate::server::{Server, Shared, json as reply};
use crate::{ModelCard, Refusal};

/// All of them.
pub async fn list(State(server): State<Shared>) -> Response {
    let data: Vec<Value> = server.house.models().iter().map(card).collect();
    reply(StatusCode::OK, json!({ "object": "list", "data": data }).to_string())
}

/// What stands behind the slash.
type Name = Result<Path<String>, PathRejection>;

/// One of them; its name may have slashes.
pub async fn one(State(server): State<Shared>, id: Name) -> Result<Response, Refused> {
    // No name has bytes that are no text.
    let id = id.map(|Path(id)| id).unwrap_or_default();
    let model = server.house.find(&id)?;
    Ok(reply(StatusCode::OK, card(&model).to_string()))
}

/// The name of a model where one need not be named.
pub fn named(fields: &mut Fields) -> Result<Option<String>, Refusal> {
    Ok(fields.string("model")?.filter(|name| !name.is_empty()))
}

/// The model of this name, or the only one.
pub fn asked(server: &Server, name: Option<String>) -> Result<ModelCard, Refusal> {
    let mut models = server.house.models();
    match name {
        Some(name) => Ok(server.house.find(&name)?),
        None if models.len() == 1 => Ok(models.remove(0)),
        None => Err(Refusal::of("model", "is missing: there are several")),
    }
}

/// The length of the context is where vLLM's clients look for it.
fn card(model: &ModelCard) -> Value {
    json!({
        "id": model.id,
        "object": "model",
        "created": model.created,
        "owned_by": "hearth",
        "max_model_len": model.context,
    })
}
