//! Why a source is refused, and why a signature is none.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::Digest;

/// Why nothing may be had from a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A file of rules cannot be read, or something in it is wrong. Then nothing is allowed.
    Broken {
        /// Its path.
        path: PathBuf,
        /// What is wrong, and in which line.
        why: String,
    },
    /// There are rules, and the source is not written so that it can be compared with them.
    Unclear {
        /// The source.
        source: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// It is not among those that are allowed.
    NotAllowed {
        /// The source.
        source: String,
        /// The file that says so.
        path: PathBuf,
        /// What it does allow.
        allowed: Vec<String>,
    },
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Refused::Broken { path, why } => {
                write!(f, "nothing may be pulled until {} is mended: {why}", path.display())
            }
            Refused::Unclear { source, why } => {
                write!(f, "{source:?} cannot be compared with what sources.toml allows: {why}")
            }
            Refused::NotAllowed { source, path, allowed } => {
                write!(f, "{} does not allow {source}; it allows ", path.display())?;
                match &allowed[..] {
                    [] => f.write_str("nothing"),
                    allowed => f.write_str(&allowed.join(", ")),
                }
            }
        }
    }
}

impl std::error::Error for Refused {}

/// Why something does not count as signed.
#[derive(Debug)]
pub enum Error {
    /// The file cannot be read.
    File(io::Error),
    /// This is no signature.
    NoSignature {
        /// What is wrong with it.
        why: &'static str,
    },
    /// It was made with another key.
    OtherKey {
        /// The id of the key that is wanted.
        key: String,
        /// The id of the one that it was made with.
        signature: String,
    },
    /// It is not a signature of this file, or not of this key.
    Mismatch,
    /// Its comment is not the signer's.
    Comment,
    /// The file is too long for a signature of this kind.
    TooLong {
        /// Its length.
        bytes: u64,
    },
    /// Another artefact was signed.
    OtherArtefact {
        /// The digest of its manifest, as the signer wrote it.
        signed: String,
        /// The digest of the one at hand.
        wanted: Digest,
    },
    /// Who waited wants no more.
    Stopped,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Error::File(error) => write!(f, "cannot read what was signed: {error}"),
            Error::NoSignature { why } => write!(f, "this is no signature: {why}"),
            Error::OtherKey { key, signature } => {
                write!(f, "it is signed with the key {signature}, and {key} is wanted")
            }
            Error::Mismatch => f.write_str(
                "the signature is not of this file, or not of this key: do not use the file",
            ),
            Error::Comment => {
                f.write_str("the signature or its trusted comment is not as the signer wrote it")
            }
            Error::TooLong { bytes } => write!(
                f,
                "a signature of minisign's old kind is checked up to 1 GiB, and the file has \
                 {bytes} bytes: ask the signer for one that `minisign -S` makes without `-l`"
            ),
            Error::OtherArtefact { signed, wanted } => {
                write!(f, "the signature is of {signed:?}, and not of {wanted}")
            }
            Error::Stopped => f.write_str("it was stopped"),
        }
    }
}

impl std::error::Error for Error {}
