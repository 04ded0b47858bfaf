//! Under which names a server answers, and which pages of the web may read its replies.
//!
//! A browser on this machine can be led here by any page, under any name that its owner makes point
//! here. Where no key is needed that page would be let in, so names and pages are checked.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD,
    HOST, ORIGIN, VARY,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::refused::Refused;

/// Which names and pages requests may come with, besides those of this machine.
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    /// The names.
    pub hosts: Hosts,
    /// The pages, by scheme, host and port, as browsers write them.
    pub origins: Vec<String>,
}

/// Names by which a server is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hosts {
    /// Any: for a server whose every route of worth needs a key, which no page can come by. It has
    /// addresses and names that it cannot know.
    Any,
    /// Those of this machine, and these.
    Here(Vec<String>),
}

impl Default for Hosts {
    fn default() -> Hosts {
        Hosts::Here(Vec::new())
    }
}

impl Neighbours {
    fn answers_to(&self, host: &str) -> bool {
        match &self.hosts {
            Hosts::Any => true,
            Hosts::Here(others) => name(host).is_some_and(|name| {
                is_here(name) || others.iter().any(|other| other.eq_ignore_ascii_case(name))
            }),
        }
    }

    fn answers_page(&self, origin: &str) -> bool {
        if APPS.iter().any(|scheme| origin.starts_with(scheme)) {
            return true;
        }
        let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        host.and_then(name).is_some_and(is_here)
            || self.origins.iter().any(|known| known.eq_ignore_ascii_case(origin))
    }
}

/// Programs on this machine that are made of pages. No page from elsewhere can have these schemes.
const APPS: [&str; 5] = ["app://", "file://", "tauri://", "vscode-file://", "vscode-webview://"];

/// Headers of replies that pages may read.
const SHOWN: &str = "request-id, x-request-id, x-hearth-fingerprint, x-hearth-ignored, retry-after";

/// Lets requests pass that come under such a name, and not from another page. The pages may read
/// the replies.
pub async fn only(
    State(neighbours): State<Arc<Neighbours>>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let (host, origin) = (headers.get(HOST).cloned(), headers.get(ORIGIN).cloned());
    let asks_first = headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let wanted = headers.get(ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    if host.is_some_and(|host| !named(&host, |host| neighbours.answers_to(host))) {
        return refused(
            "this server does not answer to the name in Host; `hearth serve --name` adds one",
        );
    }
    let Some(origin) = origin else { return next.run(request).await };
    if !named(&origin, |origin| neighbours.answers_page(origin)) {
        return refused(
            "this server does not answer pages of that site; `hearth serve --origin` adds one",
        );
    }
    let mut response = match request.method() == Method::OPTIONS && asks_first {
        true => permission(wanted),
        false => next.run(request).await,
    };
    response.headers_mut().extend([
        (ACCESS_CONTROL_ALLOW_ORIGIN, origin),
        (ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(SHOWN)),
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

/// The name in a host that may have a port.
fn name(host: &str) -> Option<&str> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok();
    (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)).then_some(name)
}

/// Whether a name is one of this machine's. No page from elsewhere can have one of them: what ends
/// with `localhost` is this machine to browsers, and `internal` is no public name; by that one
/// containers know the machine they are on.
fn is_here(name: &str) -> bool {
    let is_loopback = name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    let name = name.to_ascii_lowercase();
    let is_known = ["localhost", "host.docker.internal"].contains(&&*name);
    is_loopback || is_known || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn neighbours() -> Neighbours {
        let hosts = Hosts::Here(vec!["lab.example".to_owned()]);
        Neighbours { hosts, origins: vec!["https://chat.example:8443".to_owned()] }
    }

    #[test]
    fn names_of_this_machine_and_those_that_were_given() {
        for host in [
            "localhost",
            "LOCALHOST:80",
            "127.0.0.1:11435",
            "[::1]:1",
            "[::1]",
            "127.1.2.3",
            "Lab.Example",
            "lab.example:443",
            "hearth.localhost:11435",
            "host.docker.internal:11435",
        ] {
            assert!(neighbours().answers_to(host), "{host}");
        }
        for host in [
            "localhost.evil.example",
            "evillocalhost",
            "host.docker.internal.evil.example",
            "127.0.0.1.evil.example",
            "evil.lab.example",
            "localhost:80:80",
            "localhost:x",
            "localhost:",
            "localhost@evil.example",
            "evil.example",
            "[::1",
            "[::1]x",
            "::1",
            "0.0.0.0",
            "",
        ] {
            assert!(!neighbours().answers_to(host), "{host}");
        }
        assert!(!Neighbours::default().answers_to("lab.example"));
        let any = Neighbours { hosts: Hosts::Any, ..Neighbours::default() };
        assert!(any.answers_to("evil.example") && !any.answers_page("https://evil.example"));
    }

    #[test]
    fn pages_of_this_machine_and_those_that_were_given() {
        for origin in [
            "http://localhost:3000",
            "https://127.0.0.1",
            "https://chat.example:8443",
            "http://tauri.localhost",
            "tauri://localhost",
            "app://obsidian.md",
            "vscode-webview://0a1b",
            "file://",
        ] {
            assert!(neighbours().answers_page(origin), "{origin}");
        }
        for origin in [
            "null",
            "https://app://obsidian.md",
            "https://evil.example",
            "http://localhost.evil.example",
            "localhost",
            "https://lab.example",
            "https://chat.example",
            "http://chat.example:8443",
        ] {
            assert!(!neighbours().answers_page(origin), "{origin}");
        }
    }
}
