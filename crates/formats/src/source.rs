//! Where the bytes of an opened file live: in a map, or in memory that the caller gave.

use std::ops::Deref;
use std::path::Path;

use crate::error::Error;
use crate::map::Mapped;

/// The bytes of one file.
#[derive(Debug)]
pub(crate) enum Source {
    Mapped(Mapped),
    Owned(Vec<u8>),
}

impl Source {
    pub(crate) fn open(path: &Path) -> Result<Source, Error> {
        match Mapped::open(path) {
            Ok(map) => Ok(Source::Mapped(map)),
            Err(problem) => Err(Error::from(problem).in_file(path)),
        }
    }
}

impl Deref for Source {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Source::Mapped(map) => map,
            Source::Owned(bytes) => bytes,
        }
    }
}
