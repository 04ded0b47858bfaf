//! `hearth bench`: how fast a model reads a prompt, writes an answer, and serves several users.

use std::io::{Write, stdout};
use std::time::Instant;

use engine::{Engine, Feed, Sequence, Settings, Wanted};
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::flags::Bench as Flags;
use crate::{load, memory, output};

/// Tokens that each of several users has before the measurement begins.
const SHORT_PROMPT: usize = 64;

/// Memory that is read to find the bandwidth: more than any cache holds.
const READ_BYTES: usize = 1 << 29;

/// What was measured.
struct Report {
    settings: Settings,
    prompt: usize,
    load_s: f64,
    prefill: f64,
    decode: f64,
    streams: Vec<(usize, f64)>,
    read_gb_s: f64,
    weight_bytes: u64,
    rss_bytes: u64,
}

pub fn bench(flags: &Flags) -> Result<(), Failure> {
    let settings = load::settings(&flags.machine)?;
    let begin = Instant::now();
    let source = load::source(&flags.model)?;
    let mut engine = load::engine(&flags.model, &source, settings)?;
    let load_s = begin.elapsed().as_secs_f64();
    check_room(&engine, flags)?;
    let (prefill, decode) = one_user(&mut engine, flags)?;
    let mut streams = Vec::new();
    for users in flags.streams.iter().map(|users| usize::from(*users)) {
        streams.push((users, several_users(&mut engine, users, flags.generate)?));
    }
    let report = Report {
        settings,
        prompt: flags.prompt,
        load_s,
        prefill,
        decode,
        streams,
        weight_bytes: engine.shape().weight_bytes,
        rss_bytes: memory::peak().unwrap_or(0),
        read_gb_s: read_bandwidth(settings.threads),
    };
    if flags.json { report.print_json() } else { report.print_table() }
}

fn check_room(engine: &Engine, flags: &Flags) -> Result<(), Failure> {
    let longest = flags.prompt.max(SHORT_PROMPT).saturating_add(flags.generate);
    let context = engine.shape().context;
    if longest > context {
        return Err(engine::Error::ContextFull { needed: longest, context }.into());
    }
    Ok(())
}

/// Tokens that mean nothing: speed does not depend on what a text says.
fn tokens(engine: &Engine, count: usize, seed: usize) -> Vec<u32> {
    let vocabulary = engine.shape().vocabulary;
    (0..count).map(|i| ((i * 7919 + seed * 104_729 + 3) % vocabulary) as u32).collect()
}

/// Tokens per second of prompt and answer.
fn one_user(engine: &mut Engine, flags: &Flags) -> Result<(f64, f64), Failure> {
    let prompt = tokens(engine, flags.prompt, 0);
    let mut sequence = Sequence::default();
    engine.prefill(&mut sequence, &prompt)?; // Brings weights and pages into memory.
    engine.truncate(&mut sequence, 0);
    let begin = Instant::now();
    engine.prefill(&mut sequence, &prompt)?;
    let prefill = flags.prompt as f64 / begin.elapsed().as_secs_f64();
    let answer = tokens(engine, flags.generate, 1);
    let begin = Instant::now();
    for token in answer.chunks(1) {
        let feed = Feed { sequence: &mut sequence, tokens: token, wanted: Wanted::Last };
        engine.step(&mut [feed])?;
    }
    let decode = flags.generate as f64 / begin.elapsed().as_secs_f64();
    engine.truncate(&mut sequence, 0);
    Ok((prefill, decode))
}

/// Tokens per second of all users together.
fn several_users(engine: &mut Engine, users: usize, generate: usize) -> Result<f64, Failure> {
    let mut sequences: Vec<Sequence> = (0..users).map(|_| Sequence::default()).collect();
    for (user, sequence) in sequences.iter_mut().enumerate() {
        engine.prefill(sequence, &tokens(engine, SHORT_PROMPT, user))?;
    }
    let said: Vec<Vec<u32>> =
        (0..users).map(|user| tokens(engine, generate, users + user)).collect();
    let begin = Instant::now();
    for i in 0..generate {
        let mut feeds: Vec<Feed> = sequences
            .iter_mut()
            .zip(&said)
            .map(|(sequence, said)| Feed { sequence, tokens: &said[i..=i], wanted: Wanted::Last })
            .collect();
        engine.step(&mut feeds)?;
    }
    let speed = (users * generate) as f64 / begin.elapsed().as_secs_f64();
    sequences.iter_mut().for_each(|sequence| engine.truncate(sequence, 0));
    Ok(speed)
}

/// Bytes per second, in units of 10^9, that all threads together read from memory in order.
fn read_bandwidth(threads: usize) -> f64 {
    let memory = vec![1_u64; READ_BYTES / 8];
    let rounds = (0..3).map(|_| {
        let begin = Instant::now();
        std::thread::scope(|scope| {
            for part in memory.chunks(memory.len().div_ceil(threads)) {
                scope.spawn(move || {
                    let sum = part.iter().fold(0_u64, |sum, x| sum.wrapping_add(*x));
                    std::hint::black_box(sum);
                });
            }
        });
        READ_BYTES as f64 / 1e9 / begin.elapsed().as_secs_f64()
    });
    rounds.fold(0.0, f64::max)
}

impl Report {
    fn print_json(&self) -> Result<(), Failure> {
        let streams: Map<String, Value> = self
            .streams
            .iter()
            .map(|(users, speed)| (users.to_string(), json!({ "decode_tok_s": speed })))
            .collect();
        let report = json!({
            "load_s": self.load_s,
            "prefill_tok_s": self.prefill,
            "decode_tok_s": self.decode,
            "streams": streams,
            "read_gb_s": self.read_gb_s,
            "weight_bytes": self.weight_bytes,
            "rss_bytes": self.rss_bytes,
            "isa": self.settings.isa.name(),
            "threads": self.settings.threads,
        });
        Ok(writeln!(stdout(), "{report}")?)
    }

    fn print_table(&self) -> Result<(), Failure> {
        let (mut out, Settings { isa, threads, .. }) = (stdout(), self.settings);
        let share = self.decode * self.weight_bytes as f64 / 1e9 / self.read_gb_s;
        writeln!(out, "{threads} threads, {}; loaded in {:.2} s\n", isa.name(), self.load_s)?;
        writeln!(out, "  prompt of {:<6}   {:>9.1} tokens/s", self.prompt, self.prefill)?;
        writeln!(out, "  answer             {:>9.1} tokens/s", self.decode)?;
        for (users, speed) in &self.streams {
            writeln!(out, "  {users:>3} answers at once {speed:>9.1} tokens/s in all")?;
        }
        writeln!(out, "\n  memory reads       {:>9.1} GB/s", self.read_gb_s)?;
        writeln!(
            out,
            "  weights per token  {:>9}, {:.0} % of the reads while answering",
            output::size(self.weight_bytes),
            share * 100.0
        )?;
        Ok(writeln!(out, "  memory in use      {:>9}", output::size(self.rss_bytes))?)
    }
}
