//! Tools: which are offered, which may be called, and what a call must keep to. What dialects call
//! them differs; what they mean does not.

use std::collections::HashSet;

use serde_json::{Map, Value, json};
use turn::{Calls, Demand, Form, Tool};

use crate::Refusal;
use crate::fields::Fields;

/// Tools of one request. Each may come to stand in a grammar.
const TOOLS: usize = 512;
/// A tool's name is written by models, and into grammars.
pub const NAME_BYTES: usize = 128;

/// One tool of a request.
pub struct Offered {
    pub name: String,
    pub description: Option<String>,
    /// Without a schema a tool takes no arguments.
    pub parameters: Option<Value>,
    /// Calls must keep to the schema.
    pub strict: bool,
}

/// Who may be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    None,
    Auto,
    Required,
    /// These alone; and whether one must be.
    Allowed(Vec<String>, bool),
    Named(String),
}

/// What a request says about tools.
pub struct Offer {
    /// As templates take them.
    pub shown: Vec<Value>,
    /// What the reply must keep to.
    pub demand: Demand,
}

impl Offered {
    /// Reads a tool from an object in which these are the names of its parts. The caller finishes
    /// the object.
    pub fn read(fields: &mut Fields, schema: &str) -> Result<Offered, Refusal> {
        let name = fields.string("name")?;
        let name = fields.need("name", name)?;
        if name.is_empty() || name.len() > NAME_BYTES {
            return Err(fields.refusal("name", &format!("must have 1 to {NAME_BYTES} bytes")));
        }
        let description = fields.string("description")?;
        let parameters = fields.take(schema);
        if parameters.as_ref().is_some_and(|schema| !schema.is_object()) {
            return Err(fields.refusal(schema, "must be a JSON schema"));
        }
        let strict = fields.flag("strict")?.unwrap_or(false);
        Ok(Offered { name, description, parameters, strict })
    }

    /// As templates print it, in the order of OpenAI's documentation, from which they learned it.
    fn shown(&self) -> Value {
        let mut function = Map::new();
        function.insert("name".to_owned(), self.name.as_str().into());
        if let Some(description) = &self.description {
            function.insert("description".to_owned(), description.as_str().into());
        }
        // Without any it takes none; templates look for the list of them all the same.
        let none = || json!({ "type": "object", "properties": {} });
        let parameters = self.parameters.clone().unwrap_or_else(none);
        function.insert("parameters".to_owned(), parameters);
        json!({ "type": "function", "function": function })
    }
}

/// Refuses every type but `function`, which need not be written.
pub fn function_only(fields: &mut Fields) -> Result<(), Refusal> {
    match fields.string("type")?.as_deref() {
        None | Some("function") => Ok(()),
        Some(_) => Err(fields.refusal("type", "must be `function`")),
    }
}

/// Reads the list of tools, with the functions of each, if it has any; no two have one name.
pub fn tools<Functions: IntoIterator<Item = Offered>>(
    fields: &mut Fields,
    mut read: impl FnMut(Fields) -> Result<Functions, Refusal>,
) -> Result<Vec<Offered>, Refusal> {
    let listed = fields.list("tools")?.unwrap_or_default();
    let many = fields.refusal("tools", &format!("has more than {TOOLS} tools"));
    if listed.len() > TOOLS {
        return Err(many);
    }
    let (mut tools, mut names) = (Vec::new(), HashSet::new());
    for (path, value) in listed {
        for offered in read(Fields::of_value(path.clone(), value)?)? {
            if !names.insert(offered.name.clone()) {
                let what = format!("has the name of another: {}", offered.name);
                return Err(Refusal::of(path, &what));
            }
            tools.push(offered);
        }
    }
    if tools.len() > TOOLS { Err(many) } else { Ok(tools) }
}

/// What follows from the tools, the choice among them, and whether several may be called at once.
pub fn offer(
    fields: &Fields,
    tools: Vec<Offered>,
    choice: Choice,
    (several, answer): (Option<bool>, Option<Form>),
) -> Result<Offer, Refusal> {
    if tools.is_empty() && !matches!(choice, Choice::None | Choice::Auto) {
        return Err(fields.refusal("tool_choice", "asks for a call, but there are no `tools`"));
    }
    // Where none may be called the model is shown none: it would only be tempted.
    if tools.is_empty() || matches!(choice, Choice::None) {
        let demand = Demand { answer, ..Demand::default() };
        return Ok(Offer { shown: Vec::new(), demand });
    }
    // A model that may call is left alone unless something is promised about its calls: that they
    // keep to a schema, that there is one at most, or that the answer beside them has a form. The
    // calls that it writes by itself are read all the same.
    let strict = tools.iter().any(|tool| tool.strict);
    let promised = answer.is_some() || several == Some(false) || strict;
    let named = matches!(choice, Choice::Named(_));
    let calls = match &choice {
        Choice::Required | Choice::Named(_) | Choice::Allowed(_, true) => Calls::Must,
        Choice::Allowed(..) => Calls::May,
        _ if promised => Calls::May,
        _ => Calls::None,
    };
    let shown = tools.iter().map(Offered::shown).collect();
    let tool = |offered: Offered| Tool {
        name: offered.name,
        parameters: offered.parameters.unwrap_or(Value::Null),
        strict: offered.strict,
    };
    let all = tools.into_iter().map(tool).collect();
    let tools = match choice {
        Choice::Named(name) => only(fields, all, &[name])?,
        Choice::Allowed(names, _) => only(fields, all, &names)?,
        _ => all,
    };
    // One call answers a demand; a small model might go on for ever where more are allowed.
    let several = several.unwrap_or(calls != Calls::Must) && !named;
    Ok(Offer { shown, demand: Demand { answer, calls, tools, several } })
}

/// The tools of these names.
fn only(fields: &Fields, all: Vec<Tool>, names: &[String]) -> Result<Vec<Tool>, Refusal> {
    if let Some(name) = names.iter().find(|name| !all.iter().any(|tool| tool.name == **name)) {
        let what = format!("names {name:?}, which is not one of the `tools`");
        return Err(fields.refusal("tool_choice", &what));
    }
    Ok(all.into_iter().filter(|tool| names.contains(&tool.name)).collect())
}
