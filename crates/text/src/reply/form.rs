//! What a reply must look like, as a grammar in Lark's notation: reasoning first, if the family has
//! any, then the answer or calls of tools, as the family writes them.
//!
//! A model that keeps to it cannot end within its reasoning, call a tool that was not offered, or
//! hand a tool arguments that its schema refuses.

use std::fmt;

use serde_json::{Map, Value, json};
use turn::{Calls, Demand, Tool};

use super::calls::Syntax;
use super::values::Values;
use super::{MESSAGE, Reader, State, Style};

/// Why there is no grammar for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unformed {
    /// The template knows no calls of tools.
    NoCalls,
    /// A call cannot be told from text.
    NotTold,
    /// The tool's name cannot be written.
    Name(String),
    /// Something in the arguments of this tool, at this place of their schema.
    Schema(String, String, String),
}

impl fmt::Display for Unformed {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Unformed::NoCalls => f.write_str("the model's template knows no calls of tools"),
            Unformed::NotTold => f.write_str("the model's calls of tools cannot be told from text"),
            Unformed::Name(name) => write!(f, "{name:?} is no name for a tool"),
            Unformed::Schema(tool, at, why) => write!(f, "tool {tool:?}, parameters{at}: {why}"),
        }
    }
}

impl std::error::Error for Unformed {}

/// Text without marks; the lexer makes it end where one comes.
const TEXT: &str = "TEXT: /(?s:.+)/";

/// JSON may have white space anywhere, and a model may write it for ever. One space behind colons
/// and commas is enough. Words that say nothing are left out, as grammars do not know them.
pub fn without_idle_space(schema: &Value) -> Value {
    let spaces =
        json!({ "whitespace_flexible": false, "item_separator": ", ", "key_separator": ": " });
    match schema.clone() {
        Value::Object(mut schema) => {
            allow_any_names(&mut schema);
            schema.entry("x-guidance").or_insert(spaces);
            Value::Object(schema)
        }
        // `true` allows everything.
        Value::Bool(true) => json!({ "x-guidance": spaces }),
        other => other,
    }
}

/// Takes out that the names of fields are texts, which they are in any case: so zod writes records.
fn allow_any_names(schema: &mut Map<String, Value>) {
    let any = [json!(true), json!({}), json!({ "type": "string" })];
    if schema.get("propertyNames").is_some_and(|names| any.contains(names)) {
        schema.remove("propertyNames");
    }
    for (word, part) in schema {
        let parts: Vec<&mut Value> = match (word.as_str(), part) {
            ("items" | "additionalProperties" | "not", part) => vec![part],
            (
                "properties" | "patternProperties" | "$defs" | "definitions",
                Value::Object(named),
            ) => named.values_mut().collect(),
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(listed)) => {
                listed.iter_mut().collect()
            }
            _ => continue,
        };
        parts.into_iter().filter_map(Value::as_object_mut).for_each(allow_any_names);
    }
}

/// A part of a schema with what it may refer to.
pub fn with_definitions(schema: &Value, root: &Value) -> Value {
    let mut alone = schema.clone();
    if let (Value::Object(alone), Value::Object(root)) = (&mut alone, root) {
        for key in ["$defs", "definitions"] {
            alone.extend(root.get(key).map(|defs| (key.to_owned(), defs.clone())));
        }
    }
    alone
}

/// A rule for JSON of this schema.
pub(super) fn json_rule(schema: &Value) -> String {
    format!("%json {}", without_idle_space(schema))
}

/// A rule for this very text.
pub(super) fn literal(text: &str) -> String {
    Value::from(text).to_string()
}

/// A text as part of a regular expression between slashes.
fn escaped(text: &str) -> String {
    let special = |c: char| "\\.+*?()|[]{}^$/".contains(c);
    text.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}

/// Arguments are always an object, and have no fields but those that the tool names.
fn arguments(tool: &Tool) -> Value {
    match tool.parameters.clone() {
        Value::Object(mut schema) => {
            schema.entry("type").or_insert("object".into());
            closed(schema.into())
        }
        _ => json!({ "type": "object", "properties": {}, "additionalProperties": false }),
    }
}

/// A schema whose objects have no fields but the named ones, where it leaves that open: what keeps
/// to it keeps to the schema. Nobody knows what others would mean, and some models write them on
/// and on.
fn closed(schema: Value) -> Value {
    let Value::Object(mut schema) = schema else { return schema };
    let fits = |name: &str| {
        matches!(name, "type" | "properties" | "required" | "title" | "description" | "default")
            || name.starts_with('$') && name != "$ref"
    };
    // Other words may speak of further fields.
    let is_plain = schema.keys().all(|name| fits(name));
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        let names: Vec<String> = properties.keys().cloned().collect();
        for property in properties.values_mut() {
            *property = closed(property.take());
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        let are_named = required.into_iter().all(|it| names.iter().any(|name| it == name));
        if is_plain && are_named && !names.is_empty() {
            schema.insert("additionalProperties".to_owned(), false.into());
        }
    }
    if let Some(items) = schema.get_mut("items") {
        *items = closed(items.take());
    }
    schema.into()
}

impl Reader {
    /// The grammar of a reply that this reader reads. It refers to the form of the answer as
    /// `@answer`; `id_of` knows the tokens that are marks.
    ///
    /// # Errors
    /// When there is none.
    pub fn form(
        &self,
        demand: &Demand,
        id_of: &dyn Fn(&str) -> Option<u32>,
    ) -> Result<String, Unformed> {
        let mut writer = Writer { reader: self, id_of, rules: vec![TEXT.to_owned()] };
        let body = writer.body(demand)?;
        let before = writer.before();
        writer.rules.push(format!("body: {body}"));
        Ok(format!("start: {before} body\n{}\n", writer.rules.join("\n")))
    }
}

/// Writes the rules of a grammar.
struct Writer<'a> {
    reader: &'a Reader,
    id_of: &'a dyn Fn(&str) -> Option<u32>,
    rules: Vec<String>,
}

impl Writer<'_> {
    /// What comes before the answer.
    fn before(&mut self) -> String {
        match (self.reader.style, &self.reader.state) {
            (Style::Plain, _) => String::new(),
            (Style::Harmony, _) => {
                let analysis = self.words("<|channel|>analysis<|message|>");
                let end = self.words("<|end|><|start|>assistant");
                self.rules.push(format!("thought: {analysis} TEXT? {end}"));
                "thought*".to_owned()
            }
            (Style::Tags(begin, end), state) => {
                self.thought(end);
                match state {
                    State::Reasoning { .. } => "thought".to_owned(),
                    _ => format!("({} thought)?", self.words(begin)),
                }
            }
        }
    }

    /// The rule for reasoning up to its end, and the space behind it.
    fn thought(&mut self, end: &str) {
        let rule = match (self.id_of)(end) {
            Some(id) => format!("thought: TEXT? <[{id}]> GAP?"),
            None => {
                let end = literal(end);
                self.rules.push(format!("until[suffix={end}]: /(?s:.*)/"));
                "thought: until GAP?".to_owned()
            }
        };
        self.rules.extend([rule, "GAP: /\\n{1,2}/".to_owned()]);
    }

    /// The answer, calls, or either.
    fn body(&mut self, demand: &Demand) -> Result<String, Unformed> {
        let answer = if demand.answer.is_some() { "@answer" } else { "TEXT?" };
        let answer = match self.reader.style {
            Style::Harmony if demand.answer.is_some() => {
                let constrain = self.words("<|constrain|>json");
                let (head, rest) = (self.words("<|channel|>final"), self.words(MESSAGE));
                format!("{head} (\" \"? {constrain})? {rest} {answer}")
            }
            Style::Harmony => format!("{} {answer}", self.words("<|channel|>final<|message|>")),
            _ => answer.to_owned(),
        };
        if demand.calls == Calls::None {
            return Ok(answer);
        }
        let calls = self.calls(demand)?;
        Ok(match demand.calls {
            Calls::Must => calls,
            _ if demand.answer.is_some() || self.reader.style == Style::Harmony => {
                format!("{answer} | {calls}")
            }
            _ => self.text_or(&calls)?,
        })
    }

    /// Text, calls, or both.
    fn text_or(&mut self, calls: &str) -> Result<String, Unformed> {
        match self.reader.calls.map(|syntax| (syntax, syntax.begin())) {
            Some((_, Some(begin))) if (self.id_of)(begin).is_some() => {
                Ok(format!("TEXT? ({calls})?"))
            }
            // An object is a call.
            Some((_, None)) => Ok(format!("/[^\\s{{](?s:.*)/? | {calls}")),
            Some((Syntax::Json | Syntax::Xml | Syntax::Mistral, Some(begin))) => {
                Ok(self.text_up_to(begin, calls))
            }
            _ => Err(Unformed::NotTold),
        }
    }

    /// Text without a mark that is text itself, or text up to it and the calls that it begins.
    fn text_up_to(&mut self, begin: &str, calls: &str) -> String {
        let never = format!("PLAIN: /(?s:.*)/ & ~/(?s:.*){}(?s:.*)/", escaped(begin));
        let up_to = format!("told[suffix={}]: /(?s:.*)/", literal(begin));
        self.rules.extend([never, up_to]);
        format!("PLAIN? | told {}", calls.replacen("call", "inner", 1))
    }

    /// One call, or several where they are asked for and the family knows it.
    fn calls(&mut self, demand: &Demand) -> Result<String, Unformed> {
        let mut each = Vec::new();
        for tool in &demand.tools {
            each.push(self.call_of(tool)?);
        }
        self.rules.push(format!("inner: {}", each.join(" | ")));
        let begin = self.reader.calls.and_then(Syntax::begin).unwrap_or_default();
        self.rules.push(format!("call: {} inner", self.words(begin)));
        let several = match self.reader.calls {
            _ if !demand.several => None,
            Some(Syntax::Json | Syntax::Xml) => Some("(\"\\n\" call)*"),
            Some(Syntax::DeepSeek { .. } | Syntax::Mistral | Syntax::Gemma) => Some("call*"),
            Some(Syntax::Llama) | None => None,
        };
        let calls = format!("call {}", several.unwrap_or_default());
        Ok(match self.reader.calls {
            Some(Syntax::DeepSeek { .. }) => {
                let (begin, end) = ("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>");
                format!("{} {calls} {}", self.words(begin), self.words(end))
            }
            _ => calls,
        })
    }

    /// A call of this tool, behind the mark that begins calls.
    fn call_of(&mut self, tool: &Tool) -> Result<String, Unformed> {
        let name = &tool.name;
        let known = |c: char| c.is_ascii_alphanumeric() || "_-.:/".contains(c);
        if name.is_empty() || !name.chars().all(known) {
            return Err(Unformed::Name(name.clone()));
        }
        let schema = arguments(tool);
        let json = json_rule(&schema);
        let around = |writer: &Self, before: &str, after: &str| {
            format!("{} {json} {}", writer.words(before), writer.words(after))
        };
        let Some(syntax) = self.reader.calls else {
            if self.reader.style != Style::Harmony {
                return Err(Unformed::NoCalls);
            }
            let head =
                format!("<|channel|>commentary to=functions.{name} <|constrain|>json<|message|>");
            return Ok(around(self, &head, ""));
        };
        let (before, after) = syntax.around(name);
        let before = before.strip_prefix(syntax.begin().unwrap_or_default()).unwrap_or(&before);
        Ok(match syntax.values() {
            None => around(self, before, &after),
            Some(way) => {
                let mut values = Values::new(way, &schema, self.id_of, &mut self.rules);
                let object = values.arguments().map_err(|unwritten| {
                    Unformed::Schema(name.clone(), unwritten.at, unwritten.why)
                })?;
                format!("{} {object} {}", self.words(before), self.words(&after))
            }
        })
    }

    /// A rule for this text, whose marks are tokens where the vocabulary has them.
    fn words(&self, text: &str) -> String {
        let marks = self.reader.marks();
        let marks = marks.iter().filter_map(|mark| Some((*mark, (self.id_of)(mark)?)));
        let marks: Vec<(&str, u32)> = marks.collect();
        let (mut rules, mut rest) = (Vec::new(), text);
        while !rest.is_empty() {
            let next =
                marks.iter().filter_map(|(mark, id)| Some((rest.find(mark)?, mark.len(), id)));
            let (at, len, id) = match next.min() {
                Some((at, len, id)) => (at, len, Some(id)),
                None => (rest.len(), 0, None),
            };
            if at > 0 {
                rules.push(literal(&rest[..at]));
            }
            rules.extend(id.map(|id| format!("<[{id}]>")));
            rest = &rest[at + len..];
        }
        rules.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_closed_where_nothing_speaks_of_further_fields() {
        let yes = json!({ "type": "boolean" });
        let open = json!({ "type": "object", "properties": { "a": yes } });
        let shut = json!({ "type": "object", "properties": { "a": yes },
                           "additionalProperties": false });
        let list = |of: &Value| json!({ "type": "array", "items": of });
        for (schema, expected) in [
            (open.clone(), shut.clone()),
            (list(&open), list(&shut)),
            (
                json!({ "properties": { "b": open, "c": list(&open) } }),
                json!({ "properties": { "b": shut, "c": list(&shut) },
                     "additionalProperties": false }),
            ),
        ] {
            assert_eq!(closed(schema), expected);
        }
        for open in [
            json!({ "type": "object" }),
            json!({ "properties": { "a": yes }, "required": ["b"] }),
            json!({ "properties": { "a": yes }, "additionalProperties": true }),
            json!({ "properties": { "a": yes }, "patternProperties": {} }),
            json!({ "properties": { "a": yes }, "minProperties": 2 }),
            json!({ "properties": { "a": yes }, "allOf": [{ "properties": { "b": yes } }] }),
            json!({ "properties": { "a": yes }, "$ref": "#/$defs/x" }),
            json!(true),
        ] {
            assert_eq!(closed(open.clone()), open);
        }
    }
}
