//! `/openapi.json`: the table of routes, as programs read it.
//!
//! What becomes of each field of a request is told in `docs/api`; here it is said which routes
//! there are, what they are for, which key they need, and how they refuse.

use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value, json};

use crate::dialect::Dialect;
use crate::keys::Scope;
use crate::server::{Route, json as reply, routes};

/// Written once for each request: it is small.
pub async fn show() -> Response {
    reply(StatusCode::OK, document(&routes()).to_string())
}

fn document(routes: &[Route]) -> Value {
    let mut paths = Map::new();
    for route in routes {
        let path = paths.entry(route.path.replace("{*", "{")).or_insert(json!({}));
        path[route.method.as_str().to_lowercase()] = operation(route);
    }
    let bearer = json!({ "type": "http", "scheme": "bearer" });
    let header = json!({ "type": "apiKey", "in": "header", "name": "x-api-key" });
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "hearth",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Local AI on hardware you own, in the dialects of OpenAI, Anthropic and \
                            Ollama. A field that is not honoured is refused by name, or named in \
                            the header x-hearth-ignored.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "securitySchemes": { "bearer": bearer, "header": header },
            "schemas": {
                "OpenAiError": openai_error(),
                "AnthropicError": anthropic_error(),
                "OllamaError": object(&json!({ "error": { "type": "string" } })),
            },
        },
    })
}

fn operation(route: &Route) -> Value {
    let dialect = Dialect::of(route.path);
    let (tag, error) = match dialect {
        Dialect::OpenAi if route.path.starts_with("/v1/") => ("OpenAI", "OpenAiError"),
        Dialect::OpenAi => ("hearth", "OpenAiError"),
        Dialect::Anthropic => ("Anthropic", "AnthropicError"),
        Dialect::Ollama => ("Ollama", "OllamaError"),
    };
    let error = json!({ "$ref": format!("#/components/schemas/{error}") });
    let refused = json!({ "description": "Why not", "content": {
        "application/json": { "schema": error } } });
    let mut operation = json!({
        "tags": [tag],
        "summary": route.about,
        "operationId": id(route),
        "responses": { "200": { "description": "The reply" }, "default": refused },
        "security": security(route.scope),
        "x-hearth-scope": route.scope.name(),
    });
    if let Some((_, rest)) = route.path.split_once('{') {
        let name = rest.trim_start_matches('*').split('}').next().unwrap_or_default();
        let schema = json!({ "type": "string" });
        operation["parameters"] =
            json!([{ "name": name, "in": "path", "required": true, "schema": schema }]);
    }
    if route.method == Method::POST {
        let body = json!({ "application/json": { "schema": { "type": "object" } } });
        operation["requestBody"] = json!({ "required": true, "content": body });
    }
    operation
}

/// The method and the words of the path, such as `postV1ChatCompletions`.
fn id(route: &Route) -> String {
    let words = route.path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|it| !it.is_empty());
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    let words = words.map(capital).collect::<String>();
    route.method.as_str().to_lowercase() + if words.is_empty() { "Root" } else { &words }
}

/// Any of the ways in which a key may come.
fn security(scope: Scope) -> Value {
    match scope {
        Scope::Anyone => json!([]),
        _ => json!([{ "bearer": [] }, { "header": [] }]),
    }
}

fn object(properties: &Value) -> Value {
    let names: Vec<&String> = properties.as_object().into_iter().flatten().map(|it| it.0).collect();
    json!({ "type": "object", "properties": properties, "required": names })
}

fn openai_error() -> Value {
    let text = json!({ "type": "string" });
    let maybe = json!({ "type": ["string", "null"] });
    let error = json!({ "message": text, "type": text, "param": maybe, "code": maybe });
    object(&json!({ "error": object(&error) }))
}

fn anthropic_error() -> Value {
    let text = json!({ "type": "string" });
    let error = object(&json!({ "type": text, "message": text }));
    object(&json!({ "type": { "const": "error" }, "error": error, "request_id": text }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_route_is_told_and_no_two_have_one_id() {
        let routes = routes();
        let document = document(&routes);
        let mut ids = BTreeSet::new();
        for route in &routes {
            let path = route.path.replace("{*", "{");
            let told = &document["paths"][path][route.method.as_str().to_lowercase()];
            assert!(!told["summary"].as_str().unwrap().is_empty(), "{} says nothing", route.path);
            assert!(ids.insert(told["operationId"].to_string()), "{}", told["operationId"]);
            let is_open = told["security"].as_array().unwrap().is_empty();
            assert_eq!(is_open, route.scope == Scope::Anyone, "{}", route.path);
            assert_eq!(route.path.contains('{'), told["parameters"].is_array(), "{}", route.path);
        }
        assert!(ids.contains("\"postV1ChatCompletions\""), "{ids:?}");
    }
}
