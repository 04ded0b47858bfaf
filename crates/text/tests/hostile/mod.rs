//! Tiny vocabularies as GGUF files: one of each kind in order, and many that are not, each with
//! what must be said about it.
//!
//! The seeds of the fuzz target are these same files: `cargo run -p text --example
//! tokenizer_seeds` writes them to `fuzz/corpus`, and a test holds that they have not drifted.

use formats::gguf::{ArrayBuf, Value, Writer};

/// One file and its verdict.
pub struct Case {
    /// The file's name among the seeds.
    pub name: &'static str,
    pub bytes: Vec<u8>,
    /// A piece of the error's message; `None` for a file that is in order.
    pub says: Option<&'static str>,
}

const MODEL: &str = "tokenizer.ggml.model";
const PRE: &str = "tokenizer.ggml.pre";
const TOKENS: &str = "tokenizer.ggml.tokens";
const TYPES: &str = "tokenizer.ggml.token_type";
const MERGES: &str = "tokenizer.ggml.merges";
const SCORES: &str = "tokenizer.ggml.scores";
const BOS: &str = "tokenizer.ggml.bos_token_id";
const UNKNOWN: &str = "tokenizer.ggml.unknown_token_id";

/// A value that a test owns.
#[derive(Clone)]
enum Owned {
    Text(&'static str),
    Array(ArrayBuf),
    Id(u32),
    Flag(bool),
}

/// Keys and values of a file to be.
#[derive(Clone, Default)]
struct Keys(Vec<(&'static str, Owned)>);

impl Keys {
    fn set(mut self, key: &'static str, value: Owned) -> Keys {
        self.0.retain(|(known, _)| *known != key);
        self.0.push((key, value));
        self
    }

    fn without(mut self, key: &str) -> Keys {
        self.0.retain(|(known, _)| *known != key);
        self
    }

    fn text(self, key: &'static str, text: &'static str) -> Keys {
        self.set(key, Owned::Text(text))
    }

    fn strings<S: AsRef<[u8]>>(self, key: &'static str, strings: &[S]) -> Keys {
        self.set(key, Owned::Array(ArrayBuf::strings(strings)))
    }

    fn types(self, types: &[i32]) -> Keys {
        self.set(TYPES, Owned::Array(types.iter().copied().collect()))
    }

    fn scores(self, scores: &[f32]) -> Keys {
        self.set(SCORES, Owned::Array(scores.iter().copied().collect()))
    }

    fn id(self, key: &'static str, id: u32) -> Keys {
        self.set(key, Owned::Id(id))
    }

    fn bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        for (key, value) in &self.0 {
            let value = match value {
                Owned::Text(text) => Value::Str(text),
                Owned::Array(array) => array.value(),
                Owned::Id(id) => Value::U32(*id),
                Owned::Flag(flag) => Value::Bool(*flag),
            };
            writer.key(key, value).unwrap();
        }
        writer.begin(Vec::new()).unwrap().finish().unwrap()
    }

    fn good(&self, name: &'static str) -> Case {
        Case { name, bytes: self.bytes(), says: None }
    }

    fn bad(&self, name: &'static str, says: &'static str) -> Case {
        Case { name, bytes: self.bytes(), says: Some(says) }
    }
}

/// Bytes that join: `he`, `el`, `Ġhe`; markup, and a text that is always one token.
fn pairs() -> Keys {
    Keys::default()
        .text(MODEL, "gpt2")
        .text(PRE, "gpt-2")
        .strings(TOKENS, &["h", "e", "l", "Ġ", "he", "el", "Ġhe", "<|im_start|>", "ll"])
        .types(&[1, 1, 1, 1, 1, 1, 1, 3, 4])
        .strings(MERGES, &["h e", "e l", "Ġ he"])
        .id(BOS, 7)
}

fn spaced_pairs() -> Keys {
    Keys::default()
        .text(MODEL, "gemma4")
        .strings(TOKENS, &["<unk>", "h", "e", "▁", "he", "▁he", "<0xC3>", "<0xBC>", "\n"])
        .types(&[3, 1, 1, 1, 1, 1, 6, 6, 1])
        .strings(MERGES, &["h e", "▁ he"])
        .id(UNKNOWN, 0)
}

fn scores() -> Keys {
    Keys::default()
        .text(MODEL, "llama")
        .strings(TOKENS, &["<unk>", "<s>", "h", "e", "▁", "he", "▁he", "<0xC3>", "漢字"])
        .types(&[2, 3, 1, 1, 1, 1, 1, 6, 1])
        .scores(&[0.0, 0.0, -5.0, -5.0, -4.0, -1.0, -2.0, 0.0, -3.0])
        .id(BOS, 1)
}

fn pieces() -> Keys {
    Keys::default()
        .text(MODEL, "bert")
        .strings(TOKENS, &["[UNK]", "[CLS]", "▁hel", "lo", "▁it", "▁", "▁'", "▁s"])
        .types(&[3, 3, 1, 1, 1, 1, 1, 1])
        .id(UNKNOWN, 0)
        .id(BOS, 1)
}

pub fn cases() -> Vec<Case> {
    let mut cases = vec![
        pairs().good("pairs.gguf"),
        spaced_pairs().good("spaced-pairs.gguf"),
        scores().good("scores.gguf"),
        pieces().good("pieces.gguf"),
    ];
    cases.extend(in_order());
    cases.extend(wrong_keys());
    cases.extend(wrong_arrays());
    cases.extend(wrong_tokens());
    cases
}

/// Strange, and still in order.
fn in_order() -> Vec<Case> {
    let none: [&str; 0] = [];
    let empty = pairs().strings(TOKENS, &none).types(&[]).strings(MERGES, &none).without(BOS);
    let prefix = "tokenizer.ggml.add_space_prefix";
    vec![
        pairs().text(PRE, "default").good("rules-of-old.gguf"),
        pairs().without(PRE).good("rules-not-named.gguf"),
        pairs().text(PRE, "gpt-4o").good("rules-cased.gguf"),
        pairs().text(PRE, "deepseek-llm").good("rules-deepseek.gguf"),
        pairs().text(PRE, "llama-bpe").without(TYPES).good("no-types.gguf"),
        empty.good("no-tokens-at-all.gguf"),
        pairs()
            .strings(TOKENS, &["h", "e", "", "", "he"])
            .types(&[1; 5])
            .strings(MERGES, &["h e"])
            .without(BOS)
            .good("gaps.gguf"),
        pairs().types(&[3; 9]).good("all-markup.gguf"),
        pairs().types(&[4; 9]).good("all-defined.gguf"),
        scores().set(prefix, Owned::Flag(false)).good("no-first-space.gguf"),
        scores().scores(&[f32::INFINITY; 9]).good("infinite-scores.gguf"),
        scores().types(&[1; 9]).good("no-unknown.gguf"),
    ]
}

fn wrong_keys() -> Vec<Case> {
    vec![
        Keys::default().bad("nothing.gguf", "tokenizer.ggml.model is missing"),
        pairs().text(MODEL, "rwkv").bad("model.gguf", "known: gpt2"),
        pairs().id(MODEL, 1).bad("model-number.gguf", "tokenizer.ggml.model"),
        pairs().text(PRE, "mine").bad("pre.gguf", "pre-tokenizer \"mine\" is not known"),
        pairs().without(TOKENS).bad("tokens-missing.gguf", "tokens is missing"),
        pairs().without(MERGES).bad("merges-missing.gguf", "merges is missing"),
        scores().without(SCORES).bad("scores-missing.gguf", "scores is missing"),
        pieces()
            .without(UNKNOWN)
            .strings(TOKENS, &["a"])
            .types(&[1])
            .without(BOS)
            .bad("unknown-missing.gguf", "unknown_token_id is missing"),
        pairs().id(BOS, 9).bad("bos-behind-the-end.gguf", "the vocabulary has 9 tokens"),
        pairs().id(UNKNOWN, u32::MAX).bad("unknown-behind-the-end.gguf", "token 4294967295"),
        pairs().text(BOS, "7").bad("bos-text.gguf", "tokenizer.ggml.bos_token_id"),
    ]
}

fn wrong_arrays() -> Vec<Case> {
    vec![
        pairs().text(TOKENS, "h").bad("tokens-text.gguf", "tokenizer.ggml.tokens"),
        pairs()
            .set(TOKENS, Owned::Array([1_u32, 2].into_iter().collect()))
            .bad("tokens-numbers.gguf", "values of type string"),
        pairs().types(&[1; 8]).bad("types-short.gguf", "expected 9 values of type integer"),
        pairs().types(&[1; 10]).bad("types-long.gguf", "found 10"),
        pairs().strings(TYPES, &["1"; 9]).bad("types-text.gguf", "found 9 of type string"),
        scores().scores(&[0.0; 8]).bad("scores-short.gguf", "expected 9 values of type f32"),
        scores()
            .set(SCORES, Owned::Array([1_u32; 9].into_iter().collect()))
            .bad("scores-numbers.gguf", "found 9 of type u32"),
        pairs()
            .types(&[1; 9])
            .set(MERGES, Owned::Array([1_u32].into_iter().collect()))
            .bad("merges-numbers.gguf", "tokenizer.ggml.merges"),
    ]
}

fn wrong_tokens() -> Vec<Case> {
    let nan = [0.0, 0.0, 0.0, f32::NAN, 0.0, 0.0, 0.0, 0.0, 0.0];
    let long = "h".repeat(257);
    let with = |last: &'static str| {
        spaced_pairs().strings(TOKENS, &["<unk>", "h", "e", "▁", "he", "▁he", "<0xC3>", last])
    };
    vec![
        pairs().types(&[1, 1, 1, 1, 1, 1, 1, 7, 1]).bad("type-unknown.gguf", "token 7 has a type"),
        pairs()
            .strings(TOKENS, &[&b"h"[..], b"\xff"])
            .types(&[1, 1])
            .bad("not-utf-8.gguf", "token 1 is not UTF-8"),
        pairs()
            .strings(TOKENS, &["h", "e", "h"])
            .types(&[1; 3])
            .bad("twice.gguf", "tokens 0 and 2 are both \"h\""),
        pairs().strings(MERGES, &["h e", "h x"]).bad("merge-unknown.gguf", "merge 1 (\"h x\")"),
        pairs().strings(MERGES, &["l h"]).bad("merge-without-whole.gguf", "merge 0"),
        pairs().strings(MERGES, &["he"]).bad("merge-of-one.gguf", "merge 0"),
        pairs().strings(MERGES, &[" he", "he ", " ", ""]).bad("merge-of-nothing.gguf", "merge 0"),
        pairs().strings(MERGES, &[b"\xff \xff"]).bad("merge-not-utf-8.gguf", "merge 0"),
        scores().scores(&nan).bad("score-nan.gguf", "token 3 has a score that is not a number"),
        scores()
            .strings(TOKENS, &[long.as_str()])
            .types(&[1])
            .scores(&[0.0])
            .without(BOS)
            .bad("long-piece.gguf", "token 0 is longer than 256 bytes"),
        with("<0xZZ>")
            .types(&[3, 1, 1, 1, 1, 1, 6, 6])
            .bad("byte-letters.gguf", "token 7 is a byte"),
        with("<0x+1>")
            .types(&[3, 1, 1, 1, 1, 1, 6, 6])
            .bad("byte-signed.gguf", "token 7 is a byte"),
        with("x").types(&[3, 1, 1, 1, 1, 1, 6, 6]).bad("byte-text.gguf", "token 7 is a byte"),
    ]
}
