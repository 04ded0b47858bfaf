//! Writes the hand-made seeds of the fuzz target `tokenizer`, and lists their verdicts.
#![allow(clippy::unwrap_used)] // Shares a module with a test.

use std::fs;
use std::io;
use std::path::Path;

#[path = "../tests/hostile/mod.rs"]
mod hostile;

fn main() -> io::Result<()> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/tokenizer"));
    fs::create_dir_all(folder)?;
    for case in hostile::cases() {
        println!("{}: {}", case.name, case.says.unwrap_or("in order"));
        fs::write(folder.join(case.name), case.bytes)?;
    }
    Ok(())
}
