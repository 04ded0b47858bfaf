//! Vocabularies that lie get their own answer, and no text or vocabulary takes for ever.
#![allow(clippy::unwrap_used)] // All of this file is tests, their helpers too.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use formats::gguf::{ArrayBuf, Gguf, Value, Writer};
use text::tokenizer::{Encode, Tokenizer, probe};

mod hostile;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/tokenizer");

#[test]
fn every_lie_gets_its_answer() {
    for case in hostile::cases() {
        let file = Gguf::from_bytes(case.bytes).unwrap();
        let said = Tokenizer::from_gguf(&file).err().map(|error| error.to_string());
        let right = match (&said, case.says) {
            (Some(said), Some(says)) => said.contains(says),
            (said, says) => said.is_none() && says.is_none(),
        };
        assert!(right, "{}: {:?} is expected, and not {said:?}", case.name, case.says);
    }
}

#[test]
fn seeds_run() {
    let mut names = HashSet::new();
    for case in hostile::cases() {
        let seed = fs::read(Path::new(CORPUS).join(case.name)).unwrap_or_default();
        assert!(
            seed == case.bytes,
            "{} has drifted: cargo run -p text --example tokenizer_seeds",
            case.name
        );
        assert!(names.insert(case.name), "{} is the name of two cases", case.name);
    }
    for file in fs::read_dir(CORPUS).unwrap() {
        probe(&fs::read(file.unwrap().path()).unwrap());
    }
}

/// Any byte of the small files may be any other byte, and nothing panics.
#[test]
fn bent_bytes_do_not_panic() {
    for case in hostile::cases().into_iter().take(4) {
        for at in 0..case.bytes.len() {
            for bent in [0, 1, 6, 9, 0x7f, 0x80, 0xff] {
                let mut bytes = case.bytes.clone();
                bytes[at] = bent;
                probe(&bytes);
            }
        }
    }
}

/// Joins without an end in sight: a run of one letter, in a vocabulary that has all its powers.
#[test]
fn a_megabyte_without_a_break_is_quick() {
    let powers: Vec<String> = (0..8).map(|power| "a".repeat(1 << power)).collect();
    let merges: Vec<String> = powers.iter().map(|half| format!("{half} {half}")).collect();
    let text = "a".repeat((1 << 20) + 3);
    for (model, pre) in [("gpt2", "gpt-2"), ("gemma4", "")] {
        let file = vocabulary((model, pre), &powers, &merges[..7]);
        let tokenizer = Tokenizer::from_gguf(&file).unwrap();
        let start = Instant::now();
        let ids = tokenizer.encode(&text, Encode::default());
        assert_eq!(ids.len(), (1 << 13) + 2);
        assert_eq!(tokenizer.decode(&ids, false), text);
        assert!(start.elapsed() < Duration::from_secs(30), "{model}: {:?}", start.elapsed());
    }
}

#[test]
fn a_hundred_thousand_marks_are_bearable() {
    let tokens: Vec<String> = (0..100_000).map(|number| format!("<|mark {number}|>")).collect();
    let strings = ArrayBuf::strings(&tokens);
    let types: ArrayBuf = tokens.iter().map(|_| 3_i32).collect();
    let mut writer = Writer::new();
    writer.key("tokenizer.ggml.model", Value::Str("gpt2")).unwrap();
    writer.key("tokenizer.ggml.tokens", strings.value()).unwrap();
    writer.key("tokenizer.ggml.token_type", types.value()).unwrap();
    writer.key("tokenizer.ggml.merges", ArrayBuf::strings([""; 0]).value()).unwrap();
    let bytes = writer.begin(Vec::new()).unwrap().finish().unwrap();
    let tokenizer = Tokenizer::from_gguf(&Gguf::from_bytes(bytes).unwrap()).unwrap();
    let markup = Encode { markup: true, add_special: true };
    assert_eq!(tokenizer.encode("<|mark 7|><|mark 77|><|mark", markup), [7, 77]);
}

fn vocabulary(kind: (&str, &str), tokens: &[String], merges: &[String]) -> Gguf {
    let mut writer = Writer::new();
    let (tokens, merges) = (ArrayBuf::strings(tokens), ArrayBuf::strings(merges));
    writer.key("tokenizer.ggml.model", Value::Str(kind.0)).unwrap();
    writer.key("tokenizer.ggml.pre", Value::Str(kind.1)).unwrap();
    writer.key("tokenizer.ggml.tokens", tokens.value()).unwrap();
    writer.key("tokenizer.ggml.merges", merges.value()).unwrap();
    Gguf::from_bytes(writer.begin(Vec::new()).unwrap().finish().unwrap()).unwrap()
}
