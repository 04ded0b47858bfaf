//! How a command fails: what was wrong, the way out, and the exit code.
//!
//! | code | meaning |
//! |------|---------|
//! | 0 | done |
//! | 1 | something on this machine failed: a full disk, a file that cannot be written |
//! | 2 | the command line was wrong |
//! | 3 | the model cannot be used: not there, damaged, or of a family hearth does not know |
//! | 4 | the request cannot be met: a prompt or a model that does not fit, a setting out of range |
//! | 70 | a defect in hearth |
//! | 130 | ended by Ctrl-C |

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use crate::output::{note, visible};

/// Characters of a message: what one screen holds.
const MESSAGE_MAX: usize = 1500;

/// Why a command ended early.
#[derive(Debug)]
pub enum Failure {
    /// This machine's side.
    Machine(String),
    /// The model's side; with a way out.
    Model(String, String),
    /// The request's side.
    Request(String),
    /// The reader of our output went away, as `head` does; nobody is left to be told.
    NobodyReads,
    /// Ctrl-C.
    Interrupted,
}

impl Failure {
    /// A model that cannot be used, and what may help.
    pub fn model(path: &Path, why: impl Display, way_out: &str) -> Failure {
        let (why, path) = (why.to_string(), path.display().to_string());
        // Errors of the files' own readers name the file already.
        let message = if why.contains(&path) { why } else { format!("{path}: {why}") };
        Failure::Model(message, way_out.to_owned())
    }

    /// Something on this machine that failed.
    pub fn machine(why: impl Display) -> Failure {
        Failure::Machine(why.to_string())
    }

    /// A file that could not be written.
    pub fn writing(path: &Path, error: &io::Error) -> Failure {
        Failure::Machine(format!("cannot write {}: {error}", path.display()))
    }

    /// Tells the user, and gives the exit code.
    pub fn report(self) -> ExitCode {
        let (message, way_out, code) = match self {
            Failure::Machine(message) => (message, None, 1),
            Failure::Model(message, way_out) => (message, Some(way_out), 3),
            Failure::Request(message) => (message, None, 4),
            Failure::NobodyReads => return ExitCode::SUCCESS,
            Failure::Interrupted => return ExitCode::from(130),
        };
        // Messages quote files, which may hold anything, and at any length.
        let message: String = visible(&message).chars().take(MESSAGE_MAX).collect();
        match way_out.filter(|way_out| !way_out.is_empty()) {
            Some(way_out) => note(&format!("{message}\n  {way_out}")),
            None => note(&message),
        }
        ExitCode::from(code)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::NobodyReads,
            _ => Failure::Machine(format!("cannot write to standard output: {error}")),
        }
    }
}

impl From<engine::Error> for Failure {
    fn from(error: engine::Error) -> Failure {
        match error {
            engine::Error::NotFinite { .. } => Failure::Model(error.to_string(), String::new()),
            _ => Failure::Request(error.to_string()),
        }
    }
}

impl From<Failure> for turn::Fault {
    fn from(failure: Failure) -> turn::Fault {
        let message = match failure {
            Failure::Model(message, way_out) => format!("{message}. {way_out}"),
            Failure::Machine(message) | Failure::Request(message) => message,
            Failure::NobodyReads | Failure::Interrupted => "it was interrupted".to_owned(),
        };
        turn::Fault::new(turn::Side::Us, message.trim())
    }
}

impl From<turn::Fault> for Failure {
    fn from(fault: turn::Fault) -> Failure {
        match fault.side {
            turn::Side::Caller => Failure::Request(fault.message),
            turn::Side::Us if fault.kind == turn::Kind::NoRoom => Failure::Request(fault.message),
            turn::Side::Us => Failure::Model(fault.message, String::new()),
        }
    }
}

/// Makes a panic one message that asks for a report, with a backtrace only if that is asked for.
pub fn announce_panics() {
    let backtrace = std::env::var_os("RUST_BACKTRACE").map(|_| std::panic::take_hook());
    std::panic::set_hook(Box::new(move |panic| {
        match &backtrace {
            Some(show) => show(panic),
            None => note(&format!("a defect in hearth itself: {panic}")),
        }
        note("please report it, with what you typed; RUST_BACKTRACE=1 shows where it was");
        std::process::exit(70);
    }));
}
