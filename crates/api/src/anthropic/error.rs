//! Faults as Anthropic's clients read them.

use axum::http::StatusCode;
use serde_json::{Value, json};
use turn::{Fault, Kind, Retry};

use crate::{Refusal, refused};

/// The object that clients look for.
pub fn refusal(refusal: &Refusal, status: StatusCode, id: &str) -> Value {
    let mut body = body(&refusal.fault, status);
    body["request_id"] = id.into();
    body
}

/// The same in the middle of a stream.
pub fn fault(fault: &Fault) -> Value {
    body(fault, refused::status(fault))
}

fn body(fault: &Fault, status: StatusCode) -> Value {
    let kind = match status {
        StatusCode::UNAUTHORIZED => "authentication_error",
        StatusCode::FORBIDDEN => "permission_error",
        StatusCode::NOT_FOUND => "not_found_error",
        StatusCode::PAYLOAD_TOO_LARGE => "request_too_large",
        StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
        _ if fault.retry == Retry::Later => "overloaded_error",
        status if status.is_client_error() => "invalid_request_error",
        _ => "api_error",
    };
    json!({ "type": "error", "error": { "type": kind, "message": message(fault) } })
}

/// Claude Code makes a conversation shorter when it reads these words.
fn message(fault: &Fault) -> String {
    match fault.kind {
        Kind::TooLong { needed, context } => {
            format!("prompt is too long: {needed} tokens > {context} maximum")
        }
        _ => fault.message.clone(),
    }
}
