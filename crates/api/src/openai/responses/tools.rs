//! How `tools` and `tool_choice` spell functions here: name and schema stand beside the type. The
//! nested form of chat completions is read as well, and functions may belong to a namespace.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::Refusal;
use crate::fields::Fields;
use crate::offer::{NAME_BYTES, Offered, function_only};
use crate::openai::tools::{Spelling, is_function};

pub const FLAT: Spelling = Spelling { offered, named };

/// What else is said of functions: when a client's server shows them to a model, who may call them
/// there, and what they give.
const UNUSED: [&str; 3] = ["allowed_callers", "defer_loading", "output_schema"];

fn offered(fields: Fields, ignored: &mut Vec<String>) -> Result<Vec<Offered>, Refusal> {
    match fields.copy("type").is_some_and(|kind| kind == "namespace") {
        true => members(fields, ignored),
        false => Ok(function(fields, ignored)?.into_iter().collect()),
    }
}

fn function(mut fields: Fields, ignored: &mut Vec<String>) -> Result<Option<Offered>, Refusal> {
    if !is_function(&mut fields, ignored)? {
        return Ok(None);
    }
    let mut function = match fields.object("function")? {
        None => fields,
        Some(function) => {
            fields.finish()?;
            function
        }
    };
    let offered = Offered::read(&mut function, "parameters")?;
    UNUSED.iter().for_each(|name| function.ignore_once(name, ignored));
    function.finish()?;
    Ok(Some(offered))
}

/// The functions of a namespace, under the names by which the model calls them.
fn members(mut fields: Fields, ignored: &mut Vec<String>) -> Result<Vec<Offered>, Refusal> {
    let _ = fields.string("type")?;
    let space = fields.string("name")?;
    let space = fields.need("name", space)?;
    fields.ignore_once("description", ignored);
    let mut functions = Vec::new();
    let listed = fields.list("tools")?;
    for (path, value) in fields.need("tools", listed)? {
        let member = function(Fields::of_value(path, value)?, ignored)?;
        let Some(mut function) = member else { continue };
        function.name = called(Some(&space), &function.name);
        if function.name.len() > NAME_BYTES {
            let what = format!("has more than {NAME_BYTES} bytes with that of a function");
            return Err(fields.refusal("name", &what));
        }
        functions.push(function);
    }
    fields.finish()?;
    Ok(functions)
}

/// What a model calls a function, which may be of a namespace.
pub fn called(namespace: Option<&str>, name: &str) -> String {
    match namespace {
        None => name.to_owned(),
        Some(space) => format!("{}__{name}", space.trim_end_matches("__")),
    }
}

/// The functions of namespaces, by what a model calls them: their namespace and their name.
pub type Members = HashMap<String, (String, String)>;

/// Those in a list of tools, as it came.
pub fn members_of(tools: &Value) -> Members {
    let mut members = Members::new();
    for tool in tools.as_array().into_iter().flatten() {
        let (Some("namespace"), Some(space)) = (tool["type"].as_str(), tool["name"].as_str())
        else {
            continue;
        };
        for member in tool["tools"].as_array().into_iter().flatten() {
            let name = member["name"].as_str().or(member["function"]["name"].as_str());
            if let Some(name) = name {
                let both = (space.to_owned(), name.to_owned());
                members.insert(called(Some(space), name), both);
            }
        }
    }
    members
}

/// The name in `{"type": "function", "name": …}`.
fn named(mut fields: Fields) -> Result<String, Refusal> {
    function_only(&mut fields)?;
    let mut function = match fields.object("function")? {
        None => fields,
        Some(function) => {
            fields.finish()?;
            function
        }
    };
    let name = function.string("name")?;
    let name = function.need("name", name)?;
    function.finish()?;
    Ok(name)
}

/// A tool as replies repeat it.
pub fn flat(tool: Value) -> Value {
    match tool.get("function") {
        Some(Value::Object(function)) => {
            let mut flat = Map::new();
            flat.insert("type".to_owned(), "function".into());
            flat.extend(function.clone());
            flat.into()
        }
        _ => tool,
    }
}
