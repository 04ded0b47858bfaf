//! From a body to what was asked.
//!
//! Every field of Anthropic's reference is honoured, refused by name, or noted as ignored where it
//! cannot change the answer.

use serde_json::{Map, Value};
use turn::{Chat, Demand, Form, Limits, Prompt, Wishes};

use super::{messages, tools};
use crate::fields::Fields;
use crate::{Asked, Manner, Refusal, keep, settings};

/// Fields that the reference has and hearth does not.
const REFUSED: [(&str, &str); 2] = [
    ("container", "is not served: this server runs no programs"),
    ("mcp_servers", "is not served: this server calls no others; offer their tools in `tools`"),
];
/// They cannot change an answer: bookkeeping, and hints for caches and clouds.
const IDLE: [&str; 3] = ["metadata", "cache_control", "inference_geo"];

/// What a message says beside its prompt.
const UNREAD: [&str; 8] = [
    "max_tokens",
    "temperature",
    "top_k",
    "top_p",
    "seed",
    "stop_sequences",
    "stream",
    "keep_alive",
];

/// What is to be answered: all that has tokens.
pub struct Question {
    pub model: String,
    pub prompt: Prompt,
    pub demand: Demand,
    pub ignored: Vec<String>,
}

/// Decodes the body of a message.
///
/// # Errors
/// The first field that is wrong, unknown or not served.
pub fn decode(body: &[u8]) -> Result<Asked, Refusal> {
    let mut fields = Fields::of_body(body)?;
    let tokens = fields.count("max_tokens", 1..=i64::MAX)?;
    let tokens = fields.need("max_tokens", tokens)?;
    let Question { model, prompt, demand, ignored } = question(&mut fields)?;
    let asked = Asked {
        model,
        prompts: vec![prompt],
        copies: 1,
        wishes: wishes(&mut fields)?,
        limits: Limits { tokens: Some(tokens), stop: stop(&mut fields)? },
        demand,
        keep: keep::keep_alive(&mut fields)?,
        manner: Manner { streamed: fields.flag("stream")?.unwrap_or(false), ..Manner::default() },
        ignored,
    };
    fields.finish()?;
    Ok(asked)
}

/// Decodes the body of a question about a prompt's length.
///
/// # Errors
/// The first field that is wrong, unknown or not served.
pub fn decode_prompt(body: &[u8]) -> Result<Question, Refusal> {
    let mut fields = Fields::of_body(body)?;
    let mut question = question(&mut fields)?;
    for name in UNREAD {
        fields.ignore(name, &mut question.ignored);
    }
    fields.finish()?;
    Ok(question)
}

fn question(fields: &mut Fields) -> Result<Question, Refusal> {
    let model = settings::model(fields)?;
    let mut ignored = idle(fields)?;
    let mut variables = thinking(fields, &mut ignored)?;
    let answer = output(fields, &mut variables)?;
    let offer = tools::offer(fields, answer, &mut ignored)?;
    let messages = messages::messages(fields, &mut ignored)?;
    let chat = Chat { messages, tools: offer.shown, variables };
    Ok(Question { model, prompt: Prompt::Chat(chat), demand: offer.demand, ignored })
}

fn idle(fields: &mut Fields) -> Result<Vec<String>, Refusal> {
    if let Some((name, what)) = REFUSED.iter().find(|(name, _)| is_stated(fields, name)) {
        return Err(fields.refusal(name, what));
    }
    let mut ignored = Vec::new();
    for name in IDLE {
        fields.ignore(name, &mut ignored);
    }
    match fields.string("service_tier")?.as_deref() {
        None => {}
        Some("auto" | "standard_only") => ignored.push("service_tier".to_owned()),
        Some(_) => return Err(fields.refusal("service_tier", "must be auto or standard_only")),
    }
    edits(fields, &mut ignored)?;
    Ok(ignored)
}

/// An empty list states nothing.
fn is_stated(fields: &mut Fields, name: &str) -> bool {
    fields.take(name).is_some_and(|value| value.as_array().is_none_or(|list| !list.is_empty()))
}

/// What is to be cut from long conversations. Nothing is, which one of the edits asks for.
fn edits(fields: &mut Fields, ignored: &mut Vec<String>) -> Result<(), Refusal> {
    let Some(mut management) = fields.object("context_management")? else { return Ok(()) };
    for (path, value) in management.list("edits")?.unwrap_or_default() {
        let mut edit = Fields::of_value(path.clone(), value)?;
        let kind = edit.string("type")?.unwrap_or_default();
        let keeps_all = edit.take("keep").is_some_and(|keep| keep == "all");
        if !(kind.starts_with("clear_thinking_") && keeps_all) {
            return Err(Refusal::of(path, "is not served: conversations are read as they are"));
        }
        edit.finish()?;
    }
    ignored.push("context_management".to_owned());
    management.finish()
}

/// Whether the model is to think first, as a variable of its template.
fn thinking(fields: &mut Fields, ignored: &mut Vec<String>) -> Result<Map<String, Value>, Refusal> {
    let mut variables = Map::new();
    let Some(mut thinking) = fields.object("thinking")? else { return Ok(variables) };
    match thinking.string("type")?.as_deref() {
        Some("adaptive") => {}
        Some("disabled") => _ = variables.insert("enable_thinking".to_owned(), false.into()),
        Some("enabled") => {
            variables.insert("enable_thinking".to_owned(), true.into());
            // A target there, not a promise; here thoughts end when the model ends them.
            let budget = thinking.count("budget_tokens", 1..=i64::MAX)?;
            ignored.extend(budget.map(|_| "thinking.budget_tokens".to_owned()));
        }
        _ => return Err(thinking.refusal("type", "must be enabled, adaptive or disabled")),
    }
    thinking.ignore("display", ignored);
    thinking.finish()?;
    Ok(variables)
}

/// The form of the answer, and how much is to be thought about it.
fn output(
    fields: &mut Fields,
    variables: &mut Map<String, Value>,
) -> Result<Option<Form>, Refusal> {
    const EFFORTS: [&str; 5] = ["low", "medium", "high", "xhigh", "max"];
    let mut form = fields.object("output_format")?.map(schema).transpose()?;
    if let Some(mut config) = fields.object("output_config")? {
        match config.string("effort")? {
            Some(effort) if EFFORTS.contains(&effort.as_str()) => {
                variables.insert("reasoning_effort".to_owned(), effort.into());
            }
            Some(_) => {
                let what = format!("must be one of {}", EFFORTS.join(", "));
                return Err(config.refusal("effort", &what));
            }
            None => {}
        }
        if let Some(format) = config.object("format")? {
            if form.is_some() {
                return Err(config.refusal("format", "says the same as `output_format`"));
            }
            form = Some(schema(format)?);
        }
        config.finish()?;
    }
    Ok(form)
}

fn schema(mut format: Fields) -> Result<Form, Refusal> {
    if format.string("type")?.as_deref() != Some("json_schema") {
        return Err(format.refusal("type", "must be json_schema"));
    }
    let schema = format.take("schema");
    let schema = format.need("schema", schema)?;
    if !schema.is_object() {
        return Err(format.refusal("schema", "must be a JSON schema"));
    }
    format.finish()?;
    Ok(Form::Schema(schema))
}

fn wishes(fields: &mut Fields) -> Result<Wishes, Refusal> {
    Ok(Wishes {
        temperature: fields.number("temperature", 0.0..=2.0)?,
        top_k: fields.count("top_k", 0..=i64::from(u32::MAX))?,
        top_p: fields.number("top_p", 0.0..=1.0)?,
        seed: settings::seed(fields)?,
        ..Wishes::default()
    })
}

fn stop(fields: &mut Fields) -> Result<Vec<String>, Refusal> {
    match fields.take("stop_sequences") {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) => settings::stops(fields, "stop_sequences", items),
        Some(_) => Err(fields.refusal("stop_sequences", "must be a list")),
    }
}
