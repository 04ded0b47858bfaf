//! Filters on numbers.

use minijinja::{Error, Value};

use super::super::error::fault;
use super::super::python::arguments::Arguments;
use super::super::python::arithmetic::sign;
use super::super::python::heap::{Heap, Outcome};
use super::super::python::shape::{Shape, integer};
use super::super::python::strings::stripped;

pub(super) fn absolute(_: &Heap, value: &Value, _: &mut Arguments) -> Outcome {
    let shape = Shape::of(value);
    let is_negative = shape.as_float().is_some_and(f64::is_sign_negative);
    sign(value, is_negative)
}

/// Rounds to `precision` digits, halves to the even neighbour.
pub(super) fn round(_: &Heap, value: &Value, arguments: &mut Arguments) -> Outcome {
    let precision = arguments.int("precision", 0)?;
    let method = arguments.optional_string("method")?.unwrap_or_else(|| "common".to_owned());
    let precision = i32::try_from(precision.clamp(-400, 400)).unwrap_or(0);
    let shape = Shape::of(value);
    match (method.as_str(), shape) {
        ("common", Shape::Float(x)) => Ok(Value::from(round_float(x, precision))),
        ("common", _) => {
            let x = shape.as_int().ok_or_else(|| not_a_number(shape))?;
            Ok(integer(if precision < 0 { round_int(x, -precision) } else { x }))
        }
        ("ceil" | "floor", _) => {
            let x = shape.as_float().ok_or_else(|| not_a_number(shape))?;
            let scale = 10_f64.powi(precision);
            let scaled = x * scale;
            let whole = if method == "ceil" { scaled.ceil() } else { scaled.floor() };
            Ok(Value::from(whole / scale))
        }
        _ => Err(fault("method must be common, ceil or floor")),
    }
}

fn not_a_number(shape: Shape<'_>) -> Error {
    fault(format!("a number is required, not {}", shape.type_name()))
}

fn round_float(x: f64, precision: i32) -> f64 {
    match usize::try_from(precision) {
        // Printing rounds the exact binary value, as Python's `round` does.
        Ok(digits) => format!("{x:.digits$}").parse().unwrap_or(x),
        Err(_) => {
            let scale = 10_f64.powi(-precision);
            let rounded = (x / scale).round_ties_even() * scale;
            if rounded.is_nan() { 0.0 } else { rounded }
        }
    }
}

fn round_int(x: i128, digits: i32) -> i128 {
    let scale = u32::try_from(digits).ok().and_then(|digits| 10_i128.checked_pow(digits));
    let Some(scale) = scale else { return 0 };
    let (quotient, remainder) = (x.div_euclid(scale), x.rem_euclid(scale));
    let is_up = remainder * 2 > scale || remainder * 2 == scale && quotient % 2 != 0;
    (quotient + i128::from(is_up)).saturating_mul(scale)
}

/// The number a value stands for, or the default.
pub(super) fn int(_: &Heap, value: &Value, arguments: &mut Arguments) -> Outcome {
    let default = arguments.optional("default").unwrap_or(Value::from(0));
    let base = arguments.int("base", 10)?;
    Ok(match Shape::of(value) {
        Shape::Undefined => return Err(fault("an undefined value is no number")),
        Shape::Float(x) => truncated(x)?,
        Shape::Str(text) => match parse_int(text, base) {
            Some(x) => integer(x),
            None => match parse_float(text) {
                Some(x) if x.is_finite() => truncated(x)?,
                _ => default,
            },
        },
        other => other.as_int().map_or(default, integer),
    })
}

fn truncated(x: f64) -> Outcome {
    if x.is_finite() && x.abs() < 1e38 {
        return Ok(integer(x as i128));
    }
    Err(fault("cannot convert the float to an integer"))
}

fn parse_int(text: &str, base: i128) -> Option<i128> {
    let text = stripped(text, None, (true, true));
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let prefixes = [("0x", 16), ("0o", 8), ("0b", 2)];
    let lower = digits.to_ascii_lowercase();
    let prefixed = prefixes
        .iter()
        .find_map(|&(prefix, radix)| Some((lower.strip_prefix(prefix)?, radix)))
        .filter(|(_, radix)| base == 0 || base == i128::from(*radix));
    let (digits, radix) = match prefixed {
        Some((digits, radix)) => (digits.strip_prefix('_').unwrap_or(digits), radix),
        None => (lower.as_str(), if base == 0 { 10 } else { u32::try_from(base).ok()? }),
    };
    let is_grouped = !digits.starts_with('_') && !digits.ends_with('_') && !digits.contains("__");
    if !(2..=36).contains(&radix) || !is_grouped || digits.starts_with(['+', '-']) {
        return None;
    }
    let x = i128::from_str_radix(&digits.replace('_', ""), radix).ok()?;
    Some(if is_negative { -x } else { x })
}

fn parse_float(text: &str) -> Option<f64> {
    stripped(text, None, (true, true)).replace('_', "").parse().ok()
}

/// The float a value stands for, or the default.
pub(super) fn float(_: &Heap, value: &Value, arguments: &mut Arguments) -> Outcome {
    let default = arguments.optional("default").unwrap_or(Value::from(0.0));
    let number = match Shape::of(value) {
        Shape::Undefined => return Err(fault("an undefined value is no number")),
        Shape::Str(text) => parse_float(text),
        other => other.as_float(),
    };
    Ok(number.map_or(default, Value::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_to_the_even_neighbour() {
        assert_eq!(round_float(2.5, 0), 2.0);
        assert_eq!(round_float(2.675, 2), 2.67);
        assert_eq!(round_float(1250.0, -2), 1200.0);
        assert_eq!(round_int(250, 2), 200);
        assert_eq!(round_int(-350, 2), -400);
    }

    #[test]
    fn integers_are_read_in_any_base() {
        assert_eq!(parse_int(" -1_000 ", 10), Some(-1000));
        assert_eq!(parse_int("0xff", 16), Some(255));
        assert_eq!(parse_int("0b11", 0), Some(3));
        assert_eq!(parse_int("0x1", 10), None);
        assert_eq!(parse_int("--1", 10), None);
    }
}
