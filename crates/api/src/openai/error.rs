//! Faults as OpenAI's clients read them: a status and `{"error": {…}}`.

use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use turn::{Fault, Kind, Retry, Side};

use crate::Refusal;
use crate::server;

/// Seconds after which asking again is worth it. A turn of a full queue is over by then.
const RETRY_SECONDS: &str = "2";

/// Why a request gets no answer, as a reply.
pub struct Refused {
    status: StatusCode,
    retry: Retry,
    body: Value,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Refused {
        let Refusal { fault, field } = refusal;
        Refused { status: status(&fault), retry: fault.retry, body: body(&fault, field.as_deref()) }
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Refused {
        Refusal::from(fault).into()
    }
}

impl From<BytesRejection> for Refused {
    fn from(rejection: BytesRejection) -> Refused {
        let fault = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Fault::new(Side::Caller, "the body is larger than this server takes")
            }
            _ => Fault::new(Side::Caller, "the body did not arrive as a whole"),
        };
        Refused { status: rejection.status(), ..fault.into() }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = server::json(self.status, self.body.to_string());
        if self.retry == Retry::Later {
            let seconds = HeaderValue::from_static(RETRY_SECONDS);
            response.headers_mut().insert(HeaderName::from_static("retry-after"), seconds);
        }
        response
    }
}

fn status(fault: &Fault) -> StatusCode {
    match fault {
        Fault { retry: Retry::Later, .. } => StatusCode::SERVICE_UNAVAILABLE,
        Fault { kind: Kind::Missing, .. } => StatusCode::NOT_FOUND,
        Fault { kind: Kind::NotYet, .. } => StatusCode::NOT_IMPLEMENTED,
        Fault { kind: Kind::TooLong, .. } | Fault { side: Side::Caller, .. } => {
            StatusCode::BAD_REQUEST
        }
        Fault { side: Side::Us, .. } => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The same for a fault that concerns no field.
pub fn fault_body(fault: &Fault) -> Value {
    body(fault, None)
}

/// The object that clients look for, in a body or in the middle of a stream.
pub fn body(fault: &Fault, field: Option<&str>) -> Value {
    let kind = match status(fault) {
        StatusCode::NOT_IMPLEMENTED => "not_implemented_error",
        status if status.is_client_error() => "invalid_request_error",
        _ => "server_error",
    };
    let (code, usual) = match (fault.kind, fault.retry) {
        (Kind::Missing, _) => (Some("model_not_found"), Some("model")),
        (Kind::TooLong, _) => (Some("context_length_exceeded"), None),
        (Kind::NotYet, _) => (Some("not_implemented"), None),
        (Kind::Plain, Retry::Later) => (Some("overloaded"), None),
        (Kind::Plain, Retry::No) => (None, None),
    };
    let param = field.or(usual);
    json!({ "error": { "message": fault.message, "type": kind, "param": param, "code": code } })
}

/// Something of ours broke.
pub fn broken() -> Fault {
    Fault::new(Side::Us, "the request could not be read")
}

/// Where no route is.
pub async fn no_route(method: Method, uri: Uri) -> Response {
    // Without its query, in which somebody may have put a key.
    let message = format!("there is no {method} {}", uri.path());
    nowhere(StatusCode::NOT_FOUND, message)
}

/// Where a route is asked in another way.
pub async fn no_method(method: Method, uri: Uri) -> Response {
    let message = format!("{} does not answer {method}", uri.path());
    nowhere(StatusCode::METHOD_NOT_ALLOWED, message)
}

fn nowhere(status: StatusCode, message: String) -> Response {
    let refused = Refused::from(Fault::new(Side::Caller, message));
    Refused { status, ..refused }.into_response()
}
