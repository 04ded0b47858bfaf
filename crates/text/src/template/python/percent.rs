//! `'%s and %d' % (a, b)`: formatting in the manner of C.

use std::iter::Peekable;
use std::str::Chars;

use minijinja::{Error, Value};

use super::dict::Key;
use super::heap::{Buffer, Heap, Outcome};
use super::print::{to_text, write_repr};
use super::shape::{Shape, integer};
use super::spec::{self, Spec};
use crate::template::error::fault;

/// Formats a tuple of values, a dictionary, or one value.
pub(crate) fn format(heap: &Heap, pattern: &str, values: &Value) -> Outcome {
    let mut source = match Shape::of(values) {
        Shape::Seq(seq) if seq.kind.is_tuple() => Source { named: None, rest: seq.take_items() },
        Shape::Dict(_) => Source { named: Some(values.clone()), rest: vec![values.clone()] },
        _ => Source { named: None, rest: vec![values.clone()] },
    };
    source.rest.reverse();
    let mut out = Buffer::new(heap);
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        if c == '%' {
            directive(&mut out, &mut rest, &mut source)?;
        } else {
            out.push_char(c)?;
        }
    }
    if !source.rest.is_empty() && source.named.is_none() {
        return Err(fault("not all arguments converted during string formatting"));
    }
    Ok(out.finish())
}

/// The values that directives take, the next one last.
struct Source {
    named: Option<Value>,
    rest: Vec<Value>,
}

impl Source {
    fn next(&mut self) -> Result<Value, Error> {
        self.rest.pop().ok_or_else(|| fault("not enough arguments for format string"))
    }

    fn named(&self, name: &str) -> Result<Value, Error> {
        let Some(Shape::Dict(dict)) = self.named.as_ref().map(Shape::of) else {
            return Err(fault("format requires a mapping"));
        };
        dict.get(&Key::Str(name.to_owned())).ok_or_else(|| fault(format!("no key '{name}'")))
    }
}

fn directive(
    out: &mut Buffer<'_>,
    rest: &mut Peekable<Chars<'_>>,
    source: &mut Source,
) -> Result<(), Error> {
    let named = match rest.next_if_eq(&'(') {
        Some(_) => {
            let name: String = rest.by_ref().take_while(|c| *c != ')').collect();
            Some(source.named(&name)?)
        }
        None => None,
    };
    let mut spec = flags(rest);
    if let Some(width) = number(rest, source)? {
        if width < 0 {
            (spec.align, spec.fill) = (Some('<'), None);
        }
        spec.width = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
    }
    if rest.next_if_eq(&'.').is_some() {
        let precision = number(rest, source)?.unwrap_or(0);
        spec.precision = Some(usize::try_from(precision).unwrap_or(0));
    }
    while rest.next_if(|c| matches!(c, 'h' | 'l' | 'L')).is_some() {}
    let letter = rest.next().ok_or_else(|| fault("incomplete format"))?;
    if letter == '%' {
        return out.push("%");
    }
    let value = match named {
        Some(value) => value,
        None => source.next()?,
    };
    convert(out, spec, letter, &value)
}

fn flags(rest: &mut Peekable<Chars<'_>>) -> Spec {
    let mut spec = Spec { align: Some('>'), ..Spec::default() };
    let (mut is_left, mut is_zero) = (false, false);
    while let Some(flag) = rest.next_if(|c| matches!(c, '-' | '+' | ' ' | '#' | '0')) {
        match flag {
            '-' => is_left = true,
            '0' => is_zero = true,
            '#' => spec.is_alternate = true,
            ' ' if spec.sign == Some('+') => {}
            sign => spec.sign = Some(sign),
        }
    }
    match (is_left, is_zero) {
        (true, _) => spec.align = Some('<'),
        (false, true) => (spec.align, spec.fill) = (Some('='), Some('0')),
        (false, false) => {}
    }
    spec
}

/// A width or precision: digits, or `*` for the next value.
fn number(rest: &mut Peekable<Chars<'_>>, source: &mut Source) -> Result<Option<i128>, Error> {
    if rest.next_if_eq(&'*').is_some() {
        let value = source.next()?;
        return Shape::of(&value).as_int().map(Some).ok_or_else(|| fault("* wants int"));
    }
    Ok(spec::digits(rest)?.map(|x| x as i128))
}

fn convert(out: &mut Buffer<'_>, mut spec: Spec, letter: char, value: &Value) -> Result<(), Error> {
    let shape = Shape::of(value);
    match letter {
        's' | 'r' | 'a' => {
            let text = if letter == 's' {
                to_text(out.heap(), value)?
            } else {
                let mut quoted = Buffer::new(out.heap());
                write_repr(&mut quoted, value, 0)?;
                quoted.into_string()
            };
            (spec.fill, spec.align) = (None, spec.align.filter(|align| *align != '='));
            spec.align.get_or_insert('>');
            spec::write(out, &spec, &Value::from(text))
        }
        'c' if value.as_str().is_some_and(|text| text.chars().count() == 1) => {
            spec.precision = None;
            spec::write(out, &spec, value)
        }
        'd' | 'i' | 'u' => {
            let whole = match shape {
                Shape::Float(x) if x.is_finite() && x.abs() < 1e38 => Some(x as i128),
                other => other.as_int(),
            };
            let whole = whole.ok_or_else(|| wrong(letter, shape))?;
            convert_int(out, spec, 'd', whole)
        }
        'x' | 'X' | 'o' | 'c' => {
            convert_int(out, spec, letter, shape.as_int().ok_or_else(|| wrong(letter, shape))?)
        }
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
            let x = shape.as_float().ok_or_else(|| wrong(letter, shape))?;
            spec.kind = Some(letter);
            spec::write(out, &spec, &Value::from(x))
        }
        other => Err(fault(format!("unsupported format character '{other}'"))),
    }
}

/// The precision of an integer is its smallest number of digits.
fn convert_int(out: &mut Buffer<'_>, mut spec: Spec, letter: char, x: i128) -> Result<(), Error> {
    let Some(precision) = spec.precision.take() else {
        spec.kind = Some(letter);
        return spec::write(out, &spec, &integer(x));
    };
    let digits = Spec {
        kind: Some(letter),
        fill: Some('0'),
        align: Some('='),
        width: precision.saturating_add(usize::from(x < 0 || spec.sign.is_some())),
        sign: spec.sign.take(),
        is_alternate: spec.is_alternate,
        ..Spec::default()
    };
    let mut padded = Buffer::new(out.heap());
    spec::write(&mut padded, &digits, &integer(x))?;
    spec::write(out, &spec, &padded.finish())
}

fn wrong(letter: char, shape: Shape<'_>) -> Error {
    fault(format!("%{letter} format: a number is required, not {}", shape.type_name()))
}
