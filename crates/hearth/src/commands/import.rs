//! `hearth import`: a folder as a training leaves it becomes one GGUF file.

use std::io::{BufWriter, Write, stdout};
use std::ops::ControlFlow;
use std::path::PathBuf;

use models::Error;
use models::import::{Import, Quant};

use crate::failure::Failure;
use crate::flags::{Import as Flags, ImportQuant};
use crate::models::name_of;
use crate::unfinished::Unfinished;
use crate::{interrupt, output};

pub fn import(flags: &Flags) -> Result<(), Failure> {
    interrupt::listen();
    let quant = match flags.quant {
        ImportQuant::Q8_0 => Quant::Q8_0,
        ImportQuant::F16 => Quant::F16,
        ImportQuant::F32 => Quant::F32,
    };
    let called = name_of(&flags.folder);
    let name = flags.name.as_deref().unwrap_or(&called);
    let out = match &flags.out {
        Some(out) => out.clone(),
        None => unused(format!("{called}-{}.gguf", quant.storage().name()))?,
    };
    let failed = |error| Failure::writing(&out, &error);
    let broken = |error| match error {
        Error::Write(error) => failed(error),
        Error::Stopped => Failure::Interrupted,
        error => Failure::model(&flags.folder, error, "docs/import.md says what can be imported."),
    };
    let import = Import::open(&flags.folder, quant, name).map_err(broken)?;
    let bar = output::progress(import.bytes(), "Importing");
    let unfinished = Unfinished::beside(&out);
    let file = unfinished.create().map_err(failed)?;
    // Ctrl-C ends it as it ends an answer: in good order.
    let _answering = interrupt::Answering::begin();
    let mut progress = |done| {
        bar.set_position(done);
        match interrupt::requested() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    import.write(BufWriter::with_capacity(1 << 20, &file), &mut progress).map_err(broken)?;
    unfinished.finish(&file, &out).map_err(failed)?;
    bar.finish_and_clear();
    let size = output::size(file.metadata().map_err(failed)?.len());
    Ok(writeln!(stdout(), "{} ({size})", out.display())?)
}

/// A file that was not asked for by name takes nobody's place.
fn unused(name: String) -> Result<PathBuf, Failure> {
    let path = PathBuf::from(name);
    if path.exists() {
        let path = path.display();
        let message = format!("{path} is there already; --out {path} replaces it");
        return Err(Failure::Request(message));
    }
    Ok(path)
}
