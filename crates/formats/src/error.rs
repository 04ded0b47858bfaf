//! What can be wrong with a file, said so that its owner understands it.
//!
//! An `Error` is a place (file and byte) and a `Reason` with the numbers that did not agree.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a file could not be read or written, and where in it.
#[derive(Debug)]
pub struct Error {
    /// The file, unless the bytes came from memory.
    pub file: Option<PathBuf>,
    /// The byte of the file where the trouble begins.
    pub at: Option<u64>,
    /// What was wrong there.
    pub reason: Reason,
}

/// What was wrong. Names from files are quoted, shortened, and have no raw control characters.
#[derive(Debug)]
#[non_exhaustive]
#[allow(missing_docs)] // Each variant's sentence is in `Display` below.
pub enum Reason {
    Io(io::Error),
    NotTheFormat { format: &'static str, looks: &'static str },
    NoModel,
    Version { found: u32 },
    BigEndian,
    CutShort { what: &'static str, needed: u64, left: u64 },
    TooMany { what: &'static str, found: u64, limit: u64 },
    NotUtf8 { what: &'static str },
    TooDeep { limit: usize },
    UnknownValueType { found: u32 },
    NotABool { found: u8 },
    DuplicateKey { key: String },
    MissingKey { key: String },
    WrongType { key: String, expected: &'static str, found: &'static str },
    DoesNotFit { key: String, value: i128, expected: &'static str },
    Alignment { found: u64 },
    Json { expected: &'static str },
    Tensor { name: String, flaw: Flaw },
    UnclaimedBytes { start: u64, end: u64 },
    PartName { expected: String },
    PartMissing { number: u64, count: u64 },
    PartPath { path: String },
    PartsDisagree { what: &'static str, expected: u64, found: u64 },
}

/// What is wrong with one tensor.
#[derive(Debug)]
#[non_exhaustive]
#[allow(missing_docs)] // Each variant's sentence is in `Display` below.
pub enum Flaw {
    Duplicate,
    Missing,
    UnknownStorage { found: String },
    NoIdInGguf { storage: &'static str },
    MissingField { field: &'static str },
    Dimensions { found: u64, least: usize, most: usize },
    ZeroDimension,
    TooLarge,
    PartialBlock { row: u64, block: usize },
    Misaligned { offset: u64, alignment: u64 },
    PastEnd { end: u64, length: u64 },
    Overlaps { other: String },
    Size { expected: u64, found: u64 },
}

impl Error {
    pub(crate) fn at(at: usize, reason: Reason) -> Error {
        Error { file: None, at: Some(at as u64), reason }
    }

    /// The same error with the file's name, unless it has one already.
    pub(crate) fn in_file(mut self, path: &Path) -> Error {
        self.file.get_or_insert_with(|| path.to_owned());
        self
    }
}

impl Flaw {
    /// The reason that this flaw is in the tensor of that name.
    pub(crate) fn of(self, name: &str) -> Reason {
        Reason::Tensor { name: shown(name.as_bytes()), flaw: self }
    }
}

impl From<Reason> for Error {
    fn from(reason: Reason) -> Error {
        Error { file: None, at: None, reason }
    }
}

impl From<io::Error> for Error {
    fn from(problem: io::Error) -> Error {
        Error::from(Reason::Io(problem))
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.reason {
            Reason::Io(problem) => Some(problem),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}: ", file.display())?;
        }
        write!(f, "{}", self.reason)?;
        match self.at {
            Some(at) => write!(f, " (at byte {at})"),
            None => Ok(()),
        }
    }
}

#[rustfmt::skip] // One reason, one sentence, as few lines as it takes.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Reason::*;
        match self {
            Io(problem) => write!(f, "{problem}"),
            NotTheFormat { format, looks } => write!(f, "this is not a {format} file: {looks}"),
            NoModel => write!(f, "this folder has no model.safetensors \
                and no model.safetensors.index.json"),
            Version { found: 1 } => write!(f, "GGUF version 1 is not supported: \
                convert the model again with current tools"),
            Version { found } => write!(f, "GGUF version {found} is not supported, \
                only versions 2 and 3 are"),
            BigEndian => write!(f, "this GGUF file is big-endian, \
                and only little-endian ones are supported"),
            CutShort { what, needed, left } => write!(f, "the file ends too early: \
                {what} needs {needed} bytes, but {left} are left"),
            TooMany { what, found, limit } => write!(f, "{what} of {found} is over \
                the limit of {limit}"),
            NotUtf8 { what } => write!(f, "{what} is not valid UTF-8"),
            TooDeep { limit } => write!(f, "values are nested more than {limit} levels deep"),
            UnknownValueType { found } => write!(f, "metadata type {found} is unknown"),
            NotABool { found } => write!(f, "a bool must be 0 or 1, and this one is {found}"),
            DuplicateKey { key } => write!(f, "the key {key} is there twice"),
            MissingKey { key } => write!(f, "the key {key} is missing"),
            WrongType { key, expected, found } => write!(f, "the key {key} holds a value of type \
                {found} where {expected} is needed"),
            DoesNotFit { key, value, expected } => write!(f, "the key {key} holds {value}, \
                which does not fit {expected}"),
            Alignment { found } => write!(f, "general.alignment is {found}, \
                and must be a power of two, at most 1048576"),
            Json { expected } => write!(f, "the JSON should have {expected} here"),
            Tensor { name, flaw } => write!(f, "the tensor {name} {flaw}"),
            UnclaimedBytes { start, end } => write!(f, "the bytes {start} to {end} of the data \
                belong to no tensor"),
            PartName { expected } => write!(f, "this is one part of a split model, \
                so its name must end in {expected}"),
            PartMissing { number, count } => write!(f, "part {number} of {count} of this model \
                is missing"),
            PartPath { path } => write!(f, "{path} is no name of a file in this folder"),
            PartsDisagree { what, expected, found } => write!(f, "the parts do not belong \
                together: {what} is {found} where {expected} is needed"),
        }
    }
}

#[rustfmt::skip] // As above.
impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Flaw::*;
        match self {
            Duplicate => write!(f, "is there twice"),
            Missing => write!(f, "is in the index, but not in the file that the index names"),
            UnknownStorage { found } => write!(f, "is stored in the unknown type {found}"),
            NoIdInGguf { storage } => write!(f, "is stored as {storage}, which GGUF cannot hold"),
            MissingField { field } => write!(f, "has no {field}"),
            Dimensions { found, least, most } => write!(f, "has {found} dimensions, \
                where {least} to {most} are allowed"),
            ZeroDimension => write!(f, "has a dimension of zero"),
            TooLarge => write!(f, "is larger than any file can be"),
            PartialBlock { row, block } => write!(f, "has rows of {row} numbers, \
                which are not whole blocks of {block}"),
            Misaligned { offset, alignment } => write!(f, "lies at offset {offset}, \
                which is no multiple of {alignment}"),
            PastEnd { end, length } => write!(f, "ends at byte {end}, and the file at {length}: \
                perhaps it was not downloaded in full"),
            Overlaps { other } => write!(f, "shares bytes with the tensor {other}"),
            Size { expected, found } => write!(f, "has {found} bytes, \
                and its type and shape ask for {expected}"),
        }
    }
}

/// A name from a file as a message shows it: quoted, escaped, and not longer than a line.
pub(crate) fn shown(name: &[u8]) -> String {
    const LONGEST: usize = 80;
    let cut = &name[..name.len().min(LONGEST)];
    let mut text = format!("{:?}", String::from_utf8_lossy(cut));
    if cut.len() < name.len() {
        text.push('…');
    }
    text
}
