//! Fields of a document, filled in as a JSON schema says.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use turn::{Form, Reply, Token};

use crate::schema::{closed, required_and_unknown, told, unfolded};
use crate::{Task, confidence, ended, probability};

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// JSON for which the schema holds, without idle space. Numbers have all digits that the model
    /// wrote.
    pub json: String,
    /// The same, read: of long numbers it has what an f64 has.
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
    let schema = &unfolded(schema);
    let fields = told(schema)?;
    if let Some(name) = required_and_unknown(schema) {
        return Err(format!("it requires {name:?}, which is none of its `properties`"));
    }
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
    Ok(Found { json: dense(&reply.text), value, confidence: confidence(reply), fields })
}

/// JSON without the spaces between its signs.
fn dense(json: &str) -> String {
    let (mut in_text, mut escaped) = (false, false);
    let mut is_wanted = |c: char| {
        let is_end = c == '"' && !escaped;
        escaped = in_text && c == '\\' && !escaped;
        in_text ^= is_end;
        in_text || !c.is_ascii_whitespace()
    };
    json.chars().filter(|c| is_wanted(*c)).collect()
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
        assert_eq!(crate::schema::told(&schema).unwrap(), told);
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
        let slip = json!({ "properties": { "a": { "type": "array", "items": {
            "properties": { "b": {} }, "required": ["b", "c"] } } } });
        let error = task(&slip, "x", Texts::Quoted).unwrap_err();
        assert_eq!(error, "it requires \"c\", which is none of its `properties`");
        let open = json!({ "properties": { "a": {} }, "required": ["b"],
            "allOf": [{ "properties": { "b": {} } }] });
        assert!(task(&open, "x", Texts::Quoted).is_ok());
    }

    #[test]
    fn numbers_keep_their_digits() {
        let text = r#"{"a": 9400111899223197428490, "b": "c: \" , d\\", "e": [1, 2.50]}"#;
        let found = read(&Reply { text: text.to_owned(), ..Reply::default() }).unwrap();
        let dense = r#"{"a":9400111899223197428490,"b":"c: \" , d\\","e":[1,2.50]}"#;
        assert_eq!(found.json, dense);
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
