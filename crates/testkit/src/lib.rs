//! What the tests of all crates share: where the golden files are and how close is close.
//!
//! Never shipped. Knows the layout of `golden/`, and nothing of the code under test.

mod expected;

use std::path::{Path, PathBuf};

pub use expected::{Difference, Expected};

/// The path of a file or folder under `golden/`, or under `$HEARTH_GOLDEN_DIR` when that is set: a
/// mutation test points there to a spoiled copy.
pub fn golden(path: &str) -> PathBuf {
    match std::env::var_os("HEARTH_GOLDEN_DIR") {
        Some(dir) => PathBuf::from(dir).join(path),
        None => root().join("golden").join(path),
    }
}

/// The path of a vendor's vocabulary, which `cargo xtask golden` has put under `target/`.
///
/// # Panics
/// When it is not there: a test that needs it must fail, not pass unseen.
pub fn vocabulary(name: &str) -> PathBuf {
    let path = root().join("target/golden/tokenizers").join(format!("ggml-vocab-{name}.gguf"));
    assert!(path.exists(), "{} is missing: run `cargo xtask golden`", path.display());
    path
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
