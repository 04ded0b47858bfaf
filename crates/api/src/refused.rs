//! Why a request gets no answer, as a reply. Its body is written last of all, in the dialect of the
//! request's path, so that no part of the server need know which that is.

use axum::body::Body;
use axum::extract::rejection::BytesRejection;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use turn::{Fault, Kind, Retry, Side};

use crate::Refusal;
use crate::dialect::Dialect;

/// Seconds after which asking again is worth it. A turn of a full queue is over by then.
const RETRY_SECONDS: u64 = 2;

/// A refusal on its way out.
#[derive(Clone, Debug)]
pub struct Refused {
    pub status: StatusCode,
    pub refusal: Refusal,
    /// Headers beside the usual ones.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Refused {
    /// With a status that says more than the fault does.
    pub fn with(status: StatusCode, message: impl Into<String>) -> Refused {
        let side = if status.is_server_error() { Side::Us } else { Side::Caller };
        let refusal = Refusal::from(Fault::new(side, message));
        Refused { status, refusal, headers: Vec::new() }
    }

    /// To be asked again after so many seconds.
    #[must_use]
    pub fn after(mut self, seconds: u64) -> Refused {
        self.headers.push((RETRY_AFTER, HeaderValue::from(seconds)));
        self
    }

    /// Something of ours broke.
    pub fn broken() -> Refused {
        Refused::with(StatusCode::INTERNAL_SERVER_ERROR, "the request could not be read")
    }
}

/// What the fault of a turn is as a status.
pub fn status(fault: &Fault) -> StatusCode {
    match fault {
        Fault { retry: Retry::Later, .. } => StatusCode::SERVICE_UNAVAILABLE,
        Fault { kind: Kind::Missing, .. } => StatusCode::NOT_FOUND,
        Fault { kind: Kind::NotYet, .. } => StatusCode::NOT_IMPLEMENTED,
        Fault { kind: Kind::TooLong { .. }, .. } | Fault { side: Side::Caller, .. } => {
            StatusCode::BAD_REQUEST
        }
        Fault { side: Side::Us, .. } => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Refused {
        let (status, later) = (status(&refusal.fault), refusal.fault.retry == Retry::Later);
        let refused = Refused { status, refusal, headers: Vec::new() };
        if later { refused.after(RETRY_SECONDS) } else { refused }
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Refused {
        Refusal::from(fault).into()
    }
}

impl From<BytesRejection> for Refused {
    fn from(rejection: BytesRejection) -> Refused {
        let message = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => "the body is larger than this server takes",
            _ => "the body did not arrive as a whole",
        };
        Refused::with(rejection.status(), message)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.headers_mut().extend(self.headers.iter().cloned());
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the body of a refusal, if the response is one; then this is why.
pub fn write(response: &mut Response, dialect: Dialect, id: &str) -> Option<Fault> {
    let refused = response.extensions_mut().remove::<Refused>()?;
    let body = dialect.refusal(&refused.refusal, refused.status, id);
    *response.body_mut() = Body::from(body.to_string());
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    Some(refused.refusal.fault)
}

/// Where no route is.
pub async fn no_route(method: Method, uri: Uri) -> Refused {
    // Without its query, in which somebody may have put a key.
    Refused::with(StatusCode::NOT_FOUND, format!("there is no {method} {}", uri.path()))
}

/// Where a route is asked in another way.
pub async fn no_method(method: Method, uri: Uri) -> Refused {
    let message = format!("{} does not answer {method}", uri.path());
    Refused::with(StatusCode::METHOD_NOT_ALLOWED, message)
}
