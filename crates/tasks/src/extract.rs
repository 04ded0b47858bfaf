//! Fields of a document, filled in as a JSON schema says.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use turn::{Form, Reply, Token};

use crate::{Task, confidence, ended, probability, quoted};

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// JSON for which the schema holds.
    pub value: Value,
    /// How sure the model is of all of it, from 0 to 1.
    pub confidence: f64,
    /// How sure it is of each field at the top.
    pub fields: Vec<(String, f64)>,
}

/// What may stand in a field for which the schema asks for a text and says nothing else of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Texts {
    /// Words of the document, so that nothing is invented.
    Quoted,
    /// Anything, such as a summary.
    Free,
}

/// Asks for the fields of this schema.
///
/// # Errors
/// When it is no schema of an object with fields.
pub fn task(schema: &Value, text: &str, texts: Texts) -> Result<Task, String> {
    let fields = fields(schema)?;
    let text = text.trim();
    let prompt = format!(
        "Fill in the fields from the text, as JSON. Use null for what is not in the text.\n\n\
         Fields:\n{fields}\nText:\n{text}"
    );
    let mut whole = closed(schema);
    // A type that is not stated, or that allows more, would let the model say something else.
    whole["type"] = "object".into();
    let form = match texts {
        Texts::Quoted => Form::Quoting(whole, text.to_owned()),
        Texts::Free => Form::Schema(whole),
    };
    Ok(Task { prompt, form })
}

/// Reads a reply.
///
/// # Errors
/// When it is no JSON, as when it was cut off.
pub fn read(reply: &Reply) -> Result<Found, String> {
    ended(reply)?;
    let no_json = |error| format!("the reply is no object of JSON: {error}");
    let value: Value = serde_json::from_str(&reply.text).map_err(no_json)?;
    let parts: BTreeMap<String, &RawValue> = serde_json::from_str(&reply.text).map_err(no_json)?;
    let sure = |name: &String| {
        let raw = parts.get(name)?.get();
        let from = raw.as_ptr() as usize - reply.text.as_ptr() as usize;
        let to = from + raw.len();
        let is_inside = |token: &Token| token.end > from && token.start < to;
        Some((name.clone(), probability(reply, is_inside)))
    };
    let fields = value.as_object().into_iter().flat_map(Map::keys).filter_map(sure).collect();
    Ok(Found { value, confidence: confidence(reply), fields })
}

/// A line for each field.
fn fields(schema: &Value) -> Result<String, String> {
    let mut lines = String::new();
    let may_be_object = match &schema["type"] {
        Value::Null => true,
        Value::Array(names) => names.iter().any(|name| name == "object"),
        name => name == "object",
    };
    if !may_be_object || !list(schema, "", &mut lines) || lines.is_empty() {
        return Err("it must be a schema of an object with `properties`".to_owned());
    }
    Ok(lines)
}

fn list(schema: &Value, prefix: &str, lines: &mut String) -> bool {
    let Some(properties) = schema["properties"].as_object() else { return false };
    for (name, field) in properties {
        let name = format!("{prefix}{name}");
        if list(field, &format!("{name}."), lines) {
            continue;
        }
        let about = field["description"].as_str().unwrap_or_default().trim();
        let about = if about.is_empty() { String::new() } else { format!(", {about}") };
        lines.push_str(&format!("- {name}: {}{about}\n", kind(field)));
    }
    true
}

/// What stands in a field, in a few words.
fn kind(field: &Value) -> String {
    if let Some(values) = field["enum"].as_array() {
        let values = values.iter().filter(|value| !value.is_null()).map(Value::to_string);
        return format!("one of {}", values.collect::<Vec<_>>().join(", "));
    }
    let unions = ["anyOf", "oneOf"].iter().find_map(|key| field[*key].as_array());
    if let Some(one) = unions.and_then(|all| all.iter().find(|one| one["type"] != "null")) {
        return kind(one);
    }
    match type_of(field) {
        "string" if field["format"] == "date" => "date".to_owned(),
        "array" => format!("list of {}", kind(&field["items"])),
        "object" => {
            let parts = field["properties"].as_object().into_iter().flatten();
            let parts = parts.map(|(name, part)| format!("{}: {}", quoted(name), kind(part)));
            format!("{{{}}}", parts.collect::<Vec<_>>().join(", "))
        }
        name => name.to_owned(),
    }
}

fn type_of(field: &Value) -> &str {
    match &field["type"] {
        Value::String(name) => name,
        Value::Array(names) => {
            let names = names.iter().filter_map(Value::as_str);
            names.into_iter().find(|name| *name != "null").unwrap_or("null")
        }
        _ => "any",
    }
}

/// Words of a schema whose values say more about which fields there may be, so that nothing can be
/// closed beside them.
const OPEN: [&str; 6] = ["allOf", "if", "not", "patternProperties", "dependentSchemas", "$ref"];

/// The schema without fields that it does not name: a model should fill in, not invent.
fn closed(schema: &Value) -> Value {
    let Value::Object(map) = schema else { return schema.clone() };
    let mut map = map.clone();
    for (word, value) in &mut map {
        match (word.as_str(), value) {
            ("properties" | "$defs" | "definitions", Value::Object(parts)) => {
                parts.values_mut().for_each(|part| *part = closed(part));
            }
            ("prefixItems" | "anyOf" | "oneOf", Value::Array(parts)) => {
                parts.iter_mut().for_each(|part| *part = closed(part));
            }
            ("items", part) => *part = closed(part),
            _ => {}
        }
    }
    if map.contains_key("properties") && !OPEN.iter().any(|word| map.contains_key(*word)) {
        map.entry("additionalProperties").or_insert(false.into());
    }
    map.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_told_in_lines() {
        let schema = json!({ "type": "object", "properties": {
            "nr": { "type": "string", "description": "number of the invoice" },
            "total": { "type": ["number", "null"] },
            "due": { "type": "string", "format": "date" },
            "kind": { "enum": ["offer", "invoice", null] },
            "from": { "type": "object", "properties": { "city": { "type": "string" } } },
            "items": { "type": "array", "items": { "type": "object", "properties": {
                "name": { "type": "string" }, "n": { "type": "integer" } } } },
            "tags": { "type": "array", "items": { "type": "string" } },
            "maybe": { "anyOf": [{ "type": "null" }, { "type": "boolean" }] },
        } });
        let told = "- nr: string, number of the invoice\n- total: number\n- due: date\n\
                    - kind: one of \"offer\", \"invoice\"\n- from.city: string\n\
                    - items: list of {\"name\": string, \"n\": integer}\n- tags: list of string\n\
                    - maybe: boolean\n";
        assert_eq!(fields(&schema).unwrap(), told);
        let quoted = task(&schema, " x", Texts::Quoted).unwrap();
        assert!(quoted.prompt.ends_with("\nText:\nx"));
        let free = task(&schema, "x", Texts::Free).unwrap();
        assert_eq!(quoted.prompt, free.prompt);
        let Form::Schema(whole) = free.form else { panic!() };
        assert_eq!(quoted.form, Form::Quoting(whole, "x".to_owned()));
        let not_an_object = json!({ "type": "array", "properties": { "a": {} } });
        for wrong in
            [json!(true), json!({ "type": "string" }), json!({ "properties": {} }), not_an_object]
        {
            assert!(task(&wrong, "x", Texts::Free).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_schema_is_closed_where_that_changes_nothing_else() {
        let schema = json!({ "properties": {
            "properties": { "type": "string", "enum": [{ "properties": 1 }] },
            "items": { "type": "array", "items": { "properties": { "a": true } } },
            "both": { "allOf": [{ "properties": { "a": {} } }], "properties": { "b": {} } },
        } });
        let Form::Schema(whole) = task(&schema, "x", Texts::Free).unwrap().form else { panic!() };
        let mut expected = schema;
        expected["type"] = "object".into();
        expected["additionalProperties"] = false.into();
        expected["properties"]["items"]["items"]["additionalProperties"] = false.into();
        assert_eq!(whole, expected);
    }

    #[test]
    fn each_field_has_its_own_confidence() {
        let text = r#"{"a": "x", "b": 12}"#;
        let pieces = [
            (r#"{"a": ""#, 1.0),
            ("x", 0.5),
            (r#"", "#, 1.0),
            (r#""b": "#, 1.0),
            ("1", 0.25),
            ("2}", 1.0),
        ];
        let mut tokens = Vec::new();
        let mut start = 0;
        for (piece, p) in pieces {
            let end = start + piece.len();
            tokens.push(Token { start, end, logprob: f32::ln(p) });
            start = end;
        }
        let found = read(&Reply { text: text.to_owned(), tokens, ..Reply::default() }).unwrap();
        let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
        let [(a, of_a), (b, of_b)] = &found.fields[..] else { panic!() };
        assert!(a == "a" && near(*of_a, 0.5) && b == "b" && near(*of_b, 0.25));
        assert!(near(found.confidence, 0.125));
        assert!(read(&Reply { text: text[..9].to_owned(), ..Reply::default() }).is_err());
    }
}
