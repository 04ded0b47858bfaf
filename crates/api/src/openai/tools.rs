//! `tools` and `tool_choice` as chat completions have them.

use serde_json::Value;
use turn::Form;

use super::messages::function_only;
use crate::Refusal;
use crate::fields::Fields;
use crate::offer::{self, Choice, Offer, Offered};

/// Reads `tools`, `tool_choice` and `parallel_tool_calls`; the answer may have a form as well.
pub fn offer(
    fields: &mut Fields,
    answer: Option<Form>,
    ignored: &mut Vec<String>,
) -> Result<Offer, Refusal> {
    let tools = offer::tools(fields, offered)?;
    let choice = choice(fields)?;
    let several = fields.flag("parallel_tool_calls")?;
    if several.is_some() && (tools.is_empty() || choice == Choice::None) {
        ignored.push("parallel_tool_calls".to_owned());
    }
    offer::offer(fields, tools, choice, (several, answer))
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
    let offered = Offered::read(&mut function, "parameters")?;
    function.finish()?;
    Ok(offered)
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
