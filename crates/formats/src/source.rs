//! Where the bytes of an opened file live: in a map, in memory that the caller gave, or in the
//! program itself.

use std::ops::{Deref, Range};
use std::path::Path;

use crate::error::Error;
use crate::map::Mapped;

/// The bytes of one file.
#[derive(Debug)]
pub(crate) enum Source {
    Mapped(Mapped),
    Owned(Vec<u8>),
    Static(&'static [u8]),
}

impl Source {
    pub(crate) fn open(path: &Path) -> Result<Source, Error> {
        match Mapped::open(path) {
            Ok(map) => Ok(Source::Mapped(map)),
            Err(problem) => Err(Error::from(problem).in_file(path)),
        }
    }
}

/// Where the bytes of a tensor lie among the files of a model: found once by name, kept by whoever
/// needs the bytes again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    file: usize,
    bytes: Range<usize>,
}

impl Place {
    /// Finds a part of one of the sources; `None` when it is in none of them.
    pub(crate) fn find<'a>(
        mut sources: impl Iterator<Item = &'a Source>,
        part: &[u8],
    ) -> Option<Place> {
        let start = part.as_ptr().addr();
        let (mut file, mut at) = (0, 0);
        sources.find(|source| {
            at = start.wrapping_sub(source.as_ptr().addr());
            let inside = at.checked_add(part.len()).is_some_and(|end| end <= source.len());
            file += usize::from(!inside);
            inside
        })?;
        Some(Place { file, bytes: at..at + part.len() })
    }

    /// The bytes, given the sources among which the place was found.
    pub(crate) fn among<'a>(&self, mut sources: impl Iterator<Item = &'a Source>) -> &'a [u8] {
        let bytes = sources.nth(self.file).and_then(|source| source.get(self.bytes.clone()));
        bytes.unwrap_or_default()
    }

    /// A part of the place.
    ///
    /// # Panics
    /// When it has not so many bytes.
    pub fn part(&self, part: Range<usize>) -> Place {
        assert!(part.end <= self.bytes.len(), "{part:?} of {} bytes", self.bytes.len());
        let start = self.bytes.start;
        Place { file: self.file, bytes: start + part.start..start + part.end }
    }

    /// Says that these bytes will hardly be read again.
    pub(crate) fn release<'a>(&self, mut sources: impl Iterator<Item = &'a Source>) {
        if let Some(Source::Mapped(map)) = sources.nth(self.file) {
            map.release(self.bytes.clone());
        }
    }
}

impl Deref for Source {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Source::Mapped(map) => map,
            Source::Owned(bytes) => bytes,
            Source::Static(bytes) => bytes,
        }
    }
}
