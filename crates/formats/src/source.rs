//! Where the bytes of an opened file live: in a map, in memory that the caller gave, in the
//! program itself, or not here yet.

use std::ops::{Deref, Range};
use std::path::Path;

use memmap2::{Mmap, MmapOptions};

use crate::error::Error;
use crate::map::Mapped;

/// The bytes of one file.
#[derive(Debug)]
pub(crate) enum Source {
    Mapped(Mapped),
    Owned(Vec<u8>),
    Static(&'static [u8]),
    /// So many bytes of the beginning of a file, and zeros up to its end.
    Beginning(Mmap, usize),
}

impl Source {
    /// A file of which only the beginning is known. What is not known takes no memory.
    pub(crate) fn beginning(known: &[u8], len: u64) -> Result<Source, Error> {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let known = &known[..known.len().min(len)];
        let mut map = MmapOptions::new().len(len.max(1)).no_reserve_swap().map_anon()?;
        map[..known.len()].copy_from_slice(known);
        Ok(Source::Beginning(map.make_read_only()?, known.len()))
    }

    /// The bytes that are the file's.
    pub(crate) fn known(&self) -> &[u8] {
        match self {
            Source::Beginning(map, known) => &map[..*known],
            all => all,
        }
    }

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
            Source::Beginning(map, _) => map,
        }
    }
}
