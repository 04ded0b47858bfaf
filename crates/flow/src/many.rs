//! Many turns at once, whose replies come in the order of the questions.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use turn::{Account, Event, Fault, Finish, Listener, Reply, Side, Token, Turn};

use crate::Local;

/// What comes of a turn.
type Told = Result<Reply, Fault>;

/// How often it is looked whether to go on.
const PATIENCE: Duration = Duration::from_millis(50);

impl Local {
    /// Answers turns, so many at a time, and tells each reply in the order of the turns. It ends
    /// when `tell` breaks it off or `go_on` says no; turns that were begun are then given up.
    pub fn answer_all(
        &self,
        turns: impl Iterator<Item = Turn>,
        (at_once, go_on): (usize, &dyn Fn() -> bool),
        mut tell: impl FnMut(Result<Reply, Fault>) -> ControlFlow<()>,
    ) {
        let gone = Arc::new(AtomicBool::new(false));
        let mut begun: VecDeque<Receiver<Told>> = VecDeque::new();
        let mut turns = turns.fuse();
        loop {
            while begun.len() < at_once.max(1)
                && let Some(turn) = turns.next()
            {
                begun.push_back(self.begin_one(turn, &gone));
            }
            let Some(first) = begun.pop_front() else { break };
            let told = loop {
                match first.recv_timeout(PATIENCE) {
                    Ok(told) => break Some(told),
                    Err(RecvTimeoutError::Timeout) if go_on() => {}
                    Err(RecvTimeoutError::Timeout) => break None,
                    Err(RecvTimeoutError::Disconnected) => {
                        break Some(Err(Fault::new(Side::Us, "the model stopped working")));
                    }
                }
            };
            if told.is_none_or(|told| tell(told).is_break()) || !go_on() {
                gone.store(true, Ordering::Relaxed);
                break;
            }
        }
    }

    fn begin_one(&self, turn: Turn, gone: &Arc<AtomicBool>) -> Receiver<Told> {
        let (sender, receiver) = channel();
        let language = Arc::clone(self.language());
        let mut reply = Reply::default();
        let mut end = 0;
        let listener: Listener = Box::new(move |event| {
            match event {
                Event::Token(choice) => {
                    let start = end;
                    end += language.bytes_of(choice.token).len();
                    reply.tokens.push(Token { start, end, logprob: choice.logprob });
                }
                Event::Text(text) => reply.text.push_str(&text),
                Event::Call(name) => reply.calls.push((name, String::new())),
                Event::Arguments(more) => {
                    if let Some((_, arguments)) = reply.calls.last_mut() {
                        arguments.push_str(&more);
                    }
                }
                Event::End(account) => {
                    let ending = ending(&reply, &account);
                    let mut reply = of_answer(std::mem::take(&mut reply), ending);
                    let is_given_up = account.finish == Finish::Cancelled;
                    reply.account = Some(account);
                    let told = match is_given_up {
                        true => Err(Fault::new(Side::Us, "the turn was given up")),
                        false => Ok(reply),
                    };
                    // Nobody waits any more where this fails.
                    let _ = sender.send(told);
                }
                Event::Failed(fault) => _ = sender.send(Err(fault)),
                Event::Begun(_) | Event::Read(_) | Event::Reasoning(_) => {}
            }
            ControlFlow::Continue(())
        });
        self.begin(turn, Arc::clone(gone), listener);
        receiver
    }
}

/// How sure the model was of the token that ended the reply, which writes nothing and is told of by
/// nobody: what it was sure of beyond all that was told. A reply whose form was complete has none.
fn ending(reply: &Reply, account: &Account) -> Option<f32> {
    let ended = account.finish == Finish::End && account.reply.len() > reply.tokens.len();
    let told: f64 = reply.tokens.iter().map(|token| f64::from(token.logprob)).sum();
    ended.then_some(((account.certainty.total - told) as f32).min(0.0))
}

/// With the tokens of the answer alone, which is the end of what was written, and with the one that
/// ended it: what was thought before it goes, and what is blank between them.
fn of_answer(mut reply: Reply, ending: Option<f32>) -> Reply {
    if reply.calls.is_empty() {
        let written = reply.tokens.last().map_or(0, |token| token.end);
        let before = written.saturating_sub(reply.text.len());
        reply.tokens.retain(|token| token.end > before);
        for token in &mut reply.tokens {
            token.start = token.start.saturating_sub(before);
            token.end -= before;
        }
    }
    let end = reply.tokens.last().map_or(0, |token| token.end);
    reply.tokens.extend(ending.map(|logprob| Token { start: end, end, logprob }));
    reply
}

#[cfg(test)]
mod tests {
    use turn::{Certainty, Limits, Sampling};

    use super::*;

    #[test]
    fn an_answer_is_as_sure_as_its_end() {
        let token = |end, logprob| Token { start: end - 1, end, logprob };
        let reply = Reply { tokens: vec![token(1, -0.5), token(2, -0.25)], ..Reply::default() };
        let certainty = Certainty { total: -1.75, least: -1.0 };
        let account = Account {
            finish: Finish::End,
            reply: vec![5, 6, 2],
            certainty,
            ..Account::new(Vec::new(), Sampling::greedy(), Limits::default())
        };
        assert_eq!(ending(&reply, &account), Some(-1.0));
        // Its form was complete: there was no choice to go on.
        let complete = Account { reply: vec![5, 6], ..account.clone() };
        assert_eq!(ending(&reply, &complete), None);
        assert_eq!(ending(&reply, &Account { finish: Finish::Length, ..account }), None);
    }

    #[test]
    fn thoughts_are_no_part_of_the_answer() {
        let token = |start, end| Token { start, end, logprob: 0.0 };
        // A thought, a gap that nobody sees, two tokens of the answer and the end.
        let tokens = vec![token(0, 9), token(9, 11), token(11, 13), token(13, 16)];
        let reply = Reply { text: "Hello".to_owned(), tokens, ..Reply::default() };
        let silent = Reply { text: String::new(), ..reply.clone() };
        let tokens = of_answer(reply, Some(0.0)).tokens;
        assert_eq!(tokens, [token(0, 2), token(2, 5), token(5, 5)]);
        // One that says nothing is as sure as its end.
        assert_eq!(of_answer(silent, Some(0.0)).tokens, [token(0, 0)]);
    }
}
