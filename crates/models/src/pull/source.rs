//! Where a model comes from, as a user says it.
//!
//! `hf:owner/repo[:quant|file][@revision]`, `ollama:[host/][ns/]name[:tag]`,
//! `oci:host/repo[:tag|@sha256:…]`, `https://…`, `file:PATH` or a plain path.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::{Address, Error, OLLAMA_HOST, names};
use crate::Digest;

/// Where a model comes from. It is written in one way only, and reads itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A repository of Hugging Face's hub.
    Hub {
        /// `owner/repo`.
        repo: String,
        /// A part of a file's name, as in `Q4_K_M`, or a whole one.
        pick: Option<String>,
        /// A branch, tag or commit.
        revision: Option<String>,
    },
    /// A name of Ollama's registry, or of one that speaks as it does.
    Ollama {
        /// The registry, where it is not Ollama's own.
        host: Option<String>,
        /// With its namespace.
        name: String,
        /// `latest` where none was said.
        tag: String,
    },
    /// An artefact of a container registry.
    Oci {
        /// The registry.
        host: String,
        /// The repository in it.
        repo: String,
        /// Which of its artefacts.
        at: At,
    },
    /// A file of the web.
    Web(Address),
    /// A file or folder of this machine.
    Local(PathBuf),
}

/// Which artefact of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// The one that has this tag now.
    Tag(String),
    /// The one whose manifest has this digest.
    Digest(Digest),
}

impl Source {
    /// The same, at a revision that [`find`](super::find) gave.
    ///
    /// # Errors
    /// When the kind of source has no revisions, or none such.
    pub fn at(&self, revision: &str) -> Result<Source, Error> {
        let refuse = |why: &str| refused(revision, why);
        match self {
            Source::Hub { repo, pick, .. } => {
                check_part(revision).map_err(|why| refuse(&why))?;
                let (repo, pick) = (repo.clone(), pick.clone());
                Ok(Source::Hub { repo, pick, revision: Some(revision.to_owned()) })
            }
            Source::Oci { host, repo, .. } => {
                let digest = revision.parse().map_err(|_| refuse("it is no digest"))?;
                Ok(Source::Oci { host: host.clone(), repo: repo.clone(), at: At::Digest(digest) })
            }
            _ => Err(refuse("this kind of source can only be asked for what it has now")),
        }
    }

    /// Whether getting it needs a network.
    pub fn is_local(&self) -> bool {
        matches!(self, Source::Local(_))
    }
}

impl FromStr for Source {
    type Err = Error;

    fn from_str(text: &str) -> Result<Source, Error> {
        let refuse = |why: &str| refused(text, why);
        if text.contains('\0') {
            return Err(refuse("it has a NUL"));
        }
        let (kind, rest) = text.split_once(':').unwrap_or(("", text));
        let read = match kind {
            "hf" => hub(rest),
            "ollama" => ollama(rest),
            "oci" => oci(rest),
            "https" | "http" => Address::parse(text).map(Source::Web),
            "file" => path(rest.strip_prefix("//").unwrap_or(rest)),
            _ if is_path(text) => path(text),
            _ => Err("a source begins with `hf:`, `ollama:`, `oci:`, `https:` or `file:`, a path \
                      with `/` or `.`, or it ends with `.gguf`"
                .to_owned()),
        };
        read.map_err(|why| refuse(&why))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Source::Hub { repo, pick, revision } => {
                write!(f, "hf:{repo}")?;
                pick.as_ref().map_or(Ok(()), |pick| write!(f, ":{pick}"))?;
                revision.as_ref().map_or(Ok(()), |revision| write!(f, "@{revision}"))
            }
            Source::Ollama { host, name, tag } => {
                let name = name.strip_prefix("library/").filter(|_| host.is_none()).unwrap_or(name);
                let host = host.as_ref().map(|host| format!("{host}/")).unwrap_or_default();
                write!(f, "ollama:{host}{name}:{tag}")
            }
            Source::Oci { host, repo, at: At::Tag(tag) } => write!(f, "oci:{host}/{repo}:{tag}"),
            Source::Oci { host, repo, at: At::Digest(digest) } => {
                write!(f, "oci:{host}/{repo}@{digest}")
            }
            Source::Web(address) => address.fmt(f),
            Source::Local(path) => {
                let path = path.display().to_string();
                // The first two strokes of an address are not the path's.
                let strokes = if path.starts_with("//") { "//" } else { "" };
                write!(f, "file:{strokes}{path}")
            }
        }
    }
}

fn refused(name: &str, why: &str) -> Error {
    // A query may be signed.
    let name = name.split('?').next().unwrap_or_default();
    Error::Name { name: name.to_owned(), why: why.to_owned() }
}

fn hub(rest: &str) -> Result<Source, String> {
    let (rest, revision) = split_last(rest, '@');
    let (repo, pick) = match rest.split_once(':') {
        Some((repo, pick)) => (repo, Some(pick)),
        None => (rest, None),
    };
    let parts: Vec<&str> = repo.split('/').collect();
    if parts.len() != 2 {
        return Err("a repository is `owner/name`".to_owned());
    }
    parts.iter().try_for_each(|part| check_part(part))?;
    if let Some(pick) = pick {
        names::check(pick).map_err(|error| error.to_string())?;
        if pick.contains('@') {
            return Err("`@` comes once, before the revision".to_owned());
        }
    }
    // A branch may have slashes in it, as `refs/pr/1` has.
    revision.map_or(Ok(()), |name| name.split('/').try_for_each(check_part))?;
    let (pick, revision) = (pick.map(str::to_owned), revision.map(str::to_owned));
    Ok(Source::Hub { repo: repo.to_owned(), pick, revision })
}

fn ollama(rest: &str) -> Result<Source, String> {
    let (host, path) = split_host(rest);
    host.map_or(Ok(()), check_host)?;
    // The same source has one name, so that rules on it and its mirror hold.
    let host = host.filter(|host| {
        let name = host.strip_suffix(":443").unwrap_or(host).trim_end_matches('.');
        !name.eq_ignore_ascii_case(OLLAMA_HOST)
    });
    let (name, tag) = split_tag(path);
    check_path(name)?;
    check_part(tag)?;
    let name = match name.matches('/').count() {
        0 => format!("library/{name}"),
        1 => name.to_owned(),
        _ => return Err("a name is `name`, `ns/name` or `host/ns/name`".to_owned()),
    };
    Ok(Source::Ollama { host: host.map(str::to_owned), name, tag: tag.to_owned() })
}

fn oci(rest: &str) -> Result<Source, String> {
    let (Some(host), path) = split_host(rest) else {
        return Err("it begins with the registry's host, as in `oci:ghcr.io/owner/name`".into());
    };
    check_host(host)?;
    let (repo, at) = match path.split_once('@') {
        Some((repo, digest)) => {
            (repo, At::Digest(digest.parse().map_err(|no: crate::NoDigest| no.to_string())?))
        }
        None => {
            let (repo, tag) = split_tag(path);
            check_part(tag)?;
            (repo, At::Tag(tag.to_owned()))
        }
    };
    check_path(repo)?;
    Ok(Source::Oci { host: host.to_owned(), repo: repo.to_owned(), at })
}

fn path(text: &str) -> Result<Source, String> {
    if text.is_empty() { Err("there is no path".into()) } else { Ok(Source::Local(text.into())) }
}

/// What is a path although nothing says so. Names of a catalogue have neither of these.
fn is_path(text: &str) -> bool {
    let plain = std::path::Path::new(text);
    plain.is_absolute() || text.starts_with(['.', '/']) || text.ends_with(".gguf")
}

/// A host has a dot or a port, or is this machine; all others are namespaces.
fn split_host(text: &str) -> (Option<&str>, &str) {
    match text.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => {
            (Some(host), rest)
        }
        _ => (None, text),
    }
}

fn check_host(host: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    if !host.chars().all(fits) {
        return Err("its host is none".to_owned());
    }
    Address::parse(&format!("https://{host}/")).map(|_| ())
}

fn split_tag(path: &str) -> (&str, &str) {
    path.rsplit_once(':').unwrap_or((path, "latest"))
}

fn split_last(text: &str, mark: char) -> (&str, Option<&str>) {
    text.rsplit_once(mark).map_or((text, None), |(before, after)| (before, Some(after)))
}

fn check_path(path: &str) -> Result<(), String> {
    path.split('/').try_for_each(check_part)
}

/// What stands between two slashes. Nothing that an address would read differently.
fn check_part(part: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if part.is_empty() || part.len() > 200 || !part.chars().all(fits) || part.contains("..") {
        let shown: String = part.chars().take(100).collect();
        return Err(format!("{shown:?} is not made of letters, digits, `.`, `_` and `-` alone"));
    }
    if part.starts_with('.') {
        return Err("a part of it begins with a dot".to_owned());
    }
    Ok(())
}
