//! Folders made into GGUF files: what comes over, and what is refused.
#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use formats::Storage;
use formats::gguf::Gguf;
use formats::safetensors::Safetensors;
use models::Error;
use models::import::{Import, Quant};
use testkit::golden;
use text::tokenizer::{Encode, Tokenizer};

fn import(folder: &Path, quant: Quant) -> Result<Gguf, Error> {
    let import = Import::open(folder, quant, "tiny")?;
    let (bytes, mut read) = (import.bytes(), 0);
    let mut file = Vec::new();
    import.write(&mut file, &mut |done| {
        read = done;
        ControlFlow::Continue(())
    })?;
    assert_eq!(read, bytes, "all that is to be read is told");
    Ok(Gguf::from_bytes(file).unwrap())
}

/// A copy of a golden folder with one text of a file replaced.
fn altered(of: &str, file: &str, (from, to): (&str, &str)) -> PathBuf {
    let name: String =
        format!("{of}-{file}-{from}-{to}").replace(|c: char| !c.is_ascii_alphanumeric(), "");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    for entry in fs::read_dir(golden(of)).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
    }
    let text = fs::read_to_string(folder.join(file)).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    fs::write(folder.join(file), text.replace(from, to)).unwrap();
    folder
}

/// The file that llama.cpp's own converter made of the same folder says the same.
#[test]
fn keys_and_numbers_are_those_of_another_converter() {
    for family in ["qwen3", "qwen2"] {
        let ours = import(&golden(&format!("models/{family}")), Quant::F32).unwrap();
        let theirs = Gguf::open(&golden(&format!("gguf/{family}.gguf"))).unwrap();
        for key in [
            "general.architecture",
            "tokenizer.ggml.model",
            "tokenizer.ggml.pre",
            "tokenizer.ggml.tokens",
            "tokenizer.ggml.token_type",
            "tokenizer.ggml.merges",
            "tokenizer.ggml.bos_token_id",
            "tokenizer.ggml.eos_token_id",
            "tokenizer.ggml.padding_token_id",
            "tokenizer.ggml.add_bos_token",
            "tokenizer.chat_template",
        ] {
            assert!(theirs.get(key).is_some(), "{key}");
            assert_eq!(ours.get(key), theirs.get(key), "{family}: {key}");
        }
        let own = |key: &str| key.starts_with(family);
        for (key, value) in theirs.keys().filter(|(key, _)| own(key)) {
            assert_eq!(ours.get(key), Some(value), "{family}: {key}");
        }
        assert_eq!(ours.tensors().count(), theirs.tensors().count());
        for tensor in theirs.tensors().filter(|tensor| tensor.storage == Storage::F32) {
            assert_eq!(ours.tensor(tensor.name), Some(tensor), "{family}");
        }
    }
}

#[test]
fn matrices_are_quantised_and_rows_are_not() {
    let folder = golden("models/qwen3");
    for (quant, storage) in [(Quant::Q8_0, Storage::Q8_0), (Quant::F16, Storage::F16)] {
        let gguf = import(&folder, quant).unwrap();
        assert_eq!(gguf.tensor("blk.0.attn_norm.weight").unwrap().storage, Storage::F32);
        assert_eq!(gguf.tensor("blk.2.ffn_down.weight").unwrap().storage, storage);
        assert_eq!(gguf.tensor("token_embd.weight").unwrap().storage, storage);
        assert!(gguf.tensor("output.weight").is_none(), "the head is the embedding");
    }
}

#[test]
fn both_tokenizers_read_alike() {
    let folder = golden("models/qwen3");
    let ours = Tokenizer::from_gguf(&import(&folder, Quant::F32).unwrap()).unwrap();
    let theirs = Tokenizer::from_folder(&folder).unwrap();
    let markup = Encode { markup: true, add_special: true };
    for text in ["Hello there, it's 2026!\n\n  x", "Grüße aus Köln<|eos|>", "日本 🙂\t"] {
        assert_eq!(ours.encode(text, markup), theirs.encode(text, markup), "{text}");
    }
    assert_eq!((ours.eos(), ours.ends()), (theirs.eos(), theirs.ends()));
}

#[test]
fn rows_without_a_token_and_further_ends_come_over() {
    let added = r#""eos_token_id": [2, 7, 9000],"#;
    let folder =
        altered("models/qwen3", "generation_config.json", (r#""eos_token_id": 2,"#, added));
    let generation = fs::read_to_string(folder.join("generation_config.json")).unwrap();
    let greedy = generation.replacen('{', "{\"do_sample\": false, \"temperature\": 0.6,", 1);
    fs::write(folder.join("generation_config.json"), greedy).unwrap();
    let json = fs::read_to_string(folder.join("tokenizer.json")).unwrap();
    let mut tokenizer: serde_json::Value = serde_json::from_str(&json).unwrap();
    let (merges, last) = (tokenizer["model"]["merges"].as_array_mut().unwrap(), 319);
    merges.pop();
    tokenizer["model"]["vocab"].as_object_mut().unwrap().retain(|_, id| *id != last);
    fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).unwrap();
    let gguf = import(&folder, Quant::F32).unwrap();
    assert_eq!(gguf.f32("general.sampling.temp").unwrap(), Some(0.0));
    assert_eq!(gguf.u32("tokenizer.ggml.eot_token_id").unwrap(), Some(7));
    let tokens = gguf.array("tokenizer.ggml.tokens").unwrap().unwrap();
    assert_eq!(tokens.strings().unwrap().nth(319), Some(Ok("[PAD319]")));
    let kinds = gguf.array("tokenizer.ggml.token_type").unwrap().unwrap();
    assert_eq!(kinds.i32s().unwrap().nth(319), Some(5));
    let ends = Tokenizer::from_gguf(&gguf).unwrap().ends().to_vec();
    assert_eq!(ends, Tokenizer::from_folder(&folder).unwrap().ends());
}

#[test]
fn what_cannot_come_over_is_refused_by_name() {
    let (config, tokenizer) = ("config.json", "tokenizer.json");
    for (file, change, said) in [
        (config, ("Qwen3ForCausalLM", "Nobody"), "Nobody"),
        (config, (r#""use_sliding_window": false"#, r#""use_sliding_window": true"#), "sliding"),
        (config, (r#""rope_type": "default""#, r#""rope_type": "yarn", "factor": 2"#), "yarn"),
        (config, (r#""hidden_size": 64"#, r#""hidden_size": 96"#), "96"),
        (config, ("{", ""), "not JSON"),
        (tokenizer, (r"|\\p{N}|", r"|\\p{N}{1,3}|"), r"\\p{N}{1,3}"),
        (tokenizer, (r#""normalizer":null"#, r#""normalizer":{"type":"NFKC"}"#), "NFKC"),
        (tokenizer, (r#""ignore_merges":false"#, r#""ignore_merges":true"#), "ignore_merges"),
        (tokenizer, (r#""lstrip":false"#, r#""lstrip":true"#), "<|pad|>"),
    ] {
        let spaced = golden("models/qwen3").join(file);
        let compact = fs::read_to_string(&spaced).unwrap().contains(change.0);
        let change = match compact {
            true => (change.0.to_owned(), change.1.to_owned()),
            false => (change.0.replace(':', ": "), change.1.replace(':', ": ")),
        };
        let folder = altered("models/qwen3", file, (&change.0, &change.1));
        let error = import(&folder, Quant::Q8_0).unwrap_err().to_string();
        assert!(error.contains(said), "{change:?}: {error}");
    }
    let error = import(&golden("models/llama"), Quant::Q8_0).unwrap_err().to_string();
    assert!(error.contains("llama") && error.contains("qwen2 and qwen3"), "{error}");
    let error = import(&golden("variants/qwen3-gptq"), Quant::Q8_0).unwrap_err().to_string();
    assert!(error.contains("gptq"), "{error}");
    let error = import(&golden("gguf/qwen3.gguf"), Quant::Q8_0).unwrap_err().to_string();
    assert!(error.contains("no folder"), "{error}");
}

#[test]
fn numbers_that_cannot_be_stored_are_refused() {
    let folder = altered("models/qwen3", "config.json", ("{", " {"));
    let path = folder.join("model.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.len() - 1;
    // The upper byte of the last number: beyond all numbers in every float format.
    bytes[end - 1..].copy_from_slice(&[0xff, 0x7f]);
    fs::write(&path, &bytes).unwrap();
    let last = Safetensors::open(&folder).unwrap().tensors().last().unwrap().name.to_owned();
    let error = import(&folder, Quant::F16).unwrap_err();
    assert!(matches!(&error, Error::Number { tensor, .. } if *tensor == last), "{error}");
}

#[test]
fn it_ends_when_it_is_told_to_or_cannot_write() {
    let open = || Import::open(&golden("models/qwen3"), Quant::Q8_0, "tiny").unwrap();
    let stopped = open().write(io::sink(), &mut |_| ControlFlow::Break(()));
    assert!(matches!(stopped, Err(Error::Stopped)));
    let mut full = [0; 20_000];
    let failed = open().write(&mut full[..], &mut |_| ControlFlow::Continue(()));
    assert!(matches!(failed, Err(Error::Write(_))), "{failed:?}");
}
