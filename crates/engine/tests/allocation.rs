//! After some steps of warming up, a step in which sequences grow by one token each allocates
//! nothing, and neither does the choice of the next ones. Only a new page may, every 64th token.
//!
//! Allocations of all threads are counted. So there is one test, with nothing beside it that could
//! allocate meanwhile, and a short one: after a minute its runner would say so, and allocate.
#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

use std::alloc::System;
use std::slice;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use engine::{Engine, Feed, Sampler, Sequence, Settings, Wanted};
use kernels::Isa;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use testkit::golden;
use turn::Sampling;

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const MODELS: [&str; 15] = [
    "models/llama",
    "models/mistral",
    "models/qwen2",
    "models/qwen3",
    "models/qwen3-moe",
    "models/qwen3_5",
    "models/qwen3_5-moe",
    "models/gpt-oss-mxfp4",
    "models/gemma3",
    "models/gemma4-shared",
    "models/llama4",
    "models/deepseek-v3",
    "models/deepseek-v3.2",
    "quant/dense.Q4_K_M.gguf",
    "quant/dense.Q8_0.gguf",
];

/// Tokens of a prompt, and those of a sequence at the end: more than twice as many, so that what
/// grows by doubling does, and beyond a page.
const PROMPT: usize = 40;
const END: usize = 85;

/// Steps before anything is counted.
const WARM_UP: usize = 3;

/// Positions in a page.
const PAGE: usize = 64;

/// How often `work` allocates, or makes an allocation larger.
fn allocations<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let count = |heap: stats_alloc::Stats| heap.allocations + heap.reallocations;
    let before = count(HEAP.stats());
    let result = work();
    (result, count(HEAP.stats()) - before)
}

/// A sequence that writes.
struct Stream {
    sequence: Sequence,
    sampler: Sampler,
    next: u32,
}

impl Stream {
    fn open(engine: &mut Engine, seed: usize) -> Stream {
        let prompt: Vec<u32> =
            (0..PROMPT).map(|i| (3 + (i * 31 + seed * 17) % 300) as u32).collect();
        let mut sequence = engine.open(&None, &prompt);
        let rest = &prompt[sequence.tokens().len()..];
        engine.prefill(&mut sequence, rest).unwrap();
        let sampling = match seed % 3 {
            0 => Sampling::default(),
            1 => Sampling::greedy(),
            _ => Sampling { repetition_penalty: 1.1, presence_penalty: 0.5, ..Sampling::default() },
        };
        Stream { sequence, sampler: Sampler::new(sampling, engine.isa()), next: 5 }
    }

    fn feed(&mut self) -> Feed<'_> {
        let tokens = slice::from_ref(&self.next);
        Feed { sequence: &mut self.sequence, tokens, wanted: Wanted::Last }
    }
}

/// Lets each stream grow by a token; returns how often the step and the choices have allocated.
fn step(engine: &mut Engine, streams: &mut [Stream]) -> [usize; 2] {
    let vocabulary = engine.shape().vocabulary;
    let mut feeds: Vec<Feed> = streams.iter_mut().map(Stream::feed).collect();
    let (logits, in_step) = allocations(|| engine.step(&mut feeds).unwrap());
    drop(feeds);
    let ((), in_choices) = allocations(|| {
        for (stream, logits) in streams.iter_mut().zip(logits.chunks_exact(vocabulary)) {
            let history = stream.sequence.tokens();
            stream.next = stream.sampler.choose(logits, history, PROMPT).token;
        }
    });
    [in_step, in_choices]
}

/// Lets so many streams write together, and fails when that allocates.
fn check(engine: &mut Engine, count: usize, what: &str) {
    let mut streams: Vec<Stream> = (0..count).map(|seed| Stream::open(engine, seed)).collect();
    for len in PROMPT..END {
        let counts = step(engine, &mut streams);
        if len >= PROMPT + WARM_UP && len % PAGE > 0 {
            let of = "allocations of the step and of the choices";
            assert_eq!(counts, [0, 0], "{what}, {count} at once: {of} behind {len} tokens");
        }
    }
}

#[test]
fn a_decode_step_allocates_nothing() {
    wait_for_the_runner();
    the_counter_counts();
    let cases = [(Isa::best(), 1), (Isa::best(), 16), (Isa::PORTABLE, 2)];
    for (model, (isa, count)) in MODELS.iter().flat_map(|model| cases.map(|case| (model, case))) {
        let source = arch::Source::open(&golden(model)).unwrap();
        let settings = Settings { isa, ..Settings::default() };
        let mut engine = Engine::new(arch::load(&source).unwrap(), settings).unwrap();
        check(&mut engine, count, &format!("{model} on {}", isa.name()));
    }
}

/// It has begun this test on a thread of its own, and on another may still write that down.
fn wait_for_the_runner() {
    while allocations(|| thread::sleep(Duration::from_millis(50))).1 > 0 {}
}

/// On other threads too.
fn the_counter_counts() {
    let gate = Barrier::new(2);
    let (mut bytes, count) = thread::scope(|scope| {
        let other = scope.spawn(|| (gate.wait(), vec![1u8; 100]).1);
        allocations(|| (gate.wait(), other.join().unwrap()).1)
    });
    assert_eq!(count, 1);
    assert_eq!(allocations(|| bytes.reserve(1000)).1, 1);
    assert_eq!(allocations(|| bytes.len()).1, 0);
}
