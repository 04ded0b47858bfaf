//! What can be wrong with a tokenizer's description. Encoding and decoding never fail.

use std::fmt;
use std::path::PathBuf;

/// Why a tokenizer could not be built.
#[derive(Debug)]
#[allow(missing_docs)]
pub enum Error {
    /// The GGUF file itself, or the type of one of its values.
    Gguf(formats::Error),
    /// A file of the folder could not be read.
    Read { path: PathBuf, error: std::io::Error },
    /// JSON that does not parse, or that lacks a field.
    Json { file: &'static str, error: serde_json::Error },
    /// A key without which no tokenizer can be built.
    Missing { what: &'static str },
    /// A kind of tokenizer that is not known here.
    UnknownModel { name: String, known: &'static str },
    /// A value of `tokenizer.ggml.pre` that is not known here.
    UnknownPre { name: String, known: String },
    /// A part of `tokenizer.json` that is not supported.
    Unsupported { what: &'static str, name: String },
    /// A pattern of `tokenizer.json` that cannot be run.
    Pattern { pattern: String, reason: String },
    /// An array whose length or type does not fit.
    Array { key: &'static str, expected: String, found: String },
    /// A token that is not UTF-8, or too long.
    Token { id: u32, reason: &'static str },
    /// Two ids with one text.
    Duplicate { piece: String, first: u32, second: u32 },
    /// An id that no token has, or that is far beyond the number of tokens.
    Id { what: &'static str, id: u64, len: usize },
    /// A merge that names a token which the vocabulary lacks, or that has not two halves.
    Merge { index: usize, text: String },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Gguf(error) => write!(f, "tokenizer in GGUF: {error}"),
            Error::Read { path, error } => write!(f, "{}: {error}", path.display()),
            Error::Json { file, error } => write!(f, "{file}: {error}"),
            Error::Missing { what } => write!(f, "tokenizer: {what} is missing"),
            Error::UnknownModel { name, known } => {
                write!(f, "tokenizer model {name:?} is not known (known: {known})")
            }
            Error::UnknownPre { name, known } => {
                write!(f, "pre-tokenizer {name:?} is not known (known: {known})")
            }
            Error::Unsupported { what, name } => {
                write!(f, "tokenizer.json: {what} {name:?} is not supported")
            }
            Error::Pattern { pattern, reason } => {
                write!(f, "tokenizer.json: pattern {pattern:?}: {reason}")
            }
            Error::Array { key, expected, found } => {
                write!(f, "{key}: expected {expected}, found {found}")
            }
            Error::Token { id, reason } => write!(f, "token {id} {reason}"),
            Error::Duplicate { piece, first, second } => {
                write!(f, "tokens {first} and {second} are both {piece:?}")
            }
            Error::Id { what, id, len } => {
                write!(f, "{what} is token {id}, but the vocabulary has {len} tokens")
            }
            Error::Merge { index, text } => {
                write!(f, "merge {index} ({text:?}) is not two tokens that make a third")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Gguf(error) => Some(error),
            Error::Read { error, .. } => Some(error),
            Error::Json { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl From<formats::Error> for Error {
    fn from(error: formats::Error) -> Error {
        Error::Gguf(error)
    }
}
