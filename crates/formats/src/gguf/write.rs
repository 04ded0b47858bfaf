//! Writing GGUF, version 3.
//!
//! A `Writer` collects metadata and the list of tensors in memory. `begin` writes these out and
//! gives a `Body`, which takes the tensors' bytes one after the other, so that a model larger than
//! memory can be written. The writer refuses whatever the reader would refuse.

use std::collections::HashSet;
use std::io::{self, Read, Write};

use crate::error::{Error, Flaw, Reason, shown};
use crate::limits;
use crate::storage::Storage;
use crate::tensor::Shape;

use super::encode;
use super::entry;
use super::part::{self, ALIGNMENT_KEY, DEFAULT_ALIGNMENT, MAGIC};
use super::read::Cursor;
use super::value::Value;

const VERSION: u32 = 3;

/// The head of a file to be: metadata and the list of tensors, in the order they were added.
#[derive(Debug)]
pub struct Writer {
    keys: HashSet<String>,
    names: HashSet<String>,
    /// The entries as they will stand in the file; offsets are filled in by `begin`, because a
    /// later key may still change the alignment.
    metadata: Vec<u8>,
    tensors: Vec<Declared>,
    alignment: u64,
}

#[derive(Debug)]
struct Declared {
    name: String,
    id: u32,
    shape: Shape,
    size: u64,
}

impl Declared {
    fn encode(&self, out: &mut Vec<u8>, offset: u64) {
        encode::string(out, self.name.as_bytes());
        out.extend_from_slice(&(self.shape.len() as u32).to_le_bytes());
        for &dimension in self.shape.iter().rev() {
            out.extend_from_slice(&(dimension as u64).to_le_bytes());
        }
        out.extend_from_slice(&self.id.to_le_bytes());
        out.extend_from_slice(&offset.to_le_bytes());
    }
}

impl Default for Writer {
    fn default() -> Writer {
        Writer::new()
    }
}

impl Writer {
    /// A file without metadata and tensors.
    pub fn new() -> Writer {
        Writer {
            keys: HashSet::new(),
            names: HashSet::new(),
            metadata: Vec::new(),
            tensors: Vec::new(),
            alignment: DEFAULT_ALIGNMENT,
        }
    }

    /// Adds one entry of metadata. `general.alignment` takes effect as well.
    pub fn key(&mut self, key: &str, value: Value<'_>) -> Result<(), Error> {
        capped("a key", key.len() as u64, limits::KEY_BYTES)?;
        capped("a number of keys", self.keys.len() as u64 + 1, limits::KEYS)?;
        let alignment = match key {
            ALIGNMENT_KEY => part::check_alignment(value)?,
            _ => self.alignment,
        };
        let mut encoded = Vec::new();
        encode::value(&mut encoded, value);
        Cursor::new(&encoded).check_value(value.kind())?;
        if !self.keys.insert(key.to_owned()) {
            return Err(Reason::DuplicateKey { key: shown(key.as_bytes()) }.into());
        }
        self.alignment = alignment;
        encode::string(&mut self.metadata, key.as_bytes());
        self.metadata.extend_from_slice(&(value.kind() as u32).to_le_bytes());
        self.metadata.append(&mut encoded);
        Ok(())
    }

    /// Announces a tensor with its dimensions, outermost first. Its bytes come later, in the same
    /// order.
    pub fn tensor(&mut self, name: &str, storage: Storage, shape: &[usize]) -> Result<(), Error> {
        capped("a tensor's name", name.len() as u64, limits::NAME_BYTES)?;
        capped("a number of tensors", self.tensors.len() as u64 + 1, limits::TENSORS)?;
        let shape = checked_shape(shape).map_err(|flaw| flaw.of(name))?;
        let size = entry::size(storage, &shape).map_err(|flaw| flaw.of(name))?;
        let nameless = || Flaw::NoIdInGguf { storage: storage.name() }.of(name);
        let id = storage.ggml_id().ok_or_else(nameless)?;
        if !self.names.insert(name.to_owned()) {
            return Err(Flaw::Duplicate.of(name).into());
        }
        self.tensors.push(Declared { name: name.to_owned(), id, shape, size });
        Ok(())
    }

    /// Writes the head. The bytes of the tensors are then given to the `Body`.
    pub fn begin<W: Write>(self, mut out: W) -> Result<Body<W>, Error> {
        let head = self.head()?;
        out.write_all(&head)?;
        let sizes = self.tensors.iter().map(|tensor| tensor.size).collect();
        Ok(Body { out, sizes, next: 0, written: 0, alignment: self.alignment })
    }

    fn head(&self) -> Result<Vec<u8>, Error> {
        let mut head = MAGIC.to_vec();
        head.extend_from_slice(&VERSION.to_le_bytes());
        head.extend_from_slice(&(self.tensors.len() as u64).to_le_bytes());
        head.extend_from_slice(&(self.keys.len() as u64).to_le_bytes());
        head.extend_from_slice(&self.metadata);
        let mut offset = 0u64;
        for tensor in &self.tensors {
            tensor.encode(&mut head, offset);
            let end = offset.checked_add(tensor.size);
            let next = end.and_then(|end| end.checked_next_multiple_of(self.alignment));
            offset = next.ok_or_else(|| Flaw::TooLarge.of(&tensor.name))?;
        }
        capped("a metadata section", head.len() as u64, limits::METADATA_BYTES)?;
        head.resize(head.len().next_multiple_of(self.alignment as usize), 0);
        Ok(head)
    }
}

fn capped(what: &'static str, found: u64, limit: u64) -> Result<(), Error> {
    if found > limit {
        return Err(Reason::TooMany { what, found, limit }.into());
    }
    Ok(())
}

fn checked_shape(dimensions: &[usize]) -> Result<Shape, Flaw> {
    let most = limits::GGUF_DIMENSIONS;
    if dimensions.contains(&0) {
        return Err(Flaw::ZeroDimension);
    }
    let fits = (1..=most).contains(&dimensions.len());
    let found = dimensions.len() as u64;
    let shape = Shape::new(dimensions).filter(|_| fits);
    shape.ok_or(Flaw::Dimensions { found, least: 1, most })
}

/// The rest of a file whose head is written: the bytes of the tensors that were announced.
#[derive(Debug)]
#[must_use = "a file without its tensors' bytes is cut short"]
pub struct Body<W> {
    out: W,
    sizes: Vec<u64>,
    next: usize,
    /// Bytes of the next tensor that are written already.
    written: u64,
    alignment: u64,
}

impl<W: Write> Body<W> {
    /// Writes the bytes of the next tensor.
    ///
    /// # Panics
    /// When all tensors are written, or the bytes are not as many as were announced.
    pub fn tensor(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let size = self.advance();
        assert_eq!(bytes.len() as u64, size, "the tensor has the size that was announced");
        self.out.write_all(bytes)?;
        self.pad(size)
    }

    /// Writes some bytes of the next tensor, behind those that are written already.
    ///
    /// # Panics
    /// When all tensors are written, or the bytes are more than were announced.
    pub fn part(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let size = self.sizes.get(self.next).copied();
        let size = size.expect("no more tensors than were announced");
        self.written += bytes.len() as u64;
        assert!(self.written <= size, "the tensor has the size that was announced");
        self.out.write_all(bytes)?;
        if self.written == size {
            (self.next, self.written) = (self.next + 1, 0);
            self.pad(size)?;
        }
        Ok(())
    }

    /// Writes the next tensor from a reader, which must have as many bytes as were announced.
    ///
    /// # Panics
    /// When all tensors are written.
    pub fn stream(&mut self, from: impl Read) -> Result<(), Error> {
        let size = self.advance();
        let copied = io::copy(&mut from.take(size), &mut self.out)?;
        if copied < size {
            let what = "a tensor";
            return Err(Reason::CutShort { what, needed: size, left: copied }.into());
        }
        self.pad(size)
    }

    /// Ends the file, and gives back what it was written to.
    ///
    /// # Panics
    /// When a tensor's bytes were not written.
    pub fn finish(mut self) -> Result<W, Error> {
        assert_eq!(self.next, self.sizes.len(), "all tensors are written");
        self.out.flush()?;
        Ok(self.out)
    }

    fn advance(&mut self) -> u64 {
        assert!(self.next < self.sizes.len(), "more tensors than were announced");
        assert_eq!(self.written, 0, "the tensor before is whole");
        self.next += 1;
        self.sizes[self.next - 1]
    }

    /// Also behind the last tensor, as other writers do.
    fn pad(&mut self, size: u64) -> Result<(), Error> {
        let padding = size.next_multiple_of(self.alignment) - size;
        io::copy(&mut io::repeat(0).take(padding), &mut self.out)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
