//! The table of routes, and what all of them share: limits, request ids, replies where no route is.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::handler::Handler;
use axum::http::header::CONNECTION;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post};

use crate::dialect::Dialect;
use crate::gate::{self, Access, Gate};
use crate::ids::Ids;
pub use crate::keys::Scope;
use crate::metrics::Metrics;
use crate::record::{End, Note, Witness};
use crate::unread::Unread;
use crate::{House, anthropic, neighbours, ollama, openai, openapi, refused};

/// What a server is told besides its house.
#[derive(Clone)]
pub struct Options {
    /// Bytes that the body of a request may have.
    pub body_limit: usize,
    /// How long a stream waits for its first event before its header is sent. Until then a fault is
    /// a status; after it, an event.
    pub patience: Duration,
    /// The silence after which a stream says that it is alive.
    pub keep_alive: Duration,
    /// Is told of each request that is over.
    pub witness: Option<Arc<dyn Witness>>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            body_limit: 16 << 20,
            patience: Duration::from_secs(15),
            keep_alive: Duration::from_secs(10),
            witness: None,
        }
    }
}

/// A row of the table of routes.
pub struct Route {
    /// GET answers HEAD as well.
    pub method: Method,
    /// As axum writes it.
    pub path: &'static str,
    /// What a key must be good for.
    pub scope: Scope,
    /// What it is for, in a few words.
    pub about: &'static str,
    handler: MethodRouter<Shared>,
}

/// What handlers share.
pub struct Server {
    pub house: Arc<dyn House>,
    pub options: Options,
    pub ids: Ids,
    pub metrics: Arc<Metrics>,
    /// Are told of each request that is over.
    pub witnesses: Arc<[Arc<dyn Witness>]>,
    /// Responses that are kept.
    pub responses: openai::Store,
}

/// Held by each handler.
pub type Shared = Arc<Server>;

impl Route {
    pub(crate) fn get<H, T>(path: &'static str, scope: Scope, handler: H) -> Route
    where
        H: Handler<T, Shared>,
        T: 'static,
    {
        Route { method: Method::GET, path, scope, about: "", handler: get(handler) }
    }

    pub(crate) fn post<H, T>(path: &'static str, scope: Scope, handler: H) -> Route
    where
        H: Handler<T, Shared>,
        T: 'static,
    {
        Route { method: Method::POST, path, scope, about: "", handler: post(handler) }
    }

    pub(crate) fn delete<H, T>(path: &'static str, scope: Scope, handler: H) -> Route
    where
        H: Handler<T, Shared>,
        T: 'static,
    {
        Route { method: Method::DELETE, path, scope, about: "", handler: delete(handler) }
    }

    /// Says what it is for.
    pub(crate) fn about(self, about: &'static str) -> Route {
        Route { about, ..self }
    }
}

/// All routes. There are no others.
pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        Route::get("/health", Scope::Anyone, health).about("Whether the process runs"),
        Route::get("/ready", Scope::Anyone, ready).about("Whether turns are answered"),
        Route::get("/metrics", Scope::Watch, metrics)
            .about("What has been counted, for Prometheus"),
        Route::get("/openapi.json", Scope::Anyone, openapi::show).about("This table of routes"),
    ];
    routes.extend(openai::routes());
    routes.extend(anthropic::routes());
    routes.extend(ollama::routes());
    routes
}

/// A router of all routes to a house, for those who may come in.
pub fn router(house: Arc<dyn House>, access: Access, options: Options) -> Router {
    let body_limit = options.body_limit;
    let responses = openai::Store::default();
    let metrics = Arc::new(Metrics::default());
    let counting = Arc::clone(&metrics) as Arc<dyn Witness>;
    let witnesses = [counting].into_iter().chain(options.witness.clone()).collect();
    let ids = Ids::default();
    let server = Arc::new(Server { house, options, ids, metrics, witnesses, responses });
    let router = routes().into_iter().fold(Router::new(), |router, route| {
        let gate = Gate { keys: access.keys.clone(), scope: route.scope, route: route.path };
        let handler = route.handler.route_layer(from_fn_with_state(gate, gate::pass));
        router.route(route.path, handler)
    });
    let neighbours = Arc::new(access.neighbours);
    router
        .fallback(refused::no_route)
        .method_not_allowed_fallback(refused::no_method)
        .layer(DefaultBodyLimit::max(body_limit))
        .layer(from_fn_with_state(neighbours, neighbours::only))
        .layer(from_fn_with_state(Arc::clone(&server), name_request))
        .with_state(server)
}

/// Every reply has an id to ask about, and says in its path's dialect what is wrong.
async fn name_request(State(server): State<Shared>, mut request: Request, next: Next) -> Response {
    let (id, path) = (server.ids.name("req_"), request.uri().path());
    let dialect = Dialect::of(path);
    let asked = (request.method().clone(), path);
    let note = Note::new(id.clone(), asked, Arc::clone(&server.witnesses));
    request.extensions_mut().insert(note.clone());
    let unread = Unread::of(&mut request);
    let mut response = next.run(request).await;
    if let Some(unread) = unread
        && !unread.read(server.options.body_limit).await
    {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    note.replied(response.status());
    match refused::write(&mut response, dialect, &id) {
        Some(fault) => note.ended(End::Failed(fault)),
        // A stream says by itself when it is over.
        None if response.body().size_hint().exact().is_some() => note.answered(),
        None => {}
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        // Anthropic's clients look for the one, OpenAI's for the other.
        response.headers_mut().insert(HeaderName::from_static("request-id"), id.clone());
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), id);
    }
    response
}

/// The process runs.
async fn health() -> Response {
    json(StatusCode::OK, r#"{"status":"ok","server":"hearth"}"#.to_owned())
}

/// Turns are answered.
async fn ready(State(server): State<Shared>) -> Response {
    match server.house.is_ready() {
        true => json(StatusCode::OK, r#"{"status":"ready"}"#.to_owned()),
        false => json(StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"not ready"}"#.to_owned()),
    }
}

/// What has been counted, and what the models do now.
async fn metrics(State(server): State<Shared>) -> Response {
    let text = server.metrics.text(&server.house.residents());
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    (StatusCode::OK, [(HeaderName::from_static("content-type"), kind)], text).into_response()
}

/// A reply of JSON.
pub fn json(status: StatusCode, text: String) -> Response {
    let kind = HeaderValue::from_static("application/json");
    (status, [(HeaderName::from_static("content-type"), kind)], Body::from(text)).into_response()
}
