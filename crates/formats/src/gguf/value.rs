//! Metadata values of GGUF, as views into the file.
//!
//! An array stays where it is in the file; its iterators read one element at a time, so that a
//! vocabulary of 300 000 strings costs no heap. Every element was checked when the file was
//! opened, and is checked again on each read, so an iterator ends early rather than panic.

use std::str::Utf8Error;

use super::read::Cursor;

/// The type of a metadata value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    U8 = 0,
    I8 = 1,
    U16 = 2,
    I16 = 3,
    U32 = 4,
    I32 = 5,
    F32 = 6,
    Bool = 7,
    Str = 8,
    Array = 9,
    U64 = 10,
    I64 = 11,
    F64 = 12,
}

impl Kind {
    const ALL: [Kind; 13] = [
        Kind::U8,
        Kind::I8,
        Kind::U16,
        Kind::I16,
        Kind::U32,
        Kind::I32,
        Kind::F32,
        Kind::Bool,
        Kind::Str,
        Kind::Array,
        Kind::U64,
        Kind::I64,
        Kind::F64,
    ];

    pub(super) fn from_id(id: u32) -> Option<Kind> {
        Kind::ALL.get(id as usize).copied()
    }

    /// The name to show.
    pub fn name(self) -> &'static str {
        match self {
            Kind::U8 => "u8",
            Kind::I8 => "i8",
            Kind::U16 => "u16",
            Kind::I16 => "i16",
            Kind::U32 => "u32",
            Kind::I32 => "i32",
            Kind::F32 => "f32",
            Kind::Bool => "bool",
            Kind::Str => "string",
            Kind::Array => "array",
            Kind::U64 => "u64",
            Kind::I64 => "i64",
            Kind::F64 => "f64",
        }
    }

    /// Bytes of one value, for the types that always take the same.
    pub(super) fn size(self) -> Option<usize> {
        match self {
            Kind::U8 | Kind::I8 | Kind::Bool => Some(1),
            Kind::U16 | Kind::I16 => Some(2),
            Kind::U32 | Kind::I32 | Kind::F32 => Some(4),
            Kind::U64 | Kind::I64 | Kind::F64 => Some(8),
            Kind::Str | Kind::Array => None,
        }
    }

    /// The fewest bytes one value can take.
    pub(super) fn least_bytes(self) -> u64 {
        match self {
            Kind::Str => 8,
            Kind::Array => 12,
            other => other.size().unwrap_or(1) as u64,
        }
    }
}

/// One metadata value.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Value<'a> {
    U8(u8),
    I8(i8),
    U16(u16),
    I16(i16),
    U32(u32),
    I32(i32),
    F32(f32),
    Bool(bool),
    Str(&'a str),
    Array(Array<'a>),
    U64(u64),
    I64(i64),
    F64(f64),
}

impl<'a> Value<'a> {
    /// The type of this value.
    pub fn kind(&self) -> Kind {
        match self {
            Value::U8(_) => Kind::U8,
            Value::I8(_) => Kind::I8,
            Value::U16(_) => Kind::U16,
            Value::I16(_) => Kind::I16,
            Value::U32(_) => Kind::U32,
            Value::I32(_) => Kind::I32,
            Value::F32(_) => Kind::F32,
            Value::Bool(_) => Kind::Bool,
            Value::Str(_) => Kind::Str,
            Value::Array(_) => Kind::Array,
            Value::U64(_) => Kind::U64,
            Value::I64(_) => Kind::I64,
            Value::F64(_) => Kind::F64,
        }
    }

    /// The number, when this is an integer of any width.
    pub fn integer(&self) -> Option<i128> {
        match *self {
            Value::U8(v) => Some(v.into()),
            Value::I8(v) => Some(v.into()),
            Value::U16(v) => Some(v.into()),
            Value::I16(v) => Some(v.into()),
            Value::U32(v) => Some(v.into()),
            Value::I32(v) => Some(v.into()),
            Value::U64(v) => Some(v.into()),
            Value::I64(v) => Some(v.into()),
            _ => None,
        }
    }
}

/// An array value: a view of its elements in the file.
#[derive(Clone, Copy)]
pub struct Array<'a> {
    kind: Kind,
    len: usize,
    /// Starts at the first element. Ends with the last one when elements have a fixed size, and
    /// somewhere behind it otherwise.
    bytes: &'a [u8],
}

impl<'a> Array<'a> {
    pub(super) fn new(kind: Kind, len: usize, bytes: &'a [u8]) -> Array<'a> {
        Array { kind, len, bytes }
    }

    /// The type of every element.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The elements, whatever their type. A string that is not UTF-8 ends them: `strings` and
    /// `byte_strings` do not.
    pub fn values(&self) -> impl Iterator<Item = Value<'a>> + use<'a> {
        let mut cursor = Cursor::new(self.bytes);
        let kind = self.kind;
        (0..self.len).map_while(move |_| cursor.next_value(kind).ok())
    }

    /// The strings, each with its own verdict on whether it is UTF-8. `None` for other types.
    pub fn strings(
        &self,
    ) -> Option<impl ExactSizeIterator<Item = Result<&'a str, Utf8Error>> + Clone + use<'a>> {
        self.byte_strings().map(|strings| strings.map(str::from_utf8))
    }

    /// The strings as bytes. `None` for other types.
    pub fn byte_strings(&self) -> Option<ByteStrings<'a>> {
        (self.kind == Kind::Str)
            .then(|| ByteStrings { cursor: Cursor::new(self.bytes), left: self.len })
    }

    /// The bytes of an array of `u8` or `i8`.
    pub fn bytes(&self) -> Option<&'a [u8]> {
        matches!(self.kind, Kind::U8 | Kind::I8).then_some(self.bytes)
    }

    /// The elements of an array of `u32`.
    pub fn u32s(&self) -> Option<impl ExactSizeIterator<Item = u32> + Clone + use<'a>> {
        self.fixed(Kind::U32).map(|words| words.map(u32::from_le_bytes))
    }

    /// The elements of an array of `i32`.
    pub fn i32s(&self) -> Option<impl ExactSizeIterator<Item = i32> + Clone + use<'a>> {
        self.fixed(Kind::I32).map(|words| words.map(i32::from_le_bytes))
    }

    /// The elements of an array of `f32`.
    pub fn f32s(&self) -> Option<impl ExactSizeIterator<Item = f32> + Clone + use<'a>> {
        self.fixed(Kind::F32).map(|words| words.map(f32::from_le_bytes))
    }

    /// The elements of an array of integers, of whatever width.
    pub fn integers(&self) -> Option<impl Iterator<Item = i128> + use<'a>> {
        let whole =
            !matches!(self.kind, Kind::F32 | Kind::F64 | Kind::Bool | Kind::Str | Kind::Array);
        whole.then(|| self.values().filter_map(|value| value.integer()))
    }

    /// The elements of an array of `bool`.
    pub fn bools(&self) -> Option<impl ExactSizeIterator<Item = bool> + Clone + use<'a>> {
        (self.kind == Kind::Bool).then(|| self.bytes.iter().map(|&byte| byte != 0))
    }

    fn fixed<const N: usize>(
        &self,
        kind: Kind,
    ) -> Option<impl ExactSizeIterator<Item = [u8; N]> + Clone + use<'a, N>> {
        (self.kind == kind).then(|| self.bytes.as_chunks().0.iter().copied())
    }
}

impl PartialEq for Array<'_> {
    fn eq(&self, other: &Self) -> bool {
        if (self.kind, self.len) != (other.kind, other.len) {
            return false;
        }
        match self.kind {
            Kind::Str => self
                .byte_strings()
                .into_iter()
                .flatten()
                .eq(other.byte_strings().into_iter().flatten()),
            Kind::Array => self.values().eq(other.values()),
            _ => self.bytes == other.bytes,
        }
    }
}

impl std::fmt::Debug for Array<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Array({} × {})", self.len, self.kind.name())
    }
}

/// The strings of an array, as bytes.
#[derive(Clone, Debug)]
pub struct ByteStrings<'a> {
    cursor: Cursor<'a>,
    left: usize,
}

impl<'a> Iterator for ByteStrings<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.left = self.left.checked_sub(1)?;
        // An empty string stands for one that another process has overwritten since the opening.
        Some(self.cursor.byte_string().unwrap_or_default())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for ByteStrings<'_> {}

#[cfg(test)]
mod tests;
