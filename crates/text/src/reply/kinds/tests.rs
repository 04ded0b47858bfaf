use serde_json::json;

use super::*;

#[test]
fn the_schema_says_whether_a_parameter_is_text() {
    let schema = json!({
        "properties": {
            "text": { "type": "string" },
            "maybe": { "anyOf": [{ "$ref": "#/$defs/t" }, { "type": "null" }] },
            "count": { "type": "integer" }, "code": { "enum": ["1", "2"] }, "any": {}
        },
        "$defs": { "t": { "type": "string" } }
    });
    for (name, text, value) in [
        ("text", "5", json!("5")),
        ("text", "\"quoted\"", json!("\"quoted\"")),
        ("text", "null", json!("null")),
        ("maybe", "5", json!("5")),
        ("maybe", "null", json!(null)),
        ("count", "5", json!(5)),
        ("count", "-0", json!(-0.0)),
        ("count", "five", json!("five")),
        ("code", "1", json!("1")),
        ("any", "[1]", json!([1])),
        ("unknown", "1.5", json!(1.5)),
    ] {
        assert_eq!(parameter(text, name, Some(&schema)), value, "{name}: {text}");
    }
}

#[test]
fn what_may_hold_twice_is_not_one_of() {
    let kinds = |kinds: &[&str]| -> Vec<Value> {
        kinds.iter().map(|kind| json!({ "type": kind })).collect()
    };
    assert!(apart(&kinds(&["string", "null", "integer"]), &Value::Null));
    assert!(!apart(&kinds(&["number", "integer"]), &Value::Null));
    assert!(!apart(&[json!({}), json!({ "type": "null" })], &Value::Null));
}
