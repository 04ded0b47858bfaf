//! Whether a model fits into memory, and what to do where it does not.

use std::fmt::Write;
use std::path::Path;

use arch::{Kept, Source};
use engine::memory::{Memory, Size, usable};
use engine::{Demand, Fit, Need, Settings};

use crate::failure::Failure;
use crate::flags::MachineFlags;
use crate::load::SHOW;

/// Tokens for which there must be memory where nobody says how many.
const LEAST: usize = 4096;

/// Bits of a weight in files as they are published, most first.
const QUANTISATIONS: [(&str, f64); 5] =
    [("q8_0", 8.5), ("q6_k", 6.56), ("q5_k_m", 5.69), ("q4_k_m", 4.89), ("q3_k_m", 3.91)];

/// What is checked before a model is loaded.
#[derive(Clone, Copy)]
pub struct Checked {
    /// Whether a model that does not fit is refused.
    pub refuses: bool,
    /// What is asked of it; else one conversation as long as the settings say.
    pub demand: Option<Demand>,
}

impl Checked {
    /// One conversation; nothing is refused where the flags say so.
    pub fn of(flags: &MachineFlags) -> Checked {
        Checked { refuses: !flags.no_fit_check, demand: None }
    }
}

/// What a model will take.
pub fn of(path: &Path, source: &Source, settings: Settings) -> Result<Fit, Failure> {
    Fit::of(source, settings).map_err(|error| Failure::model(path, error, SHOW))
}

/// What is asked of a model: conversations as long as was said, else of a moderate length.
pub fn demand(fit: &Fit, settings: Settings, users: usize) -> Demand {
    let context = fit.shape().context;
    Demand { context: settings.context.unwrap_or(LEAST).min(context), users }
}

/// What must fit at least: what was said, else one conversation.
pub fn one(fit: &Fit, (settings, checked): (Settings, Checked)) -> Demand {
    match checked.demand {
        Some(Demand { context, users }) => {
            Demand { context: context.min(fit.shape().context), users }
        }
        None => demand(fit, settings, 1),
    }
}

/// Refuses a model that does not fit, or leaves its weights in the file where that is wanted.
/// Conversations get what memory is left.
pub fn check(
    path: &Path,
    fit: &Fit,
    (settings, checked): (Settings, Checked),
) -> Result<Settings, Failure> {
    let Some(memory) = usable() else { return Ok(settings) };
    let demand = one(fit, (settings, checked));
    let need = fit.need(demand);
    let fits = need.total() <= memory.bytes;
    if checked.refuses && !fits {
        return Err(Failure::Request(refusal(path, fit, (demand, &memory))));
    }
    if !fits {
        return Ok(Settings { pack: false, ..settings });
    }
    let left = memory.bytes - need.fixed();
    Ok(Settings { room: Some(settings.room.map_or(left, |room| room.min(left))), ..settings })
}

/// What is missing, and the ways out.
fn refusal(path: &Path, fit: &Fit, (demand, memory): (Demand, &Memory)) -> String {
    let (need, name) = (fit.need(demand), path.display());
    let mut text = format!(
        "{name} needs {} of memory, and {} may be used: {}.",
        Size(need.total()),
        Size(memory.bytes),
        memory.bound
    );
    let _ = write!(text, "\n  {}", parts(&need, demand));
    let _ = write!(text, "\n  - a shorter context: {}", shorter(fit, (demand, memory.bytes)));
    if let Some(halved) = halved(fit, (&need, memory.bytes)) {
        let _ = write!(text, "\n  - a cache of half the size: {halved}");
    }
    let _ = write!(text, "\n  - fewer bits: {}", fewer_bits(fit, (&need, memory.bytes)));
    text.push_str("\n  - another model: `hearth show MODEL` tells what it needs");
    text.push_str(
        "\n--no-fit-check loads it all the same; its weights stay in the file then, and what the \
         system drops of them is read again, which is slow",
    );
    text
}

/// The parts of a need.
pub fn parts(need: &Need, demand: Demand) -> String {
    let Demand { context, users } = demand;
    let of =
        if users == 1 { "one conversation".to_owned() } else { format!("{users} conversations") };
    format!(
        "weights {}, cache {} for {of} of {context} tokens, scratch {}, the rest {}",
        Size(need.weights()),
        Size(need.cache),
        Size(need.scratch),
        Size(need.text + need.threads)
    )
}

fn shorter(fit: &Fit, (demand, bytes): (Demand, u64)) -> String {
    match fit.longest(demand.users, bytes) {
        Some(context) => format!("{context} tokens fit, `--context {context}`"),
        None => "none is short enough".to_owned(),
    }
}

/// Whether it would fit with keys and values as halves, where these are all that it keeps.
fn halved(fit: &Fit, (need, bytes): (&Need, u64)) -> Option<&'static str> {
    let can_be_halved = fit.shape().kept == Kept::F32 && !fit.shape().keeps_others;
    can_be_halved.then(|| match need.total() - need.cache / 2 <= bytes {
        true => "`--kv f16` fits",
        false => "not enough",
    })
}

/// What would fit, by the bits of published files. Their sizes differ by some percent.
fn fewer_bits(fit: &Fit, (need, bytes): (&Need, u64)) -> String {
    let others = need.total() - need.weights();
    let smaller =
        QUANTISATIONS.map(|(name, bits)| (name, (fit.numbers() as f64 * bits / 8.0) as u64));
    let smaller = smaller.into_iter().filter(|(_, weights)| *weights < need.weights());
    let mut fitting = smaller.filter(|(_, weights)| weights + others <= bytes);
    let told = |(name, weights)| format!("{name} (about {})", Size(weights + others));
    match (fitting.next(), fitting.next()) {
        (None, _) => "no quantisation of it fits".to_owned(),
        (Some(one), None) => format!("{} fits", told(one)),
        (Some(one), Some(other)) => format!("{} or {} fits", told(one), told(other)),
    }
}

#[cfg(test)]
mod tests {
    use engine::memory::Bound;
    use testkit::golden;

    use super::*;

    fn fit(name: &str) -> Fit {
        let settings = Settings { threads: 1, kept: Some(Kept::F32), ..Settings::default() };
        Fit::of(&Source::open(&golden(name)).unwrap(), settings).unwrap()
    }

    fn said(name: &str, bytes: u64) -> String {
        let memory = Memory { bytes, bound: Bound::Group(1 << 20) };
        let demand = Demand { context: 512, users: 1 };
        refusal(Path::new("a.gguf"), &fit(name), (demand, &memory))
    }

    #[test]
    fn a_refusal_names_what_is_missing_and_the_ways_out() {
        let name = "quant/dense.Q8_0.gguf";
        let need = fit(name).need(Demand { context: 512, users: 1 });
        let bytes = need.total() - (100 << 10);
        let little = said(name, bytes);
        let first =
            format!("a.gguf needs {} of memory, and {} may be", Size(need.total()), Size(bytes));
        assert!(little.starts_with(&first), "{little}");
        assert!(little.contains("the container or control group is limited"), "{little}");
        assert!(little.contains("256 tokens fit, `--context 256`"), "{little}");
        assert!(little.contains("a cache of half the size: `--kv f16` fits"), "{little}");
        assert!(
            little.contains("q6_k (about") && little.contains(") or q5_k_m (about"),
            "{little}"
        );
        assert!(little.contains("another model") && little.contains("--no-fit-check"), "{little}");
        let nothing = said(name, 1000);
        assert!(nothing.contains("a cache of half the size: not enough"), "{nothing}");
        assert!(nothing.contains("none is short enough"), "{nothing}");
        assert!(nothing.contains("no quantisation of it fits"), "{nothing}");
    }

    /// DeepSeek's indexer and Qwen3.5's delta nets keep what stays as it is.
    #[test]
    fn halves_are_offered_where_they_halve() {
        for name in ["gguf/deepseek-v3.2.gguf", "models/qwen3_5"] {
            let little = said(name, 1000);
            assert!(!little.contains("half the size"), "{little}");
        }
    }

    #[test]
    fn what_fits_gets_the_rest_for_conversations() {
        let (fit, settings) = (fit("quant/dense.Q8_0.gguf"), Settings::default());
        let checked = Checked { refuses: true, demand: None };
        let checked = check(Path::new("a"), &fit, (settings, checked)).unwrap();
        assert!(checked.pack && checked.room.is_none_or(|room| room > 1 << 20));
        assert_eq!(demand(&fit, settings, 3), Demand { context: 512, users: 3 });
    }
}
