//! The keys of those whose signature is wanted.

use std::path::Path;

use super::{cosign, minisign, policy};

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// For files: beside `model.gguf` lies `model.gguf.minisig`.
    Minisign(minisign::Key),
    /// For artefacts of registries, and for files: beside `model.gguf` lies `model.gguf.sig`.
    Cosign(cosign::Key),
}

impl Key {
    /// What `models.lock` calls it.
    pub fn name(&self) -> String {
        match self {
            Key::Minisign(key) => key.name(),
            Key::Cosign(key) => key.name(),
        }
    }

    /// A key as it stands in `sources.toml`, or a file of one, relative to `folder`.
    pub(super) fn read(kind: &str, text: &str, folder: &Path) -> Result<Key, String> {
        let is_key = match kind {
            "minisign" => text.starts_with("RW"),
            _ => text.trim_start().starts_with("-----BEGIN"),
        };
        let (text, place) = if is_key {
            (text.to_owned(), String::new())
        } else {
            let path = folder.join(text);
            let place = format!("{}: ", path.display());
            (policy::read(&path).map_err(|error| format!("{place}{error}"))?, place)
        };
        let key = match kind {
            "minisign" => minisign::Key::parse(text.trim()).map(Key::Minisign),
            _ => cosign::Key::parse(&text).map(Key::Cosign),
        };
        key.map_err(|why| format!("{place}{why}"))
    }
}
