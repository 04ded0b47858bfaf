//! `hearth rm`: models go, and with them the files that no other name stands for.

use std::io::{Write, stdout};

use models::store::{Error, Store, check_name};

use crate::failure::Failure;
use crate::flags::Rm as Flags;
use crate::named::{failure, store};
use crate::output::{note, size};

pub fn rm(flags: &Flags) -> Result<(), Failure> {
    let store = store()?;
    let mut names = flags.names.clone();
    names.sort_by_key(|name| name.to_lowercase());
    names.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
    // All of them, or none.
    let pins = store.pins().map_err(failure)?;
    for name in &names {
        check_name(name).map_err(failure)?;
        match (pins.exact(name), pins.find(name)) {
            (Some(_), _) => {}
            // What goes for good is named in full.
            (None, Some(model)) => {
                let message = format!("there is no model {name}; did you mean {}?", model.name);
                return Err(Failure::Request(message));
            }
            (None, None) => return Err(failure(pins.unknown(name))),
        }
    }
    let mut freed = 0;
    if flags.unfinished && !discard(&store, &mut freed)? {
        note("a download is under way; what has come of downloads stays");
    }
    if flags.history {
        with_room(&store, &mut freed, || store.forget_history())?;
    }
    for name in &names {
        let removed = with_room(&store, &mut freed, || store.remove(name))?;
        writeln!(stdout(), "{} is removed", removed.name)?;
    }
    match store.sweep().map_err(failure)? {
        Some(swept) => writeln!(stdout(), "{} freed", size(freed + swept.bytes))?,
        None => writeln!(
            stdout(),
            "its files stay until no download is under way; then `hearth rm` frees them"
        )?,
    }
    Ok(())
}

/// Changes the list of models, which needs a little room itself: on a full disk what has come of
/// downloads gives way.
fn with_room<T>(
    store: &Store,
    freed: &mut u64,
    change: impl Fn() -> Result<T, Error>,
) -> Result<T, Failure> {
    match change() {
        Err(error) if error.is_full() => {
            if discard(store, freed)? {
                note("the disk is full: what had come of downloads is removed");
            }
            change().map_err(failure)
        }
        changed => changed.map_err(failure),
    }
}

/// Removes what has come of downloads, unless one is under way.
fn discard(store: &Store, freed: &mut u64) -> Result<bool, Failure> {
    let swept = store.discard_unfinished().map_err(failure)?;
    *freed += swept.map_or(0, |swept| swept.bytes);
    Ok(swept.is_some())
}
