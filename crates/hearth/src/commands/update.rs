//! `hearth update`: what has changed where models came from, shown before it is taken.

use std::io::{IsTerminal, Write, stderr, stdin, stdout};

use arch::Source as Files;
use models::pull::{Found, Source};
use models::store::Pinned;
use models::{Digest, identity};
use serde_json::json;

use crate::failure::Failure;
use crate::flags::Update as Flags;
use crate::getting::{Courier, broken};
use crate::interrupt;
use crate::named::{failure, store};
use crate::output::{confirmed, note, one_line, size};

pub fn update(flags: &Flags) -> Result<(), Failure> {
    interrupt::listen();
    let store = store()?;
    if flags.rollback {
        return flags.names.iter().try_for_each(|name| {
            let back = store.roll_back(name).map_err(failure)?;
            let (name, when, digest) = (&back.name, one_line(&back.pinned), back.digest());
            Ok(writeln!(stdout(), "{name} is again what was pinned {when}: {digest}")?)
        });
    }
    let models = match flags.names.is_empty() {
        true => store.pins().map_err(failure)?.models,
        false => {
            let pinned = flags.names.iter().map(|name| store.pinned(name).map_err(failure));
            pinned.collect::<Result<_, _>>()?
        }
    };
    if models.is_empty() {
        note("no models are pinned; there is nothing to update");
    }
    let courier = Courier::new(store, &flags.how)?;
    let mut failed = Vec::new();
    for pinned in &models {
        let source = pinned.source.parse::<Source>().map_err(broken);
        let considered = source
            .and_then(|source| courier.find_now(&source))
            .and_then(|found| consider(&courier, (flags, pinned), &found));
        match considered {
            Ok(()) => {}
            Err(failure @ (Failure::Interrupted | Failure::NobodyReads)) => return Err(failure),
            Err(failure) if models.len() == 1 => return Err(failure),
            // One that is in trouble keeps nobody from the others.
            Err(failure) => {
                courier.bar.suspend(|| failure.report());
                failed.push(&pinned.name[..]);
            }
        }
    }
    courier.bar.finish_and_clear();
    match failed.is_empty() {
        true => Ok(()),
        false => {
            let message = format!("not known, or not taken: {}", failed.join(", "));
            Err(Failure::Model(message, String::new()))
        }
    }
}

/// Shows what has changed of a model, and takes it if that is wanted.
fn consider(
    courier: &Courier,
    (flags, pinned): (&Flags, &Pinned),
    found: &Found,
) -> Result<(), Failure> {
    let name = &pinned.name;
    let (changes, header) = changes(courier, pinned, found)?;
    courier.bar.suspend(|| tell(flags, name, &changes))?;
    // The same bytes may have been written again where they lie.
    let is_stale = changes.is_empty() && courier.store.check(pinned).is_err();
    let is_wanted = !changes.is_empty() && !flags.check && (flags.yes || asked(courier, name)?);
    if !is_wanted && (!is_stale || flags.check) {
        return Ok(());
    }
    let _pulling = courier.store.pulling().map_err(failure)?;
    // Where nothing has changed its header was not read yet.
    let header = if is_stale { courier.header(found)? } else { header };
    courier.look_first(found, header.as_ref())?;
    let new = courier.bring(found, (name, Some(pinned)))?;
    courier.store.pin(new.clone(), Some(pinned)).map_err(failure)?;
    courier.bar.suspend(|| courier.report(&new))?;
    if !flags.how.json && !is_stale {
        let line = format!("  `hearth update --rollback {name}` goes back");
        courier.bar.suspend(|| writeln!(stdout(), "{line}"))?;
    }
    Ok(())
}

fn tell(flags: &Flags, name: &str, changes: &[String]) -> Result<(), Failure> {
    let mut out = stdout();
    if flags.how.json {
        let line = json!({ "event": "compared", "name": name, "changes": changes });
        return Ok(writeln!(out, "{line}")?);
    }
    if changes.is_empty() {
        return Ok(writeln!(out, "{name} is up to date")?);
    }
    writeln!(out, "{name}")?;
    for change in changes {
        writeln!(out, "  {}", one_line(change))?;
    }
    Ok(())
}

/// What is not as it was, in lines for people, and the header from which some of them are told.
fn changes(
    courier: &Courier,
    pinned: &Pinned,
    found: &Found,
) -> Result<(Vec<String>, Option<Files>), Failure> {
    let mut lines = Vec::new();
    let revision = found.revision.as_ref();
    if revision.is_some_and(|revision| *revision == pinned.revision) {
        return Ok((lines, None));
    }
    for file in &found.files {
        let was = pinned.files.iter().find(|was| was.name == file.name);
        let bytes = file.size.map_or_else(|| "of unknown size".to_owned(), size);
        match was {
            None => lines.push(format!("new       {} ({bytes})", file.name)),
            Some(was) => match courier.is_same(was, file)? {
                Some(true) => {}
                Some(false) => {
                    let before = size(was.bytes);
                    lines.push(format!("changed   {} ({before} to {bytes})", file.name));
                }
                None => lines.push(format!("unknown   {}: it must be fetched to tell", file.name)),
            },
        }
    }
    let gone = pinned.files.iter().filter(|was| found.files.iter().all(|f| f.name != was.name));
    lines.extend(gone.map(|was| format!("gone      {}", was.name)));
    if found.licence != pinned.licence {
        let said =
            |licence: &Option<String>| licence.clone().unwrap_or_else(|| "unstated".to_owned());
        lines.push(format!("licence   {} to {}", said(&pinned.licence), said(&found.licence)));
    }
    if lines.is_empty() {
        return Ok((lines, None));
    }
    let header = courier.header(found)?;
    if let Some(gguf) = header.as_ref().and_then(Files::gguf) {
        let mut tell = |what: &str, was: Option<Digest>, is: Option<Digest>| {
            let same = if was == is { "the same" } else { "CHANGED: prompts are read differently" };
            lines.push(format!("{what:<9} {same}"));
        };
        tell("tokenizer", pinned.tokenizer, identity::tokenizer(gguf));
        tell("template", pinned.template, identity::template(gguf));
    }
    if let Some(revision) = revision {
        lines.push(format!("revision  {} to {revision}", pinned.revision));
    }
    Ok((lines, header))
}

/// Asks who sits there; nobody says no.
fn asked(courier: &Courier, name: &str) -> Result<bool, Failure> {
    if !stdin().is_terminal() || !stderr().is_terminal() {
        note("nothing was taken; --yes takes it");
        return Ok(false);
    }
    courier.bar.suspend(|| confirmed(&format!("Take the new {name}?")))
}
