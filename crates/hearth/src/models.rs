//! The models that a server was started with: what is known of them before they are loaded.

use std::fs::{self, File};
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::UNIX_EPOCH;

use api::About;
use arch::Kept;
use engine::{Demand, Policy, Settings};
use models::pull::Role;
use models::store::Pinned;
use sha2::{Digest, Sha256};
use turn::Sampling;

use crate::about::about;
use crate::failure::Failure;
use crate::fit::{self, Checked};
use crate::named::{self, Named};
use crate::recommended::recommended;
use crate::{kindling, load};

/// Tokens of a short prompt.
const SHORT: usize = 512;

/// A model that can be asked.
pub struct Model {
    pub name: String,
    pub path: PathBuf,
    /// Tokens that prompt and reply may have together.
    pub context: usize,
    /// Width of the residual stream, and so of an embedding.
    pub width: usize,
    /// How many layers it has.
    pub layers: usize,
    /// Entries of its vocabulary.
    pub vocabulary: usize,
    /// Bytes of its weights.
    pub weights: u64,
    /// Bytes that it takes without any conversation, weights included.
    pub fixed: u64,
    /// Bytes without which it is not loaded: one conversation included.
    pub least: u64,
    /// Bytes of what it keeps of the longest sequence.
    pub longest: u64,
    /// The same of a short prompt with a reply for which nobody states a limit.
    pub usual: u64,
    /// When its files were made, in seconds since 1970.
    pub created: u64,
    /// How it keeps keys and values.
    pub kept: Kept,
    /// Tells it from other models: what its name is pinned to, or else see [`digest`].
    pub digest: String,
    /// What its name stands for, if it was given by one.
    pinned: Option<Pinned>,
    /// What its maker recommends.
    pub sampling: Sampling,
    /// What is told of it, once somebody has asked.
    about: OnceLock<About>,
}

impl Model {
    /// Looks at a model's files, without reading its weights, and refuses one that does not fit
    /// into memory; `together` answers are written at once. It is `NAME=PATH`, or named after its
    /// file.
    pub fn open(
        given: &str,
        (settings, checked): (Settings, Checked),
        policy: Policy,
    ) -> Result<Model, Failure> {
        let (name, path) = match given.split_once('=') {
            Some((name, path)) if !name.contains('/') => (Some(name.to_owned()), path),
            _ => (None, given),
        };
        if name.as_ref().is_some_and(String::is_empty) || path.is_empty() {
            let message = format!("{given:?} names no model; it is PATH or NAME=PATH");
            return Err(Failure::Request(message));
        }
        let Named { path, pinned } = named::find(Path::new(path))?;
        let path = &path;
        let source = load::source(path)?;
        let fit = fit::of(path, &source, settings)?;
        fit::check(path, &fit, (settings, checked))?;
        let shape = fit.shape();
        let need = fit.need(Demand { context: shape.context, users: policy.together });
        let digest = match &pinned {
            Some(pinned) => pinned.digest().hexadecimal(),
            None => digest(path).map_err(|error| Failure::model(path, error, load::SHOW))?,
        };
        let pinned_name = pinned.as_ref().map(|pinned| pinned.name.clone());
        Ok(Model {
            pinned,
            name: name.or(pinned_name).unwrap_or_else(|| name_of(path)),
            path: path.clone(),
            context: shape.context,
            width: shape.hidden,
            layers: shape.layers,
            vocabulary: shape.vocabulary,
            weights: need.weights(),
            fixed: need.fixed(),
            least: fit.need(fit::one(&fit, (settings, checked))).total(),
            longest: policy.room(shape),
            usual: policy.room_for(shape, shape.context.min(policy.reply + SHORT)),
            created: created(path),
            kept: shape.kept,
            digest,
            sampling: recommended(path, &source),
            about: OnceLock::new(),
        })
    }

    /// Whether its files are those that it was opened with, by which its answers are named. A
    /// server may bring them into memory hours later, and again.
    pub fn is_as_it_was(&self) -> Result<(), Failure> {
        let failed = |error| Failure::model(&self.path, error, load::SHOW);
        match &self.pinned {
            Some(pinned) => named::store()?.check(pinned).map_err(named::failure),
            None if !kindling::is(&self.path) && !self.path.exists() => {
                Err(Failure::model(&self.path, "is there no more", "Put it back."))
            }
            None if digest(&self.path).map_err(failed)? == self.digest => Ok(()),
            None => {
                let why = "has changed since the server was started";
                let way_out = "Started again, the server takes it as it is now.";
                Err(Failure::model(&self.path, why, way_out))
            }
        }
    }

    /// The arithmetic, and what tells it from other models.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.digest, self.kept)
    }

    /// What is told of it. The first time its files are read for that.
    pub fn about(&self) -> Result<About, Failure> {
        match self.about.get() {
            Some(about) => Ok(about.clone()),
            None => {
                let about = about(self)?;
                Ok(self.about.get_or_init(|| about).clone())
            }
        }
    }
}

/// The arithmetic and what tells a model from others, as answers carry it.
pub fn fingerprint(digest: &str, kept: Kept) -> String {
    let canon = match kept {
        Kept::F32 => "canon1",
        Kept::F16 => "canon1-f16",
        Kept::I16 => "canon2",
    };
    format!("{canon}-{}", &digest[..16])
}

/// The name of a file without its ending, or of a folder.
pub fn name_of(path: &Path) -> String {
    if kindling::is(path) {
        return kindling::NAME.to_owned();
    }
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let name = if path.is_dir() { path.file_name() } else { path.file_stem() };
    name.map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned())
}

fn created(path: &Path) -> u64 {
    // What is inside the binary is as old as that.
    let file = if kindling::is(path) { std::env::current_exe() } else { Ok(path.to_owned()) };
    let modified = file.and_then(fs::metadata).and_then(|metadata| metadata.modified());
    let since = modified.ok().and_then(|modified| modified.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_secs())
}

/// A digest of the beginning, the end and the length of each file that is read, 64 hexadecimal
/// digits: enough to tell models apart, not to prove that no weight has changed. It is none of a
/// file's whole bytes.
fn digest(path: &Path) -> io::Result<String> {
    let mut digest = Sha256::new();
    if kindling::is(path) {
        // That of its file, from which it cannot be told.
        let bytes = kindling::bytes();
        let what = (kindling::FILE_NAME.as_bytes(), bytes.len() as u64);
        digest_of_ends(&mut digest, what, Cursor::new(bytes))?;
        return Ok(hexadecimal(digest));
    }
    for path in files_of(path)? {
        let file = File::open(&path)?;
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        let len = file.metadata()?.len();
        digest_of_ends(&mut digest, (name, len), file)?;
    }
    Ok(hexadecimal(digest))
}

/// What is read of a model: a file, with the other parts of it; or a folder, of which one file of
/// weights may have been named.
fn files_of(path: &Path) -> io::Result<Vec<PathBuf>> {
    let named = path.extension().is_some_and(|ending| ending == "safetensors");
    let whole = match named.then(|| path.parent()).flatten() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => path,
    };
    let mut files: Vec<_> = match models::pull::files_of(whole) {
        Ok(files) if named => {
            let beside = files.into_iter().filter(|(_, role)| *role != Role::Weights);
            beside.map(|(file, _)| file).chain([path.to_owned()]).collect()
        }
        Ok(files) => files.into_iter().map(|(file, _)| file).collect(),
        // What cannot be pulled may still be run.
        Err(_) if !path.is_dir() => vec![path.to_owned()],
        Err(_) => fs::read_dir(path)?.map(|it| Ok(it?.path())).collect::<io::Result<_>>()?,
    };
    files.retain(|file| file.is_file());
    files.sort();
    Ok(files)
}

fn hexadecimal(digest: Sha256) -> String {
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn digest_of_ends(
    digest: &mut Sha256,
    (name, len): (&[u8], u64),
    mut file: impl Read + Seek,
) -> io::Result<()> {
    const END: u64 = 1 << 20;
    digest.update(name);
    digest.update(len.to_le_bytes());
    for from in [0, len.saturating_sub(END)] {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(from))?;
        file.by_ref().take(END).read_to_end(&mut bytes)?;
        digest.update(&bytes);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use testkit::golden;

    use super::*;

    fn open(given: &str) -> Result<Model, Failure> {
        let how = (Settings::default(), Checked { refuses: true, demand: None });
        Model::open(given, how, Policy::default())
    }

    #[test]
    fn a_model_is_known_before_it_is_loaded() {
        let folder = golden("models/qwen3");
        let model = open(&folder.display().to_string()).unwrap();
        assert_eq!((&model.name[..], model.context), ("qwen3", 512));
        assert!(model.weights > 100_000 && model.longest > 100_000);
        let named = open(&format!("tiny={}", folder.display())).unwrap();
        assert_eq!((&named.name[..], &named.digest), ("tiny", &model.digest));
        assert_eq!((model.digest.len(), model.fingerprint().len()), (64, 23));
        // A window and what a step adds to it are kept, however short the context is.
        let gemma = golden("models/gemma3").display().to_string();
        let how = (Settings::default(), Checked { refuses: true, demand: None });
        let narrow = Policy { rows: 8, ..Policy::default() };
        let narrow = Model::open(&gemma, how, narrow).unwrap();
        assert!(narrow.longest < open(&gemma).unwrap().longest);
        let other = open(&golden("models/llama").display().to_string()).unwrap();
        assert_ne!(other.digest, model.digest);
        assert!(open("/nowhere.gguf").is_err());
    }

    #[test]
    fn the_model_inside_is_known_like_any_other() {
        let model = open("kindling").unwrap();
        let named = open("small=kindling").unwrap();
        assert_eq!((&model.name[..], &named.name[..]), ("kindling", "small"));
        assert_eq!(model.sampling.temperature, 0.0);
        assert!(model.created > 0 && model.context >= 1024);
        let about = model.about().unwrap();
        assert_eq!((about.bytes, about.format), (kindling::bytes().len() as u64, "gguf"));
        assert!(about.abilities.converses && about.digest == named.digest);
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../kindling/kindling.gguf");
        assert_eq!(open(file).unwrap().fingerprint(), model.fingerprint());
    }
}
