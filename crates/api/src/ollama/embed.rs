//! `/api/embed` and, older, `/api/embeddings`: texts that become vectors.

use std::time::Instant;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use turn::{Embed, Embedded, Prompt};

use crate::embed::{self, check_width, numbers};
use crate::fields::Fields;
use crate::gate::Principal;
use crate::refused::Refused;
use crate::reply::{Received, beside, decode, name_ignored};
use crate::server::{Shared, json as reply};
use crate::{Refusal, keep, settings};

/// Texts of one request.
const TEXTS: usize = 2048;

/// What was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Texts {
    /// What a house is asked.
    pub embed: Embed,
    /// How many numbers each vector is to have, if that was said.
    pub width: Option<usize>,
    /// Fields that were read and change nothing.
    pub ignored: Vec<String>,
}

/// Decodes the body of `/api/embed`.
///
/// # Errors
/// The first field that is wrong, unknown or not served.
pub fn decode_embed(body: &[u8]) -> Result<Texts, Refusal> {
    let mut fields = Fields::of_body(body)?;
    let texts = match fields.take("input") {
        Some(Value::Array(items)) => items,
        Some(one) => vec![one],
        None => return Err(fields.refusal("input", "is missing")),
    };
    if texts.is_empty() || texts.len() > TEXTS {
        return Err(fields.refusal("input", &format!("must have 1 to {TEXTS} texts")));
    }
    // Ollama cuts by itself. What is asked for is done; without that nothing is dropped.
    let cut = fields.flag("truncate")?.unwrap_or(false);
    let width = fields.count("dimensions", 1..=i64::from(u32::MAX))?;
    finish(fields, "input", (texts, cut), width)
}

/// Decodes the body of `/api/embeddings`.
///
/// # Errors
/// The first field that is wrong, unknown or not served.
pub fn decode_embedding(body: &[u8]) -> Result<Texts, Refusal> {
    let mut fields = Fields::of_body(body)?;
    let prompt = fields.take("prompt");
    let prompt = fields.need("prompt", prompt)?;
    finish(fields, "prompt", (vec![prompt], false), None)
}

fn finish(
    mut fields: Fields,
    name: &str,
    (texts, cut): (Vec<Value>, bool),
    width: Option<usize>,
) -> Result<Texts, Refusal> {
    let text = |text| match text {
        Value::String(text) if !text.is_empty() => Ok(Prompt::Text(text)),
        _ => Err(fields.refusal(name, "must be text that is not empty")),
    };
    let texts = texts.into_iter().map(text).collect::<Result<_, _>>()?;
    let model = settings::model(&mut fields)?;
    let mut ignored = Vec::new();
    // Nothing is chosen here, and the rest is about memory and threads.
    fields.ignore("options", &mut ignored);
    // Vectors come all at once, whoever sends what all routes know.
    fields.ignore("stream", &mut ignored);
    let keep = keep::keep_alive(&mut fields)?;
    fields.finish()?;
    Ok(Texts { embed: Embed { model, texts, cut, keep }, width, ignored })
}

/// `/api/embed`
pub async fn embed(
    State(server): State<Shared>,
    Extension(principal): Extension<Principal>,
    body: Received,
) -> Result<Response, Refused> {
    let begun = Instant::now();
    let texts = decode(body?, decode_embed).await?;
    let (model, ignored) = (json!(texts.embed.model), texts.ignored.clone());
    let embedded = vectors(&server, principal, texts).await?;
    let tokens: usize = embedded.tokens.iter().sum();
    let took = begun.elapsed().as_nanos();
    // Without a tree of values: there may be millions of numbers.
    let written = beside(move || {
        let vectors: Vec<_> = embedded.vectors.iter().map(|vector| numbers(vector)).collect();
        let vectors = vectors.join(",");
        let spent = format!(r#""total_duration":{took},"prompt_eval_count":{tokens}"#);
        format!(r#"{{"model":{model},"embeddings":[{vectors}],{spent}}}"#)
    });
    Ok(answered(written.await?, &ignored))
}

/// `/api/embeddings`
pub async fn embedding(
    State(server): State<Shared>,
    Extension(principal): Extension<Principal>,
    body: Received,
) -> Result<Response, Refused> {
    let texts = decode(body?, decode_embedding).await?;
    let ignored = texts.ignored.clone();
    let vector = vectors(&server, principal, texts).await?.vectors.pop().unwrap_or_default();
    Ok(answered(format!(r#"{{"embedding":{}}}"#, numbers(&vector)), &ignored))
}

async fn vectors(server: &Shared, principal: Principal, texts: Texts) -> Result<Embedded, Refused> {
    check_width(server, &texts.embed.model, texts.width)?;
    embed::embed(server, principal, texts.embed).await
}

fn answered(said: String, ignored: &[String]) -> Response {
    let mut response = reply(StatusCode::OK, said);
    name_ignored(&mut response, ignored);
    response
}
