//! Why the store cannot do what it is asked.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// What went wrong.
#[derive(Debug)]
pub enum Error {
    /// A file or folder of the store.
    File {
        /// What was tried: open, write, …
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The lock file is not one.
    Pins {
        /// Its path.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Nothing has this name.
    Unknown {
        /// The name.
        name: String,
        /// Names that are like it.
        alike: Vec<String>,
    },
    /// The name stood for nothing else before.
    NoHistory {
        /// The name.
        name: String,
    },
    /// A model's file is not where it was.
    Missing {
        /// The model.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// A file in somebody else's care is not where it was.
    Gone {
        /// The model.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// A model's file has another length than when it was pinned.
    Length {
        /// The model.
        name: String,
        /// The file.
        path: PathBuf,
        /// Its bytes.
        found: u64,
        /// What they were.
        wanted: u64,
    },
    /// A file in somebody else's care was written since it was pinned.
    Written {
        /// The model.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// The name has come to stand for something else in the meantime.
    Overtaken {
        /// The name.
        name: String,
    },
    /// A folder in which another program keeps its files.
    NotOurs {
        /// The folder.
        path: PathBuf,
    },
    /// This cannot be a model's name, or that of one of its files.
    Name {
        /// What was given.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Who waited for another process wants no more.
    Stopped,
}

impl Error {
    /// Whether the disk is full, or what its user may have of it.
    pub fn is_full(&self) -> bool {
        matches!(self, Error::File { error, .. } if is_full(error))
    }
}

/// Whether there is no room on a disk, or no more than its user may have.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Error::File { verb, path, error } => {
                write!(f, "cannot {verb} {}: {error}", path.display())
            }
            Error::Pins { path, why } => write!(f, "{}: {why}", path.display()),
            Error::Unknown { name, alike } => {
                write!(f, "there is no model {name}")?;
                if !alike.is_empty() {
                    write!(f, "; there is {}", alike.join(", "))?;
                }
                Ok(())
            }
            Error::NoHistory { name } => {
                write!(f, "{name} has stood for nothing else; there is nothing to go back to")
            }
            Error::Missing { name, path } => {
                write!(f, "{name} is not complete: {} is gone", path.display())
            }
            Error::Gone { name, path } => {
                let path = path.display();
                write!(f, "{name} is not complete: {path} is gone, which is in others' care")
            }
            Error::Length { name, path, found, wanted } => {
                let path = path.display();
                write!(f, "{name} is damaged: {path} has {found} bytes, and had {wanted}")
            }
            Error::Written { name, path } => {
                write!(f, "{} has been written since {name} was pinned", path.display())
            }
            Error::Overtaken { name } => {
                write!(f, "another process has changed what {name} stands for; try again")
            }
            Error::NotOurs { path } => {
                let path = path.display();
                write!(f, "{path} has files and no models.lock: it is no store of hearth's")
            }
            Error::Name { name, why } => write!(f, "{name:?} cannot be a name: {why}"),
            Error::Stopped => f.write_str("it was stopped"),
        }
    }
}

impl std::error::Error for Error {}
