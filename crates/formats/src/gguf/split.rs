//! Models in several files, named `…-00001-of-0000N.gguf`, each a GGUF file of its own.
//!
//! `split.no` counts from 0 and the names from 1. Only the first part has the model's metadata.

use std::path::Path;

use crate::error::{Error, Flaw, Reason, shown};
use crate::limits;
use crate::source::Source;

use super::part::Part;

const NUMBER: &str = "split.no";
const COUNT: &str = "split.count";
const TENSORS: &str = "split.tensors.count";

/// All parts of the model of which `part`, read from `path`, is one; most models have no other.
pub(super) fn complete(part: Part, path: &Path) -> Result<Vec<Part>, Error> {
    let in_file = |error: Error| error.in_file(path);
    let Some(count) = count(&part).map_err(in_file)? else {
        return Ok(vec![part]);
    };
    let number = required(&part, NUMBER).map_err(in_file)?;
    let stem = stem(path, number, count).map_err(in_file)?;
    let path_of = |number| path.with_file_name(format!("{stem}{}", ending(number, count)));
    let mut given = Some(part);
    let mut parts = Vec::new();
    for other in 0..count {
        parts.push(match given.take_if(|_| other == number) {
            Some(part) => part,
            None => open(&path_of(other), other, count)?,
        });
    }
    let expected = required(&parts[0], TENSORS).map_err(|error| error.in_file(&path_of(0)))?;
    for (number, part) in parts.iter().enumerate() {
        let checked = demand(part, TENSORS, expected).and_then(|()| apart(&parts[..number], part));
        checked.map_err(|error| error.in_file(&path_of(number as u64)))?;
    }
    let found = parts.iter().map(Part::tensor_count).sum();
    if found != expected {
        let what = "the number of tensors";
        return Err(in_file(Reason::PartsDisagree { what, expected, found }.into()));
    }
    Ok(parts)
}

fn open(path: &Path, number: u64, count: u64) -> Result<Part, Error> {
    let in_file = |error: Error| error.in_file(path);
    if !path.exists() {
        return Err(in_file(Reason::PartMissing { number: number + 1, count }.into()));
    }
    let part = Part::read(Source::open(path)?).map_err(in_file)?;
    demand(&part, COUNT, count).and_then(|()| demand(&part, NUMBER, number)).map_err(in_file)?;
    Ok(part)
}

/// Fails unless the part has `expected` under the key.
fn demand(part: &Part, key: &'static str, expected: u64) -> Result<(), Error> {
    let found = required(part, key)?;
    if found != expected {
        return Err(Reason::PartsDisagree { what: key, expected, found }.into());
    }
    Ok(())
}

/// Checks that no tensor of `part` is in an earlier part too.
fn apart(earlier: &[Part], part: &Part) -> Result<(), Error> {
    let known = |name| earlier.iter().any(|part| part.tensor(name).is_some());
    match part.tensors().find(|tensor| known(tensor.name)) {
        Some(tensor) => Err(Flaw::Duplicate.of(tensor.name).into()),
        None => Ok(()),
    }
}

/// Fails for a part of a split model, which cannot stand alone.
pub(super) fn refuse(part: &Part) -> Result<(), Error> {
    let Some(count) = count(part)? else {
        return Ok(());
    };
    let number = if required(part, NUMBER)? == 0 { 2 } else { 1 };
    Err(Reason::PartMissing { number, count }.into())
}

/// How many parts there are; `None` for a model in one file, for which some tools write 0 or 1.
fn count(part: &Part) -> Result<Option<u64>, Error> {
    let found = part.integer(COUNT, "u64")?.filter(|&count| count > 1);
    let (what, limit) = ("a number of parts", limits::PARTS);
    match found {
        Some(found) if found > limit => Err(Reason::TooMany { what, found, limit }.into()),
        found => Ok(found),
    }
}

fn required(part: &Part, key: &str) -> Result<u64, Error> {
    let missing = || Reason::MissingKey { key: shown(key.as_bytes()) };
    part.integer(key, "u64")?.ok_or_else(|| missing().into())
}

fn ending(number: u64, count: u64) -> String {
    format!("-{:05}-of-{count:05}.gguf", number.saturating_add(1))
}

/// A part's file name without the ending that all parts' names have.
fn stem(path: &Path, number: u64, count: u64) -> Result<&str, Error> {
    let expected = ending(number, count);
    let name = path.file_name().and_then(|name| name.to_str());
    let stem = name.and_then(|name| name.strip_suffix(&expected));
    stem.ok_or_else(|| Reason::PartName { expected }.into())
}
