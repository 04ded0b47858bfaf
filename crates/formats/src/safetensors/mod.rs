//! Safetensors: one file, or several with an index in JSON.
//!
//! ```text
//! length u64   header: JSON of that length   the tensors' bytes, without holes
//! ```
//!
//! The format promises no alignment of a tensor's bytes, so readers of them must not count on any.

mod file;
mod index;

use std::borrow::Cow;
use std::path::Path;

use crate::error::{Error, Reason};
use crate::source::{Place, Source};
use crate::tensor::Tensor;

use file::File;

/// An opened safetensors model: one file, or all the files that an index names.
#[derive(Debug)]
pub struct Safetensors {
    files: Vec<File>,
}

impl Safetensors {
    /// Opens a `.safetensors` file, an index in JSON with the files it names, or a folder with
    /// `model.safetensors` or `model.safetensors.index.json` in it.
    pub fn open(path: &Path) -> Result<Safetensors, Error> {
        if path.is_dir() {
            return Safetensors::open_folder(path);
        }
        let files = match path.extension() {
            Some(extension) if extension == "json" => index::open(path)?,
            _ => vec![File::open(path)?],
        };
        Ok(Safetensors { files })
    }

    fn open_folder(folder: &Path) -> Result<Safetensors, Error> {
        for name in ["model.safetensors", "model.safetensors.index.json"] {
            let path = folder.join(name);
            if path.exists() {
                return Safetensors::open(&path);
            }
        }
        Err(Error::from(Reason::NoModel).in_file(folder))
    }

    /// Opens a file that is already in memory.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Safetensors, Error> {
        Ok(Safetensors { files: vec![File::read(Source::Owned(bytes))?] })
    }

    /// The tensor of that name.
    pub fn tensor(&self, name: &str) -> Option<Tensor<'_>> {
        self.files.iter().find_map(|file| file.tensor(name))
    }

    /// Where a tensor of this model lies.
    pub fn place(&self, tensor: &Tensor) -> Option<Place> {
        Place::find(self.files.iter().map(File::source), tensor.bytes)
    }

    /// The bytes at a place that `place` of this model gave.
    pub fn bytes_at(&self, place: &Place) -> &[u8] {
        place.among(self.files.iter().map(File::source))
    }

    /// Says that the bytes at a place will hardly be read again: they stop counting as memory of
    /// this process, and come back from the file when they are.
    pub fn release(&self, place: &Place) {
        place.release(self.files.iter().map(File::source));
    }

    /// All tensors, in the order of the files and of their headers.
    pub fn tensors(&self) -> impl Iterator<Item = Tensor<'_>> {
        self.files.iter().flat_map(File::tensors)
    }

    /// The free-form notes in the files, as names and texts.
    pub fn metadata(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        self.files.iter().flat_map(File::metadata)
    }

    /// The bytes of all files together, without an index.
    pub fn bytes_total(&self) -> u64 {
        self.files.iter().map(|file| file.len() as u64).sum()
    }
}

/// Opens the bytes and reads everything in them: the whole of a fuzz target.
#[doc(hidden)]
pub fn probe(data: &[u8]) {
    let Ok(file) = Safetensors::from_bytes(data.to_vec()) else {
        return;
    };
    for tensor in file.tensors() {
        assert_eq!(file.tensor(tensor.name), Some(tensor), "a listed tensor is found by its name");
        assert_eq!(tensor.storage.bytes(tensor.count() as u64), Some(tensor.bytes.len() as u64));
    }
    let covered: usize = file.tensors().map(|tensor| tensor.bytes.len()).sum();
    let notes: usize = file.metadata().map(|(name, note)| name.len() + note.len()).sum();
    assert!(covered + notes < data.len(), "nothing is longer than the file");
}

#[cfg(test)]
mod tests;
