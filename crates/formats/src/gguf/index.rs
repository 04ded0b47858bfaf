//! Where the named entries of a file begin. Four bytes each in file order, four in name order.
//!
//! The smallest entry of a file takes 13 bytes, so an index is always smaller than what it points
//! into. Names stay in the file and are read from there at each comparison.

use crate::error::{Error, Reason};
use crate::limits;

use super::read::Cursor;

/// Positions of entries that each begin with their name.
#[derive(Debug)]
pub(super) struct Index {
    /// In the order of the file.
    pub(super) positions: Vec<u32>,
    /// In the order of the names.
    by_name: Vec<u32>,
}

impl Index {
    /// Reads `count` entries, of which the caller knows that so many can be left.
    pub(super) fn collect<'a>(
        cursor: &mut Cursor<'a>,
        count: u64,
        mut step: impl FnMut(&mut Cursor<'a>) -> Result<(), Error>,
    ) -> Result<Index, Error> {
        let mut positions = Vec::with_capacity(count as usize);
        for _ in 0..count {
            positions.push(position(cursor)?);
            step(cursor)?;
        }
        let mut by_name = positions.clone();
        by_name.sort_unstable_by_key(|&at| (name_at(cursor.bytes(), at), at));
        Ok(Index { positions, by_name })
    }

    /// A name that is there twice, and the position of its second entry.
    pub(super) fn duplicate<'a>(&self, bytes: &'a [u8]) -> Option<(&'a [u8], usize)> {
        let same = |pair: &&[u32]| name_at(bytes, pair[0]) == name_at(bytes, pair[1]);
        let pair = self.by_name.windows(2).find(same)?;
        Some((name_at(bytes, pair[1]), pair[1] as usize))
    }

    /// The position of the entry with that name.
    pub(super) fn find(&self, bytes: &[u8], name: &str) -> Option<u32> {
        let found = self.by_name.binary_search_by_key(&name.as_bytes(), |&at| name_at(bytes, at));
        found.ok().map(|place| self.by_name[place])
    }
}

fn position(cursor: &Cursor<'_>) -> Result<u32, Error> {
    let (what, found) = ("a metadata section", cursor.at() as u64);
    let limit = limits::METADATA_BYTES;
    u32::try_from(found).map_err(|_| cursor.fail(Reason::TooMany { what, found, limit }))
}

fn name_at(bytes: &[u8], at: u32) -> &[u8] {
    Cursor::starting(bytes, at as usize).byte_string().unwrap_or_default()
}
