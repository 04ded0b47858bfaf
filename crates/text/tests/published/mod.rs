//! The vendors' vocabularies in the form of the `tokenizer.json` that was published with them.
//!
//! GGUF files keep the tokens and merges; normaliser, splits and decoder are put back here by
//! hand, as the original checkpoints have them.
#![allow(clippy::unwrap_used, dead_code)] // Not every user needs all of it.

use formats::gguf::Gguf;
use serde_json::{Value, json};

macro_rules! words {
    ($start:literal, $letters:literal, $digits:literal, $others:literal) => {
        concat!(
            $start,
            "|",
            r"[^\r\n\p{L}\p{N}]?",
            $letters,
            "+|",
            $digits,
            "| ?",
            $others,
            r"+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
        )
    };
}

const QWEN2: &str = words!("(?i:'s|'t|'re|'ve|'m|'ll|'d)", r"\p{L}", r"\p{N}", r"[^\s\p{L}\p{N}]");
const QWEN35: &str =
    words!("(?i:'s|'t|'re|'ve|'m|'ll|'d)", r"[\p{L}\p{M}]", r"\p{N}", r"[^\s\p{L}\p{M}\p{N}]");
const LLAMA3: &str =
    words!("(?i:'s|'t|'re|'ve|'m|'ll|'d)", r"\p{L}", r"\p{N}{1,3}", r"[^\s\p{L}\p{N}]");
/// A pattern without a scanner of its own that cuts like `LLAMA3`.
pub const LLAMA3_OTHERWISE: &str =
    words!("'(?i:[stmd]|re|ve|ll)", r"\p{L}", r"\p{N}{1,3}", r"[^\s\p{L}\p{N}]");
const DEEPSEEK: [&str; 4] =
    [r"[\r\n]", r"\s?[!-/:-~！-／：-～‘-‟\x{3000}-。]+", r"\s+$", "[一-龥ࠀ-一가-\u{d7ff}]+"];

pub const NAMES: [&str; 7] =
    ["bert-bge", "deepseek-llm", "gemma-4", "gpt-2", "llama-bpe", "qwen2", "qwen35"];

/// `tokenizer.json` for one of `NAMES`.
pub fn tokenizer_json(name: &str) -> Value {
    let file = Gguf::open(&testkit::vocabulary(name)).unwrap();
    let array = |key: &str| file.array(&format!("tokenizer.ggml.{key}")).unwrap().unwrap();
    let tokens: Vec<&str> = array("tokens").strings().unwrap().map(Result::unwrap).collect();
    let kinds: Vec<i32> = array("token_type").i32s().unwrap().collect();
    let mut built = match name {
        "bert-bge" => bert(&tokens, &kinds),
        "gemma-4" => gemma(),
        _ => byte_level(name),
    };
    if name != "bert-bge" {
        let vocab = tokens.iter().zip(0..).map(|(&token, id)| (token.to_owned(), json!(id)));
        built["model"]["vocab"] = vocab.collect::<serde_json::Map<_, _>>().into();
        let merges = array("merges").strings().unwrap().map(Result::unwrap);
        // Both notations are in use; in the second a piece may have a space.
        let notation = |merge: &str| match name {
            "gpt-2" | "qwen2" => json!(merge),
            _ => {
                let (cut, _) = merge.match_indices(' ').find(|&(at, _)| at > 0).unwrap();
                json!([merge[..cut], merge[cut + 1..]])
            }
        };
        built["model"]["merges"] = merges.map(notation).collect::<Vec<_>>().into();
    }
    let added = |(id, (&content, &kind)): (usize, (&&str, &i32))| {
        let token = json!({
            "id": id, "content": content, "special": kind == 3, "normalized": false,
            "single_word": false, "lstrip": false, "rstrip": false,
        });
        matches!(kind, 3 | 4).then_some(token)
    };
    let added = tokens.iter().zip(&kinds).enumerate().filter_map(added);
    built["added_tokens"] = added.collect::<Vec<_>>().into();
    built["version"] = "1.0".into();
    built
}

/// `tokenizer_config.json`, where it says something that `tokenizer.json` does not.
pub fn config(name: &str) -> Option<&'static str> {
    let deepseek =
        r#"{"bos_token": {"content": "<｜begin▁of▁sentence｜>"}, "add_bos_token": true}"#;
    (name == "deepseek-llm").then_some(deepseek)
}

fn split(pattern: &str) -> Value {
    json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false})
}

fn bytes(use_regex: bool) -> Value {
    json!({
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
        "use_regex": use_regex,
    })
}

fn byte_level(name: &str) -> Value {
    let mut steps = match name {
        "qwen2" => vec![split(QWEN2)],
        "qwen35" => vec![split(QWEN35)],
        "llama-bpe" => vec![split(LLAMA3)],
        "deepseek-llm" => {
            let mut steps: Vec<Value> = DEEPSEEK.into_iter().map(split).collect();
            steps.insert(1, split(DEEPSEEK_LETTERS));
            steps.push(json!({"type": "Digits", "individual_digits": true}));
            steps
        }
        _ => Vec::new(),
    };
    steps.push(bytes(name == "gpt-2"));
    json!({
        "normalizer": if name == "qwen2" { json!({"type": "NFC"}) } else { Value::Null },
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": steps},
        "decoder": bytes(true),
        "post_processor": if name == "llama-bpe" { llama_frame() } else { bytes(true) },
        "model": {"type": "BPE", "ignore_merges": name == "llama-bpe"},
    })
}

/// DeepSeek's first pattern.
const DEEPSEEK_LETTERS: &str = concat!(
    r"\s?[A-Za-z\x{b5}\x{c0}-\x{d6}\x{d8}-\x{f6}\x{f8}-\x{1ba}\x{1bc}-\x{1bf}\x{1c4}-",
    r"\x{293}\x{295}-\x{2af}\x{370}-\x{373}\x{376}\x{377}\x{37b}-\x{37d}\x{37f}\x{386}",
    r"\x{388}-\x{38a}\x{38c}\x{38e}-\x{3a1}\x{3a3}-\x{3f5}\x{3f7}-\x{481}\x{48a}-\x{52f}",
    r"\x{531}-\x{556}\x{10a0}-\x{10c5}\x{13a0}-\x{13f5}\x{13f8}-\x{13fd}\x{1c90}-\x{1cba}",
    r"\x{1cbd}-\x{1cbf}\x{1d00}-\x{1d2b}\x{1d6b}-\x{1d77}\x{1d79}-\x{1d9a}\x{1e00}-",
    r"\x{1f15}\x{1f18}-\x{1f1d}\x{1f20}-\x{1f45}\x{1f48}-\x{1f4d}\x{1f50}-\x{1f57}\x{1f59}",
    r"\x{1f5b}\x{1f5d}\x{1f5f}-\x{1f7d}\x{1f80}-\x{1fb4}\x{1fb6}-\x{1fbc}\x{1fbe}\x{1fc2}-",
    r"\x{1fc4}\x{1fc6}-\x{1fcc}\x{1fd0}-\x{1fd3}\x{1fd6}-\x{1fdb}\x{1fe0}-\x{1fec}\x{1ff2}",
    r"-\x{1ff4}\x{1ff6}-\x{1ffc}\x{2102}\x{2107}\x{210a}-\x{2113}\x{2115}\x{2119}-\x{211d}",
    r"\x{2124}\x{2126}\x{2128}\x{212a}-\x{212d}\x{212f}-\x{2134}\x{2139}\x{213c}-\x{213f}",
    r"\x{2145}-\x{2149}\x{214e}\x{2183}\x{2184}\x{2c00}-\x{2c7b}\x{2c7e}-\x{2ce4}\x{2ceb}-",
    r"\x{2cee}\x{2cf2}\x{2cf3}\x{a640}-\x{a66d}\x{a680}-\x{a69b}\x{a722}-\x{a76f}\x{a771}-",
    r"\x{a787}\x{a78b}-\x{a78e}\x{ab70}-\x{abbf}\x{fb00}-\x{fb06}\x{fb13}-\x{fb17}\x{ff21}",
    r"-\x{ff3a}\x{ff41}-\x{ff5a}\x{10400}-\x{1044f}\x{104b0}-\x{104d3}\x{104d8}-\x{104fb}",
    r"\x{10c80}-\x{10cb2}\x{10cc0}-\x{10cf2}\x{118a0}-\x{118df}\x{1e900}-\x{1e943}]+",
);

fn llama_frame() -> Value {
    json!({"type": "Sequence", "processors": [bytes(true), {
        "type": "TemplateProcessing",
        "single": [
            {"SpecialToken": {"id": "<|begin_of_text|>", "type_id": 0}},
            {"Sequence": {"id": "A", "type_id": 0}},
        ],
        "pair": [],
        "special_tokens": {
            "<|begin_of_text|>":
                {"id": "<|begin_of_text|>", "ids": [128000], "tokens": ["<|begin_of_text|>"]},
        },
    }]})
}

fn gemma() -> Value {
    json!({
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        "pre_tokenizer": {
            "type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious",
            "invert": false,
        },
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
            {"type": "ByteFallback"},
            {"type": "Fuse"},
        ]},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": "<bos>", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
            ],
            "pair": [],
            "special_tokens": {"<bos>": {"id": "<bos>", "ids": [2], "tokens": ["<bos>"]}},
        },
        "model": {
            "type": "BPE", "byte_fallback": true, "fuse_unk": true, "unk_token": "<unk>",
            "ignore_merges": false,
        },
    })
}

fn bert(tokens: &[&str], kinds: &[i32]) -> Value {
    let spelled = |(token, &kind): (&&str, &i32)| match token.strip_prefix('▁') {
        _ if kind == 3 => (*token).to_owned(),
        Some(start) => start.to_owned(),
        None => format!("##{token}"),
    };
    let vocab: serde_json::Map<String, Value> = tokens
        .iter()
        .zip(kinds)
        .map(spelled)
        .zip(0..)
        .map(|(token, id)| (token, json!(id)))
        .collect();
    json!({
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": null, "lowercase": true,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 102], "cls": ["[CLS]", 101]},
        "model": {
            "type": "WordPiece", "vocab": vocab, "unk_token": "[UNK]",
            "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
        },
    })
}
