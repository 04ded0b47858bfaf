//! `/v1/chat/completions`: from a body to what was asked.
//!
//! Every field of OpenAI's reference is honoured, refused by name, or noted as ignored where it
//! cannot change the answer. So are the fields that clients of local servers add.

use serde_json::{Map, Value};
use turn::{Chat, Prompt, Wishes};

use super::{form, messages, settings, tools};
use crate::fields::Fields;
use crate::{Asked, Manner, Refusal};

/// Fields that OpenAI's reference has and hearth does not, with what to do instead.
const REFUSED: [(&str, &str); 4] = [
    ("functions", "is not served; use `tools`"),
    ("function_call", "is not served; use `tool_choice`"),
    ("audio", "is not served: replies are text"),
    ("web_search_options", "is not served: this server does not search the web"),
];

/// Variables of a template that have fields of their own, or follow from what is asked.
const OWN: [&str; 4] = ["messages", "tools", "documents", "add_generation_prompt"];
/// Variables of a template that a request may state.
const VARIABLES: usize = 64;

/// Decodes a body.
///
/// # Errors
/// The first field that is wrong, unknown or not served.
pub fn decode(body: &[u8]) -> Result<Asked, Refusal> {
    let mut fields = Fields::of_body(body)?;
    let model = crate::settings::model(&mut fields)?;
    refuse(&fields, &REFUSED)?;
    let mut ignored = settings::idle(&mut fields);
    settings::unkept(&mut fields, &mut ignored)?;
    idle(&mut fields, &mut ignored)?;
    let answer = form::form(&mut fields)?;
    let offer = tools::offer(&mut fields, &tools::NESTED, answer, &mut ignored)?;
    let messages = messages::messages(&mut fields, &mut ignored)?;
    let effort = stated_effort(&mut fields)?;
    let variables = variables(&mut fields, effort.as_deref())?;
    let chat = Chat { messages, tools: offer.shown, variables };
    let tokens = tokens(&mut fields)?.or(options(&mut fields, &mut ignored)?);
    let manner = settings::manner(&mut fields, &mut ignored)?;
    let (logprobs, top_logprobs) = crate::settings::logprobs(&mut fields)?;
    let wishes = Wishes { top_logprobs, ..settings::wishes(&mut fields)? };
    let asked = Asked {
        model,
        prompts: vec![Prompt::Chat(chat)],
        copies: fields.count("n", 1..=settings::COPIES)?.unwrap_or(1),
        wishes,
        limits: settings::limits(&mut fields, tokens)?,
        demand: offer.demand,
        keep: settings::keep(&mut fields)?,
        manner: Manner { logprobs, ..manner },
        ignored,
    };
    fields.finish()?;
    Ok(asked)
}

/// Clients that take this for Ollama write some of its options: how many tokens, and the room for
/// them, which changes nothing.
fn options(fields: &mut Fields, ignored: &mut Vec<String>) -> Result<Option<usize>, Refusal> {
    let Some(mut options) = fields.object("options")? else { return Ok(None) };
    options.ignore("num_ctx", ignored);
    let tokens = options.count("num_predict", 1..=i64::MAX)?;
    options.finish()?;
    Ok(tokens)
}

/// Refuses the first of these fields that is there.
pub fn refuse(fields: &Fields, names: &[(&str, &str)]) -> Result<(), Refusal> {
    match names.iter().find(|(name, _)| fields.has(name)) {
        Some((name, what)) => Err(fields.refusal(name, what)),
        None => Ok(()),
    }
}

/// Fields that change nothing with the values that ask for nothing.
fn idle(fields: &mut Fields, ignored: &mut Vec<String>) -> Result<(), Refusal> {
    // It says what the answer will probably be, to have it sooner; hearth guesses by itself.
    fields.ignore("prediction", ignored);
    verbosity(fields, ignored)?;
    for (path, kind) in fields.list("modalities")?.unwrap_or_default() {
        if kind != "text" {
            return Err(Refusal::of(path, "must be `text`: replies are text"));
        }
    }
    Ok(())
}

/// No model here knows of it.
pub fn verbosity(fields: &mut Fields, ignored: &mut Vec<String>) -> Result<(), Refusal> {
    match fields.string("verbosity")?.as_deref() {
        None => Ok(()),
        Some("low" | "medium" | "high") => {
            ignored.push(fields.path("verbosity"));
            Ok(())
        }
        Some(_) => Err(fields.refusal("verbosity", "must be low, medium or high")),
    }
}

/// Both names mean the same.
fn tokens(fields: &mut Fields) -> Result<Option<usize>, Refusal> {
    let old = fields.count("max_tokens", 1..=i64::MAX)?;
    let new = fields.count("max_completion_tokens", 1..=i64::MAX)?;
    match (old, new) {
        (Some(old), Some(new)) if old != new => {
            Err(fields
                .refusal("max_tokens", "and `max_completion_tokens` are both given, and differ"))
        }
        _ => Ok(new.or(old)),
    }
}

/// The effort of reasoning, from whichever field states it.
pub fn stated_effort(fields: &mut Fields) -> Result<Option<String>, Refusal> {
    let stated = effort(fields, "reasoning_effort")?;
    let Some(mut reasoning) = fields.object("reasoning")? else { return Ok(stated) };
    let inner = effort(&mut reasoning, "effort")?;
    reasoning.finish()?;
    Ok(stated.or(inner))
}

/// Variables of the template. What `chat_template_kwargs` says is said more exactly.
pub fn variables(fields: &mut Fields, effort: Option<&str>) -> Result<Map<String, Value>, Refusal> {
    let mut variables = Map::new();
    match effort {
        None => {}
        Some("none") => _ = variables.insert("enable_thinking".to_owned(), false.into()),
        Some(effort) => _ = variables.insert("reasoning_effort".to_owned(), effort.into()),
    }
    // As clients of Qwen's and of DeepSeek's own servers write it.
    if let Some(thinks) = fields.flag("enable_thinking")? {
        variables.insert("enable_thinking".to_owned(), thinks.into());
    }
    if let Some(mut thinking) = fields.object("thinking")? {
        let kind = thinking.string("type")?;
        let thinks = match thinking.need("type", kind)?.as_str() {
            "enabled" => true,
            "disabled" => false,
            _ => return Err(thinking.refusal("type", "must be enabled or disabled")),
        };
        thinking.finish()?;
        variables.insert("enable_thinking".to_owned(), thinks.into());
    }
    if let Some(given) = fields.object("chat_template_kwargs")? {
        if let Some(name) = OWN.iter().find(|name| given.has(name)) {
            return Err(given.refusal(name, "is not the client's to say here"));
        }
        let given = given.rest();
        if given.len() > VARIABLES {
            let what = format!("has more than {VARIABLES} variables");
            return Err(fields.refusal("chat_template_kwargs", &what));
        }
        variables.extend(given);
    }
    Ok(variables)
}

/// How much is to be reasoned.
pub fn effort(fields: &mut Fields, name: &str) -> Result<Option<String>, Refusal> {
    const EFFORTS: [&str; 7] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];
    match fields.string(name)? {
        Some(effort) if !EFFORTS.contains(&effort.as_str()) => {
            Err(fields.refusal(name, &format!("must be one of {}", EFFORTS.join(", "))))
        }
        effort => Ok(effort),
    }
}
