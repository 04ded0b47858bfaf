//! The connections that bring what is missing of a file.
//!
//! Threads take runs of bytes from a queue, each until there are none. What one of them cannot mend
//! ends them all; nothing that was written is lost by it.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use super::super::session::{Ask, Fault, Reply, Session, Stage, Tries, body_fault};
use super::super::{Address, Error, Wanted, refusal, web};
use super::disk::write_at;
use super::map::Map;

const BUFFER: usize = 128 << 10;
/// What must come before a connection that fails again counts as one that fails for the first time.
const PROGRESS: u64 = 64 << 10;

/// Why bytes are missing.
pub enum Fetched {
    Failed(Error),
    Disk(io::Error),
}

/// What ended a request before its last byte.
enum Ended {
    Fault(Fault),
    Disk(io::Error),
    /// The server sends the whole file whatever part is asked for.
    Whole,
}

impl From<Fault> for Ended {
    fn from(fault: Fault) -> Ended {
        Ended::Fault(fault)
    }
}

impl From<Error> for Ended {
    fn from(error: Error) -> Ended {
        Ended::Fault(Fault::Final(error))
    }
}

pub struct Fetch<'a> {
    session: &'a Session<'a>,
    wanted: &'a Wanted,
    address: &'a Address,
    file: &'a File,
    map: &'a Mutex<Map>,
    size: u64,
    piece: u64,
    queue: Mutex<VecDeque<Range<u64>>>,
    /// Where the last request was led to; asking there at once saves the way.
    route: Mutex<Option<Address>>,
    /// Set when one thread has failed, so that the others end.
    is_over: AtomicBool,
    /// The server knows no ranges: one stream, of which what is here already is skipped.
    is_whole: AtomicBool,
    /// The one version that all bytes must be of, where no digest tells in the end.
    pub version: Option<String>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Fetch<'a> {
    pub fn new(
        session: &'a Session,
        wanted: &'a Wanted,
        (address, file): (&'a Address, &'a File),
        map: &'a Mutex<Map>,
    ) -> Fetch<'a> {
        let known = locked(map);
        let (size, piece) = (known.stated.size, known.stated.piece);
        drop(known);
        Fetch {
            session,
            wanted,
            address,
            file,
            map,
            size,
            piece,
            queue: Mutex::default(),
            route: Mutex::default(),
            is_over: AtomicBool::new(false),
            is_whole: AtomicBool::new(false),
            version: None,
        }
    }

    pub fn run(&self, connections: usize) -> Result<(), Fetched> {
        let result = self.by(connections);
        if !self.is_whole.load(Ordering::Relaxed) {
            return result;
        }
        self.is_over.store(false, Ordering::Relaxed);
        self.session.told().done = locked(self.map).done();
        self.by(1)
    }

    fn by(&self, connections: usize) -> Result<(), Fetched> {
        let runs = locked(self.map).missing(connections > 1);
        let connections = connections.min(runs.len());
        *locked(&self.queue) = runs.into();
        let ends = thread::scope(|scope| {
            let work: Vec<_> = (0..connections).map(|_| scope.spawn(|| self.work())).collect();
            let joined = work.into_iter().map(thread::ScopedJoinHandle::join);
            joined.map(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        });
        // What is written is kept, whatever happened.
        locked(self.map).mark(self.file).map_err(Fetched::Disk)?;
        first_error(ends)
    }

    fn work(&self) -> Result<(), Fetched> {
        while let Some(run) = self.next() {
            if let Err(error) = self.bring(run) {
                self.is_over.store(true, Ordering::Relaxed);
                return Err(error);
            }
        }
        Ok(())
    }

    fn next(&self) -> Option<Range<u64>> {
        if self.is_over.load(Ordering::Relaxed) {
            return None;
        }
        locked(&self.queue).pop_front()
    }

    /// Brings one run, with as many requests as that takes.
    fn bring(&self, run: Range<u64>) -> Result<(), Fetched> {
        let mut tries = Tries::new(self.session, self.address.origin()).until(&self.is_over);
        let mut at = run.start;
        while at < run.end && !self.is_over.load(Ordering::Relaxed) {
            let before = at;
            let fault = match self.ask(&mut at, run.end) {
                Ok(()) => return Ok(()),
                Err(Ended::Disk(error)) => return Err(Fetched::Disk(error)),
                Err(Ended::Whole) => {
                    self.is_whole.store(true, Ordering::Relaxed);
                    self.is_over.store(true, Ordering::Relaxed);
                    return Ok(());
                }
                Err(Ended::Fault(fault)) => fault,
            };
            if at - before >= PROGRESS {
                tries.reset();
            }
            if self.is_over.load(Ordering::Relaxed) {
                break;
            }
            tries.again(fault).map_err(Fetched::Failed)?;
        }
        Ok(())
    }

    /// One request for the bytes from `at` on, which moves with what is written.
    fn ask(&self, at: &mut u64, end: u64) -> Result<(), Ended> {
        let is_all = *at == 0 && end == self.size;
        let range = (!is_all).then_some((*at, end - 1));
        let reply = self.request(range)?;
        if matches!(reply.status, 200 | 206) {
            self.check_version(&reply)?;
        }
        let skipped = match reply.status {
            206 => {
                self.check_range(&reply, (*at, end))?;
                0
            }
            200 if !is_all && !self.is_whole.load(Ordering::Relaxed) => {
                // Others may be at work on other parts.
                return Err(Ended::Whole);
            }
            200 => {
                if let Some(found) = web::length(&reply).filter(|found| *found != self.size) {
                    return Err(self.wrong_size(found.to_string()).into());
                }
                *at
            }
            416 => return Err(self.wrong_size("fewer".to_owned()).into()),
            _ => return Err(refusal(self.wanted.manner, &reply, &self.wanted.name).into()),
        };
        if reply.header("content-encoding").is_some_and(|coding| coding != "identity") {
            let what = self.address.to_string();
            let why = "it is compressed, although it was asked not to be".to_owned();
            return Err(Error::Malformed { what, why }.into());
        }
        self.session.told().stage = Stage::Fetching;
        self.copy(reply, (skipped, at), end)
    }

    fn request(&self, range: Option<(u64, u64)>) -> Result<Reply, Fault> {
        let known = locked(&self.route).clone();
        if let Some(at) = known {
            let ask = Ask { registry: false, ..self.asking(&at, range) };
            match self.session.try_get(ask) {
                Ok(reply) if reply.status < 300 => return Ok(reply),
                Err(fault @ Fault::Final(_)) => return Err(fault),
                // Such addresses hold for a while only; the registry knows the next.
                _ => *locked(&self.route) = None,
            }
        }
        let reply = self.session.try_get(self.asking(self.address, range))?;
        if reply.status < 300 && reply.address != *self.address {
            *locked(&self.route) = Some(reply.address.clone());
        }
        Ok(reply)
    }

    fn asking<'b>(&'b self, at: &'b Address, range: Option<(u64, u64)>) -> Ask<'b> {
        Ask { version: self.version.as_deref(), ..self.wanted.ask(at, range) }
    }

    /// `bytes 0-9/100` must be what was asked for.
    fn check_range(&self, reply: &Reply, (at, end): (u64, u64)) -> Result<(), Error> {
        let said = reply.header("content-range").unwrap_or_default();
        let parts = said.strip_prefix("bytes ").and_then(|rest| rest.split_once('/'));
        let (range, total) = parts.unwrap_or_default();
        if total != "*" && total.parse() != Ok(self.size) {
            return Err(self.wrong_size(format!("{total:?}")));
        }
        let is_asked = range == format!("{at}-{}", end - 1);
        let length = reply.number("content-length").unwrap_or(end - at);
        if !is_asked || length != end - at {
            let why = format!("it answers with other bytes than {at} to {}", end - 1);
            return Err(Error::Malformed { what: reply.address.to_string(), why });
        }
        Ok(())
    }

    fn wrong_size(&self, found: String) -> Error {
        Error::Size { file: self.wanted.name.clone(), stated: self.size, found }
    }

    /// All pieces must be of one version. Mirrors may name theirs differently where a digest tells
    /// in the end.
    fn check_version(&self, reply: &Reply) -> Result<(), Ended> {
        let changed = || Err(Error::Changed { file: self.wanted.name.clone() }.into());
        if let Some(version) = &self.version {
            return if reply.header("etag") == Some(version) { Ok(()) } else { changed() };
        }
        let named = reply.header("etag").or_else(|| reply.header("last-modified"));
        let Some(named) = named else { return Ok(()) };
        let version = format!("{} {named}", reply.address.origin());
        let mut map = locked(self.map);
        let Some(known) = map.version().map(str::to_owned) else {
            return map.set_version(&version).map_err(Ended::Disk);
        };
        let of_same = known.split(' ').next() == version.split(' ').next();
        if of_same && known != version {
            return changed();
        }
        Ok(())
    }

    fn copy(
        &self,
        mut reply: Reply,
        (mut skipped, at): (u64, &mut u64),
        end: u64,
    ) -> Result<(), Ended> {
        let mut buffer = vec![0; BUFFER];
        while *at < end {
            if self.session.is_stopped() {
                return Err(Error::Stopped.into());
            }
            if self.is_over.load(Ordering::Relaxed) {
                let why = "another connection ended".to_owned();
                return Err(Fault::Again { why, after: None }.into());
            }
            let left = if skipped > 0 { skipped } else { end - *at };
            let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let count = reply.body.read(&mut buffer[..most]).map_err(|error| body_fault(&error))?;
            if count == 0 {
                let why = "the connection ended early".to_owned();
                return Err(Fault::Again { why, after: None }.into());
            }
            if skipped > 0 {
                skipped -= count as u64;
                continue;
            }
            write_at(self.file, &buffer[..count], *at).map_err(Ended::Disk)?;
            let before = *at;
            *at += count as u64;
            self.session.told().done += count as u64;
            self.tell(before..*at)?;
        }
        // The end is read as well: the connection can be used again, and a body that does not say
        // how long it is may be longer than was stated.
        let is_end = reply.status == 206 || end == self.size;
        if is_end && matches!(reply.body.read(&mut buffer[..1]), Ok(1)) {
            return Err(self.wrong_size("more".to_owned()).into());
        }
        Ok(())
    }

    /// Tells the map of the pieces that end in these bytes.
    fn tell(&self, bytes: Range<u64>) -> Result<(), Ended> {
        let last = if bytes.end == self.size {
            bytes.end.div_ceil(self.piece)
        } else {
            bytes.end / self.piece
        };
        for piece in bytes.start / self.piece..last {
            let piece = usize::try_from(piece).unwrap_or(usize::MAX);
            locked(self.map).written(piece, self.file).map_err(Ended::Disk)?;
        }
        Ok(())
    }
}

/// Stopping is what the others do when one fails.
fn first_error(ends: Vec<Result<(), Fetched>>) -> Result<(), Fetched> {
    let errors = ends.into_iter().filter_map(Result::err);
    let rank = |error: &Fetched| match error {
        Fetched::Failed(Error::Stopped) => 1,
        _ => 0,
    };
    errors.min_by_key(rank).map_or(Ok(()), Err)
}
