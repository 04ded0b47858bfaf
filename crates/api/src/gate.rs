//! The gate before each route: no request reaches a handler without the key that its route needs.
//!
//! What is needed is a property of the route, not of the beginning of its path: a route that is
//! added later, or under a second path, cannot be forgotten.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use turn::Fault;

use crate::keys::{Denied, Moment, Purse, Ring, Scope, Visit};
use crate::neighbours::Neighbours;
use crate::record::Note;
use crate::refused::Refused;

/// The keys of a server, which may change while it runs.
pub trait Keys: Send + Sync + 'static {
    /// Those that are good now; `None` while nobody needs one.
    ///
    /// # Errors
    /// When that cannot be told. Then nobody is let in.
    fn ring(&self) -> Result<Option<Arc<Ring>>, Fault>;
}

/// Who may come in.
#[derive(Clone, Default)]
pub struct Access {
    /// Without them nobody needs a key.
    pub keys: Option<Arc<dyn Keys>>,
    /// Under which names, and from which pages.
    pub neighbours: Neighbours,
}

/// Who asks: the holder of a key, or anybody where none is needed. What one key may send at once
/// counts until the last of these is gone.
#[derive(Clone, Default)]
pub struct Principal {
    visit: Option<Arc<Visit>>,
    /// Where it is written down what comes of it.
    pub(crate) note: Note,
}

impl Principal {
    /// The name of the key.
    pub fn name(&self) -> Option<&str> {
        self.visit.as_deref().map(Visit::name)
    }

    /// What pays for what is asked.
    pub fn purse(&self) -> Option<Purse> {
        self.visit.as_deref().map(Visit::purse)
    }
}

impl From<Visit> for Principal {
    fn from(visit: Visit) -> Principal {
        Principal { visit: Some(Arc::new(visit)), note: Note::default() }
    }
}

/// The gate of one route.
#[derive(Clone)]
pub struct Gate {
    pub keys: Option<Arc<dyn Keys>>,
    pub scope: Scope,
    /// The path as the table of routes has it.
    pub route: &'static str,
}

/// Lets a request pass that has what its route needs. Handlers find its [`Principal`] in it.
pub async fn pass(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let note = request.extensions_mut().remove::<Note>().unwrap_or_default();
    note.found(gate.route);
    match gate.admit(request.headers(), &note) {
        Ok(principal) => {
            let principal = Principal { note, ..principal };
            // Held here as well: handlers that do not ask for it lose it before their work begins.
            request.extensions_mut().insert(principal.clone());
            let response = next.run(request).await;
            drop(principal);
            response
        }
        Err(refused) => refused.into_response(),
    }
}

impl Gate {
    fn admit(&self, headers: &HeaderMap, note: &Note) -> Result<Principal, Refused> {
        let Some(keys) = self.keys.as_ref().filter(|_| self.scope != Scope::Anyone) else {
            return Ok(Principal::default());
        };
        // Clients send something for a key even where none is needed.
        let Some(ring) = keys.ring()? else { return Ok(Principal::default()) };
        let known = ring.known(offered(headers)).map_err(refused)?;
        note.entered(known.name());
        Ok(known.admit(self.scope, now()).map_err(refused)?.into())
    }
}

/// What came for a key: as most clients send it, else as Anthropic's do.
fn offered(headers: &HeaderMap) -> Option<&str> {
    let bearer = text(headers.get(AUTHORIZATION)).and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
    });
    bearer.or_else(|| text(headers.get("x-api-key")))
}

/// What a header says, if it says anything.
fn text(value: Option<&HeaderValue>) -> Option<&str> {
    value?.to_str().ok().map(str::trim).filter(|text| !text.is_empty())
}

fn now() -> Moment {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Moment { instant: Instant::now(), date: since.unwrap_or_default().as_secs() }
}

fn refused(denied: Denied) -> Refused {
    let message = denied.to_string();
    match denied {
        Denied::Missing | Denied::Unknown | Denied::Expired => {
            let mut refused = Refused::with(StatusCode::UNAUTHORIZED, message);
            refused.headers.push((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
            refused
        }
        Denied::Lacks(_) => Refused::with(StatusCode::FORBIDDEN, message),
        Denied::Exceeds(excess) => {
            Refused::with(StatusCode::TOO_MANY_REQUESTS, message).after(excess.seconds())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_in_two_headers() {
        let key_in = |headers: &[(&'static str, &'static str)]| {
            let pairs = headers
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
            offered(&pairs.collect()).map(str::to_owned)
        };
        for (headers, key) in [
            (&[("authorization", "Bearer a")][..], Some("a")),
            (&[("authorization", "bearer  a ")], Some("a")),
            (&[("x-api-key", " a ")], Some("a")),
            (&[("authorization", "Bearer a"), ("x-api-key", "b")], Some("a")),
            (&[("authorization", "Bearer "), ("x-api-key", "b")], Some("b")),
            (&[("authorization", "Basic a"), ("x-api-key", "b")], Some("b")),
            (&[("authorization", "a")], None),
            (&[("authorization", "Bearer")], None),
            (&[("authorization", "Basic a")], None),
            (&[("x-api-key", "")], None),
            (&[], None),
        ] {
            assert_eq!(key_in(headers).as_deref(), key, "{headers:?}");
        }
    }
}
