//! A fixed crew of threads that share the work of one operation at a time.
//!
//! The caller is one of them. Each thread is called once for a task, and takes a fixed share of it
//! or piece after piece; there are no queues and no locks, only a counter that announces a task and
//! one that counts who is still at it. Idle threads look for work for a moment, because the next
//! operation of a model follows within microseconds; then they let other programs run between
//! looks, and at last they park. A crew with more threads than cores never keeps a core from the
//! others while it waits.
//! How long each of these lasts was measured: `bench/LOG.md`, "The crew under pressure".

use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often a thread that has a core of its own looks before it lets others run between two
/// looks: some tens of microseconds. Fewer, and a busy neighbour takes the core within a product.
const LOOKS_ALONE: u32 = 1_000;

/// How often a thread looks and lets others run before it leaves its core: somewhat less than a
/// tenth of a millisecond when nobody else wants it.
const LOOKS_BETWEEN: u32 = 200;

/// How long the caller of a crowded crew leaves its core at a time.
const NAP: Duration = Duration::from_micros(50);

type Task<'a> = dyn Fn(usize) + Sync + 'a;

/// What each side writes stands in cache lines of its own, so that a thread which ends its share
/// does not disturb those that look for the next; processors fetch lines in pairs.
#[repr(align(128))]
struct OwnLine<T>(T);

struct Shared {
    /// Written by the caller.
    orders: OwnLine<Orders>,
    /// Written by the others.
    reports: OwnLine<Reports>,
    /// Whether there are more threads than cores, so that who waits may keep another from work.
    crowded: bool,
}

struct Orders {
    /// Grows by one for each task; a change announces it.
    announced: AtomicUsize,
    /// The current task. Written by the caller while nobody is at work, read by the others after
    /// they have seen `announced` change.
    task: UnsafeCell<Option<*const Task<'static>>>,
    stop: AtomicBool,
}

struct Reports {
    /// Threads that have not yet done their share; the caller sets it with each task.
    at_work: AtomicUsize,
    /// Threads that are parked, or about to be.
    parked: AtomicUsize,
    panicked: AtomicBool,
}

// SAFETY: `task` is written only while no thread is at work and published by `announced` with
// release ordering or stronger; it points to a `Sync` closure.
unsafe impl Sync for Shared {}
// SAFETY: as above; the pointer is used only while the caller keeps its target alive.
unsafe impl Send for Shared {}

/// The crew, held by the one thread that gives it work.
pub struct Crew {
    shared: Arc<Shared>,
    others: Vec<JoinHandle<()>>,
    /// Whether a task is under way. That this is a `Cell` also keeps the crew from being shared:
    /// two threads must not announce tasks at once.
    busy: Cell<bool>,
}

impl Crew {
    /// A crew of `threads` threads, the caller included; at least one, and fewer than asked for
    /// where the system refuses to start more.
    pub fn new(threads: usize) -> Crew {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let shared = Arc::new(Shared::new(threads > cores));
        let start = |index| {
            let shared = Arc::clone(&shared);
            let thread = std::thread::Builder::new().name(format!("crew {index}"));
            thread.spawn(move || serve(&shared, index)).ok()
        };
        let others = (1..threads).map_while(start).collect();
        Crew { shared, others, busy: Cell::new(false) }
    }

    /// Number of threads, the caller included.
    pub fn threads(&self) -> usize {
        self.others.len() + 1
    }

    /// Calls `task(i)` once for each `i` below `threads()`, at the same time, and waits for all.
    ///
    /// # Panics
    /// When one of the calls panics, after all have ended; and when a task calls this for the crew
    /// that runs it, which would take the task away from under the others.
    pub fn together(&self, task: &Task<'_>) {
        assert!(!self.busy.replace(true), "a task gives work to the crew that runs it");
        self.announce(task);
        let own = catch_unwind(AssertUnwindSafe(|| task(0)));
        self.wait();
        self.busy.set(false);
        finish(own, self.shared.reports.0.panicked.swap(false, Ordering::Relaxed));
    }

    fn announce(&self, task: &Task<'_>) {
        // SAFETY: only the lifetime changes. `together` returns, normally or by panic, only after
        // `wait`, so no thread uses the pointer longer than the borrow lasts.
        let task = unsafe { std::mem::transmute::<*const Task<'_>, *const Task<'static>>(task) };
        // SAFETY: nobody is at work: the last `together` has waited, a crew has one caller, and
        // `busy` keeps that caller out while a task is under way.
        unsafe { *self.shared.orders.0.task.get() = Some(task) };
        self.shared.reports.0.at_work.store(self.others.len(), Ordering::Relaxed);
        self.call();
    }

    /// Makes the others look at their orders.
    fn call(&self) {
        self.shared.orders.0.announced.fetch_add(1, Ordering::SeqCst);
        // In the one order of all such accesses, either this comes after a thread has counted
        // itself as parked, or that thread's last look comes after the announcement.
        if self.shared.reports.0.parked.load(Ordering::SeqCst) > 0 {
            self.others.iter().for_each(|other| other.thread().unpark());
        }
    }

    fn wait(&self) {
        let mut looks = 0;
        while self.shared.reports.0.at_work.load(Ordering::Acquire) > 0 {
            // With a core for each thread, the late one is best left where it is.
            if !self.shared.crowded || looks < LOOKS_BETWEEN {
                looks = self.shared.pause_after(looks);
            } else {
                std::thread::sleep(NAP);
            }
        }
    }
}

fn finish(own: Result<(), Box<dyn Any + Send>>, others_panicked: bool) {
    if let Err(panic) = own {
        resume_unwind(panic);
    }
    assert!(!others_panicked, "a thread of the crew panicked; its message is above");
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.shared.orders.0.stop.store(true, Ordering::Relaxed);
        self.call();
        for other in self.others.drain(..) {
            // A panic of a task was caught inside; there is nothing to learn from the result.
            let _ = other.join();
        }
    }
}

impl Shared {
    fn new(crowded: bool) -> Shared {
        let orders = Orders {
            announced: AtomicUsize::new(0),
            task: UnsafeCell::new(None),
            stop: AtomicBool::new(false),
        };
        let reports = Reports {
            at_work: AtomicUsize::new(0),
            parked: AtomicUsize::new(0),
            panicked: AtomicBool::new(false),
        };
        Shared { orders: OwnLine(orders), reports: OwnLine(reports), crowded }
    }

    /// How often a thread looks without letting others run.
    fn looks_alone(&self) -> u32 {
        if self.crowded { 0 } else { LOOKS_ALONE }
    }

    /// Passes the time until the next look; returns how many there have been.
    fn pause_after(&self, looks: u32) -> u32 {
        if looks < self.looks_alone() {
            std::hint::spin_loop();
        } else {
            std::thread::yield_now();
        }
        looks.saturating_add(1)
    }
}

fn serve(shared: &Shared, index: usize) {
    let mut seen = 0;
    loop {
        seen = next_announcement(shared, seen);
        if shared.orders.0.stop.load(Ordering::Relaxed) {
            return;
        }
        // SAFETY: `announced` was read with acquire ordering after the caller wrote the task, and
        // the caller waits for `at_work` before it writes again or lets the closure go.
        let task = unsafe { (*shared.orders.0.task.get()).map(|task| &*task) };
        let work = AssertUnwindSafe(|| task.into_iter().for_each(|task| task(index)));
        if let Err(payload) = catch_unwind(work) {
            shared.reports.0.panicked.store(true, Ordering::Relaxed);
            // Dropping it may panic again; this thread would end, and the caller wait for ever.
            std::mem::forget(payload);
        }
        shared.reports.0.at_work.fetch_sub(1, Ordering::Release);
    }
}

fn next_announcement(shared: &Shared, seen: usize) -> usize {
    let most = shared.looks_alone() + LOOKS_BETWEEN;
    let (announced, mut looks) = (&shared.orders.0.announced, 0);
    loop {
        let now = announced.load(Ordering::Acquire);
        if now != seen {
            return now;
        }
        if looks < most {
            looks = shared.pause_after(looks);
        } else {
            shared.reports.0.parked.fetch_add(1, Ordering::SeqCst);
            while announced.load(Ordering::SeqCst) == seen {
                std::thread::park();
            }
            shared.reports.0.parked.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_called_once_per_task() {
        for threads in [0, 1, 2, 5] {
            let crew = Crew::new(threads);
            let threads = threads.max(1);
            assert_eq!(crew.threads(), threads);
            let calls: Vec<AtomicUsize> = (0..threads).map(|_| AtomicUsize::new(0)).collect();
            for _ in 0..1000 {
                crew.together(&|i| {
                    calls[i].fetch_add(1, Ordering::Relaxed);
                });
            }
            assert!(calls.iter().all(|calls| calls.load(Ordering::Relaxed) == 1000));
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_crew_lives_on() {
        let crew = Crew::new(3);
        for culprit in 0..3 {
            let result = catch_unwind(AssertUnwindSafe(|| {
                crew.together(&|i| assert_ne!(i, culprit));
            }));
            assert!(result.is_err());
            crew.together(&|_| {});
        }
    }

    #[test]
    fn a_panic_whose_payload_panics_is_survived() {
        struct Payload;
        impl Drop for Payload {
            fn drop(&mut self) {
                panic!("the payload of a panic panics");
            }
        }
        let crew = Crew::new(2);
        let result = catch_unwind(AssertUnwindSafe(|| {
            crew.together(&|i| {
                if i == 1 {
                    std::panic::panic_any(Payload);
                }
            });
        }));
        assert!(result.is_err());
        crew.together(&|_| {});
    }

    thread_local! {
        /// How a task can reach its own crew, though a crew is not `Sync`.
        static OWN: Crew = Crew::new(2);
    }

    #[test]
    fn a_task_cannot_give_work_to_its_own_crew() {
        let nested = |i| {
            if i == 0 {
                OWN.with(|crew| crew.together(&|_| {}));
            }
        };
        let result = catch_unwind(|| OWN.with(|crew| crew.together(&nested)));
        let message = result.unwrap_err();
        assert_eq!(message.downcast_ref(), Some(&"a task gives work to the crew that runs it"));
        OWN.with(|crew| crew.together(&|_| {}));
    }

    #[test]
    fn a_task_may_give_work_to_another_crew() {
        let (crew, calls) = (Crew::new(2), AtomicUsize::new(0));
        crew.together(&|_| {
            Crew::new(2).together(&|_| {
                calls.fetch_add(1, Ordering::Relaxed);
            });
        });
        assert_eq!(calls.load(Ordering::Relaxed), 4);
    }

    #[test]
    fn what_the_threads_have_written_is_seen_by_the_caller() {
        let crew = Crew::new(3);
        let mut written = [0; 3];
        for round in 1..=100 {
            let places = written.each_mut().map(|place| SendPointer(place));
            crew.together(&|i| {
                // SAFETY: each place is written by one thread, and read after all are done.
                unsafe { *places[i].0 += round };
            });
        }
        assert_eq!(written, [5050; 3]);
    }

    #[test]
    fn in_a_crowded_crew_nobody_looks_alone() {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        assert_eq!(Crew::new(cores).shared.looks_alone(), LOOKS_ALONE);
        assert_eq!(Crew::new(cores + 1).shared.looks_alone(), 0);
    }

    #[test]
    fn a_caller_waits_for_the_last_of_a_crowded_crew() {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let (crew, done) = (Crew::new(4 * cores), AtomicUsize::new(0));
        for round in 1..=5 {
            crew.together(&|i| {
                if i == 1 {
                    std::thread::sleep(Duration::from_millis(5)); // Until the caller naps.
                }
                done.fetch_add(1, Ordering::Relaxed);
            });
            assert_eq!(done.load(Ordering::Relaxed), round * crew.threads());
        }
    }

    struct SendPointer(*mut u32);
    // SAFETY: the test writes through each of them from one thread only.
    unsafe impl Sync for SendPointer {}

    #[test]
    fn parked_threads_wake() {
        let crew = Crew::new(2);
        for _ in 0..3 {
            std::thread::sleep(std::time::Duration::from_millis(20));
            let called = AtomicUsize::new(0);
            crew.together(&|_| {
                called.fetch_add(1, Ordering::Relaxed);
            });
            assert_eq!(called.load(Ordering::Relaxed), 2);
        }
    }
}
