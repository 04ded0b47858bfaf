//! All keys at once: who is let in with what, and what they have used.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::{Digest, Excess, Key, Meter, Scope};

/// The keys of a server at one time.
#[derive(Debug, Default)]
pub struct Ring {
    members: Vec<Member>,
}

/// A key, and what is left of its quota.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    key: Key,
    meter: Arc<Mutex<Meter>>,
}

/// When a request came: by the clock that never goes back, and in seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// For what comes by the minute.
    pub instant: Instant,
    /// For what expires.
    pub date: u64,
}

/// Why a request is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// No key came with it.
    Missing,
    /// There is no such key, or not any more.
    Unknown,
    /// The time of the key is over.
    Expired,
    /// The key is not good for this.
    Lacks(Scope),
    /// The key has been used too much.
    Exceeds(Excess),
}

impl Ring {
    /// Other keys. Those that stay go on with what they have used.
    #[must_use]
    pub fn renewed(&self, keys: Vec<Key>, now: Instant) -> Ring {
        let member = |key: Key| match self.members.iter().find(|member| member.key == key) {
            Some(known) => known.clone(),
            None => Member { meter: Arc::new(Mutex::new(Meter::new(&key.quota, now))), key },
        };
        Ring { members: keys.into_iter().map(member).collect() }
    }

    /// Whether anybody could be let in.
    pub fn is_usable(&self, date: u64) -> bool {
        self.members.iter().any(|member| !member.key.has_expired(date))
    }

    /// The key with this text, whether it is good for anything or not.
    pub(crate) fn known(&self, offered: Option<&str>) -> Result<&Member, Denied> {
        let digest = Digest::of(offered.ok_or(Denied::Missing)?);
        let known = self.members.iter().find(|member| member.key.sha256 == digest);
        known.ok_or(Denied::Unknown)
    }

    /// Lets a request in that comes with this text for a key.
    ///
    /// # Errors
    /// Why not.
    pub fn admit(&self, offered: Option<&str>, scope: Scope, now: Moment) -> Result<Visit, Denied> {
        self.known(offered)?.admit(scope, now)
    }
}

impl Member {
    /// The name of the key.
    pub(crate) fn name(&self) -> &str {
        &self.key.name
    }

    /// Lets a request in that came with this key.
    pub(crate) fn admit(&self, scope: Scope, now: Moment) -> Result<Visit, Denied> {
        if self.key.has_expired(now.date) {
            return Err(Denied::Expired);
        }
        if !self.key.scopes.contains(&scope) {
            return Err(Denied::Lacks(scope));
        }
        lock(&self.meter).enter(now.instant).map_err(Denied::Exceeds)?;
        Ok(Visit { name: self.key.name.clone(), meter: Arc::clone(&self.meter) })
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Denied::Missing => f.write_str(
                "this server needs a key, in the header `authorization: Bearer KEY` or `x-api-key`",
            ),
            Denied::Unknown => f.write_str("this server knows no such key"),
            Denied::Expired => f.write_str("this key has expired"),
            Denied::Lacks(scope) => write!(f, "this key is not good for `{}`", scope.name()),
            Denied::Exceeds(excess) => excess.fmt(f),
        }
    }
}

/// A request that was let in. It counts as running until this is dropped.
#[derive(Debug)]
pub struct Visit {
    name: String,
    meter: Arc<Mutex<Meter>>,
}

impl Visit {
    /// The name of the key.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What pays for the request, also when it is over.
    pub fn purse(&self) -> Purse {
        Purse(Arc::clone(&self.meter))
    }
}

/// What tokens are taken from.
#[derive(Clone, Debug)]
pub struct Purse(Arc<Mutex<Meter>>);

impl Purse {
    /// Takes tokens that were used off the quota of the key.
    pub fn spend(&self, tokens: u64, now: Instant) {
        lock(&self.0).spend(tokens, now);
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        lock(&self.meter).leave();
    }
}

/// A meter is whole between any two calls, whoever panics.
fn lock(meter: &Mutex<Meter>) -> MutexGuard<'_, Meter> {
    meter.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::Quota;
    use super::*;

    fn key(name: &str, concurrent: u32) -> Key {
        let quota = Quota { concurrent: concurrent.try_into().ok(), ..Quota::default() };
        Key { quota, ..Key::new(name, &format!("text of {name}")) }
    }

    fn ring(keys: Vec<Key>) -> (Ring, Moment) {
        let now = Moment { instant: Instant::now(), date: 100 };
        (Ring::default().renewed(keys, now.instant), now)
    }

    #[test]
    fn who_is_let_in_with_what() {
        let old = Key { expires: Some(100), ..key("old", 0) };
        let young = Key { expires: Some(101), ..key("young", 0) };
        let watcher = Key { scopes: BTreeSet::from([Scope::Watch]), ..key("watcher", 0) };
        let (ring, now) = ring(vec![old.clone(), young, watcher]);
        let admit = |text, scope| ring.admit(text, scope, now).map(|visit| visit.name().to_owned());
        assert_eq!(admit(None, Scope::Ask), Err(Denied::Missing));
        for none in ["", "young", "text of nobody", "text of young "] {
            assert_eq!(admit(Some(none), Scope::Ask), Err(Denied::Unknown));
        }
        assert_eq!(admit(Some("text of old"), Scope::Ask), Err(Denied::Expired));
        assert_eq!(admit(Some("text of young"), Scope::Ask), Ok("young".to_owned()));
        assert_eq!(admit(Some("text of young"), Scope::List), Ok("young".to_owned()));
        let lacks = Err(Denied::Lacks(Scope::Manage));
        assert_eq!(admit(Some("text of young"), Scope::Manage), lacks);
        assert_eq!(admit(Some("text of watcher"), Scope::Ask), Err(Denied::Lacks(Scope::Ask)));
        assert_eq!(admit(Some("text of watcher"), Scope::Watch), Ok("watcher".to_owned()));
        assert!(ring.is_usable(now.date) && !Ring::default().is_usable(now.date));
        assert!(!ring.renewed(vec![old], now.instant).is_usable(now.date));
    }

    #[test]
    fn a_visit_counts_until_it_is_over_and_over_changes_of_the_ring() {
        let (ring, now) = ring(vec![key("one", 1)]);
        let enter = |ring: &Ring| ring.admit(Some("text of one"), Scope::Ask, now);
        let visit = enter(&ring).unwrap();
        assert!(matches!(enter(&ring), Err(Denied::Exceeds(_))));
        let renewed = ring.renewed(vec![key("two", 1), key("one", 1)], now.instant);
        assert!(matches!(enter(&renewed), Err(Denied::Exceeds(_))));
        drop(visit);
        drop(enter(&renewed).unwrap());
        drop(enter(&renewed).unwrap());
        let revoked = renewed.renewed(vec![key("two", 1)], now.instant);
        assert_eq!(enter(&revoked).err(), Some(Denied::Unknown));
    }
}
