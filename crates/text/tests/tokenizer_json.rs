//! `tokenizer.json` in the forms that were published: golden ids, agreement with the GGUF form of
//! the same vocabulary, and agreement with the reference implementation on arbitrary text.
#![allow(clippy::unwrap_used)] // All of this file is tests, their helpers too.

mod published;

use std::fs;

use formats::gguf::Gguf;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use text::tokenizer::{Encode, Tokenizer};

fn cases(name: &str) -> Value {
    let path = testkit::golden(&format!("tokenizers/cases/{name}.json"));
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn from_gguf(name: &str) -> Tokenizer {
    Tokenizer::from_gguf(&Gguf::open(&testkit::vocabulary(name)).unwrap()).unwrap()
}

#[test]
fn published_files_give_the_golden_ids() {
    for name in published::NAMES {
        let json = serde_json::to_vec(&published::tokenizer_json(name)).unwrap();
        let config = published::config(name);
        let ours = Tokenizer::from_json(&json, config.map(str::as_bytes)).unwrap();
        let gguf = from_gguf(name);
        for case in cases(name)["cases"].as_array().unwrap() {
            let text = case["text"].as_str().unwrap();
            for (markup, mode) in [(false, "plain"), (true, "special")] {
                let options = Encode { markup, add_special: true };
                let ids = ours.encode(text, options);
                assert_eq!(ids, gguf.encode(text, options), "{name} {mode} {text:?}");
                assert_eq!(ours.decode(&ids, markup), gguf.decode(&ids, markup), "{name} {text:?}");
            }
        }
        assert!((0..ours.len() as u32).all(|id| ours.bytes_of(id) == gguf.bytes_of(id)), "{name}");
    }
}

/// Without its own scanner a pattern runs on the regex engine, with the same result.
#[test]
fn unknown_patterns_run_on_the_engine() {
    let mut json = published::tokenizer_json("llama-bpe");
    json["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] =
        published::LLAMA3_OTHERWISE.into();
    let ours = Tokenizer::from_json(&serde_json::to_vec(&json).unwrap(), None).unwrap();
    let gguf = from_gguf("llama-bpe");
    for case in cases("llama-bpe")["cases"].as_array().unwrap() {
        let text = case["text"].as_str().unwrap();
        let options = Encode { markup: true, add_special: true };
        assert_eq!(ours.encode(text, options), gguf.encode(text, options), "{text:?}");
    }
}

#[test]
fn folders_agree_with_gguf_files() {
    for (folder, file) in [("llama", "llama"), ("qwen3", "qwen3"), ("mistral", "mistral")] {
        let folder = Tokenizer::from_folder(&testkit::golden(&format!("models/{folder}"))).unwrap();
        let file = Gguf::open(&testkit::golden(&format!("gguf/{file}.gguf"))).unwrap();
        let file = Tokenizer::from_gguf(&file).unwrap();
        assert_eq!(folder.len(), 320);
        assert_eq!((folder.bos(), folder.ends()), (file.bos(), file.ends()));
        assert_eq!((folder.bos(), folder.ends()), (Some(1), &[2][..]));
        assert_eq!((folder.eos(), file.eos()), (Some(2), Some(2)));
        assert_eq!(folder.adds_bos(), file.adds_bos());
        assert!(folder.chat_template().is_some());
        assert_eq!(folder.chat_template(), file.chat_template());
        for id in 0..320 {
            assert_eq!(folder.piece(id), file.piece(id));
            assert_eq!(folder.bytes_of(id), file.bytes_of(id));
            assert_eq!(folder.id_of(folder.piece(id)), Some(id));
        }
        for text in ["The kettle that sat there, and other things", "<|bos|> gä\u{301} 🙂\n\n x"]
        {
            let options = Encode { markup: true, add_special: true };
            assert_eq!(folder.encode(text, options), file.encode(text, options));
        }
    }
}

/// Arbitrary text, the reference implementation beside ours.
#[test]
fn arbitrary_text_agrees_with_the_reference() {
    for name in ["gpt-2", "llama-bpe", "bert-bge"] {
        let json = serde_json::to_vec(&published::tokenizer_json(name)).unwrap();
        let ours = Tokenizer::from_json(&json, None).unwrap();
        let reference = tokenizers::Tokenizer::from_bytes(&json).unwrap();
        // The reference's normaliser of BERT knows no character that is newer than Unicode 8.
        let any =
            if name == "bert-bge" { "[ -~À-ɏΑ-ωа-я一-鿕]{0,40}" } else { "\\PC{0,40}" };
        let text = prop_oneof![
            any,
            "[a-zA-Z' \\n\\r\\t0-9éß漢字🙂.,!ſ\u{301}]{0,60}",
            "(<\\|(endoftext|eot_id|begin_of_text)\\|>|\\[MASK\\]| |[a-c<|>]){0,20}",
        ];
        let mut runner = TestRunner::new(ProptestConfig {
            cases: 400,
            failure_persistence: None,
            ..ProptestConfig::default()
        });
        let checked = runner.run(&text, |text| {
            let expected = reference.encode_fast(text.as_str(), true).unwrap();
            let ids = ours.encode(&text, Encode { markup: true, add_special: true });
            prop_assert_eq!(ids, expected.get_ids());
            Ok(())
        });
        checked.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}
