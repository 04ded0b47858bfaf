//! Chat templates: from a conversation to the text a model reads.
//!
//! A template comes with a model and is run as a program from a stranger: it has a limited number
//! of steps, a limited amount of memory, and nothing to reach but the conversation. It renders as
//! it would in Python, where it was written. Knows nothing of tokens, models or requests, and
//! reads no clock.
//!
//! `syntax` rewrites a template for the engine, `jinja` are the functions it may call, `python` is
//! what these do to values.

mod clock;
mod error;
mod jinja;
mod messages;
mod python;
mod syntax;

use std::sync::Arc;

use minijinja::{Environment, Value};
use serde_json::{Map, Value as Json};

pub use clock::DateTime;
pub use error::Error;
pub use messages::unify_reasoning;

use jinja::{RENDERING_VARIABLE, Rendering};
use python::heap::Heap;
use python::json::from_json;

/// What one rendering may use up.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Steps of the engine.
    fuel: u64,
    /// Bytes of text and containers that are created, besides those of the input.
    memory: u64,
}

/// The limits of every template.
///
/// The most expensive published template walks back over all messages for each of them, and gets
/// through four thousand messages with this. A conversation of a million tokens is about four
/// megabytes long, and templates copy each message a few times over.
const LIMITS: Limits = Limits { fuel: 60_000_000, memory: 256 << 20 };

/// The limits under which the fuzzer works, so that it gets somewhere.
const PROBE_LIMITS: Limits = Limits { fuel: 2_000_000, memory: 32 << 20 };

/// How often a template may copy its whole input on top of that.
const COPIES: u64 = 16;

/// The name of the only template in its engine.
const NAME: &str = "chat";

/// A compiled chat template.
#[derive(Debug)]
pub struct Template {
    environment: Environment<'static>,
    limits: Limits,
}

/// What a template is rendered with.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// The conversation, a list of messages.
    pub messages: Json,
    /// The tools the model may call.
    pub tools: Option<Json>,
    /// The documents the model may cite.
    pub documents: Option<Json>,
    /// Whether the text ends with the beginning of the assistant's next message.
    pub add_generation_prompt: bool,
    /// All other variables: special tokens, `enable_thinking` and the like.
    pub variables: Map<String, Json>,
    /// What `strftime_now` tells the time from.
    pub now: DateTime,
}

impl Template {
    /// Compiles a template as it stands in `chat_template` of a model's files.
    ///
    /// # Errors
    /// `Error::Syntax` when it is no template, or uses what chat templates do not have.
    pub fn compile(source: &str) -> Result<Template, Error> {
        Template::compile_within(LIMITS, source)
    }

    fn compile_within(limits: Limits, source: &str) -> Result<Template, Error> {
        let rewritten = syntax::rewrite(source)?;
        let mut environment =
            jinja::environment(limits.fuel).map_err(|error| error::of_compilation(&error))?;
        environment
            .add_template_owned(NAME, rewritten)
            .map_err(|error| error::of_compilation(&error))?;
        Ok(Template { environment, limits })
    }

    /// Renders a conversation. Macros that call each other take up to a megabyte of stack.
    ///
    /// # Errors
    /// When the template refuses the conversation, fails, or takes more than it may.
    pub fn render(&self, inputs: &Inputs) -> Result<String, Error> {
        self.try_render(inputs).map_err(|error| error::of_rendering(&error, self.limits.fuel))
    }

    fn try_render(&self, inputs: &Inputs) -> Result<String, minijinja::Error> {
        // The heap must outlive all values, so that it is what empties the containers.
        let heap = Heap::new(self.limits.memory + COPIES * size_of_inputs(inputs));
        let context = context(&heap, inputs)?;
        self.environment.get_template(NAME)?.render(context)
    }
}

/// All variables the template sees.
fn context(heap: &Arc<Heap>, inputs: &Inputs) -> Result<Value, minijinja::Error> {
    let optional = |json: &Option<Json>| from_json(heap, json.as_ref().unwrap_or(&Json::Null), 0);
    let mut variables = Vec::new();
    for (name, json) in &inputs.variables {
        variables.push((name.as_str(), from_json(heap, json, 0)?));
    }
    variables.push(("messages", from_json(heap, &inputs.messages, 0)?));
    variables.push(("tools", optional(&inputs.tools)?));
    variables.push(("documents", optional(&inputs.documents)?));
    variables.push(("add_generation_prompt", Value::from(inputs.add_generation_prompt)));
    let rendering = Rendering { heap: heap.clone(), now: inputs.now };
    variables.push((RENDERING_VARIABLE, Value::from_object(rendering)));
    Ok(Value::from_pairs(variables))
}

/// About how many bytes the inputs are long.
fn size_of_inputs(inputs: &Inputs) -> u64 {
    let given = [Some(&inputs.messages), inputs.tools.as_ref(), inputs.documents.as_ref()];
    given.into_iter().flatten().chain(inputs.variables.values()).map(|json| size(json, 0)).sum()
}

fn size(json: &Json, depth: usize) -> u64 {
    if depth > python::print::MAX_DEPTH {
        return 0;
    }
    match json {
        Json::Null | Json::Bool(_) | Json::Number(_) => 16,
        Json::String(text) => 16 + text.len() as u64,
        Json::Array(items) => items.iter().map(|item| 16 + size(item, depth + 1)).sum(),
        Json::Object(pairs) => {
            pairs.iter().map(|(key, value)| 32 + key.len() as u64 + size(value, depth + 1)).sum()
        }
    }
}

/// Compiles any bytes as a template and renders a small conversation with it, for the fuzzer.
#[doc(hidden)]
pub fn probe(data: &[u8]) {
    let source = String::from_utf8_lossy(data);
    let Ok(template) = Template::compile_within(PROBE_LIMITS, &source) else { return };
    let messages = serde_json::json!([
        {"role": "system", "content": "You are terse."},
        {"role": "user", "content": [{"type": "text", "text": "Hé llo\n<|im_end|>"}]},
        {"role": "assistant", "content": null, "thinking": "hm",
         "tool_calls": [{"id": "call_1", "type": "function",
                         "function": {"name": "f", "arguments": {"x": 1.5, "y": [true, -3]}}}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "42"},
    ]);
    let tool =
        serde_json::json!([{"type": "function", "function": {"name": "f", "parameters": {}}}]);
    let inputs = Inputs {
        messages,
        tools: Some(tool),
        documents: None,
        add_generation_prompt: true,
        variables: [("bos_token".to_owned(), "<s>".into())].into_iter().collect(),
        now: DateTime { year: 2026, month: 3, day: 14, hour: 9, minute: 26, second: 53 },
    };
    // Any outcome will do, as long as there is one.
    let _ = template.render(&inputs);
}

#[cfg(test)]
mod tests;
