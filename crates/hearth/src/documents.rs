//! Documents that a command is given: files, and folders with all that is in them.

use std::fs;
use std::path::{Path, PathBuf};

use rag::Document;

use crate::failure::Failure;
use crate::output::note;

/// Endings of files that are taken from a folder; a file that is named itself may have any.
const ENDINGS: [&str; 5] = ["txt", "md", "markdown", "html", "htm"];
/// Folders inside folders, so many deep.
const DEPTH: usize = 32;

/// Reads files and folders, in their order and by name. `bad` is told of a file that was named and
/// cannot be read.
pub fn read(
    paths: &[PathBuf],
    bad: &mut dyn FnMut(String) -> Result<(), Failure>,
) -> Result<Vec<Document>, Failure> {
    let mut documents = Vec::new();
    for path in paths {
        if !path.is_dir() {
            match Document::read(path) {
                Ok(document) => documents.push(document),
                Err(error) => bad(error.to_string())?,
            }
            continue;
        }
        let (mut files, before) = (Vec::new(), documents.len());
        walk(path, DEPTH, &mut files).map_err(Failure::Request)?;
        for file in files {
            match Document::read(&file) {
                Ok(document) => documents.push(document),
                // Nobody has named it.
                Err(error) => note(&format!("{error}; left out")),
            }
        }
        if documents.len() == before {
            let why = "has no file of text (.txt, .md, .html)";
            return Err(Failure::Request(format!("{} {why}", path.display())));
        }
    }
    Ok(documents)
}

/// Collects the files of a folder, or says why it cannot be read.
fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let unreadable = |error| format!("{} cannot be read: {error}", folder.display());
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(unreadable)?.path());
    }
    paths.sort();
    for path in paths {
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        // A link to a folder may lead in a circle.
        if path.is_dir() && !path.is_symlink() && !is_hidden && depth > 0 {
            if let Err(why) = walk(&path, depth - 1, files) {
                note(&format!("{why}; left out"));
            }
        } else if path.is_file() && ending.is_some_and(|e| ENDINGS.contains(&e.as_str())) {
            files.push(path);
        }
    }
    Ok(())
}
