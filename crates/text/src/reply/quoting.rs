//! JSON of a schema whose texts are words of a given text, as a grammar in Lark's notation.
//!
//! Where a schema asks for a text and says nothing else of it, only words that stand together in
//! the given text may come, so that a model can quote and not invent. What has more rules of its
//! own (a date, a choice, a pattern) is as the schema has it.
//!
//! What keeps to the grammar keeps to the schema.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::form::{json_rule, literal, with_definitions};

/// Words of a schema that say what its values are. All others only explain it.
const RULES: [&str; 42] = [
    "type",
    "enum",
    "const",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "multipleOf",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "properties",
    "required",
    "patternProperties",
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "items",
    "prefixItems",
    "additionalItems",
    "unevaluatedItems",
    "contains",
    "minContains",
    "maxContains",
    "minItems",
    "maxItems",
    "uniqueItems",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "$ref",
    "$dynamicRef",
];

/// What neither begins nor ends with a space.
const TRIM: &str = "TRIM: /([^ ](.*[^ ])?)?/";

/// The grammar. White space in the text counts as one space.
pub fn quoting(schema: &Value, text: &str) -> String {
    let mut writer = Writer { root: schema, text, rules: Vec::new(), named: BTreeMap::new() };
    let start = writer.value(schema);
    let words = json!({ "substring_chunks": chunks(text) });
    let rules = writer.rules.join("\n");
    // Without any word there is no text but the empty one.
    let quote = match text.trim().is_empty() {
        true => "QUOTE: \"\\\"\\\"\"".to_owned(),
        false => format!("QUOTE: \"\\\"\" (WORDS & TRIM) \"\\\"\"\nWORDS: %regex {words}\n{TRIM}"),
    };
    format!("start: {start}\n{rules}\n{quote}\n")
}

/// Words, signs and single spaces, as they stand in JSON.
fn chunks(text: &str) -> Vec<String> {
    let mut chunks = Vec::new();
    for part in text.split_whitespace() {
        if !chunks.is_empty() {
            chunks.push(" ".to_owned());
        }
        let chars: Vec<char> = part.chars().collect();
        for chunk in chars.chunk_by(|a, b| a.is_alphanumeric() && b.is_alphanumeric()) {
            let in_json = Value::from(String::from_iter(chunk)).to_string();
            chunks.push(in_json[1..in_json.len() - 1].to_owned());
        }
    }
    chunks
}

/// Writes a rule for each part of a schema that may have texts in it.
struct Writer<'a> {
    root: &'a Value,
    text: &'a str,
    rules: Vec<String>,
    /// The rules of definitions, by how they are referred to.
    named: BTreeMap<&'a str, String>,
}

/// What a part of a schema is, where that is simple enough to be written as rules.
enum Part<'a> {
    Text,
    /// A text of such a format.
    Formatted(&'a str),
    Object(&'a Map<String, Value>),
    List(&'a Value),
    AnyOf(&'a [Value]),
    Definition(&'a str, &'a Value),
}

impl<'a> Writer<'a> {
    /// What stands in a rule for a value of this schema.
    fn value(&mut self, schema: &'a Value) -> String {
        let Some((part, may_be_null)) = self.part(schema) else {
            return self.rule(&json_rule(&with_definitions(schema, self.root)));
        };
        let value = match part {
            Part::Text => "QUOTE".to_owned(),
            Part::Formatted(format) => {
                let there = self.standing(format);
                // Nothing is invented where nothing need be said.
                if may_be_null && there.as_ref().is_some_and(BTreeSet::is_empty) {
                    return "\"null\"".to_owned();
                }
                self.formatted(format, &there.unwrap_or_default())
            }
            Part::Object(object) => self.object(object),
            Part::List(items) => {
                let item = self.value(items);
                self.rule(&format!("\"[\" ({item} (\", \" {item})*)? \"]\""))
            }
            Part::AnyOf(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| self.value(part)).collect();
                self.rule(&parts.join(" | "))
            }
            Part::Definition(name, schema) => match self.named.get(name) {
                Some(rule) => rule.clone(),
                None => self.definition(name, schema),
            },
        };
        if may_be_null { format!("({value} | \"null\")") } else { value }
    }

    /// What stands in the text and looks as if it had such a format, where that can be told.
    fn standing(&self, format: &str) -> Option<BTreeSet<&'a str>> {
        match format {
            "email" => Some(addresses(self.text).collect()),
            "uri" => Some(links(self.text).collect()),
            _ => None,
        }
    }

    /// One of those that stand in the text, or else any; of formats that never need to end, none
    /// that is longer than people write.
    fn formatted(&mut self, format: &str, there: &BTreeSet<&str>) -> String {
        const LONGEST: u32 = 128;
        let is_plain = if format == "email" { is_address } else { is_uri };
        // One that is no plain one may be the one that is meant.
        if there.is_empty() || !there.iter().all(|it| is_plain(it)) {
            let schema = json!({ "type": "string", "format": format, "maxLength": LONGEST });
            return self.rule(&json_rule(&schema));
        }
        let there = there.iter().map(|word| literal(&Value::from(*word).to_string()));
        self.rule(&there.collect::<Vec<_>>().join(" | "))
    }

    /// A new rule; returns its name.
    fn rule(&mut self, body: &str) -> String {
        let name = format!("r{}", self.rules.len());
        self.rules.push(format!("{name}: {body}"));
        name
    }

    /// The rule of a definition, which may refer to itself.
    fn definition(&mut self, name: &'a str, schema: &'a Value) -> String {
        let (at, rule) = (self.rules.len(), self.rule(""));
        self.named.insert(name, rule.clone());
        let value = self.value(schema);
        self.rules[at] = format!("{rule}: {value}");
        rule
    }

    /// The fields in their order, of which those may be missing that are not required.
    fn object(&mut self, object: &'a Map<String, Value>) -> String {
        let fields = object["properties"].as_object().into_iter().flatten();
        let fields: Vec<(String, bool)> = fields
            .map(|(name, schema)| {
                let value = self.value(schema);
                let named = literal(&format!("{}: ", Value::from(name.as_str())));
                (format!("{named} {value}"), required(object).any(|it| it == name))
            })
            .collect();
        // What may follow a field, from the last to the first.
        let mut rest = Vec::from(["\"}\"".to_owned()]);
        for (field, is_required) in fields.iter().skip(1).rev() {
            let optional = if *is_required { "" } else { "?" };
            let after = rest.last().expect("the end is there").clone();
            rest.push(self.rule(&format!("(\", \" {field}){optional} {after}")));
        }
        // Whichever comes first has no comma before it.
        let mut firsts = Vec::new();
        for (i, (field, is_required)) in fields.iter().enumerate() {
            firsts.push(format!("{field} {}", rest[fields.len() - 1 - i]));
            if *is_required {
                break;
            }
        }
        if fields.iter().all(|(_, is_required)| !is_required) {
            firsts.push("\"}\"".to_owned());
        }
        self.rule(&format!("\"{{\" ({})", firsts.join(" | ")))
    }

    /// What this part is, and whether it may be null as well; nothing where it has words of which
    /// rules would not keep the meaning.
    fn part(&self, schema: &'a Value) -> Option<(Part<'a>, bool)> {
        let map = schema.as_object()?;
        let has_only = |words: &[&str]| {
            map.keys().all(|word| words.contains(&word.as_str()) || !RULES.contains(&word.as_str()))
        };
        if let Some(Value::String(name)) = map.get("$ref") {
            let named = name.strip_prefix('#').and_then(|at| self.root.pointer(at))?;
            return has_only(&["$ref"]).then_some((Part::Definition(name, named), false));
        }
        if let Some(Value::Array(parts)) = map.get("anyOf") {
            let is_plain = has_only(&["anyOf"]) && !parts.is_empty();
            return is_plain.then_some((Part::AnyOf(parts), false));
        }
        let (kind, may_be_null) = kind(map.get("type")?)?;
        let part = match kind {
            "string" if has_only(&["type"]) => Part::Text,
            "string" if has_only(&["type", "format"]) => {
                Part::Formatted(map.get("format")?.as_str()?)
            }
            "array" if has_only(&["type", "items"]) => Part::List(map.get("items")?),
            "object"
                if has_only(&["type", "properties", "required", "additionalProperties"])
                    && is_closed(map) =>
            {
                Part::Object(map)
            }
            _ => return None,
        };
        Some((part, may_be_null))
    }
}

/// What stands round about each `@` of a text.
fn addresses(text: &str) -> impl Iterator<Item = &str> {
    let belongs = |c: char| c.is_alphanumeric() || "._+-".contains(c);
    text.match_indices('@').map(move |(at, _)| {
        let (before, after) = (&text[..at], &text[at + 1..]);
        let from = before.trim_end_matches(belongs).len();
        let to = text.len() - after.trim_start_matches(belongs).len();
        text[from..to].trim_matches(|c| c == '.' || c == '-')
    })
}

/// What begins as addresses of the web do, to the end that people give it.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let begins = text.match_indices("http").map(|(at, _)| &text[at..]);
    let begins = begins.filter(|it| it.starts_with("http://") || it.starts_with("https://"));
    begins.map(|link| {
        let ends = |c: char| c.is_whitespace() || "<>\"()[]{}|\\^`„“”»«".contains(c);
        let link = link.split(ends).next().unwrap_or_default();
        link.trim_end_matches([',', ';', ':', '.', '!', '?', '\'', '*', '_'])
    })
}

/// Whether it is an address of e-mail as nearly all are.
fn is_address(word: &str) -> bool {
    let is_plain =
        |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_+".contains(&b));
    let are_plain = |text: &str| text.split('.').all(|part| !part.is_empty() && is_plain(part));
    let is_host = |host: &str| {
        let are_whole = |part: &str| !part.starts_with('-') && !part.ends_with('-');
        host.contains('.') && host.split('.').all(are_whole) && !host.contains(['_', '+'])
    };
    let parts = word.split_once('@');
    parts.is_some_and(|(who, host)| are_plain(who) && are_plain(host) && is_host(host))
}

/// Whether it is an address of the web as nearly all are.
fn is_uri(word: &str) -> bool {
    let rest = ["https://", "http://"].iter().find_map(|scheme| word.strip_prefix(scheme));
    let may_stand = |b: u8| b.is_ascii_alphanumeric() || b"-._~/?&=+#,;:%".contains(&b);
    let is_byte = |code: &str| code.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    rest.is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_alphanumeric())
            && rest.bytes().all(may_stand)
            && rest.split('%').skip(1).all(is_byte)
            && rest.matches('#').count() < 2
            && !rest.split(['/', '?', '#']).next().unwrap_or_default().contains(':')
    })
}

/// The one type that is wanted, and whether null is another.
fn kind(types: &Value) -> Option<(&str, bool)> {
    match types {
        Value::String(name) => Some((name, false)),
        Value::Array(names) => match &names[..] {
            [Value::String(name)] => Some((name, false)),
            [Value::String(name), Value::String(null)] if null == "null" => Some((name, true)),
            [Value::String(null), Value::String(name)] if null == "null" => Some((name, true)),
            _ => None,
        },
        _ => None,
    }
}

fn required(object: &Map<String, Value>) -> impl Iterator<Item = &str> {
    object.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// Whether it has fields, and none but those that it names.
fn is_closed(object: &Map<String, Value>) -> bool {
    let Some(Value::Object(fields)) = object.get("properties") else { return false };
    let are_named = required(object).all(|name| fields.contains_key(name));
    object.get("additionalProperties") == Some(&Value::Bool(false)) && are_named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_words_signs_and_spaces() {
        let text = "\n Müller\t& Söhne,\r\n\"Haus\\Hof\" 12,50\u{a0}€ \u{7} ";
        let expected = [
            "Müller", " ", "&", " ", "Söhne", ",", " ", "\\\"", "Haus", "\\\\", "Hof", "\\\"", " ",
            "12", ",", "50", " ", "€", " ", "\\u0007",
        ];
        assert_eq!(chunks(text), expected);
        assert!(chunks(" \n").is_empty());
    }
}
