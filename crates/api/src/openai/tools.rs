//! Tools: which are offered, which may be called, and what a call must keep to.

use serde_json::{Map, Value, json};
use turn::{Calls, Demand, Tool};

use super::messages::function_only;
use crate::Refusal;
use crate::fields::Fields;

/// A tool's name is written by models, and into grammars.
const NAME_BYTES: usize = 128;

/// What a request says about tools.
pub struct Offer {
    /// As templates take them.
    pub shown: Vec<Value>,
    /// What calls must keep to; the answer's form is for others to add.
    pub demand: Demand,
}

/// One tool of a request.
struct Offered {
    tool: Tool,
    shown: Value,
    strict: bool,
}

/// Who may be called.
enum Choice {
    None,
    Auto,
    Required,
    /// These alone; and whether one must be.
    Allowed(Vec<String>, bool),
    Named(String),
}

/// Reads `tools`, `tool_choice` and `parallel_tool_calls`. With `formed` the answer has a form.
pub fn offer(
    fields: &mut Fields,
    formed: bool,
    ignored: &mut Vec<String>,
) -> Result<Offer, Refusal> {
    let tools = tools(fields)?;
    let choice = choice(fields)?;
    let several = fields.flag("parallel_tool_calls")?;
    if tools.is_empty() && !matches!(choice, Choice::None | Choice::Auto) {
        return Err(fields.refusal("tool_choice", "asks for a call, but there are no `tools`"));
    }
    // Where none may be called the model is shown none: it would only be tempted.
    if tools.is_empty() || matches!(choice, Choice::None) {
        ignored.extend(several.map(|_| "parallel_tool_calls".to_owned()));
        return Ok(Offer { shown: Vec::new(), demand: Demand::default() });
    }
    // A model that may call is left alone unless something is promised about its calls: that they
    // keep to a schema, that there is one at most, or that the answer beside them has a form. The
    // calls that it writes by itself are read all the same.
    let promised = formed || several == Some(false) || tools.iter().any(|tool| tool.strict);
    let named = matches!(choice, Choice::Named(_));
    let calls = match &choice {
        Choice::Required | Choice::Named(_) | Choice::Allowed(_, true) => Calls::Must,
        Choice::Allowed(..) => Calls::May,
        _ if promised => Calls::May,
        _ => Calls::None,
    };
    let shown = tools.iter().map(|offered| offered.shown.clone()).collect();
    let all = tools.into_iter().map(|offered| offered.tool).collect();
    let tools = match choice {
        Choice::Named(name) => only(fields, all, &[name])?,
        Choice::Allowed(names, _) => only(fields, all, &names)?,
        _ => all,
    };
    // One call answers a demand; a small model might go on for ever where more are allowed.
    let several = several.unwrap_or(calls != Calls::Must) && !named;
    Ok(Offer { shown, demand: Demand { answer: None, calls, tools, several } })
}

/// The tools of these names.
fn only(fields: &Fields, all: Vec<Tool>, names: &[String]) -> Result<Vec<Tool>, Refusal> {
    if let Some(name) = names.iter().find(|name| !all.iter().any(|tool| tool.name == **name)) {
        let what = format!("names {name:?}, which is not one of the `tools`");
        return Err(fields.refusal("tool_choice", &what));
    }
    Ok(all.into_iter().filter(|tool| names.contains(&tool.name)).collect())
}

fn tools(fields: &mut Fields) -> Result<Vec<Offered>, Refusal> {
    let mut tools: Vec<Offered> = Vec::new();
    for (path, value) in fields.list("tools")?.unwrap_or_default() {
        let offered = offered(Fields::of_value(path.clone(), value)?)?;
        if tools.iter().any(|known| known.tool.name == offered.tool.name) {
            return Err(Refusal::of(
                path,
                &format!("has the name of another: {}", offered.tool.name),
            ));
        }
        tools.push(offered);
    }
    Ok(tools)
}

fn offered(mut fields: Fields) -> Result<Offered, Refusal> {
    let kind = fields.string("type")?;
    let kind = fields.need("type", kind)?;
    if kind != "function" {
        return Err(fields.refusal("type", "must be `function`"));
    }
    let function = fields.object("function")?;
    let mut function = fields.need("function", function)?;
    fields.finish()?;
    let name = function.string("name")?;
    let name = function.need("name", name)?;
    if name.is_empty() || name.len() > NAME_BYTES {
        return Err(function.refusal("name", &format!("must have 1 to {NAME_BYTES} bytes")));
    }
    let description = function.string("description")?;
    let parameters = function.take("parameters");
    if parameters.as_ref().is_some_and(|schema| !schema.is_object()) {
        return Err(function.refusal("parameters", "must be a JSON schema"));
    }
    let strict = function.flag("strict")?.unwrap_or(false);
    function.finish()?;
    let shown = shown(&name, description, parameters.as_ref());
    // Without a schema a tool takes no arguments.
    let tool = Tool { name, parameters: parameters.unwrap_or(Value::Null) };
    Ok(Offered { tool, shown, strict })
}

/// A tool as templates print it, in the order of OpenAI's documentation.
fn shown(name: &str, description: Option<String>, parameters: Option<&Value>) -> Value {
    let mut function = Map::new();
    function.insert("name".to_owned(), name.into());
    if let Some(description) = description {
        function.insert("description".to_owned(), description.into());
    }
    if let Some(parameters) = parameters {
        function.insert("parameters".to_owned(), parameters.clone());
    }
    json!({ "type": "function", "function": function })
}

fn choice(fields: &mut Fields) -> Result<Choice, Refusal> {
    let path = fields.path("tool_choice");
    let wrong = "must be none, auto, required, or an object that names functions";
    match fields.take("tool_choice") {
        None => Ok(Choice::Auto),
        Some(Value::String(word)) => match word.as_str() {
            "none" => Ok(Choice::None),
            "auto" => Ok(Choice::Auto),
            "required" => Ok(Choice::Required),
            _ => Err(Refusal::of(path, wrong)),
        },
        Some(value @ Value::Object(_)) => {
            let mut choice = Fields::of_value(path, value)?;
            let chosen = match choice.object("allowed_tools")? {
                None => Choice::Named(named(&mut choice)?),
                Some(allowed) if choice.string("type")?.as_deref() == Some("allowed_tools") => {
                    self::allowed(allowed)?
                }
                Some(_) => return Err(choice.refusal("type", "must be `allowed_tools`")),
            };
            choice.finish()?;
            Ok(chosen)
        }
        Some(_) => Err(Refusal::of(path, wrong)),
    }
}

fn allowed(mut fields: Fields) -> Result<Choice, Refusal> {
    let must = match fields.string("mode")?.as_deref() {
        Some("required") => true,
        Some("auto") => false,
        _ => return Err(fields.refusal("mode", "must be `auto` or `required`")),
    };
    let list = fields.list("tools")?;
    let mut names = Vec::new();
    for (path, value) in fields.need("tools", list)? {
        let mut tool = Fields::of_value(path, value)?;
        names.push(named(&mut tool)?);
        tool.finish()?;
    }
    if names.is_empty() {
        return Err(fields.refusal("tools", "must not be empty"));
    }
    fields.finish()?;
    Ok(Choice::Allowed(names, must))
}

/// The name in `{"type": "function", "function": {"name": …}}`.
fn named(fields: &mut Fields) -> Result<String, Refusal> {
    function_only(fields)?;
    let function = fields.object("function")?;
    let mut function = fields.need("function", function)?;
    let name = function.string("name")?;
    let name = function.need("name", name)?;
    function.finish()?;
    Ok(name)
}
