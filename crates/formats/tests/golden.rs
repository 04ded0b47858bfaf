//! The files of `golden/`, read and written again, and the vendors' vocabularies.
#![allow(clippy::unwrap_used)] // All of this file is tests, their helpers too.

use std::fs;
use std::path::{Path, PathBuf};

use formats::gguf::{Gguf, Value, Writer};
use formats::{Safetensors, Storage};
use testkit::golden;

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(golden(folder)).unwrap().map(|entry| entry.unwrap().path());
    let mut files = entries.collect::<Vec<_>>();
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    assert!(!files.is_empty(), "{folder} has no .{extension}");
    files.sort();
    files
}

/// The same model, written from what was read.
fn rewritten(file: &Gguf) -> Vec<u8> {
    let mut writer = Writer::new();
    for (key, value) in file.keys() {
        writer.key(key, value).unwrap();
    }
    for tensor in file.tensors() {
        writer.tensor(tensor.name, tensor.storage, &tensor.shape).unwrap();
    }
    let mut body = writer.begin(Vec::new()).unwrap();
    for tensor in file.tensors() {
        body.tensor(tensor.bytes).unwrap();
    }
    body.finish().unwrap()
}

#[test]
fn models_are_rewritten_to_the_same_bytes() {
    for path in files("gguf", "gguf").iter().chain(&files("quant", "gguf")) {
        let file = Gguf::open(path).unwrap();
        let architecture = file.str("general.architecture").unwrap().unwrap();
        assert!(file.u32(&format!("{architecture}.block_count")).unwrap().unwrap() > 0);
        assert!(rewritten(&file) == fs::read(path).unwrap(), "{}", path.display());
    }
}

#[test]
fn vocabularies_are_rewritten_to_the_same_bytes() {
    for name in ["bert-bge", "llama-spm", "qwen2"] {
        let path = testkit::vocabulary(name);
        let file = Gguf::open(&path).unwrap();
        let mut written = rewritten(&file);
        // Without tensors there is nothing to align, and vendors' files end with the metadata.
        let whole = fs::read(&path).unwrap();
        written.truncate(whole.len());
        assert!(written == whole, "{name}");
    }
}

#[test]
fn a_vocabulary_says_what_it_is() {
    let file = Gguf::open(&testkit::vocabulary("llama-spm")).unwrap();
    assert_eq!(file.str("tokenizer.ggml.model").unwrap(), Some("llama"));
    let tokens = file.array("tokenizer.ggml.tokens").unwrap().unwrap();
    let scores = file.array("tokenizer.ggml.scores").unwrap().unwrap();
    assert_eq!(tokens.len(), 32_000);
    assert_eq!(tokens.strings().unwrap().nth(2), Some(Ok("</s>")));
    assert_eq!(scores.f32s().unwrap().len(), 32_000);
    assert_eq!(scores.strings().map(drop), None);
}

#[test]
fn a_model_cut_at_any_byte_is_refused() {
    let path = &files("gguf", "gguf")[0];
    let whole = fs::read(path).unwrap();
    let file = Gguf::open(path).unwrap();
    let last = file.tensors().last().unwrap();
    let padding = last.bytes.len().next_multiple_of(32) - last.bytes.len();
    let end = whole.len() - padding;
    let head = whole.len() - file.tensors().map(|tensor| tensor.bytes.len()).sum::<usize>();
    // Every cut through the head, and some through the tensors.
    for length in (0..head).step_by(7).chain((head..end).step_by(4001)).chain([end - 1]) {
        assert!(Gguf::from_bytes(whole[..length].to_vec()).is_err(), "cut to {length} bytes");
    }
    assert!(Gguf::from_bytes(whole[..end].to_vec()).is_ok());
}

#[test]
fn block_sizes_and_ids_are_those_of_the_reference() {
    let report = fs::read(golden("blocks/report.json")).unwrap();
    let report = serde_json::from_slice::<serde_json::Value>(&report).unwrap();
    let report = report.as_object().unwrap();
    assert_eq!(report.len(), 27);
    for (name, row) in report {
        let number = |field: &str| row[field].as_u64().unwrap();
        let storage = Storage::from_ggml(number("id") as u32).unwrap();
        assert_eq!(storage.name(), name);
        let expected = Some(number("bytes_per_block"));
        assert_eq!(storage.bytes(number("values_per_block")), expected, "{name}");
        let numbers = storage.block().0 as u64;
        // The report calls 32 numbers of the float types a block.
        assert!(numbers == number("values_per_block") || numbers == 1, "{name}");
    }
}

#[test]
fn safetensors_of_the_models_open() {
    let blocks = Safetensors::open(&golden("blocks/blocks.safetensors")).unwrap();
    let raw = blocks.tensor("Q4_K.raw").unwrap();
    assert_eq!((raw.storage, &*raw.shape), (Storage::U8, [64, 144].as_slice()));
    for family in ["llama", "mistral", "qwen2", "qwen3"] {
        let folder = golden("models").join(family);
        let model = Safetensors::open(&folder).unwrap();
        let file = Safetensors::open(&folder.join("model.safetensors")).unwrap();
        assert!(model.tensors().eq(file.tensors()));
        assert!(model.tensor("model.embed_tokens.weight").is_some(), "{family}");
        assert!(Safetensors::open(&folder.join("expected.safetensors")).is_ok(), "{family}");
    }
}

#[test]
fn errors_name_the_file() {
    let error = Gguf::open(&golden("blocks/blocks.safetensors")).unwrap_err();
    assert!(error.to_string().ends_with("not a GGUF file: it is a safetensors file"), "{error}");
    assert!(error.file.unwrap().ends_with("blocks.safetensors"));
    let error = Gguf::open(Path::new("no such file")).unwrap_err();
    assert!(error.to_string().starts_with("no such file: "), "{error}");
    let empty = Path::new(env!("CARGO_TARGET_TMPDIR")).join("golden-empty.gguf");
    fs::write(&empty, b"").unwrap();
    let error = Gguf::open(&empty).unwrap_err();
    assert!(error.to_string().ends_with("not a GGUF file: it is empty"), "{error}");
    let error = Gguf::open(&golden("gguf")).unwrap_err();
    assert!(error.to_string().ends_with("it is not a regular file"), "{error}");
}

#[test]
fn values_of_the_wrong_type_are_named() {
    let mut writer = Writer::new();
    writer.key("text", Value::Str("t")).unwrap();
    writer.key("small", Value::I8(-1)).unwrap();
    writer.key("big", Value::U64(1 << 40)).unwrap();
    writer.key("wide", Value::F64(0.5)).unwrap();
    let bytes = writer.begin(Vec::new()).unwrap().finish().unwrap();
    let file = Gguf::from_bytes(bytes).unwrap();

    assert_eq!(file.u32("absent").unwrap(), None);
    assert_eq!(file.u64("big").unwrap(), Some(1 << 40));
    assert_eq!(file.f32("wide").unwrap(), Some(0.5));
    let said = |error: formats::Error| error.to_string();
    let wrong = "the key \"text\" holds a value of type string where u32 is needed (at byte 24)";
    assert_eq!(said(file.u32("text").unwrap_err()), wrong);
    assert!(said(file.u32("small").unwrap_err()).contains("holds -1, which does not fit u32"));
    assert!(said(file.u32("big").unwrap_err()).contains("holds 1099511627776"));
    assert!(said(file.str("big").unwrap_err()).contains("type u64 where string is needed"));
    assert!(said(file.bool("small").unwrap_err()).contains("type i8 where bool"));
    assert!(said(file.array("text").unwrap_err()).contains("where array"));
    assert!(said(file.f32("big").unwrap_err()).contains("where f32"));
}

#[test]
fn a_place_leads_back_to_the_bytes() {
    let gguf = Gguf::open(&golden("gguf/qwen3.gguf")).unwrap();
    let other = Gguf::open(&golden("gguf/llama.gguf")).unwrap();
    for tensor in gguf.tensors() {
        let place = gguf.place(&tensor).expect("it lies in this file");
        assert_eq!(gguf.bytes_at(&place).as_ptr(), tensor.bytes.as_ptr());
        assert_eq!(gguf.bytes_at(&place).len(), tensor.bytes.len());
        assert_eq!(other.place(&tensor), None);
    }
}
