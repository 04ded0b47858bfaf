//! Keys as the text of a file, and back.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::error::Category;

use super::Key;

/// The whole file.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    keys: Vec<Key>,
}

/// The text of a file with these keys.
pub fn write(keys: &[Key]) -> String {
    // Maps have keys of text only, so nothing in it can fail to be written.
    serde_json::to_string_pretty(&Kept { keys: keys.to_vec() }).unwrap_or_default() + "\n"
}

/// The keys in a file.
///
/// # Errors
/// What is wrong with it. A file that is not understood as a whole has no keys that anybody may
/// rely on: what is not understood may be a limit.
pub fn read(bytes: &[u8]) -> Result<Vec<Key>, String> {
    let kept: Kept = serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        Category::Data => format!("{error}; a newer hearth may have written it"),
        _ => format!("{error}; it is damaged"),
    })?;
    let mut names = BTreeSet::new();
    match kept.keys.iter().find(|key| !names.insert(&key.name)) {
        Some(twice) => Err(format!("two keys are called `{}`", twice.name)),
        None => Ok(kept.keys),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Quota, Scope};
    use super::*;

    fn laptop() -> Key {
        Key {
            scopes: BTreeSet::from(Scope::GIVEN),
            quota: Quota { concurrent: 2.try_into().ok(), ..Quota::default() },
            created: 5,
            expires: Some(u64::MAX),
            ..Key::new("laptop", "hearth-01234567-secret")
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let keys = [laptop(), Key::new("ß 2", "other")];
        assert_eq!(read(write(&keys).as_bytes()).as_deref(), Ok(&keys[..]));
        assert_eq!(read(write(&[]).as_bytes()), Ok(Vec::new()));
    }

    #[test]
    fn what_is_not_understood_as_a_whole_is_refused() {
        let good = write(&[laptop()]);
        let changed = |from: &str, to: &str| {
            assert!(good.contains(from), "{good} has no {from}");
            good.replacen(from, to, 1)
        };
        for (text, reason) in [
            (changed("\"created\"", "\"made\""), "unknown field `made`"),
            (changed("\"concurrent\"", "\"at_night\""), "newer hearth"),
            (changed("\"keys\"", "\"version\": 2, \"keys\""), "newer hearth"),
            (changed("\"watch\"", "\"rule\""), "unknown variant `rule`"),
            (changed("\"watch\"", "\"anyone\""), "unknown variant `anyone`"),
            (changed("\"concurrent\": 2", "\"concurrent\": 0"), "nonzero"),
            (changed("\"name\"", "\"name\": \"a\", \"name\""), "duplicate field"),
            (changed("\"created\": 5", "\"created\": -5"), "newer hearth"),
            (good[..good.len() - 3].to_owned(), "damaged"),
            (format!("{good}{{}}"), "damaged"),
            (String::new(), "damaged"),
            ("null".to_owned(), "newer hearth"),
            (write(&[laptop(), laptop()]), "two keys are called `laptop`"),
        ] {
            let error = read(text.as_bytes()).unwrap_err();
            assert!(error.contains(reason), "{reason}: {error}");
        }
    }
}
