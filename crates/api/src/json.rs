//! JSON from strangers: nothing twice, nothing deep.
//!
//! `serde_json` alone keeps the last of two fields with one name, which drops the first in silence.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Arrays and objects inside of each other. Templates, schemas and replies of clients stay far
/// below it.
const DEEPEST: usize = 64;
/// Values in all. In memory each is many times as large as the shortest that spells it.
const MOST: usize = 1 << 20;

/// The value that these bytes spell, as a whole.
///
/// # Errors
/// What is wrong with them, and where.
pub fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let left = Cell::new(MOST);
    let value = Strict { depth: 0, left: &left }.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Builds a value at some depth.
struct Strict<'a> {
    depth: usize,
    /// Values that there may be yet.
    left: &'a Cell<usize>,
}

impl<'a> Strict<'a> {
    fn inner<E: Error>(&self) -> Result<Strict<'a>, E> {
        let (depth, left) = (self.depth + 1, self.left.get());
        match () {
            () if depth > DEEPEST => Err(E::custom(format!("nested deeper than {DEEPEST}"))),
            () if left == 0 => Err(E::custom(format!("more than {MOST} values"))),
            () => {
                self.left.set(left - 1);
                Ok(Strict { depth, left: self.left })
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element_seed(self.inner()?)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(name) = from.next_key::<String>()? {
            if fields.contains_key(&name) {
                return Err(Error::custom(format!("`{name}` is there twice")));
            }
            fields.insert(name, from.next_value_seed(self.inner()?)?);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_json_is_what_serde_reads() {
        let text = r#"{"b": [1, -2, 2.5, 18446744073709551615, true, null, "é"], "a": {}}"#;
        assert_eq!(parse(text.as_bytes()).unwrap(), text.parse::<Value>().unwrap());
    }

    #[test]
    fn fields_that_come_twice_are_named() {
        let error = parse(br#"{"a": {"top_p": 1, "top_p": 0}}"#).unwrap_err().to_string();
        assert!(error.contains("`top_p` is there twice"), "{error}");
    }

    #[test]
    fn depth_has_an_end() {
        let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
        assert!(parse(&nested(DEEPEST)).is_ok());
        for depth in [DEEPEST + 1, 127, 100_000] {
            assert!(parse(&nested(depth)).is_err());
        }
        assert!(parse(&vec![b'['; 100_000]).is_err());
    }

    #[test]
    fn there_are_not_more_values_than_memory() {
        let list = |count: usize| format!("[{}0]", "0,".repeat(count - 1));
        // The end of a list counts as well.
        assert!(parse(list(MOST - 1).as_bytes()).is_ok());
        assert!(parse(list(MOST + 1).as_bytes()).is_err());
    }

    #[test]
    fn damaged_json_is_refused() {
        for text in [&b""[..], b"{", b"{} x", b"\"\xff\"", b"\"\\ud800\"", b"1e400", b"NaN"] {
            assert!(parse(text).is_err(), "{}", String::from_utf8_lossy(text));
        }
    }
}
