//! The chores of this repository, run as `cargo xtask COMMAND`.
//!
//! This file owns the list of commands and the exit codes: 0 done, 1 failed, 2 not understood.
//! Nothing here is shipped, and nothing here knows what the product does.

mod ci;
mod clients;
mod cross;
mod fuzz;
mod golden;
mod kindling;
mod mutate;
mod process;
mod tidy;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Why a command did not succeed.
enum Failure {
    /// The command line makes no sense.
    Usage(String),
    /// The work was done as asked, and its outcome is bad.
    Failed(String),
}

impl From<String> for Failure {
    fn from(reason: String) -> Failure {
        Failure::Failed(reason)
    }
}

struct Command {
    name: &'static str,
    arguments: &'static str,
    about: &'static str,
    run: fn(&Path, &[String]) -> Result<(), Failure>,
}

const COMMANDS: [Command; 8] = [
    Command {
        name: "ci",
        arguments: "[--list] [--only STEP]...",
        about: "everything that must pass before a change is merged",
        run: ci::command,
    },
    Command {
        name: "golden",
        arguments: "",
        about: "bring the vendors' vocabularies into target/golden/tokenizers",
        run: golden::command,
    },
    Command {
        name: "tidy",
        arguments: "[--list] [--only CHECK]...",
        about: "check the rules of the house",
        run: tidy::command,
    },
    Command {
        name: "clients",
        arguments: "[--only CASES]...",
        about: "drive a server with the client libraries that people have",
        run: clients::command,
    },
    Command {
        name: "cross",
        arguments: "",
        about: "test the kernels for aarch64, in an emulator",
        run: cross::command,
    },
    Command {
        name: "fuzz",
        arguments: "[--seconds N] [TARGET]...",
        about: "run the fuzz targets, 60 seconds each",
        run: fuzz::command,
    },
    Command {
        name: "kindling-eval",
        arguments: "[MODEL] [--card] [--wrong]",
        about: "ask the small model its cases, and count what is right",
        run: kindling::command,
    },
    Command {
        name: "mutate",
        arguments: "[--list] [--only NAME]...",
        about: "spoil expected values and source lines, and demand that tests fail",
        run: mutate::command,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(reason)) => {
            eprintln!("xtask: {reason}\n\n{}", usage());
            ExitCode::from(2)
        }
        Err(Failure::Failed(reason)) => {
            eprintln!("xtask: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<(), Failure> {
    let Some((name, rest)) = arguments.split_first() else {
        print_usage();
        return Ok(());
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") || rest.iter().any(|word| word == "--help")
    {
        print_usage();
        return Ok(());
    }
    let command = COMMANDS
        .iter()
        .find(|command| command.name == name)
        .ok_or_else(|| Failure::Usage(format!("there is no command `{name}`")))?;
    (command.run)(&repository_root(), rest)
}

/// A reader who has seen enough closes the pipe, which is no failure of ours.
fn print_usage() {
    let _ = writeln!(io::stdout(), "{}", usage());
}

fn usage() -> String {
    let mut text = String::from("usage: cargo xtask COMMAND\n");
    for Command { name, arguments, about, .. } in &COMMANDS {
        text += &format!("\n  {:<32} {about}", format!("{name} {arguments}"));
    }
    text
}

/// The folder of the root manifest: cargo says where this crate is, also after a move.
fn repository_root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// What most commands accept: `--list`, and `--only NAME` any number of times.
struct Selection {
    list: bool,
    only: Vec<String>,
}

impl Selection {
    /// Reads the arguments; every name must be one of `known`.
    fn parse(arguments: &[String], known: &[&str]) -> Result<Selection, Failure> {
        let mut selection = Selection { list: false, only: Vec::new() };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--list" => selection.list = true,
                "--only" => match words.next() {
                    Some(name) if known.contains(&name.as_str()) => {
                        selection.only.push(name.clone());
                    }
                    Some(name) => return Err(Failure::Usage(not_among(name, known))),
                    None => return Err(Failure::Usage("--only needs a name".to_owned())),
                },
                _ => return Err(Failure::Usage(format!("`{word}` is not understood"))),
            }
        }
        Ok(selection)
    }

    fn takes(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }
}

fn not_among(name: &str, known: &[&str]) -> String {
    format!("there is no `{name}` among: {}", known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_selection_takes_all_or_what_is_named() {
        let all = Selection::parse(&[], &["a", "b"]).unwrap_or_else(|_| panic!("refused"));
        assert!(all.takes("a") && all.takes("b") && !all.list);
        let one = Selection::parse(&words("--only b"), &["a", "b"]);
        let one = one.unwrap_or_else(|_| panic!("refused"));
        assert!(one.takes("b") && !one.takes("a"));
    }

    #[test]
    fn what_is_not_understood_is_a_usage_failure() {
        for line in ["--only c", "--only", "--nonsense", "a"] {
            let refused = Selection::parse(&words(line), &["a", "b"]);
            assert!(matches!(refused, Err(Failure::Usage(_))), "{line}");
        }
        assert!(matches!(dispatch(&words("nonsense")), Err(Failure::Usage(_))));
    }

    #[test]
    fn help_names_every_command() {
        let text = usage();
        assert!(COMMANDS.iter().all(|command| text.contains(command.name)));
    }
}
