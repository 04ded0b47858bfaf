//! The rules of all files together.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::name::Name;
use super::rules::Rules;
use super::{Key, Refused};

/// The longest file that is read: no list of sources, and no key, is longer.
const LONGEST: u64 = 1 << 20;

/// Who may be pulled from, and whose signature is wanted.
#[derive(Clone, Debug)]
pub struct Policy {
    files: Result<Vec<Rules>, Refused>,
}

impl Policy {
    /// Reads files of rules, of which the first is the strongest. One that is not there has none.
    /// If there is one that cannot be read or understood, nothing is allowed.
    pub fn read(paths: &[&Path]) -> Policy {
        let mut files = Vec::new();
        for path in paths {
            // A link to nowhere was meant to be a file of rules.
            let is_absent =
                path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
            if is_absent {
                continue;
            }
            let text = read(path).map_err(|error| format!("it cannot be read: {error}"));
            match text.and_then(|text| Rules::parse(path, &text)) {
                Ok(rules) => files.push(rules),
                Err(why) => {
                    return Policy {
                        files: Err(Refused::Broken { path: path.to_path_buf(), why }),
                    };
                }
            }
        }
        Policy { files: Ok(files) }
    }

    /// Whether something may be had from a source, which is written as this module's header says.
    ///
    /// # Errors
    /// When it may not: each file with a list of what is allowed must allow it.
    pub fn check(&self, source: &str) -> Result<(), Refused> {
        self.admit(source).map(|_| ())
    }

    /// Whose signature is wanted on what comes from a source: that of one key of each group. There
    /// is a group for each file with keys for this source, and none means that nobody has to sign.
    ///
    /// # Errors
    /// When nothing may be had from there.
    pub fn keys(&self, source: &str) -> Result<Vec<Vec<&Key>>, Refused> {
        let Some((files, name)) = self.admit(source)? else { return Ok(Vec::new()) };
        let groups = files.iter().map(|rules| {
            let keys = rules.keys.iter().filter(|(pattern, _)| pattern.is_nearly(&name));
            keys.map(|(_, key)| key).collect::<Vec<_>>()
        });
        Ok(groups.filter(|group| !group.is_empty()).collect())
    }

    /// Where to ask instead of the makers' own host: for `hf` or `ollama`, an URL without a slash
    /// at its end. It says nothing about what is allowed.
    pub fn mirror(&self, of: &str) -> Option<&str> {
        let files = self.files.as_ref().ok()?;
        let mut mirrors = files.iter().flat_map(|rules| &rules.mirrors);
        mirrors.find(|(name, _)| name == of).map(|(_, url)| &url[..])
    }

    /// The rules and the name to compare them with, if there is anything to compare.
    fn admit(&self, source: &str) -> Result<Option<(&[Rules], Name)>, Refused> {
        let files = self.files.as_ref().map_err(Refused::clone)?;
        if files.iter().all(|rules| rules.allow.is_none() && rules.keys.is_empty()) {
            return Ok(None);
        }
        let unclear = |why| Refused::Unclear { source: source.to_owned(), why };
        let name = Name::parse(source).map_err(unclear)?;
        for rules in files {
            let Some(allow) = &rules.allow else { continue };
            if !allow.iter().any(|pattern| pattern.is_exactly(&name)) {
                return Err(Refused::NotAllowed {
                    source: source.to_owned(),
                    path: rules.path.clone(),
                    allowed: allow.iter().map(ToString::to_string).collect(),
                });
            }
        }
        Ok(Some((files, name)))
    }
}

/// The text of a file of rules or of a key.
pub(super) fn read(path: &Path) -> io::Result<String> {
    let file = File::open(path)?;
    let mut text = String::new();
    if file.take(LONGEST + 1).read_to_string(&mut text)? as u64 > LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is longer than 1 MiB"));
    }
    Ok(text)
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
