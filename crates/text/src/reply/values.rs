//! Arguments of tools as families write them that do not write JSON: a schema becomes rules of a
//! grammar, and what a model has written by them becomes JSON again.
//!
//! ```text
//!   Tags     <parameter=city>⏎Köln⏎</parameter>⏎          one after the other; texts as they are
//!   Braces   {city:<|"|>Köln<|"|>,days:[1,2]}              quotes that are a token
//! ```
//!
//! What a schema may say is less than in JSON. What is more is refused, with its place.

use serde_json::{Map, Value};

use super::form::{json_rule, literal};
use super::kinds::{DEEPEST, apart, meant};

/// How a family writes values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Tags,
    Braces,
}

/// What cannot be written, and where it stands in the schema.
pub(super) struct Unwritten {
    pub at: String,
    pub why: String,
}

/// Ends a parameter.
pub(super) const END: &str = "</parameter>";

/// Stands around texts in braces.
pub(super) const QUOTE: &str = "<|\"|>";

/// Keywords that change nothing about what is valid.
const IDLE: [&str; 10] = [
    "title",
    "description",
    "default",
    "examples",
    "$schema",
    "$id",
    "$comment",
    "$defs",
    "definitions",
    "x-guidance",
];

/// Writes the rules for the arguments of one tool.
pub(super) struct Values<'a> {
    way: Way,
    root: &'a Value,
    quote: String,
    rules: &'a mut Vec<String>,
    /// Keys on the way to what is being written.
    at: Vec<String>,
    /// Values that may still be written: references can make many of few.
    left: usize,
}

/// No honest tool has more values to write.
const MOST: usize = 5000;

impl<'a> Values<'a> {
    pub fn new(
        way: Way,
        root: &'a Value,
        id_of: &dyn Fn(&str) -> Option<u32>,
        rules: &'a mut Vec<String>,
    ) -> Values<'a> {
        let quote = id_of(QUOTE).map_or_else(|| literal(QUOTE), |id| format!("<[{id}]>"));
        Values { way, root, quote, rules, at: Vec::new(), left: MOST }
    }

    /// A rule for all arguments.
    pub fn arguments(&mut self) -> Result<String, Unwritten> {
        let root = self.resolve(self.root)?;
        match self.way {
            Way::Tags => self.entries(root),
            Way::Braces => self.braces(root),
        }
    }

    /// A new rule; returns its name.
    fn rule(&mut self, body: &str, how: &str) -> String {
        let name = format!("value_{}", self.rules.len());
        self.rules.push(format!("{name}{how}: {body}"));
        name
    }

    fn unwritten<T>(&self, why: impl Into<String>) -> Result<T, Unwritten> {
        let at = self.at.iter().map(|key| format!("/{key}")).collect();
        Err(Unwritten { at, why: why.into() })
    }

    /// Does something with what stands at this key.
    fn within<T>(
        &mut self,
        key: impl Into<String>,
        work: impl FnOnce(&mut Self) -> Result<T, Unwritten>,
    ) -> Result<T, Unwritten> {
        self.at.push(key.into());
        let result = work(self)?;
        self.at.pop();
        Ok(result)
    }

    /// Follows references to the schema that is meant.
    fn resolve(&self, schema: &'a Value) -> Result<&'a Value, Unwritten> {
        if self.at.len() > DEEPEST {
            return self.unwritten("it is too deep, or contains itself");
        }
        match meant(schema, self.root) {
            Some(meant) => Ok(meant),
            None => self.unwritten("its $ref leads nowhere"),
        }
    }

    /// Refuses what is not known here, so that nothing is passed over.
    fn only(&self, schema: &Map<String, Value>, known: &[&str]) -> Result<(), Unwritten> {
        let known = |key: &&String| known.contains(&key.as_str()) || IDLE.contains(&key.as_str());
        match schema.keys().find(|key| !known(key)) {
            Some(key) => self.unwritten(format!("{key:?} cannot be kept in this model's calls")),
            None => Ok(()),
        }
    }

    /// The entries of an object, each once and in the order of the schema.
    fn entries(&mut self, schema: &'a Value) -> Result<String, Unwritten> {
        let Some(object) = schema.as_object() else { return self.unwritten("it is no object") };
        self.only(object, &["type", "properties", "required", "additionalProperties", "strict"])?;
        let properties = object.get("properties").and_then(Value::as_object);
        let required = object.get("required").and_then(Value::as_array).into_iter().flatten();
        let required: Vec<&str> = required.filter_map(Value::as_str).collect();
        let known = |name: &str| properties.is_some_and(|known| known.contains_key(name));
        if let Some(name) = required.iter().find(|name| !known(name)) {
            return self.unwritten(format!("{name:?} is required, but not described"));
        }
        let mut entries = Vec::new();
        for (name, schema) in properties.into_iter().flatten() {
            let entry = self.within("properties", |values| {
                values.within(name, |values| values.entry(name, schema))
            })?;
            entries.push((entry, required.contains(&name.as_str())));
        }
        Ok(match self.way {
            Way::Tags => one_after_the_other(&entries),
            Way::Braces => self.with_commas(&entries),
        })
    }

    /// An entry with its name.
    fn entry(&mut self, name: &str, schema: &'a Value) -> Result<String, Unwritten> {
        let plain = |c: char| c.is_alphanumeric() || "_-.$@ ".contains(c);
        if name.is_empty() || name.trim() != name || !name.chars().all(plain) {
            return self.unwritten(format!("{name:?} cannot be written as a name"));
        }
        let value = self.value(schema)?;
        let head = match self.way {
            Way::Tags => format!("<parameter={name}>\n"),
            Way::Braces => format!("{name}:"),
        };
        Ok(format!("{} ({value})", literal(&head)))
    }

    /// Commas stand between entries, whichever of them are left out.
    fn with_commas(&mut self, entries: &[(String, bool)]) -> String {
        let (mut first, mut next) = (String::new(), String::new());
        for (entry, required) in entries.iter().rev() {
            let or = |rest: &str| if *required { String::new() } else { format!(" | {rest}") };
            let behind = next.clone();
            let later = self.rule(&format!("\",\" {entry} {behind}{}", or(&empty(&behind))), "");
            let begin = self.rule(&format!("{entry} {behind}{}", or(&empty(&first))), "");
            (first, next) = (begin, later);
        }
        first
    }

    fn braces(&mut self, schema: &'a Value) -> Result<String, Unwritten> {
        let entries = self.entries(schema)?;
        Ok(format!("\"{{\" {entries} \"}}\""))
    }

    /// A value and, in tags, the end of its parameter.
    fn value(&mut self, schema: &'a Value) -> Result<String, Unwritten> {
        let schema = self.resolve(schema)?;
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            return self.unwritten("it has too many values");
        }
        let Some(object) = schema.as_object() else {
            return self.any();
        };
        if let Some(choices) = object.get("enum").and_then(Value::as_array) {
            self.only(object, &["type", "enum"])?;
            return self.one_of(choices);
        }
        if let Some(only) = object.get("const") {
            self.only(object, &["type", "const"])?;
            return self.one_of(std::slice::from_ref(only));
        }
        for key in ["anyOf", "oneOf"] {
            let Some(branches) = object.get(key).and_then(Value::as_array) else { continue };
            self.only(object, &[key, "type"])?;
            if key == "oneOf" && !apart(branches, self.root) {
                return self.unwritten("more than one of oneOf may hold; use anyOf");
            }
            return self.within(key, |values| values.branches(branches));
        }
        match object.get("type") {
            Some(Value::String(kind)) => self.of_kind(kind, object, schema),
            Some(Value::Array(kinds)) => {
                let mut each = Vec::new();
                for kind in kinds.iter().filter_map(Value::as_str) {
                    each.push(self.of_kind(kind, object, schema)?);
                }
                Ok(each.join(" | "))
            }
            None if object.contains_key("properties") => self.of_kind("object", object, schema),
            None if object.contains_key("items") => self.of_kind("array", object, schema),
            _ => {
                self.only(object, &[])?;
                self.any()
            }
        }
    }

    fn branches(&mut self, branches: &'a [Value]) -> Result<String, Unwritten> {
        let mut each = Vec::new();
        for (i, branch) in branches.iter().enumerate() {
            each.push(self.within(i.to_string(), |values| values.value(branch))?);
        }
        Ok(each.join(" | "))
    }

    fn of_kind(
        &mut self,
        kind: &str,
        object: &Map<String, Value>,
        schema: &'a Value,
    ) -> Result<String, Unwritten> {
        match (kind, self.way) {
            ("string", _) => self.text(object),
            ("object", Way::Braces) => self.braces(schema),
            ("array", Way::Braces) => self.list(schema),
            _ => Ok(self.json(kind, object)),
        }
    }

    /// A value that is written as in JSON.
    fn json(&self, kind: &str, object: &Map<String, Value>) -> String {
        let mut schema = object.clone();
        schema.insert("type".to_owned(), kind.into());
        for key in ["$defs", "definitions"] {
            self.root.get(key).map(|defs| schema.insert(key.to_owned(), defs.clone()));
        }
        self.ended(&json_rule(&Value::Object(schema)))
    }

    fn ended(&self, value: &str) -> String {
        match self.way {
            Way::Tags => format!("{value} {}", literal(&format!("\n{END}\n"))),
            Way::Braces => value.to_owned(),
        }
    }

    fn any(&mut self) -> Result<String, Unwritten> {
        let json = self.json("number", &Map::new());
        Ok(format!("{} | {json}", self.text(&Map::new())?))
    }

    /// A text as it is, or in quotes.
    fn text(&mut self, object: &Map<String, Value>) -> Result<String, Unwritten> {
        self.only(object, &["type", "minLength", "maxLength", "pattern"])?;
        let bound = |key: &str| object.get(key).and_then(Value::as_u64);
        let (low, high) = (bound("minLength"), bound("maxLength"));
        let regex = match (object.get("pattern").and_then(Value::as_str), low, high) {
            (None, None, None) => "(?s:.)*".to_owned(),
            (None, low, high) => {
                let high = high.map_or(String::new(), |high| high.to_string());
                format!("(?s:.){{{},{high}}}", low.unwrap_or(0))
            }
            (Some(pattern), None, None) => match whole(pattern) {
                Some(regex) => regex,
                None => return self.unwritten("its pattern cannot be kept in this model's calls"),
            },
            _ => return self.unwritten("pattern and length cannot be kept together"),
        };
        let regex = regex_of_lark(&regex);
        let quote = &self.quote;
        Ok(match self.way {
            Way::Braces => format!("{quote} /{regex}/ {quote}"),
            Way::Tags => {
                let (end, no_end) = (literal(END), "/(?s:.*)<\\/parameter>(?s:.*)/");
                let text =
                    self.rule(&format!("/({regex})\\n/ & ~{no_end}"), &format!("[suffix={end}]"));
                format!("{text} \"\\n\"")
            }
        })
    }

    fn list(&mut self, schema: &'a Value) -> Result<String, Unwritten> {
        let Some(object) = schema.as_object() else { return self.any() };
        self.only(object, &["type", "items", "minItems", "maxItems"])?;
        let bound = |key: &str| object.get(key).and_then(Value::as_u64);
        let (low, high) = (bound("minItems").unwrap_or(0), bound("maxItems"));
        let item = match object.get("items") {
            Some(items) => self.within("items", |values| values.value(items))?,
            None => self.any()?,
        };
        let item = self.rule(&item, "");
        let items = match high {
            Some(0) => return Ok("\"[]\"".to_owned()),
            Some(1) => item,
            high => {
                let high = high.map_or(String::new(), |high| (high - 1).to_string());
                format!("{item} (\",\" {item}){{{},{high}}}", low.max(1) - 1)
            }
        };
        Ok(match low {
            0 => format!("\"[\" ({items})? \"]\""),
            _ => format!("\"[\" {items} \"]\""),
        })
    }

    fn one_of(&mut self, choices: &[Value]) -> Result<String, Unwritten> {
        let mut each = Vec::new();
        for choice in choices {
            let written = match (choice, self.way) {
                (Value::String(text), Way::Tags) if text.contains(END) => {
                    return self.unwritten(format!("{text:?} would end its parameter"));
                }
                (Value::String(text), Way::Braces) => {
                    format!("{quote} {} {quote}", literal(text), quote = self.quote)
                }
                (Value::String(text), Way::Tags) => literal(text),
                (Value::Array(_) | Value::Object(_), Way::Braces) => {
                    return self.unwritten("only plain values can be chosen from");
                }
                (other, _) => literal(&other.to_string()),
            };
            each.push(self.ended(&written));
        }
        match each.is_empty() {
            true => self.unwritten("there is nothing to choose from"),
            false => Ok(each.join(" | ")),
        }
    }
}

/// Stands where nothing follows.
fn empty(rule: &str) -> String {
    if rule.is_empty() { "\"\"".to_owned() } else { rule.to_owned() }
}

fn one_after_the_other(entries: &[(String, bool)]) -> String {
    let entries = entries.iter().map(|(entry, required)| match required {
        true => entry.clone(),
        false => format!("({entry})?"),
    });
    entries.collect::<Vec<_>>().join(" ")
}

/// A regular expression between slashes.
fn regex_of_lark(regex: &str) -> String {
    let (mut text, mut escaped) = (String::new(), false);
    for c in regex.chars() {
        match c {
            '/' if !escaped => text.push_str("\\/"),
            '\n' => text.push_str("\\n"),
            c => text.push(c),
        }
        escaped = c == '\\' && !escaped;
    }
    text
}

/// The same pattern for a text as a whole; schemas find it anywhere in a text.
fn whole(pattern: &str) -> Option<String> {
    let inner = pattern.strip_prefix('^').unwrap_or(pattern);
    let before = if inner.len() < pattern.len() { "" } else { "(?s:.)*" };
    let body = inner.strip_suffix('$').filter(|body| !is_escaped(body)).unwrap_or(inner);
    let after = if body.len() < inner.len() { "" } else { "(?s:.)*" };
    let outside = outside_of_classes(body);
    // An anchor may belong to one of some alternatives only.
    let anchored = before.is_empty() || after.is_empty();
    let unclear = outside.contains(['^', '$']) || anchored && outside.contains('|');
    (!unclear).then(|| format!("{before}({body}){after}"))
}

/// Whether what follows on this is escaped.
fn is_escaped(before: &str) -> bool {
    before.bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1
}

/// The parts of a regular expression that stand in no class, no group and behind no backslash.
fn outside_of_classes(regex: &str) -> String {
    let (mut outside, mut class, mut depth, mut escaped) = (String::new(), false, 0_usize, false);
    for c in regex.chars() {
        match c {
            _ if escaped => {}
            '[' => class = true,
            ']' => class = false,
            _ if class => {}
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            // Anchors count wherever they are.
            '|' if depth > 0 => {}
            c => outside.push(c),
        }
        escaped = c == '\\' && !escaped;
    }
    outside
}

#[cfg(test)]
mod tests;
