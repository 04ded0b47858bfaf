//! Quantised models: the canon's logits must be at least as close to the reference, which computes
//! with the same weights in float32, as llama.cpp's are.
#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

use std::path::PathBuf;

use arch::Kept;
use engine::{Engine, Feed, Sequence, Settings, Wanted};
use testkit::{Difference, Expected, golden};

fn files() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(golden("quant")).unwrap();
    let mut files: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "gguf"));
    files.sort();
    files
}

fn logits(path: &std::path::Path, ids: &[u32], kept: Kept) -> Vec<f32> {
    let source = arch::Source::open(path).unwrap();
    let (model, settings) = (
        arch::load_keeping(&source, kept).unwrap(),
        Settings { kept: Some(kept), ..Settings::default() },
    );
    let mut engine = Engine::new(model, settings).unwrap();
    let feed = Feed { sequence: &mut Sequence::default(), tokens: ids, wanted: Wanted::All };
    engine.step(&mut [feed]).unwrap().to_vec()
}

#[test]
fn whole_numbers_are_kept_beside_quantised_weights_and_floats_beside_floats() {
    let suits = |path: &std::path::Path| {
        let source = arch::Source::open(path).unwrap();
        let kept = arch::load_keeping(&source, None).unwrap().shape().kept;
        assert_eq!(kept, source.suits(), "{}", path.display());
        kept
    };
    for path in files() {
        let is_float = ["BF16", "F16"].iter().any(|name| path.to_string_lossy().contains(name));
        assert_eq!(suits(&path) == Kept::F32, is_float, "{}", path.display());
    }
    for quantised in ["models/gpt-oss-mxfp4", "variants/qwen3-gptq", "variants/qwen3-fp8-rows"] {
        assert_eq!(suits(&golden(quantised)), Kept::I16, "{quantised}");
    }
    for float in ["models/gpt-oss", "models/qwen3", "variants/qwen3-bias"] {
        assert_eq!(suits(&golden(float)), Kept::F32, "{float}");
    }
}

#[test]
fn no_further_from_the_reference_than_llama_cpp() {
    let files = files();
    assert!(files.len() >= 14, "{files:?}");
    println!("{:30} {:>10} {:>10} {:>10} {:>10}", "file", "max", "mean", "llama max", "mean");
    let mut worse = Vec::new();
    for (path, kept) in files.iter().flat_map(|path| Kept::ALL.map(|kept| (path, kept))) {
        let expected = Expected::open(&path.with_extension("expected.safetensors"));
        let reference = expected.floats("reference_logits");
        let ours = Difference::between(&logits(path, &expected.ids("input_ids"), kept), &reference);
        let llama = Difference::between(&expected.floats("llamacpp_logits"), &reference);
        let name = path.file_stem().unwrap().to_string_lossy();
        let name = format!("{name}, {}", kept.name());
        println!(
            "{name:30} {:10.6} {:10.6} {:10.6} {:10.6} {:6.3}",
            ours.max,
            ours.mean,
            llama.max,
            llama.mean,
            ours.mean / llama.mean
        );
        // With F16 weights neither side rounds, and both differ by the noise of float32 alone, or
        // by that of rounded keys and values.
        let (max, mean) = if kept == Kept::F32 { (1e-3, 2e-5) } else { (1e-2, 1e-3) };
        let noise = ours.max <= max && ours.mean <= mean;
        if ours.mean > llama.mean && !noise {
            worse.push(name);
        }
    }
    assert!(worse.is_empty(), "further from the reference than llama.cpp: {worse:?}");
}
