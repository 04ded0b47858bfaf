//! How `tools` and `tool_choice` spell functions here: name and schema stand beside the type. The
//! nested form of chat completions is read as well.

use serde_json::{Map, Value};

use crate::Refusal;
use crate::fields::Fields;
use crate::offer::{Offered, function_only};
use crate::openai::tools::Spelling;

pub const FLAT: Spelling = Spelling { offered, named };

fn offered(mut fields: Fields) -> Result<Offered, Refusal> {
    let kind = fields.string("type")?;
    let kind = fields.need("type", kind)?;
    if kind != "function" {
        let what = format!("is {kind:?}, but must be `function`: this server runs no tools");
        return Err(fields.refusal("type", &what));
    }
    let Some(mut function) = fields.object("function")? else {
        let offered = Offered::read(&mut fields, "parameters")?;
        fields.finish()?;
        return Ok(offered);
    };
    fields.finish()?;
    let offered = Offered::read(&mut function, "parameters")?;
    function.finish()?;
    Ok(offered)
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
