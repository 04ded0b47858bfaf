//! `cargo xtask ci`: what must pass, in the order in which a failure is cheapest.
//!
//! Every step is a function that can be run alone with `--only`. Children write straight to the
//! terminal, so that the last words of a failing test are theirs; a summary follows.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::{Failure, Selection, clients, cross, golden, process, tidy};

struct Step {
    name: &'static str,
    about: &'static str,
    run: fn(&Path) -> Result<(), String>,
}

const STEPS: [Step; 10] = [
    Step { name: "golden", about: "the vendors' vocabularies are in place", run: golden::bring },
    Step { name: "format", about: "cargo fmt --check", run: format },
    Step { name: "clippy", about: "cargo clippy, warnings are errors", run: clippy },
    Step { name: "aarch64", about: "the same for aarch64", run: cross::lint_if_installed },
    Step { name: "windows", about: "and for Windows", run: cross::lint_windows_if_installed },
    Step { name: "tidy", about: "the rules of the house", run: tidy::run },
    Step { name: "tests", about: "cargo test --workspace", run: tests },
    Step { name: "release", about: "the binary as users build it", run: release },
    Step { name: "smoke", about: "the first command of the README", run: first_readme_command },
    Step { name: "clients", about: "people's client libraries", run: clients::run },
];

const SMOKE_LIMIT: Duration = Duration::from_secs(10 * 60);

pub fn command(root: &Path, arguments: &[String]) -> Result<(), Failure> {
    let selection = Selection::parse(arguments, &STEPS.map(|step| step.name))?;
    if selection.list {
        for Step { name, about, .. } in &STEPS {
            println!("{name:<8} {about}");
        }
        return Ok(());
    }
    let mut summary = Vec::new();
    let mut failure = None;
    for step in STEPS.iter().filter(|step| selection.takes(step.name)) {
        println!("\n== {}: {}", step.name, step.about);
        let start = Instant::now();
        let outcome = (step.run)(root);
        let word = if outcome.is_ok() { "ok" } else { "FAILED" };
        let seconds = start.elapsed().as_secs_f64();
        summary.push(format!("{:<8} {word:<6} {seconds:>7.1} s", step.name));
        if let Err(reason) = outcome {
            failure = Some(failed(step, &reason));
            break;
        }
    }
    println!("\n== summary\n{}", summary.join("\n"));
    failure.map_or(Ok(()), |reason| Err(Failure::Failed(reason)))
}

fn failed(step: &Step, reason: &str) -> String {
    let name = step.name;
    format!("step `{name}` failed: {reason}\n  again, alone: cargo xtask ci --only {name}")
}

/// Cargo for a step: a test must not be led to other golden files by somebody's environment.
fn cargo(root: &Path) -> std::process::Command {
    let mut command = process::cargo(root);
    command.env_remove("HEARTH_GOLDEN_DIR").env("RUST_BACKTRACE", "1");
    command
}

fn format(root: &Path) -> Result<(), String> {
    process::succeed(cargo(root).args(["fmt", "--all", "--check"]))?;
    let fuzz = "fuzz/Cargo.toml";
    if !root.join(fuzz).exists() {
        return Ok(());
    }
    process::succeed(cargo(root).args(["fmt", "--check", "--manifest-path", fuzz]))
}

fn clippy(root: &Path) -> Result<(), String> {
    let targets = ["clippy", "--workspace", "--all-targets", "--locked"];
    process::succeed(cargo(root).args(targets).args(["--", "-D", "warnings"]))
}

fn tests(root: &Path) -> Result<(), String> {
    process::succeed(cargo(root).args(["test", "--workspace", "--locked", "--no-fail-fast"]))
}

fn release(root: &Path) -> Result<(), String> {
    process::succeed(cargo(root).args(["build", "--release", "--locked"]))
}

/// Runs what the README tells a newcomer to run first, exactly as it is printed there.
fn first_readme_command(root: &Path) -> Result<(), String> {
    let path = root.join("README.md");
    let readme = std::fs::read_to_string(path).map_err(|error| format!("README.md: {error}"))?;
    let words = readme_command(&readme)
        .ok_or("README.md has no line that begins with `cargo run --release`")?;
    println!("$ cargo {}", words.join(" "));
    let mut command = cargo(root);
    let status = process::within(SMOKE_LIMIT, command.args(words).stdin(Stdio::null()))?;
    if status.success() { Ok(()) } else { Err(format!("{}: {status}", process::line(&command))) }
}

/// The arguments of the first line that runs the product, with quotes taken off.
fn readme_command(readme: &str) -> Option<Vec<String>> {
    let lines = readme.lines().map(|line| line.trim().trim_start_matches("$ "));
    let line = lines.into_iter().find(|line| line.starts_with("cargo run --release"))?;
    let mut words = Vec::new();
    let mut rest = line.trim_start_matches("cargo").trim_start();
    while !rest.is_empty() && !rest.starts_with('#') {
        let (word, after) = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => rest[1..].split_once(quote)?,
            _ => rest.split_once(' ').unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_command_is_found_and_cut_into_words() {
        let readme = "# hearth\n```sh\n$ cargo run --release -- run m.gguf \"two words\"  # hello\n\
                      cargo run --release -- serve\n```\n";
        let words = readme_command(readme).unwrap();
        assert_eq!(words, ["run", "--release", "--", "run", "m.gguf", "two words"]);
        assert_eq!(readme_command("run `cargo xtask ci`"), None);
        assert_eq!(readme_command("cargo run --release -- 'open"), None, "a quote stays open");
    }

    #[test]
    fn a_failure_says_how_to_run_its_step_again() {
        let text = failed(&STEPS[6], "exit status: 101");
        assert!(text.contains("`tests`") && text.ends_with("cargo xtask ci --only tests"));
    }
}
