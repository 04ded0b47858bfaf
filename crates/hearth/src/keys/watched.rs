//! Keys as a server sees them: the file is looked at while requests come, so that what is added or
//! revoked counts within a second.
//!
//! | file | who is let in |
//! |---|---|
//! | never there | anybody: nobody needs a key |
//! | there | the keys in it, also when there are none |
//! | gone | nobody, as if all had been revoked |
//! | cannot be read or understood | nobody, until it can |
//!
//! What was known before does not count: what changed may be that a key is revoked.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use api::keys::Ring;
use turn::{Fault, Retry, Side};

use super::KeyFile;
use crate::failure::Failure;
use crate::log;

/// How old what is known of the file may be.
const FRESH: Duration = Duration::from_secs(1);

/// A file of keys that a server looks at.
pub struct Watched {
    file: KeyFile,
    seen: Mutex<Seen>,
}

/// What is known of the file.
struct Seen {
    at: Instant,
    /// What it was like. It is compared as a whole: two changes within a tick of the file system's
    /// clock may leave time and length as they were.
    found: Found,
    /// The keys that were good last, with what they have used.
    ring: Arc<Ring>,
    /// Who is let in.
    now: Result<Option<Arc<Ring>>, Fault>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Bytes(Vec<u8>),
    /// It cannot be read, and why.
    Error(String),
}

impl Watched {
    /// Looks at a file for the first time.
    pub fn new(file: KeyFile) -> Result<Watched, Failure> {
        let (at, found) = (Instant::now(), Found::of(&file));
        let ring = Arc::new(match &found {
            Found::Nothing => Ring::default(),
            Found::Bytes(bytes) => {
                let keys = file.understood(bytes).map_err(Failure::Machine)?;
                Ring::default().renewed(keys, at)
            }
            Found::Error(error) => return Err(Failure::Machine(error.clone())),
        });
        let now = Ok((found != Found::Nothing).then(|| Arc::clone(&ring)));
        Ok(Watched { file, seen: Mutex::new(Seen { at, found, ring, now }) })
    }

    /// Who is let in at this time.
    fn ring_at(&self, now: Instant) -> Result<Option<Arc<Ring>>, Fault> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_duration_since(seen.at) >= FRESH {
            seen.at = now;
            let found = Found::of(&self.file);
            if found != seen.found {
                seen.take(found, &self.file);
            }
        }
        seen.now.clone()
    }
}

impl api::Keys for Watched {
    fn ring(&self) -> Result<Option<Arc<Ring>>, Fault> {
        self.ring_at(Instant::now())
    }
}

impl Found {
    fn of(file: &KeyFile) -> Found {
        match file.bytes() {
            Ok(Some(bytes)) => Found::Bytes(bytes),
            Ok(None) => Found::Nothing,
            Err(error) => Found::Error(error),
        }
    }
}

impl Seen {
    fn take(&mut self, found: Found, file: &KeyFile) {
        let keys = match &found {
            Found::Nothing => Ok(Vec::new()),
            Found::Bytes(bytes) => file.understood(bytes),
            Found::Error(error) => Err(error.clone()),
        };
        self.now = match keys {
            Ok(keys) => {
                if found == Found::Nothing {
                    log::warn("the file of keys is gone: nobody is let in until it is back", &[]);
                } else if matches!(self.now, Ok(None)) {
                    log::warn("there are keys now: nobody is let in without one", &[]);
                }
                log::info("keys read", &[("keys", keys.len().into())]);
                self.ring = Arc::new(self.ring.renewed(keys, self.at));
                Ok(Some(Arc::clone(&self.ring)))
            }
            Err(error) => {
                let why = [("error", error.into())];
                log::error("keys cannot be read: nobody is let in until that is mended", &why);
                let message = "the keys of this server cannot be read; its log says why";
                Err(Fault { retry: Retry::Later, ..Fault::new(Side::Us, message) })
            }
        };
        self.found = found;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use api::keys::{Denied, Key, Moment, Quota, Scope};

    use super::super::tests::{TestFile, add};
    use super::*;

    /// Whether a key of this name gets in so long after the beginning.
    fn enter(watched: &Watched, name: &str, after: f64) -> Result<(), Denied> {
        let instant = Instant::now() + Duration::from_secs_f64(after);
        let ring = watched.ring_at(instant).unwrap().unwrap();
        ring.admit(Some(name), Scope::Ask, Moment { instant, date: 0 }).map(drop)
    }

    fn revoke_all(file: &KeyFile) {
        file.change(|keys| {
            keys.clear();
            Ok(())
        })
        .unwrap();
    }

    #[test]
    fn what_changes_counts_within_a_second() {
        let file = TestFile::new("changes");
        add(&file.0, Key::new("a", "a"));
        let watched = Watched::new(file.0.clone()).unwrap();
        assert_eq!(enter(&watched, "a", 0.0), Ok(()));
        add(&file.0, Key::new("b", "b"));
        assert_eq!(enter(&watched, "b", 1.1), Ok(()));
        revoke_all(&file.0);
        assert_eq!(enter(&watched, "a", 2.2), Err(Denied::Unknown));
        assert!(watched.ring_at(Instant::now()).unwrap().is_some(), "nobody is let in");
    }

    #[test]
    fn a_file_that_comes_makes_keys_needed_and_one_that_goes_lets_nobody_in() {
        let file = TestFile::new("comes");
        let watched = Watched::new(file.0.clone()).unwrap();
        let ring_at = |after: f64| watched.ring_at(Instant::now() + Duration::from_secs_f64(after));
        assert!(ring_at(0.0).unwrap().is_none());
        add(&file.0, Key::new("a", "a"));
        assert_eq!(enter(&watched, "a", 1.1), Ok(()));
        fs::remove_file(&file.0.0).unwrap();
        assert_eq!(enter(&watched, "a", 2.2), Err(Denied::Unknown));
        add(&file.0, Key::new("a", "a"));
        assert_eq!(enter(&watched, "a", 3.3), Ok(()));
    }

    #[test]
    fn a_damaged_file_lets_nobody_in_until_it_is_mended() {
        let file = TestFile::new("mended");
        let concurrent = 1.try_into().ok();
        let quota = Quota { concurrent, ..Quota::default() };
        add(&file.0, Key { quota, ..Key::new("a", "a") });
        let watched = Watched::new(file.0.clone()).unwrap();
        let now = Instant::now();
        let ring = watched.ring_at(now).unwrap().unwrap();
        let visit = ring.admit(Some("a"), Scope::Ask, Moment { instant: now, date: 0 }).unwrap();
        let good = fs::read(&file.0.0).unwrap();
        fs::write(&file.0.0, "{").unwrap();
        let fault = watched.ring_at(now + Duration::from_secs(2)).unwrap_err();
        assert_eq!((fault.side, fault.retry), (Side::Us, Retry::Later));
        assert!(Watched::new(file.0.clone()).is_err(), "no server starts like this");
        fs::write(&file.0.0, good).unwrap();
        // What was used is not forgotten over it.
        assert!(matches!(enter(&watched, "a", 4.0), Err(Denied::Exceeds(_))));
        drop(visit);
        assert_eq!(enter(&watched, "a", 4.0), Ok(()));
    }
}
