//! What can be wrong with a model file that is sound as a file.

use std::fmt;

/// Why a model cannot be loaded.
#[derive(Debug)]
pub enum Error {
    /// The file itself cannot be read.
    File(formats::Error),
    /// A file beside the weights cannot be read, or is not what it should be.
    Beside {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// No family has this architecture.
    UnknownFamily {
        /// What the file says.
        found: String,
        /// The families there are.
        known: Vec<&'static str>,
    },
    /// A hyper-parameter is not there.
    MissingKey {
        /// Its name.
        key: String,
    },
    /// A hyper-parameter has a value with which the recipe cannot work.
    Value {
        /// Its name.
        key: String,
        /// What is wrong.
        why: String,
    },
    /// A tensor is not there.
    MissingTensor {
        /// Its name.
        name: String,
    },
    /// A tensor has another shape than the hyper-parameters say.
    Shape {
        /// Its name.
        name: String,
        /// The shape that was expected, outermost dimension first.
        expected: Vec<usize>,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// A tensor is stored in a way that cannot be computed with.
    Storage {
        /// Its name.
        name: String,
        /// The storage.
        storage: &'static str,
    },
    /// The file has tensors that the recipe does not use, so it is not the model it says it is.
    Unused {
        /// Their names.
        names: Vec<String>,
    },
    /// The system does not give memory for the weights.
    Memory {
        /// Bytes that were asked for.
        needed: usize,
        /// What the system says.
        source: std::io::Error,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Error::File(error) => error.fmt(f),
            Error::Beside { path, why } => write!(f, "{}: {why}", path.display()),
            Error::UnknownFamily { found, known } => write!(
                f,
                "the model's architecture is `{found}`, which hearth does not know; it knows {}",
                known.join(", ")
            ),
            Error::MissingKey { key } => write!(f, "the model lacks the hyper-parameter `{key}`"),
            Error::Value { key, why } => write!(f, "the hyper-parameter `{key}` {why}"),
            Error::MissingTensor { name } => write!(f, "the model lacks the tensor `{name}`"),
            Error::Shape { name, expected, found } => write!(
                f,
                "the tensor `{name}` is {found:?}, but the model's hyper-parameters ask for \
                 {expected:?}"
            ),
            Error::Storage { name, storage } => {
                write!(
                    f,
                    "the tensor `{name}` is stored as {storage}, with which hearth cannot compute"
                )
            }
            Error::Unused { names } => write!(
                f,
                "the model has {} tensor(s) that its architecture does not use, so it is something \
                 else: {}",
                names.len(),
                first_few(names)
            ),
            Error::Memory { needed, source } => {
                let mib = needed.div_ceil(1 << 20);
                write!(f, "the system gives no {mib} MiB of memory for the weights: {source}")
            }
        }
    }
}

fn first_few(names: &[String]) -> String {
    const SHOWN: usize = 4;
    let more = if names.len() > SHOWN { ", …" } else { "" };
    names[..names.len().min(SHOWN)].join(", ") + more
}

impl std::error::Error for Error {}

impl From<formats::Error> for Error {
    fn from(error: formats::Error) -> Error {
        Error::File(error)
    }
}
