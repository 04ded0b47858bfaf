//! Which models there are, which are in memory, and what is known of them.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};
use turn::Sampling;

use super::answer::about;
use crate::date::{now, rfc3339};
use crate::fields::Fields;
use crate::refused::Refused;
use crate::reply::{Received, beside, decode};
use crate::server::{Shared, json as reply};
use crate::{About, ModelCard, Refusal};

/// The version of Ollama that this dialect is like: the first with all that is served here,
/// Anthropic's messages last. Clients compare it with the one that they need; ours would tell them
/// nothing.
const VERSION: &str = "0.14.0";
/// What stands for a model that stays for ever, in a list that knows dates only.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 86400);

/// `/`: what programs look for that want to know whether somebody is there.
pub async fn greet() -> &'static str {
    "Ollama is running"
}

/// `/api/version`
pub async fn version() -> Response {
    reply(StatusCode::OK, json!({ "version": VERSION }).to_string())
}

/// `/api/tags`: all models.
pub async fn tags(State(server): State<Shared>) -> Result<Response, Refused> {
    let house = server.house.clone();
    let models = beside(move || {
        let tag = |card: ModelCard| {
            // One whose files have gone is still listed: to ask it tells why it does not answer.
            let about = house.about(&card.id).unwrap_or_default();
            let mut entry = entry(&card, &about);
            entry["modified_at"] = rfc3339(card.created).into();
            entry["capabilities"] = capabilities(&about).into();
            entry
        };
        house.models().into_iter().map(tag).collect::<Vec<_>>()
    });
    Ok(reply(StatusCode::OK, json!({ "models": models.await? }).to_string()))
}

/// `/api/ps`: those in memory.
pub async fn ps(State(server): State<Shared>) -> Result<Response, Refused> {
    let (house, now) = (server.house.clone(), now());
    let models = beside(move || {
        let running = house.residents().into_iter().filter_map(|resident| {
            let card = house.find(&resident.id).ok()?;
            let mut entry = entry(&card, &house.about(&card.id).unwrap_or_default());
            let expires = now + resident.left.unwrap_or(FOR_EVER).min(FOR_EVER);
            entry["size"] = resident.bytes.into();
            // hearth computes where the memory of the machine is.
            entry["size_vram"] = 0.into();
            entry["expires_at"] = rfc3339(expires.as_secs()).into();
            entry["context_length"] = card.context.into();
            Some(entry)
        });
        running.collect::<Vec<_>>()
    });
    Ok(reply(StatusCode::OK, json!({ "models": models.await? }).to_string()))
}

/// What all lists say of a model.
fn entry(card: &ModelCard, about: &About) -> Value {
    let name = tagged(&card.id);
    json!({
        "name": name,
        "model": name,
        "size": about.bytes,
        "digest": about.digest,
        "details": details(about),
    })
}

/// Ollama's clients expect a tag: some look for `NAME:latest` in the list when they were told NAME.
fn tagged(name: &str) -> String {
    match name.rsplit('/').next().unwrap_or(name).contains(':') {
        true => name.to_owned(),
        false => format!("{name}:latest"),
    }
}

fn details(about: &About) -> Value {
    json!({
        "parent_model": "",
        "format": about.format,
        "family": about.architecture,
        "families": [about.architecture],
        "parameter_size": count(about.parameters),
        "quantization_level": about.storage,
    })
}

/// `4022468096` as `4.0B`.
fn count(number: u64) -> String {
    let number = number as f64;
    match number {
        1e9.. => format!("{:.1}B", number / 1e9),
        1e6.. => format!("{:.2}M", number / 1e6),
        1e3.. => format!("{:.2}K", number / 1e3),
        _ => format!("{number}"),
    }
}

fn capabilities(about: &About) -> Vec<&'static str> {
    let abilities = about.abilities;
    let all = [
        ("completion", true),
        ("tools", abilities.calls),
        ("insert", abilities.fills_gaps),
        ("thinking", abilities.thinking.is_some()),
    ];
    all.into_iter().filter(|(_, can)| *can).map(|(name, _)| name).collect()
}

/// `/api/show`: all that is known of a model.
pub async fn show(State(server): State<Shared>, body: Received) -> Result<Response, Refused> {
    let name = decode(body?, shown).await?;
    let card = server.house.find(&name)?;
    let about = about(&server, &name).await?;
    let shown = json!({
        "license": "",
        "modelfile": format!("FROM {}\n", tagged(&card.id)),
        "parameters": parameters(card.context, &about.sampling),
        "template": template(&about),
        "details": details(&about),
        "model_info": info(&card, &about),
        "capabilities": capabilities(&about),
        "modified_at": rfc3339(card.created),
    });
    Ok(reply(StatusCode::OK, shown.to_string()))
}

/// Decodes the body of `/api/show`: the model that is meant.
///
/// # Errors
/// The first field that is wrong, unknown or not served.
pub fn shown(body: &[u8]) -> Result<String, Refusal> {
    let mut fields = Fields::of_body(body)?;
    let name = name(&mut fields)?;
    if fields.flag("verbose")? == Some(true) {
        return Err(fields.refusal("verbose", "cannot be true: vocabularies are not shown"));
    }
    empty(&mut fields, ["system", "template"])?;
    // They would change nothing of what is shown.
    let _ = fields.object("options")?;
    fields.finish()?;
    Ok(name)
}

/// Fields that Ollama's own program always sends, and that nobody may fill.
pub fn empty<const N: usize>(fields: &mut Fields, names: [&str; N]) -> Result<(), Refusal> {
    for name in names {
        if fields.string(name)?.is_some_and(|text| !text.is_empty()) {
            return Err(fields.refusal(name, "must be empty here"));
        }
    }
    Ok(())
}

/// The name of a model: `model`, or `name` as older clients write. Ollama's own program sends both,
/// one of them empty.
pub fn name(fields: &mut Fields) -> Result<String, Refusal> {
    let (model, name) = (fields.string("model")?, fields.string("name")?);
    let model = model.filter(|model| !model.is_empty() || name.is_none());
    match fields.need("model", model.or(name))? {
        name if name.is_empty() => Err(fields.refusal("model", "must not be empty")),
        name => Ok(name),
    }
}

/// How tokens are chosen where a client says nothing, a line for each setting.
fn parameters(context: usize, sampling: &Sampling) -> String {
    let lines = [
        format!("num_ctx {context}"),
        format!("temperature {}", sampling.temperature),
        format!("top_k {}", sampling.top_k),
        format!("top_p {}", sampling.top_p),
        format!("min_p {}", sampling.min_p),
        format!("repeat_penalty {}", sampling.repetition_penalty),
    ];
    lines.join("\n")
}

/// The template as the model's files have it, which is Jinja. Clients look for `.Suffix` in it to
/// know whether a gap can be filled.
fn template(about: &About) -> String {
    let template = about.template.as_deref().unwrap_or_default();
    let gap = if about.abilities.fills_gaps { "{# .Suffix #}" } else { "" };
    format!("{template}{gap}")
}

/// Numbers by the names that GGUF files have for them.
fn info(card: &ModelCard, about: &About) -> Value {
    let architecture = &about.architecture;
    let numbers = [
        ("context_length", card.context),
        ("block_count", about.layers),
        ("embedding_length", card.width),
        ("vocab_size", about.vocabulary),
    ];
    let mut info = Map::new();
    info.insert("general.architecture".to_owned(), architecture.as_str().into());
    info.insert("general.parameter_count".to_owned(), about.parameters.into());
    info.extend(numbers.map(|(name, number)| (format!("{architecture}.{name}"), number.into())));
    info.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_as_clients_know_them() {
        let counts = [999, 596_049_920, 4_022_468_096, 30_532_122_624].map(count);
        assert_eq!(counts, ["999", "596.05M", "4.0B", "30.5B"]);
        let names = ["a", "org/a", "a:4b", "host:80/a", "a:latest"].map(tagged);
        assert_eq!(names, ["a:latest", "org/a:latest", "a:4b", "host:80/a:latest", "a:latest"]);
    }
}
