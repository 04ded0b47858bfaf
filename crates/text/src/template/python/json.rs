//! `tojson`: values as `json.dumps` writes them, and JSON as values.

use minijinja::{Error, Value};
use serde_json::Value as Json;

use super::compare::order;
use super::heap::{Buffer, Heap, Outcome};
use super::print::{MAX_DEPTH, PRINT_VISITS, float_text};
use super::shape::Shape;
use crate::template::error::fault;

/// The arguments of `tojson`.
pub(crate) struct Style {
    pub(crate) ascii: bool,
    /// What one level of nesting is indented by; without it all stands on one line.
    pub(crate) indent: Option<String>,
    pub(crate) item_separator: String,
    pub(crate) key_separator: String,
    pub(crate) sort_keys: bool,
}

/// Appends the value as JSON; `depth` counts the containers around it.
pub(crate) fn write_json(
    out: &mut Buffer<'_>,
    value: &Value,
    style: &Style,
    depth: usize,
) -> Result<(), Error> {
    if depth > MAX_DEPTH {
        return Err(fault("tojson: the value is nested too deeply"));
    }
    out.heap().charge_visits(PRINT_VISITS)?;
    match Shape::of(value) {
        Shape::None => out.push("null"),
        Shape::Bool(x) => out.push(if x { "true" } else { "false" }),
        Shape::Int(x) => out.push(&x.to_string()),
        Shape::Float(x) => out.push(&json_float(x)),
        Shape::Str(text) => write_string(out, text, style.ascii),
        Shape::Seq(seq) if seq.kind.is_tuple() || seq.kind == super::seq::SeqKind::List => {
            let items = seq.take_items();
            let mut list = Brackets::open(out, style, depth, "[")?;
            for item in &items {
                list.next(out)?;
                write_json(out, item, style, depth + 1)?;
            }
            list.close(out, "]")
        }
        Shape::Dict(dict) => write_object(out, dict.pairs(), style, depth),
        other => {
            Err(fault(format!("Object of type {} is not JSON serializable", other.type_name())))
        }
    }
}

fn write_object(
    out: &mut Buffer<'_>,
    mut pairs: Vec<(Value, Value)>,
    style: &Style,
    depth: usize,
) -> Result<(), Error> {
    if style.sort_keys {
        pairs = super::compare::sort_by(out.heap(), pairs, |a, b| order(out.heap(), &a.0, &b.0))?;
    }
    let mut object = Brackets::open(out, style, depth, "{")?;
    for (key, value) in &pairs {
        object.next(out)?;
        write_string(out, &key_text(key)?, style.ascii)?;
        out.push(&style.key_separator)?;
        write_json(out, value, style, depth + 1)?;
    }
    object.close(out, "}")
}

/// The separators and line breaks of one list or object.
struct Brackets<'s> {
    style: &'s Style,
    depth: usize,
    is_empty: bool,
}

impl<'s> Brackets<'s> {
    fn open(
        out: &mut Buffer<'_>,
        style: &'s Style,
        depth: usize,
        bracket: &str,
    ) -> Result<Brackets<'s>, Error> {
        out.push(bracket)?;
        Ok(Brackets { style, depth, is_empty: true })
    }

    fn next(&mut self, out: &mut Buffer<'_>) -> Result<(), Error> {
        if !self.is_empty {
            out.push(&self.style.item_separator)?;
        }
        self.is_empty = false;
        self.line(out, self.depth + 1)
    }

    fn close(self, out: &mut Buffer<'_>, bracket: &str) -> Result<(), Error> {
        if !self.is_empty {
            self.line(out, self.depth)?;
        }
        out.push(bracket)
    }

    fn line(&self, out: &mut Buffer<'_>, depth: usize) -> Result<(), Error> {
        match &self.style.indent {
            Some(indent) => {
                out.push("\n")?;
                out.repeat(indent, depth)
            }
            None => Ok(()),
        }
    }
}

fn key_text(key: &Value) -> Result<String, Error> {
    Ok(match Shape::of(key) {
        Shape::Str(text) => text.to_owned(),
        Shape::None => "null".to_owned(),
        Shape::Bool(x) => x.to_string(),
        Shape::Int(x) => x.to_string(),
        Shape::Float(x) => json_float(x),
        other => {
            let name = other.type_name();
            return Err(fault(format!("keys must be str, int, float, bool or None, not {name}")));
        }
    })
}

fn json_float(x: f64) -> String {
    if x.is_nan() {
        "NaN".to_owned()
    } else if x.is_infinite() {
        if x > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else {
        float_text(x)
    }
}

fn write_string(out: &mut Buffer<'_>, text: &str, ascii: bool) -> Result<(), Error> {
    out.push("\"")?;
    for c in text.chars() {
        match c {
            '"' => out.push("\\\"")?,
            '\\' => out.push("\\\\")?,
            '\n' => out.push("\\n")?,
            '\r' => out.push("\\r")?,
            '\t' => out.push("\\t")?,
            '\u{8}' => out.push("\\b")?,
            '\u{c}' => out.push("\\f")?,
            c if c < ' ' || (ascii && c > '~') => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.push(&format!("\\u{unit:04x}"))?;
                }
            }
            c => out.push_char(c)?,
        }
    }
    out.push("\"")
}

/// A JSON document as values of the template.
pub(crate) fn from_json(heap: &Heap, json: &Json, depth: usize) -> Outcome {
    if depth > MAX_DEPTH {
        return Err(fault("the conversation is nested too deeply"));
    }
    match json {
        Json::Null => Ok(Value::from(())),
        Json::Bool(x) => Ok(Value::from(*x)),
        Json::Number(x) => Ok(number(x)),
        Json::String(x) => heap.text(x),
        Json::Array(items) => {
            let items = items.iter().map(|item| from_json(heap, item, depth + 1));
            heap.list(items.collect::<Result<_, _>>()?)
        }
        Json::Object(pairs) => {
            let pairs = pairs
                .iter()
                .map(|(key, value)| Ok((heap.text(key)?, from_json(heap, value, depth + 1)?)));
            heap.dict(pairs.collect::<Result<_, Error>>()?)
        }
    }
}

fn number(x: &serde_json::Number) -> Value {
    if let Some(x) = x.as_i64() {
        Value::from(x)
    } else if let Some(x) = x.as_u64() {
        Value::from(x)
    } else {
        Value::from(x.as_f64().unwrap_or(f64::NAN))
    }
}
