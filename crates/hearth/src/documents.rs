//! Documents that a command is given: files, and folders with all that is in them.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Read, stdin};
use std::path::{Path, PathBuf};

use rag::{Document, MOST_BYTES};

use crate::failure::Failure;

/// Endings of files that are taken from a folder; a file that is named itself may have any.
const ENDINGS: [&str; 5] = ["txt", "md", "markdown", "html", "htm"];
/// Folders inside folders, so many deep.
const DEPTH: usize = 32;

/// Whether somebody has named what cannot be read, or it only lies in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Named,
    Inside,
}

/// Reads files and folders, in their order and by name. `bad` is told of what cannot be read.
pub fn read(
    paths: &[PathBuf],
    bad: &mut dyn FnMut(Place, String) -> Result<(), Failure>,
) -> Result<Vec<Document>, Failure> {
    let mut documents = Vec::new();
    // A file that is named, and lies in a folder that is, counts once, as one that is named.
    let place = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let files = paths.iter().filter(|path| !path.is_dir());
    let named: HashSet<PathBuf> = files.map(|path| place(path)).collect();
    let mut seen = HashSet::new();
    for path in paths {
        if !path.is_dir() {
            if !seen.insert(place(path)) {
                continue;
            }
            match Document::read(path) {
                Ok(document) => documents.push(document),
                Err(error) => bad(Place::Named, error.to_string())?,
            }
            continue;
        }
        let inside = match paths_in(path) {
            Ok(inside) => inside,
            Err(why) => {
                bad(Place::Named, why)?;
                continue;
            }
        };
        let (mut files, mut is_empty) = (Vec::new(), true);
        walk(inside, DEPTH, &mut files, &mut |why| {
            is_empty = false;
            bad(Place::Inside, why)
        })?;
        is_empty &= files.is_empty();
        let is_new = |file: &PathBuf| {
            let file = place(file);
            !named.contains(&file) && seen.insert(file)
        };
        for file in files.into_iter().filter(is_new) {
            match Document::read(&file) {
                Ok(document) => documents.push(document),
                Err(error) => bad(Place::Inside, error.to_string())?,
            }
        }
        if is_empty {
            let why = "has no file of text (.txt, .md, .html)";
            bad(Place::Named, format!("{} {why}", path.display()))?;
        }
    }
    Ok(documents)
}

/// A text that is piped in.
pub fn piped_in() -> Result<String, Failure> {
    let bytes = within(stdin(), MOST_BYTES as u64)
        .map_err(|why| Failure::Request(format!("what is piped in cannot be read: {why}")))?;
    rag::decode(&bytes)
        .map_err(|looks| Failure::Request(format!("what is piped in is not text but {looks}")))
}

/// All bytes, if there are no more than so many.
pub fn within(from: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > most {
        true => Err(io::Error::other(format!("it has more than {} MiB", most >> 20))),
        false => Ok(bytes),
    }
}

/// The text of a file, if it has no more bytes than that; else why there is none.
pub fn text_within(path: &Path, most: u64) -> Result<String, String> {
    let bytes = fs::File::open(path).and_then(|file| within(file, most));
    String::from_utf8(bytes.map_err(|error| error.to_string())?).map_err(|error| error.to_string())
}

/// What a folder has, by name; else why it cannot be read.
fn paths_in(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let unreadable = |error| format!("{} cannot be read: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        paths.push(entry.map_err(unreadable)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// Collects the files among these paths and in the folders among them. `bad` is told of what cannot
/// be looked at.
fn walk(
    paths: Vec<PathBuf>,
    depth: usize,
    files: &mut Vec<PathBuf>,
    bad: &mut dyn FnMut(String) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for path in paths {
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        let is_text = ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()));
        let is_link = path.is_symlink();
        match fs::metadata(&path) {
            // A link to a folder may lead in a circle.
            Ok(found) if found.is_dir() && (is_hidden || is_link) => {}
            Ok(found) if found.is_dir() && depth == 0 => {
                let why = format!("folders lie more than {DEPTH} deep in each other");
                bad(format!("{} is not read: {why}", path.display()))?;
            }
            Ok(found) if found.is_dir() => match paths_in(&path) {
                Ok(inside) => walk(inside, depth - 1, files, bad)?,
                Err(why) => bad(why)?,
            },
            Ok(found) if found.is_file() && is_text => files.push(path),
            Ok(_) => {}
            // A link that leads nowhere counts by its name, like what is there.
            Err(_) if is_link && !is_text => {}
            Err(error) => bad(format!("{} cannot be read: {error}", path.display()))?,
        }
    }
    Ok(())
}
