//! What a line of the log looks like.

use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use super::Field;
use crate::flags::{Level, LogFormat};
use crate::output::date_and_time;

/// A line, with its end. Fields that are null are left out.
pub fn write(
    format: LogFormat,
    (time, level): (SystemTime, Level),
    message: &str,
    fields: &[Field],
) -> String {
    let (time, level) = (stamp(time), name(level));
    let fields = fields.iter().filter(|(_, value)| !value.is_null());
    match format {
        LogFormat::Text => {
            let mut line = format!("{time} {level:<5} {message}");
            for (name, value) in fields {
                // Writing to a text cannot fail.
                let _ = write!(line, " {name}={}", plain(value));
            }
            line + "\n"
        }
        LogFormat::Json => {
            let mut line = Map::new();
            line.insert("time".to_owned(), time.into());
            line.insert("level".to_owned(), level.into());
            line.insert("message".to_owned(), message.into());
            line.extend(fields.map(|(name, value)| ((*name).to_owned(), value.clone())));
            Value::from(line).to_string() + "\n"
        }
    }
}

/// As RFC 3339 has it, in UTC.
fn stamp(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}.{:03}Z", date_and_time(since.as_secs()), since.subsec_millis())
}

fn name(level: Level) -> &'static str {
    match level {
        Level::Off => "off",
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
    }
}

/// A value without quotes, where it can do without: it comes from anywhere, and must neither end
/// the line nor pass for another field.
fn plain(value: &Value) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@+{}*".contains(c);
    match value {
        Value::String(text) if !text.is_empty() && text.chars().all(is_plain) => text.clone(),
        Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_is_one_line_whatever_it_quotes() {
        let time = UNIX_EPOCH + Duration::from_millis(1_772_000_123_045);
        let fields = [
            ("path", json!("/v1/models")),
            ("model", json!("a\nb status=200 \u{1b}[2J\u{2028}é")),
            ("none", Value::Null),
            ("total_ms", json!(1.5)),
        ];
        let write = |format| write(format, (time, Level::Warn), "request", &fields);
        let text = r#"2026-02-25T06:15:23.045Z warn  request path=/v1/models "#.to_owned()
            + r#"model="a\nb status=200 \u{1b}[2J\u{2028}é" total_ms=1.5"#;
        assert_eq!(write(LogFormat::Text), text + "\n");
        let line = write(LogFormat::Json);
        assert_eq!(line.matches('\n').count(), 1);
        let value: Value = line.parse().unwrap();
        assert_eq!((&value["level"], &value["total_ms"]), (&json!("warn"), &json!(1.5)));
        assert_eq!((value["model"].as_str(), value.get("none")), (fields[1].1.as_str(), None));
    }
}
