//! How `tools` and `tool_choice` spell functions here: name and schema stand beside the type. The
//! nested form of chat completions is read as well.

use serde_json::{Map, Value};

use crate::Refusal;
use crate::fields::Fields;
use crate::offer::{Offered, function_only};
use crate::openai::tools::{Spelling, is_function};

pub const FLAT: Spelling = Spelling { offered, named };

fn offered(mut fields: Fields, ignored: &mut Vec<String>) -> Result<Option<Offered>, Refusal> {
    if !is_function(&mut fields, ignored)? {
        return Ok(None);
    }
    let Some(mut function) = fields.object("function")? else {
        let offered = Offered::read(&mut fields, "parameters")?;
        fields.finish()?;
        return Ok(Some(offered));
    };
    fields.finish()?;
    let offered = Offered::read(&mut function, "parameters")?;
    function.finish()?;
    Ok(Some(offered))
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
