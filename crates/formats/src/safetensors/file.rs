//! One safetensors file: the walk that checks its header, and the index that finds tensors in it.
//!
//! The header is walked twice, to count and then to fill, so that the index is allocated once and
//! at its final size: 28 bytes for a tensor, whose entry in the header has at least 50.

use std::borrow::Cow;
use std::path::Path;

use crate::error::{Error, Flaw, Reason, shown};
use crate::json::{Json, Raw};
use crate::limits;
use crate::looks::looks_like;
use crate::source::Source;
use crate::storage::Storage;
use crate::tensor::{Shape, Tensor};

const LENGTH_BYTES: usize = 8;
const METADATA: &str = "__metadata__";

/// One file, with every entry of its header checked.
#[derive(Debug)]
pub(super) struct File {
    source: Source,
    /// Where the tensors' bytes begin.
    data: usize,
    /// In the order of the header.
    entries: Vec<Entry>,
    /// Positions in `entries`, in the order of the names.
    by_name: Vec<u32>,
    /// Where in the header the object of notes begins.
    metadata: Option<u32>,
}

/// A tensor's name, and where in the header its object begins.
#[derive(Debug)]
struct Entry {
    name: Name,
    body: u32,
}

/// A name stays in the header, unless it was written with escapes.
#[derive(Debug)]
enum Name {
    InHeader { start: u32, length: u32 },
    Decoded(Box<str>),
}

/// The object that describes one tensor.
struct Body {
    storage: Storage,
    shape: Shape,
    begin: u64,
    end: u64,
}

impl File {
    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    pub(super) fn open(path: &Path) -> Result<File, Error> {
        File::read(Source::open(path)?).map_err(|error| error.in_file(path))
    }

    pub(super) fn read(source: Source) -> Result<File, Error> {
        let data = LENGTH_BYTES + header_length(&source)?;
        let header = &source[LENGTH_BYTES..data];
        let (count, metadata) = check_header(header)?;
        let entries = collect(header, count)?;
        check_places(header, &entries, (source.len() - data) as u64)?;
        let by_name = sort(header, &entries)?;
        Ok(File { data, entries, by_name, metadata, source })
    }

    pub(super) fn len(&self) -> usize {
        self.source.len()
    }

    pub(super) fn tensors(&self) -> impl Iterator<Item = Tensor<'_>> {
        self.entries.iter().filter_map(|entry| self.view(entry))
    }

    pub(super) fn tensor(&self, name: &str) -> Option<Tensor<'_>> {
        let header = self.header();
        let name_of = |&at: &u32| self.entries[at as usize].name.text(header);
        let found = self.by_name.binary_search_by_key(&name, name_of).ok()?;
        self.view(&self.entries[self.by_name[found] as usize])
    }

    pub(super) fn metadata(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        let mut notes = self.metadata.map(|at| Json::starting(self.header(), at as usize));
        let pairs = std::iter::from_fn(move || notes.as_mut()?.next_pair());
        pairs.map(|(name, note)| (name.decoded(), note.decoded()))
    }

    fn header(&self) -> &[u8] {
        &self.source[LENGTH_BYTES..self.data]
    }

    fn view<'a>(&'a self, entry: &'a Entry) -> Option<Tensor<'a>> {
        let name = entry.name.text(self.header());
        let Body { storage, shape, begin, end } = entry.body(self.header()).ok()?;
        let (begin, end) = (usize::try_from(begin).ok()?, usize::try_from(end).ok()?);
        let bytes = self.source.get(self.data..)?.get(begin..end)?;
        Some(Tensor { name, storage, shape, bytes })
    }
}

impl Entry {
    fn body(&self, header: &[u8]) -> Result<Body, Error> {
        read_body(&mut Json::starting(header, self.body as usize), self.name.text(header))
    }
}

impl Name {
    fn text<'a>(&'a self, header: &'a [u8]) -> &'a str {
        match self {
            Name::InHeader { start, length } => {
                let start = *start as usize;
                let bytes = header.get(start..start + *length as usize);
                str::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()
            }
            Name::Decoded(text) => text,
        }
    }
}

/// The length that the file states for its header, once the bytes are there.
fn header_length(bytes: &[u8]) -> Result<usize, Error> {
    let format = "safetensors";
    let unknown = || Error::from(Reason::NotTheFormat { format, looks: looks_like(bytes) });
    let (length, rest) = bytes.split_first_chunk().ok_or_else(unknown)?;
    if rest.first().is_some_and(|&first| first != b'{') {
        return Err(unknown());
    }
    let (found, left) = (u64::from_le_bytes(*length), rest.len() as u64);
    let (what, limit) = ("the header", limits::HEADER_BYTES);
    if found > limit {
        return Err(Error::at(0, Reason::TooMany { what, found, limit }));
    }
    if found > left {
        return Err(Error::at(0, Reason::CutShort { what, needed: found, left }));
    }
    Ok(found as usize)
}

/// Steps through the header's fields.
fn walk<'a>(
    header: &'a [u8],
    field: impl FnMut(&mut Json<'a>, Raw<'a>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut json = Json::new(header, LENGTH_BYTES);
    json.object(field)?;
    json.end()
}

/// Checks all there is in the header; the number of tensors, and where the notes are.
fn check_header(header: &[u8]) -> Result<(usize, Option<u32>), Error> {
    let mut count = 0;
    let mut metadata = None;
    walk(header, |json, name| {
        if !name.is(METADATA) {
            count += 1;
            check_name(json, name)?;
            return read_body(json, &name.decoded()).map(drop);
        }
        if metadata.replace(json.at() as u32).is_some() {
            return Err(json.fail(Reason::DuplicateKey { key: shown(METADATA.as_bytes()) }));
        }
        json.object(|json, _| json.string().map(drop))
    })?;
    Ok((count, metadata))
}

fn check_name(json: &Json<'_>, name: Raw<'_>) -> Result<(), Error> {
    let (what, found, limit) = ("a tensor's name", name.text.len() as u64, limits::NAME_BYTES);
    if found > limit {
        return Err(json.fail(Reason::TooMany { what, found, limit }));
    }
    Ok(())
}

/// The index of a header that has been checked.
fn collect(header: &[u8], count: usize) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::with_capacity(count);
    walk(header, |json, name| {
        let body = json.at() as u32;
        json.skip()?;
        if !name.is(METADATA) {
            entries.push(Entry { name: Name::new(header, name), body });
        }
        Ok(())
    })?;
    Ok(entries)
}

impl Name {
    fn new(header: &[u8], raw: Raw<'_>) -> Name {
        match raw.decoded() {
            Cow::Owned(text) => Name::Decoded(text.into_boxed_str()),
            Cow::Borrowed(text) => {
                let start = text.as_ptr().addr() - header.as_ptr().addr();
                Name::InHeader { start: start as u32, length: text.len() as u32 }
            }
        }
    }
}

/// Reads `{"dtype": …, "shape": […], "data_offsets": [begin, end]}`, in any order.
fn read_body(json: &mut Json<'_>, tensor: &str) -> Result<Body, Error> {
    let start = *json;
    let (mut storage, mut shape, mut places) = (None, None, None);
    json.object(|json, field| {
        let at = *json;
        let twice = if field.is("dtype") {
            storage.replace(read_dtype(json, tensor)?).is_some()
        } else if field.is("shape") {
            shape.replace(read_shape(json, tensor)?).is_some()
        } else if field.is("data_offsets") {
            places.replace(read_places(json)?).is_some()
        } else {
            return json.skip();
        };
        let again = || at.fail(Reason::DuplicateKey { key: shown(field.text.as_bytes()) });
        if twice { Err(again()) } else { Ok(()) }
    })?;
    let missing = |field| start.fail(Flaw::MissingField { field }.of(tensor));
    let storage = storage.ok_or_else(|| missing("dtype"))?;
    let shape = shape.ok_or_else(|| missing("shape"))?;
    let (begin, end) = places.ok_or_else(|| missing("data_offsets"))?;
    let body = Body { storage, shape, begin, end };
    check_size(&body).map_err(|flaw| start.fail(flaw.of(tensor)))?;
    Ok(body)
}

fn check_size(body: &Body) -> Result<(), Flaw> {
    let size = body.shape.count().and_then(|count| body.storage.bytes(count));
    let expected = size.ok_or(Flaw::TooLarge)?;
    match body.end.checked_sub(body.begin) {
        Some(found) if found == expected => Ok(()),
        found => Err(Flaw::Size { expected, found: found.unwrap_or(0) }),
    }
}

fn read_dtype(json: &mut Json<'_>, tensor: &str) -> Result<Storage, Error> {
    let at = *json;
    let dtype = json.string()?;
    let found = || shown(dtype.text.as_bytes());
    let unknown = || at.fail(Flaw::UnknownStorage { found: found() }.of(tensor));
    Storage::from_dtype(dtype.text).ok_or_else(unknown)
}

fn read_shape(json: &mut Json<'_>, tensor: &str) -> Result<Shape, Error> {
    let mut shape = Shape::default();
    let mut found = 0;
    json.array(|json| {
        let dimension = usize::try_from(json.u64()?);
        let dimension = dimension.map_err(|_| json.fail(Flaw::TooLarge.of(tensor)))?;
        found += 1;
        let many = Flaw::Dimensions { found, least: 0, most: limits::DIMENSIONS };
        shape.push(dimension).ok_or_else(|| json.fail(many.of(tensor)))
    })?;
    Ok(shape)
}

fn read_places(json: &mut Json<'_>) -> Result<(u64, u64), Error> {
    let mut places = [None; 2];
    let mut numbers = 0;
    json.array(|json| {
        let wrong = || json.fail(Reason::Json { expected: "a begin and an end" });
        let place = places.get_mut(numbers).ok_or_else(wrong)?;
        numbers += 1;
        *place = Some(json.u64()?);
        Ok(())
    })?;
    match places {
        [Some(begin), Some(end)] => Ok((begin, end)),
        _ => Err(json.fail(Reason::Json { expected: "a begin and an end" })),
    }
}

/// Checks that the tensors fill the data from its first byte to its last, each byte once.
fn check_places(header: &[u8], entries: &[Entry], length: u64) -> Result<(), Error> {
    let mut places = Vec::with_capacity(entries.len());
    for entry in entries {
        let Body { begin, end, .. } = entry.body(header)?;
        let flaw = Flaw::PastEnd { end, length };
        if end > length {
            return Err(fail_at(entry, flaw.of(entry.name.text(header))));
        }
        places.push((begin, end));
    }
    places.sort_unstable();
    let mut reached = 0;
    for &(begin, end) in &places {
        if begin < reached {
            return Err(overlap(header, entries, (begin, end)));
        }
        if begin > reached {
            return Err(Reason::UnclaimedBytes { start: reached, end: begin }.into());
        }
        reached = end;
    }
    if reached < length {
        return Err(Reason::UnclaimedBytes { start: reached, end: length }.into());
    }
    Ok(())
}

fn fail_at(entry: &Entry, reason: Reason) -> Error {
    Error::at(LENGTH_BYTES + entry.body as usize, reason)
}

/// Finds the names of two tensors that share bytes, one of which lies at `place`.
fn overlap(header: &[u8], entries: &[Entry], place: (u64, u64)) -> Error {
    let body = |entry: &Entry| entry.body(header).map_or((0, 0), |body| (body.begin, body.end));
    let mut sharing = entries.iter().filter(|entry| {
        let (begin, end) = body(entry);
        begin == place.0 || (begin < place.1.max(place.0 + 1) && place.0 < end)
    });
    let first = sharing.next();
    let Some((first, second)) = first.zip(sharing.next()) else {
        return Reason::UnclaimedBytes { start: place.0, end: place.1 }.into();
    };
    let other = shown(first.name.text(header).as_bytes());
    fail_at(second, Flaw::Overlaps { other }.of(second.name.text(header)))
}

/// The order of the names; fails when one is there twice.
fn sort(header: &[u8], entries: &[Entry]) -> Result<Vec<u32>, Error> {
    let name = |&at: &u32| entries[at as usize].name.text(header);
    let mut by_name = (0..entries.len() as u32).collect::<Vec<_>>();
    by_name.sort_unstable_by_key(|at| (name(at), *at));
    match by_name.windows(2).find(|pair| name(&pair[0]) == name(&pair[1])) {
        Some(pair) => Err(fail_at(&entries[pair[1] as usize], Flaw::Duplicate.of(name(&pair[1])))),
        None => Ok(by_name),
    }
}
