use serde_json::json;

use super::*;

#[test]
fn patterns_of_whole_texts() {
    for (pattern, regex) in [
        ("^a+$", Some("(a+)")),
        ("a|b", Some("(?s:.)*(a|b)(?s:.)*")),
        ("^(a|b)", Some("((a|b))(?s:.)*")),
        ("[^$|]\\$$", Some("(?s:.)*([^$|]\\$)")),
        ("a\\$", Some("(?s:.)*(a\\$)(?s:.)*")),
        ("^a|b$", None),
        ("(^a)b", None),
    ] {
        assert_eq!(whole(pattern).as_deref(), regex, "{pattern}");
    }
}

#[test]
fn a_schema_that_contains_itself_is_refused_soon() {
    let itself: Value = ["a", "b", "c", "d"].iter().map(|_| json!({ "$ref": "#" })).collect();
    let schema = json!({ "type": "object", "properties": { "x": { "anyOf": itself } } });
    let mut rules = Vec::new();
    let refused = Values::new(Way::Braces, &schema, &|_| Some(7), &mut rules).arguments().err();
    assert!(refused.is_some_and(|refused| refused.why.contains("too")));
    assert!(rules.len() < 2 * MOST);
}

/// Schemas come from strangers: keywords in all the wrong places, and nonsense under them.
#[test]
fn nonsense_is_refused_or_written() {
    let words = [
        "type",
        "object",
        "string",
        "array",
        "integer",
        "null",
        "properties",
        "required",
        "items",
        "minItems",
        "maxItems",
        "enum",
        "const",
        "anyOf",
        "oneOf",
        "$ref",
        "#",
        "#/properties/a",
        "#/$defs/a",
        "$defs",
        "pattern",
        "^(a|b$",
        "minLength",
        "maxLength",
        "a",
        "a b",
        "<x>",
        "",
    ];
    let mut random = 9_u64;
    let mut below = move |n: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) as usize % n
    };
    let mut written = 0;
    for _ in 0..20_000 {
        let schema = nonsense(&mut below, &words, 4);
        for way in [Way::Tags, Way::Braces] {
            let mut rules = Vec::new();
            let result = Values::new(way, &schema, &|_| Some(7), &mut rules).arguments();
            written += usize::from(result.is_ok());
        }
    }
    assert!(written > 100, "{written}");
}

fn nonsense(below: &mut impl FnMut(usize) -> usize, words: &[&str], depth: usize) -> Value {
    match below(if depth == 0 { 4 } else { 9 }) {
        0 => Value::from(below(5) as u64),
        1 => Value::from(-1),
        2 => Value::Bool(below(2) == 0),
        3 => Value::from(words[below(words.len())]),
        4 => (0..below(4)).map(|_| nonsense(below, words, depth - 1)).collect(),
        _ => {
            let mut object = Map::new();
            for _ in 0..below(4) {
                let value = nonsense(below, words, depth - 1);
                object.insert(words[below(words.len())].to_owned(), value);
            }
            // Often enough it is what it should be.
            if below(2) == 0 {
                object.insert("type".to_owned(), "object".into());
            }
            Value::Object(object)
        }
    }
}
