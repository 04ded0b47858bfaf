//! The thread that finds what may come next in forms while the model computes: forms cost the
//! steps of a model no time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::Rules;

/// Rules of a turn, and what has been guessed to come next.
struct Order {
    turn: usize,
    rules: Rules,
    guesses: Vec<u32>,
}

/// Rules of turns that are being looked ahead in.
#[derive(Default)]
pub(crate) struct Masks {
    thread: Option<Thread>,
    away: usize,
    /// Those that there was no thread for.
    here: Vec<Order>,
}

struct Thread {
    orders: Sender<Order>,
    done: Receiver<Order>,
}

impl Masks {
    /// Begins to look ahead for a turn.
    pub fn begin(&mut self, turn: usize, rules: Rules, guesses: &[u32]) {
        if self.thread.is_none() {
            self.thread = Thread::start();
        }
        let order = Order { turn, rules, guesses: guesses.to_vec() };
        let unsent = match &self.thread {
            Some(thread) => thread.orders.send(order).err().map(|unsent| unsent.0),
            None => Some(order),
        };
        match unsent {
            None => self.away += 1,
            Some(mut order) => {
                order.rules.look_ahead(&order.guesses);
                self.here.push(order);
            }
        }
    }

    /// Waits until all are done, and returns each with its turn.
    pub fn end(&mut self) -> impl Iterator<Item = (usize, Rules)> + '_ {
        let away = std::mem::take(&mut self.away);
        let done = self.thread.iter().flat_map(|thread| thread.done.iter());
        let all = self.here.drain(..).chain(done.take(away));
        all.map(|order| (order.turn, order.rules))
    }
}

impl Thread {
    fn start() -> Option<Thread> {
        let (orders, received) = channel::<Order>();
        let (finished, done) = channel();
        let work = move || {
            for mut order in received {
                // A panic leaves nothing allowed, which ends the turn.
                let _ = catch_unwind(AssertUnwindSafe(|| order.rules.look_ahead(&order.guesses)));
                if finished.send(order).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("forms".to_owned()).spawn(work).ok()?;
        Some(Thread { orders, done })
    }
}
