//! What kinds of values a schema admits, and what a value without quotes therefore is.

use serde_json::Value;

/// References deeper than this go in a circle.
pub(super) const DEEPEST: usize = 24;

/// The schema that is meant where this one only refers to it.
pub(super) fn meant<'a>(schema: &'a Value, root: &'a Value) -> Option<&'a Value> {
    let mut meant = schema;
    for _ in 0..DEEPEST {
        let Some(to) = meant.get("$ref") else { return Some(meant) };
        meant = root.pointer(to.as_str()?.strip_prefix('#')?)?;
    }
    None
}

/// The name of a value's kind in schemas.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        // -0 and 1e2 are whole numbers too.
        Value::Number(number) if number.as_f64().is_some_and(|x| x.fract() == 0.0) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Whether a value of this kind may be valid by what the schema says about kinds.
fn admits(schema: &Value, root: &Value, kind: &str, depth: usize) -> bool {
    let Some(Value::Object(schema)) = meant(schema, root) else { return true };
    if depth > DEEPEST {
        return true;
    }
    let same = |name: &str| name == kind || name == "number" && kind == "integer";
    let by_kind = match schema.get("type") {
        Some(Value::String(name)) => same(name),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).any(same),
        _ => true,
    };
    let by_value = match (schema.get("enum"), schema.get("const")) {
        (Some(Value::Array(values)), _) => values.iter().any(|value| same(kind_of(value))),
        (_, Some(value)) => same(kind_of(value)),
        _ => true,
    };
    let by_branch = ["anyOf", "oneOf"].iter().all(|key| {
        let branches = schema.get(*key).and_then(Value::as_array);
        branches.is_none_or(|all| all.iter().any(|one| admits(one, root, kind, depth + 1)))
    });
    by_kind && by_value && by_branch
}

/// Whether no value can be valid by two of these.
pub(super) fn apart(branches: &[Value], root: &Value) -> bool {
    let kinds = ["null", "boolean", "integer", "number", "string", "array", "object"];
    kinds
        .iter()
        .all(|kind| branches.iter().filter(|branch| admits(branch, root, kind, 0)).count() <= 1)
}

/// What a model wrote as a parameter without quotes: a text, or JSON where the schema has it.
pub(super) fn parameter(text: &str, name: &str, schema: Option<&Value>) -> Value {
    let value = match serde_json::from_str(text.trim()) {
        Ok(Value::String(_)) | Err(_) => return Value::from(text),
        Ok(value) => value,
    };
    let own =
        schema.and_then(|root| Some((meant(root, root)?.get("properties")?.get(name)?, root)));
    match own {
        Some((own, root)) if !admits(own, root, kind_of(&value), 0) => Value::from(text),
        _ => value,
    }
}

#[cfg(test)]
mod tests;
