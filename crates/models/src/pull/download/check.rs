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

/// The digest of a file, which must be the one that was stated.
pub fn check(
    session: &Session,
    wanted: &Wanted,
    mut file: &File,
) -> Result<io::Result<Digest>, Error> {
    let length = match file.rewind().and_then(|()| file.metadata()) {
        Ok(about) => about.len(),
        Err(error) => return Ok(Err(error)),
    };
    let mut both = Both { file, git: wanted.git.map(|_| Naming::of(length)) };
    let mut progress = |done| {
        session.told().done = done;
        if session.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let digest = match Digest::read(&mut both, &mut progress) {
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
struct Both<'a> {
    file: &'a File,
    git: Option<Naming>,
}

impl Read for Both<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        if let Some(git) = &mut self.git {
            git.update(&buffer[..count]);
        }
        Ok(count)
    }
}

/// Copies a file of this machine.
pub fn copy(from: &Path, partial: &Path, watch: Watch) -> Result<Digest, Error> {
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
    match Digest::read(&mut copy, &mut progress) {
        Ok(Some(digest)) => {
            copy.into.sync_all().map_err(|error| Error::disk(partial, error))?;
            Ok(digest)
        }
        Ok(None) => Err(Error::Stopped),
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
