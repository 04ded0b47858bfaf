//! Responses that are kept, to be gone on from and to be shown again.
//!
//! They are in memory only: whoever restarts the server forgets them. There is a bound to their
//! number, to their bytes and to the time that nobody asks for one; those that nobody has used for
//! the longest time go first. A response has its own items alone, and the name of the one that it
//! went on from. So nothing is kept twice, conversations may branch, and one that is deleted is
//! gone for all that followed it, too.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::input::Given;
use super::item::Item;

/// A response that is kept.
#[derive(Debug)]
pub struct Kept {
    /// The name of the key that it belongs to: others do not find it. Without one it is everybody's
    /// who needs none.
    pub owner: Option<String>,
    /// The one that it went on from.
    pub previous: Option<String>,
    /// What was said to the model.
    pub given: Vec<Given>,
    /// What the model said.
    pub said: Vec<Item>,
    /// As it was sent.
    pub shown: String,
}

impl Kept {
    /// What it adds to its conversation.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.given.iter().map(|given| &given.item).chain(&self.said)
    }

    /// The bytes that it takes in memory, about.
    fn bytes(&self) -> usize {
        let ids = self.given.iter().flat_map(|given| &given.id).map(String::len);
        self.items().map(Item::bytes).sum::<usize>() + ids.sum::<usize>() + self.shown.len()
    }
}

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub count: usize,
    pub bytes: usize,
    /// Since it was used last.
    pub age: Duration,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds { count: 4096, bytes: 64 << 20, age: Duration::from_secs(24 * 3600) }
    }
}

/// The responses that are kept.
#[derive(Default)]
pub struct Store {
    bounds: Bounds,
    shelf: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    places: HashMap<String, Place>,
    /// Names in the order of their last use.
    order: BTreeMap<u64, String>,
    /// Uses so far.
    uses: u64,
    bytes: usize,
}

struct Place {
    kept: Arc<Kept>,
    bytes: usize,
    /// Its place in the order.
    turn: u64,
    used: Instant,
}

impl Store {
    /// An empty one.
    #[cfg(test)]
    pub fn new(bounds: Bounds) -> Store {
        Store { bounds, shelf: Mutex::default() }
    }

    /// Keeps a response. One that is larger than all that may be kept is not.
    pub fn keep(&self, id: &str, kept: Kept, now: Instant) {
        let bytes = kept.bytes() + id.len();
        if bytes > self.bounds.bytes {
            return;
        }
        let mut shelf = self.shelf(now);
        let place = Place { kept: Arc::new(kept), bytes, turn: 0, used: now };
        shelf.bytes += bytes;
        shelf.places.insert(id.to_owned(), place);
        shelf.touch(id, now);
        while shelf.places.len() > self.bounds.count || shelf.bytes > self.bounds.bytes {
            shelf.drop_oldest();
        }
    }

    /// A response of this owner.
    pub fn find(&self, id: &str, owner: Option<&str>, now: Instant) -> Option<Arc<Kept>> {
        self.shelf(now).find(id, owner, now)
    }

    /// A response and those that it went on from, the oldest first.
    ///
    /// # Errors
    /// The name of the one that is not there.
    pub fn history(
        &self,
        id: &str,
        owner: Option<&str>,
        now: Instant,
    ) -> Result<Vec<Arc<Kept>>, String> {
        let mut shelf = self.shelf(now);
        let (mut history, mut next) = (Vec::new(), Some(id.to_owned()));
        // The oldest is used last, so that no response outlives what it went on from.
        while let Some(id) = next {
            let kept = shelf.find(&id, owner, now).ok_or(id)?;
            next = kept.previous.clone();
            history.push(kept);
        }
        history.reverse();
        Ok(history)
    }

    /// Forgets a response of this owner; whether there was one.
    pub fn forget(&self, id: &str, owner: Option<&str>, now: Instant) -> bool {
        let mut shelf = self.shelf(now);
        let is_there = shelf.find(id, owner, now).is_some();
        if is_there {
            shelf.remove(id);
        }
        is_there
    }

    /// What is kept, without what has become too old.
    fn shelf(&self, now: Instant) -> MutexGuard<'_, Shelf> {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        while shelf.oldest().is_some_and(|used| now.duration_since(used) > self.bounds.age) {
            shelf.drop_oldest();
        }
        shelf
    }
}

impl Shelf {
    fn find(&mut self, id: &str, owner: Option<&str>, now: Instant) -> Option<Arc<Kept>> {
        let kept = Arc::clone(&self.places.get(id)?.kept);
        if kept.owner.as_deref() != owner {
            return None;
        }
        self.touch(id, now);
        Some(kept)
    }

    /// Makes it the one that was used last.
    fn touch(&mut self, id: &str, now: Instant) {
        self.uses += 1;
        if let Some(place) = self.places.get_mut(id) {
            self.order.remove(&place.turn);
            (place.turn, place.used) = (self.uses, now);
            self.order.insert(self.uses, id.to_owned());
        }
    }

    fn oldest(&self) -> Option<Instant> {
        let (_, id) = self.order.first_key_value()?;
        self.places.get(id).map(|place| place.used)
    }

    fn drop_oldest(&mut self) {
        if let Some((_, id)) = self.order.pop_first() {
            self.remove(&id);
        }
    }

    fn remove(&mut self, id: &str) {
        if let Some(place) = self.places.remove(id) {
            self.order.remove(&place.turn);
            self.bytes -= place.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(previous: Option<&str>, shown: &str) -> Kept {
        Kept {
            owner: None,
            previous: previous.map(str::to_owned),
            given: Vec::new(),
            said: Vec::new(),
            shown: shown.to_owned(),
        }
    }

    /// A store with these names, whose texts have ten bytes with their names.
    fn store(bounds: Bounds, names: &[&str], now: Instant) -> Store {
        let store = Store::new(bounds);
        names.iter().for_each(|name| store.keep(name, kept(None, "123456789"), now));
        store
    }

    fn there(store: &Store, names: &[&str], now: Instant) -> Vec<bool> {
        names.iter().map(|name| store.find(name, None, now).is_some()).collect()
    }

    #[test]
    fn those_that_were_used_longest_ago_go_first() {
        let now = Instant::now();
        let bounds = Bounds { count: 2, ..Bounds::default() };
        let few = store(bounds, &["a", "b"], now);
        assert_eq!(there(&few, &["b", "a"], now), [true, true]);
        few.keep("c", kept(None, ""), now);
        assert_eq!(there(&few, &["a", "b", "c"], now), [true, false, true]);
        let small = store(Bounds { bytes: 25, ..bounds }, &["a", "b"], now);
        small.keep("c", kept(None, &"x".repeat(24)), now);
        assert_eq!(there(&small, &["a", "b", "c"], now), [false, false, true]);
        // It would not fit alone, and the others stay.
        small.keep("d", kept(None, &"x".repeat(25)), now);
        assert_eq!(there(&small, &["c", "d"], now), [true, false]);
        assert_eq!(small.shelf(now).bytes, 25);
        assert!(small.forget("c", None, now) && !small.forget("c", None, now));
        let shelf = small.shelf(now);
        assert_eq!((shelf.bytes, shelf.order.len(), shelf.places.len()), (0, 0, 0));
    }

    #[test]
    fn age_counts_from_the_last_use() {
        let begun = Instant::now();
        let hours = |hours: u64| begun + Duration::from_secs(hours * 3600);
        let store = store(Bounds::default(), &["a", "b"], begun);
        assert_eq!(there(&store, &["a"], hours(20)), [true]);
        assert_eq!(there(&store, &["a", "b"], hours(30)), [true, false]);
    }

    #[test]
    fn conversations_branch_and_end_where_one_is_missing() {
        let now = Instant::now();
        let store = store(Bounds::default(), &["a"], now);
        for (name, previous) in [("b", "a"), ("c", "b"), ("d", "a")] {
            store.keep(name, kept(Some(previous), name), now);
        }
        let shown = |id: &str| {
            let history = store.history(id, None, now);
            history.map(|all| all.iter().map(|kept| kept.shown.clone()).collect::<Vec<_>>())
        };
        assert_eq!(shown("c").unwrap(), ["123456789", "b", "c"]);
        assert_eq!(shown("d").unwrap(), ["123456789", "d"]);
        assert!(store.forget("b", None, now));
        assert_eq!((shown("c"), shown("x")), (Err("b".to_owned()), Err("x".to_owned())));
        assert_eq!(shown("d").unwrap().len(), 2);
    }

    #[test]
    fn what_is_not_yours_is_not_there() {
        let now = Instant::now();
        let store = Store::new(Bounds::default());
        let mine = Kept { owner: Some("me".to_owned()), ..kept(None, "x") };
        store.keep("a", mine, now);
        assert!(store.find("a", Some("me"), now).is_some());
        assert!(store.find("a", Some("you"), now).is_none() && !store.forget("a", None, now));
        assert!(store.history("a", None, now).is_err());
    }
}
