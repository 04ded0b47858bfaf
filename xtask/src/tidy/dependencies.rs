//! The dependency budget: few packages in all, and a written reason for each that we ask for.
//!
//! The reasons are rows of a table in `docs/dependencies.md`, each beginning with a name in
//! back-ticks. What is used by tests and benchmarks only needs none.

use std::collections::BTreeSet;

use super::manifest;
use super::tree::{File, Finding, Tree};

/// Packages of others; our own have no source in the lock.
const LOCKED_PACKAGES: usize = 238;
const REASONS: &str = "docs/dependencies.md";

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let manifests: Vec<&File> = tree.own("Cargo.toml").collect();
    let ours: BTreeSet<&str> = manifests.iter().filter_map(|file| package(&file.text)).collect();
    let rows = rows(tree.file(REASONS));
    let mut used = BTreeSet::new();
    for file in manifests {
        for dependency in manifest::dependencies(&file.text) {
            let name = dependency.name.as_str();
            let is_foreign = !ours.contains(name);
            used.insert(dependency.name.clone());
            if is_foreign && !dependency.is_dev && !rows.iter().any(|(row, _)| row == name) {
                let message = format!("`{name}` has no row in {REASONS}");
                findings.push(Finding::new(&file.path, dependency.line, message));
            }
        }
    }
    for (name, line) in rows.iter().filter(|(name, _)| !used.contains(name)) {
        let message = format!("`{name}` is not a dependency any more");
        findings.push(Finding::new(REASONS, *line, message));
    }
    findings.extend(too_many(tree));
    findings
}

fn too_many(tree: &Tree) -> Option<Finding> {
    let lock = tree.file("Cargo.lock")?;
    let count = lock.text.lines().filter(|line| line.starts_with("source = ")).count();
    let message = format!("{count} packages of others, more than {LOCKED_PACKAGES}");
    (count > LOCKED_PACKAGES).then(|| Finding::new("Cargo.lock", 1, message))
}

/// The names in the first column of the table, with their lines.
fn rows(file: Option<&File>) -> Vec<(String, usize)> {
    let lines = file.map_or("", |file| file.text.as_str()).lines().enumerate();
    let names = lines.filter_map(|(index, line)| {
        let (name, _) = line.strip_prefix("| `")?.split_once("` |")?;
        Some((name.to_owned(), index + 1))
    });
    names.collect()
}

fn package(text: &str) -> Option<&str> {
    let (_, section) = text.split_once("[package]")?;
    let line = section.lines().find(|line| line.starts_with("name"))?;
    line.split('"').nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[package]\nname = \"text\"\n[dependencies]\nserde.workspace = true\n\
                            turn.workspace = true\n[dev-dependencies]\nproptest = \"1\"\n";

    fn messages(table: &str, locked: usize) -> Vec<String> {
        let other = "[[package]]\nname = \"x\"\nsource = \"registry\"\n".repeat(locked);
        let lock = format!("[[package]]\nname = \"ours\"\n{other}");
        let tree = Tree::of(&[
            ("Cargo.lock", &lock),
            ("crates/text/Cargo.toml", MANIFEST),
            ("crates/turn/Cargo.toml", "[package]\nname = \"turn\"\n"),
            ("docs/dependencies.md", table),
        ]);
        check(&tree).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn few_and_reasoned_passes() {
        let table = "| name | why |\n|---|---|\n| `serde` | derive |\n| `proptest` | tests |\n";
        assert_eq!(messages(table, LOCKED_PACKAGES), Vec::<String>::new());
    }

    #[test]
    fn a_missing_reason_a_stale_row_and_a_full_lock_are_found() {
        let found = messages("| `serde_json` | gone |\n", LOCKED_PACKAGES + 1);
        assert_eq!(
            found,
            [
                "`serde` has no row in docs/dependencies.md",
                "`serde_json` is not a dependency any more",
                "239 packages of others, more than 238",
            ]
        );
    }
}
