//! The bytes of metadata values and of tensors' entries, as GGUF wants them.
//!
//! The counterpart of `read`; `ArrayBuf` makes arrays that no file holds yet.

use super::value::{Array, Kind, Value};

/// An array in memory, for values that do not come from a file.
#[derive(Clone, Debug)]
pub struct ArrayBuf {
    kind: Kind,
    len: usize,
    bytes: Vec<u8>,
}

impl ArrayBuf {
    /// An array of strings, which need not be UTF-8.
    pub fn strings<S: AsRef<[u8]>>(strings: impl IntoIterator<Item = S>) -> ArrayBuf {
        let mut buf = ArrayBuf::empty(Kind::Str);
        for text in strings {
            string(&mut buf.bytes, text.as_ref());
            buf.len += 1;
        }
        buf
    }

    /// An array of arrays.
    pub fn arrays<'a>(arrays: impl IntoIterator<Item = Array<'a>>) -> ArrayBuf {
        ArrayBuf::values(Kind::Array, arrays.into_iter().map(Value::Array))
    }

    /// An array of values that are all of one type.
    ///
    /// # Panics
    /// When one is of another type.
    pub fn values<'a>(kind: Kind, values: impl IntoIterator<Item = Value<'a>>) -> ArrayBuf {
        let mut buf = ArrayBuf::empty(kind);
        for element in values {
            assert_eq!(element.kind(), kind, "all elements are of one type");
            value(&mut buf.bytes, element);
            buf.len += 1;
        }
        buf
    }

    /// A view of the array, as a value to write.
    pub fn value(&self) -> Value<'_> {
        Value::Array(self.view())
    }

    /// A view of the array.
    pub fn view(&self) -> Array<'_> {
        Array::new(self.kind, self.len, &self.bytes)
    }

    fn empty(kind: Kind) -> ArrayBuf {
        ArrayBuf { kind, len: 0, bytes: Vec::new() }
    }
}

impl FromIterator<u32> for ArrayBuf {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> ArrayBuf {
        ArrayBuf::values(Kind::U32, numbers.into_iter().map(Value::U32))
    }
}

impl FromIterator<i32> for ArrayBuf {
    fn from_iter<I: IntoIterator<Item = i32>>(numbers: I) -> ArrayBuf {
        ArrayBuf::values(Kind::I32, numbers.into_iter().map(Value::I32))
    }
}

impl FromIterator<f32> for ArrayBuf {
    fn from_iter<I: IntoIterator<Item = f32>>(numbers: I) -> ArrayBuf {
        ArrayBuf::values(Kind::F32, numbers.into_iter().map(Value::F32))
    }
}

/// A length and that many bytes.
pub(super) fn string(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(&(text.len() as u64).to_le_bytes());
    out.extend_from_slice(text);
}

/// A value without its type, which for an array is that of the elements.
pub(super) fn value(out: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::U8(number) => out.extend_from_slice(&number.to_le_bytes()),
        Value::I8(number) => out.extend_from_slice(&number.to_le_bytes()),
        Value::U16(number) => out.extend_from_slice(&number.to_le_bytes()),
        Value::I16(number) => out.extend_from_slice(&number.to_le_bytes()),
        Value::U32(number) => out.extend_from_slice(&number.to_le_bytes()),
        Value::I32(number) => out.extend_from_slice(&number.to_le_bytes()),
        Value::U64(number) => out.extend_from_slice(&number.to_le_bytes()),
        Value::I64(number) => out.extend_from_slice(&number.to_le_bytes()),
        Value::F32(number) => out.extend_from_slice(&number.to_le_bytes()),
        Value::F64(number) => out.extend_from_slice(&number.to_le_bytes()),
        Value::Bool(flag) => out.push(flag.into()),
        Value::Str(text) => string(out, text.as_bytes()),
        Value::Array(elements) => array(out, &elements),
    }
}

fn array(out: &mut Vec<u8>, array: &Array<'_>) {
    out.extend_from_slice(&(array.kind() as u32).to_le_bytes());
    out.extend_from_slice(&(array.len() as u64).to_le_bytes());
    match array.byte_strings() {
        Some(strings) => strings.for_each(|text| string(out, text)),
        None => array.values().for_each(|element| value(out, element)),
    }
}
