//! `cargo xtask mutate`: shows that the tests can fail.
//!
//! One half spoils an expected value of each family of golden files, the other a line of source.
//! Both work on copies under `target/mutate`, never on the repository. A mutation is killed when
//! tests that were green before it turn red; one that survives, that does not compile, or whose
//! place in the source is gone is an error.

mod change;
mod copy;
mod table;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::{Failure, Selection, process};
use change::Change;

/// One spoilt value or line.
pub struct Mutation {
    pub name: &'static str,
    /// From `golden/` or from the root, by the table it stands in.
    pub file: &'static str,
    pub change: Change,
    /// What `cargo test` is asked to run; it must fail.
    pub tests: &'static [&'static str],
}

/// Where mutations are applied, and what the tests need to see them.
struct Bench {
    /// The copy that is changed.
    changed: PathBuf,
    /// Where cargo is started.
    workspace: PathBuf,
    environment: Vec<(&'static str, PathBuf)>,
    logs: PathBuf,
    /// Tests that have been seen green on the unchanged copy.
    green: BTreeSet<String>,
}

const FOLDER: &str = "target/mutate";
/// A build and its tests together; a mutation that loops for ever is ended by this.
const LIMIT: Duration = Duration::from_secs(30 * 60);

pub fn command(root: &Path, arguments: &[String]) -> Result<(), Failure> {
    let names: Vec<&str> = all().map(|mutation| mutation.name).collect();
    let selection = Selection::parse(arguments, &names)?;
    if selection.list {
        for Mutation { name, file, .. } in all() {
            println!("{name:<28} {file}");
        }
        return Ok(());
    }
    let wanted = |table: &'static [Mutation]| -> Vec<&'static Mutation> {
        table.iter().filter(|mutation| selection.takes(mutation.name)).collect()
    };
    let (goldens, sources) = (wanted(table::GOLDENS), wanted(table::SOURCES));
    let mut alive = Vec::new();
    if !goldens.is_empty() {
        alive.extend(run(&mut golden_bench(root)?, &goldens));
    }
    if !sources.is_empty() {
        alive.extend(run(&mut source_bench(root)?, &sources));
    }
    let count = goldens.len() + sources.len();
    println!("mutate: {} of {count} killed; logs are in {FOLDER}/logs", count - alive.len());
    if alive.is_empty() { Ok(()) } else { Err(format!("not killed: {}", alive.join(", ")).into()) }
}

fn all() -> impl Iterator<Item = &'static Mutation> {
    table::GOLDENS.iter().chain(table::SOURCES)
}

/// The repository's own code, reading a copy of `golden/`.
fn golden_bench(root: &Path) -> Result<Bench, String> {
    let changed = root.join(FOLDER).join("golden");
    copy::mirror(&root.join("golden"), &changed, &copy::files_under(&root.join("golden"))?)?;
    Ok(Bench {
        workspace: root.to_path_buf(),
        environment: vec![("HEARTH_GOLDEN_DIR", changed.clone())],
        changed,
        logs: logs(root)?,
        green: BTreeSet::new(),
    })
}

/// A copy of the whole repository, with a build folder of its own that is kept between runs.
fn source_bench(root: &Path) -> Result<Bench, String> {
    let changed = root.join(FOLDER).join("tree");
    copy::mirror(root, &changed, &crate::tidy::tree::listed(root)?)?;
    let vocabularies = "target/golden/tokenizers";
    let wanted = copy::files_under(&root.join(vocabularies))?;
    copy::mirror(&root.join(vocabularies), &changed.join(vocabularies), &wanted)?;
    Ok(Bench {
        workspace: changed.clone(),
        environment: vec![("CARGO_TARGET_DIR", root.join("target/mutate-build"))],
        changed,
        logs: logs(root)?,
        green: BTreeSet::new(),
    })
}

fn logs(root: &Path) -> Result<PathBuf, String> {
    let logs = root.join(FOLDER).join("logs");
    fs::create_dir_all(&logs).map_err(|error| format!("{}: {error}", logs.display()))?;
    Ok(logs)
}

/// Runs mutations one after the other, and returns the names of those that were not killed.
fn run(bench: &mut Bench, mutations: &[&Mutation]) -> Vec<&'static str> {
    let mut alive = Vec::new();
    for mutation in mutations {
        let start = Instant::now();
        let verdict = bench.judge(mutation);
        let seconds = start.elapsed().as_secs_f64();
        let word = verdict.as_ref().map_or_else(String::as_str, |()| "killed");
        println!("{:<28} {seconds:>6.1} s  {word}", mutation.name);
        if verdict.is_err() {
            alive.push(mutation.name);
        }
    }
    alive
}

impl Bench {
    /// `Ok` when the mutation turns green tests red.
    fn judge(&mut self, mutation: &Mutation) -> Result<(), String> {
        let path = self.changed.join(mutation.file);
        let original = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let changed = mutation.change.apply(&original)?;
        self.require_green(mutation)?;
        let write = |bytes: &[u8]| fs::write(&path, bytes).map_err(|error| error.to_string());
        write(&changed)?;
        let verdict = self.require_red(mutation);
        write(&original)?;
        verdict
    }

    fn require_green(&mut self, mutation: &Mutation) -> Result<(), String> {
        let key = mutation.tests.join(" ");
        if self.green.contains(&key) {
            return Ok(());
        }
        if !self.tests_pass(mutation, &[])? {
            return Err(format!("`cargo test {key}` is red without any change"));
        }
        self.green.insert(key);
        Ok(())
    }

    fn require_red(&self, mutation: &Mutation) -> Result<(), String> {
        if !self.tests_pass(mutation, &["--no-run"])? {
            return Err("does not compile".to_owned());
        }
        if self.tests_pass(mutation, &[])? { Err("SURVIVED".to_owned()) } else { Ok(()) }
    }

    fn tests_pass(&self, mutation: &Mutation, flags: &[&str]) -> Result<bool, String> {
        let path = self.logs.join(format!("{}.log", mutation.name));
        let log = fs::File::create(&path).map_err(|error| error.to_string())?;
        let both = log.try_clone().map_err(|error| error.to_string())?;
        let mut command: Command = process::cargo(&self.workspace);
        command.arg("test").args(flags).args(mutation.tests).stdout(log).stderr(both);
        command.env_remove("HEARTH_GOLDEN_DIR");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        Ok(process::within(LIMIT, &mut command)?.success())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_given_once() {
        let names: BTreeSet<&str> = all().map(|mutation| mutation.name).collect();
        assert_eq!(names.len(), all().count());
    }

    #[test]
    fn every_mutation_still_finds_its_place() {
        let root = crate::repository_root();
        let goldens = table::GOLDENS.iter().map(|mutation| (root.join("golden"), mutation));
        let sources = table::SOURCES.iter().map(|mutation| (root.clone(), mutation));
        for (folder, mutation) in goldens.chain(sources) {
            let path = folder.join(mutation.file);
            let original = fs::read(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
            let changed = mutation.change.apply(&original);
            let changed = changed.unwrap_or_else(|reason| panic!("{}: {reason}", mutation.name));
            assert_ne!(changed, original, "{}", mutation.name);
        }
    }
}
