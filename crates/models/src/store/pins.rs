//! `models.lock`: for each name the files that it stands for, where they came from, and when.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Error;
use super::files::{failed, replace};
use crate::Digest;

/// How the file is laid out. Another layout has another number.
const VERSION: u32 = 1;

/// All names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pins {
    version: u32,
    /// What they stand for, by name.
    pub models: Vec<Pinned>,
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pinned {
    /// The name.
    pub name: String,
    /// Where it came from, as `hearth pull` takes it.
    pub source: String,
    /// What tells this state of the source from every other.
    pub revision: String,
    /// How its matrices are stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantisation: Option<String>,
    /// What its maker allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// The digest of its tokenizer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<Digest>,
    /// The digest of its chat template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Digest>,
    /// The key that has signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<String>,
    /// When, as RFC 3339 has it.
    pub pinned: String,
    /// Who did it.
    pub by: String,
    /// Its files.
    pub files: Vec<PinnedFile>,
    /// What the name stood for before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Box<Pinned>>,
}

/// A file of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedFile {
    /// Its path within the model.
    pub name: String,
    /// What is in it.
    pub digest: Digest,
    /// Its length.
    pub bytes: u64,
    /// Where it lies, if that is outside of the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<PathBuf>,
    /// When it was written last, if it lies there; see [`modified`](super::modified).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<u64>,
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Digest, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Pinned {
    /// Whether it is the same model, whoever pinned it when.
    pub fn same_files(&self, other: &Pinned) -> bool {
        let files = |pinned: &Pinned| -> Vec<_> {
            pinned.files.iter().map(|file| (file.name.clone(), file.digest)).collect()
        };
        files(self) == files(other)
    }

    pub(super) fn without_history(self) -> Pinned {
        Pinned { before: None, ..self }
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// One digest for all of it: that of its file, or of the names and digests of its files.
    pub fn digest(&self) -> Digest {
        if let [file] = &self.files[..] {
            return file.digest;
        }
        let lines = self.files.iter().map(|file| format!("{} {}\n", file.digest, file.name));
        Digest::of(lines.collect::<String>().as_bytes())
    }

    /// The file that is opened; for a folder of safetensors there is none, but the folder.
    pub(super) fn entrance(&self) -> Option<&PinnedFile> {
        let gguf = |file: &&PinnedFile| file.name.to_ascii_lowercase().ends_with(".gguf");
        // Of a split file the first, whose name sorts before those of the others.
        self.files.iter().filter(gguf).min_by_key(|file| &file.name)
    }

    /// What the folder of its links is called: for people first.
    pub(super) fn view_name(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
        let name: String = self.name.chars().map(plain).collect();
        format!("{name}-{}", self.digest().hexadecimal())
    }

    /// Whether it can be put into the store without harm to what is outside.
    fn check(&self) -> Result<(), Error> {
        check_name(&self.name)?;
        let wrong = |why| Err(Error::Name { name: self.name.clone(), why });
        if self.files.is_empty() {
            return wrong("the model has no files");
        }
        let mut names: Vec<_> = self.files.iter().map(|file| file.name.to_lowercase()).collect();
        names.sort();
        if names.windows(2).any(|two| two[0] == two[1]) {
            return wrong("two of its files have one name");
        }
        self.files.iter().try_for_each(|file| check_file_name(&file.name))
    }
}

/// A model's name: letters, digits and `._-`, with slashes between parts and one colon before a
/// tag.
pub fn check_name(name: &str) -> Result<(), Error> {
    let wrong = |why| Err(Error::Name { name: name.to_owned(), why });
    if name.is_empty() || name.len() > 128 {
        return wrong("it has from 1 to 128 characters");
    }
    let known = |c: char| c.is_ascii_alphanumeric() || "._-/:".contains(c);
    if !name.chars().all(known) {
        return wrong("it has letters, digits and . _ - / :");
    }
    let mut parts = name.split(['/', ':']);
    if !parts.all(|part| part.starts_with(|c: char| c.is_ascii_alphanumeric())) {
        return wrong("each part begins with a letter or a digit");
    }
    match name.split_once(':') {
        Some((_, tag)) if tag.contains([':', '/']) => wrong("after the colon comes the tag alone"),
        _ => Ok(()),
    }
}

/// A path within a model, which leads nowhere else on any system.
pub fn check_file_name(name: &str) -> Result<(), Error> {
    let wrong = |why| Err(Error::Name { name: name.to_owned(), why });
    if name.is_empty() || name.len() > 255 {
        return wrong("a file's name has from 1 to 255 bytes");
    }
    if name.contains(|c: char| c.is_control() || "\\:*?\"<>|".contains(c)) {
        return wrong("a file's name has no control characters and none of \\ : * ? \" < > |");
    }
    let path = Path::new(name);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    if !plain || name.ends_with('/') || name.contains("//") {
        return wrong("a file's path leads nowhere but down");
    }
    if name.split('/').any(|part| part.starts_with('.') || part.ends_with(['.', ' '])) {
        return wrong("a part of a file's path begins and ends with no dot");
    }
    Ok(())
}

impl Pins {
    pub(super) fn read(path: &Path) -> Result<Pins, Error> {
        let none = Pins { version: VERSION, models: Vec::new() };
        let text = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(none),
            text => text.map_err(failed("read", path))?,
        };
        let wrong = |why| Error::Pins { path: path.to_owned(), why };
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let not_ours = |error| wrong(format!("hearth did not write this: {error}"));
        let Version { version } = serde_json::from_slice(&text).map_err(not_ours)?;
        if version != VERSION {
            let why = "it is of another version of hearth";
            return Err(wrong(format!("{why}: layout {version}, this one knows {VERSION}")));
        }
        let pins: Pins = serde_json::from_slice(&text).map_err(not_ours)?;
        // Somebody may have edited it, or sent it along.
        for pinned in pins.states() {
            pinned.check().map_err(|error| wrong(error.to_string()))?;
        }
        Ok(pins)
    }

    pub(super) fn write(&mut self, path: &Path) -> Result<(), Error> {
        self.models.iter().try_for_each(Pinned::check)?;
        self.models.sort_by(|a, b| a.name.cmp(&b.name));
        let wrong = |error| Error::Pins { path: path.to_owned(), why: format!("{error}") };
        let mut text = serde_json::to_vec_pretty(self).map_err(wrong)?;
        text.push(b'\n');
        replace(path, &text)
    }

    /// What names stand for, and what they stood for before.
    pub(super) fn states(&self) -> impl Iterator<Item = &Pinned> {
        self.models.iter().flat_map(|pinned| [Some(pinned), pinned.before.as_deref()]).flatten()
    }

    /// What a name stands for that is written in full.
    pub fn exact(&self, name: &str) -> Option<&Pinned> {
        self.models.iter().find(|model| model.name.eq_ignore_ascii_case(name))
    }

    /// What a name stands for. A name without a tag may mean the only one with a tag.
    pub fn find(&self, name: &str) -> Option<&Pinned> {
        let tagged = |model: &&Pinned| {
            model.name.split_once(':').is_some_and(|(base, _)| base.eq_ignore_ascii_case(name))
        };
        self.exact(name).or_else(|| {
            let mut tagged = self.models.iter().filter(tagged);
            tagged.next().filter(|_| tagged.next().is_none())
        })
    }

    /// Takes a name out.
    pub(super) fn remove(&mut self, name: &str) -> Option<Pinned> {
        let at = self.models.iter().position(|model| model.name.eq_ignore_ascii_case(name))?;
        Some(self.models.remove(at))
    }

    /// That a name stands for nothing, with names that are alike.
    pub fn unknown(&self, name: &str) -> Error {
        let base = |name: &str| name.split(':').next().unwrap_or_default().to_lowercase();
        let wanted = base(name);
        let alike = self.models.iter().map(|model| &model.name);
        let alike = alike.filter(|known| base(known).contains(&wanted)).cloned().collect();
        Error::Unknown { name: name.to_owned(), alike }
    }
}
