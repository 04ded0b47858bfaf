//! What other programs have put on this machine: Ollama's store, the cache of Hugging Face's tools,
//! LM Studio's folder.
//!
//! Nothing is written, moved or believed here: it is said which files lie where, and what they
//! should be. What cannot be read is as if it were not there.

use std::env;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::choose::{Entry, all, choose};
use super::{Found, Manner, OLLAMA_HOST, Place, Role, Source, Wanted, ollama, registry};
use crate::Digest;

/// Manifests are short.
const LONGEST_MANIFEST: u64 = 1 << 20;
/// Folders within folders of a snapshot.
const DEEPEST: usize = 4;

/// Whose store it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// Ollama.
    Ollama,
    /// Hugging Face's tools.
    Hub,
    /// LM Studio.
    LmStudio,
}

/// Where the stores of others are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stores {
    /// The folders, with whose they are.
    pub folders: Vec<(Owner, PathBuf)>,
}

/// A model in somebody else's store. All of its files are there; their digests are what that store
/// says, and have to be checked.
#[derive(Clone, Debug)]
pub struct Held {
    /// Whose store it is.
    pub owner: Owner,
    /// What it is; the places of its files are on this disk.
    pub found: Found,
}

impl Stores {
    /// Where these programs keep their models, by their own variables or by habit.
    pub fn from_environment() -> Stores {
        let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        let home = env::home_dir().unwrap_or_default();
        let path = |name: &str| set(name).map(PathBuf::from);
        let cache = path("XDG_CACHE_HOME").unwrap_or_else(|| home.join(".cache"));
        let hub = path("HF_HUB_CACHE")
            .or_else(|| Some(path("HF_HOME")?.join("hub")))
            .unwrap_or_else(|| cache.join("huggingface/hub"));
        let ollama = match path("OLLAMA_MODELS") {
            Some(folder) => vec![folder],
            // The second is where it is as a service of Linux.
            None => vec![home.join(".ollama/models"), "/usr/share/ollama/.ollama/models".into()],
        };
        let lm_studio = [home.join(".lmstudio/models"), home.join(".cache/lm-studio/models")];
        let of = |owner: Owner| move |folder: PathBuf| (owner, folder);
        let folders = ollama.into_iter().map(of(Owner::Ollama));
        let folders = folders.chain([hub].into_iter().map(of(Owner::Hub)));
        let folders = folders.chain(lm_studio.into_iter().map(of(Owner::LmStudio)));
        Stores { folders: folders.filter(|(_, folder)| folder.is_dir()).collect() }
    }

    /// The model of a source, wherever it lies here. Without a revision this is what was current
    /// when it was fetched.
    pub fn holding(&self, source: &Source) -> Vec<Held> {
        let held = |(owner, folder): &(Owner, PathBuf)| {
            let found = match (owner, source) {
                (Owner::Ollama, Source::Ollama { .. }) => ollama_model(folder, source),
                (Owner::Hub, Source::Hub { .. }) => hub_model(folder, source),
                (Owner::LmStudio, Source::Hub { revision: None, .. }) => {
                    lm_studio_model(folder, source)
                }
                _ => None,
            };
            Some(Held { owner: *owner, found: found? })
        };
        self.folders.iter().filter_map(held).collect()
    }

    /// All models that lie here, in a fixed order.
    pub fn all(&self) -> Vec<Held> {
        let mut held = Vec::new();
        for (owner, folder) in &self.folders {
            let sources = match owner {
                Owner::Ollama => ollama_sources(folder),
                Owner::Hub => hub_sources(folder),
                Owner::LmStudio => lm_studio_sources(folder),
            };
            let alone = Stores { folders: vec![(*owner, folder.clone())] };
            held.extend(sources.iter().flat_map(|source| alone.holding(source)));
        }
        held
    }
}

fn ollama_model(folder: &Path, source: &Source) -> Option<Found> {
    let Source::Ollama { host, name, tag } = source else { return None };
    let host = host.as_deref().unwrap_or(OLLAMA_HOST);
    let path = folder.join("manifests").join(file_name(host)).join(name).join(tag);
    let mut bytes = Vec::new();
    fs::File::open(path).ok()?.take(LONGEST_MANIFEST).read_to_end(&mut bytes).ok()?;
    let layers = registry::layers(&serde_json::from_slice(&bytes).ok()?).ok()?;
    let file = |(layer, (name, role)): (&registry::Layer, (String, Role))| {
        let path = folder.join("blobs").join(format!("sha256-{}", layer.digest.hexadecimal()));
        let is_whole = fs::metadata(&path).is_ok_and(|about| about.len() == layer.size);
        let file = held_file(name, role, (path, layer.size));
        is_whole.then_some(Wanted { digest: Some(layer.digest), ..file })
    };
    let named = ollama::names(&layers).ok()?;
    let files = named.into_iter().map(file).collect::<Option<Vec<_>>>()?;
    let revision = Some(Digest::of(&bytes).to_string());
    Some(Found { source: source.clone(), revision, files, licence: None })
}

/// A host with a port is a folder of that name; where names have no colons, Ollama has none either.
fn file_name(host: &str) -> String {
    if cfg!(windows) { host.replace(':', "%") } else { host.to_owned() }
}

fn ollama_sources(folder: &Path) -> Vec<Source> {
    let mut sources = Vec::new();
    let manifests = folder.join("manifests");
    for (host, path) in children(&manifests) {
        for (space, path) in children(&path) {
            for (name, path) in children(&path) {
                for (tag, _) in children(&path) {
                    let text = format!("ollama:{host}/{space}/{name}:{tag}");
                    sources.extend(text.parse());
                }
            }
        }
    }
    sources
}

/// `models--owner--name/snapshots/COMMIT`, where `refs` says which commit a name is.
fn hub_model(folder: &Path, source: &Source) -> Option<Found> {
    let Source::Hub { repo, pick, revision } = source else { return None };
    let repository = folder.join(format!("models--{}", repo.replace('/', "--")));
    let name = revision.as_deref().unwrap_or("main");
    let snapshots = repository.join("snapshots");
    let commit = match fs::read_to_string(repository.join("refs").join(name)) {
        Ok(commit) => commit.trim().to_owned(),
        Err(_) => name.to_owned(),
    };
    let is_commit = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    let snapshot = Some(snapshots.join(&commit)).filter(|_| is_commit)?;
    let files = chosen(&snapshot, pick.as_deref())?;
    Some(Found { source: source.clone(), revision: Some(commit), files, licence: None })
}

fn hub_sources(folder: &Path) -> Vec<Source> {
    let mut sources = Vec::new();
    for (name, path) in children(folder) {
        let Some(repo) = name.strip_prefix("models--") else { continue };
        let repo = repo.replacen("--", "/", 1);
        for (commit, snapshot) in children(&path.join("snapshots")) {
            for pick in all(&list(&snapshot)) {
                let pick = pick.map(|path| format!(":{path}")).unwrap_or_default();
                sources.extend(format!("hf:{repo}{pick}@{commit}").parse());
            }
        }
    }
    sources
}

/// `owner/name/FILE`, of which nobody says which revision it is.
fn lm_studio_model(folder: &Path, source: &Source) -> Option<Found> {
    let Source::Hub { repo, pick, .. } = source else { return None };
    let files = chosen(&folder.join(repo), pick.as_deref())?;
    Some(Found { source: source.clone(), revision: None, files, licence: None })
}

fn lm_studio_sources(folder: &Path) -> Vec<Source> {
    let mut sources = Vec::new();
    for (owner, path) in children(folder) {
        for (name, path) in children(&path) {
            for pick in all(&list(&path)) {
                let pick = pick.map(|path| format!(":{path}")).unwrap_or_default();
                sources.extend(format!("hf:{owner}/{name}{pick}").parse());
            }
        }
    }
    sources
}

fn chosen(folder: &Path, pick: Option<&str>) -> Option<Vec<Wanted>> {
    let entries = list(folder);
    let chosen = choose(&entries, pick).ok()?;
    let file = |(at, role): (usize, Role)| {
        let Entry { path, size } = &entries[at];
        let place = folder.join(path);
        // The hub's cache links to a blob that is called by its digest.
        let blob = fs::read_link(&place).ok();
        let blob = blob.as_deref().and_then(|blob| blob.file_name()?.to_str());
        let digest = blob.and_then(|name| format!("sha256:{name}").parse().ok());
        let git = blob.and_then(|name| name.parse().ok());
        Wanted { digest, git, ..held_file(path.clone(), role, (place, *size)) }
    };
    Some(chosen.into_iter().map(file).collect())
}

fn held_file(name: String, role: Role, (path, size): (PathBuf, u64)) -> Wanted {
    let (place, size) = (Place::Disk(path), Some(size));
    Wanted { name, role, place, size, digest: None, git: None, manner: Manner::Web }
}

/// The names in a folder that are text, in order.
fn children(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let named =
        entries.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())));
    let mut children: Vec<_> = named.filter(|(name, _)| !name.starts_with('.')).collect();
    children.sort();
    children
}

/// All files of a folder and those in it.
fn list(folder: &Path) -> Vec<Entry> {
    let mut entries = Vec::new();
    collect(folder, "", &mut entries);
    entries
}

fn collect(folder: &Path, before: &str, entries: &mut Vec<Entry>) {
    for (name, path) in children(folder) {
        let Ok(about) = fs::metadata(&path) else { continue };
        let name = format!("{before}{name}");
        if about.is_file() {
            entries.push(Entry { path: name, size: about.len() });
        } else if name.matches('/').count() < DEEPEST {
            collect(&path, &format!("{name}/"), entries);
        }
    }
}
