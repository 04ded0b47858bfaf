//! What a GGUF file says of one tensor, and whether all that it says can be true together.

use crate::error::{Error, Flaw, shown};
use crate::limits;
use crate::storage::Storage;
use crate::tensor::Shape;

use super::index::Index;
use super::read::Cursor;

/// The fewest bytes of an entry: a length, a count, one dimension, a type and an offset.
pub(super) const LEAST_BYTES: u64 = 8 + 4 + 8 + 4 + 8;

/// One tensor's entry.
pub(super) struct Entry<'a> {
    pub(super) name: &'a str,
    pub(super) storage: Storage,
    pub(super) shape: Shape,
    /// Bytes that the numbers take.
    pub(super) size: u64,
    /// From the beginning of the data.
    pub(super) offset: u64,
}

impl<'a> Entry<'a> {
    /// Reads an entry, and checks what can be checked without knowing the others.
    pub(super) fn read(cursor: &mut Cursor<'a>) -> Result<Entry<'a>, Error> {
        let start = cursor.at();
        let name = cursor.tensor_name()?;
        let shape = read_shape(cursor, name)?;
        let id = cursor.u32("a tensor's type")?;
        let offset = cursor.u64("a tensor's offset")?;
        let fail = |flaw: Flaw| Error::at(start, flaw.of(name));
        let unknown = || fail(Flaw::UnknownStorage { found: id.to_string() });
        let storage = Storage::from_ggml(id).ok_or_else(unknown)?;
        let size = size(storage, &shape).map_err(fail)?;
        Ok(Entry { name, storage, shape, size, offset })
    }

    /// The entry at a position from an index.
    pub(super) fn at(bytes: &'a [u8], position: u32) -> Result<Entry<'a>, Error> {
        Entry::read(&mut Cursor::starting(bytes, position as usize))
    }
}

/// The bytes of a tensor. Rows have to be whole blocks, not only the tensor.
pub(super) fn size(storage: Storage, shape: &Shape) -> Result<u64, Flaw> {
    let row = shape.last().map_or(1, |&row| row as u64);
    let block = storage.block().0;
    if !row.is_multiple_of(block as u64) {
        return Err(Flaw::PartialBlock { row, block });
    }
    shape.count().and_then(|count| storage.bytes(count)).ok_or(Flaw::TooLarge)
}

fn read_shape(cursor: &mut Cursor<'_>, name: &str) -> Result<Shape, Error> {
    let start = cursor.at();
    let fail = |flaw: Flaw| Error::at(start, flaw.of(name));
    let found = cursor.u32("the dimensions")?.into();
    let most = limits::GGUF_DIMENSIONS;
    if !(1..=most as u64).contains(&found) {
        return Err(fail(Flaw::Dimensions { found, least: 1, most }));
    }
    let mut shape = Shape::default();
    for _ in 0..found {
        let dimension = cursor.u64("a dimension")?;
        if dimension == 0 {
            return Err(fail(Flaw::ZeroDimension));
        }
        let dimension = usize::try_from(dimension).ok();
        dimension.and_then(|number| shape.push(number)).ok_or_else(|| fail(Flaw::TooLarge))?;
    }
    // The file gives the innermost dimension first.
    shape.reverse();
    Ok(shape)
}

/// Where the tensors' bytes begin, and what their offsets are multiples of.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    pub(super) data: u64,
    pub(super) alignment: u64,
}

/// Checks that every tensor lies in the file, aligned, and apart from all others.
pub(super) fn check_places(bytes: &[u8], tensors: &Index, layout: Layout) -> Result<(), Error> {
    let mut places = Vec::with_capacity(tensors.positions.len());
    for &position in &tensors.positions {
        let entry = Entry::at(bytes, position)?;
        check_place(&entry, layout, bytes.len() as u64)
            .map_err(|flaw| Error::at(position as usize, flaw.of(entry.name)))?;
        places.push((entry.offset, position));
    }
    places.sort_unstable();
    for pair in places.windows(2) {
        let (first, second) = (Entry::at(bytes, pair[0].1)?, Entry::at(bytes, pair[1].1)?);
        // No overflow: both were found to end within the file.
        if first.offset + first.size > second.offset {
            let flaw = Flaw::Overlaps { other: shown(first.name.as_bytes()) };
            return Err(Error::at(pair[1].1 as usize, flaw.of(second.name)));
        }
    }
    Ok(())
}

fn check_place(entry: &Entry<'_>, layout: Layout, length: u64) -> Result<(), Flaw> {
    let (offset, alignment) = (entry.offset, layout.alignment);
    if !offset.is_multiple_of(alignment) {
        return Err(Flaw::Misaligned { offset, alignment });
    }
    let start = layout.data.checked_add(offset);
    match start.and_then(|start| start.checked_add(entry.size)) {
        Some(end) if end <= length => Ok(()),
        Some(end) => Err(Flaw::PastEnd { end, length }),
        None => Err(Flaw::TooLarge),
    }
}
