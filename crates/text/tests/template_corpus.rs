//! The fuzzer's corpus of chat templates, on an ordinary test thread with its small stack.

use std::time::{Duration, Instant};

use text::template::{Error, Template, probe};

fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/template");
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let read = |path: std::path::PathBuf| {
        let data = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), data)
    };
    paths.map(read).collect()
}

#[test]
fn every_template_ends_one_way_or_the_other() {
    let corpus = corpus();
    assert!(corpus.len() > 100, "only {} templates", corpus.len());
    for (name, data) in corpus {
        let start = Instant::now();
        probe(&data);
        // Ten times what an unoptimised build on a busy machine takes for all of its fuel.
        assert!(start.elapsed() < Duration::from_secs(300), "{name} took {:?}", start.elapsed());
    }
}

#[test]
fn depth_is_refused_when_compiling() {
    for (name, data) in corpus() {
        let source = String::from_utf8_lossy(&data);
        let is_by_loop = name.contains("-by-loop") || name.contains("-from-");
        if name.starts_with("deep-") && !is_by_loop {
            let error = Template::compile(&source).err();
            assert!(matches!(error, Some(Error::Syntax { .. })), "{name}: {error:?}");
        }
    }
}
