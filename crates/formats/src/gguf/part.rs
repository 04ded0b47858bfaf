//! One GGUF file: the walk that checks it, and the index that finds things in it.
//!
//! ```text
//! "GGUF"  version u32  tensors u64  keys u64
//! keys ×    { key string   type u32        value }
//! tensors × { name string  dimensions u32  each u64  type u32  offset u64 }
//! padding to the alignment
//! the tensors' bytes, each at its offset from here
//! ```

use crate::error::{Error, Flaw, Reason, shown};
use crate::limits;
use crate::looks::looks_like;
use crate::source::Source;
use crate::tensor::Tensor;

use super::entry::{self, Entry, Layout};
use super::index::Index;
use super::read::Cursor;
use super::value::Value;

pub(super) const MAGIC: [u8; 4] = *b"GGUF";
pub(super) const ALIGNMENT_KEY: &str = "general.alignment";
pub(super) const DEFAULT_ALIGNMENT: u64 = 32;

/// The fewest bytes of a key's entry: a length, a type and one byte of value.
const LEAST_KEY_BYTES: u64 = 8 + 4 + 1;

/// One file, checked from the first byte to the last.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) source: Source,
    pub(super) version: u32,
    keys: Index,
    tensors: Index,
    /// Where the tensors' bytes begin.
    data: u64,
}

impl Part {
    pub(super) fn read(source: Source) -> Result<Part, Error> {
        let mut cursor = Cursor::new(source.known());
        let version = read_version(&mut cursor)?;
        let tensors = read_count(&mut cursor, "a number of tensors", limits::TENSORS)?;
        let keys = read_count(&mut cursor, "a number of keys", limits::KEYS)?;
        let keys = read_keys(&mut cursor, keys)?;
        let alignment = alignment(&source, &keys)?;
        let tensors = read_tensors(&mut cursor, tensors)?;
        let data = (cursor.at() as u64).next_multiple_of(alignment);
        entry::check_places(&source, &tensors, Layout { data, alignment })?;
        Ok(Part { version, keys, tensors, data, source })
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        self.keys.positions.iter().filter_map(|&at| key_at(&self.source, at))
    }

    pub(super) fn get(&self, key: &str) -> Option<Value<'_>> {
        let at = self.keys.find(&self.source, key)?;
        key_at(&self.source, at).map(|(_, value)| value)
    }

    pub(super) fn tensors(&self) -> impl Iterator<Item = Tensor<'_>> {
        self.tensors.positions.iter().filter_map(|&at| self.tensor_at(at))
    }

    pub(super) fn tensor(&self, name: &str) -> Option<Tensor<'_>> {
        self.tensor_at(self.tensors.find(&self.source, name)?)
    }

    pub(super) fn tensor_count(&self) -> u64 {
        self.tensors.positions.len() as u64
    }

    fn tensor_at(&self, at: u32) -> Option<Tensor<'_>> {
        let Entry { name, storage, shape, size, offset } = Entry::at(&self.source, at).ok()?;
        let start = usize::try_from(self.data.checked_add(offset)?).ok()?;
        let end = start.checked_add(usize::try_from(size).ok()?)?;
        Some(Tensor { name, storage, shape, bytes: self.source.get(start..end)? })
    }

    /// An integer of any width, when its value fits into `T`.
    pub(super) fn integer<T: TryFrom<i128>>(
        &self,
        key: &str,
        expected: &'static str,
    ) -> Result<Option<T>, Error> {
        let Some(value) = self.typed(key, expected, |value| value.integer())? else {
            return Ok(None);
        };
        let wide = |_| Reason::DoesNotFit { key: shown(key.as_bytes()), value, expected };
        T::try_from(value).map(Some).map_err(|error| self.fail(key, wide(error)))
    }

    /// What `pick` takes from the value of `key`, or an error that names the types.
    pub(super) fn typed<'a, T>(
        &'a self,
        key: &str,
        expected: &'static str,
        pick: impl FnOnce(Value<'a>) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let found = value.kind().name();
        let wrong = || Reason::WrongType { key: shown(key.as_bytes()), expected, found };
        pick(value).map(Some).ok_or_else(|| self.fail(key, wrong()))
    }

    /// An error at the entry of `key`.
    fn fail(&self, key: &str, reason: Reason) -> Error {
        let at = self.keys.find(&self.source, key);
        Error { file: None, at: at.map(u64::from), reason }
    }
}

fn key_at(bytes: &[u8], at: u32) -> Option<(&str, Value<'_>)> {
    let mut cursor = Cursor::starting(bytes, at as usize);
    let key = cursor.key().ok()?;
    let kind = cursor.kind().ok()?;
    Some((key, cursor.value(kind).ok()?))
}

fn read_version(cursor: &mut Cursor<'_>) -> Result<u32, Error> {
    let bytes = cursor.bytes();
    if !bytes.starts_with(&MAGIC) {
        return Err(Reason::NotTheFormat { format: "GGUF", looks: looks_like(bytes) }.into());
    }
    cursor.take("the magic", MAGIC.len() as u64)?;
    match cursor.u32("the version")? {
        found @ 2..=3 => Ok(found),
        // A small number whose bytes are the wrong way round.
        found if found & 0xffff == 0 && found != 0 => Err(Error::at(4, Reason::BigEndian)),
        found => Err(Error::at(4, Reason::Version { found })),
    }
}

fn read_count(cursor: &mut Cursor<'_>, what: &'static str, limit: u64) -> Result<u64, Error> {
    let start = cursor.at();
    let found = cursor.u64(what)?;
    if found > limit {
        return Err(Error::at(start, Reason::TooMany { what, found, limit }));
    }
    Ok(found)
}

fn read_keys(cursor: &mut Cursor<'_>, count: u64) -> Result<Index, Error> {
    cursor.demand("the metadata", count * LEAST_KEY_BYTES)?;
    let index = Index::collect(cursor, count, |cursor| {
        cursor.key()?;
        let kind = cursor.kind()?;
        cursor.check_value(kind)
    })?;
    match index.duplicate(cursor.bytes()) {
        Some((key, at)) => Err(Error::at(at, Reason::DuplicateKey { key: shown(key) })),
        None => Ok(index),
    }
}

fn read_tensors(cursor: &mut Cursor<'_>, count: u64) -> Result<Index, Error> {
    cursor.demand("the list of tensors", count * entry::LEAST_BYTES)?;
    let index = Index::collect(cursor, count, |cursor| Entry::read(cursor).map(drop))?;
    match index.duplicate(cursor.bytes()) {
        Some((name, at)) => {
            let reason = Reason::Tensor { name: shown(name), flaw: Flaw::Duplicate };
            Err(Error::at(at, reason))
        }
        None => Ok(index),
    }
}

fn alignment(bytes: &[u8], keys: &Index) -> Result<u64, Error> {
    let entry = keys.find(bytes, ALIGNMENT_KEY).and_then(|at| Some((at, key_at(bytes, at)?.1)));
    let Some((at, value)) = entry else {
        return Ok(DEFAULT_ALIGNMENT);
    };
    check_alignment(value).map_err(|reason| Error::at(at as usize, reason))
}

/// The alignment that a value of `general.alignment` asks for.
pub(super) fn check_alignment(value: Value<'_>) -> Result<u64, Reason> {
    let Value::U32(found) = value else {
        let (key, found) = (shown(ALIGNMENT_KEY.as_bytes()), value.kind().name());
        return Err(Reason::WrongType { key, expected: "u32", found });
    };
    let found = u64::from(found);
    if !found.is_power_of_two() || found > limits::ALIGNMENT {
        return Err(Reason::Alignment { found });
    }
    Ok(found)
}
