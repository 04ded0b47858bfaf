//! What stands on a shelf, and who waits for room: who goes for whom, and when.
//!
//! Plain data behind the shelf's lock. Knows neither threads nor clocks: who calls says what time
//! it is.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use turn::{Fault, Retry, Side};

use super::{Asked, Listed, Shelved};

/// Models that are there, come or go, the one that was given back last at the end.
pub(super) struct Slots<M> {
    all: Vec<Slot<M>>,
    /// Tickets of those who wait for room, who came first in front.
    queue: BTreeSet<u64>,
    next_ticket: u64,
    limit: u64,
    /// When all must be over.
    pub stop_by: Option<Duration>,
}

struct Slot<M> {
    /// The ticket of who had it loaded.
    id: u64,
    name: String,
    /// Bytes that are set aside for it.
    bytes: u64,
    stage: Stage<M>,
    /// Leases, and those who wait for one.
    users: usize,
    /// How long it stays when nobody uses it; nothing is for ever.
    keep: Option<Duration>,
    idle_since: Duration,
    /// Who waits first needs its room: it is not given to those who came later.
    promised: bool,
}

enum Stage<M> {
    /// Measured, waiting for room, or being loaded.
    Coming,
    /// Given to whoever asks.
    Ready(Arc<M>),
    /// Given to nobody any more, and taken away when nobody uses it.
    Off(Arc<M>),
    /// Being taken away.
    Going,
    /// Could not be loaded; stays until all who waited for it know.
    Failed(Fault),
}

impl<M: Shelved> Slots<M> {
    pub fn new(limit: u64) -> Slots<M> {
        let (all, queue) = (Vec::new(), BTreeSet::new());
        Slots { all, queue, next_ticket: 0, limit, stop_by: None }
    }

    /// Numbers those who ask, in their order.
    pub fn draw_ticket(&mut self) -> u64 {
        self.next_ticket += 1;
        self.next_ticket
    }

    /// Bytes that are taken or set aside.
    pub fn used(&self) -> u64 {
        self.all.iter().map(|slot| slot.bytes).sum()
    }

    /// Bytes that are not.
    fn free(&self) -> u64 {
        self.limit - self.used()
    }

    /// Makes who asks a user of the model, and returns its number: their own ticket, when they are
    /// to load it. Nothing while its room is promised to who came before them.
    pub fn join(&mut self, asked: &Asked) -> Option<u64> {
        let Some(at) = self.find(asked.name) else {
            self.begin(asked);
            self.line_up(asked.ticket);
            return Some(asked.ticket);
        };
        let slot = &mut self.all[at];
        let is_behind = self.queue.first().is_some_and(|first| *first < asked.ticket);
        if slot.promised && is_behind {
            return None;
        }
        (slot.users, slot.keep) = (slot.users + 1, asked.keep);
        let id = slot.id;
        self.leave(asked.ticket);
        Some(id)
    }

    /// The model that those get who ask now. A dead one goes.
    fn find(&mut self, name: &str) -> Option<usize> {
        let is_current = |slot: &Slot<M>| matches!(slot.stage, Stage::Coming | Stage::Ready(_));
        let at = self.all.iter().position(|slot| slot.name == name && is_current(slot))?;
        let slot = &mut self.all[at];
        if slot.is_dead() {
            slot.take_off();
            return None;
        }
        Some(at)
    }

    fn begin(&mut self, asked: &Asked) {
        self.all.push(Slot {
            id: asked.ticket,
            name: asked.name.to_owned(),
            bytes: 0,
            stage: Stage::Coming,
            users: 1,
            keep: asked.keep,
            idle_since: Duration::ZERO,
            promised: false,
        });
    }

    /// The model, as soon as there is one.
    pub fn model(&self, id: u64) -> Option<Result<Arc<M>, Fault>> {
        match self.all.iter().find(|slot| slot.id == id).map(|slot| &slot.stage) {
            Some(Stage::Coming) => None,
            Some(Stage::Ready(model) | Stage::Off(model)) => Some(Ok(Arc::clone(model))),
            Some(Stage::Failed(fault)) => Some(Err(fault.clone())),
            Some(Stage::Going) | None => Some(Err(stopping())),
        }
    }

    /// Begins to wait for room.
    pub fn line_up(&mut self, ticket: u64) {
        self.queue.insert(ticket);
    }

    /// Waits no longer. What was promised to the first counts for nobody any more: those behind
    /// are then first themselves.
    pub fn leave(&mut self, ticket: u64) {
        self.queue.remove(&ticket);
    }

    /// Sets bytes aside for a model that comes, when it is first in the queue and there are so
    /// many; otherwise sees to it that there will be.
    pub fn reserve(&mut self, ticket: u64, bytes: u64) -> bool {
        if self.queue.first() != Some(&ticket) {
            return false;
        }
        if bytes > self.free() {
            self.make_room(bytes);
            return false;
        }
        let mut all = self.all.iter_mut();
        all.find(|slot| slot.id == ticket).into_iter().for_each(|slot| slot.bytes = bytes);
        self.leave(ticket);
        true
    }

    /// Promises the room of models that nobody uses to the first who waits, the one that was used
    /// last at last, then that of others. They go when it is enough and nobody uses any of them:
    /// none goes in vain, and none is taken again in the meantime.
    fn make_room(&mut self, bytes: u64) {
        self.all.iter_mut().for_each(|slot| slot.promised = false);
        let goes = |slot: &&Slot<M>| matches!(slot.stage, Stage::Off(_) | Stage::Going);
        let going: u64 = self.all.iter().filter(goes).map(|slot| slot.bytes).sum();
        let mut missing = (bytes - self.free()).saturating_sub(going);
        let mut is_waiting = false;
        for is_used in [false, true] {
            let ready = self.all.iter_mut().filter(|slot| matches!(slot.stage, Stage::Ready(_)));
            for slot in ready.filter(|slot| (slot.users > 0) == is_used) {
                if missing > 0 {
                    (slot.promised, is_waiting) = (true, is_used);
                    missing = missing.saturating_sub(slot.bytes);
                }
            }
        }
        if missing == 0 && !is_waiting {
            self.all.iter_mut().filter(|slot| slot.promised).for_each(Slot::take_off);
        }
    }

    /// Puts a model where it was awaited, or says why there is none. Gives it back when all stops.
    pub fn put(&mut self, id: u64, outcome: Result<M, Fault>) -> Option<M> {
        self.leave(id);
        let slot = self.all.iter_mut().find(|slot| slot.id == id)?;
        let (stage, unwanted) = match outcome {
            Ok(model) if self.stop_by.is_some() => (Stage::Failed(stopping()), Some(model)),
            Ok(model) => (Stage::Ready(Arc::new(model)), None),
            Err(fault) => (Stage::Failed(fault), None),
        };
        slot.stage = stage;
        unwanted
    }

    /// One user more.
    pub fn share(&mut self, id: u64) {
        self.all.iter_mut().filter(|slot| slot.id == id).for_each(|slot| slot.users += 1);
    }

    /// One user less.
    pub fn release(&mut self, id: u64, now: Duration) {
        // When all has stopped it may be gone already.
        let Some(at) = self.all.iter().position(|slot| slot.id == id) else { return };
        let mut slot = self.all.remove(at);
        slot.users -= 1;
        slot.idle_since = now;
        if slot.users > 0 || !matches!(slot.stage, Stage::Failed(_)) {
            self.all.push(slot);
        }
    }

    /// Takes a model off the shelf; says whether it was there.
    pub fn unload(&mut self, name: &str) -> bool {
        let Some(at) = self.find(name) else { return false };
        let slot = &mut self.all[at];
        match slot.stage {
            // It has not come yet. Those who wait for it shall have it.
            Stage::Coming => slot.keep = Some(Duration::ZERO),
            _ => slot.take_off(),
        }
        true
    }

    /// What goes already and nobody uses; else takes off what was used longest ago.
    pub fn take_off_idle(&mut self) -> Vec<u64> {
        let goes =
            |slot: &&Slot<M>| slot.users == 0 && matches!(slot.stage, Stage::Off(_) | Stage::Going);
        let going: Vec<_> = self.all.iter().filter(goes).map(|slot| slot.id).collect();
        if !going.is_empty() {
            return going;
        }
        let is_idle =
            |slot: &&mut Slot<M>| slot.users == 0 && matches!(slot.stage, Stage::Ready(_));
        let Some(idle) = self.all.iter_mut().find(is_idle) else { return going };
        idle.take_off();
        vec![idle.id]
    }

    /// Whether one of these is still there.
    pub fn has_any(&self, ids: &[u64]) -> bool {
        self.all.iter().any(|slot| ids.contains(&slot.id))
    }

    /// The next model to be taken away.
    pub fn next_to_go(&mut self, now: Duration) -> Option<(u64, Arc<M>)> {
        let is_stopping = self.stop_by.is_some();
        let goes = |slot: &&mut Slot<M>| is_stopping || slot.goes(now);
        for slot in self.all.iter_mut().filter(goes) {
            match std::mem::replace(&mut slot.stage, Stage::Going) {
                Stage::Ready(model) | Stage::Off(model) => return Some((slot.id, model)),
                other => slot.stage = other,
            }
        }
        None
    }

    /// It is gone, and so are its bytes.
    pub fn remove(&mut self, id: u64) {
        self.all.retain(|slot| slot.id != id);
    }

    /// When the next goes by itself.
    pub fn next_due(&self) -> Option<Duration> {
        self.all.iter().filter_map(Slot::due).min()
    }

    pub fn list(&self, now: Duration) -> Vec<Listed> {
        let is_there = |slot: &&Slot<M>| !matches!(slot.stage, Stage::Going | Stage::Failed(_));
        self.all.iter().filter(is_there).map(|slot| slot.listed(now)).collect()
    }

    /// The models that are there, and what is seen of each. Nobody else moves meanwhile.
    pub fn survey<T>(&self, now: Duration, look: impl Fn(&M) -> T) -> Vec<(Listed, T)> {
        let seen = |slot: &Slot<M>| match &slot.stage {
            Stage::Ready(model) => Some((slot.listed(now), look(model))),
            _ => None,
        };
        self.all.iter().filter_map(seen).collect()
    }

    /// What must be true at any time.
    #[cfg(test)]
    pub fn check(&self) {
        assert!(self.used() <= self.limit, "{} bytes of {}", self.used(), self.limit);
        let is_current = |slot: &&Slot<M>| matches!(slot.stage, Stage::Coming | Stage::Ready(_));
        let mut names: Vec<_> = self.all.iter().filter(is_current).map(|slot| &slot.name).collect();
        names.sort();
        assert!(names.is_sorted_by(|a, b| a < b), "twice: {names:?}");
        let is_held = |slot: &Slot<M>| slot.users > 0;
        let needs = |slot: &Slot<M>| matches!(slot.stage, Stage::Coming | Stage::Failed(_));
        assert!(self.all.iter().all(|slot| is_held(slot) || !needs(slot)), "nobody waits for it");
    }

    /// Slots and tickets, for those who wait for something to happen.
    #[cfg(test)]
    pub fn counts(&self) -> (usize, usize) {
        (self.all.len(), self.queue.len())
    }
}

impl<M: Shelved> Slot<M> {
    fn is_dead(&self) -> bool {
        matches!(&self.stage, Stage::Ready(model) if !model.is_alive())
    }

    fn take_off(&mut self) {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Going) {
            Stage::Ready(model) => Stage::Off(model),
            other => other,
        };
    }

    fn goes(&self, now: Duration) -> bool {
        let is_over = self.is_dead() || self.due().is_some_and(|due| now >= due);
        self.users == 0 && (is_over || matches!(self.stage, Stage::Off(_)))
    }

    /// When it goes by itself. Used ones do not, and what is after the end of time never comes.
    fn due(&self) -> Option<Duration> {
        let is_idle = self.users == 0 && matches!(self.stage, Stage::Ready(_));
        self.keep.filter(|_| is_idle)?.checked_add(self.idle_since)
    }

    fn listed(&self, now: Duration) -> Listed {
        let left = |due: Duration| due.saturating_sub(now);
        Listed {
            name: self.name.clone(),
            bytes: self.bytes,
            users: self.users,
            is_loading: matches!(self.stage, Stage::Coming),
            left: match (&self.stage, self.users) {
                (Stage::Off(_), _) => Some(Duration::ZERO),
                (_, 0) => self.due().map(left),
                _ => self.keep,
            },
        }
    }
}

/// What those get who come too late.
pub(super) fn stopping() -> Fault {
    later("the server is stopping".to_owned())
}

/// A fault that goes by.
pub(super) fn later(message: String) -> Fault {
    Fault { retry: Retry::Later, ..Fault::new(Side::Us, message) }
}
