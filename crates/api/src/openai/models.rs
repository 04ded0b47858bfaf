//! `/v1/models`: which models there are.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use turn::{Fault, Kind, Side};

use crate::ModelCard;
use crate::refused::Refused;
use crate::server::{Shared, json as reply};

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
    match server.house.models().iter().find(|model| model.id == id) {
        Some(model) => Ok(reply(StatusCode::OK, card(model).to_string())),
        None => {
            let message = format!("there is no model {id:?}");
            Err(Fault { kind: Kind::Missing, ..Fault::new(Side::Caller, message) }.into())
        }
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
