//! `hearth show --measure`: whether a model takes the memory that is told before it is loaded.
//!
//! What a process has for itself is measured: anonymous memory, and how much more of it there is
//! than before the model was opened. Of files only the weights count that steps read there, as far
//! as they are in memory.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write, stdout};
use std::ops::Range;
use std::path::Path;

use engine::memory::{Size, kibibytes};
use engine::{Demand, Engine, Feed, Need, Sequence, Wanted};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::fit::{self, Checked};
use crate::flags::Show as Flags;
use crate::{interrupt, load, output};

/// What was told and what was measured, of one part.
struct Part {
    name: &'static str,
    told: u64,
    measured: u64,
}

pub fn measure(flags: &Flags, path: &Path) -> Result<(), Failure> {
    interrupt::listen();
    let settings = load::settings(&flags.machine)?;
    let before = own()?;
    let source = load::source(path)?;
    let tokenizer = load::tokenizer(path, &source);
    let text = own()?;
    let fit = fit::of(path, &source, settings)?;
    let demand = fit::demand(&fit, settings, flags.users.into());
    let checked = Checked { demand: Some(demand), ..Checked::of(&flags.machine) };
    let settings = fit::check(path, &fit, (settings, checked))?;
    // Weights may have been left in the file.
    let need = fit::of(path, &source, settings)?.need(demand);
    drop(fit);
    let base = own()?;
    let how = (settings, need.weights());
    let mut engine = load::built(path, &source, how)?;
    let loaded = own()?;
    let sequences = fill(&mut engine, demand)?;
    let in_file = resident(&engine.in_file())?;
    let (after, cache) = (own()?, engine.cache_bytes());
    drop((sequences, tokenizer));
    let mut left = after.saturating_sub(before);
    let mut take = |part: u64| {
        let part = part.min(left);
        left -= part;
        part
    };
    let parts = vec![
        Part { name: "tokenizer", told: need.text, measured: take(text.saturating_sub(before)) },
        Part {
            name: "weights",
            told: need.packed + need.small,
            measured: take(loaded.saturating_sub(base)),
        },
        Part { name: "cache", told: need.cache, measured: take(cache) },
        Part { name: "scratch", told: need.scratch + need.threads, measured: take(u64::MAX) },
        Part { name: "weights in the file", told: need.in_file, measured: in_file },
    ];
    if flags.json { print_json(&parts, (&need, demand)) } else { print_table(&parts, demand) }
}

/// Fills all conversations up, the last token of all of them together.
fn fill(engine: &mut Engine, demand: Demand) -> Result<Vec<Sequence>, Failure> {
    let vocabulary = engine.shape().vocabulary;
    let bar = output::tokens(demand.context * demand.users, "Filling");
    let mut sequences = Vec::new();
    for user in 0..demand.users {
        let mut sequence = Sequence::default();
        let token = |i: usize| ((i * 31 + user * 17) % vocabulary) as u32;
        let prompt: Vec<u32> = (1..demand.context).map(token).collect();
        if !prompt.is_empty() {
            engine.prefill(&mut sequence, &prompt)?;
        }
        bar.inc(demand.context as u64);
        sequences.push(sequence);
    }
    let feed = |sequence| Feed { sequence, tokens: &[1], wanted: Wanted::Last };
    engine.step(&mut sequences.iter_mut().map(feed).collect::<Vec<_>>())?;
    bar.finish_and_clear();
    Ok(sequences)
}

fn print_table(parts: &[Part], Demand { context, users }: Demand) -> Result<(), Failure> {
    let mut out = stdout();
    writeln!(out, "  {users} × {context} tokens       told  measured  difference\n")?;
    let all = Part { name: "all", told: told(parts), measured: measured(parts) };
    for Part { name, told, measured } in parts.iter().chain([&all]) {
        let off = percent(*told, *measured).map_or(String::new(), |off| format!("{off:+.1} %"));
        let (told, measured) = (Size(*told).to_string(), Size(*measured).to_string());
        writeln!(out, "  {name:<20} {told:>9} {measured:>9} {off:>11}")?;
    }
    Ok(())
}

fn print_json(parts: &[Part], (need, demand): (&Need, Demand)) -> Result<(), Failure> {
    let part = |part: &Part| {
        let Part { name, told, measured } = part;
        json!({ "name": name, "told": told, "measured": measured })
    };
    let mut report = as_json(need, demand);
    report["parts"] = parts.iter().map(part).collect();
    report["measured"] = measured(parts).into();
    report["difference_percent"] = percent(told(parts), measured(parts)).into();
    Ok(writeln!(stdout(), "{report:#}")?)
}

/// What was told, for programs.
pub fn as_json(need: &Need, Demand { context, users }: Demand) -> Value {
    json!({
        "context": context,
        "users": users,
        "told": need.total(),
        "weights": need.packed + need.small,
        "weights_in_file": need.in_file,
        "cache": need.cache,
        "scratch": need.scratch,
        "tokenizer": need.text,
        "threads": need.threads,
    })
}

fn told(parts: &[Part]) -> u64 {
    parts.iter().map(|part| part.told).sum()
}

fn measured(parts: &[Part]) -> u64 {
    parts.iter().map(|part| part.measured).sum()
}

/// By how much too much was told, in parts of a hundred of what was measured.
fn percent(told: u64, measured: u64) -> Option<f64> {
    (measured > 0).then(|| (told as f64 / measured as f64 - 1.0) * 100.0)
}

/// Bytes of memory that this process has for itself.
fn own() -> Result<u64, Failure> {
    stated("/proc/self/smaps_rollup", "Anonymous:")
}

/// Bytes of some parts of the address space that are in memory.
fn resident(parts: &[&[u8]]) -> Result<u64, Failure> {
    const ENTRY: u64 = 8;
    if parts.is_empty() {
        return Ok(0);
    }
    let size = stated("/proc/self/smaps", "KernelPageSize:")?;
    let mut map = File::open("/proc/self/pagemap").map_err(|error| untold(&error))?;
    let mut count = 0;
    for pages in pages(parts, size) {
        map.seek(SeekFrom::Start(pages.start * ENTRY)).map_err(|error| untold(&error))?;
        let mut entries = Vec::new();
        let len = (pages.end - pages.start) * ENTRY;
        Read::by_ref(&mut map)
            .take(len)
            .read_to_end(&mut entries)
            .map_err(|error| untold(&error))?;
        let entries = entries.as_chunks().0.iter().map(|entry| u64::from_le_bytes(*entry));
        count += entries.filter(|entry| entry >> 63 == 1).count() as u64;
    }
    // What shares the first and the last page of a weight is not the weight's.
    let bytes = parts.iter().map(|part| part.len() as u64).sum();
    Ok((count * size).min(bytes))
}

/// The pages of some parts, each once.
fn pages(parts: &[&[u8]], size: u64) -> Vec<Range<u64>> {
    let of = |part: &&[u8]| {
        let start = part.as_ptr().addr() as u64;
        start / size..(start + part.len() as u64).div_ceil(size)
    };
    let mut all: Vec<Range<u64>> = parts.iter().map(of).collect();
    all.sort_by_key(|pages| pages.start);
    let mut end = 0;
    for pages in &mut all {
        pages.start = pages.start.clamp(end.min(pages.end), pages.end);
        end = pages.end.max(end);
    }
    all
}

/// The bytes that a file of the system has first under a name.
fn stated(path: &str, name: &str) -> Result<u64, Failure> {
    let text = fs::read_to_string(path).map_err(|error| untold(&error))?;
    kibibytes(&text, name).ok_or_else(|| Failure::Machine(format!("{path} has no {name}")))
}

fn untold(error: &std::io::Error) -> Failure {
    Failure::Machine(format!("this system does not tell how much memory is in use: {error}"))
}
