//! Several models at once: loaded when somebody asks for them, kept for a while, and taken away
//! when their time is over or others need their room.
//!
//! Who asks gets a lease, and a model with a lease stays. Models are loaded on the thread that asks
//! first. A thread of the shelf takes them away, so that nobody who gives a lease back waits for
//! that, least of all the model's own thread. Knows no files: a [`Library`] does.

mod slots;
#[cfg(test)]
mod tests;

use std::fmt::Arguments;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use turn::{Fault, Kind, Side};

use crate::Worker;
use crate::memory::Size;
use slots::{Slots, later, stopping};

/// Where models come from.
pub trait Library<M>: Send + Sync {
    /// Bytes that a model will take: its weights, and room for what it keeps of sequences.
    ///
    /// # Errors
    /// When there is no such model.
    fn size(&self, name: &str) -> Result<u64, Fault>;

    /// Loads it.
    ///
    /// # Errors
    /// When it cannot be loaded.
    fn load(&self, name: &str) -> Result<M, Fault>;
}

/// What can stand on a shelf.
pub trait Shelved: Send + Sync + 'static {
    /// Whether it still works. Asked often: it must not wait.
    fn is_alive(&self) -> bool;

    /// Ends its work within this time. Its memory is free when it has been dropped as well.
    fn stop(&self, within: Duration);
}

impl Shelved for Worker {
    fn is_alive(&self) -> bool {
        Worker::is_alive(self)
    }

    fn stop(&self, within: Duration) {
        Worker::stop(self, within);
    }
}

/// How much a shelf may hold.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Bytes for all models together.
    pub bytes: u64,
    /// How long who asks for a model waits until others make room for it.
    pub patience: Duration,
}

/// A model as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Bytes that are set aside for it; none yet while it waits for room.
    pub bytes: u64,
    /// Leases, and those who wait for one.
    pub users: usize,
    /// Whether it is not there yet.
    pub is_loading: bool,
    /// How long it stays if nobody asks again, from now or from the end of its last lease; nothing
    /// is for ever.
    pub left: Option<Duration>,
}

/// The loaded models of a server. Dropping it stops them.
pub struct Shelf<M: Shelved> {
    shared: Arc<Shared<M>>,
    keeper: Mutex<Option<JoinHandle<()>>>,
}

struct Shared<M> {
    library: Box<dyn Library<M>>,
    room: Room,
    clock: Box<dyn Fn() -> Duration + Send + Sync>,
    slots: Mutex<Slots<M>>,
    /// Wakes those who wait for room or for a load.
    changed: Condvar,
    /// Wakes the keeper.
    to_go: Condvar,
}

/// What somebody asks for.
struct Asked<'a> {
    name: &'a str,
    keep: Option<Duration>,
    /// Who has the lower one came first.
    ticket: u64,
    /// When they stop waiting for room.
    until: Option<Duration>,
}

/// A model in use: it stays until this and all its clones are dropped. Hold it for as long as a
/// turn lasts; the turn's reply may do that.
pub struct Lease<M: Shelved> {
    // Dropped before the hold is: who frees a model is the keeper, who has it last.
    model: Arc<M>,
    hold: Hold<M>,
}

struct Hold<M: Shelved> {
    shared: Arc<Shared<M>>,
    id: u64,
}

impl<M: Shelved> Shelf<M> {
    /// An empty one.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(library: Box<dyn Library<M>>, room: Room) -> std::io::Result<Shelf<M>> {
        let begun = Instant::now();
        Shelf::with_clock(library, room, Box::new(move || begun.elapsed()))
    }

    /// The same by another clock.
    fn with_clock(
        library: Box<dyn Library<M>>,
        room: Room,
        clock: Box<dyn Fn() -> Duration + Send + Sync>,
    ) -> std::io::Result<Shelf<M>> {
        let slots = Mutex::new(Slots::new(room.bytes));
        let (changed, to_go) = (Condvar::new(), Condvar::new());
        let shared = Arc::new(Shared { library, room, clock, slots, changed, to_go });
        let own = Arc::clone(&shared);
        let keeper = std::thread::Builder::new().name("shelf".to_owned());
        let keeper = Mutex::new(Some(keeper.spawn(move || own.take_away())?));
        Ok(Shelf { shared, keeper })
    }

    /// Waits for a model, which is loaded if it is not there. It is kept for so long after its last
    /// use, unless others need its room; nothing is for ever. What the last who asked said counts.
    ///
    /// Who waits for room is served in the order of asking, also before those who ask for one of
    /// the models that must go for that.
    ///
    /// # Errors
    /// When it cannot be loaded, which all hear who wait for it; when it is larger than all models
    /// may be together; and when others do not make room for it in time.
    pub fn take(&self, name: &str, keep: Option<Duration>) -> Result<Lease<M>, Fault> {
        let shared = &self.shared;
        let until = shared.now().checked_add(shared.room.patience);
        let asked = Asked { name, keep, ticket: shared.lock().draw_ticket(), until };
        let id = shared.join(&asked)?;
        let hold = Hold { shared: Arc::clone(shared), id };
        if id == asked.ticket {
            shared.bring(&asked);
        }
        let model = shared.arrival(id)?;
        Ok(Lease { model, hold })
    }

    /// Takes a model off the shelf, and says whether it was there. Leases stay good: it goes when
    /// the last is dropped. Who asks after this has it loaded anew.
    pub fn unload(&self, name: &str) -> bool {
        let was_there = self.shared.lock().unload(name);
        self.shared.tell();
        was_there
    }

    /// What is there or comes.
    pub fn list(&self) -> Vec<Listed> {
        let now = self.shared.now();
        self.shared.lock().list(now)
    }

    /// Those that are there, with what is seen of each at a glance: models wait for who looks.
    pub fn survey<T>(&self, look: impl Fn(&M) -> T) -> Vec<(Listed, T)> {
        let now = self.shared.now();
        self.shared.lock().survey(now, look)
    }

    /// Stops all models within this time, leases or not, and hands out none any more. One that is
    /// being loaded meanwhile ends by itself when it is there. The first call's time counts. Not to
    /// be called by a reply.
    pub fn stop(&self, within: Duration) {
        let by = self.shared.now().saturating_add(within);
        self.shared.lock().stop_by.get_or_insert(by);
        self.shared.tell();
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        keeper.take().into_iter().for_each(|keeper| _ = keeper.join());
    }
}

impl<M: Shelved> Shared<M> {
    fn now(&self) -> Duration {
        (self.clock)()
    }

    /// A panic in here is a defect, but no reason for the others to go down with it.
    fn lock(&self) -> MutexGuard<'_, Slots<M>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        self.changed.notify_all();
        self.to_go.notify_one();
    }

    /// Makes who asks a user of the model, as soon as nobody before them needs its room.
    fn join(&self, asked: &Asked) -> Result<u64, Fault> {
        let need = format_args!("the room of {} is needed for another model", asked.name);
        self.in_order(asked, need, |slots| slots.join(asked))
    }

    /// Sets bytes aside, as soon as they are free and nobody came before.
    fn reserve(&self, asked: &Asked, bytes: u64) -> Result<(), Fault> {
        let (name, limit) = (asked.name, self.room.bytes);
        if bytes > limit {
            let all = "may be used by all models together";
            let message =
                format!("{name} needs {} of memory, and {} {all}", Size(bytes), Size(limit));
            return Err(Fault { kind: Kind::NoRoom, ..Fault::new(Side::Us, message) });
        }
        let need = format_args!("{name} needs {} of memory", Size(bytes));
        self.in_order(asked, need, |slots| slots.reserve(asked.ticket, bytes).then_some(()))
    }

    /// Tries until it succeeds, in the queue of those who wait for room.
    fn in_order<T>(
        &self,
        asked: &Asked,
        need: Arguments,
        mut attempt: impl FnMut(&mut Slots<M>) -> Option<T>,
    ) -> Result<T, Fault> {
        let mut slots = self.lock();
        let outcome = loop {
            if slots.stop_by.is_some() {
                break Err(stopping());
            }
            if let Some(done) = attempt(&mut slots) {
                break Ok(done);
            }
            if asked.until.is_some_and(|until| self.now() >= until) {
                let (used, limit) = (slots.used(), self.room.bytes);
                let now = format_args!("{} of {} are in use", Size(used), Size(limit));
                break Err(later(format!("{need}, and {now}; ask again later")));
            }
            slots.line_up(asked.ticket);
            // Something may have been taken off. To wake the others would have them wake us.
            self.to_go.notify_one();
            slots = self.wait((&self.changed, slots), asked.until);
        };
        if outcome.is_err() {
            slots.leave(asked.ticket);
        }
        self.tell();
        outcome
    }

    fn wait<'a>(
        &self,
        (on, slots): (&Condvar, MutexGuard<'a, Slots<M>>),
        until: Option<Duration>,
    ) -> MutexGuard<'a, Slots<M>> {
        let left = until.map_or(Duration::MAX, |until| until.saturating_sub(self.now()));
        on.wait_timeout(slots, left).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Loads what was asked for, for all who wait for it.
    fn bring(&self, asked: &Asked) {
        let outcome = self.load(asked);
        let unwanted = self.lock().put(asked.ticket, outcome);
        self.tell();
        unwanted.into_iter().for_each(|model| model.stop(Duration::ZERO));
    }

    fn load(&self, asked: &Asked) -> Result<M, Fault> {
        let bytes = caught(asked.name, || self.library.size(asked.name))?;
        self.reserve(asked, bytes)?;
        let load = || caught(asked.name, || self.library.load(asked.name));
        loop {
            match load() {
                // Other programs have taken what was counted on.
                Err(fault) if fault.kind == Kind::NoRoom && self.clear_one() => {}
                loaded => return loaded,
            }
        }
    }

    /// Takes away one that nobody uses, or waits for those that are going; says whether there was
    /// any.
    fn clear_one(&self) -> bool {
        let mut slots = self.lock();
        let going = slots.take_off_idle();
        self.to_go.notify_one();
        while slots.has_any(&going) {
            slots = self.wait((&self.changed, slots), None);
        }
        !going.is_empty()
    }

    /// Waits until a model has come, or has not.
    fn arrival(&self, id: u64) -> Result<Arc<M>, Fault> {
        let mut slots = self.lock();
        loop {
            match slots.model(id) {
                Some(outcome) => return outcome,
                None => slots = self.wait((&self.changed, slots), None),
            }
        }
    }

    /// The keeper's work: takes away what goes, one after the other.
    fn take_away(&self) {
        let mut slots = self.lock();
        loop {
            let now = self.now();
            if let Some((id, model)) = slots.next_to_go(now) {
                let within = slots.stop_by.map_or(Duration::ZERO, |by| by.saturating_sub(now));
                drop(slots);
                let end = || {
                    model.stop(within);
                    drop(model);
                };
                let _ = catch_unwind(AssertUnwindSafe(end));
                slots = self.lock();
                slots.remove(id);
                self.changed.notify_all();
            } else if slots.stop_by.is_some() {
                return;
            } else {
                let due = slots.next_due();
                slots = self.wait((&self.to_go, slots), due);
            }
        }
    }
}

/// A damaged file may lead to a panic. It becomes a fault, and the server lives.
fn caught<T>(name: &str, work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    let failed = || Fault::new(Side::Us, format!("loading {name} has failed; see the log"));
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(failed()))
}

impl<M: Shelved> Deref for Lease<M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.model
    }
}

impl<M: Shelved> Clone for Lease<M> {
    fn clone(&self) -> Lease<M> {
        Lease { hold: self.hold.clone(), model: Arc::clone(&self.model) }
    }
}

impl<M: Shelved> Clone for Hold<M> {
    fn clone(&self) -> Hold<M> {
        self.shared.lock().share(self.id);
        Hold { shared: Arc::clone(&self.shared), id: self.id }
    }
}

impl<M: Shelved> Drop for Hold<M> {
    fn drop(&mut self) {
        let now = self.shared.now();
        self.shared.lock().release(self.id, now);
        self.shared.tell();
    }
}

impl<M: Shelved> Drop for Shelf<M> {
    fn drop(&mut self) {
        self.stop(Duration::ZERO);
    }
}
