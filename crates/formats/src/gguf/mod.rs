//! GGUF, versions 2 and 3: opening, looking up, and (in `write`) writing.
//!
//! Opening walks the metadata once, checks all of it, and keeps only positions: four bytes for
//! each key and tensor in file order, and four more in the order of their names. Everything else
//! is read from the file when it is asked for.

mod encode;
mod entry;
mod index;
mod part;
mod read;
mod split;
mod value;
mod write;

use std::path::Path;

use crate::error::Error;
use crate::source::{Place, Source};
use crate::tensor::Tensor;

pub use encode::ArrayBuf;
use part::Part;
pub use value::{Array, ByteStrings, Kind, Value};
pub use write::{Body, Writer};

/// An opened GGUF model: one file, or all parts of a split one.
#[derive(Debug)]
pub struct Gguf {
    /// In the order of their numbers; never empty. The first one's metadata speaks for all.
    parts: Vec<Part>,
}

impl Gguf {
    /// Opens a file. Given any part of a split model, opens all of its parts.
    pub fn open(path: &Path) -> Result<Gguf, Error> {
        let part = Part::read(Source::open(path)?).map_err(|error| error.in_file(path))?;
        split::complete(part, path).map(|parts| Gguf { parts })
    }

    /// Opens a file that is already in memory, and is not split.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Gguf, Error> {
        Gguf::of(Source::Owned(bytes))
    }

    /// Opens a file that is part of the program, and is not split. Nothing is copied.
    pub fn from_static(bytes: &'static [u8]) -> Result<Gguf, Error> {
        Gguf::of(Source::Static(bytes))
    }

    /// Opens a file of `len` bytes of which only the beginning is here: all of its metadata, or the
    /// error tells where it breaks off. Of tensors there are names, shapes and places; their bytes
    /// are zeros.
    pub fn from_beginning(known: &[u8], len: u64) -> Result<Gguf, Error> {
        Gguf::of(Source::beginning(known, len)?)
    }

    fn of(source: Source) -> Result<Gguf, Error> {
        let part = Part::read(source)?;
        split::refuse(&part)?;
        Ok(Gguf { parts: vec![part] })
    }

    /// The version of the format, 2 or 3.
    pub fn version(&self) -> u32 {
        self.first().version
    }

    /// The bytes of all files together.
    pub fn bytes_total(&self) -> u64 {
        self.parts.iter().map(|part| part.source.len() as u64).sum()
    }

    /// All metadata, in the order of the file.
    pub fn keys(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        self.first().keys()
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<Value<'_>> {
        self.first().get(key)
    }

    /// The tensor of that name.
    pub fn tensor(&self, name: &str) -> Option<Tensor<'_>> {
        self.parts.iter().find_map(|part| part.tensor(name))
    }

    /// Where a tensor of this model lies.
    pub fn place(&self, tensor: &Tensor) -> Option<Place> {
        Place::find(self.parts.iter().map(|part| &part.source), tensor.bytes)
    }

    /// The bytes at a place that `place` of this model gave.
    pub fn bytes_at(&self, place: &Place) -> &[u8] {
        place.among(self.parts.iter().map(|part| &part.source))
    }

    /// Says that the bytes at a place will hardly be read again: they stop counting as memory of
    /// this process, and come back from the file when they are.
    pub fn release(&self, place: &Place) {
        place.release(self.parts.iter().map(|part| &part.source));
    }

    /// All tensors, in the order of the files.
    pub fn tensors(&self) -> impl Iterator<Item = Tensor<'_>> {
        self.parts.iter().flat_map(Part::tensors)
    }

    /// An integer of any width whose value fits; `None` when the key is absent.
    pub fn u32(&self, key: &str) -> Result<Option<u32>, Error> {
        self.integer(key, "u32")
    }

    /// An integer of any width whose value fits; `None` when the key is absent.
    pub fn u64(&self, key: &str) -> Result<Option<u64>, Error> {
        self.integer(key, "u64")
    }

    /// A float of either width; `None` when the key is absent.
    pub fn f32(&self, key: &str) -> Result<Option<f32>, Error> {
        self.typed(key, "f32", |value| match value {
            Value::F32(number) => Some(number),
            Value::F64(number) => Some(number as f32),
            _ => None,
        })
    }

    /// A bool; `None` when the key is absent.
    pub fn bool(&self, key: &str) -> Result<Option<bool>, Error> {
        self.typed(key, "bool", |value| match value {
            Value::Bool(flag) => Some(flag),
            _ => None,
        })
    }

    /// A string; `None` when the key is absent.
    pub fn str(&self, key: &str) -> Result<Option<&str>, Error> {
        self.typed(key, "string", |value| match value {
            Value::Str(text) => Some(text),
            _ => None,
        })
    }

    /// An array; `None` when the key is absent.
    pub fn array(&self, key: &str) -> Result<Option<Array<'_>>, Error> {
        self.typed(key, "array", |value| match value {
            Value::Array(array) => Some(array),
            _ => None,
        })
    }

    fn first(&self) -> &Part {
        &self.parts[0]
    }

    fn integer<T: TryFrom<i128>>(
        &self,
        key: &str,
        expected: &'static str,
    ) -> Result<Option<T>, Error> {
        self.first().integer(key, expected)
    }

    fn typed<'a, T>(
        &'a self,
        key: &str,
        expected: &'static str,
        pick: impl FnOnce(Value<'a>) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        self.first().typed(key, expected, pick)
    }
}

/// Opens the bytes and reads everything in them: the whole of a fuzz target.
#[doc(hidden)]
pub fn probe(data: &[u8]) {
    let Ok(file) = Gguf::from_bytes(data.to_vec()) else {
        return;
    };
    for (key, value) in file.keys() {
        let found = file.get(key).map(|found| found.kind());
        assert_eq!(found, Some(value.kind()), "a listed key is found by its name");
        assert!(visit(value) <= data.len(), "nothing is longer than the file");
    }
    for tensor in file.tensors() {
        assert_eq!(file.tensor(tensor.name), Some(tensor), "a listed tensor is found by its name");
        assert_eq!(tensor.storage.bytes(tensor.count() as u64), Some(tensor.bytes.len() as u64));
    }
}

/// Reads a value to its end; the number of values and of bytes of strings in it.
fn visit(value: Value<'_>) -> usize {
    match value {
        Value::Str(text) => text.len(),
        Value::Array(array) => match array.byte_strings() {
            Some(strings) => strings.map(<[u8]>::len).sum(),
            None => array.values().map(visit).sum(),
        },
        _ => 1,
    }
}
