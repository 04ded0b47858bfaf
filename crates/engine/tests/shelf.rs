//! Real models on a shelf: a model that panics fails its turns, and the next who asks is answered.
#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

use std::ops::{ControlFlow, Deref};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use arch::{Model, Scratch, Shape, Step, Weight};
use engine::{Engine, Job, Library, Policy, Room, Settings, Shelf, Worker};
use kernels::Machine;
use testkit::golden;
use text::reply::Reader;
use text::tokenizer::Tokenizer;
use turn::{Event, Fault, Finish, Limits, Retry, Sampling, Side};

/// The token that is too much for the model.
const DEADLY: u32 = 300;

/// A model with a defect.
struct Fragile(Box<dyn Model>);

impl Model for Fragile {
    fn shape(&self) -> &Shape {
        self.0.shape()
    }

    fn weights(&mut self) -> Vec<&mut Weight> {
        self.0.weights()
    }

    fn forward(&self, machine: &mut Machine, scratch: &mut Scratch, step: &mut Step) {
        if step.tokens.contains(&DEADLY) {
            // A panic that prints nothing.
            resume_unwind(Box::new("on purpose"));
        }
        self.0.forward(machine, scratch, step);
    }
}

/// The golden models, and how many were loaded.
struct Golden(Arc<AtomicUsize>);

impl Library<Worker> for Golden {
    fn size(&self, _: &str) -> Result<u64, Fault> {
        Ok(1)
    }

    fn load(&self, name: &str) -> Result<Worker, Fault> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let source = arch::Source::open(&golden(name)).unwrap();
        let model = Box::new(Fragile(arch::load(&source).unwrap()));
        let settings = Settings { threads: 1, ..Settings::default() };
        let engine = Engine::new(model, settings).unwrap();
        let tokenizer = Tokenizer::from_folder(&golden("models/qwen3")).unwrap();
        Ok(Worker::start(engine, Arc::new(tokenizer), Policy::default()).unwrap())
    }
}

fn shelf(models: u64) -> (Shelf<Worker>, Arc<AtomicUsize>) {
    let loads = Arc::new(AtomicUsize::new(0));
    let room = Room { bytes: models, patience: Duration::from_secs(60) };
    let shelf = Shelf::new(Box::new(Golden(Arc::clone(&loads))), room).unwrap();
    (shelf, loads)
}

/// A turn that nobody listens to.
fn job(tokens: usize) -> Job {
    let never = [1, 2, DEADLY].map(|token| (token, -1e6));
    Job {
        owner: None,
        prompt: vec![5],
        sampling: Sampling { logit_bias: never.to_vec(), ..Sampling::default() },
        limits: Limits { tokens: Some(tokens), stop: vec![] },
        reader: Reader::plain(),
        rules: None,
        asked: Duration::ZERO,
        deadline: None,
        gone: Arc::default(),
        reply: Box::new(|_| ControlFlow::Continue(())),
    }
}

/// Hands in a turn that holds the lease for as long as it lasts; its end comes through the channel.
fn ask<L>(lease: &L, prompt: &[u32], tokens: usize) -> Receiver<Result<Finish, Fault>>
where
    L: Deref<Target = Worker> + Clone + Send + 'static,
{
    let (send, end) = channel();
    let held = lease.clone();
    let reply = move |event| {
        assert!(held.now() > Duration::ZERO, "the reply owns its model");
        let _ = match event {
            Event::End(account) => send.send(Ok(account.finish)),
            Event::Failed(fault) => send.send(Err(fault)),
            _ => Ok(()),
        };
        ControlFlow::Continue(())
    };
    lease.submit(Job { prompt: prompt.to_vec(), reply: Box::new(reply), ..job(tokens) });
    end
}

/// How it ends, once and not twice.
fn end(turn: &Receiver<Result<Finish, Fault>>) -> Result<Finish, Fault> {
    let end = turn.recv_timeout(Duration::from_secs(60)).expect("every turn ends");
    assert!(turn.recv_timeout(Duration::from_secs(60)).is_err(), "no turn ends twice");
    end
}

#[test]
fn a_model_that_panics_fails_its_turns_and_is_loaded_anew() {
    let (shelf, loads) = shelf(1);
    let lease = shelf.take("models/qwen3", None).unwrap();
    let mut turns: Vec<_> = (3..6).map(|word| ask(&lease, &[word; 20], 400)).collect();
    turns.push(ask(&lease, &[7, DEADLY, 8], 10));
    for turn in &turns {
        let fault = turn.recv_timeout(Duration::from_secs(60)).unwrap().unwrap_err();
        assert_eq!(fault.message, "the model has failed; see the log");
    }
    // Who asks a dead one is told to come again, and then finds another.
    let fault = end(&ask(&lease, &[7, 8], 10)).unwrap_err();
    assert_eq!((fault.side, fault.retry), (Side::Us, Retry::Later));
    drop(lease);
    let lease = shelf.take("models/qwen3", None).unwrap();
    assert_eq!(end(&ask(&lease, &[7, 8], 10)), Ok(Finish::Length));
    assert_eq!(loads.load(Ordering::Relaxed), 2);
}

/// The last lease is dropped by the reply, on the thread of the model, which then has to go.
#[test]
fn replies_hold_their_models_and_models_take_turns() {
    let (shelf, loads) = shelf(1);
    let turns: Vec<_> = ["models/qwen3", "models/qwen2", "models/qwen3", "models/qwen2"]
        .map(|name| ask(&shelf.take(name, Some(Duration::ZERO)).unwrap(), &[5; 30], 20))
        .into();
    assert!(turns.iter().all(|turn| end(turn) == Ok(Finish::Length)));
    assert_eq!(loads.load(Ordering::Relaxed), 4);
}

#[test]
fn whatever_dies_every_turn_ends_once() {
    let (shelf, loads) = shelf(2);
    let user = |seed: u32| {
        let mut turns = Vec::new();
        for round in 0..25 {
            let name = ["models/qwen3", "models/qwen2"][(seed + round) as usize % 2];
            let lease = shelf.take(name, None).unwrap();
            let is_deadly = (seed * 7 + round).is_multiple_of(10);
            let word = if is_deadly { DEADLY } else { 9 };
            turns.push(ask(&lease, &[word; 5], 1 + round as usize % 5));
            drop(lease);
            // Others go on to hand in turns to a model that dies.
            assert!(!is_deadly || end(&turns.remove(turns.len() - 1)).is_err());
        }
        turns.iter().for_each(|turn| _ = end(turn));
    };
    std::thread::scope(|scope| {
        let users: Vec<_> = (0..6).map(|seed| scope.spawn(move || user(seed))).collect();
        users.into_iter().for_each(|user| user.join().unwrap());
    });
    assert!(loads.load(Ordering::Relaxed) > 2, "somebody was loaded anew");
}

/// The others end all the same, and the server lives.
#[test]
fn a_reply_that_panics_fails_the_turns_of_its_model() {
    let (shelf, _) = shelf(1);
    let lease = shelf.take("models/qwen3", None).unwrap();
    let turns: Vec<_> = (3..6).map(|word| ask(&lease, &[word; 20], 400)).collect();
    lease.submit(Job { reply: Box::new(|_| resume_unwind(Box::new("on purpose"))), ..job(5) });
    for turn in &turns {
        let fault = turn.recv_timeout(Duration::from_secs(60)).unwrap().unwrap_err();
        assert_eq!(fault.message, "the model has failed; see the log");
    }
    assert!(!lease.is_alive());
}

/// Then it must not wait for its own end.
#[test]
fn a_worker_may_belong_to_its_reply_alone() {
    let worker = Arc::new(Golden(Arc::default()).load("models/qwen3").unwrap());
    let turn = ask(&worker, &[5; 30], 200);
    drop(worker);
    assert_eq!(end(&turn), Ok(Finish::Length));
}

#[test]
fn a_shelf_that_is_dropped_ends_all_turns() {
    let (shelf, _) = shelf(1);
    let turn = ask(&shelf.take("models/qwen3", None).unwrap(), &[5; 30], 400);
    drop(shelf);
    assert_eq!(end(&turn), Ok(Finish::Cancelled));
}
