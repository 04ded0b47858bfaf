//! `hearth import`: a folder as a training leaves it, or another GGUF file, becomes one GGUF file.

use std::collections::BTreeMap;
use std::io::{BufWriter, ErrorKind, Write, stdout};
use std::path::{Path, PathBuf};

use engine::Settings;
use models::Error;
use models::import::{Import, Quant, Stored, layer_and_kind};
use serde_json::json;

use crate::failure::Failure;
use crate::flags::Import as Flags;
use crate::models::name_of;
use crate::output::{note, size, visible};
use crate::unfinished::Unfinished;
use crate::{interrupt, output};

pub fn import(flags: &Flags) -> Result<(), Failure> {
    interrupt::listen();
    let called = called(&flags.from);
    let out = match &flags.out {
        Some(out) => out.clone(),
        None => unused(format!("{called}-{}.gguf", flags.quant.name().to_uppercase()))?,
    };
    // A GGUF file says itself what its model is called.
    let name = flags.name.as_deref().or(has_no_name(&flags.from).then_some(&*called));
    let import =
        Import::open(&flags.from, flags.quant, name).map_err(|e| broken(flags, &out, e))?;
    if import.loses_twice() {
        note(
            "its numbers are quantised already; storing them anew loses more than it would from \
              the folder that they come from",
        );
    }
    let stored = write(import, flags, &out)?;
    let bytes = out.metadata().map_err(|error| Failure::writing(&out, &error))?.len();
    if flags.json {
        return print_json(&out, bytes, &stored);
    }
    print_losses(flags.verbose, &stored)?;
    Ok(writeln!(stdout(), "{} ({})", out.display(), size(bytes))?)
}

fn write(import: Import, flags: &Flags, out: &Path) -> Result<Vec<Stored>, Failure> {
    let failed = |error| Failure::writing(out, &error);
    let bar = output::progress(import.bytes(), "Importing");
    let unfinished = Unfinished::beside(out).map_err(failed)?;
    let file = unfinished.create().map_err(failed)?;
    // Ctrl-C ends it as it ends an answer: in good order.
    let _answering = interrupt::Answering::begin();
    let mut progress = |done| {
        bar.set_position(done);
        interrupt::unless_requested()
    };
    let threads = flags.threads.map_or_else(|| Settings::default().threads, usize::from);
    let writer = BufWriter::with_capacity(1 << 20, &file);
    let stored = import.write(writer, threads, &mut progress);
    let stored = stored.map_err(|error| broken(flags, out, error))?;
    match flags.out {
        Some(_) => unfinished.finish(&file).map_err(failed)?,
        None => unfinished.finish_new(&file).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => taken(out),
            _ => failed(error),
        })?,
    }
    bar.finish_and_clear();
    Ok(stored)
}

fn broken(flags: &Flags, out: &Path, error: Error) -> Failure {
    match error {
        Error::Write(error) => Failure::writing(out, &error),
        Error::Stopped => Failure::Interrupted,
        error => Failure::model(&flags.from, error, "docs/import.md says what can be imported."),
    }
}

/// What the model is called, as far as its path says: without the format that a file's name ends
/// in, and by its folder where that has all its files.
fn called(path: &Path) -> String {
    let name = match path.extension().is_some_and(|ending| ending == "safetensors") {
        true => name_of(path.canonicalize().ok().as_deref().and_then(Path::parent).unwrap_or(path)),
        false => name_of(path),
    };
    if path.is_dir() {
        return name;
    }
    let format = name.rsplit_once(['-', '.']).filter(|(_, end)| Quant::by_name(end).is_some());
    format.map_or_else(|| name.clone(), |(name, _)| name.to_owned())
}

fn has_no_name(path: &Path) -> bool {
    path.is_dir() || path.extension().is_some_and(|ending| ending == "safetensors")
}

/// For each kind of tensor the one that has lost most; or all tensors.
fn print_losses(all: bool, stored: &[Stored]) -> Result<(), Failure> {
    let mut out = stdout();
    let mut worst: BTreeMap<&str, &Stored> = BTreeMap::new();
    for stored in stored.iter().filter(|stored| stored.error > 0.0) {
        let kind = worst.entry(layer_and_kind(&stored.name).1).or_insert(stored);
        if stored.error > kind.error {
            *kind = stored;
        }
    }
    if worst.is_empty() && !all {
        return Ok(writeln!(out, "Every number is what it was.\n")?);
    }
    let shown: Vec<&Stored> =
        if all { stored.iter().collect() } else { worst.into_values().collect() };
    let title = if all { "tensor" } else { "the worst of each kind" };
    writeln!(out, "  {title:<36} {:<8} error", "stored")?;
    for Stored { name, storage, error, .. } in shown {
        let (name, storage) = (visible(name), storage.name());
        writeln!(out, "  {name:<36} {storage:<8} {:.3} %", 100.0 * error)?;
    }
    Ok(writeln!(out)?)
}

fn print_json(out: &Path, bytes: u64, stored: &[Stored]) -> Result<(), Failure> {
    let tensors = stored.iter().map(|stored| {
        json!({
            "name": stored.name,
            "stored": stored.storage.name(),
            "numbers": stored.numbers,
            "error": stored.error,
        })
    });
    let tensors = tensors.collect::<Vec<_>>();
    let told = json!({ "file": out, "bytes": bytes, "tensors": tensors });
    Ok(writeln!(stdout(), "{told:#}")?)
}

/// A file that was not asked for by name takes nobody's place.
fn unused(name: String) -> Result<PathBuf, Failure> {
    let path = PathBuf::from(name);
    if path.symlink_metadata().is_ok() { Err(taken(&path)) } else { Ok(path) }
}

fn taken(path: &Path) -> Failure {
    let path = path.display();
    Failure::Request(format!("{path} is there already; --out {path} replaces it"))
}
