//! The thread that owns a model and answers its turns.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use text::tokenizer::Tokenizer;
use turn::{Event, Fault, Finish, Side};

use crate::Engine;
use crate::serve::{Job, Policy, Turns};

/// A model at work.
pub struct Worker {
    orders: Sender<Order>,
    thread: JoinHandle<()>,
    begun: Instant,
}

enum Order {
    Turn(Box<Job>),
    /// Ends when all turns have, or when this time has come.
    Stop(Duration),
}

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
        let work = move || work(engine, &tokenizer, (policy, begun), &received);
        let thread = std::thread::Builder::new().name("model".to_owned()).spawn(work)?;
        Ok(Worker { orders, thread, begun })
    }

    /// Hands in a turn. Whatever happens, it ends once.
    pub fn submit(&self, job: Job) {
        if let Err(unsent) = self.orders.send(Order::Turn(Box::new(job))) {
            refuse(unsent.0);
        }
    }

    /// The time by which deadlines are stated.
    pub fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Lets the turns end within this time, then cancels what is left.
    pub fn stop(self, within: Duration) {
        let _ = self.orders.send(Order::Stop(self.now().saturating_add(within)));
        let _ = self.thread.join();
    }
}

/// Ends a turn for which there is no model any more.
fn refuse(order: Order) {
    if let Order::Turn(mut job) = order {
        let fault = Fault::new(Side::Us, "the model is not running any more");
        let _ = (job.reply)(Event::Failed(fault));
    }
}

fn work(
    engine: Engine,
    tokenizer: &Tokenizer,
    (policy, begun): (Policy, Instant),
    orders: &Receiver<Order>,
) {
    let clock = move || begun.elapsed();
    let mut turns = Turns::new(engine, tokenizer, policy).by(clock);
    let (mut end, mut busy) = (None, false);
    loop {
        // Nothing to do: wait. Otherwise take what has come.
        let order = match (busy, end) {
            (false, None) => orders.recv().map_err(|_| TryRecvError::Disconnected),
            _ => orders.try_recv(),
        };
        match order {
            Ok(Order::Stop(at)) => end = Some(at),
            Ok(order) if end.is_some() => refuse(order),
            Ok(Order::Turn(job)) => {
                turns.submit(*job);
                busy = true;
                continue;
            }
            Err(TryRecvError::Disconnected) => end = end.or(Some(Duration::ZERO)),
            Err(TryRecvError::Empty) => {}
        }
        if end.is_some_and(|end| clock() >= end) {
            turns.stop(Finish::Cancelled);
        }
        // A panic is a defect of ours, or of the model's file. Its turns end all the same.
        match catch_unwind(AssertUnwindSafe(|| turns.step())) {
            Ok(more) => busy = more,
            Err(_) => {
                let fault = Fault::new(Side::Us, "the model has failed; see the log");
                turns.fail(&fault);
                break;
            }
        }
        if !busy && end.is_some() {
            break;
        }
    }
    while let Ok(order) = orders.try_recv() {
        refuse(order);
    }
}
