//! A file as a read-only slice of memory.
//!
//! This module holds the only `unsafe` code of the crate. It knows nothing of what is in a file.
//!
//! The bytes stay right only as long as nobody shortens or rewrites the file in place. A model
//! file is replaced by renaming a new one over it, which leaves the old map whole, so hearth asks
//! no more of its user than other programs that map models do.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::ops::{Deref, Range};
use std::path::Path;

use memmap2::Mmap;
#[cfg(target_os = "linux")]
use memmap2::UncheckedAdvice;

/// A whole file, mapped read-only.
#[derive(Debug)]
pub struct Mapped {
    map: Mmap,
}

impl Mapped {
    /// Maps the file at `path`; an empty file gives an empty slice.
    pub fn open(path: &Path) -> io::Result<Mapped> {
        let file = File::open(path)?;
        // Mapping a folder or a pipe fails with a message that names neither.
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
        }
        // SAFETY: the map is read-only, it covers the whole file, and `Mapped` lends out slices
        // that cannot outlive it. What no code can rule out is another process that writes to the
        // file, or cuts it, while it is mapped; the header above asks for that not to happen. To
        // make the harm small where it does, readers keep no pointer into the map and check every
        // length, position and string again at each access.
        let map = unsafe { Mmap::map(&file)? };
        Ok(Mapped { map })
    }

    /// Says that these bytes will hardly be read again: they stop counting as this process' memory.
    /// Reading them nevertheless brings them back from the file.
    pub fn release(&self, bytes: Range<usize>) {
        // A page at either end may hold bytes of a neighbour, whom that costs a read.
        #[cfg(target_os = "linux")]
        if bytes.end <= self.map.len() && !bytes.is_empty() {
            // SAFETY: the map is of a file, shared and read-only: what is dropped is read again
            // from the file, so no byte that a slice shows can change.
            let advised = unsafe {
                let (at, len) = (bytes.start, bytes.len());
                self.map.unchecked_advise_range(UncheckedAdvice::DontNeed, at, len)
            };
            // Advice that is not taken costs memory and nothing else.
            let _ = advised;
        }
        #[cfg(not(target_os = "linux"))]
        let _ = bytes;
    }
}

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map
    }
}
