//! `hearth pull`: a model comes here, and gets a name.

use std::fs;
use std::io::{IsTerminal, Write, stderr, stdin, stdout};
use std::path::Path;

use models::catalogue;
use models::get;
use models::pull::{self, Source};
use models::store::{Pinned, check_name};

use crate::failure::Failure;
use crate::flags::{GetFlags, MachineFlags, Pull as Flags};
use crate::getting::{Courier, broken, default_name, not_got};
use crate::named::{failure, store};
use crate::output::{confirmed, size};
use crate::{interrupt, kindling, memory};

pub fn pull(flags: &Flags) -> Result<(), Failure> {
    interrupt::listen();
    if let Some(name) = &flags.name {
        check_name(name).map_err(failure)?;
    }
    if flags.name.is_none() && kindling::is(Path::new(&flags.model)) {
        let message = "kindling is inside hearth already; there is nothing to pull";
        return Err(Failure::Request(message.to_owned()));
    }
    let courier = Courier::new(store()?, &flags.how)?;
    let asked = Asked::of(flags, &courier)?;
    let _pulling = courier.store.pulling().map_err(failure)?;
    match asked {
        Asked::Again(pinned) => again(&courier, &pinned),
        Asked::New(source, name) => new(&courier, &source, name),
    }
}

/// What a name stands for is fetched where it is missing, or else nothing.
fn again(courier: &Courier, pinned: &Pinned) -> Result<(), Failure> {
    if courier.store.check(pinned).is_err() {
        let own = pinned.files.iter().filter(|file| file.at.is_none());
        let places = own.map(|file| courier.store.place(file));
        let missing: Vec<_> = places.filter(|place| !place.exists()).collect();
        let source: Source = pinned.source.parse().map_err(broken)?;
        let source = source.at(&pinned.revision).unwrap_or(source);
        let mut found = courier.find(&source)?;
        for file in &mut found.files {
            let was = pinned.files.iter().find(|was| was.name == file.name);
            let same = was.filter(|was| file.digest.is_none_or(|stated| stated == was.digest));
            let same = same.ok_or_else(|| has_changed(pinned))?;
            file.digest = Some(same.digest);
            file.size.get_or_insert(same.bytes);
        }
        let files = courier.files(&found, Some(pinned)).map_err(|error| match error {
            get::Error::Pull(pull::Error::Digest { .. }) => has_changed(pinned),
            error => not_got(error),
        })?;
        let same = Pinned { files, ..pinned.clone() };
        if !same.same_files(pinned) {
            return Err(has_changed(pinned));
        }
        // The name may come from a machine that wants no signature.
        let signed = courier.signer(&found, &same).inspect_err(|_| {
            // Nothing unsigned is to be found behind it.
            missing.iter().for_each(|place| _ = fs::remove_file(place));
        })?;
        let same = Pinned { signed: signed.or(same.signed), ..same };
        courier.store.pin(same, Some(pinned)).map_err(failure)?;
    }
    courier.bar.finish_and_clear();
    courier.report(pinned)
}

fn has_changed(pinned: &Pinned) -> Failure {
    let Pinned { source, name, .. } = pinned;
    let message = format!("{source} has changed since {name} was pinned");
    let way_out = format!("`hearth update {name}` shows what has, and takes it.");
    Failure::Model(message, way_out)
}

/// A model that has no name yet.
fn new(courier: &Courier, source: &Source, name: Option<String>) -> Result<(), Failure> {
    let found = courier.find(source)?;
    let name = match name {
        Some(name) => name,
        None => default_name(&found.source)?,
    };
    let pins = courier.store.pins().map_err(failure)?;
    match pins.exact(&name) {
        // The same line in a script does the same each time.
        Some(pinned) if pinned.source == found.source.to_string() => return again(courier, pinned),
        Some(other) => return Err(taken(&name, &other.source)),
        None if name.eq_ignore_ascii_case(kindling::NAME) => {
            return Err(taken(&name, "the model inside hearth"));
        }
        None => {}
    }
    courier.look_first(&found, courier.header(&found)?.as_ref())?;
    let pinned = courier.bring(&found, (&name, None))?;
    courier.store.pin(pinned.clone(), None).map_err(failure)?;
    courier.bar.finish_and_clear();
    courier.report(&pinned)
}

/// A name is not taken from a model that came from elsewhere.
fn taken(name: &str, by: &str) -> Failure {
    Failure::Request(format!("{name} stands for {by} already; --as gives this one another name"))
}

/// Brings a model of the catalogue that somebody wants to run, if whoever sits there says yes.
pub fn offer(known: &catalogue::Known, machine: &MachineFlags) -> Result<(), Failure> {
    let name = known.name.clone();
    if stdin().is_terminal() && stderr().is_terminal() {
        let bytes = size(known.bytes_of(&known.usual));
        let question = format!("{name} is not here yet. Bring it, about {bytes}?");
        if confirmed(&question)? {
            let machine = machine.clone();
            let how =
                GetFlags { connections: 4, offline: false, copy: false, json: false, machine };
            return pull(&Flags { model: name, name: None, quant: None, how });
        }
    }
    let way_out = format!("`hearth pull {name}` brings it.");
    Err(Failure::Model(format!("{name} is not on this machine yet"), way_out))
}

/// What is to be fetched.
enum Asked {
    /// What a name stands for already.
    Again(Box<Pinned>),
    /// Something else, and the name that it is to have.
    New(Source, Option<String>),
}

impl Asked {
    /// A name that is pinned, one of the catalogue, or a source.
    fn of(flags: &Flags, courier: &Courier) -> Result<Asked, Failure> {
        let (given, name) = (&flags.model[..], flags.name.clone());
        let pins = courier.store.pins().map_err(failure)?;
        if let (Some(pinned), None) = (pins.find(given), &flags.quant) {
            let other = name.filter(|name| !name.eq_ignore_ascii_case(&pinned.name));
            if other.is_none() {
                return Ok(Asked::Again(Box::new(pinned.clone())));
            }
            // The same model under a second name.
            let source: Source = pinned.source.parse().map_err(broken)?;
            return Ok(Asked::New(source.at(&pinned.revision).unwrap_or(source), other));
        }
        if let Some(known) = catalogue::find(given) {
            let memory = memory::available().unwrap_or(u64::MAX);
            let form = match &flags.quant {
                Some(form) => form,
                None => known.fitting(memory).ok_or_else(|| too_large(known, memory))?,
            };
            let source = known.source_of(form).parse().map_err(broken)?;
            return Ok(Asked::New(source, name.or_else(|| Some(known.name.clone()))));
        }
        if given.contains('?') && given.starts_with("http") {
            let message = "an address with a query may be another file each time, and cannot be \
                           pinned; download it, and pull the file";
            return Err(Failure::Request(message.to_owned()));
        }
        if let (Some(form), true) = (&flags.quant, Path::new(given).exists()) {
            let way_out = format!("`hearth import --quant {form} {given}` stores it so");
            let message = format!("{given} is as it is; {way_out}");
            return Err(Failure::Request(message));
        }
        let text = match &flags.quant {
            Some(form) => with_form(given, form),
            None => given.to_owned(),
        };
        let source = match text.parse::<Source>() {
            Ok(source) => source,
            Err(_) if Path::new(given).exists() => Source::Local(given.into()),
            Err(_) if check_name(given).is_ok() => return Err(not_known(given)),
            Err(error) => return Err(broken(error)),
        };
        Ok(Asked::New(source, name))
    }
}

/// A source with the form that is wanted, which stands before a revision.
fn with_form(given: &str, form: &str) -> String {
    match given.rsplit_once('@').filter(|_| given.starts_with("hf:")) {
        Some((repo, revision)) => format!("{repo}:{form}@{revision}"),
        None => format!("{given}:{form}"),
    }
}

fn too_large(known: &catalogue::Known, memory: u64) -> Failure {
    let name = &known.name;
    let smallest = known.forms.first().map_or(0, |(_, bytes)| *bytes);
    let message = format!(
        "{name} does not fit: its smallest form has {}, and {} of memory are free",
        size(smallest),
        size(memory)
    );
    let smaller = catalogue::all().iter().filter(|other| other.fitting(memory).is_some());
    let way_out = match smaller.max_by_key(|other| other.forms.last().map(|(_, bytes)| *bytes)) {
        Some(other) => {
            format!("`hearth pull {}` fits; --quant FORM takes one all the same.", other.name)
        }
        None => "--quant FORM takes one all the same.".to_owned(),
    };
    Failure::Request(format!("{message}\n  {way_out}"))
}

fn not_known(name: &str) -> Failure {
    let base = name.split(':').next().unwrap_or_default().to_lowercase();
    let alike: Vec<_> = catalogue::all()
        .iter()
        .filter(|known| known.name.contains(&base))
        .map(|known| &known.name[..])
        .collect();
    let way_out = match alike.is_empty() {
        false => format!("There is {}.", alike.join(", ")),
        true => "`hearth list --all` shows names that are known; others are hf:OWNER/REPO, \
                 ollama:NAME, oci:HOST/REPO, an https address or a path."
            .to_owned(),
    };
    Failure::Model(format!("no model is known by the name {name}"), way_out)
}

/// The names that can be pulled without saying where from.
pub fn list_known() -> Result<(), Failure> {
    let (mut out, memory) = (stdout(), memory::available().unwrap_or(u64::MAX));
    writeln!(out, "{:<14}  {:<7}  {:>7}  {:<19}  good for", "name", "stored", "size", "licence")?;
    for known in catalogue::all() {
        let fitting = known.fitting(memory);
        let form = fitting.unwrap_or(&known.usual);
        let fits = if fitting.is_some() { "" } else { " (too large for this machine)" };
        let (name, licence, about) = (&known.name, &known.licence, &known.about);
        let size = size(known.bytes_of(form));
        writeln!(out, "{name:<14}  {form:<7}  {size:>7}  {licence:<19}  {about}{fits}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_stands_before_the_revision() {
        assert_eq!(with_form("hf:owner/repo", "Q4_K_M"), "hf:owner/repo:Q4_K_M");
        assert_eq!(with_form("hf:owner/repo@main", "Q4_K_M"), "hf:owner/repo:Q4_K_M@main");
        assert!(with_form("hf:owner/repo@refs/pr/1", "Q8_0").parse::<Source>().is_ok());
    }
}
