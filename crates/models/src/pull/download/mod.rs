//! A file, fetched into its place and checked.
//!
//! Long files come in pieces, by several connections; short ones, and those of servers that know no
//! ranges, by one. The file is whole when its digest is right, whatever the map of its pieces says.
//!
//! Where nobody states a digest, nothing would tell whether pieces are of one version. Then there
//! are pieces only where a server names its version for good, and each of them has that name; else
//! one stream, from its beginning.

mod check;
mod disk;
mod fetch;
mod map;
mod stream;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::Mutex;

use super::session::{Progress, Session, Stage, watched};
use super::{Address, Client, Error, Place, Wanted, Watch, refusal, web};
use crate::Digest;
pub use check::checked;
use fetch::{Fetch, Fetched};
use map::{Map, Stated};

/// Bytes of a piece of a file that comes by one connection.
const SMALL_PIECE: u64 = 1 << 20;

/// Gets a file into `partial`, from where an earlier call stopped, and says which digest it has.
/// While it is not whole, the file `partial` with `.map` behind its name is beside it. The caller
/// sees to it that nobody else does the same, and moves the file to its place.
///
/// # Errors
/// When it cannot be had, or is not what was promised; then nothing of it is kept. What came until
/// a connection, the disk or the user ended it is kept.
pub fn download(
    client: &Client,
    wanted: &Wanted,
    partial: &Path,
    watch: Watch,
) -> Result<Digest, Error> {
    let address = match &wanted.place {
        Place::Disk(path) => {
            // A copy begins anew each time.
            return check::copy(wanted, (path, partial), watch).inspect_err(|_| {
                let _ = remove(partial);
            });
        }
        Place::Web(address) => address,
    };
    client.go_online(false, &address.to_string())?;
    watched(client, address.origin(), watch, |session| {
        let download = Download { session, wanted, address, partial };
        match download.attempt(true) {
            Err(Attempt { error, is_worth_another }) if is_worth_another => {
                drop(error);
                download.discard()?;
                download.attempt(false).map_err(|attempt| attempt.error)
            }
            result => result.map_err(|attempt| attempt.error),
        }
        .inspect_err(|error| {
            if is_spoiled(error) {
                // There is an error already, which says more.
                let _ = download.discard();
            }
        })
    })
}

/// Forgets which pieces of a partial file have come. Not before it has its place: until then a kill
/// must leave what tells that it is whole.
pub fn settled(partial: &Path) {
    // What is left of it without the file counts for nothing.
    let _ = fs::remove_file(map::beside(partial));
}

/// Whether what is here of the file is of no use.
fn is_spoiled(error: &Error) -> bool {
    matches!(
        error,
        Error::Digest { .. } | Error::Size { .. } | Error::Changed { .. } | Error::TooLong { .. }
    )
}

struct Download<'a> {
    session: &'a Session<'a>,
    wanted: &'a Wanted,
    address: &'a Address,
    partial: &'a Path,
}

/// What ended an attempt.
struct Attempt {
    error: Error,
    /// Whether the same from the beginning may go better.
    is_worth_another: bool,
}

impl From<Error> for Attempt {
    fn from(error: Error) -> Attempt {
        Attempt { is_worth_another: matches!(error, Error::Changed { .. }), error }
    }
}

impl Download<'_> {
    /// The last attempt at what has no digest is one stream.
    fn attempt(&self, is_first: bool) -> Result<Digest, Attempt> {
        self.wanted.check_size(self.session.client)?;
        let file = self.open()?;
        let is_stated = self.wanted.digest.is_some() || self.wanted.git.is_some();
        let known = match self.wanted.size {
            Some(size) if is_stated => Some((size, None)),
            _ => self.ask()?.filter(|(_, version)| is_stated || version.is_some() && is_first),
        };
        let Some((size, version)) = known else {
            // A map would be of other bytes.
            remove(&map::beside(self.partial))?;
            let size = stream::all(self.session, self.wanted, (self.address, &file))
                .map_err(|error| self.disk(error))?;
            self.same_size(size)?;
            return Ok(self.check(&file, size)?);
        };
        self.same_size(size)?;
        let kept = self.fetch(&file, size, version.filter(|_| !is_stated))?;
        self.check(&file, size).map_err(|error| Attempt {
            // What an earlier download left may be what is wrong.
            is_worth_another: kept && matches!(error, Error::Digest { .. }),
            error,
        })
    }

    fn open(&self) -> Result<File, Error> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(self.partial);
        file.map_err(|error| Error::disk(self.partial, error))
    }

    /// Errors of threads that do not know the file's path.
    fn disk(&self, error: Fetched) -> Error {
        match error {
            Fetched::Failed(error) => error,
            Fetched::Disk(error) => Error::disk(self.partial, error),
        }
    }

    /// The size that the server says, and its name for this version.
    fn ask(&self) -> Result<Option<(u64, Option<String>)>, Error> {
        let reply = self.session.get(self.wanted.ask(self.address, Some((0, 0))))?;
        if !matches!(reply.status, 200 | 206 | 416) {
            return Err(refusal(self.wanted.manner, &reply, &self.address.to_string()));
        }
        let Some(size) = web::length(&reply) else { return Ok(None) };
        Wanted { size: Some(size), ..self.wanted.clone() }.check_size(self.session.client)?;
        // Other names, as those that begin with `W/`, may be those of several versions.
        let is_strong =
            |name: &&str| name.len() > 2 && name.starts_with('"') && name.ends_with('"');
        Ok(Some((size, reply.header("etag").filter(is_strong).map(str::to_owned))))
    }

    fn same_size(&self, found: u64) -> Result<(), Error> {
        match self.wanted.size.filter(|stated| *stated != found) {
            None => Ok(()),
            Some(stated) => {
                let (file, found) = (self.wanted.name.clone(), found.to_string());
                Err(Error::Size { file, stated, found })
            }
        }
    }

    /// Gets what is missing, of one version alone where there is no digest, and says whether
    /// anything was there.
    fn fetch(&self, file: &File, size: u64, version: Option<String>) -> Result<bool, Error> {
        let disk = |error: io::Error| Error::disk(self.partial, error);
        let options = self.session.client.options();
        let is_long = size > options.parallel_above;
        let piece = if is_long { options.piece } else { options.piece.min(SMALL_PIECE) }.max(1);
        let identity = match (&self.wanted.digest, &self.wanted.git) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(git)) => git.to_string(),
            // The query may be a secret, and belongs to what is asked for.
            (None, None) => {
                let version = version.as_deref().unwrap_or_default();
                Digest::of(format!("{} {version}", self.address.uri()).as_bytes()).to_string()
            }
        };
        let stated = Stated { size, piece, batch: options.piece, identity };
        let length = file.metadata().map_err(disk)?.len();
        let map = Map::open(&map::beside(self.partial), stated, length).map_err(disk)?;
        let done = map.done();
        *self.session.told() = Progress { done, total: Some(size), stage: Stage::Fetching };
        let connections = if is_long { options.connections.max(1) } else { 1 };
        let map = Mutex::new(map);
        let mut fetch = Fetch::new(self.session, self.wanted, (self.address, file), &map);
        fetch.version = version;
        fetch.run(connections).map_err(|error| self.disk(error))?;
        Ok(done > 0)
    }

    fn check(&self, file: &File, size: u64) -> Result<Digest, Error> {
        let disk = |error: io::Error| Error::disk(self.partial, error);
        // What is behind the end was left by something else.
        file.set_len(size).map_err(disk)?;
        *self.session.told() = Progress { done: 0, total: Some(size), stage: Stage::Checking };
        let digest = check::check(self.session, self.wanted, file)?.map_err(disk)?;
        file.sync_all().map_err(disk)?;
        Ok(digest)
    }

    fn discard(&self) -> Result<(), Error> {
        remove(&map::beside(self.partial))?;
        remove(self.partial)
    }
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::disk(path, error)),
        _ => Ok(()),
    }
}
