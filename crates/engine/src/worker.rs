//! The thread that owns a model and answers its turns.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, ThreadId};
use std::time::{Duration, Instant};

use text::tokenizer::Tokenizer;
use turn::{Embedded, Event, Fault, Finish, Listener, Retry, Side, WhenEmbedded};

use crate::Engine;
use crate::serve::{Job, Policy, Texts, Turns};

/// A model at work. Dropping it cancels its turns, and waits for its thread.
pub struct Worker {
    orders: Sender<Order>,
    thread: Mutex<Option<JoinHandle<()>>>,
    thread_id: ThreadId,
    alive: Arc<AtomicBool>,
    load: Arc<Shown>,
    begun: Instant,
}

/// What a worker does at some moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Turns that wait.
    pub waiting: usize,
    /// Turns that are read or written.
    pub running: usize,
    /// Bytes of what is kept of sequences.
    pub kept_bytes: u64,
}

/// The same, shown by the thread that knows.
#[derive(Default)]
struct Shown {
    /// Turns that were handed in and that the thread has not seen yet.
    coming: AtomicUsize,
    waiting: AtomicUsize,
    running: AtomicUsize,
    kept_bytes: AtomicU64,
}

enum Order {
    Turn(Box<Job>),
    Embed(Box<Texts>),
    /// Ends when all turns have, or when this time has come.
    Stop(Duration),
}

/// A turn's reply that is told one end and nothing after it, whatever becomes of the turn.
struct Kept {
    reply: Listener,
    is_over: bool,
}

/// The same for texts.
struct KeptDone(Option<WhenEmbedded>);

impl Worker {
    /// Begins to work.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        engine: Engine,
        tokenizer: Arc<Tokenizer>,
        policy: Policy,
    ) -> std::io::Result<Worker> {
        let ((orders, received), begun) = (channel(), Instant::now());
        let alive = Arc::new(AtomicBool::new(true));
        let is_up = Arc::clone(&alive);
        let load = Arc::new(Shown::default());
        let shown = Arc::clone(&load);
        let work = move || {
            let mut turns = Turns::new(engine, &tokenizer, policy).by(move || begun.elapsed());
            // A panic is a defect of ours, or of the model's file. Its turns end all the same.
            let worked =
                catch_unwind(AssertUnwindSafe(|| work(&mut turns, begun, (&received, &shown))));
            // Before they end: who then asks again shall find it dead.
            is_up.store(false, Ordering::Release);
            if worked.is_err() {
                turns.fail(&Fault::new(Side::Us, "the model has failed; see the log"));
            }
        };
        let thread = std::thread::Builder::new().name("model".to_owned()).spawn(work)?;
        let (thread_id, thread) = (thread.thread().id(), Mutex::new(Some(thread)));
        Ok(Worker { orders, thread, thread_id, alive, load, begun })
    }

    /// Hands in a turn. Whatever happens, it ends once.
    pub fn submit(&self, job: Job) {
        let mut job = job;
        let mut kept = Kept { reply: job.reply, is_over: false };
        job.reply = Box::new(move |event| kept.tell(event));
        self.load.coming.fetch_add(1, Ordering::Relaxed);
        // A turn that does not arrive is dropped, and ends by that.
        if self.orders.send(Order::Turn(Box::new(job))).is_err() {
            self.load.coming.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Hands in texts. Whatever happens, somebody is told what became of them.
    pub fn embed(&self, texts: Texts) {
        let mut texts = texts;
        let mut kept = KeptDone(Some(texts.done));
        texts.done = Box::new(move |outcome| kept.tell(outcome));
        let _ = self.orders.send(Order::Embed(Box::new(texts)));
    }

    /// Whether it answers turns: it has neither been stopped nor panicked.
    pub fn is_alive(&self) -> bool {
        self.alive.load(Ordering::Acquire)
    }

    /// What it did at the end of its last step, with the turns that have come since.
    pub fn load(&self) -> Load {
        let Shown { coming, waiting, running, kept_bytes } = &*self.load;
        Load {
            waiting: coming.load(Ordering::Relaxed) + waiting.load(Ordering::Relaxed),
            running: running.load(Ordering::Relaxed),
            kept_bytes: kept_bytes.load(Ordering::Relaxed),
        }
    }

    /// The time by which deadlines are stated.
    pub fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Lets the turns end within this time, then cancels what is left.
    pub fn stop(&self, within: Duration) {
        let _ = self.orders.send(Order::Stop(self.now().saturating_add(within)));
        // A reply may own the worker, and then ends it on the worker's own thread.
        if std::thread::current().id() != self.thread_id {
            let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
            thread.take().into_iter().for_each(|thread| _ = thread.join());
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop(Duration::ZERO);
    }
}

impl Kept {
    fn tell(&mut self, event: Event) -> ControlFlow<()> {
        if self.is_over {
            return ControlFlow::Break(());
        }
        let ends = matches!(event, Event::End(..) | Event::Failed(_));
        // Until it has returned: one that panics is not asked again.
        self.is_over = true;
        let flow = (self.reply)(event);
        self.is_over = ends;
        flow
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = self.tell(Event::Failed(not_running()));
    }
}

impl KeptDone {
    fn tell(&mut self, outcome: Result<Embedded, Fault>) {
        if let Some(done) = self.0.take() {
            done(outcome);
        }
    }
}

impl Drop for KeptDone {
    fn drop(&mut self) {
        self.tell(Err(not_running()));
    }
}

fn not_running() -> Fault {
    let fault = Fault::new(Side::Us, "the model is not running any more; ask again");
    Fault { retry: Retry::Later, ..fault }
}

impl Shown {
    fn show(&self, turns: &Turns) {
        let (waiting, running) = turns.counts();
        self.waiting.store(waiting, Ordering::Relaxed);
        self.running.store(running, Ordering::Relaxed);
        self.kept_bytes.store(turns.engine().used_bytes(), Ordering::Relaxed);
    }
}

/// Answers turns until it is told to stop, or nobody is there to ask.
fn work(turns: &mut Turns, begun: Instant, (orders, shown): (&Receiver<Order>, &Shown)) {
    let (mut end, mut busy) = (None, false);
    while busy || end.is_none() {
        // Nothing to do: wait. Otherwise take what has come.
        let order = match busy {
            false => orders.recv().map_err(|_| TryRecvError::Disconnected),
            true => orders.try_recv(),
        };
        match order {
            Ok(Order::Stop(at)) => end = Some(end.map_or(at, |end: Duration| end.min(at))),
            Ok(Order::Turn(job)) => {
                // Who comes too late is dropped.
                let is_in_time = end.is_none();
                if is_in_time {
                    turns.submit(*job);
                }
                shown.show(turns);
                shown.coming.fetch_sub(1, Ordering::Relaxed);
                if is_in_time {
                    busy = true;
                    continue;
                }
            }
            Ok(Order::Embed(texts)) if end.is_none() => {
                turns.embed(*texts);
                busy = true;
                continue;
            }
            Err(TryRecvError::Disconnected) => end = end.or(Some(Duration::ZERO)),
            // Nothing has come, or too late.
            Err(TryRecvError::Empty) | Ok(Order::Embed(_)) => {}
        }
        if end.is_some_and(|end| begun.elapsed() >= end) {
            turns.stop(Finish::Cancelled);
        }
        busy = turns.step();
        shown.show(turns);
    }
}
