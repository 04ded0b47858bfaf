//! `cargo xtask fuzz`: runs the fuzz targets for a while each, on the stable compiler.
//!
//! Installs cargo-fuzz into `target/tools` the first time. What a run finds goes into a corpus
//! under `target/`, beside the tracked one, so that the repository grows only by hand. Inputs that
//! crash are kept under `fuzz/artifacts`, which git ignores.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Failure, process};

const VERSION: &str = "0.13.2";
const TOOLS: &str = "target/tools";
const TARGETS: &str = "fuzz/fuzz_targets";
const CORPUS: &str = "fuzz/corpus";
const FOUND: &str = "target/fuzz-corpus";
const DEFAULT_SECONDS: u32 = 60;
/// What one input may take before it counts as a hang, in seconds and in megabytes.
const INPUT_LIMITS: [&str; 2] = ["-timeout=20", "-rss_limit_mb=4096"];

struct Request {
    seconds: u32,
    targets: Vec<String>,
}

struct Outcome {
    target: String,
    executions: Option<u64>,
    crashed: bool,
}

pub fn command(root: &Path, arguments: &[String]) -> Result<(), Failure> {
    let request = parse(arguments, &targets(root)?)?;
    require_cpp_compiler()?;
    let tool = install(root)?;
    let mut outcomes = Vec::new();
    for target in &request.targets {
        outcomes.push(fuzz(root, &tool, target, request.seconds)?);
    }
    Ok(report(&outcomes)?)
}

fn parse(arguments: &[String], known: &[String]) -> Result<Request, Failure> {
    let mut request = Request { seconds: DEFAULT_SECONDS, targets: Vec::new() };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if word == "--seconds" {
            let number = words.next().and_then(|number| number.parse().ok());
            let number = number.filter(|seconds| *seconds > 0);
            request.seconds =
                number.ok_or_else(|| Failure::Usage("--seconds needs a number".to_owned()))?;
        } else if known.contains(word) {
            request.targets.push(word.clone());
        } else {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            return Err(Failure::Usage(crate::not_among(word, &known)));
        }
    }
    if request.targets.is_empty() {
        request.targets = known.to_vec();
    }
    Ok(request)
}

/// The names of all targets: one file each.
fn targets(root: &Path) -> Result<Vec<String>, String> {
    let entries =
        fs::read_dir(root.join(TARGETS)).map_err(|error| format!("{TARGETS}: {error}"))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut targets: Vec<String> =
        names.filter_map(|name| name.strip_suffix(".rs").map(str::to_owned)).collect();
    targets.sort();
    if targets.is_empty() { Err(format!("{TARGETS} is empty")) } else { Ok(targets) }
}

/// The fuzzer's own run-time is C++, and cargo's message about it is long.
fn require_cpp_compiler() -> Result<(), String> {
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    let mut version = Command::new(&compiler);
    version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    process::succeed(&mut version).map_err(|_| {
        format!("fuzzing needs a C++ compiler, and `{compiler}` does not run: install g++ or clang")
    })
}

fn install(root: &Path) -> Result<PathBuf, String> {
    let tools = root.join(TOOLS);
    let tool = tools.join("bin").join(format!("cargo-fuzz{}", std::env::consts::EXE_SUFFIX));
    if !tool.exists() {
        println!("fuzz: installing cargo-fuzz {VERSION} into {TOOLS}");
        let mut install = process::cargo(root);
        install.args(["install", "cargo-fuzz", "--locked", "--version", VERSION, "--root"]);
        process::succeed(install.arg(&tools))?;
    }
    Ok(tool)
}

fn fuzz(root: &Path, tool: &Path, target: &str, seconds: u32) -> Result<Outcome, String> {
    println!("\n== {target}: {seconds} s");
    let mut command = Command::new(tool);
    command.current_dir(root).args(["run", "--sanitizer", "none", target]);
    command.args(corpora(root, target)?);
    command.arg("--").arg(format!("-max_total_time={seconds}")).arg("-print_final_stats=1");
    command.args(INPUT_LIMITS);
    let mut child = command
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{}: {error}", tool.display()))?;
    let (mut started, mut executions) = (false, None);
    if let Some(stderr) = child.stderr.take() {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            started |= line.starts_with("INFO: Seed:");
            executions = executions.or(executions_in(&line));
            eprintln!("{line}");
        }
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    if !started {
        return Err(format!("`{target}` did not run: {status}"));
    }
    Ok(Outcome { target: target.to_owned(), executions, crashed: !status.success() })
}

/// Where finds are written, and the tracked inputs that are only read.
fn corpora(root: &Path, target: &str) -> Result<Vec<PathBuf>, String> {
    let found = root.join(FOUND).join(target);
    fs::create_dir_all(&found).map_err(|error| format!("{}: {error}", found.display()))?;
    let tracked = root.join(CORPUS).join(target);
    Ok([found, tracked].into_iter().filter(|folder| folder.is_dir()).collect())
}

/// Reads the fuzzer's closing statistics.
fn executions_in(line: &str) -> Option<u64> {
    let (_, count) = line.split_once("stat::number_of_executed_units:")?;
    count.trim().parse().ok()
}

fn report(outcomes: &[Outcome]) -> Result<(), String> {
    println!("\n== summary");
    for Outcome { target, executions, crashed } in outcomes {
        let count = executions.map_or_else(|| "unknown".to_owned(), |count| count.to_string());
        let word = if *crashed { "CRASHED, see fuzz/artifacts" } else { "no crash" };
        println!("{target:<24} {count:>12} executions  {word}");
    }
    let crashed = outcomes.iter().filter(|outcome| outcome.crashed);
    let names: Vec<&str> = crashed.map(|outcome| outcome.target.as_str()).collect();
    if names.is_empty() { Ok(()) } else { Err(format!("crashed: {}", names.join(", "))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Request, Failure> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&words, &["gguf".to_owned(), "template".to_owned()])
    }

    #[test]
    fn all_targets_or_the_named_ones() {
        let Ok(all) = parsed("") else { panic!("refused") };
        assert_eq!((all.seconds, all.targets.len()), (60, 2));
        let Ok(one) = parsed("--seconds 5 template") else { panic!("refused") };
        assert_eq!((one.seconds, one.targets), (5, vec!["template".to_owned()]));
    }

    #[test]
    fn nonsense_is_refused() {
        for line in ["--seconds", "--seconds x", "--seconds 0", "absent"] {
            assert!(matches!(parsed(line), Err(Failure::Usage(_))), "{line}");
        }
    }

    #[test]
    fn executions_are_read_from_the_statistics() {
        assert_eq!(executions_in("stat::number_of_executed_units: 1234"), Some(1234));
        assert_eq!(executions_in("#1234 NEW cov: 5"), None);
    }

    #[test]
    fn one_crash_fails_the_whole() {
        let outcome = |target: &str, crashed| Outcome {
            target: target.to_owned(),
            executions: Some(1),
            crashed,
        };
        assert!(report(&[outcome("a", false)]).is_ok());
        let failed = report(&[outcome("a", false), outcome("b", true)]);
        assert_eq!(failed.unwrap_err(), "crashed: b");
    }
}
