//! What can go wrong with a chat template, as its user should read it.
//!
//! Knows how the template engine reports failures, and turns them into the five kinds a caller can
//! act on. Does not know what the template meant.

use std::error::Error as StdError;
use std::fmt;

/// Why a template was not compiled or not rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The source is not a template this program can run.
    Syntax {
        /// The line of the source, counted from one.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// The template itself refused the conversation with `raise_exception`.
    Refused {
        /// The template's own words.
        message: String,
    },
    /// An expression could not be evaluated, for instance a list added to a string.
    Evaluation {
        /// The line of the source, when it is known.
        line: Option<usize>,
        /// What failed.
        reason: String,
    },
    /// The template ran for more steps than any honest template needs.
    OutOfFuel {
        /// The number of steps it was given.
        steps: u64,
    },
    /// The template produced more text than one rendering may.
    TooLarge {
        /// The number of bytes it was given.
        bytes: u64,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Syntax { line, reason } => {
                write!(f, "the chat template does not compile: line {line}: {reason}")
            }
            Error::Refused { message } => {
                write!(f, "the chat template refused the conversation: {message}")
            }
            Error::Evaluation { line: Some(line), reason } => {
                write!(f, "the chat template failed at line {line}: {reason}")
            }
            Error::Evaluation { line: None, reason } => {
                write!(f, "the chat template failed: {reason}")
            }
            Error::OutOfFuel { steps } => {
                write!(f, "the chat template did not finish within {steps} steps")
            }
            Error::TooLarge { bytes } => {
                write!(f, "the chat template produced more than {bytes} bytes of text")
            }
        }
    }
}

impl StdError for Error {}

/// What our own functions attach to an engine error, so that its kind survives the way up.
#[derive(Debug)]
pub(super) enum Thrown {
    Refused(String),
    TooLarge(u64),
}

impl fmt::Display for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Thrown::Refused(message) => f.write_str(message),
            Thrown::TooLarge(bytes) => write!(f, "more than {bytes} bytes"),
        }
    }
}

impl StdError for Thrown {}

impl From<Thrown> for minijinja::Error {
    fn from(thrown: Thrown) -> minijinja::Error {
        fault(thrown.to_string()).with_source(thrown)
    }
}

/// An evaluation failure in the engine's own type.
pub(super) fn fault(reason: impl Into<String>) -> minijinja::Error {
    minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, reason.into())
}

/// The failure of a rendering that had `steps` steps to spend.
pub(super) fn of_rendering(error: &minijinja::Error, steps: u64) -> Error {
    match thrown(error) {
        Some(Thrown::Refused(message)) => return Error::Refused { message: message.clone() },
        Some(Thrown::TooLarge(bytes)) => return Error::TooLarge { bytes: *bytes },
        None => {}
    }
    if error.kind() == minijinja::ErrorKind::OutOfFuel {
        return Error::OutOfFuel { steps };
    }
    Error::Evaluation { line: error.line(), reason: reason(error) }
}

/// The failure of the engine's own compiler, which sees only what we rewrote for it.
pub(super) fn of_compilation(error: &minijinja::Error) -> Error {
    Error::Syntax { line: error.line().unwrap_or(1), reason: reason(error) }
}

fn reason(error: &minijinja::Error) -> String {
    error.detail().map_or_else(|| error.kind().to_string(), str::to_owned)
}

fn thrown(error: &minijinja::Error) -> Option<&Thrown> {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(found) = current.downcast_ref::<Thrown>() {
            return Some(found);
        }
        cause = current.source();
    }
    None
}
