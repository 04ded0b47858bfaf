//! Who may ask while there are no keys: programs of this machine. A page of the web that a browser
//! shows here is none, under whatever name it reaches this address.

use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD,
    HOST, ORIGIN, VARY,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::refused::Refused;

/// Lets requests pass that name this machine, and that no foreign page has sent. Pages of this
/// machine may read the replies.
pub async fn only(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let (host, origin) = (headers.get(HOST).cloned(), headers.get(ORIGIN).cloned());
    let asks_first = headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let wanted = headers.get(ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    if host.is_some_and(|host| !named(&host, is_here)) {
        return refused("this server answers to localhost only, not to the name in Host");
    }
    let Some(origin) = origin else { return next.run(request).await };
    if !named(&origin, is_page_of_here) {
        return refused("this server does not answer pages of other sites");
    }
    let mut response = match request.method() == Method::OPTIONS && asks_first {
        true => permission(wanted),
        false => next.run(request).await,
    };
    let shown = HeaderValue::from_static("request-id, x-request-id, x-hearth-ignored");
    response.headers_mut().extend([
        (ACCESS_CONTROL_ALLOW_ORIGIN, origin),
        (ACCESS_CONTROL_EXPOSE_HEADERS, shown),
        (VARY, HeaderValue::from_static("origin")),
    ]);
    response
}

/// What a browser asks before it lets a page ask.
fn permission(headers: Option<HeaderValue>) -> Response {
    let methods = HeaderValue::from_static("GET, POST, DELETE");
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    if let Some(headers) = headers {
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_HEADERS, headers);
    }
    response
}

fn refused(why: &str) -> Response {
    Refused::with(StatusCode::FORBIDDEN, why).into_response()
}

fn named(value: &HeaderValue, check: impl Fn(&str) -> bool) -> bool {
    value.to_str().is_ok_and(check)
}

/// Whether a host, perhaps with a port, is this machine.
fn is_here(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((name, port)) => (name, port),
            None => return false,
        },
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let port = port.strip_prefix(':').unwrap_or(if port.is_empty() { "0" } else { "?" });
    let is_loopback = name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    port.parse::<u16>().is_ok() && (is_loopback || name.eq_ignore_ascii_case("localhost"))
}

fn is_page_of_here(origin: &str) -> bool {
    let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    host.is_some_and(is_here)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_machine() {
        for host in
            ["localhost", "LOCALHOST:80", "127.0.0.1:11435", "[::1]:1", "[::1]", "127.1.2.3"]
        {
            assert!(is_here(host), "{host}");
        }
        for host in [
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "localhost:80:80",
            "localhost:x",
            "localhost@evil.example",
            "evil.example",
            "[::1",
            "[::1]x",
            "::1",
            "0.0.0.0",
            "",
        ] {
            assert!(!is_here(host), "{host}");
        }
        assert!(is_page_of_here("http://localhost:3000") && is_page_of_here("https://127.0.0.1"));
        for origin in ["null", "https://evil.example", "http://localhost.evil.example", "localhost"]
        {
            assert!(!is_page_of_here(origin), "{origin}");
        }
    }
}
