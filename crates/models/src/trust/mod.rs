//! Who may be pulled from, and whose signature is wanted on what comes.
//!
//! [`Policy`] holds the rules of `sources.toml`; [`Key`] checks signatures. Neither asks a network:
//! who has something to check brings it.
//!
//! A source is compared in one way of writing it, without tag, quantisation, file or revision:
//!
//! ```text
//! hf:owner/repo               ollama:host/namespace/name      oci:host[:port]/path/of/repo
//! https://host[:port]/path    http://host[:port]/path         file:/absolute/path
//! ```
//!
//! Ollama's own host is `registry.ollama.ai`, and the namespace of its own models `library`. A
//! file's path has its links resolved. What can be written in two ways is refused as soon as there
//! is a rule: a usual port, a dot at the end of a host, `..`, `%`, a user, a query.

mod base64;
mod blake2b;
pub mod cosign;
mod error;
mod key;
pub mod minisign;
mod name;
mod pattern;
mod policy;
mod rules;

pub use error::{Error, Refused};
pub use key::Key;
pub use policy::Policy;

/// That something is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The key, as `models.lock` names it.
    pub by: String,
    /// What the signer says about it, which nobody but the owner of the key can have written.
    pub comment: Option<String>,
}
