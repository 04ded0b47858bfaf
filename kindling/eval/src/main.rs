//! How good kindling is: asks it all cases, and counts. `cargo xtask kindling-eval` calls it.
//!
//! `kindling-eval [MODEL] [--card] [--wrong]`; with `--card` the figures go into the model card as
//! well, with `--wrong` what was wrong in the test split is told.

mod cases;
mod count;
mod model;

use std::fmt::Write as _;
use std::io::{Write as _, stderr, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use cases::{Case, Wanted};
use count::{Tally, auroc};
use model::Model;

/// What separates the figures from the rest of the card.
const BEGIN: &str = "<!-- figures: cargo xtask kindling-eval --card -->";
const END: &str = "<!-- end of figures -->";

type Error = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(stderr(), "kindling-eval: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Error> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no folder above")?;
    let (flags, paths): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    if let Some(unknown) = flags.iter().find(|flag| !["--card", "--wrong"].contains(&flag.as_str()))
    {
        return Err(format!("{unknown} is not known; there are --card and --wrong").into());
    }
    let path = paths.first().map_or_else(|| root.join("kindling.gguf"), PathBuf::from);
    let model = Model::load(&path)?;
    let begun = Instant::now();
    let mut figures = String::from(HEAD);
    for (name, folder) in [("test split", "test"), ("written by hand", "hand")] {
        let cases = cases::read(&root.join(folder))?;
        let tallies = model.judge(&cases)?;
        // Nobody is to learn from what was wrong in the other set.
        if folder == "test" && flags.iter().any(|flag| flag == "--wrong") {
            tell_wrong(&cases, &tallies)?;
        }
        table(&mut figures, name, &cases, &tallies)?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    writeln!(stdout(), "{figures}\nIn {seconds:.0} seconds, of {}.", path.display())?;
    if flags.iter().any(|flag| flag == "--card") {
        write_card(&root.join("MODEL_CARD.md"), &figures)?;
    }
    Ok(())
}

const HEAD: &str = "| | cases | figure | | confidence: AUROC |\n|---|---|---|---|---|\n";

/// The rows of one set of cases.
fn table(out: &mut String, set: &str, cases: &[Case], tallies: &[Tally]) -> Result<(), Error> {
    let of = |wanted: fn(&Wanted) -> bool| -> Vec<&Tally> {
        let pairs = cases.iter().zip(tallies).filter(|(case, _)| wanted(&case.wanted));
        pairs.map(|(_, tally)| tally).collect()
    };
    let answered =
        of(|wanted| matches!(wanted, Wanted::Quote { answers, .. } if !answers.is_empty()));
    let absent = of(|wanted| matches!(wanted, Wanted::Quote { answers, .. } if answers.is_empty()));
    let both = of(|wanted| matches!(wanted, Wanted::Quote { .. }));
    let sure = auroc(&both).map_or_else(String::new, |area| format!("{area:.3}"));
    row(
        out,
        (set, "answer in the passage"),
        (answered.len(), share(&answered)),
        ("exact match", &sure),
    )?;
    row(out, (set, "no answer there"), (absent.len(), share(&absent)), ("told so", ""))?;

    let fields = of(|wanted| matches!(wanted, Wanted::Fields { .. }));
    let (f1, whole) = (count::f1(&fields), share(&fields));
    let sure = auroc(&fields).map_or_else(String::new, |area| format!("{area:.3}"));
    let note = format!("F1 of fields; {whole:.3} of documents without any fault");
    row(out, (set, "fields"), (fields.len(), f1), (&note, &sure))?;

    let labels = of(|wanted| matches!(wanted, Wanted::Label { .. }));
    let sure = auroc(&labels).map_or_else(String::new, |area| format!("{area:.3}"));
    let chances = cases.iter().filter_map(|case| match &case.wanted {
        Wanted::Label { labels, .. } => Some(1.0 / labels.len() as f64),
        _ => None,
    });
    let note = format!("right; by chance {:.3}", chances.sum::<f64>() / labels.len() as f64);
    row(out, (set, "unseen labels"), (labels.len(), share(&labels)), (&note, &sure))?;

    let tools = of(|wanted| matches!(wanted, Wanted::Call { .. }));
    let sure = auroc(&tools).map_or_else(String::new, |area| format!("{area:.3}"));
    let named = tools.iter().filter(|tally| tally.nearly).count() as f64 / tools.len() as f64;
    let note = format!("tool and arguments; {named:.3} the right tool");
    row(out, (set, "tools"), (tools.len(), share(&tools)), (&note, &sure))
}

fn row(
    out: &mut String,
    (set, what): (&str, &str),
    (cases, figure): (usize, f64),
    (note, sure): (&str, &str),
) -> Result<(), Error> {
    Ok(writeln!(out, "| {what}, {set} | {cases} | {figure:.3} | {note} | {sure} |")?)
}

fn share(tallies: &[&Tally]) -> f64 {
    tallies.iter().filter(|tally| tally.right).count() as f64 / tallies.len() as f64
}

fn tell_wrong(cases: &[Case], tallies: &[Tally]) -> Result<(), Error> {
    for (case, tally) in cases.iter().zip(tallies).filter(|(_, tally)| !tally.right) {
        let (asked, said, sure) = (case.told(), &tally.said, tally.confidence);
        writeln!(stdout(), "{sure:.2}  {asked}\n      {said}\n")?;
    }
    Ok(())
}

fn write_card(path: &Path, figures: &str) -> Result<(), Error> {
    let card = std::fs::read_to_string(path)?;
    let cut = |mark| card.split_once(mark).ok_or(format!("{}: no {mark}", path.display()));
    let ((before, _), (_, after)) = (cut(BEGIN)?, cut(END)?);
    std::fs::write(path, format!("{before}{BEGIN}\n{figures}{END}{after}"))?;
    Ok(())
}
