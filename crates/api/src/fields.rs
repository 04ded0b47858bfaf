//! The fields of a JSON object, taken one by one. What nobody has taken at the end is refused by
//! name, so that no field is dropped in silence.
//!
//! `null` is the same as absent: clients in Go and JavaScript send it for every optional field.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};
use turn::{Fault, Side};

use crate::Refusal;
use crate::json;

/// An object that is being read.
pub struct Fields {
    /// Where it is in the body; empty for the body itself.
    path: String,
    fields: Map<String, Value>,
}

/// Whole numbers up to here are exact in a double.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Fields {
    /// Of the body of a request.
    pub fn of_body(body: &[u8]) -> Result<Fields, Refusal> {
        let refused = |message| Refusal::from(Fault::new(Side::Caller, message));
        match json::parse(body) {
            Ok(Value::Object(fields)) => Ok(Fields { path: String::new(), fields }),
            Ok(_) => Err(refused("the body is not a JSON object".to_owned())),
            Err(error) => Err(refused(format!("the body is not JSON that can be read: {error}"))),
        }
    }

    /// Of a value at this path.
    pub fn of_value(path: String, value: Value) -> Result<Fields, Refusal> {
        match value {
            Value::Object(fields) => Ok(Fields { path, fields }),
            _ => Err(Refusal::of(path, "must be an object")),
        }
    }

    /// The path of a field.
    pub fn path(&self, name: &str) -> String {
        match self.path.as_str() {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        }
    }

    /// A refusal of a field: `what` goes on after its name.
    pub fn refusal(&self, name: &str, what: &str) -> Refusal {
        Refusal::of(self.path(name), what)
    }

    /// Whether a field is there.
    pub fn has(&self, name: &str) -> bool {
        self.fields.get(name).is_some_and(|value| !value.is_null())
    }

    /// A copy of a field, for whoever repeats it.
    pub fn copy(&self, name: &str) -> Option<Value> {
        self.fields.get(name).filter(|value| !value.is_null()).cloned()
    }

    /// A field of any type.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        // The order of what is left does not matter.
        self.fields.swap_remove(name).filter(|value| !value.is_null())
    }

    /// A field that must be there.
    pub fn need<T>(&self, name: &str, value: Option<T>) -> Result<T, Refusal> {
        value.ok_or_else(|| self.refusal(name, "is missing"))
    }

    /// A field that is a string.
    pub fn string(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.refusal(name, "must be a string")),
        }
    }

    /// A field that is true or false.
    pub fn flag(&mut self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(self.refusal(name, "must be true or false")),
        }
    }

    /// A field that is a number in this range.
    pub fn number(
        &mut self,
        name: &str,
        range: RangeInclusive<f64>,
    ) -> Result<Option<f32>, Refusal> {
        match self.take(name).map(|value| value.as_f64()) {
            None => Ok(None),
            Some(Some(number)) if range.contains(&number) => Ok(Some(number as f32)),
            Some(_) => {
                let (low, high) = range.into_inner();
                Err(self.refusal(name, &format!("must be a number between {low} and {high}")))
            }
        }
    }

    /// A field that is a whole number in this range.
    pub fn whole(
        &mut self,
        name: &str,
        range: RangeInclusive<i64>,
    ) -> Result<Option<i64>, Refusal> {
        match self.take(name).map(|value| whole(&value)) {
            None => Ok(None),
            Some(Some(number)) if range.contains(&number) => Ok(Some(number)),
            Some(_) => {
                let (low, high) = range.into_inner();
                let what = match high {
                    i64::MAX => format!("must be a whole number of at least {low}"),
                    _ => format!("must be a whole number between {low} and {high}"),
                };
                Err(self.refusal(name, &what))
            }
        }
    }

    /// The same for what is counted.
    pub fn count(
        &mut self,
        name: &str,
        range: RangeInclusive<i64>,
    ) -> Result<Option<usize>, Refusal> {
        let number = self.whole(name, range)?;
        Ok(number.and_then(|number| usize::try_from(number).ok()))
    }

    /// A field that is a list; each item with its path.
    pub fn list(&mut self, name: &str) -> Result<Option<Vec<(String, Value)>>, Refusal> {
        let path = self.path(name);
        let numbered = |(at, item)| (format!("{path}[{at}]"), item);
        match self.take(name) {
            None => Ok(None),
            Some(Value::Array(items)) => {
                Ok(Some(items.into_iter().enumerate().map(numbered).collect()))
            }
            Some(_) => Err(self.refusal(name, "must be a list")),
        }
    }

    /// A field that is an object.
    pub fn object(&mut self, name: &str) -> Result<Option<Fields>, Refusal> {
        let path = self.path(name);
        self.take(name).map(|value| Fields::of_value(path, value)).transpose()
    }

    /// A field that cannot change the answer: noted as ignored if it is there.
    pub fn ignore(&mut self, name: &str, ignored: &mut Vec<String>) {
        if self.take(name).is_some() {
            ignored.push(self.path(name));
        }
    }

    /// The same for a field that many parts of one body may have: noted once, by its bare name.
    pub fn ignore_once(&mut self, name: &str, ignored: &mut Vec<String>) {
        if self.take(name).is_some() && !ignored.iter().any(|known| known == name) {
            ignored.push(name.to_owned());
        }
    }

    /// Puts a value under a name into the object of another name, which may not be there yet. What
    /// the object says itself stays.
    pub fn set_within(&mut self, object: &str, name: &str, value: Value) -> Result<(), Refusal> {
        let mut within = match self.take(object) {
            None => Map::new(),
            Some(Value::Object(within)) => within,
            Some(_) => return Err(self.refusal(object, "must be an object")),
        };
        let there = within.entry(name).or_insert(Value::Null);
        if there.is_null() {
            *there = value;
        }
        self.fields.insert(object.to_owned(), within.into());
        Ok(())
    }

    /// All that is left, as it is.
    pub fn rest(self) -> Map<String, Value> {
        self.fields
    }

    /// Refuses what nobody has taken.
    pub fn finish(mut self) -> Result<(), Refusal> {
        self.fields.retain(|_, value| !value.is_null());
        let Some(first) = self.fields.keys().next() else { return Ok(()) };
        let first = self.path(first);
        let all: Vec<_> = self.fields.keys().map(|name| format!("`{}`", self.path(name))).collect();
        let message = format!("not known here: {}", all.join(", "));
        Err(Refusal { fault: Fault::new(Side::Caller, message), field: Some(first) })
    }
}

/// A whole number, also one that is written as `5.0`.
fn whole(value: &Value) -> Option<i64> {
    let exact = |number: &f64| number.fract() == 0.0 && number.abs() <= EXACT;
    value.as_i64().or_else(|| value.as_f64().filter(exact).map(|number| number as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Fields {
        Fields::of_body(text.as_bytes()).unwrap()
    }

    #[test]
    fn null_is_absent_and_what_is_left_is_named() {
        let mut body = fields(r#"{"a": null, "b": 5.0, "c": {"d": 1, "e": null}, "f": null}"#);
        assert_eq!(body.string("a"), Ok(None));
        assert_eq!(body.whole("b", 0..=9), Ok(Some(5)));
        let inner = body.object("c").unwrap().unwrap();
        let refusal = inner.finish().unwrap_err();
        assert_eq!(refusal.field.as_deref(), Some("c.d"));
        assert_eq!(body.finish(), Ok(()));
    }

    #[test]
    fn wrong_types_and_ranges_name_the_field() {
        for text in [r#"{"x": "1"}"#, r#"{"x": 1.5}"#, r#"{"x": 10}"#, r#"{"x": 1e300}"#] {
            let refusal = fields(text).whole("x", 0..=9).unwrap_err();
            assert_eq!(refusal.field.as_deref(), Some("x"), "{text}");
            assert!(refusal.fault.message.contains("`x`"));
        }
        assert!(fields(r#"{"x": 2.1}"#).number("x", 0.0..=2.0).is_err());
        assert!(fields(r#"{"x": {}}"#).list("x").is_err());
    }
}
