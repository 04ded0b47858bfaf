//! Steps through the bytes of a GGUF file, and checks each one.
//!
//! The cursor never reads past its slice and never allocates; what it returns are views.

use crate::error::{Error, Reason};
use crate::limits;

use super::value::{Array, Kind, Value};

/// A position in the bytes of a file.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Cursor<'a> {
        Cursor { bytes, at: 0 }
    }

    /// A cursor that starts at byte `at`, or at the end when that is nearer.
    pub(super) fn starting(bytes: &'a [u8], at: usize) -> Cursor<'a> {
        Cursor { bytes, at: at.min(bytes.len()) }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// All bytes, those already read included.
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    pub(super) fn left(&self) -> u64 {
        (self.bytes.len() - self.at) as u64
    }

    pub(super) fn fail(&self, reason: Reason) -> Error {
        Error::at(self.at, reason)
    }

    /// Fails unless `needed` more bytes are there.
    pub(super) fn demand(&self, what: &'static str, needed: u64) -> Result<(), Error> {
        let left = self.left();
        if needed > left {
            return Err(self.fail(Reason::CutShort { what, needed, left }));
        }
        Ok(())
    }

    pub(super) fn take(&mut self, what: &'static str, count: u64) -> Result<&'a [u8], Error> {
        self.demand(what, count)?;
        // `count` is at most the length of a slice here, so it fits in `usize`.
        let end = self.at + count as usize;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn array_of<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Error> {
        let taken = self.take(what, N as u64)?;
        let mut bytes = [0; N];
        bytes.copy_from_slice(taken);
        Ok(bytes)
    }

    pub(super) fn u32(&mut self, what: &'static str) -> Result<u32, Error> {
        self.array_of(what).map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self, what: &'static str) -> Result<u64, Error> {
        self.array_of(what).map(u64::from_le_bytes)
    }

    /// A length and that many bytes.
    fn prefixed(&mut self, what: &'static str, limit: u64) -> Result<&'a [u8], Error> {
        let start = self.at;
        let length = self.u64(what)?;
        if length > limit {
            return Err(Error::at(start, Reason::TooMany { what, found: length, limit }));
        }
        self.take(what, length)
    }

    fn text(&mut self, what: &'static str, limit: u64) -> Result<&'a str, Error> {
        let start = self.at;
        let bytes = self.prefixed(what, limit)?;
        str::from_utf8(bytes).map_err(|_| Error::at(start, Reason::NotUtf8 { what }))
    }

    pub(super) fn key(&mut self) -> Result<&'a str, Error> {
        self.text("a key", limits::KEY_BYTES)
    }

    pub(super) fn tensor_name(&mut self) -> Result<&'a str, Error> {
        self.text("a tensor's name", limits::NAME_BYTES)
    }

    /// A string in an array, which need not be text: a token may be half a character.
    pub(super) fn byte_string(&mut self) -> Result<&'a [u8], Error> {
        self.prefixed("a string", limits::STRING_BYTES)
    }

    pub(super) fn kind(&mut self) -> Result<Kind, Error> {
        let start = self.at;
        let id = self.u32("a type")?;
        Kind::from_id(id).ok_or_else(|| Error::at(start, Reason::UnknownValueType { found: id }))
    }

    /// One value. An array's elements are left unread, and the cursor stands at the first of them.
    pub(super) fn value(&mut self, kind: Kind) -> Result<Value<'a>, Error> {
        let what = "a value";
        Ok(match kind {
            Kind::U8 => Value::U8(u8::from_le_bytes(self.array_of(what)?)),
            Kind::I8 => Value::I8(i8::from_le_bytes(self.array_of(what)?)),
            Kind::U16 => Value::U16(u16::from_le_bytes(self.array_of(what)?)),
            Kind::I16 => Value::I16(i16::from_le_bytes(self.array_of(what)?)),
            Kind::U32 => Value::U32(u32::from_le_bytes(self.array_of(what)?)),
            Kind::I32 => Value::I32(i32::from_le_bytes(self.array_of(what)?)),
            Kind::U64 => Value::U64(u64::from_le_bytes(self.array_of(what)?)),
            Kind::I64 => Value::I64(i64::from_le_bytes(self.array_of(what)?)),
            Kind::F32 => Value::F32(f32::from_le_bytes(self.array_of(what)?)),
            Kind::F64 => Value::F64(f64::from_le_bytes(self.array_of(what)?)),
            Kind::Bool => Value::Bool(self.bool()?),
            Kind::Str => Value::Str(self.text("a string", limits::STRING_BYTES)?),
            Kind::Array => Value::Array(self.array()?),
        })
    }

    /// One value, with the cursor behind it.
    pub(super) fn next_value(&mut self, kind: Kind) -> Result<Value<'a>, Error> {
        let value = self.clone().value(kind)?;
        self.check_value(kind)?;
        Ok(value)
    }

    fn bool(&mut self) -> Result<bool, Error> {
        match self.take("a bool", 1)?[0] {
            0 => Ok(false),
            1 => Ok(true),
            found => Err(Error::at(self.at - 1, Reason::NotABool { found })),
        }
    }

    /// The head of an array, with a length that the bytes left can hold.
    fn array(&mut self) -> Result<Array<'a>, Error> {
        let kind = self.kind()?;
        let what = "an array";
        let start = self.at;
        let count = self.u64(what)?;
        if count > limits::ARRAY_ELEMENTS {
            let limit = limits::ARRAY_ELEMENTS;
            return Err(Error::at(start, Reason::TooMany { what, found: count, limit }));
        }
        self.demand(what, count * kind.least_bytes())?;
        let mut rest = &self.bytes[self.at..];
        if let Some(size) = kind.size() {
            rest = &rest[..count as usize * size];
        }
        Ok(Array::new(kind, count as usize, rest))
    }

    /// Steps over one value and everything in it, checking all of it.
    pub(super) fn check_value(&mut self, kind: Kind) -> Result<(), Error> {
        self.check_nested(kind, 0)
    }

    fn check_nested(&mut self, kind: Kind, depth: usize) -> Result<(), Error> {
        let Value::Array(array) = self.value(kind)? else {
            return Ok(());
        };
        if depth == limits::ARRAY_DEPTH {
            return Err(self.fail(Reason::TooDeep { limit: limits::ARRAY_DEPTH }));
        }
        match array.kind() {
            Kind::Str => (0..array.len()).try_for_each(|_| self.byte_string().map(drop)),
            Kind::Bool => (0..array.len()).try_for_each(|_| self.bool().map(drop)),
            Kind::Array => {
                (0..array.len()).try_for_each(|_| self.check_nested(Kind::Array, depth + 1))
            }
            fixed => {
                let bytes = array.len() * fixed.size().unwrap_or(0);
                self.take("an array", bytes as u64).map(drop)
            }
        }
    }
}
