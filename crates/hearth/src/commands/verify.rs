//! `hearth verify`: whether the files of models are what they were when they were pinned.

use std::collections::HashMap;
use std::io::{Write, stdout};
use std::path::PathBuf;

use indicatif::ProgressBar;
use models::Digest;
use models::store::{Health, Pinned, PinnedFile, Store};
use serde_json::json;

use crate::failure::Failure;
use crate::flags::Verify as Flags;
use crate::interrupt;
use crate::named::{failure, store};
use crate::output::{self, size, visible};

pub fn verify(flags: &Flags) -> Result<(), Failure> {
    interrupt::listen();
    let _answering = interrupt::Answering::begin();
    let store = store()?;
    let models = match flags.names.is_empty() {
        true => store.pins().map_err(failure)?.models,
        false => {
            let pinned = flags.names.iter().map(|name| store.pinned(name).map_err(failure));
            pinned.collect::<Result<_, _>>()?
        }
    };
    if models.is_empty() {
        output::note("no models are pinned; there is nothing to read");
    }
    // What one can go back to must be there as well.
    let before = |model: &Pinned| {
        let before = model.before.as_deref()?;
        Some(Pinned { name: format!("{} {BEFORE}", model.name), ..before.clone() })
    };
    let models: Vec<_> =
        models.into_iter().flat_map(|model| [before(&model), Some(model)]).flatten().collect();
    let bar = output::progress(models.iter().map(Pinned::bytes).sum(), "Verifying");
    let mut checked = Checked { store, bar, seen: HashMap::new() };
    let mut damaged = Vec::new();
    for model in &models {
        let mut wrong = Vec::new();
        for file in &model.files {
            match checked.health(file)? {
                Health::Sound => {}
                health => wrong.push(told(file, health)),
            }
        }
        let line = match flags.json {
            true => {
                json!({ "name": model.name, "sound": wrong.is_empty(), "wrong": wrong }).to_string()
            }
            false if wrong.is_empty() => {
                let (files, bytes) = (model.files.len(), size(model.bytes()));
                let files = if files == 1 { "1 file".to_owned() } else { format!("{files} files") };
                format!("{}: sound ({files}, {bytes})", model.name)
            }
            false => format!("{}: DAMAGED\n  {}", model.name, wrong.join("\n  ")),
        };
        checked.bar.suspend(|| writeln!(stdout(), "{}", visible(&line)))?;
        if !wrong.is_empty() {
            damaged.push(model);
        }
    }
    checked.bar.finish_and_clear();
    // What a name stands for is worth more than what it stood for, and may mend that as well.
    match damaged.iter().find(|model| !model.name.ends_with(BEFORE)).or(damaged.first()) {
        None => Ok(()),
        Some(first) => {
            let names: Vec<_> = damaged.iter().map(|model| &model.name[..]).collect();
            Err(Failure::Model(format!("damaged: {}", names.join(", ")), way_out(first)))
        }
    }
}

/// What is behind the name of what a model was.
const BEFORE: &str = "before its update";

fn way_out(damaged: &Pinned) -> String {
    let name = &damaged.name;
    if name.ends_with(BEFORE) {
        return "`hearth rm --history` forgets what names stood for before.".to_owned();
    }
    match damaged.files.iter().any(|file| file.at.is_some()) {
        true => format!("`hearth update {name}` looks what is there now."),
        false => format!("`hearth pull {name}` fetches again what is damaged."),
    }
}

struct Checked {
    store: Store,
    bar: ProgressBar,
    /// A file that several models have is read once, but for those that were pinned to something
    /// else at the same place.
    seen: HashMap<(PathBuf, Digest), Health>,
}

impl Checked {
    fn health(&mut self, file: &PinnedFile) -> Result<Health, Failure> {
        let (what, before) = ((self.store.place(file), file.digest), self.bar.position());
        if let Some(health) = self.seen.get(&what) {
            self.bar.set_position(before + file.bytes);
            return Ok(health.clone());
        }
        let health = self.store.verify(file, &mut |done| {
            self.bar.set_position(before + done);
            interrupt::unless_requested()
        });
        let health = health.ok_or(Failure::Interrupted)?;
        if let Health::Changed { in_the_way: Some(error), .. } = &health {
            // A store that cannot be written must still tell what is wrong with it.
            let note = format!("a damaged file could not be set aside: {error}");
            self.bar.suspend(|| output::note(&note));
        }
        self.bar.set_position(before + file.bytes);
        self.seen.insert(what, health.clone());
        Ok(health)
    }
}

fn told(file: &PinnedFile, health: Health) -> String {
    let name = &file.name;
    match (health, &file.at) {
        (Health::Sound, _) => format!("{name} is sound"),
        (Health::Missing, None) => format!("{name} is gone"),
        (Health::Missing, Some(at)) => format!("{name} is no longer at {}", at.display()),
        (Health::Unreadable(why), None) => format!("{name} cannot be read: {why}"),
        (Health::Unreadable(why), Some(at)) => {
            format!("{name} cannot be read at {}: {why}", at.display())
        }
        (Health::Changed { found, in_the_way }, at) => {
            let what = match (at, in_the_way) {
                (None, None) => "has changed, and is not used any more".to_owned(),
                (None, Some(_)) => "has changed".to_owned(),
                (Some(at), _) => format!("has changed at {}", at.display()),
            };
            format!("{name} {what}\n    pinned {}\n    found  {found}", file.digest)
        }
    }
}
