//! `hearth bench`: how fast a model reads a prompt, writes an answer, and serves several users.
//!
//! Everything is measured once per round, so that a machine whose speed drifts does not favour
//! what comes first, and the median of the rounds counts.

mod bandwidth;
mod measure;
mod report;

use std::time::Instant;

use engine::{Demand, Engine};

use crate::failure::Failure;
use crate::fit::Checked;
use crate::flags::Bench as Flags;
use crate::{interrupt, load, memory, named};
use measure::{BEFORE, Bench, Round, SHORT_PROMPT};
use report::Report;

pub fn bench(flags: &Flags) -> Result<(), Failure> {
    // Nothing is lost when it ends in the middle, so Ctrl-C ends it at once.
    interrupt::listen();
    check_lists(flags)?;
    let settings = load::settings(&flags.machine)?;
    let begin = Instant::now();
    let model = named::path(&flags.model)?;
    let source = load::source(&model)?;
    let checked = Checked { demand: Some(demand(flags)), ..Checked::of(&flags.machine) };
    let engine = load::engine(&model, &source, (settings, checked))?;
    check_context(&engine, flags)?;
    let load_s = begin.elapsed().as_secs_f64();
    let (weight_bytes, kept) = (engine.shape().weight_bytes, engine.shape().kept);
    let tokenizer = load::tokenizer(&model, &source)?;
    let bench = Bench { engine: Some(engine), tokenizer, chunk: settings.chunk };
    let rounds = all_rounds(bench, flags)?;
    // The memory that is read below is not the model's.
    let rss_bytes = memory::peak().unwrap_or(0);
    drop(source);
    let reading = bandwidth::measure(settings)?;
    let report = Report {
        flags,
        load_s,
        weight_bytes,
        kept,
        rss_bytes,
        reading,
        medians: Round::medians(&rounds),
    };
    if flags.json { report.print_json() } else { report.print_table() }
}

/// Measures everything in every round; the engine and its memory are gone afterwards.
fn all_rounds(mut bench: Bench, flags: &Flags) -> Result<Vec<Round>, Failure> {
    bench.warm_up(flags.prompt)?;
    (1..=flags.rounds).map(|round| bench.round(flags, round)).collect()
}

/// Lists that name one thing twice have one result for it, so that one of the two is a mistake.
fn check_lists(flags: &Flags) -> Result<(), Failure> {
    let streams: Vec<usize> = flags.streams.iter().map(|users| usize::from(*users)).collect();
    for (flag, numbers) in [("--streams", &streams), ("--contexts", &flags.contexts)] {
        let is_again = |i: &usize| numbers[..*i].contains(&numbers[*i]);
        if let Some(i) = (0..numbers.len()).find(is_again) {
            return Err(Failure::Request(format!("{flag} has {} twice", numbers[i])));
        }
    }
    Ok(())
}

/// Tokens of the longest prompt with its answer.
fn longest(flags: &Flags) -> usize {
    let prompts = flags.contexts.iter().copied().chain([flags.prompt, SHORT_PROMPT]);
    let repeating = if flags.guesses { BEFORE } else { 0 };
    let longest = prompts.chain([repeating]).max().unwrap_or_default();
    longest.saturating_add(flags.generate)
}

/// What takes the most memory: the longest prompt, or all users with their short ones.
fn demand(flags: &Flags) -> Demand {
    let users = flags.streams.iter().copied().max().map_or(1, usize::from);
    let alone = Demand { context: longest(flags), users: 1 };
    let together = Demand { context: SHORT_PROMPT.saturating_add(flags.generate), users };
    if together.context.saturating_mul(users) > alone.context { together } else { alone }
}

/// Everything must fit into the model's context before the first measurement.
fn check_context(engine: &Engine, flags: &Flags) -> Result<(), Failure> {
    let (needed, context) = (longest(flags), engine.shape().context);
    match needed > context {
        true => Err(engine::Error::ContextFull { needed, context }.into()),
        false => Ok(()),
    }
}
