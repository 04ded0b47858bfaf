//! What a model takes is told from its header, to within three parts in a hundred of what it then
//! takes.
//!
//! What is taken from the heap is counted, and what is packed is told by the loader; so the sizes
//! of golden models suffice to find a buffer that was forgotten. `hearth show --measure` does the
//! same for a whole process. Allocations of all threads are counted, so there is one test.
#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

use std::alloc::System;
use std::path::{Path, PathBuf};

use arch::{Kept, Source};
use engine::{Demand, Engine, Feed, Fit, Need, Sequence, Settings, Wanted};
use formats::gguf::{Gguf, Value, Writer};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use testkit::golden;

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Bytes that are taken and not given back.
fn live() -> f64 {
    let stats = HEAP.stats();
    stats.bytes_allocated as f64 - stats.bytes_deallocated as f64
}

/// Every golden model, and every storage of one that is dense.
fn models() -> Vec<PathBuf> {
    let is_model = |path: &PathBuf| {
        path.join("config.json").exists() || path.extension().is_some_and(|it| it == "gguf")
    };
    let within = |folder| std::fs::read_dir(golden(folder)).unwrap().map(|it| it.unwrap().path());
    let mut all: Vec<_> =
        ["models", "gguf", "quant"].into_iter().flat_map(within).filter(is_model).collect();
    all.sort();
    assert!(all.len() > 40, "{} models", all.len());
    all
}

/// Bytes that the heap gives for the model and for conversations of so many tokens.
fn measure(source: &Source, settings: Settings, demand: Demand) -> f64 {
    let before = live();
    let model = arch::load_keeping(source, settings.kept).unwrap();
    let mut engine = Engine::new(model, settings).unwrap();
    let prompt = |user: usize| {
        let token = |i: usize| (3 + (i * 31 + user * 17) % 300) as u32;
        (1..demand.context).map(token).collect::<Vec<u32>>()
    };
    let mut sequences = Vec::new();
    for user in 0..demand.users {
        let mut sequence = Sequence::default();
        engine.prefill(&mut sequence, &prompt(user)).unwrap();
        sequences.push(sequence);
    }
    let feed = |sequence| Feed { sequence, tokens: &[5], wanted: Wanted::Last };
    engine.step(&mut sequences.iter_mut().map(feed).collect::<Vec<_>>()).unwrap();
    live() - before
}

/// What of a need the heap gives. Panels have a map of their own, and threads their stacks.
fn of_heap(need: Need) -> f64 {
    (need.small + need.cache + need.scratch) as f64
}

#[test]
fn what_a_model_takes_is_told_before() {
    let settings = Settings { threads: 2, ..Settings::default() };
    for path in models() {
        let source = Source::open(&path).unwrap();
        for settings in Kept::ALL.map(|kept| Settings { kept: Some(kept), ..settings }) {
            let fit = Fit::of(&source, settings).unwrap();
            for (context, users) in [(250, 3), (512, 1)] {
                let demand = Demand { context, users };
                let (told, taken) = (of_heap(fit.need(demand)), measure(&source, settings, demand));
                let off = (told - taken).abs() / taken;
                let what = || format!("{}, {settings:?}, {demand:?}", path.display());
                assert!(off < 0.03, "{}: {told} told, {taken} taken", what());
            }
        }
        let fit = Fit::of(&source, settings).unwrap();
        if source.is_gguf() {
            a_header_is_enough(&path, (&fit, settings));
        }
    }
    headers_may_claim_anything(settings);
}

/// The header of a tiny model with a vocabulary and a feed-forward width of its own, which stands
/// for a file as long as it says.
fn header(vocabulary: usize, feed_forward: usize) -> Source {
    let from = Gguf::open(&golden("gguf/qwen3.gguf")).unwrap();
    let mut writer = Writer::new();
    for (name, value) in from.keys() {
        let value = match name {
            "qwen3.feed_forward_length" => Value::U32(feed_forward as u32),
            _ => value,
        };
        writer.key(name, value).unwrap();
    }
    let mut bytes = 0;
    for tensor in from.tensors() {
        let mut shape = tensor.shape.to_vec();
        match tensor.name.split('.').find(|part| part.contains("ffn") || part.contains("tok")) {
            Some("token_embd") => shape[0] = vocabulary,
            Some("ffn_gate" | "ffn_up") => shape[0] = feed_forward,
            Some("ffn_down") => shape[1] = feed_forward,
            _ if tensor.name == "output.weight" => shape[0] = vocabulary,
            _ => (),
        }
        let count = shape.iter().product::<usize>() as u64;
        bytes += tensor.storage.bytes(count).unwrap().next_multiple_of(32);
        writer.tensor(tensor.name, tensor.storage, &shape).unwrap();
    }
    let mut header = Vec::new();
    drop(writer.begin(&mut header).unwrap());
    Source::from_header(&header, header.len() as u64 + bytes).unwrap()
}

fn headers_may_claim_anything(settings: Settings) {
    let demand = Demand { context: 512, users: 1 };
    for (vocabulary, feed_forward, runs) in [
        (320, 1 << 24, false),
        (1 << 31, 96, false),
        (1 << 31, 1 << 24, false),
        (1 << 20, 1 << 20, true),
    ] {
        let source = header(vocabulary, feed_forward);
        let before = HEAP.stats().bytes_allocated;
        let fit = Fit::of(&source, settings);
        assert_eq!(fit.is_ok(), runs, "{vocabulary}, {feed_forward}");
        if let Ok(fit) = fit {
            // Gates and ups of all rows.
            assert!(fit.need(demand).scratch >= 2 * 512 * 4 * feed_forward as u64);
        }
        // In all, not at once: there are some rehearsals.
        let taken = HEAP.stats().bytes_allocated - before;
        assert!(taken < 512 << 20, "{vocabulary}, {feed_forward}: {taken} bytes");
    }
}

fn a_header_is_enough(path: &Path, (fit, settings): (&Fit, Settings)) {
    let file = std::fs::read(path).unwrap();
    let tensors: usize =
        Source::open(path).unwrap().tensors().iter().map(|it| it.bytes.len()).sum();
    let header = &file[..file.len() - tensors];
    let source = Source::from_header(header, file.len() as u64).unwrap();
    let same = Fit::of(&source, settings).unwrap();
    let demand = Demand { context: 200, users: 2 };
    assert_eq!(same.need(demand), fit.need(demand), "{}", path.display());
    // Half of a header is none, and neither is one of a file that ends within its tensors.
    let half = &header[..header.len() / 2];
    assert!(Source::from_header(half, file.len() as u64).is_err());
    assert!(Source::from_header(header, file.len() as u64 / 2).is_err());
    assert!(Source::from_header(header, u64::MAX).is_err());
}
