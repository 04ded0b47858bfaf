//! The binary as a user meets it: one test binary, the real program, files in a folder of its own.
#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

mod bench;
mod bits;
mod config;
mod errors;
mod import;
mod keys;
mod kindling;
mod log;
mod models;
#[path = "../../../models/tests/registry/mod.rs"]
mod registry;
mod run;
mod serve;
mod show;
mod tasks;
mod tls;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The program, without anything of the environment that changes what it does.
fn hearth() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearth"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HEARTH_") {
            command.env_remove(name);
        }
    }
    // Not the home of whoever runs the tests.
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-home");
    command.env("HEARTH_HOME", home).stdin(Stdio::null());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Runs to the end; panics with everything it said when the exit code is another.
fn expect(command: &mut Command, code: i32) -> Output {
    let output = command.output().unwrap();
    let said = format!("{command:?}\n{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{said}");
    output
}

/// A folder for one test's files, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

/// A copy of a tiny model in which one file has one text replaced.
fn altered(name: &str, file: &str, from: &str, to: &str) -> Folder {
    let folder = Folder::new(name);
    for entry in std::fs::read_dir(testkit::golden("models/qwen3")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.path(&entry.file_name().to_string_lossy())).unwrap();
    }
    let text = std::fs::read_to_string(folder.path(file)).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    std::fs::write(folder.path(file), text.replace(from, to)).unwrap();
    folder
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
