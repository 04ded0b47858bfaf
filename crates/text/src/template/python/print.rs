//! `str()` and `repr()`: values as Python prints them.

use minijinja::{Error, Value};

use super::heap::{Buffer, Heap, Outcome};
use super::seq::{Seq, SeqKind, Span};
use super::shape::Shape;
use crate::template::error::fault;

/// Containers nested deeper than this are not printed; Python gives up as well, if later.
pub(crate) const MAX_DEPTH: usize = 100;

/// Printing one value, however short, takes about the time of looking at so many.
pub(crate) const PRINT_VISITS: usize = 4;

/// The value as a string, like `str(value)`.
pub(crate) fn to_text(heap: &Heap, value: &Value) -> Result<String, Error> {
    let mut out = Buffer::new(heap);
    write_text(&mut out, value)?;
    Ok(out.into_string())
}

/// The value itself when it is a string, else what it prints as.
pub(crate) fn to_text_value(heap: &Heap, value: &Value) -> Outcome {
    match value.as_str() {
        Some(_) => Ok(value.clone()),
        None => Ok(Value::from(to_text(heap, value)?)),
    }
}

/// Appends what `str(value)` gives.
pub(crate) fn write_text(out: &mut Buffer<'_>, value: &Value) -> Result<(), Error> {
    match Shape::of(value) {
        Shape::Undefined => Ok(()),
        Shape::Str(text) => out.push(text),
        _ => write_repr(out, value, 0),
    }
}

/// Appends what `repr(value)` gives; `depth` counts the containers around it.
pub(crate) fn write_repr(out: &mut Buffer<'_>, value: &Value, depth: usize) -> Result<(), Error> {
    if depth > MAX_DEPTH {
        return Err(fault("maximum recursion depth exceeded while printing a value"));
    }
    out.heap().charge_visits(PRINT_VISITS)?;
    match Shape::of(value) {
        Shape::Undefined => out.push("Undefined"),
        Shape::None => out.push("None"),
        Shape::Bool(true) => out.push("True"),
        Shape::Bool(false) => out.push("False"),
        Shape::Int(x) => out.push(&x.to_string()),
        Shape::Float(x) => out.push(&float_text(x)),
        Shape::Str(text) => write_quoted(out, text),
        Shape::Seq(seq) => write_seq(out, seq, depth),
        Shape::Dict(dict) => write_pairs(out, &dict.pairs(), depth),
        Shape::Namespace(_) => out.push("<Namespace>"),
        Shape::Other => out.push(&value.to_string()),
    }
}

fn write_seq(out: &mut Buffer<'_>, seq: &Seq, depth: usize) -> Result<(), Error> {
    let (open, close) = match seq.kind {
        SeqKind::List => ("[", "]"),
        SeqKind::Tuple | SeqKind::Group => ("(", ")"),
        SeqKind::Keys => ("dict_keys([", "])"),
        SeqKind::Values => ("dict_values([", "])"),
        SeqKind::Items => ("dict_items([", "])"),
        SeqKind::Range => return write_range(out, seq.span),
        SeqKind::Generator => return out.push("<generator object>"),
    };
    out.push(open)?;
    let items = seq.take_items();
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(", ")?;
        }
        write_repr(out, item, depth + 1)?;
    }
    if seq.kind.is_tuple() && items.len() == 1 {
        out.push(",")?;
    }
    out.push(close)
}

fn write_range(out: &mut Buffer<'_>, span: Span) -> Result<(), Error> {
    let Span { start, step, len } = span;
    let stop = match len as i128 {
        0 => start,
        len => start + step * (len - 1) + step.signum(),
    };
    match step {
        1 => out.push(&format!("range({start}, {stop})")),
        step => out.push(&format!("range({start}, {stop}, {step})")),
    }
}

fn write_pairs(out: &mut Buffer<'_>, pairs: &[(Value, Value)], depth: usize) -> Result<(), Error> {
    out.push("{")?;
    for (at, (key, value)) in pairs.iter().enumerate() {
        if at > 0 {
            out.push(", ")?;
        }
        write_repr(out, key, depth + 1)?;
        out.push(": ")?;
        write_repr(out, value, depth + 1)?;
    }
    out.push("}")
}

/// A string in quotes: single ones, unless it contains only those.
fn write_quoted(out: &mut Buffer<'_>, text: &str) -> Result<(), Error> {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push_char(quote)?;
    for c in text.chars() {
        match c {
            '\\' => out.push("\\\\")?,
            '\n' => out.push("\\n")?,
            '\r' => out.push("\\r")?,
            '\t' => out.push("\\t")?,
            c if c == quote => {
                out.push_char('\\')?;
                out.push_char(c)?;
            }
            c if is_printable(c) => out.push_char(c)?,
            c => out.push(&escape_number(c))?,
        }
    }
    out.push_char(quote)
}

fn escape_number(c: char) -> String {
    match u32::from(c) {
        code @ 0..=0xff => format!("\\x{code:02x}"),
        code @ 0x100..=0xffff => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    }
}

/// Whether Python's `repr` shows the character as it is.
pub(crate) fn is_printable(c: char) -> bool {
    // The standard library knows the same Unicode classes. It escapes marks that would combine
    // with what stands before them only at the start, so something must stand before.
    let mut bytes = [b'a'; 5];
    let len = 1 + c.encode_utf8(&mut bytes[1..]).len();
    let shown = || str::from_utf8(&bytes[..len]).map(|text| text.escape_debug().skip(1));
    let is_escaped = || shown().is_ok_and(|mut shown| shown.by_ref().take(2).eq("\\u".chars()));
    c.is_ascii_graphic() || c == ' ' || !c.is_control() && !is_escaped()
}

/// A floating-point number as `repr` prints it: the shortest digits that read back the same.
pub(crate) fn float_text(x: f64) -> String {
    if x.is_nan() {
        return "nan".to_owned();
    }
    if x.is_infinite() {
        return if x > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{x:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = x.to_string();
        return if plain.contains('.') { plain } else { format!("{plain}.0") };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_in_python() {
        let cases = [
            (2.0, "2.0"),
            (-0.0, "-0.0"),
            (1e21, "1e+21"),
            (1e16, "1e+16"),
            (1e15, "1000000000000000.0"),
            (1e-7, "1e-07"),
            (0.0001, "0.0001"),
            (1.5e-5, "1.5e-05"),
            (1.0 / 3.0, "0.3333333333333333"),
            (f64::INFINITY, "inf"),
            (5e-324, "5e-324"),
        ];
        for (x, expected) in cases {
            assert_eq!(float_text(x), expected);
        }
    }

    #[test]
    fn a_list_that_holds_itself_is_an_error() {
        let heap = Heap::new(1 << 20);
        let list = heap.list(vec![]).unwrap();
        let Shape::Seq(seq) = Shape::of(&list) else { panic!("not a list") };
        seq.change(|items| items.push(list.clone()));
        assert!(to_text(&heap, &list).is_err());
    }
}
