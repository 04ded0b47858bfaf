//! The form that an answer must have: OpenAI's `response_format`, and the fields of vLLM's clients.

use serde_json::{Value, json};
use turn::Form;

use crate::Refusal;
use crate::fields::Fields;

/// Reads the form of the answer from whichever field states it.
pub fn form(fields: &mut Fields) -> Result<Option<Form>, Refusal> {
    let mut stated = None;
    if let Some(mut format) = fields.object("response_format")? {
        stated = response_format(&mut format)?;
        format.finish()?;
    }
    only(fields, "response_format", stated)
}

/// The form that a field of this name has stated, or one that clients of vLLM state.
pub fn only(
    fields: &mut Fields,
    name: &str,
    stated: Option<Form>,
) -> Result<Option<Form>, Refusal> {
    let mut forms: Vec<_> = stated.into_iter().collect();
    if let Some(mut outputs) = fields.object("structured_outputs")? {
        forms.extend(written(&mut outputs, "")?);
        outputs.finish()?;
    }
    forms.extend(written(fields, "guided_")?);
    match forms.len() {
        0 | 1 => Ok(forms.pop()),
        _ => Err(fields.refusal(name, "and its like may be given once only")),
    }
}

/// Reads the `format` of `text`, in which a schema stands beside its type.
pub fn text_format(mut format: Fields) -> Result<Option<Form>, Refusal> {
    if format.copy("type").is_some_and(|kind| kind == "json_schema") {
        let _ = format.take("type");
        return json_schema(format).map(Some);
    }
    let form = response_format(&mut format)?;
    format.finish()?;
    Ok(form)
}

fn response_format(format: &mut Fields) -> Result<Option<Form>, Refusal> {
    let kind = format.string("type")?;
    match format.need("type", kind)?.as_str() {
        "text" => Ok(None),
        "json_object" => {
            // Clients of llama.cpp and others write a schema beside it.
            let schema = format.take("schema");
            let form = schema_of(format, "schema", schema)?;
            Ok(form.or_else(|| Some(Form::Schema(json!({ "type": "object" })))))
        }
        "json_schema" => {
            let named = format.object("json_schema")?;
            json_schema(format.need("json_schema", named)?).map(Some)
        }
        _ => Err(format.refusal("type", "must be text, json_object or json_schema")),
    }
}

/// A schema is kept to whether `strict` or not.
fn json_schema(mut named: Fields) -> Result<Form, Refusal> {
    let (_, _, _) = (named.string("name")?, named.string("description")?, named.flag("strict")?);
    let schema = named.take("schema");
    let form = schema_of(&named, "schema", schema)?;
    let form = named.need("schema", form)?;
    named.finish()?;
    Ok(form)
}

/// Forms as vLLM writes them, in fields with this prefix.
fn written(fields: &mut Fields, prefix: &str) -> Result<Vec<Form>, Refusal> {
    let name = |kind: &str| format!("{prefix}{kind}");
    let schema = match fields.take(&name("json")) {
        // Some write the schema's text.
        Some(Value::String(text)) => match crate::json::parse(text.as_bytes()) {
            Ok(schema) => Some(schema),
            Err(_) => return Err(fields.refusal(&name("json"), "must be a JSON schema")),
        },
        other => other,
    };
    let schema = schema_of(fields, &name("json"), schema)?;
    let regex = fields.string(&name("regex"))?.map(Form::Regex);
    let grammar = fields.string(&name("grammar"))?.map(Form::Grammar);
    let choice = choices(fields, &name("choice"))?;
    Ok([schema, regex, grammar, choice].into_iter().flatten().collect())
}

fn schema_of(fields: &Fields, name: &str, schema: Option<Value>) -> Result<Option<Form>, Refusal> {
    match schema {
        None => Ok(None),
        Some(schema @ (Value::Object(_) | Value::Bool(_))) => Ok(Some(Form::Schema(schema))),
        Some(_) => Err(fields.refusal(name, "must be a JSON schema")),
    }
}

fn choices(fields: &mut Fields, name: &str) -> Result<Option<Form>, Refusal> {
    let Some(list) = fields.list(name)? else { return Ok(None) };
    let text = |(path, value)| match value {
        Value::String(text) => Ok(text),
        _ => Err(Refusal::of(path, "must be a string")),
    };
    let texts: Vec<String> = list.into_iter().map(text).collect::<Result<_, _>>()?;
    match texts.is_empty() {
        true => Err(fields.refusal(name, "must not be empty")),
        false => Ok(Some(Form::Choice(texts))),
    }
}
