//! The vendors' vocabularies against the ids that the original tokenizers give.
#![allow(clippy::unwrap_used)] // All of this file is tests, their helpers too.

use std::fs;

use formats::gguf::{Gguf, Value as Metadata, Writer};
use serde_json::Value;
use text::tokenizer::{Encode, Tokenizer};

const NAMES: [&str; 8] =
    ["bert-bge", "deepseek-llm", "gemma-4", "gpt-2", "llama-bpe", "llama-spm", "qwen2", "qwen35"];

/// The reference decodes these with spaces before punctuation removed. hearth does not: the text
/// of a reply is what the model said, also when it is a program.
const CLEANED: [&str; 4] = ["bert-bge", "gemma-4", "gpt-2", "llama-bpe"];

fn tokenizer(name: &str) -> Tokenizer {
    let file = Gguf::open(&testkit::vocabulary(name)).unwrap();
    Tokenizer::from_gguf(&file).unwrap()
}

fn encode(tokenizer: &Tokenizer, text: &str, markup: bool) -> Vec<u32> {
    tokenizer.encode(text, Encode { markup, add_special: false })
}

fn ids(value: &Value) -> Option<Vec<u32>> {
    let list = value.as_array()?;
    Some(list.iter().map(|id| id.as_u64().unwrap() as u32).collect())
}

/// What the model was trained with counts, where the reference of the file differs from it.
fn expected(case: &Value, mode: &str) -> Vec<u32> {
    ids(&case["original"][mode])
        .or_else(|| ids(&case[mode]))
        .or_else(|| ids(&case["plain"]))
        .unwrap()
}

fn check(name: &str) {
    let tokenizer = tokenizer(name);
    let path = testkit::golden(&format!("tokenizers/cases/{name}.json"));
    let file: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 142);
    let mut wrong = Vec::new();
    for case in cases {
        let text = case["text"].as_str().unwrap();
        for (markup, mode) in [(false, "plain"), (true, "special")] {
            let (found, expected) = (encode(&tokenizer, text, markup), expected(case, mode));
            if found != expected {
                wrong.push(format!("{mode} {text:?}: {found:?}, not {expected:?}"));
            }
        }
        let of_reference = ids(&case["special"]).or_else(|| ids(&case["plain"])).unwrap();
        let mut decoded = tokenizer.decode(&of_reference, true);
        if CLEANED.contains(&name) {
            decoded = cleaned(&decoded);
        }
        let expected = case["decoded"].as_str().unwrap_or(text);
        if decoded != expected {
            wrong.push(format!("decoded {decoded:?}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{name}: {} wrong:\n{}", wrong.len(), wrong.join("\n"));
    check_frame(&tokenizer, &file["add_special"]);
    check_pairs(&tokenizer, name);
}

fn check_frame(tokenizer: &Tokenizer, frame: &Value) {
    let with = tokenizer.encode("Hello", Encode { markup: true, add_special: true });
    let mut expected = ids(&frame["before"]).unwrap();
    assert_eq!(tokenizer.adds_bos(), !expected.is_empty());
    expected.extend(encode(tokenizer, "Hello", true));
    expected.extend(ids(&frame["after"]).unwrap());
    assert_eq!(with, expected);
}

/// The pairs of text and ids that came with the vocabularies.
fn check_pairs(tokenizer: &Tokenizer, name: &str) {
    let read = |end: &str| {
        let path = testkit::golden(&format!("tokenizers/ggml-vocab-{name}.gguf.{end}"));
        fs::read_to_string(path).unwrap()
    };
    let (texts, lines) = (read("inp"), read("out"));
    let texts = texts.strip_suffix("\n__ggml_vocab_test__\n").unwrap_or(&texts);
    let (mut count, mut lines) = (0, lines.lines());
    for text in texts.split("\n__ggml_vocab_test__\n") {
        let line = lines.next().unwrap();
        let expected: Vec<u32> = line.split_whitespace().map(|id| id.parse().unwrap()).collect();
        assert_eq!(encode(tokenizer, text, false), expected, "{name} {text:?}");
        count += 1;
    }
    assert!(count >= 46 && lines.all(str::is_empty), "{name}: {count} pairs");
}

/// What the reference does to decoded text: spaces go before `?!.,`, around a lone apostrophe and
/// before the usual contractions.
fn cleaned(text: &str) -> String {
    let mut text = text.to_owned();
    for mark in ["?", "!", ".", ","] {
        text = text.replace(&format!(" {mark}"), mark);
    }
    text = text.replace(" ' ", "'");
    for tail in ["s", "m", "ve", "re"] {
        text = text.replace(&format!(" '{tail}"), &format!("'{tail}"));
    }
    text
}

#[test]
fn bert_bge() {
    check("bert-bge");
}

#[test]
fn deepseek_llm() {
    check("deepseek-llm");
}

#[test]
fn gemma_4() {
    check("gemma-4");
}

#[test]
fn gpt_2() {
    check("gpt-2");
}

#[test]
fn llama_bpe() {
    check("llama-bpe");
}

/// A vocabulary whose file has another value, or none, under this key.
fn described_otherwise(name: &str, key: &str, value: Option<Metadata>) -> Tokenizer {
    let from = Gguf::open(&testkit::vocabulary(name)).unwrap();
    let mut writer = Writer::new();
    let kept = from.keys().filter(|(name, _)| *name != key);
    for (name, value) in kept.chain(value.map(|value| (key, value))) {
        writer.key(name, value).unwrap();
    }
    let bytes = writer.begin(Vec::new()).unwrap().finish().unwrap();
    Tokenizer::from_gguf(&Gguf::from_bytes(bytes).unwrap()).unwrap()
}

/// Files of Llama 3 that were made before files named their rules.
#[test]
fn llama_3_is_known_without_a_name_of_its_rules() {
    let unnamed = described_otherwise("llama-bpe", "tokenizer.ggml.pre", None);
    let named = tokenizer("llama-bpe");
    for text in ["It's 1234567 o'clock,\n\n  \tYOU'LL see", "über 100,000.50 €"] {
        assert_eq!(encode(&unnamed, text, false), encode(&named, text, false), "{text}");
    }
}

/// Ollama's files of Gemma 4 call its tokenizer as Gemma 3's is called.
#[test]
fn gemma_4_is_known_by_its_rules() {
    let key = "tokenizer.ggml.model";
    let of_ollama = described_otherwise("gemma-4", key, Some(Metadata::Str("llama")));
    let usual = tokenizer("gemma-4");
    for text in ["It's 1234567 o'clock,\n\n  \tYOU'LL see", "<|turn>user\n über<turn|>"] {
        assert_eq!(encode(&of_ollama, text, true), encode(&usual, text, true), "{text}");
    }
}

#[test]
fn llama_spm() {
    check("llama-spm");
}

#[test]
fn qwen2() {
    check("qwen2");
}

#[test]
fn qwen35() {
    check("qwen35");
}

/// Every vocabulary in the golden folder has its test above.
#[test]
fn all_cases_are_read() {
    let folder = fs::read_dir(testkit::golden("tokenizers/cases")).unwrap();
    let mut files: Vec<String> =
        folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    files.retain(|file| file != "report.json");
    files.sort();
    assert_eq!(files, NAMES.map(|name| format!("{name}.json")));
}

#[test]
fn ends_of_turns_are_known() {
    let named = |name: &str| {
        let tokenizer = tokenizer(name);
        tokenizer.ends().iter().map(|&id| tokenizer.piece(id).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(named("qwen2"), ["<|endoftext|>", "<|im_end|>"]);
    assert_eq!(named("llama-bpe"), ["<|end_of_text|>", "<|eot_id|>"]);
    assert_eq!(named("llama-spm"), ["</s>"]);
    assert_eq!(named("gemma-4"), ["<eos>", "<|tool_response>", "<turn|>"]);
    assert!(tokenizer("qwen2").chat_template().unwrap().contains("<|im_start|>"));
}
