//! Writes the hand-made seeds of the fuzz targets to `fuzz/corpus`, and lists their verdicts.

use std::fs;
use std::io;
use std::path::Path;

#[path = "../tests/hostile/mod.rs"]
mod hostile;

fn main() -> io::Result<()> {
    let corpus = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus"));
    for (target, cases) in
        [("gguf", hostile::gguf::cases()), ("safetensors", hostile::safetensors::cases())]
    {
        let folder = corpus.join(target);
        fs::create_dir_all(&folder)?;
        for case in cases {
            println!("{}: {}", case.name, case.says.unwrap_or("in order"));
            fs::write(folder.join(case.name), case.bytes)?;
        }
    }
    Ok(())
}
