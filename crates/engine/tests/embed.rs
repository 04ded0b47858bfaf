//! Vectors of texts: those of the reference, and the same bits in any company, in any pieces, on
//! any instruction set.
#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine::{Engine, Job, Policy, Settings, Texts, Turns, Worker};
use kernels::Isa;
use testkit::{Difference, Expected, golden};
use text::reply::Reader;
use text::tokenizer::Tokenizer;
use turn::{Embedded, Fault, Kind, Limits, Retry, Sampling};

/// Every family, with what each kind keeps of a sequence.
fn models() -> impl Iterator<Item = PathBuf> {
    let models = std::fs::read_dir(golden("models")).unwrap();
    let paths = models.map(|entry| entry.unwrap().path());
    let models: Vec<PathBuf> = paths.filter(|path| path.join("config.json").exists()).collect();
    assert!(models.len() >= 18, "every family");
    models.into_iter()
}

fn open(path: &Path, settings: Settings) -> Engine {
    let source = arch::Source::open(path).unwrap();
    Engine::new(arch::load(&source).unwrap(), settings).unwrap()
}

fn tokenizer() -> Tokenizer {
    Tokenizer::from_folder(&golden("models/qwen3")).unwrap()
}

type Outcome = Arc<Mutex<Option<Result<Embedded, Fault>>>>;

fn texts(texts: &[Vec<u32>]) -> (Texts, Outcome) {
    let outcome = Outcome::default();
    let to = Arc::clone(&outcome);
    let done = move |outcome| assert!(to.lock().unwrap().replace(outcome).is_none(), "told twice");
    let texts = Texts {
        texts: texts.to_vec(),
        asked: Duration::ZERO,
        gone: Arc::default(),
        done: Box::new(done),
    };
    (texts, outcome)
}

fn vectors(outcome: &Outcome) -> Vec<Vec<u32>> {
    let outcome = outcome.lock().unwrap().take().unwrap().unwrap();
    let bits = |vector: Vec<f32>| vector.into_iter().map(f32::to_bits).collect();
    outcome.vectors.into_iter().map(bits).collect()
}

/// Writes for long, and does not end by itself.
fn stranger(seed: u32, tokens: usize) -> Job {
    Job {
        owner: None,
        prompt: words(seed, 5 + 9 * seed as usize),
        sampling: Sampling { logit_bias: vec![(1, -1e6), (2, -1e6)], ..Sampling::default() },
        limits: Limits { tokens: Some(tokens), stop: vec![] },
        reader: Reader::plain(),
        rules: None,
        asked: Duration::ZERO,
        deadline: None,
        gone: Arc::new(AtomicBool::new(false)),
        reply: Box::new(|_| ControlFlow::Continue(())),
    }
}

fn words(seed: u32, len: usize) -> Vec<u32> {
    (0..len as u32).map(|i| 3 + (i * 31 + seed * 17 + i * i % 7) % 300).collect()
}

/// A few words, several pages, and more than a step in which others write.
fn some() -> Vec<Vec<u32>> {
    [1, 150, 12, 64, 201].iter().map(|len| words(*len, *len as usize)).collect()
}

fn alone(engine: Engine, policy: Policy, asked: &[Vec<u32>]) -> Vec<Vec<u32>> {
    let tokenizer = tokenizer();
    let mut turns = Turns::new(engine, &tokenizer, policy);
    let (request, outcome) = texts(asked);
    turns.embed(request);
    while turns.step() {}
    assert_eq!(turns.engine().used_bytes(), 0, "all pages are given back");
    vectors(&outcome)
}

#[test]
fn vectors_are_those_of_the_reference() {
    for path in models() {
        let expected = Expected::open(&path.join("expected.safetensors"));
        let (ids, states) = (expected.ids("input_ids"), expected.floats("hidden_states"));
        let engine = open(&path, Settings::default());
        let width = engine.shape().hidden;
        let mut mean = vec![0.0; width];
        for row in states[states.len() - ids.len() * width..].chunks_exact(width) {
            mean.iter_mut().zip(row).for_each(|(sum, x)| *sum += x / ids.len() as f32);
        }
        let length = mean.iter().map(|x| x * x).sum::<f32>().sqrt();
        let want: Vec<f32> = mean.iter().map(|x| x / length).collect();
        let got = alone(engine, Policy::default(), &[ids]);
        let got: Vec<f32> = got[0].iter().map(|bits| f32::from_bits(*bits)).collect();
        let difference = Difference::between(&got, &want);
        let bound = if path.ends_with("gpt-oss-mxfp4") { 1e-3 } else { 1e-4 };
        assert!(difference.max < bound, "{}: {difference:?}", path.display());
    }
}

#[test]
fn strangers_and_pieces_change_no_bit() {
    let tokenizer = tokenizer();
    for path in models() {
        let want: Vec<Vec<u32>> = some()
            .into_iter()
            .map(|text| {
                alone(open(&path, Settings::default()), Policy::default(), &[text]).remove(0)
            })
            .collect();
        for (rows, rows_beside) in [(512, 64), (33, 1)] {
            let policy = Policy { together: 17, rows, rows_beside, ..Policy::default() };
            let mut turns = Turns::new(open(&path, Settings::default()), &tokenizer, policy);
            // What is asked twice finds nothing that the first has left.
            for job in (0..16).map(|seed| stranger(seed, 30)) {
                turns.submit(job);
            }
            let outcomes: Vec<Outcome> = (0..2)
                .map(|_| {
                    let (request, outcome) = texts(&some());
                    turns.embed(request);
                    outcome
                })
                .collect();
            while turns.step() {}
            for outcome in outcomes {
                let got = vectors(&outcome);
                assert!(got == want, "{} in steps of {rows}, {rows_beside}", path.display());
            }
        }
    }
}

#[test]
fn instruction_sets_and_threads_change_no_bit() {
    for model in ["models/qwen3", "models/qwen3_5", "models/gemma3", "quant/dense.Q4_K_M.gguf"] {
        let path = golden(model);
        let plain = Settings { isa: Isa::PORTABLE, threads: 1, ..Settings::default() };
        let want = alone(open(&path, plain), Policy::default(), &some());
        for isa in Isa::available().into_iter().chain(Isa::emulated_amx()) {
            let settings = Settings { isa, threads: 2, ..plain };
            let got = alone(open(&path, settings), Policy::default(), &some());
            assert!(got == want, "{model}: {isa:?}");
        }
    }
}

/// Turns say the same whoever has texts embedded beside them, and wait no more rows for them than
/// the policy says.
#[test]
fn turns_go_on_beside_texts() {
    let tokenizer = tokenizer();
    let path = golden("models/qwen3");
    let said = [false, true].map(|embeds| {
        let mut turns = Turns::new(open(&path, Settings::default()), &tokenizer, Policy::default());
        let said = Arc::new(Mutex::new(Vec::new()));
        let to = Arc::clone(&said);
        let reply = move |event| {
            to.lock().unwrap().extend(match event {
                turn::Event::Token(choice) => Some((choice.token, choice.logprob.to_bits())),
                _ => None,
            });
            ControlFlow::Continue(())
        };
        turns.submit(Job { reply: Box::new(reply), ..stranger(1, 60) });
        turns.step();
        let (request, outcome) = texts(&vec![words(5, 400); 4]);
        if embeds {
            turns.embed(request);
            for step in 1..=12 {
                let before = said.lock().unwrap().len();
                turns.step();
                assert!(said.lock().unwrap().len() > before, "a token in step {step}");
            }
        }
        while turns.step() {}
        assert_eq!(outcome.lock().unwrap().is_some(), embeds);
        said.lock().unwrap().clone()
    });
    assert_eq!((said[0].len(), &said[0]), (60, &said[1]));
}

#[test]
fn texts_that_cannot_be_embedded_are_refused_with_their_reason() {
    let tokenizer = tokenizer();
    let engine = open(&golden("models/qwen3"), Settings::default());
    let mut turns = Turns::new(engine, &tokenizer, Policy::default());
    let mut refused = |text: Vec<u32>| {
        let (request, outcome) = texts(&[words(1, 9), text]);
        turns.embed(request);
        assert!(!turns.step(), "nothing was begun");
        outcome.lock().unwrap().take().unwrap().unwrap_err()
    };
    assert_eq!(refused(words(1, 513)).kind, Kind::TooLong { needed: 513, context: 512 });
    assert!(refused(vec![]).message.contains("empty"));
    assert!(refused(vec![1 << 20]).message.contains("vocabulary"));
}

#[test]
fn a_worker_embeds_and_gives_up_for_who_is_gone() {
    let start = || {
        let engine = open(&golden("models/qwen3"), Settings::default());
        Worker::start(engine, Arc::new(tokenizer()), Policy::default()).unwrap()
    };
    let worker = start();
    let (request, outcome) = texts(&some());
    let (left, given_up) = texts(&vec![words(1, 500); 1000]);
    left.gone.store(true, Ordering::Relaxed);
    let (none, nothing) = texts(&[]);
    [left, request, none].into_iter().for_each(|texts| worker.embed(texts));
    worker.stop(Duration::from_secs(60));
    assert_eq!(vectors(&outcome).len(), 5);
    assert_eq!(vectors(&nothing), Vec::<Vec<u32>>::new());
    assert!(vectors(&given_up).is_empty(), "nothing was read");
    let (late, outcome) = texts(&some());
    worker.embed(late);
    assert_eq!(outcome.lock().unwrap().take().unwrap().unwrap_err().retry, Retry::Later);
}
