//! From a body to what was asked.

use serde_json::{Map, Value, json};
use turn::{Chat, Form, Prompt, Wishes};

use super::conversation;
use super::input::{self, Given, Input};
use super::store::Kept;
use super::tools;
use crate::fields::Fields;
use crate::openai::{chat, form, settings, tools as offers};
use crate::{Asked, Manner, Refusal};

/// Fields that OpenAI's reference has and hearth does not, with what to do instead.
const REFUSED: [(&str, &str); 4] = [
    ("conversation", "is not served; use `previous_response_id`"),
    ("prompt", "is not served: no prompts are kept here; use `instructions` and `input`"),
    ("context_management", "is not served: nothing is left out of a conversation"),
    ("moderation", "is not served: no text is judged"),
];
/// They cannot change an answer: hints for caches, and bookkeeping of clients.
const IDLE: [&str; 1] = ["client_metadata"];
/// What may be asked for besides the usual.
const INCLUDED: [&str; 8] = [
    LOGPROBS,
    // Reasoning is readable here, so nothing is lost without it.
    "reasoning.encrypted_content",
    // Of tools and of input that are not served.
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "code_interpreter_call.outputs",
    "computer_call_output.output.image_url",
    "message.input_image.image_url",
];
const LOGPROBS: &str = "message.output_text.logprobs";
/// Bytes of a name and of a value of `metadata`.
const PAIR_BYTES: (usize, usize) = (256, 2048);
/// Pairs of `metadata`.
const PAIRS: usize = 16;

/// A request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What is asked of the model; its prompt still lacks the messages.
    asked: Asked,
    chat: Chat,
    instructions: Option<String>,
    /// What is said to the model, behind what was said before.
    pub input: Vec<Input>,
    /// The response that this goes on from.
    pub previous: Option<String>,
    /// Whether the response is kept.
    pub store: bool,
    /// The fields that the response repeats.
    pub echo: Map<String, Value>,
}

impl Request {
    /// What is asked of the model after what was said before, the oldest first.
    pub fn ask<'a>(&self, before: impl Iterator<Item = &'a Kept>, given: &'a [Given]) -> Asked {
        let before = before.flat_map(Kept::items);
        let items = before.chain(given.iter().map(|given| &given.item));
        let messages = conversation::messages(self.instructions.as_deref(), items);
        let chat = Chat { messages, ..self.chat.clone() };
        Asked { prompts: vec![Prompt::Chat(chat)], ..self.asked.clone() }
    }
}

/// Decodes a body.
///
/// # Errors
/// The first field that is wrong, unknown or not served.
pub fn decode(body: &[u8]) -> Result<Request, Refusal> {
    let mut fields = Fields::of_body(body)?;
    let model = crate::settings::model(&mut fields)?;
    chat::refuse(&fields, &REFUSED)?;
    let echo = echo(&fields);
    bookkeeping(&mut fields)?;
    let mut ignored = settings::idle(&mut fields);
    IDLE.iter().for_each(|name| fields.ignore(name, &mut ignored));
    let answer = answer(&mut fields, &mut ignored)?;
    let offer = offers::offer(&mut fields, &tools::FLAT, answer, &mut ignored)?;
    let input = input::input(&mut fields, &mut ignored)?;
    let effort = effort(&mut fields, &mut ignored)?;
    let variables = chat::variables(&mut fields, effort.as_deref())?;
    let tokens = fields.count("max_output_tokens", 1..=i64::MAX)?;
    let manner = settings::manner(&mut fields, &mut ignored)?;
    let (logprobs, top_logprobs) = logprobs(&mut fields, &mut ignored)?;
    let asked = Asked {
        model,
        prompts: Vec::new(),
        copies: 1,
        wishes: Wishes { top_logprobs, ..settings::wishes(&mut fields)? },
        limits: settings::limits(&mut fields, tokens)?,
        demand: offer.demand,
        keep: settings::keep(&mut fields)?,
        manner: Manner { logprobs, ..manner },
        ignored,
    };
    let request = Request {
        asked,
        chat: Chat { messages: Vec::new(), tools: offer.shown, variables },
        instructions: fields.string("instructions")?,
        input,
        previous: fields.string("previous_response_id")?,
        store: fields.flag("store")?.unwrap_or(true),
        echo,
    };
    fields.finish()?;
    Ok(request)
}

/// The fields that a response repeats, with what they mean where they are not given.
fn echo(fields: &Fields) -> Map<String, Value> {
    let copy = |name: &str| fields.copy(name).unwrap_or_default();
    let or = |name: &str, usual: Value| fields.copy(name).unwrap_or(usual);
    let reasoning = copy("reasoning");
    let format = match copy("text")["format"].clone() {
        Value::Null => json!({ "type": "text" }),
        format => format,
    };
    let listed = match fields.copy("tools") {
        Some(Value::Array(list)) => list.into_iter().map(tools::flat).collect(),
        _ => Vec::new(),
    };
    let echoed = [
        ("background", false.into()),
        ("instructions", copy("instructions")),
        ("max_output_tokens", copy("max_output_tokens")),
        ("max_tool_calls", copy("max_tool_calls")),
        ("metadata", or("metadata", json!({}))),
        ("parallel_tool_calls", or("parallel_tool_calls", true.into())),
        ("previous_response_id", copy("previous_response_id")),
        ("reasoning", json!({ "effort": reasoning["effort"], "summary": reasoning["summary"] })),
        ("service_tier", "default".into()),
        ("store", or("store", true.into())),
        ("temperature", copy("temperature")),
        ("text", json!({ "format": format, "verbosity": "medium" })),
        ("tool_choice", or("tool_choice", "auto".into())),
        ("tools", listed.into()),
        ("top_logprobs", or("top_logprobs", 0.into())),
        ("top_p", copy("top_p")),
        ("truncation", "disabled".into()),
    ];
    echoed.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Fields that are repeated at most, or that must ask for nothing.
fn bookkeeping(fields: &mut Fields) -> Result<(), Refusal> {
    if let Some(metadata) = fields.object("metadata")? {
        let pairs = metadata.rest();
        let fits = |(name, value): (&String, &Value)| {
            name.len() <= PAIR_BYTES.0 && value.as_str().is_some_and(|it| it.len() <= PAIR_BYTES.1)
        };
        if pairs.len() > PAIRS || !pairs.iter().all(fits) {
            let (names, values) = PAIR_BYTES;
            let what = format!(
                "must have at most {PAIRS} fields, names of at most {names} bytes and strings of \
                 at most {values}"
            );
            return Err(fields.refusal("metadata", &what));
        }
    }
    // It limits calls of tools that the server runs, of which there are none.
    let _ = fields.count("max_tool_calls", 1..=i64::MAX)?;
    if fields.flag("background")? == Some(true) {
        return Err(fields.refusal("background", "cannot be true; use `stream`"));
    }
    match fields.string("truncation")?.as_deref() {
        None | Some("disabled") => Ok(()),
        Some(_) => {
            let what = "must be `disabled`: what does not fit is refused, not cut";
            Err(fields.refusal("truncation", what))
        }
    }
}

/// The form of the answer.
fn answer(fields: &mut Fields, ignored: &mut Vec<String>) -> Result<Option<Form>, Refusal> {
    let mut stated = None;
    if let Some(mut text) = fields.object("text")? {
        if let Some(format) = text.object("format")? {
            stated = form::text_format(format)?;
        }
        chat::verbosity(&mut text, ignored)?;
        text.finish()?;
    }
    form::only(fields, "text.format", stated)
}

/// Reasoning is shown whole, whatever summary is wished for.
fn effort(fields: &mut Fields, ignored: &mut Vec<String>) -> Result<Option<String>, Refusal> {
    let Some(mut reasoning) = fields.object("reasoning")? else { return Ok(None) };
    let effort = chat::effort(&mut reasoning, "effort")?;
    for name in ["summary", "generate_summary"] {
        match reasoning.string(name)?.as_deref() {
            None | Some("auto" | "detailed") => {}
            Some("concise") => ignored.push(reasoning.path(name)),
            Some(_) => {
                let what = "must be `auto`, `concise` or `detailed`";
                return Err(reasoning.refusal(name, what));
            }
        }
    }
    reasoning.finish()?;
    Ok(effort)
}

/// Whether log probabilities are shown, and with how many alternatives.
fn logprobs(
    fields: &mut Fields,
    ignored: &mut Vec<String>,
) -> Result<(bool, Option<usize>), Refusal> {
    let mut wanted = false;
    for (path, value) in fields.list("include")?.unwrap_or_default() {
        match value.as_str() {
            Some(LOGPROBS) => wanted = true,
            Some(name) if INCLUDED.contains(&name) => ignored.push(path),
            _ => return Err(Refusal::of(path, &format!("must be one of {}", INCLUDED.join(", ")))),
        }
    }
    let top = fields.count("top_logprobs", 0..=crate::settings::ALTERNATIVES)?;
    match top {
        Some(top) if top > 0 && !wanted => {
            let what = format!("needs `include` to have `{LOGPROBS}`");
            Err(fields.refusal("top_logprobs", &what))
        }
        _ => Ok((wanted, top.filter(|_| wanted))),
    }
}
