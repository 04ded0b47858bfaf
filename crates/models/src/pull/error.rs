//! Why something cannot be got. Each sentence says what was wrong and what to do, and none holds a
//! token or the query of an address, which may be signed.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::store::is_full;

/// Why a model cannot be found or fetched.
#[derive(Debug)]
pub enum Error {
    /// A name that is no source.
    Name {
        /// What was given.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// A setting that cannot be meant so.
    Setting {
        /// Its name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// Hearth was told to stay off the network.
    Offline {
        /// What was to be asked.
        what: String,
    },
    /// Nobody answers, or not as one should, also after some tries.
    Unreachable {
        /// Who was asked.
        host: String,
        /// What happened last.
        why: String,
        /// How often it was tried.
        tries: u32,
    },
    /// An address that must not be asked.
    Address {
        /// The address.
        address: String,
        /// Why not.
        why: String,
    },
    /// Who was asked wants to know who asks.
    Denied {
        /// Who was asked.
        host: String,
        /// What can be done.
        hint: String,
    },
    /// Terms must be accepted first.
    Gated {
        /// Where.
        terms: String,
    },
    /// It is not there.
    Missing {
        /// What.
        what: String,
    },
    /// An answer that nobody expects.
    Status {
        /// Who was asked.
        address: String,
        /// The status.
        status: u16,
    },
    /// What a registry says is not what registries say.
    Malformed {
        /// What it was to say.
        what: String,
        /// What is wrong.
        why: String,
    },
    /// A name of a file that could do harm here.
    FileName {
        /// The name.
        name: String,
        /// Why.
        why: &'static str,
    },
    /// Several files could be meant.
    Choice {
        /// What was asked for.
        source: String,
        /// The choices, with their sizes.
        choices: Vec<(String, u64)>,
    },
    /// A kind of model that hearth does not run.
    Unsupported {
        /// The source.
        source: String,
        /// What it is.
        why: String,
    },
    /// More or fewer bytes than were promised.
    Size {
        /// The file.
        file: String,
        /// What was promised.
        stated: u64,
        /// What there is.
        found: String,
    },
    /// Longer than files may be.
    TooLong {
        /// The file.
        file: String,
        /// The limit.
        limit: u64,
    },
    /// The file is another one each time.
    Changed {
        /// The file.
        file: String,
    },
    /// The bytes are not those that were promised.
    Digest {
        /// The file.
        file: String,
        /// What was promised.
        stated: String,
        /// What came.
        found: String,
    },
    /// The disk is full.
    Full {
        /// Where.
        path: PathBuf,
    },
    /// A file here cannot be read or written.
    Disk {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Who was told of the progress wants no more.
    Stopped,
}

impl Error {
    /// What the disk says of a file.
    pub(super) fn disk(path: &Path, error: io::Error) -> Error {
        let path = path.to_owned();
        if is_full(&error) { Error::Full { path } } else { Error::Disk { path, error } }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Error::Name { name, why } => write!(f, "{:?} names no model: {why}", shortened(name)),
            Error::Setting { name, why } => write!(f, "{name}: {why}"),
            Error::Offline { what } => {
                write!(f, "{what} would have to be asked for, and hearth is told to stay offline")
            }
            Error::Unreachable { host, why, tries: 1 } => write!(f, "{host}: {why}"),
            Error::Unreachable { host, why, tries } => {
                write!(f, "{host}: {why}; it was tried {tries} times. Try again later")
            }
            Error::Address { address, why } => write!(f, "{address} is not asked: {why}"),
            Error::Denied { host, hint } => write!(f, "{host} lets nobody in unnamed: {hint}"),
            Error::Gated { terms } => write!(
                f,
                "the model's terms must be accepted: accept the terms at {terms}, and set HF_TOKEN \
                 to a token of the same account"
            ),
            Error::Missing { what } => write!(f, "there is no {what}"),
            Error::Status { address, status } => {
                write!(f, "{address} answers with the status {status}")
            }
            Error::Malformed { what, why } => write!(f, "{what} cannot be read: {why}"),
            Error::FileName { name, why } => {
                write!(f, "the file name {:?} is refused: {why}", shortened(name))
            }
            Error::Choice { source, choices } => {
                write!(f, "{source} has several models; add `:` and one of these: ")?;
                write_choices(f, choices)
            }
            Error::Unsupported { source, why } => write!(f, "{source}: {why}"),
            Error::Size { file, stated, found } => {
                write!(f, "{file} should have {stated} bytes, but has {found}; nothing is kept")
            }
            Error::TooLong { file, limit } => {
                write!(f, "{file} has more than {limit} bytes, which is the limit")
            }
            Error::Changed { file } => {
                write!(f, "{file} changes while it is fetched, twice in a row. Try again later")
            }
            Error::Digest { file, stated, found } => write!(
                f,
                "{file} is not what was promised: {stated} was stated, and {found} came; nothing \
                 of it is kept"
            ),
            Error::Full { path } => write!(
                f,
                "{}: the disk is full. When there is room, the same command goes on; `hearth rm \
                 --unfinished` frees what has come of this and other downloads",
                path.display()
            ),
            Error::Disk { path, error } => write!(f, "{}: {error}", path.display()),
            Error::Stopped => f.write_str("it was stopped"),
        }
    }
}

impl std::error::Error for Error {}

fn write_choices(f: &mut fmt::Formatter, choices: &[(String, u64)]) -> fmt::Result {
    for (at, (name, size)) in choices.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        write!(f, "{comma}{name} ({:.2} GB)", *size as f64 / 1e9)?;
    }
    Ok(())
}

/// The beginning of what somebody else wrote.
fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}
