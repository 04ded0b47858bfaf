//! Fetching models for commands: settings, what is shown meanwhile, and what is pinned at the end.

mod signed;

use std::fs::{self, File};
use std::io::{ErrorKind, Write, stdout};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arch::Source as Files;
use engine::Fit;
use indicatif::ProgressBar;
use models::get::{self, Getter};
use models::pull::{
    self, Client, Found, GitBlob, Options, Place, Progress, Role, Source, Stage, Stores, Wanted,
};
use models::store::{Pinned, PinnedFile, Store, check_name};
use models::trust::{Policy, Refused};
use models::{Digest, identity};
use serde_json::json;

use crate::about;
use crate::failure::Failure;
use crate::fit::{self, Checked};
use crate::flags::{GetFlags, MachineFlags};
use crate::interrupt::unless_requested;
use crate::named::failure;
use crate::output::{self, date_and_time, one_line, size, visible};
use crate::{home, interrupt, load};

/// Rules on sources.
const RULES: &str = "sources.toml";

const NOTHING_FETCHED: &str = "Nothing was fetched but its header.";

/// Programs are told of progress so often.
const TOLD_EVERY: Duration = Duration::from_millis(200);

/// Who fetches models.
pub struct Courier {
    pub store: Store,
    client: Client,
    policy: Policy,
    copy: bool,
    as_json: bool,
    machine: MachineFlags,
    pub bar: ProgressBar,
    told: Mutex<Told>,
}

/// What was said of the files so far.
struct Told {
    /// The file that is under way, and the bytes of those before it.
    file: String,
    before: u64,
    /// Of the file.
    done: u64,
    stage: Option<Stage>,
    when: Instant,
}

impl Courier {
    /// With what flags and environment say.
    pub fn new(store: Store, flags: &GetFlags) -> Result<Courier, Failure> {
        // The machine's rules are stronger than the user's. On Windows that path would be one on
        // whichever drive is the current one.
        let own = home::folder()?.join(RULES);
        let machine = Path::new("/etc/hearth").join(RULES);
        let policy = match cfg!(unix) {
            true => Policy::read(&[&machine, &own]),
            false => Policy::read(&[&own]),
        };
        let mirror = |name| policy.mirror(name).map(|text| pull::setting(RULES, text)).transpose();
        let (hub, ollama) = (mirror("hf").map_err(broken)?, mirror("ollama").map_err(broken)?);
        let mut options = Options::from_environment(hub, ollama).map_err(broken)?;
        options.offline |= flags.offline;
        options.connections = usize::from(flags.connections);
        let client = Client::new(options).map_err(broken)?;
        let bar = if flags.json { ProgressBar::hidden() } else { output::download() };
        let told =
            Told { file: String::new(), before: 0, done: 0, stage: None, when: Instant::now() };
        let (told, machine) = (Mutex::new(told), flags.machine.clone());
        let GetFlags { copy, json: as_json, .. } = *flags;
        Ok(Courier { store, client, policy, copy, as_json, machine, bar, told })
    }

    /// Asks a source what it has. Offline, what another program has fetched of it stands in.
    pub fn find(&self, source: &Source) -> Result<Found, Failure> {
        self.ask(source, true)
    }

    /// What a source has now, or that it cannot be asked.
    pub fn find_now(&self, source: &Source) -> Result<Found, Failure> {
        self.ask(source, false)
    }

    fn ask(&self, source: &Source, may_stand_in: bool) -> Result<Found, Failure> {
        let source = &whole(source);
        self.policy.check(&compared(source)).map_err(refused)?;
        self.bar.set_message(visible(&format!("Asking for {source}")).into_owned());
        let _answering = interrupt::Answering::begin();
        let held = Stores::from_environment().holding(source);
        let mut found = match (pull::find(&self.client, source, &|_| unless_requested()), &held[..])
        {
            (Err(pull::Error::Offline { .. }), [first, ..]) if may_stand_in => first.found.clone(),
            (found, _) => found.map_err(broken)?,
        };
        // What another program has here need not come again, unless it comes with a signature.
        if self.policy.keys(&compared(source)).map_err(refused)?.is_empty() {
            let here: Vec<&Wanted> = held.iter().flat_map(|held| &held.found.files).collect();
            for file in &mut found.files {
                let same = |other: &&&Wanted| other.digest.is_some() && other.digest == file.digest;
                if let Some(other) = here.iter().find(same) {
                    file.place.clone_from(&other.place);
                }
            }
        }
        self.bar.set_length(found.files.iter().filter_map(|file| file.size).sum());
        Ok(found)
    }

    /// The header of a model that is one GGUF file; others say what they are in several.
    pub fn header(&self, found: &Found) -> Result<Option<Files>, Failure> {
        let weights: Vec<_> =
            found.files.iter().filter(|file| file.role == Role::Weights).collect();
        let [wanted] = weights[..] else { return Ok(None) };
        let (Some(size), true) = (wanted.size, wanted.name.to_lowercase().ends_with(".gguf"))
        else {
            return Ok(None);
        };
        let _answering = interrupt::Answering::begin();
        // Most of it are the words of the vocabulary.
        for bytes in [8 << 20, 64 << 20] {
            let watch = |_| unless_requested();
            let known = pull::header(&self.client, wanted, bytes, &watch).map_err(broken)?;
            match Files::from_header(&known, size) {
                Ok(files) => return Ok(Some(files)),
                Err(_) if known.len() as u64 == bytes && bytes < size => {}
                Err(error) => {
                    let why = format!("{} cannot be run: {error}", wanted.name);
                    return Err(Failure::Model(why, NOTHING_FETCHED.to_owned()));
                }
            }
        }
        Ok(None)
    }

    /// Looks at what is to come before it comes: whether it can be run, and run here.
    pub fn look_first(&self, found: &Found, header: Option<&Files>) -> Result<(), Failure> {
        let Some(files) = header else { return Ok(()) };
        let refused = |error| {
            Failure::Model(
                format!("{} cannot be run: {error}", found.source),
                NOTHING_FETCHED.to_owned(),
            )
        };
        let settings = load::settings(&self.machine)?;
        let fit = Fit::of(files, settings).map_err(refused)?;
        let checked = Checked::of(&self.machine);
        let name = found.source.to_string();
        fit::check(Path::new(&name), &fit, (settings, checked)).map(|_| ())
    }

    /// Whether a file is what it was, where that can be told without fetching it.
    pub fn is_same(&self, was: &PinnedFile, wanted: &Wanted) -> Result<Option<bool>, Failure> {
        if wanted.size.is_some_and(|size| size != was.bytes) {
            return Ok(Some(false));
        }
        if let Some(digest) = wanted.digest {
            return Ok(Some(digest == was.digest));
        }
        let unread =
            |path: &Path, error| broken(pull::Error::Disk { path: path.to_owned(), error });
        match (&wanted.place, wanted.git) {
            (Place::Disk(path), _) => {
                let file = File::open(path).map_err(|error| unread(path, error))?;
                let found = Digest::read(file, &mut |_| unless_requested());
                let found = found.map_err(|error| unread(path, error))?;
                Ok(Some(found.ok_or(Failure::Interrupted)? == was.digest))
            }
            (_, Some(git)) => {
                let path = self.store.place(was);
                let bytes = fs::read(&path).map_err(|error| unread(&path, error))?;
                Ok(Some(git == GitBlob::of(&bytes)))
            }
            (_, None) => Ok(None),
        }
    }

    /// Brings the files here that are not here yet. What was copied here before is copied again.
    pub fn files(
        &self,
        found: &Found,
        was: Option<&Pinned>,
    ) -> Result<Vec<PinnedFile>, get::Error> {
        let copy = self.copy || was.is_some_and(|was| was.files.iter().all(|it| it.at.is_none()));
        let _answering = interrupt::Answering::begin();
        let told = |wanted: &Wanted, progress| self.tell(wanted, progress);
        let (client, store) = (&self.client, &self.store);
        Getter { client, store, copy, told: &told }.files(found)
    }

    /// Fetches the files, and says what they are. The name is not given to them yet.
    pub fn bring(
        &self,
        found: &Found,
        (name, was): (&str, Option<&Pinned>),
    ) -> Result<Pinned, Failure> {
        let files = self.files(found, was).map_err(not_got)?;
        let mut pinned = Pinned {
            name: name.to_owned(),
            source: found.source.to_string(),
            revision: String::new(),
            quantisation: None,
            licence: found.licence.as_deref().map(one_line),
            tokenizer: None,
            template: None,
            signed: None,
            pinned: now(),
            by: somebody(),
            files,
            before: None,
        };
        let own = || pinned.digest().to_string();
        pinned.revision = found.revision.clone().unwrap_or_else(own);
        pinned.signed = self.signer(found, &pinned)?;
        self.describe(&mut pinned)?;
        Ok(pinned)
    }

    /// Opens the files, as to run them.
    fn describe(&self, pinned: &mut Pinned) -> Result<(), Failure> {
        let path = self.store.path(pinned).map_err(failure)?;
        let files = load::source(&path)?;
        let runs = arch::load(&files).map(|_| ());
        runs.map_err(|error| Failure::model(&path, error, "Nothing is pinned."))?;
        pinned.quantisation = Some(about::storage(&files)).filter(|name| !name.is_empty());
        match files.gguf() {
            Some(gguf) => {
                pinned.tokenizer = identity::tokenizer(gguf);
                pinned.template = identity::template(gguf);
            }
            None => {
                let unread = |error| Failure::model(&path, error, "Nothing is pinned.");
                pinned.tokenizer = identity::tokenizer_of_folder(&path).map_err(unread)?;
                let tokenizer = load::tokenizer(&path, &files)?;
                pinned.template = tokenizer.chat_template().map(identity::template_text);
            }
        }
        Ok(())
    }

    fn tell(&self, wanted: &Wanted, progress: Progress) -> ControlFlow<()> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.file != wanted.name {
            told.before += told.done;
            told.file.clone_from(&wanted.name);
            told.stage = None;
        }
        told.done = progress.done;
        let is_new = told.stage.as_ref() != Some(&progress.stage);
        if self.as_json {
            let is_whole = progress.total == Some(progress.done);
            if is_new || is_whole || told.when.elapsed() > TOLD_EVERY {
                told.when = Instant::now();
                say(&wanted.name, &progress);
            }
        } else if is_new {
            self.bar.set_message(visible(&message(&wanted.name, &progress.stage)).into_owned());
        }
        told.stage = Some(progress.stage);
        self.bar.set_position(told.before + told.done);
        unless_requested()
    }

    /// Says what was pinned.
    pub fn report(&self, pinned: &Pinned) -> Result<(), Failure> {
        let mut out = stdout();
        if self.as_json {
            let line = json!({ "event": "pinned", "name": pinned.name, "revision": pinned.revision,
                "digest": pinned.digest().to_string(), "bytes": pinned.bytes() });
            return Ok(writeln!(out, "{line}")?);
        }
        let (name, stored) = (&pinned.name, pinned.quantisation.as_deref().unwrap_or("-"));
        writeln!(out, "{name}  {}  {stored}  {}", size(pinned.bytes()), pinned.digest())?;
        Ok(())
    }
}

/// With the whole path, so that it is the same from every folder.
fn whole(source: &Source) -> Source {
    match source {
        Source::Local(path) => {
            Source::Local(fs::canonicalize(path).unwrap_or_else(|_| path.clone()))
        }
        other => other.clone(),
    }
}

/// As rules are compared with: without tag, form, file and revision.
fn compared(source: &Source) -> String {
    match source {
        Source::Hub { repo, .. } => format!("hf:{repo}"),
        Source::Ollama { host, name, .. } => {
            format!("ollama:{}/{name}", host.as_deref().unwrap_or("registry.ollama.ai"))
        }
        Source::Oci { host, repo, .. } => format!("oci:{host}/{repo}"),
        Source::Web(address) => address.to_string(),
        Source::Local(path) => format!("file:{}", path.display()),
    }
}

/// A source that the rules of this machine or user do not let in.
#[allow(clippy::needless_pass_by_value)] // To stand in `map_err`.
fn refused(error: Refused) -> Failure {
    Failure::Request(error.to_string())
}

fn say(file: &str, progress: &Progress) {
    let (stage, why) = match &progress.stage {
        Stage::Asking => ("asking", None),
        Stage::Fetching => ("fetching", None),
        Stage::Waiting { why, .. } => ("waiting", Some(why)),
        Stage::Checking => ("checking", None),
    };
    let line = json!({ "event": stage, "file": file, "done": progress.done,
        "total": progress.total, "why": why });
    // Where nobody reads there is nobody to be told.
    let _ = writeln!(stdout(), "{line}");
}

fn message(file: &str, stage: &Stage) -> String {
    match stage {
        Stage::Asking => format!("{file}: waiting for it"),
        Stage::Fetching => file.to_owned(),
        Stage::Waiting { why, pause } => {
            format!("{file}: {why}; again in {} s", pause.as_secs().max(1))
        }
        Stage::Checking => format!("{file}: checking"),
    }
}

/// What a model is called whose source says no name.
pub fn default_name(source: &Source) -> Result<String, Failure> {
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let name = match source {
        Source::Hub { repo, pick, .. } => {
            let repo = last(repo);
            let lower = repo.to_lowercase();
            let base = lower.strip_suffix("-gguf").unwrap_or(&lower);
            match pick.as_deref() {
                Some(pick) if !pick.contains('.') => format!("{base}:{}", pick.to_lowercase()),
                _ => base.to_owned(),
            }
        }
        Source::Ollama { name, tag, .. } => {
            format!("{}:{tag}", name.strip_prefix("library/").unwrap_or(name))
        }
        Source::Oci { repo, at: pull::At::Tag(tag), .. } => format!("{}:{tag}", last(repo)),
        Source::Oci { repo, .. } => last(repo),
        Source::Web(address) => of_file(&last(address.path())),
        Source::Local(path) => of_file(&path.file_name().unwrap_or_default().to_string_lossy()),
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-/:".contains(c);
    let name: String = name.chars().map(|c| if fits(c) { c } else { '-' }).collect();
    check_name(&name).map_err(|_| {
        Failure::Request(format!("{source} has no name that could be used; --as gives it one"))
    })?;
    Ok(name)
}

fn of_file(name: &str) -> String {
    let name = name.to_lowercase();
    name.strip_suffix(".gguf").unwrap_or(&name).trim_matches(['.', '-', '_']).to_owned()
}

/// What went wrong on the way.
#[allow(clippy::needless_pass_by_value)] // To stand in `map_err`.
pub fn broken(error: pull::Error) -> Failure {
    use pull::Error::{Choice, Disk, Full, Name, Offline, Setting, Stopped};
    let message = error.to_string();
    match error {
        Stopped => Failure::Interrupted,
        Disk { error, .. } if error.kind() == ErrorKind::NotFound => {
            Failure::Model(message, String::new())
        }
        Disk { .. } | Full { .. } => Failure::Machine(message),
        Name { .. } | Choice { .. } | Offline { .. } | Setting { .. } => Failure::Request(message),
        _ => Failure::Model(message, String::new()),
    }
}

pub fn not_got(error: get::Error) -> Failure {
    match error {
        get::Error::Pull(error) => broken(error),
        get::Error::Store(error) => failure(error),
    }
}

/// As RFC 3339 has it, in UTC.
fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}Z", date_and_time(since.as_secs()))
}

/// Who pins: a name that the system gives, for people to read.
fn somebody() -> String {
    let variable = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    let user = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(variable);
    user.or_else(number).unwrap_or_else(|| "somebody".to_owned())
}

/// The number of this user, where the system has numbers.
fn number() -> Option<String> {
    #[cfg(unix)]
    {
        let own = fs::metadata("/proc/self").ok()?;
        Some(format!("user {}", std::os::unix::fs::MetadataExt::uid(&own)))
    }
    #[cfg(not(unix))]
    None
}
