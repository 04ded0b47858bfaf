//! How good the small model in the binary is: all its cases are asked and counted.

use std::path::Path;

use crate::Failure;
use crate::process;

/// Hands its arguments on: a model file to judge instead, `--card`, `--wrong`.
pub fn command(root: &Path, arguments: &[String]) -> Result<(), Failure> {
    let mut cargo = process::cargo(root);
    cargo.args(["run", "--release", "--quiet", "--package", "kindling-eval", "--"]);
    Ok(process::succeed(cargo.args(arguments))?)
}
