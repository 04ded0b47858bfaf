//! Memory for the packed weights of a model: one piece, in large pages where the system has them.

use std::io;
use std::ops::Range;

use memmap2::{MmapMut, MmapOptions};

/// Where one matrix begins in the arena; also the width of a cache line.
const ALIGNMENT: usize = 64;

/// The memory; whole until it has been filled, then shared and read.
pub(crate) struct Arena(MmapMut);

impl Arena {
    /// Zeroed memory. The system gives it page by page as it is written.
    pub fn new(len: usize) -> io::Result<Arena> {
        let memory = MmapMut::map_anon(len.max(1))?;
        // Small pages cost a third of the bandwidth. Without large ones it works all the same.
        #[cfg(target_os = "linux")]
        let _ = memory.advise(memmap2::Advice::HugePage);
        Ok(Arena(memory))
    }

    /// Addresses for so many bytes, which will not be written: they take no memory.
    pub fn promised(len: usize) -> io::Result<Arena> {
        MmapOptions::new().len(len.max(1)).no_reserve_swap().map_anon().map(Arena)
    }

    pub fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.0[range]
    }

    pub fn bytes_mut(&mut self, range: Range<usize>) -> &mut [u8] {
        &mut self.0[range]
    }
}

/// Gives out ranges of an arena that does not exist yet.
#[derive(Default)]
pub(crate) struct Plan {
    end: usize,
}

impl Plan {
    /// The next `len` bytes.
    pub fn take(&mut self, len: usize) -> Range<usize> {
        let start = self.end.next_multiple_of(ALIGNMENT);
        self.end = start + len;
        start..self.end
    }

    /// Bytes that all ranges need.
    pub fn len(&self) -> usize {
        self.end
    }
}
