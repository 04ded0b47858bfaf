//! Filters that take or give text.

use minijinja::{Error, Value};

use super::super::error::fault;
use super::super::python::access;
use super::super::python::arguments::Arguments;
use super::super::python::heap::{Buffer, Heap, Outcome};
use super::super::python::json::{Style, write_json};
use super::super::python::percent;
use super::super::python::print::{to_text, to_text_value};
use super::super::python::seq::SeqKind;
use super::super::python::shape::Shape;
use super::super::python::split::lines;
use super::super::python::strings;

pub(super) fn string(heap: &Heap, value: &Value, _: &mut Arguments) -> Outcome {
    to_text_value(heap, value)
}

pub(super) fn upper(heap: &Heap, value: &Value, _: &mut Arguments) -> Outcome {
    heap.text(to_text(heap, value)?.to_uppercase())
}

pub(super) fn lower(heap: &Heap, value: &Value, _: &mut Arguments) -> Outcome {
    heap.text(to_text(heap, value)?.to_lowercase())
}

pub(super) fn capitalize(heap: &Heap, value: &Value, _: &mut Arguments) -> Outcome {
    heap.text(strings::capitalize(heap, &to_text(heap, value)?)?)
}

/// Capitals after white space, hyphens and opening brackets; unlike the method of strings, an
/// apostrophe begins no word.
pub(super) fn title(heap: &Heap, value: &Value, _: &mut Arguments) -> Outcome {
    let mut out = Buffer::new(heap);
    let mut begins = true;
    for c in to_text(heap, value)?.chars() {
        if begins {
            c.to_uppercase().try_for_each(|c| out.push_char(c))?;
        } else {
            c.to_lowercase().try_for_each(|c| out.push_char(c))?;
        }
        begins = strings::is_space(c) || matches!(c, '-' | '(' | '{' | '[' | '<');
    }
    Ok(out.finish())
}

pub(super) fn trim(heap: &Heap, value: &Value, arguments: &mut Arguments) -> Outcome {
    let characters = arguments.optional_string("chars")?;
    let text = to_text(heap, value)?;
    heap.text(strings::strip_of(heap, &text, characters.as_deref(), (true, true))?)
}

pub(super) fn replace(heap: &Heap, value: &Value, arguments: &mut Arguments) -> Outcome {
    let old = to_text(heap, &arguments.required("old")?)?;
    let new = to_text(heap, &arguments.required("new")?)?;
    let count = arguments.int("count", -1)?;
    strings::replace(heap, &to_text(heap, value)?, (&old, &new), count)
}

pub(super) fn default(_: &Heap, value: &Value, arguments: &mut Arguments) -> Outcome {
    let default = arguments.optional("default_value").unwrap_or_else(|| Value::from(""));
    let for_false = arguments.flag("boolean");
    let is_missing = value.is_undefined() || for_false && !value.is_true();
    Ok(if is_missing { default } else { value.clone() })
}

pub(super) fn escape(heap: &Heap, value: &Value, _: &mut Arguments) -> Outcome {
    let mut out = Buffer::new(heap);
    for c in to_text(heap, value)?.chars() {
        match c {
            '&' => out.push("&amp;")?,
            '<' => out.push("&lt;")?,
            '>' => out.push("&gt;")?,
            '\'' => out.push("&#39;")?,
            '"' => out.push("&#34;")?,
            c => out.push_char(c)?,
        }
    }
    Ok(out.finish())
}

/// `value.name`, but never the key of a dictionary.
pub(super) fn attr(_: &Heap, value: &Value, arguments: &mut Arguments) -> Outcome {
    let name = arguments.string("name")?;
    match Shape::of(value) {
        Shape::Dict(_) => {
            let found = access::attribute(value, &name)?;
            let is_method =
                found.as_object().is_some() && matches!(Shape::of(&found), Shape::Other);
            Ok(if is_method { found } else { Value::UNDEFINED })
        }
        Shape::Undefined => Ok(Value::UNDEFINED),
        _ => access::attribute(value, &name),
    }
}

pub(super) fn format(heap: &Heap, value: &Value, arguments: &mut Arguments) -> Outcome {
    let (positional, named) = (arguments.rest(), arguments.rest_named());
    let pattern = to_text(heap, value)?;
    let values = match (positional.is_empty(), named.is_empty()) {
        (false, false) => {
            return Err(fault("can't handle positional and keyword arguments at the same time"));
        }
        (true, false) => {
            let pairs = named.into_iter().map(|(name, value)| (Value::from(name), value));
            heap.dict(pairs.collect())?
        }
        _ => heap.seq(SeqKind::Tuple, positional)?,
    };
    percent::format(heap, &pattern, &values)
}

pub(super) fn center(heap: &Heap, value: &Value, arguments: &mut Arguments) -> Outcome {
    let width = Value::from(i64::try_from(arguments.int("width", 80)?).unwrap_or(i64::MAX));
    let text = to_text(heap, value)?;
    let center = strings::method("center").ok_or_else(|| fault("center is missing"))?;
    center(heap, &text, &mut Arguments::new(&[width])?)
}

/// Indents all lines but the first, and no empty ones, unless told otherwise.
pub(super) fn indent(heap: &Heap, value: &Value, arguments: &mut Arguments) -> Outcome {
    let width = arguments.optional("width").unwrap_or(Value::from(4));
    let (indents_first, indents_blank) = (arguments.flag("first"), arguments.flag("blank"));
    let indentation = match Shape::of(&width) {
        Shape::Str(text) => text.to_owned(),
        shape => {
            let width = shape.as_int().ok_or_else(|| fault("indent: the width is no number"))?;
            let mut spaces = Buffer::new(heap);
            spaces.repeat(" ", usize::try_from(width).unwrap_or(0))?;
            spaces.into_string()
        }
    };
    // The final line break keeps an empty last line from being lost.
    let text = to_text(heap, value)? + "\n";
    let mut out = Buffer::new(heap);
    for (at, line) in lines(&text, false).into_iter().enumerate() {
        if at > 0 {
            out.push("\n")?;
        }
        let is_indented = if at == 0 { indents_first } else { indents_blank || !line.is_empty() };
        if is_indented {
            out.push(&indentation)?;
        }
        out.push(line)?;
    }
    Ok(out.finish())
}

pub(super) fn truncate(heap: &Heap, value: &Value, arguments: &mut Arguments) -> Outcome {
    let length = usize::try_from(arguments.int("length", 255)?).unwrap_or(0);
    let cuts_words = arguments.flag("killwords");
    let end = arguments.optional_string("end")?.unwrap_or_else(|| "...".to_owned());
    let leeway = usize::try_from(arguments.int("leeway", 5)?).unwrap_or(0);
    let kept = length.checked_sub(end.chars().count());
    let kept = kept.ok_or_else(|| fault("truncate: the length is shorter than the end"))?;
    let text = to_text(heap, value)?;
    if text.chars().count() <= length.saturating_add(leeway) {
        return heap.text(text);
    }
    let cut: String = text.chars().take(kept).collect();
    let cut = match cut.rsplit_once(' ') {
        Some((words, _)) if !cuts_words => words,
        _ => &cut,
    };
    heap.text(format!("{cut}{end}"))
}

pub(super) fn word_count(heap: &Heap, value: &Value, _: &mut Arguments) -> Outcome {
    let text = to_text(heap, value)?;
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let words = text.split(|c| !is_word(c)).filter(|word| !word.is_empty());
    Ok(Value::from(words.count()))
}

pub(super) fn to_json(heap: &Heap, value: &Value, arguments: &mut Arguments) -> Outcome {
    let ascii = arguments.flag("ensure_ascii");
    let indent = arguments.some("indent").map(|indent| indentation(heap, &indent)).transpose()?;
    let separators = match arguments.some("separators") {
        Some(given) => Some(separators(heap, &given)?),
        None => None,
    };
    let sort_keys = arguments.flag("sort_keys");
    let default = if indent.is_some() { "," } else { ", " };
    let (item_separator, key_separator) =
        separators.unwrap_or_else(|| (default.to_owned(), ": ".to_owned()));
    let style = Style { ascii, indent, item_separator, key_separator, sort_keys };
    let mut out = Buffer::new(heap);
    write_json(&mut out, value, &style, 0)?;
    Ok(out.finish())
}

fn indentation(heap: &Heap, indent: &Value) -> Result<String, Error> {
    if let Some(text) = indent.as_str() {
        return Ok(text.to_owned());
    }
    let width = Shape::of(indent).as_int().ok_or_else(|| fault("tojson: indent is no number"))?;
    let mut spaces = Buffer::new(heap);
    spaces.repeat(" ", usize::try_from(width).unwrap_or(0))?;
    Ok(spaces.into_string())
}

fn separators(heap: &Heap, given: &Value) -> Result<(String, String), Error> {
    let given = access::iterate(heap, given)?;
    match given.iter().map(Value::as_str).collect::<Option<Vec<_>>>().as_deref() {
        Some([item, key]) => Ok(((*item).to_owned(), (*key).to_owned())),
        _ => Err(fault("tojson: separators must be two strings")),
    }
}
