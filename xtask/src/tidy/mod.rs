//! `cargo xtask tidy`: the rules of the house that a program can hold.
//!
//! Each check is a module with one function from the tree to its findings, and with tests that show
//! it passing and failing. This file owns the list of checks and what a check may look at.

mod decisions;
mod dependencies;
mod goldens;
mod headers;
mod limits;
mod manifest;
mod order;
mod paths;
mod sockets;
mod source;
pub mod tree;
mod unsafety;
mod words;

use std::io::{self, Write};
use std::path::Path;

use crate::{Failure, Selection};
use tree::{Finding, Tree};

struct Check {
    name: &'static str,
    about: &'static str,
    run: fn(&Tree) -> Vec<Finding>,
}

const CHECKS: [Check; 10] = [
    Check { name: "order", about: "crates know only crates below them", run: order::check },
    Check { name: "limits", about: "sizes of files, functions, lines", run: limits::check },
    Check { name: "unsafety", about: "unsafe in three places, explained", run: unsafety::check },
    Check { name: "sockets", about: "sockets only where allowed", run: sockets::check },
    Check { name: "paths", about: "paths named in Markdown exist", run: paths::check },
    Check { name: "words", about: "words and names that are not used", run: words::check },
    Check { name: "goldens", about: "every golden file is read by a test", run: goldens::check },
    Check { name: "headers", about: "every file says what it owns", run: headers::check },
    Check { name: "dependencies", about: "few, each with a reason", run: dependencies::check },
    Check { name: "decisions", about: "one page each, numbered once", run: decisions::check },
];

pub fn command(root: &Path, arguments: &[String]) -> Result<(), Failure> {
    let selection = Selection::parse(arguments, &CHECKS.map(|check| check.name))?;
    if selection.list {
        for Check { name, about, .. } in &CHECKS {
            println!("{name:<13} {about}");
        }
        return Ok(());
    }
    Ok(run_selected(root, &selection)?)
}

/// Runs all checks.
pub fn run(root: &Path) -> Result<(), String> {
    run_selected(root, &Selection { list: false, only: Vec::new() })
}

fn run_selected(root: &Path, selection: &Selection) -> Result<(), String> {
    let tree = Tree::load(root)?;
    let mut report = Vec::new();
    for check in CHECKS.iter().filter(|check| selection.takes(check.name)) {
        for Finding { path, line, message } in (check.run)(&tree) {
            report.push(format!("{path}:{line}: {message} [{}]\n", check.name));
        }
    }
    // A reader who has seen enough closes the pipe, which is no failure of ours.
    let _ = io::stdout().write_all(report.concat().as_bytes());
    match report.len() {
        0 => {
            println!("tidy: {} files, no findings", tree.files.len());
            Ok(())
        }
        1 => Err("tidy: 1 finding".to_owned()),
        count => Err(format!("tidy: {count} findings")),
    }
}
