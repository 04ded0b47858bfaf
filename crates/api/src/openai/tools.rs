//! `tools` and `tool_choice`, and how chat completions spell the functions in them.

use serde_json::Value;
use turn::Form;

use crate::Refusal;
use crate::fields::Fields;
use crate::offer::{self, Choice, Offer, Offered, function_only};

/// Tools that OpenAI's servers run. Clients offer them to whatever server there is; a model here
/// has to do without. It needs no search among its tools: it is shown all of them.
const HOSTED: [&str; 6] = [
    "code_interpreter",
    "file_search",
    "image_generation",
    "tool_search",
    "web_search",
    "web_search_preview",
];

type Offering = fn(Fields, &mut Vec<String>) -> Result<Vec<Offered>, Refusal>;

/// How a way of asking spells functions.
pub struct Spelling {
    /// Reads the functions of a tool, or notes it as one that OpenAI's servers run.
    pub offered: Offering,
    /// Reads the name of one that may be called.
    pub named: fn(Fields) -> Result<String, Refusal>,
}

/// In an object beside the type.
pub const NESTED: Spelling = Spelling { offered, named };

/// Reads `tools`, `tool_choice` and `parallel_tool_calls`; the answer may have a form as well.
pub fn offer(
    fields: &mut Fields,
    spelling: &Spelling,
    answer: Option<Form>,
    ignored: &mut Vec<String>,
) -> Result<Offer, Refusal> {
    let tools = offer::tools(fields, |fields| (spelling.offered)(fields, ignored))?;
    let choice = choice(fields, spelling)?;
    let several = fields.flag("parallel_tool_calls")?;
    if several.is_some() && (tools.is_empty() || choice == Choice::None) {
        ignored.push("parallel_tool_calls".to_owned());
    }
    offer::offer(fields, tools, choice, (several, answer))
}

/// Whether a tool is a function; one of OpenAI's servers is noted, and others are refused.
pub fn is_function(fields: &mut Fields, ignored: &mut Vec<String>) -> Result<bool, Refusal> {
    let kind = fields.string("type")?;
    match fields.need("type", kind)?.as_str() {
        "function" => Ok(true),
        kind if HOSTED.contains(&kind) => {
            ignored.push(fields.path(kind));
            Ok(false)
        }
        kind => {
            let what = format!("is {kind:?}, but must be `function`: this server runs no tools");
            Err(fields.refusal("type", &what))
        }
    }
}

fn offered(mut fields: Fields, ignored: &mut Vec<String>) -> Result<Vec<Offered>, Refusal> {
    if !is_function(&mut fields, ignored)? {
        return Ok(Vec::new());
    }
    let function = fields.object("function")?;
    let mut function = fields.need("function", function)?;
    fields.finish()?;
    let offered = Offered::read(&mut function, "parameters")?;
    function.finish()?;
    Ok(vec![offered])
}

/// Reads `tool_choice`.
pub fn choice(fields: &mut Fields, spelling: &Spelling) -> Result<Choice, Refusal> {
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
        Some(value @ Value::Object(_)) => chosen(Fields::of_value(path, value)?, spelling),
        Some(_) => Err(Refusal::of(path, wrong)),
    }
}

fn chosen(mut choice: Fields, spelling: &Spelling) -> Result<Choice, Refusal> {
    if choice.copy("type").is_none_or(|kind| kind != "allowed_tools") {
        return (spelling.named)(choice).map(Choice::Named);
    }
    let _ = choice.take("type");
    match choice.object("allowed_tools")? {
        None => allowed(choice, spelling),
        Some(nested) => {
            choice.finish()?;
            allowed(nested, spelling)
        }
    }
}

fn allowed(mut fields: Fields, spelling: &Spelling) -> Result<Choice, Refusal> {
    let must = match fields.string("mode")?.as_deref() {
        Some("required") => true,
        Some("auto") => false,
        _ => return Err(fields.refusal("mode", "must be `auto` or `required`")),
    };
    let list = fields.list("tools")?;
    let list = fields.need("tools", list)?;
    if list.is_empty() {
        return Err(fields.refusal("tools", "must not be empty"));
    }
    let name = |(path, value)| (spelling.named)(Fields::of_value(path, value)?);
    let names = list.into_iter().map(name).collect::<Result<_, _>>()?;
    fields.finish()?;
    Ok(Choice::Allowed(names, must))
}

/// The name in `{"type": "function", "function": {"name": …}}`.
fn named(mut fields: Fields) -> Result<String, Refusal> {
    function_only(&mut fields)?;
    let function = fields.object("function")?;
    let mut function = fields.need("function", function)?;
    let name = function.string("name")?;
    let name = function.need("name", name)?;
    function.finish()?;
    fields.finish()?;
    Ok(name)
}
