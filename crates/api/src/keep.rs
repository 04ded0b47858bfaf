//! How long a model is to be kept.

use std::time::Duration;

use serde_json::Value;

use crate::Refusal;
use crate::fields::Fields;

/// Reads `keep_alive`: seconds, or a duration. `Some(None)` is for ever.
pub fn keep_alive(fields: &mut Fields) -> Result<Option<Option<Duration>>, Refusal> {
    let Some(value) = fields.take("keep_alive") else { return Ok(None) };
    let seconds = match &value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => seconds(text),
        _ => None,
    };
    let what = "must be seconds, or a duration such as `5m`; a negative one is for ever";
    let seconds = seconds.ok_or_else(|| fields.refusal("keep_alive", what))?;
    // What is too long for a clock is for ever, too.
    Ok(Some(Duration::try_from_secs_f64(seconds).ok()))
}

/// The seconds of a duration such as `1h30m`, `-1` or `250ms`.
fn seconds(text: &str) -> Option<f64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text),
    };
    if let Ok(plain) = rest.parse::<u32>() {
        return Some(sign * f64::from(plain));
    }
    let mut sum = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let unit = rest[digits..].find(|c: char| c.is_ascii_digit() || c == '.');
        let end = unit.map_or(rest.len(), |unit| digits + unit);
        sum += number * unit_seconds(&rest[digits..end])?;
        rest = &rest[end..];
    }
    text.ends_with(|c: char| c.is_ascii_alphabetic()).then_some(sign * sum)
}

fn unit_seconds(unit: &str) -> Option<f64> {
    let units = [("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86400.0)];
    units.iter().find(|(name, _)| *name == unit).map(|(_, seconds)| *seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let minutes = |text| seconds(text).map(|seconds| seconds / 60.0);
        assert_eq!(minutes("5m"), Some(5.0));
        assert_eq!(minutes("1h30m"), Some(90.0));
        assert_eq!(minutes("90"), Some(1.5));
        assert_eq!(minutes("-1"), Some(-1.0 / 60.0));
        assert_eq!(minutes("1.5h"), Some(90.0));
        for text in ["", "-", "m", "5x", "5m3", ".", "é", "5é"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
