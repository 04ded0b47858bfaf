//! The index of a sharded model: `{"weight_map": {"tensor": "file", …}}`.

use std::path::{Component, Path};

use crate::error::{Error, Flaw, Reason, shown};
use crate::json::{Json, Raw};
use crate::limits;
use crate::source::Source;

use super::file::File;

/// Opens all files that the index at `path` names, and checks that they hold what it says.
pub(super) fn open(path: &Path) -> Result<Vec<File>, Error> {
    let source = Source::open(path)?;
    let in_index = |error: Error| error.in_file(path);
    let folder = path.parent().unwrap_or(Path::new(""));
    let names = file_names(&source).map_err(in_index)?;
    let files = names.iter().map(|name| File::open(&folder.join(name)));
    let files = files.collect::<Result<Vec<_>, _>>()?;
    check_tensors(&source, &names, &files).map_err(in_index)?;
    check_apart(&files).map_err(in_index)?;
    Ok(files)
}

/// Calls `tensor` with each tensor's name and the name of its file.
fn walk<'a>(
    bytes: &'a [u8],
    mut tensor: impl FnMut(&Json<'a>, Raw<'a>, Raw<'a>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut json = Json::new(bytes, 0);
    let mut mapped = false;
    json.object(|json, field| {
        if !field.is("weight_map") {
            return json.skip();
        }
        if std::mem::replace(&mut mapped, true) {
            return Err(json.fail(Reason::DuplicateKey { key: shown(b"weight_map") }));
        }
        json.object(|json, name| {
            let at = *json;
            tensor(&at, name, json.string()?)
        })
    })?;
    json.end()?;
    if mapped { Ok(()) } else { Err(Reason::MissingKey { key: shown(b"weight_map") }.into()) }
}

/// The names of the files, each once and sorted.
fn file_names(bytes: &[u8]) -> Result<Vec<String>, Error> {
    let mut names = Vec::<String>::new();
    walk(bytes, |json, _, file| {
        let name = file.decoded();
        let Err(place) = names.binary_search_by(|known| known.as_str().cmp(&name)) else {
            return Ok(());
        };
        let inside = |part| matches!(part, Component::Normal(_));
        if name.is_empty() || !Path::new(&*name).components().all(inside) {
            return Err(json.fail(Reason::PartPath { path: shown(name.as_bytes()) }));
        }
        let (what, found, limit) = ("a number of files", names.len() as u64 + 1, limits::PARTS);
        if found > limit {
            return Err(json.fail(Reason::TooMany { what, found, limit }));
        }
        names.insert(place, name.into_owned());
        Ok(())
    })?;
    Ok(names)
}

fn check_tensors(bytes: &[u8], names: &[String], files: &[File]) -> Result<(), Error> {
    walk(bytes, |json, tensor, file| {
        let (tensor, file) = (tensor.decoded(), file.decoded());
        let place = names.binary_search_by(|known| known.as_str().cmp(&file)).ok();
        let found = place.and_then(|place| files[place].tensor(&tensor));
        found.map(drop).ok_or_else(|| json.fail(Flaw::Missing.of(&tensor)))
    })
}

/// Checks that no tensor is in two files.
fn check_apart(files: &[File]) -> Result<(), Error> {
    for (number, file) in files.iter().enumerate() {
        for tensor in file.tensors() {
            if files[..number].iter().any(|other| other.tensor(tensor.name).is_some()) {
                return Err(Flaw::Duplicate.of(tensor.name).into());
            }
        }
    }
    Ok(())
}
