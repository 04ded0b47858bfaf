//! What can go wrong, said so that the owner of the file knows what to do.

use std::fmt;
use std::io;

use crate::document::MOST_BYTES;

/// Why a document was not read, or an index does not answer.
#[derive(Debug)]
pub enum Error {
    /// The file cannot be opened or read.
    Unreadable {
        /// Its path.
        file: String,
        /// What the system says.
        reason: io::Error,
    },
    /// The file, or the text, has more than [`MOST_BYTES`].
    TooLarge {
        /// Its name.
        file: String,
    },
    /// The file is of a kind that is not read.
    NotText {
        /// Its path.
        file: String,
        /// What it seems to be.
        looks: &'static str,
    },
    /// The database of an index failed, for instance for want of memory.
    Index {
        /// What it says.
        reason: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Unreadable { file, reason } => write!(f, "{file}: {reason}"),
            Error::TooLarge { file } => {
                let most = MOST_BYTES >> 20;
                write!(f, "{file}: more than {most} MiB; split it into smaller files")
            }
            Error::NotText { file, looks } => {
                write!(f, "{file}: not text but {looks}; save it as text, Markdown or HTML")
            }
            Error::Index { reason } => write!(f, "the index of passages failed: {reason}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Unreadable { reason, .. } => Some(reason),
            _ => None,
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Error {
        Error::Index { reason: error.to_string() }
    }
}
