//! The format specification that `str.format` and `%` share: fill, sign, width, precision, type.

use minijinja::{Error, Value};

use super::heap::Buffer;
use super::print::{float_text, write_text};
use super::shape::Shape;
use super::strings::missing;
use crate::template::error::fault;

/// No honest template asks for more digits than this.
const MAX_PRECISION: usize = 1000;

/// How one value is to be formatted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spec {
    pub(crate) fill: Option<char>,
    /// `<`, `>`, `^`, or `=` for padding between the sign and the digits.
    pub(crate) align: Option<char>,
    /// What stands before a number that is not negative: `+`, a space, or nothing.
    pub(crate) sign: Option<char>,
    /// The form with `0x` and the like.
    pub(crate) is_alternate: bool,
    pub(crate) width: usize,
    /// What separates thousands.
    pub(crate) grouping: Option<char>,
    pub(crate) precision: Option<usize>,
    pub(crate) kind: Option<char>,
}

impl Spec {
    /// Reads `[[fill]align][sign][#][0][width][grouping][.precision][type]`.
    pub(crate) fn parse(text: &str) -> Result<Spec, Error> {
        let mut spec = Spec::default();
        let mut rest: std::iter::Peekable<std::str::Chars<'_>> = text.chars().peekable();
        let is_align = |c: &char| matches!(c, '<' | '>' | '^' | '=');
        if text.chars().nth(1).is_some_and(|c| is_align(&c)) {
            spec.fill = rest.next();
        }
        spec.align = rest.next_if(is_align);
        spec.sign = rest.next_if(|c| matches!(c, '+' | '-' | ' ')).filter(|c| *c != '-');
        spec.is_alternate = rest.next_if_eq(&'#').is_some();
        if rest.next_if_eq(&'0').is_some() {
            spec.zero_padded();
        }
        spec.width = digits(&mut rest)?.unwrap_or(0);
        spec.grouping = rest.next_if(|c| matches!(c, ',' | '_'));
        if rest.next_if_eq(&'.').is_some() {
            let precision = digits(&mut rest)?;
            spec.precision = Some(precision.ok_or_else(|| fault("format: missing precision"))?);
        }
        spec.kind = rest.next();
        if rest.next().is_some() {
            return Err(fault(format!("invalid format specifier '{text}'")));
        }
        Ok(spec)
    }

    /// Pads with zeros behind the sign, unless something else was asked for.
    pub(crate) fn zero_padded(&mut self) {
        self.fill.get_or_insert('0');
        self.align.get_or_insert('=');
    }

    fn is_plain(&self) -> bool {
        self.width == 0 && self.kind.is_none() && self.precision.is_none() && self.sign.is_none()
    }
}

/// A run of decimal digits, if there is one.
pub(crate) fn digits(
    rest: &mut std::iter::Peekable<std::str::Chars<'_>>,
) -> Result<Option<usize>, Error> {
    let mut number: Option<usize> = None;
    while let Some(digit) = rest.peek().and_then(|c| c.to_digit(10)) {
        rest.next();
        let next = number.unwrap_or(0).checked_mul(10).and_then(|x| x.checked_add(digit as usize));
        number = Some(next.ok_or_else(|| fault("a number in a format is too large"))?);
    }
    Ok(number)
}

/// Appends the value formatted as the specification says.
pub(crate) fn write(out: &mut Buffer<'_>, spec: &Spec, value: &Value) -> Result<(), Error> {
    if spec.precision.is_some_and(|precision| precision > MAX_PRECISION) {
        return Err(fault("format: the precision is too large"));
    }
    match (Shape::of(value), spec.kind) {
        (Shape::Str(text), None | Some('s')) => {
            let cut = spec.precision.and_then(|len| text.char_indices().nth(len));
            pad(out, spec, ("", &text[..cut.map_or(text.len(), |(at, _)| at)]), '<')
        }
        (Shape::Bool(_), None) if spec.is_plain() => write_text(out, value),
        (Shape::Float(x), kind) => write_float(out, spec, x, kind),
        (shape, Some(kind @ ('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%'))) => match shape.as_int() {
            Some(x) => write_float(out, spec, x as f64, Some(kind)),
            None => Err(unsupported(shape, Some(kind))),
        },
        (shape, kind) => match shape.as_int() {
            Some(x) => write_int(out, spec, x, kind),
            None if spec.is_plain() => write_text(out, value),
            None => Err(unsupported(shape, kind)),
        },
    }
}

fn unsupported(shape: Shape<'_>, kind: Option<char>) -> Error {
    let (kind, name) = (kind.unwrap_or('s'), shape.type_name());
    fault(format!("unknown format code '{kind}' for object of type '{name}'"))
}

fn write_int(out: &mut Buffer<'_>, spec: &Spec, x: i128, kind: Option<char>) -> Result<(), Error> {
    let magnitude = x.unsigned_abs();
    let (prefix, digits) = match kind {
        None | Some('d' | 'n') => ("", magnitude.to_string()),
        Some('b') => ("0b", format!("{magnitude:b}")),
        Some('o') => ("0o", format!("{magnitude:o}")),
        Some('x') => ("0x", format!("{magnitude:x}")),
        Some('X') => ("0X", format!("{magnitude:X}")),
        Some('c') => {
            let c = u32::try_from(x).ok().and_then(char::from_u32);
            let c = c.ok_or_else(|| fault("%c: not a character"))?;
            return pad(out, spec, ("", c.encode_utf8(&mut [0; 4])), '<');
        }
        Some(_) => return Err(unsupported(Shape::Int(x), kind)),
    };
    let prefix = if spec.is_alternate { prefix } else { "" };
    let size = if matches!(kind, None | Some('d' | 'n')) { 3 } else { 4 };
    let sign = sign(spec, x < 0) + prefix;
    pad(out, spec, (&sign, &grouped(&digits, spec.grouping, size)), '>')
}

fn sign(spec: &Spec, is_negative: bool) -> String {
    if is_negative { "-".to_owned() } else { spec.sign.map(String::from).unwrap_or_default() }
}

fn write_float(out: &mut Buffer<'_>, spec: &Spec, x: f64, kind: Option<char>) -> Result<(), Error> {
    let magnitude = x.abs();
    let precision = spec.precision.unwrap_or(6);
    let mut text = match kind.map(|kind| kind.to_ascii_lowercase()) {
        _ if !x.is_finite() => float_text(magnitude),
        None if spec.precision.is_none() => float_text(magnitude),
        Some('e') => scientific(magnitude, precision),
        Some('f') => format!("{magnitude:.precision$}"),
        Some('g' | 'n') => general(magnitude, precision, spec.is_alternate),
        None => {
            let text = general(magnitude, precision, false);
            if text.contains(['.', 'e']) { text } else { text + ".0" }
        }
        Some('%') => format!("{:.precision$}%", magnitude * 100.0),
        Some(_) => return Err(unsupported(Shape::Float(x), kind)),
    };
    if kind.is_some_and(char::is_uppercase) {
        text = text.to_uppercase();
    }
    let is_negative = x.is_sign_negative() && !x.is_nan();
    let whole = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let text = grouped(&text[..whole], spec.grouping, 3) + &text[whole..];
    pad(out, spec, (&sign(spec, is_negative), &text), '>')
}

/// Digits and an exponent of at least two digits.
fn scientific(x: f64, precision: usize) -> String {
    let text = format!("{x:.precision$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// The shorter of the two notations, without zeros at the end.
fn general(x: f64, precision: usize, keep_zeros: bool) -> String {
    let precision = precision.max(1);
    let text = scientific(x, precision - 1);
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let place: i64 = exponent.parse().unwrap_or(0);
    let trim = |digits: &str| match digits.contains('.') && !keep_zeros {
        true => digits.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => digits.to_owned(),
    };
    let highest = i64::try_from(precision).unwrap_or(i64::MAX);
    if (-4..highest).contains(&place) {
        let decimals = usize::try_from(highest - 1 - place).unwrap_or(0);
        trim(&format!("{x:.decimals$}"))
    } else {
        format!("{}e{exponent}", trim(digits))
    }
}

fn grouped(digits: &str, separator: Option<char>, size: usize) -> String {
    let Some(separator) = separator else { return digits.to_owned() };
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(size) {
            out.push(separator);
        }
        out.push(digit);
    }
    out
}

/// Appends a sign and a body, padded to the width.
fn pad(
    out: &mut Buffer<'_>,
    spec: &Spec,
    (sign, body): (&str, &str),
    default: char,
) -> Result<(), Error> {
    let width = i128::try_from(spec.width).unwrap_or(i128::MAX);
    let padding = missing(body, width).saturating_sub(sign.len());
    let fill = spec.fill.unwrap_or(' ').to_string();
    let (before, between, after) = match spec.align.unwrap_or(default) {
        '<' => (0, 0, padding),
        '^' => (padding / 2, 0, padding - padding / 2),
        '=' => (0, padding, 0),
        _ => (padding, 0, 0),
    };
    out.repeat(&fill, before)?;
    out.push(sign)?;
    out.repeat(&fill, between)?;
    out.push(body)?;
    out.repeat(&fill, after)
}
