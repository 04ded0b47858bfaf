//! `hearth list`: the models that are on this machine.

use std::io::{Write, stdout};
use std::time::SystemTime;

use models::pull::{Held, Owner, Stores};
use models::store::{Pinned, Store};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::named::{failure, store};
use crate::output::{ago, one_line, size};

pub fn list(as_json: bool) -> Result<(), Failure> {
    let store = store()?;
    let pins = store.pins().map_err(failure)?;
    let mut out = stdout();
    if as_json {
        let models = pins.models.iter().map(|model| described(&store, model));
        return Ok(writeln!(out, "{:#}", Value::from_iter(models))?);
    }
    if pins.models.is_empty() {
        writeln!(
            out,
            "no models yet but kindling, which is inside hearth; `hearth pull` gets one"
        )?;
    } else {
        let width = pins.models.iter().map(|model| model.name.len()).max().unwrap_or(0).max(4);
        writeln!(
            out,
            "{:<width$}  {:>7}  {:<8}  {:<13}  source",
            "name", "size", "stored", "used"
        )?;
        for model in &pins.models {
            let used = store.last_used(model).map_or_else(|| "never".to_owned(), ago);
            let stored = one_line(model.quantisation.as_deref().unwrap_or("-"));
            let (name, size) = (&model.name, size(model.bytes()));
            let source = one_line(&model.source);
            writeln!(out, "{name:<width$}  {size:>7}  {stored:<8}  {used:<13}  {source}")?;
        }
    }
    if let (count @ 1.., bytes) = store.unfinished() {
        let downloads = if count == 1 { "download is" } else { "downloads are" };
        writeln!(out, "\n{count} {downloads} not complete ({})", size(bytes))?;
    }
    Ok(())
}

/// What other programs have on this machine. `hearth pull` leaves it where it is.
pub fn elsewhere() -> Result<(), Failure> {
    let mut out = stdout();
    let held = Stores::from_environment().all();
    if held.is_empty() {
        return Ok(writeln!(
            out,
            "neither Ollama nor Hugging Face's tools nor LM Studio have any"
        )?);
    }
    for Held { owner, found } in held {
        let bytes = found.files.iter().filter_map(|file| file.size).sum();
        let owner = match owner {
            Owner::Ollama => "Ollama",
            Owner::Hub => "Hugging Face",
            Owner::LmStudio => "LM Studio",
        };
        let source = found.source.to_string();
        writeln!(out, "{owner:<12}  {:>7}  hearth pull {}", size(bytes), one_line(&source))?;
    }
    Ok(())
}

fn described(store: &Store, model: &Pinned) -> Value {
    let seconds = |time: SystemTime| {
        time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
    };
    let path = store.path(model);
    json!({
        "name": model.name,
        "bytes": model.bytes(),
        "source": model.source,
        "revision": model.revision,
        "quantisation": model.quantisation,
        "licence": model.licence,
        "digest": model.digest().to_string(),
        "pinned": model.pinned,
        "by": model.by,
        "used": store.last_used(model).map(seconds),
        "path": path.as_ref().ok(),
        "error": path.as_ref().err().map(ToString::to_string),
    })
}
