//! From a model's thread to a connection: a bounded channel between the listener of a turn and the
//! task that writes the reply.
//!
//! The listener never waits. A client that reads so slowly that the channel fills up loses its
//! turn; one that hangs up drops the reply, and `gone` tells the house.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use futures_util::stream::unfold;
use tokio::sync::mpsc;
use tokio::time::timeout_at;
use turn::{Account, Event, Fault, Finish, Listener, Retry, Side, Turn, Usage};

use crate::gate::Principal;
use crate::record::End;
use crate::server::Server;

/// Events that may wait for a client: a few minutes of a reply, which nobody who reads at all falls
/// behind by. They take memory only as they come.
const WAITING: usize = 8192;
/// Bytes that are written at once where several events are there.
const FULL: usize = 16 << 10;

/// How a dialect writes a stream: events in, bytes out.
pub trait Encode: Send + 'static {
    /// What an event of one of the turns adds.
    fn event(&mut self, turn: usize, event: Event, out: &mut String);

    /// A fault in the middle. Nothing follows it.
    fn fault(&mut self, fault: &Fault, out: &mut String);

    /// What shows that somebody is still there.
    fn idle(&mut self, out: &mut String);
}

/// Turns that have begun, and what is heard of them. Dropped, it ends them.
pub struct Heard {
    events: mpsc::Receiver<Told>,
    gone: Arc<AtomicBool>,
    /// Somebody listens too slowly.
    late: Arc<AtomicBool>,
    /// Turns that have not ended.
    open: usize,
    /// There is a word to hand on.
    said: bool,
    /// Who asked; gone as soon as nothing more is to come, so that they can ask the next before the
    /// last byte of this has been written.
    principal: Option<Principal>,
}

/// An event, and which of the turns it is of.
pub type Told = (usize, Event);
/// Nothing more once all turns have ended; or why they cannot.
pub type Next = Result<Option<Told>, Fault>;

impl Drop for Heard {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Release);
    }
}

impl Heard {
    /// Begins turns, at the cost of who asks.
    pub fn begin(
        server: &Server,
        turns: impl Iterator<Item = Turn>,
        principal: Principal,
    ) -> Heard {
        let (sender, events) = mpsc::channel(WAITING);
        let (gone, late) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let owner: Option<Arc<str>> = principal.name().map(Arc::from);
        let mut open = 0;
        for (at, turn) in turns.enumerate() {
            let turn = Turn { owner: owner.clone(), ..turn };
            open += 1;
            let (sender, late) = (sender.clone(), Arc::clone(&late));
            let (purse, note) = (principal.purse(), principal.note.clone());
            note.begun(&turn);
            let known = server.house.find(&turn.model).map(|card| card.id);
            let (metrics, model) = (Arc::clone(&server.metrics), known.unwrap_or_default());
            let listener: Listener = Box::new(move |event| {
                // Here, because what was used counts also when nobody waits for the end.
                note.hear(at, &event);
                if let Event::End(account) = &event {
                    metrics.turn(&model, account);
                    let Usage { prompt_tokens, generated_tokens, .. } = account.usage;
                    let spent = (prompt_tokens + generated_tokens) as u64;
                    purse.iter().for_each(|purse| purse.spend(spent, Instant::now()));
                }
                match sender.try_send((at, event)) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(mpsc::error::TrySendError::Full(_)) => {
                        late.store(true, Ordering::Release);
                        ControlFlow::Break(())
                    }
                    Err(mpsc::error::TrySendError::Closed(_)) => ControlFlow::Break(()),
                }
            });
            server.house.begin(turn, Arc::clone(&gone), listener);
        }
        Heard { events, gone, late, open, said: false, principal: Some(principal) }
    }

    /// The next event, waited for. May be given up and asked again.
    pub async fn next(&mut self) -> Next {
        match self.open {
            0 => Ok(None),
            _ => {
                let event = self.events.recv().await;
                self.judge(event)
            }
        }
    }

    /// The next event if it is there already.
    fn ready(&mut self) -> Option<Next> {
        match self.open {
            0 => Some(Ok(None)),
            _ => self.events.try_recv().ok().map(|event| self.judge(Some(event))),
        }
    }

    fn judge(&mut self, event: Option<Told>) -> Next {
        let next = self.next_of(event);
        let end = match &next {
            Ok(Some((_, Event::End(account)))) if self.open == 0 => {
                Some(End::Finished(account.finish))
            }
            Err(fault) => Some(End::Failed(fault.clone())),
            _ => None,
        };
        if let (Some(end), Some(principal)) = (end, &self.principal) {
            principal.note.ended(end);
        }
        if self.open == 0 {
            self.principal = None;
        }
        next
    }

    fn next_of(&mut self, event: Option<Told>) -> Next {
        match event {
            Some((_, Event::Failed(fault))) => Err(fault),
            // Whoever is still here has not ended it, so it is not all that would have been said.
            Some((_, Event::End(account))) if account.finish == Finish::Cancelled => {
                Err(later("the server ended the turn before it was over"))
            }
            Some((_, Event::End(account)))
                if account.finish == Finish::Deadline && !self.has_words(&account) =>
            {
                Err(later("the time for an answer was over before its first word"))
            }
            Some((turn, event)) => {
                self.said |= matches!(event, Event::Token(_));
                self.open -= usize::from(matches!(event, Event::End(_)));
                Ok(Some((turn, event)))
            }
            None if self.late.load(Ordering::Acquire) => {
                Err(later("the reply was not read as fast as it was written"))
            }
            None => Err(Fault::new(Side::Us, "the model has stopped without a reason")),
        }
    }

    /// Whether there is, or may come to be, anything to hand on: other copies count, too.
    fn has_words(&self, account: &Account) -> bool {
        self.open > 1 || self.said || account.usage.generated_tokens > 0
    }

    /// Takes all events to the end.
    pub async fn all(mut self, mut take: impl FnMut(usize, Event)) -> Result<(), Fault> {
        while let Some((turn, event)) = self.next().await? {
            take(turn, event);
        }
        Ok(())
    }
}

fn later(message: &str) -> Fault {
    Fault { retry: Retry::Later, ..Fault::new(Side::Us, message) }
}

/// A reply that is written while it comes.
struct Live<E> {
    heard: Heard,
    encoder: E,
    /// Silence after which something is said.
    pause: Duration,
    is_over: bool,
}

/// The body of a reply that is written while it comes. `first` has been heard already.
pub fn body<E: Encode>(heard: Heard, encoder: E, first: Option<Told>, pause: Duration) -> Body {
    let live = Live { heard, encoder, pause, is_over: false };
    let first = first.map(|told| Ok(Some(told)));
    let pieces = unfold((live, first), |(mut live, first)| async move {
        let piece = live.piece(first).await?;
        Some((Ok::<_, Infallible>(piece), (live, None)))
    });
    Body::from_stream(pieces)
}

impl<E: Encode> Live<E> {
    /// What can be written now, waited for; `None` at the end.
    async fn piece(&mut self, mut next: Option<Next>) -> Option<String> {
        let mut out = String::new();
        // What is heard of a prompt that is being read is not told, and is a silence as well.
        let mut silent = Instant::now() + self.pause;
        while !self.is_over && out.len() < FULL {
            let ready = next.take().or_else(|| self.heard.ready());
            match ready {
                Some(next) => self.take(next, &mut out),
                None if !out.is_empty() => break,
                None => match timeout_at(silent.into(), self.heard.next()).await {
                    Ok(next) => self.take(next, &mut out),
                    Err(_) => {
                        // Where the dialect has no word for it, nothing is sent.
                        self.encoder.idle(&mut out);
                        silent = Instant::now() + self.pause;
                    }
                },
            }
        }
        (!self.is_over || !out.is_empty()).then_some(out)
    }

    fn take(&mut self, next: Next, out: &mut String) {
        match next {
            Ok(Some((turn, event))) => self.encoder.event(turn, event, out),
            Ok(None) => self.is_over = true,
            Err(fault) => {
                self.encoder.fault(&fault, out);
                self.is_over = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use turn::{Account, Limits, Sampling};

    use super::*;
    use crate::keys::{Key, Moment, Quota, Ring, Scope};

    #[test]
    fn who_has_heard_the_end_may_ask_before_the_last_byte_is_written() {
        let quota = Quota { concurrent: 1.try_into().ok(), ..Quota::default() };
        let moment = Moment { instant: Instant::now(), date: 0 };
        let key = Key { quota, ..Key::new("a", "a") };
        let ring = Ring::default().renewed(vec![key], moment.instant);
        let enter = || ring.admit(Some("a"), Scope::Ask, moment);
        let principal = Some(enter().unwrap().into());
        let (sender, events) = mpsc::channel(1);
        let (gone, late) = (Arc::default(), Arc::default());
        let mut heard = Heard { events, gone, late, open: 1, said: false, principal };
        assert!(enter().is_err());
        let account = Account::new(Vec::new(), Sampling::default(), Limits::default());
        let account = Account { finish: Finish::End, ..account };
        sender.try_send((0, Event::End(Box::new(account)))).unwrap();
        assert!(matches!(heard.ready(), Some(Ok(Some(_)))));
        assert!(enter().is_ok());
    }
}
