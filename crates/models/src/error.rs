//! Why a model cannot be brought here.

use std::fmt;
use std::io;
use std::path::PathBuf;

use formats::Reason;

/// What went wrong, and on whose side.
#[derive(Debug)]
pub enum Error {
    /// The model itself: weights or hyper-parameters.
    Model(Box<arch::Error>),
    /// Its tokenizer.
    Tokenizer(Box<text::tokenizer::Error>),
    /// A file beside the weights.
    Beside {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Hearth runs this family, and does not import it yet.
    Family {
        /// Its name.
        found: String,
        /// The families that are imported.
        known: String,
    },
    /// The model has something that a GGUF file of its family cannot say.
    Unsaid {
        /// What it has, and what is known instead.
        what: String,
    },
    /// A tensor has a number that the new storage cannot hold.
    Number {
        /// The tensor.
        tensor: String,
        /// The number.
        number: f32,
        /// The storage.
        storage: &'static str,
    },
    /// The new file breaks a rule of its format.
    Format(Box<formats::Error>),
    /// The new file cannot be written.
    Write(io::Error),
    /// Who was told of the progress wants no more.
    Stopped,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Error::Model(error) => error.fmt(f),
            Error::Tokenizer(error) => error.fmt(f),
            Error::Beside { path, why } => write!(f, "{}: {why}", path.display()),
            Error::Family { found, known } => {
                write!(f, "its family is {found}; hearth imports {known}")
            }
            Error::Unsaid { what } => f.write_str(what),
            Error::Number { tensor, number, storage } => {
                write!(f, "the tensor `{tensor}` holds {number}, which {storage} cannot")
            }
            Error::Format(error) => error.fmt(f),
            Error::Write(error) => error.fmt(f),
            Error::Stopped => f.write_str("it was stopped"),
        }
    }
}

impl std::error::Error for Error {}

impl From<arch::Error> for Error {
    fn from(error: arch::Error) -> Error {
        Error::Model(Box::new(error))
    }
}

impl From<text::tokenizer::Error> for Error {
    fn from(error: text::tokenizer::Error) -> Error {
        Error::Tokenizer(Box::new(error))
    }
}

/// Of the file that is written; those that are read say what they are in other errors.
impl From<formats::Error> for Error {
    fn from(error: formats::Error) -> Error {
        match error.reason {
            Reason::Io(error) => Error::Write(error),
            _ => Error::Format(Box::new(error)),
        }
    }
}
