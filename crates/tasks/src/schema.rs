//! What a JSON schema says of the fields of an object: told to a model in lines, and closed, so
//! that it fills in and does not invent.

use std::cell::RefCell;

use serde_json::{Map, Value};

use crate::quoted;

/// The schema; where it only refers to a part of itself, that part with all definitions.
pub(crate) fn unfolded(schema: &Value) -> Value {
    let mut meant = Teller::of(schema).meant(schema).clone();
    if let (Value::Object(meant), Value::Object(root)) = (&mut meant, schema) {
        for word in DEFINITIONS {
            meant.extend(root.get(word).map(|parts| (word.to_owned(), parts.clone())));
        }
    }
    meant
}

/// A line for each field.
///
/// # Errors
/// When it is no schema of an object with fields.
pub(crate) fn told(schema: &Value) -> Result<String, String> {
    let mut lines = String::new();
    let may_be_object = match &schema["type"] {
        Value::Null => true,
        Value::Array(names) => names.iter().any(|name| name == "object"),
        name => name == "object",
    };
    if !may_be_object || !Teller::of(schema).list(schema, "", &mut lines) || lines.is_empty() {
        return Err("it must be a schema of an object with `properties`".to_owned());
    }
    Ok(lines)
}

/// A field that is required and not told of anywhere, as by a slip of the pen: whatever came for it
/// would be invented.
pub(crate) fn required_and_unknown(schema: &Value) -> Option<&str> {
    let map = schema.as_object()?;
    let inner = map.iter().find_map(|(word, value)| match (word.as_str(), value) {
        ("properties" | "$defs" | "definitions", Value::Object(parts)) => {
            parts.values().find_map(required_and_unknown)
        }
        ("items", part) => required_and_unknown(part),
        _ => None,
    });
    let elsewhere = voices(map) > 1 || has_any(map, &CONDITIONS);
    let fields = map.get("properties").and_then(Value::as_object);
    let fields = fields.filter(|_| !elsewhere && !map.contains_key("patternProperties"));
    let unknown = |name: &&str| fields.is_some_and(|fields| !fields.contains_key(*name));
    let required = map.get("required").and_then(Value::as_array).into_iter().flatten();
    inner.or_else(|| required.filter_map(Value::as_str).find(unknown))
}

const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];

/// Words beside which a reference is not all that a part says.
const BESIDE: [&str; 10] = [
    "properties",
    "required",
    "patternProperties",
    "additionalProperties",
    "enum",
    "const",
    "items",
    "anyOf",
    "oneOf",
    "not",
];

/// References within references that are followed, which may lead in a circle, and levels of fields
/// that are told.
const DEEPEST: usize = 8;

/// Tells what stands in fields.
struct Teller<'a> {
    /// What parts of the schema refer to.
    root: &'a Value,
    /// The parts that are being told: a schema may refer to itself.
    open: RefCell<Vec<*const Value>>,
}

impl<'a> Teller<'a> {
    fn of(root: &'a Value) -> Teller<'a> {
        Teller { root, open: RefCell::default() }
    }

    /// What a part says, or what it refers to where it says nothing else.
    fn meant(&self, part: &'a Value) -> &'a Value {
        let mut part = part;
        for _ in 0..DEEPEST {
            let Value::Object(map) = part else { break };
            let all = map.get("allOf").and_then(Value::as_array);
            let to = map.get("$ref").and_then(Value::as_str);
            let next = match (to, all.map(Vec::as_slice)) {
                _ if BESIDE.iter().any(|word| map.contains_key(*word)) => None,
                (Some(to), None) => to.strip_prefix('#').and_then(|at| self.root.pointer(at)),
                (None, Some([one])) => Some(one),
                _ => None,
            };
            match next {
                Some(next) => part = next,
                None => break,
            }
        }
        part
    }

    /// Tells of a part, but not while it is told already.
    fn within<T>(&self, part: &Value, tell: impl FnOnce() -> T) -> Option<T> {
        let place: *const Value = part;
        let is_open = self.open.borrow().contains(&place);
        if is_open || self.open.borrow().len() == DEEPEST {
            return None;
        }
        self.open.borrow_mut().push(place);
        let told = tell();
        self.open.borrow_mut().pop();
        Some(told)
    }

    /// A line for each field of an object, if it is one.
    fn list(&self, schema: &'a Value, prefix: &str, lines: &mut String) -> bool {
        let Some(properties) = schema["properties"].as_object() else { return false };
        let listed = self.within(schema, || {
            for (name, field) in properties {
                let (name, meant) = (format!("{prefix}{name}"), self.meant(field));
                if self.list(meant, &format!("{name}."), lines) {
                    continue;
                }
                let abouts =
                    [field, meant].map(|said| said["description"].as_str().unwrap_or_default());
                let about = abouts.map(str::trim).into_iter().find(|about| !about.is_empty());
                let about = about.map_or_else(String::new, |about| format!(", {about}"));
                lines.push_str(&format!("- {name}: {}{about}\n", self.kind(meant)));
            }
        });
        listed.is_some()
    }

    /// What stands in a field, in a few words.
    fn kind(&self, field: &'a Value) -> String {
        let field = self.meant(field);
        let plain = || type_of(field).to_owned();
        if let Some(values) = field["enum"].as_array() {
            let values = values.iter().filter(|value| !value.is_null()).map(Value::to_string);
            return format!("one of {}", values.collect::<Vec<_>>().join(", "));
        }
        let unions = ["anyOf", "oneOf"].iter().find_map(|key| field[*key].as_array());
        if let Some(one) = unions.and_then(|all| all.iter().find(|one| one["type"] != "null")) {
            return self.within(field, || self.kind(one)).unwrap_or_else(plain);
        }
        match type_of(field) {
            "string" if field["format"] == "date" => "date".to_owned(),
            "array" => {
                let items = self.within(field, || self.kind(&field["items"]));
                items.map_or_else(plain, |items| format!("list of {items}"))
            }
            "object" => {
                let parts = field["properties"].as_object().into_iter().flatten();
                let told = self.within(field, || {
                    let parts =
                        parts.map(|(name, part)| format!("{}: {}", quoted(name), self.kind(part)));
                    parts.collect::<Vec<_>>().join(", ")
                });
                told.map_or_else(plain, |parts| format!("{{{parts}}}"))
            }
            name => name.to_owned(),
        }
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

/// The schema without fields that it does not name.
pub(crate) fn closed(schema: &Value) -> Value {
    without_others(schema, !combines_references(schema))
}

/// Closes the objects of which one word alone says what fields there are; definitions only where
/// none of them can be one voice of several.
fn without_others(schema: &Value, definitions: bool) -> Value {
    let Value::Object(map) = schema else { return schema.clone() };
    let is_alone = voices(map) <= 1 && !has_any(map, &CONDITIONS);
    let close = |part: &mut Value| *part = without_others(part, definitions);
    let mut map = map.clone();
    for (word, value) in &mut map {
        match (word.as_str(), value) {
            ("properties", Value::Object(parts)) => parts.values_mut().for_each(close),
            ("$defs" | "definitions", Value::Object(parts)) if definitions => {
                parts.values_mut().for_each(close);
            }
            ("anyOf" | "oneOf" | "allOf", Value::Array(parts)) if is_alone => {
                parts.iter_mut().for_each(close);
            }
            ("prefixItems", Value::Array(parts)) => parts.iter_mut().for_each(close),
            ("items", part) => close(part),
            _ => {}
        }
    }
    let are_named = |fields: &Map<String, Value>| {
        let required = map.get("required").and_then(Value::as_array).into_iter().flatten();
        required.filter_map(Value::as_str).all(|name| fields.contains_key(name))
    };
    let is_plain = is_alone && !map.contains_key("patternProperties");
    if is_plain && map.get("properties").and_then(Value::as_object).is_some_and(are_named) {
        let others = map.entry("additionalProperties").or_insert(true.into());
        if *others == true {
            *others = false.into();
        }
    }
    map.into()
}

/// Words that say which fields there are under conditions.
const CONDITIONS: [&str; 4] = ["if", "not", "dependentSchemas", "dependencies"];

fn has_any(part: &Map<String, Value>, words: &[&str]) -> bool {
    words.iter().any(|word| part.contains_key(*word))
}

/// How many words of a part say which fields there are. A union that only says which must be there
/// is none.
fn voices(part: &Map<String, Value>) -> usize {
    let only_requires =
        |one: &Value| one.as_object().is_some_and(|one| one.keys().all(|word| word == "required"));
    let union = |word: &&str| match part.get(*word) {
        Some(Value::Array(parts)) => !parts.iter().all(only_requires),
        parts => parts.is_some(),
    };
    let own = has_any(part, &["properties", "required", "patternProperties"]);
    let unions = ["anyOf", "oneOf"].iter().filter(|word| union(word)).count();
    let all = part.get("allOf").map_or(0, |parts| parts.as_array().map_or(1, Vec::len));
    usize::from(own) + unions + usize::from(part.contains_key("$ref")) + all
}

/// Whether a reference is one of several voices somewhere: what it refers to may not be closed.
fn combines_references(schema: &Value) -> bool {
    let Value::Object(map) = schema else { return false };
    let inner = map.iter().any(|(word, value)| match (word.as_str(), value) {
        ("properties" | "$defs" | "definitions", Value::Object(parts)) => {
            parts.values().any(combines_references)
        }
        ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(parts)) => {
            parts.iter().any(combines_references)
        }
        ("items", part) => combines_references(part),
        _ => false,
    });
    let speaks = |word: &str| {
        matches!(word, "$ref" | "anyOf" | "oneOf" | "allOf" | "then" | "else")
            || CONDITIONS.contains(&word)
    };
    let combined = voices(map) > 1 || has_any(map, &CONDITIONS);
    let refers = |(word, value): (&String, &Value)| {
        word == "$ref" || (speaks(word) && value.to_string().contains("\"$ref\""))
    };
    inner || (combined && map.iter().any(refers))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use turn::Form;

    use super::*;
    use crate::Task;
    use crate::extract::{Texts, task};

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
    fn where_several_words_name_fields_nothing_is_closed() {
        let kinds = json!([{ "properties": { "a": {} } }, { "properties": { "b": {} } }]);
        let schemas = [
            json!({ "properties": { "c": {} }, "oneOf": kinds }),
            json!({ "properties": { "c": {} }, "required": ["d"] }),
            json!({ "properties": { "c": { "allOf": [{ "$ref": "#/$defs/d" }, kinds[0]] } },
                "additionalProperties": false, "$defs": { "d": { "properties": { "e": {} } } } }),
        ];
        for schema in schemas {
            assert_eq!(closed(&schema), schema);
        }
        let alone =
            json!({ "properties": { "c": { "anyOf": kinds } }, "additionalProperties": true });
        let closed = closed(&alone);
        assert_eq!(closed["additionalProperties"], false);
        assert_eq!(closed["properties"]["c"]["anyOf"][1]["additionalProperties"], false);
    }

    /// As Pydantic writes them.
    #[test]
    fn what_a_field_refers_to_is_told() {
        let schema = json!({ "$ref": "#/$defs/Order", "$defs": {
            "Order": { "type": "object", "properties": {
                "state": { "$ref": "#/$defs/State", "description": "how far it is" },
                "buyer": { "allOf": [{ "$ref": "#/$defs/Person" }] },
                "part_of": { "anyOf": [{ "$ref": "#/$defs/Order" }, { "type": "null" }] },
                "round": { "$ref": "#/$defs/Round" },
            } },
            "State": { "type": "string", "enum": ["open", "sent"], "description": "a state" },
            "Person": { "type": "object", "properties": { "name": { "type": "string" } } },
            "Round": { "$ref": "#/$defs/Round" },
        } });
        let Task { prompt, form } = task(&schema, "x", Texts::Free).unwrap();
        let (_, told) = prompt.split_once("Fields:\n").unwrap();
        let begin =
            "- state: one of \"open\", \"sent\", how far it is\n- buyer.name: string\n- part_of: {";
        assert!(told.starts_with(begin), "{told}");
        assert!(told.ends_with("- round: any\n\nText:\nx"), "{told}");
        assert!(told.len() < 2000, "{told}");
        let Form::Schema(whole) = form else { panic!() };
        assert_eq!(whole["type"], "object");
        assert_eq!(whole["$defs"]["Person"]["additionalProperties"], false);
        assert_eq!(whole["properties"]["state"], schema["$defs"]["Order"]["properties"]["state"]);
    }

    #[test]
    fn what_a_part_says_beside_a_reference_is_kept() {
        let base = json!({ "type": "object", "properties": { "b": { "type": "string" } } });
        for beside in [
            json!({ "properties": { "a": {} }, "required": ["a"], "$defs": { "base": base },
                "allOf": [{ "$ref": "#/$defs/base" }] }),
            json!({ "properties": { "a": {} }, "$ref": "#/$defs/base", "$defs": { "base": base } }),
            json!({ "properties": { "a": {} }, "allOf": [{ "required": ["a"] }] }),
        ] {
            assert_eq!(unfolded(&beside), beside);
            assert_eq!(told(&beside).unwrap(), "- a: any\n");
            assert_eq!(closed(&beside), beside);
        }
    }

    #[test]
    fn only_references_among_several_words_leave_definitions_open() {
        let definition = json!({ "type": "object", "properties": { "b": {} } });
        let with = |field: Value| {
            let schema = json!({ "properties": { "a": field, "c": { "$ref": "#/$defs/d" } },
                "$defs": { "d": definition } });
            closed(&schema)["$defs"]["d"]["additionalProperties"] == false
        };
        assert!(with(json!({ "patternProperties": { "^x": {} } })));
        assert!(with(json!({ "properties": { "e": {} }, "not": { "required": ["f"] } })));
        assert!(!with(json!({ "properties": { "e": {} }, "oneOf": [{ "$ref": "#/$defs/d" }] })));
        assert!(!with(json!({ "not": { "$ref": "#/$defs/d" } })));
        // One of two must be there.
        let either = json!({ "properties": { "mail": {}, "phone": {} },
            "anyOf": [{ "required": ["mail"] }, { "required": ["phone"] }] });
        assert_eq!(closed(&either)["additionalProperties"], false);
    }

    #[test]
    fn a_schema_that_refers_to_itself_is_told_once() {
        let itself = json!({ "$ref": "#" });
        let schema = json!({ "type": "object", "properties": {
            "name": { "type": "string" }, "manager": itself, "deputy": itself,
            "team": { "type": "array", "items": itself } } });
        let lines = "- name: string\n- manager: object\n- deputy: object\n- team: list of object\n";
        assert_eq!(told(&schema).unwrap(), lines);
    }
}
