//! The first promise: batch, threads, chunks and instruction set change the speed and never a bit.
//!
//! Every test compares logits as bits, for each family and for quantised files of both group
//! lengths.
#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

use std::path::{Path, PathBuf};

use engine::{Engine, Feed, Sequence, Settings, Wanted};
use kernels::Isa;
use testkit::{Expected, golden};

fn models() -> Vec<PathBuf> {
    let names = [
        "models/llama",
        "models/mistral",
        "models/qwen2",
        "models/qwen3",
        "gguf/llama.gguf",
        "quant/dense.Q4_K_M.gguf",
        "quant/dense.Q8_0.gguf",
        "quant/dense.Q5_1.gguf",
        "quant/dense.IQ4_XS.gguf",
        "quant/dense.Q2_K.gguf",
        "quant/dense.BF16.gguf",
    ];
    names.map(golden).into()
}

fn open(path: &Path, settings: Settings) -> Engine {
    let source = arch::Source::open(path).unwrap();
    Engine::new(arch::load(&source).unwrap(), settings)
}

/// 150 tokens: three tiles, and more than any window of the tiny models.
fn ids() -> Vec<u32> {
    let expected = Expected::open(&golden("models/llama/expected.safetensors"));
    let (prompt, more) = (expected.ids("input_ids"), expected.ids("greedy"));
    prompt.iter().chain(&more).chain(&prompt).copied().take(150).collect()
}

fn bits(logits: &[f32]) -> Vec<u32> {
    logits.iter().map(|x| x.to_bits()).collect()
}

/// Logits of all positions when the tokens pass in pieces of these lengths, in turn.
fn in_pieces(engine: &mut Engine, ids: &[u32], pieces: &[usize]) -> Vec<u32> {
    let (mut sequence, mut all, mut left) = (Sequence::default(), Vec::new(), ids);
    for len in pieces.iter().cycle() {
        let (piece, rest) = left.split_at(left.len().min(*len));
        let feed = Feed { sequence: &mut sequence, tokens: piece, wanted: Wanted::All };
        all.extend(bits(engine.step(&mut [feed]).unwrap()));
        left = rest;
        if left.is_empty() {
            return all;
        }
    }
    unreachable!("pieces are cycled until nothing is left")
}

#[test]
fn threads_and_instruction_sets_change_no_bit() {
    for path in models() {
        let plain = Settings { isa: Isa::PORTABLE, threads: 1, chunk: 512 };
        let want = in_pieces(&mut open(&path, plain), &ids(), &[512]);
        for isa in Isa::available() {
            for threads in [1, 2, 3, 7] {
                let settings = Settings { isa, threads, ..plain };
                let got = in_pieces(&mut open(&path, settings), &ids(), &[512]);
                assert!(got == want, "{} differs: {settings:?}", path.display());
            }
        }
    }
}

#[test]
fn chunks_change_no_bit() {
    for path in models() {
        let mut engine = open(&path, Settings::default());
        let want = in_pieces(&mut engine, &ids(), &[512]);
        // One by one is decoding: the same positions as in one prompt.
        for pieces in [&[1][..], &[7], &[64], &[63, 1, 2, 33], &[100, 50]] {
            let got = in_pieces(&mut engine, &ids(), pieces);
            assert!(got == want, "{} differs in pieces of {pieces:?}", path.display());
        }
    }
}

#[test]
fn strangers_in_the_batch_change_no_bit() {
    for path in models() {
        let mut engine = open(&path, Settings::default());
        let ids = ids();
        let want = in_pieces(&mut engine, &ids, &[512]);
        let mut sequences: Vec<Sequence> = (0..16).map(|_| Sequence::default()).collect();
        let mut got = Vec::new();
        for (step, token) in ids.iter().enumerate() {
            // The seventh sequence is the one that is looked at; the others say something else, and
            // each step brings some of them several tokens and others none.
            let feeds =
                sequences.iter_mut().enumerate().filter(|(i, _)| *i == 7 || (step + i) % 3 > 0);
            let mut own = 0;
            let noise: Vec<u32> = (0..40).map(|i| (i * 7 + step as u32) % 300).collect();
            let mut feeds: Vec<Feed> = feeds
                .map(|(i, sequence)| {
                    let tokens =
                        if i == 7 { std::slice::from_ref(token) } else { &noise[..1 + i % 3] };
                    own += usize::from(i < 7);
                    Feed { sequence, tokens, wanted: Wanted::Last }
                })
                .collect();
            let vocabulary = engine.shape().vocabulary;
            let logits = engine.step(&mut feeds).unwrap();
            got.extend(bits(&logits[own * vocabulary..][..vocabulary]));
        }
        assert!(got == want, "{} differs among strangers", path.display());
    }
}

#[test]
fn a_truncated_sequence_continues_like_a_fresh_one() {
    for path in models() {
        let mut engine = open(&path, Settings::default());
        let ids = ids();
        let fresh = bits(engine.prefill(&mut Sequence::default(), &ids).unwrap());
        let mut sequence = Sequence::default();
        engine.prefill(&mut sequence, &ids[..100]).unwrap();
        engine.prefill(&mut sequence, &[5; 30]).unwrap();
        engine.truncate(&mut sequence, 97);
        let again = bits(engine.prefill(&mut sequence, &ids[97..]).unwrap());
        assert!(again == fresh, "{} differs after a truncation", path.display());
    }
}
