//! Hugging Face's hub, and mirrors of it: a repository at a commit, and its files.

use serde_json::Value;

use super::address::encoded;
use super::choose::{Entry, Undecided, choose};
use super::document::{Document, get, refusal};
use super::session::{Ask, Session, watched};
use super::{Address, Client, Error, Found, GitBlob, Manner, Place, Source, Wanted, Watch, names};
use crate::Digest;

/// Pages of a list of files; a page has a thousand.
const PAGES: usize = 50;

/// What the hub says of a file.
#[derive(Debug)]
pub struct Listed {
    pub entry: Entry,
    pub digest: Option<Digest>,
    pub git: Option<GitBlob>,
}

pub fn find(client: &Client, source: &Source, watch: Watch) -> Result<Found, Error> {
    let Source::Hub { repo, pick, revision } = source else {
        unreachable!("the source is the hub's");
    };
    let hub = &client.options().hub;
    let (listed, about) = watched(client, hub.origin(), watch, |session| {
        let about = about(session, repo, revision.as_deref())?;
        Ok((list(session, repo, &about.commit)?, about))
    })?;
    let entries: Vec<Entry> = listed.iter().map(|listed| listed.entry.clone()).collect();
    let chosen = choose(&entries, pick.as_deref()).map_err(|why| undecided(source, why))?;
    let wanted = |(at, role): (usize, _)| {
        let Listed { entry, digest, git } = &listed[at];
        names::check(&entry.path)?;
        let path = format!("/{repo}/resolve/{}/{}", about.commit, encoded(&entry.path));
        Ok(Wanted {
            name: entry.path.clone(),
            role,
            place: Place::Web(below(hub, &path)?),
            size: Some(entry.size),
            digest: *digest,
            git: *git,
            manner: Manner::Hub,
        })
    };
    Ok(Found {
        source: source.clone(),
        revision: Some(about.commit.clone()),
        files: chosen.into_iter().map(wanted).collect::<Result<_, Error>>()?,
        licence: about.licence.clone(),
    })
}

/// Why nothing was chosen, in words.
pub fn undecided(source: &Source, why: Undecided) -> Error {
    let source = source.to_string();
    match why {
        Undecided::Several(choices) => Error::Choice { source, choices },
        Undecided::NoSuch(choices) => {
            let names: Vec<String> = choices.into_iter().map(|(name, _)| name).collect();
            Error::Missing { what: format!("{source}; there are {}", names.join(", ")) }
        }
        Undecided::Unsupported(why) => Error::Unsupported { source, why },
    }
}

fn below(hub: &Address, path: &str) -> Result<Address, Error> {
    hub.below(path).map_err(|why| Error::Address { address: format!("{hub}{path}"), why })
}

/// What the hub says of a repository.
#[derive(Debug, PartialEq, Eq)]
pub struct About {
    pub commit: String,
    pub licence: Option<String>,
}

fn about(session: &Session, repo: &str, revision: Option<&str>) -> Result<About, Error> {
    let hub = &session.client.options().hub;
    let name = revision.unwrap_or("main");
    // A branch with slashes is one part of the path.
    let part = encoded(name).replace('/', "%2F");
    let address = below(hub, &format!("/api/models/{repo}/revision/{part}"))?;
    match get(session, ask(&address))? {
        Ok(document) => match read_about(&document.value) {
            None => Err(malformed(&address, "it does not name a commit of 40 digits")),
            // A commit cannot be moved, as branches are.
            Some(about) if is_commit(name) && !about.commit.eq_ignore_ascii_case(name) => {
                Err(malformed(&address, &format!("it tells of another commit, {}", about.commit)))
            }
            Some(about) => Ok(about),
        },
        Err(reply) if reply.status == 404 && reply.header("x-error-code").is_none() => {
            let whole = below(hub, &format!("/api/models/{repo}"))?;
            let what = match get(session, ask(&whole))? {
                Ok(_) => format!("revision {name} of {repo}"),
                Err(_) => format!("repository {repo}"),
            };
            Err(Error::Missing { what })
        }
        Err(reply) => Err(refusal(Manner::Hub, &reply, &format!("revision {name} of {repo}"))),
    }
}

fn ask(at: &Address) -> Ask<'_> {
    Ask::of(at, "application/json")
}

fn malformed(address: &Address, why: &str) -> Error {
    Error::Malformed { what: address.to_string(), why: why.to_owned() }
}

fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
}

pub fn read_about(value: &Value) -> Option<About> {
    let commit = value.get("sha")?.as_str()?;
    if !is_commit(commit) {
        return None;
    }
    let card = value.get("cardData").and_then(|card| card.get("license"));
    let card = card.and_then(|licence| licence.as_str().or_else(|| licence.get(0)?.as_str()));
    let tags = value.get("tags").and_then(Value::as_array).into_iter().flatten();
    let mut tags = tags.filter_map(|tag| tag.as_str()?.strip_prefix("license:"));
    let licence = card.or_else(|| tags.next()).map(|word| word.chars().take(100).collect());
    Some(About { commit: commit.to_owned(), licence })
}

fn list(session: &Session, repo: &str, commit: &str) -> Result<Vec<Listed>, Error> {
    let hub = &session.client.options().hub;
    let path = format!("/api/models/{repo}/tree/{commit}?recursive=1");
    let mut address = below(hub, &path)?;
    let mut listed = Vec::new();
    for _ in 0..PAGES {
        let Document { value, next, .. } = match get(session, ask(&address))? {
            Ok(document) => document,
            Err(reply) => {
                return Err(refusal(Manner::Hub, &reply, &format!("list of the files of {repo}")));
            }
        };
        let page = read_list(&value);
        listed.extend(page.ok_or_else(|| malformed(&address, "it is no list of files"))?);
        let Some(next) = next else { return Ok(listed) };
        let next = address.join(&next).map_err(|why| malformed(&address, &why))?;
        if next.origin() != address.origin() {
            return Err(malformed(&address, "its next page is somewhere else"));
        }
        address = next;
    }
    Err(malformed(&address, "it has more files than any model"))
}

pub fn read_list(value: &Value) -> Option<Vec<Listed>> {
    let is_file = |item: &&Value| item.get("type").and_then(Value::as_str) == Some("file");
    value.as_array()?.iter().filter(is_file).map(read_file).collect()
}

fn read_file(item: &Value) -> Option<Listed> {
    let path = item.get("path")?.as_str()?.to_owned();
    let size = item.get("size")?.as_u64()?;
    let large = item.get("lfs").filter(|lfs| !lfs.is_null());
    let Some(large) = large else {
        let git = Some(item.get("oid")?.as_str()?.parse().ok()?);
        return Some(Listed { entry: Entry { path, size }, digest: None, git });
    };
    let oid = large.get("oid")?.as_str()?;
    let digest = format!("sha256:{}", oid.trim_start_matches("sha256:")).parse().ok()?;
    let size = large.get("size").map_or(Some(size), Value::as_u64)?;
    Some(Listed { entry: Entry { path, size }, digest: Some(digest), git: None })
}
