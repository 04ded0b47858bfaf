//! A file, fetched into its place and checked.
//!
//! Long files come in pieces, by several connections; short ones, and those of servers that know no
//! ranges, by one. The file is whole when its digest is right, whatever the map of its pieces says.

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
        Place::Disk(path) => return check::copy(path, partial, watch),
        Place::Web(address) => address,
    };
    client.go_online(false, &address.to_string())?;
    watched(client, address.origin(), watch, |session| {
        let download = Download { session, wanted, address, partial };
        match download.attempt() {
            Err(Attempt { error, is_worth_another }) if is_worth_another => {
                drop(error);
                download.discard()?;
                download.attempt().map_err(|attempt| attempt.error)
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
    fn attempt(&self) -> Result<Digest, Attempt> {
        let file = self.open()?;
        let Some(size) = self.size()? else {
            let size = stream::all(self.session, self.wanted, (self.address, &file))
                .map_err(|error| self.disk(error))?;
            return Ok(self.check(&file, size)?);
        };
        let kept = self.fetch(&file, size)?;
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

    /// What the registry says, or else the server.
    fn size(&self) -> Result<Option<u64>, Error> {
        if self.wanted.size.is_some() {
            return Ok(self.wanted.size);
        }
        let reply = self.session.get(self.wanted.ask(self.address, Some((0, 0))))?;
        match reply.status {
            200 | 206 | 416 => Ok(web::length(&reply)),
            _ => Err(refusal(self.wanted.manner, &reply, &self.address.to_string())),
        }
    }

    /// Gets what is missing, and says whether anything was there.
    fn fetch(&self, file: &File, size: u64) -> Result<bool, Error> {
        let disk = |error: io::Error| Error::disk(self.partial, error);
        let options = self.session.client.options();
        let is_long = size > options.parallel_above;
        let piece = if is_long { options.piece } else { options.piece.min(SMALL_PIECE) }.max(1);
        let identity = match (&self.wanted.digest, &self.wanted.git) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(git)) => git.to_string(),
            (None, None) => self.address.to_string(),
        };
        let stated = Stated { size, piece, batch: options.piece, identity };
        let length = file.metadata().map_err(disk)?.len();
        let map = Map::open(&map::beside(self.partial), stated, length).map_err(disk)?;
        let done = map.done();
        *self.session.told() = Progress { done, total: Some(size), stage: Stage::Fetching };
        let connections = if is_long { options.connections.max(1) } else { 1 };
        let map = Mutex::new(map);
        let fetch = Fetch::new(self.session, self.wanted, (self.address, file), &map);
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
        remove(&map::beside(self.partial))?;
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
