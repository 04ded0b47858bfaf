//! The order of the crates, and which crate may know which.
//!
//! The root manifest lists the members in the order in which a request meets them. A crate may
//! depend on crates below it, and of those only on the ones named here. Crates that are never
//! shipped stand outside the order; what they may know is still named.

use super::manifest;
use super::tree::{Finding, Tree};

struct Crate {
    path: &'static str,
    /// What it may depend on; an edge is added here before it is added to a manifest.
    may_know: &'static [&'static str],
}

const fn may(path: &'static str, may_know: &'static [&'static str]) -> Crate {
    Crate { path, may_know }
}

/// Everything, for the crate that wires all others together.
const ALL: &[&str] = &["*"];

/// From the door down. A crate may be absent until it is needed. The ones whose edges are not yet
/// decided may know nothing.
const CRATES: [Crate; 21] = [
    may("crates/hearth", ALL),
    may("crates/api", &["turn"]),
    may("crates/flow", &["engine", "text", "turn"]),
    may("crates/tasks", &["kernels", "turn"]),
    may("crates/guard", &[]),
    may("crates/rag", &[]),
    may("crates/route", &[]),
    may("crates/remote", &[]),
    may("crates/models", &["arch", "kernels", "text", "formats"]),
    may("crates/ledger", &[]),
    may("crates/engine", &["arch", "kernels", "text", "formats", "turn"]),
    may("crates/arch", &["kernels", "formats"]),
    may("crates/kernels", &[]),
    may("crates/text", &["formats", "turn"]),
    may("crates/formats", &[]),
    may("crates/turn", &[]),
    may("crates/testkit", &["formats"]),
    may("xtask", &[]),
    may("xtask/fetch", &[]),
    may("kindling/eval", &["arch", "engine", "flow", "rag", "tasks", "text", "turn"]),
    may("kindling/gradients", &[]),
];

/// From here on nothing is shipped, and the order says nothing.
const FIRST_UNSHIPPED: &str = "crates/testkit";
/// What the tests of every crate may know besides: golden files are read through these, and tiny
/// models opened.
const FOR_TESTS: [&str; 3] = ["testkit", "formats", "arch"];

pub fn check(tree: &Tree) -> Vec<Finding> {
    let Some(root) = tree.file("Cargo.toml") else {
        return vec![Finding::new("Cargo.toml", 1, "there is no root manifest")];
    };
    let members = manifest::members(&root.text);
    let mut findings = check_members(&members);
    for (path, line) in &members {
        let manifest = format!("{path}/Cargo.toml");
        match tree.file(&manifest) {
            Some(file) => findings.extend(check_edges(path, &manifest, &file.text)),
            None => findings.push(Finding::new("Cargo.toml", *line, no_manifest(path))),
        }
    }
    findings
}

fn no_manifest(path: &str) -> String {
    format!("member `{path}` has no Cargo.toml")
}

/// Members must be known, and stand in the order of the table.
fn check_members(members: &[(String, usize)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut highest = (0, "");
    for (path, line) in members {
        match position(path) {
            None => {
                let message = format!("member `{path}` is not in the table of tidy's order check");
                findings.push(Finding::new("Cargo.toml", *line, message));
            }
            Some(at) if at < highest.0 => {
                let message = format!("member `{path}` must stand above `{}`", highest.1);
                findings.push(Finding::new("Cargo.toml", *line, message));
            }
            Some(at) => highest = (at, path),
        }
    }
    findings
}

fn check_edges(path: &str, manifest: &str, text: &str) -> Vec<Finding> {
    let Some(at) = position(path) else { return Vec::new() };
    let from = name(path);
    let mut findings = Vec::new();
    for dependency in manifest::dependencies(text) {
        let Some(to) = CRATES.iter().position(|known| name(known.path) == dependency.name) else {
            continue;
        };
        let is_for_tests = dependency.is_dev && FOR_TESTS.contains(&dependency.name.as_str());
        if !is_for_tests && let Some(reason) = refusal(at, to) {
            let message = format!("`{from}` may not know `{}`: {reason}", dependency.name);
            findings.push(Finding::new(manifest, dependency.line, message));
        }
    }
    findings
}

/// Why one crate of the table may not depend on another; `None` when it may.
fn refusal(from: usize, to: usize) -> Option<&'static str> {
    let unshipped = position(FIRST_UNSHIPPED)?;
    if from < unshipped && to <= from {
        return Some("it is not below");
    }
    if from < unshipped && to >= unshipped {
        return Some("that is never shipped");
    }
    let may_know = CRATES[from].may_know;
    let is_named = may_know == ALL || may_know.contains(&name(CRATES[to].path));
    if is_named { None } else { Some("the edge is not in the table of tidy's order check") }
}

fn position(path: &str) -> Option<usize> {
    CRATES.iter().position(|known| known.path == path)
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(members: &[&str]) -> String {
        let quoted: Vec<_> = members.iter().map(|member| format!("\"{member}\"")).collect();
        format!("[workspace]\nmembers = [{}]\n", quoted.join(", "))
    }

    fn messages(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files)).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn allowed_edges_pass() {
        let members = root(&["crates/hearth", "crates/arch", "crates/kernels", "crates/testkit"]);
        let found = messages(&[
            ("Cargo.toml", &members),
            ("crates/hearth/Cargo.toml", "[dependencies]\narch.workspace = true\nclap = \"4\"\n"),
            ("crates/arch/Cargo.toml", "[dependencies]\nkernels = { path = \"../kernels\" }\n"),
            ("crates/kernels/Cargo.toml", "[dev-dependencies]\ntestkit = \"\"\nformats = \"\"\n"),
            ("crates/testkit/Cargo.toml", "[dependencies]\nformats.workspace = true\n"),
        ]);
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn forbidden_edges_are_found() {
        let members = root(&["crates/arch", "crates/kernels", "crates/formats"]);
        let found = messages(&[
            ("Cargo.toml", &members),
            ("crates/arch/Cargo.toml", "[dependencies]\ntext.workspace = true\n"),
            ("crates/kernels/Cargo.toml", "[dependencies]\narch.workspace = true\n"),
            ("crates/formats/Cargo.toml", "[dependencies]\ntestkit.workspace = true\n"),
        ]);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("`arch` may not know `text`: the edge"));
        assert!(found[1].starts_with("`kernels` may not know `arch`: it is not below"));
        assert!(found[2].starts_with("`formats` may not know `testkit`: that is never shipped"));
    }

    #[test]
    fn members_out_of_order_or_unknown_are_found() {
        let members = root(&["crates/kernels", "crates/arch", "crates/helper"]);
        let empty = [("crates/kernels/Cargo.toml", ""), ("crates/arch/Cargo.toml", "")];
        let found = messages(&[("Cargo.toml", &members), empty[0], empty[1]]);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].contains("`crates/arch` must stand above `crates/kernels`"));
        assert!(found[1].contains("`crates/helper` is not in the table"));
        assert!(found[2].contains("`crates/helper` has no Cargo.toml"));
    }

    #[test]
    fn the_table_itself_points_down() {
        for (at, known) in CRATES.iter().enumerate().filter(|(_, known)| known.may_know != ALL) {
            for other in known.may_know {
                let to = CRATES.iter().position(|known| name(known.path) == *other);
                let to = to.unwrap_or_else(|| panic!("{other} is not a crate"));
                assert_eq!(refusal(at, to), None, "{} -> {other}", known.path);
            }
        }
    }
}
