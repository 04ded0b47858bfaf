//! Names of files as registries write them: which of them may become files here.

use super::Error;
use crate::store::{self, check_file_name};

/// Names that are devices on Windows, with any ending.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// Whether a name, perhaps with folders, stays inside the folder that it is put in, on each system,
/// and the store takes it.
///
/// # Errors
/// With why it does not.
pub fn check(name: &str) -> Result<(), Error> {
    let refuse = |why| Err(Error::FileName { name: name.to_owned(), why });
    match check_file_name(name) {
        Err(store::Error::Name { why, .. }) => refuse(why),
        Err(_) => refuse("the store does not take it"),
        _ if name.split('/').any(is_device) => refuse("a part of it is a device on Windows"),
        _ => Ok(()),
    }
}

/// Whether names are fit to stand beside each other: each [checked](check), no two the same, also
/// where a system does not tell large letters from small ones.
///
/// # Errors
/// With the first that is not.
pub fn check_all<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), Error> {
    let mut seen = std::collections::HashSet::new();
    for name in names {
        check(name)?;
        if !seen.insert(name.to_lowercase()) {
            let why = "two files have it";
            return Err(Error::FileName { name: name.to_owned(), why });
        }
    }
    Ok(())
}

fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part).trim_end().to_ascii_lowercase();
    let numbered = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    let is_number = |rest: &str| rest.chars().count() == 1 && rest.contains(NUMBERS);
    DEVICES.contains(&stem.as_str()) || numbered.is_some_and(is_number)
}

/// Windows takes the raised ones for digits too.
const NUMBERS: [char; 13] =
    ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '\u{b9}', '\u{b2}', '\u{b3}'];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_names_pass() {
        for name in ["a.gguf", "Q4_K_M/a-00001-of-00002.gguf", "Ä b.json"] {
            assert!(check(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        let long = "a".repeat(256);
        for name in [
            "",
            "/etc/passwd",
            "..",
            "../a",
            "a/../b",
            "a//b",
            "a/",
            ".",
            "./a",
            ".gitattributes",
            "a/.b.gguf",
            "a\0b",
            "a\nb",
            "a\\b",
            "C:a",
            "a:b",
            "nul",
            "NUL.gguf",
            "com1",
            "Lpt9.txt",
            "com\u{b2}",
            "a.",
            "a ",
            &long,
        ] {
            assert!(check(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn the_same_name_twice_is_refused() {
        assert!(check_all(["a", "b", "a/b"].into_iter()).is_ok());
        assert!(check_all(["a", "b", "A"].into_iter()).is_err());
    }
}
