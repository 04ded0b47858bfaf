//! Whether the bytes on disk are those that were promised.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use super::super::git::Naming;
use super::super::session::{Progress, Session, Stage};
use super::super::{Error, Wanted, Watch};
use crate::Digest;

/// The digest of a file that is here already, which must be the one that was stated, as must its
/// name in git. `progress` is told how many bytes were read, and may end it.
///
/// # Errors
/// When it cannot be read, or is something else.
pub fn checked(
    wanted: &Wanted,
    path: &Path,
    progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<Digest, Error> {
    let disk = |error| Error::disk(path, error);
    let file = File::open(path).map_err(disk)?;
    let length = file.metadata().map_err(disk)?.len();
    compared(wanted, (file, length), progress)?.map_err(disk)
}

/// The same of one that came.
pub fn check(
    session: &Session,
    wanted: &Wanted,
    mut file: &File,
) -> Result<io::Result<Digest>, Error> {
    let length = match file.rewind().and_then(|()| file.metadata()) {
        Ok(about) => about.len(),
        Err(error) => return Ok(Err(error)),
    };
    compared(wanted, (file, length), &mut |done| {
        session.told().done = done;
        if session.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
}

fn compared(
    wanted: &Wanted,
    (from, length): (impl Read, u64),
    progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<io::Result<Digest>, Error> {
    let mut both = Both { from, git: wanted.git.map(|_| Naming::of(length)) };
    let digest = match Digest::read(&mut both, progress) {
        Ok(Some(digest)) => digest,
        Ok(None) => return Err(Error::Stopped),
        Err(error) => return Ok(Err(error)),
    };
    let named = both.git.map(Naming::finish);
    let differ = |stated: String, found: String| {
        Err(Error::Digest { file: wanted.name.clone(), stated, found })
    };
    match (wanted.digest, wanted.git, named) {
        (Some(stated), ..) if stated != digest => differ(stated.to_string(), digest.to_string()),
        (_, Some(stated), Some(found)) if stated != found => {
            differ(stated.to_string(), found.to_string())
        }
        _ => Ok(Ok(digest)),
    }
}

/// Reads for two names at once.
struct Both<R> {
    from: R,
    git: Option<Naming>,
}

impl<R: Read> Read for Both<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        if let Some(git) = &mut self.git {
            git.update(&buffer[..count]);
        }
        Ok(count)
    }
}

/// Copies a file of this machine.
pub fn copy(
    wanted: &Wanted,
    (from, partial): (&Path, &Path),
    watch: Watch,
) -> Result<Digest, Error> {
    let source = File::open(from).map_err(|error| Error::disk(from, error))?;
    let total = source.metadata().map_err(|error| Error::disk(from, error))?.len();
    let into = File::create(partial).map_err(|error| Error::disk(partial, error))?;
    let mut copy = Copy { source, into, failed: None };
    let mut told = Instant::now();
    let mut progress = |done| {
        if done < total && told.elapsed() < Duration::from_millis(50) {
            return ControlFlow::Continue(());
        }
        told = Instant::now();
        watch(Progress { done, total: Some(total), stage: Stage::Fetching })
    };
    match compared(wanted, (&mut copy, total), &mut progress)? {
        Ok(digest) => {
            copy.into.sync_all().map_err(|error| Error::disk(partial, error))?;
            Ok(digest)
        }
        Err(error) => Err(match copy.failed {
            Some(write) => Error::disk(partial, write),
            None => Error::disk(from, error),
        }),
    }
}

/// Writes what is read.
struct Copy {
    source: File,
    into: File,
    failed: Option<io::Error>,
}

impl Read for Copy {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        if let Err(error) = self.into.write_all(&buffer[..count]) {
            self.failed = Some(error);
            return Err(io::ErrorKind::Other.into());
        }
        Ok(count)
    }
}
