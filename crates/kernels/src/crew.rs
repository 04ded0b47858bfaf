//! A fixed crew of threads that share the work of one operation at a time.
//!
//! The caller is one of them. Work is split by a plain rule into one piece per thread; there are no
//! queues and no locks, only a counter that announces a task and one that counts who is still at it.
//! Idle threads spin for a moment, because the next operation of a model follows within
//! microseconds, and then park.

use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

/// How often an idle thread looks for work before it parks: some tens of microseconds.
const LOOKS_BEFORE_PARKING: u32 = 20_000;

/// How often the caller looks whether all are done before it lets other programs run.
const LOOKS_BEFORE_YIELDING: u32 = 2_000;

type Task<'a> = dyn Fn(usize) + Sync + 'a;

struct Shared {
    /// Grows by one for each task; a change announces it.
    announced: AtomicUsize,
    /// The current task. Written by the caller while nobody is at work, read by the others after
    /// they have seen `announced` change.
    task: UnsafeCell<Option<*const Task<'static>>>,
    at_work: AtomicUsize,
    panicked: AtomicBool,
    stop: AtomicBool,
}

// SAFETY: `task` is written only while no thread is at work and published by `announced` with
// release ordering; it points to a `Sync` closure.
unsafe impl Sync for Shared {}
// SAFETY: as above; the pointer is used only while the caller keeps its target alive.
unsafe impl Send for Shared {}

/// The crew, held by the one thread that gives it work.
pub struct Crew {
    shared: Arc<Shared>,
    others: Vec<JoinHandle<()>>,
    /// Two threads must not announce tasks at once: a crew may be moved but not shared.
    one_caller: PhantomData<Cell<()>>,
}

impl Crew {
    /// A crew of `threads` threads, the caller included; at least one.
    pub fn new(threads: usize) -> Crew {
        let shared = Arc::new(Shared {
            announced: AtomicUsize::new(0),
            task: UnsafeCell::new(None),
            at_work: AtomicUsize::new(0),
            panicked: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        });
        let others = (1..threads.max(1))
            .map(|index| {
                let shared = Arc::clone(&shared);
                let name = format!("crew {index}");
                let thread = std::thread::Builder::new().name(name);
                thread.spawn(move || serve(&shared, index)).expect("the system can start a thread")
            })
            .collect();
        Crew { shared, others, one_caller: PhantomData }
    }

    /// Number of threads, the caller included.
    pub fn threads(&self) -> usize {
        self.others.len() + 1
    }

    /// Calls `task(i)` once for each `i` below `threads()`, at the same time, and waits for all.
    ///
    /// # Panics
    /// When one of the calls panics, after all have ended.
    pub fn together(&self, task: &Task<'_>) {
        if self.others.is_empty() {
            return task(0);
        }
        self.announce(task);
        let own = catch_unwind(AssertUnwindSafe(|| task(0)));
        self.wait();
        finish(own, self.shared.panicked.swap(false, Ordering::Relaxed));
    }

    fn announce(&self, task: &Task<'_>) {
        // SAFETY: only the lifetime changes. `together` returns, normally or by panic, only after
        // `wait`, so no thread uses the pointer longer than the borrow lasts.
        let task = unsafe { std::mem::transmute::<*const Task<'_>, *const Task<'static>>(task) };
        // SAFETY: nobody is at work: the last `together` has waited, and a crew has one caller.
        unsafe { *self.shared.task.get() = Some(task) };
        self.shared.at_work.store(self.others.len(), Ordering::Relaxed);
        self.shared.announced.fetch_add(1, Ordering::Release);
        for other in &self.others {
            other.thread().unpark();
        }
    }

    fn wait(&self) {
        let mut looks = 0;
        while self.shared.at_work.load(Ordering::Acquire) > 0 {
            looks += 1;
            if looks > LOOKS_BEFORE_YIELDING {
                std::thread::yield_now();
            } else {
                std::hint::spin_loop();
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
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.announced.fetch_add(1, Ordering::Release);
        for other in self.others.drain(..) {
            other.thread().unpark();
            // A panic of a task was caught inside; there is nothing to learn from the result.
            let _ = other.join();
        }
    }
}

fn serve(shared: &Shared, index: usize) {
    let mut seen = 0;
    loop {
        seen = next_announcement(shared, seen);
        if shared.stop.load(Ordering::Relaxed) {
            return;
        }
        // SAFETY: `announced` was read with acquire ordering after the caller wrote the task, and the
        // caller waits for `at_work` before it writes again or lets the closure go.
        let task = unsafe { (*shared.task.get()).map(|task| &*task) };
        let work = AssertUnwindSafe(|| task.into_iter().for_each(|task| task(index)));
        if catch_unwind(work).is_err() {
            shared.panicked.store(true, Ordering::Relaxed);
        }
        shared.at_work.fetch_sub(1, Ordering::Release);
    }
}

fn next_announcement(shared: &Shared, seen: usize) -> usize {
    let mut looks = 0;
    loop {
        let announced = shared.announced.load(Ordering::Acquire);
        if announced != seen {
            return announced;
        }
        looks += 1;
        if looks > LOOKS_BEFORE_PARKING {
            std::thread::park();
        } else {
            std::hint::spin_loop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_called_once_per_task() {
        for threads in [1, 2, 5] {
            let crew = Crew::new(threads);
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
