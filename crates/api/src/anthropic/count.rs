//! `/v1/messages/count_tokens`: how long a prompt is, before anybody pays for it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::ask::{Question, decode_prompt};
use crate::refused::Refused;
use crate::reply::{Received, beside, decode, language, name_ignored};
use crate::server::{Shared, json as reply};

/// Reads the prompt as a message would be, and counts.
pub async fn count(State(server): State<Shared>, body: Received) -> Result<Response, Refused> {
    let question = decode(body?, decode_prompt).await?;
    let language = language(&server, &question.model).await?;
    let Question { prompt, demand, ignored, .. } = question;
    let read = move || language.read(&prompt, &demand.tools);
    let tokens = beside(read).await??.len();
    let mut response = reply(StatusCode::OK, json!({ "input_tokens": tokens }).to_string());
    name_ignored(&mut response, &ignored);
    Ok(response)
}
