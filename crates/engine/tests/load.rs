//! Users of all kinds for some time: prompts that share beginnings, forms, long and short replies,
//! deadlines, people who hang up. Every turn ends, memory stays what it is, all pages come back.
//!
//! A second for each tiny model; `HEARTH_LOAD=model.gguf` and `HEARTH_LOAD_SECONDS=600` for more.
#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use engine::{Engine, Forms, Job, Policy, Settings, Turns};
use serde_json::json;
use testkit::golden;
use text::reply::Reader;
use text::tokenizer::Tokenizer;
use turn::{Event, Finish, Form, Limits, Sampling};

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % n
    }

    fn tokens(&mut self, len: usize) -> Vec<u32> {
        (0..len).map(|_| 3 + self.below(300) as u32).collect()
    }
}

/// How turns have ended.
#[derive(Default)]
struct Ends {
    all: AtomicUsize,
    by: Mutex<Vec<(Finish, usize)>>,
    failed: Mutex<Vec<String>>,
}

impl Ends {
    fn count(&self, finish: Finish) {
        let mut by = self.by.lock().unwrap();
        match by.iter_mut().find(|(known, _)| *known == finish) {
            Some((_, count)) => *count += 1,
            None => by.push((finish, 1)),
        }
    }
}

struct Users<'a> {
    random: Random,
    systems: Vec<Vec<u32>>,
    forms: &'a Forms,
    ends: Arc<Ends>,
    /// Those who may hang up.
    gone: Vec<Arc<AtomicBool>>,
    context: usize,
}

impl Users<'_> {
    fn job(&mut self, now: Duration) -> Job {
        let random = &mut self.random;
        let mut prompt = self.systems[random.below(4)].clone();
        prompt.truncate(random.below(2 * prompt.len()).max(1));
        let more = 1 + random.below(60);
        prompt.extend(random.tokens(more));
        let rules = (random.below(4) == 0).then(|| {
            let schema = json!({ "type": "array", "items": { "type": "integer", "maximum": 9 } });
            self.forms.compile(&Form::Schema(schema).into(), &Reader::plain()).unwrap()
        });
        let patience = if random.below(8) == 0 { random.below(20) } else { usize::MAX };
        let wait = Duration::from_millis(20 + random.below(3000) as u64);
        let gone = Arc::new(AtomicBool::new(false));
        self.gone.push(Arc::clone(&gone));
        let (ends, mut said, mut ended) = (Arc::clone(&self.ends), 0, false);
        let reply = move |event| {
            assert!(!ended, "nothing follows the end");
            match event {
                Event::Token(_) => said += 1,
                Event::End(account) => {
                    ended = true;
                    ends.all.fetch_add(1, Ordering::Relaxed);
                    ends.count(account.finish);
                }
                Event::Failed(fault) => {
                    ended = true;
                    ends.all.fetch_add(1, Ordering::Relaxed);
                    ends.failed.lock().unwrap().push(fault.message);
                }
                _ => {}
            }
            if said > patience { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let temperature = [0.0, 0.8][random.below(2)];
        Job {
            owner: None,
            limits: Limits { tokens: Some(1 + random.below(self.context / 4)), stop: vec![] },
            sampling: Sampling { temperature, seed: now.as_nanos() as u64, ..Sampling::default() },
            prompt,
            reader: Reader::plain(),
            rules,
            asked: now,
            deadline: (random.below(8) == 0).then(|| now + wait),
            gone,
            reply: Box::new(reply),
        }
    }
}

/// Resident bytes of this program.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let resident = pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    resident.unwrap_or(0) * 4096
}

fn open(path: &Path, room: u64) -> (Engine, Tokenizer) {
    let source = arch::Source::open(path).unwrap();
    let tokenizer = match source.gguf() {
        Some(gguf) => Tokenizer::from_gguf(gguf).unwrap(),
        None => Tokenizer::from_folder(path).unwrap(),
    };
    let settings = Settings { room: Some(room), ..Settings::default() };
    (Engine::new(arch::load(&source).unwrap(), settings).unwrap(), tokenizer)
}

fn load(path: &Path, seconds: u64) {
    // Room for some of those who come together.
    let (engine, tokenizer) = open(path, 0);
    let (context, room) = (engine.shape().context.min(2000), 6 * engine.shape().room(1000, 512, 3));
    drop(engine);
    let (engine, _) = open(path, room);
    let forms = Forms::new(&tokenizer).unwrap();
    let mut random = Random(1);
    let lengths = [context / 30, context / 12, context / 5, 20];
    let systems = lengths.map(|len| random.tokens(len)).to_vec();
    let (ends, gone) = (Arc::new(Ends::default()), Vec::new());
    let mut users =
        Users { random, systems, forms: &forms, ends: Arc::clone(&ends), gone, context };
    let begun = Instant::now();
    let policy = Policy { waiting: 24, ..Policy::default() };
    let mut turns = Turns::new(engine, &tokenizer, policy).by(move || begun.elapsed());
    let (mut asked, mut sizes) = (0, Vec::new());
    while begun.elapsed() < Duration::from_secs(seconds) {
        let (waiting, active) = turns.counts();
        // Now and then far too many come at once.
        let most = if users.random.below(200) == 0 { 60 } else { 20 };
        for _ in waiting + active..most.min(waiting + active + users.random.below(3)) {
            let job = users.job(begun.elapsed());
            turns.submit(job);
            asked += 1;
        }
        let before = users.gone.len().saturating_sub(20);
        users.gone.drain(..before);
        if users.random.below(10) == 0 && !users.gone.is_empty() {
            let i = users.random.below(users.gone.len());
            users.gone[i].store(true, Ordering::Relaxed);
        }
        turns.step();
        if begun.elapsed().as_secs() as usize > sizes.len() {
            sizes.push((resident() >> 20, turns.engine().cache_bytes() >> 20));
        }
    }
    while turns.step() {}
    assert_eq!(turns.counts(), (0, 0));
    assert_eq!(ends.all.load(Ordering::Relaxed), asked, "every turn ends once");
    let mut engine = turns.into_engine();
    assert!(engine.cache_bytes() <= room);
    engine.forget();
    assert_eq!(engine.used_bytes(), 0, "all pages are free");
    let failed = ends.failed.lock().unwrap();
    assert!(failed.iter().all(|fault| fault.contains("too many turns")), "{failed:?}");
    let (by, full) = (ends.by.lock().unwrap(), failed.len());
    println!("{}: {asked} turns in {seconds} s: {by:?}, queue full {full}", path.display());
    check_memory(&sizes);
}

/// From a tenth of the time on, no more memory is taken.
fn check_memory(sizes: &[(u64, u64)]) {
    let every = (sizes.len() / 12).max(1);
    for (second, (resident, kept)) in sizes.iter().enumerate().step_by(every) {
        println!("  {second:>4} s: {resident} MiB resident, {kept} MiB kept of sequences");
    }
    let settled = &sizes[sizes.len().div_ceil(10).min(sizes.len())..];
    if let (Some(first), Some(last), true) = (settled.first(), settled.last(), sizes.len() > 30) {
        assert!(last.0 < first.0 + first.0 / 20 + 16, "{first:?} MiB became {last:?}");
    }
}

#[test]
fn memory_is_flat_and_all_pages_come_back() {
    if let Some(model) = std::env::var_os("HEARTH_LOAD") {
        let seconds = std::env::var("HEARTH_LOAD_SECONDS").map_or(60, |n| n.parse().unwrap());
        return load(&PathBuf::from(model), seconds);
    }
    for model in ["models/qwen3", "models/gemma3", "models/qwen3_5"] {
        load(&golden(model), 2);
    }
}
