//! Ollama's dialect.

mod error;

pub(crate) use error::refusal;

use crate::server::Route;

/// The routes of this dialect.
pub(crate) fn routes() -> Vec<Route> {
    Vec::new()
}
