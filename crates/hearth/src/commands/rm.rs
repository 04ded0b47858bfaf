//! `hearth rm`: models go, and with them the files that no other name stands for.

use std::io::{Write, stdout};

use models::store::{Swept, check_name};

use crate::failure::Failure;
use crate::flags::Rm as Flags;
use crate::named::{failure, store};
use crate::output::size;

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
    if flags.history {
        store.forget_history().map_err(failure)?;
    }
    for name in &names {
        let removed = store.remove(name).map_err(failure)?;
        writeln!(stdout(), "{} is removed", removed.name)?;
    }
    let unfinished = match flags.unfinished {
        true => store.discard_unfinished().map_err(failure)?,
        false => Some(Swept::default()),
    };
    match unfinished.zip(store.sweep().map_err(failure)?) {
        Some((unfinished, swept)) => {
            writeln!(stdout(), "{} freed", size(unfinished.bytes + swept.bytes))?;
        }
        None => writeln!(
            stdout(),
            "its files stay until no download is under way; then `hearth rm` frees them"
        )?,
    }
    Ok(())
}
