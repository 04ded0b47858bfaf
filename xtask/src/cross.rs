//! `cargo xtask cross`: the kernels' tests for aarch64, on a machine that is none; and whether all
//! compiles for it and for Windows.
//!
//! Owns what that takes: a target, a linker with the system's C library, an emulator. Installs
//! nothing itself; what is missing is named together with the command that brings it.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::{Failure, process};

const TARGET: &str = "aarch64-unknown-linux-gnu";
const LINKER: &str = "aarch64-linux-gnu-gcc";
const WINDOWS: &str = "x86_64-pc-windows-gnu";
const WINDOWS_LINKER: &str = "x86_64-w64-mingw32-gcc";
const EMULATOR: &str = "qemu-aarch64";
/// They have TLS or SQLite in them, which have parts in C.
const WITH_C: [&str; 5] = ["api", "hearth", "models", "rag", "kindling-eval"];
/// Where Debian puts the C library of that system.
const SYSTEM: &str = "/usr/aarch64-linux-gnu";

/// What is needed, whether it is there, and what brings it.
struct Need {
    name: &'static str,
    is_there: bool,
    install: &'static str,
}

pub fn command(root: &Path, arguments: &[String]) -> Result<(), Failure> {
    if let Some(word) = arguments.first() {
        return Err(Failure::Usage(format!("`{word}` is not understood")));
    }
    require(&needs())?;
    lint(root, TARGET, &[])?;
    let mut test = process::cargo(root);
    test.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", LINKER);
    // This processor has every instruction that we know of.
    let runner = format!("{EMULATOR} -cpu max -L {SYSTEM}");
    test.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", runner);
    test.env_remove("HEARTH_GOLDEN_DIR");
    test.args(["test", "--package", "kernels", "--locked", "--target", TARGET]);
    Ok(process::succeed(&mut test)?)
}

/// The step of `cargo xtask ci`: nothing is run, so that the target is enough for most crates.
pub fn lint_if_installed(root: &Path) -> Result<(), String> {
    let [target, compiler, ..] = needs();
    lint_with(root, TARGET, [target, compiler])
}

/// The same for Windows.
pub fn lint_windows_if_installed(root: &Path) -> Result<(), String> {
    let target = Need {
        name: WINDOWS,
        is_there: has_target(WINDOWS),
        install: "rustup target add x86_64-pc-windows-gnu",
    };
    let compiler = Need {
        name: WINDOWS_LINKER,
        is_there: runs(WINDOWS_LINKER),
        install: "apt-get install gcc-mingw-w64-x86-64",
    };
    lint_with(root, WINDOWS, [target, compiler])
}

fn lint_with(root: &Path, name: &str, [target, compiler]: [Need; 2]) -> Result<(), String> {
    if let Err(why) = require(&[target]) {
        println!("skipped: {why}");
        return Ok(());
    }
    match require(&[compiler]) {
        Ok(()) => lint(root, name, &[]),
        Err(why) => {
            println!("without {}: {why}", WITH_C.join(", "));
            lint(root, name, &WITH_C)
        }
    }
}

/// `fetch` is left out: it is a tool of whoever builds, and runs nowhere else.
fn lint(root: &Path, target: &str, without: &[&str]) -> Result<(), String> {
    let mut clippy = process::cargo(root);
    clippy.args(["clippy", "--workspace", "--exclude", "fetch", "--all-targets", "--locked"]);
    clippy.args(without.iter().flat_map(|name| ["--exclude", name]));
    process::succeed(clippy.args(["--target", target, "--", "-D", "warnings"]))
}

fn needs() -> [Need; 4] {
    let library = Path::new(SYSTEM).join("lib/libc.so.6");
    [
        Need {
            name: TARGET,
            is_there: has_target(TARGET),
            install: "rustup target add aarch64-unknown-linux-gnu",
        },
        Need {
            name: LINKER,
            is_there: runs(LINKER),
            install: "apt-get install gcc-aarch64-linux-gnu",
        },
        Need {
            name: "a C library for aarch64",
            is_there: library.exists(),
            install: "apt-get install libc6-dev-arm64-cross",
        },
        Need { name: EMULATOR, is_there: runs(EMULATOR), install: "apt-get install qemu-user" },
    ]
}

fn require(needs: &[Need]) -> Result<(), String> {
    let missing = needs.iter().filter(|need| !need.is_there);
    let lines: String =
        missing.map(|Need { name, install, .. }| format!("\n  {name}: {install}")).collect();
    if lines.is_empty() { Ok(()) } else { Err(format!("this machine lacks{lines}")) }
}

/// Whether the compiler has the standard library of the target.
fn has_target(target: &str) -> bool {
    let library =
        Command::new("rustc").args(["--print", "target-libdir", "--target", target]).output();
    let Ok(library) = library else { return false };
    Path::new(String::from_utf8_lossy(&library.stdout).trim()).is_dir()
}

fn runs(program: &str) -> bool {
    let mut version = Command::new(program);
    version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    version.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_missing_is_named_at_once() {
        let need = |name, is_there| Need { name, is_there, install: "get it" };
        assert_eq!(require(&[need("a", true), need("b", true)]), Ok(()));
        let refused = require(&[need("a", false), need("b", true), need("c", false)]);
        assert_eq!(refused, Err("this machine lacks\n  a: get it\n  c: get it".to_owned()));
    }

    #[test]
    fn a_program_that_is_not_there_does_not_run() {
        assert!(runs("rustc"));
        assert!(!runs("no-such-program-here"));
    }
}
