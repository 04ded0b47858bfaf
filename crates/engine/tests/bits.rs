//! The first promise: batch, threads, chunks and instruction set change the speed and never a bit.
//!
//! Every test compares logits as bits, for each family and for quantised files of both group
//! lengths.
#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

use std::path::{Path, PathBuf};

use engine::{Engine, Error, Feed, Sequence, Settings, Wanted};
use kernels::{Isa, Kept};
use testkit::{Expected, golden};

fn models() -> Vec<PathBuf> {
    let names = [
        "models/llama",
        "models/mistral",
        "models/qwen2",
        "models/qwen3",
        "models/qwen3-moe",
        "models/qwen3_5",
        "models/qwen3_5-moe",
        "models/gpt-oss-mxfp4",
        "models/gemma3",
        "models/gemma4-shared",
        "models/llama4",
        "models/deepseek-v3",
        "models/deepseek-v3.2",
        "gguf/llama.gguf",
        "quant/dense.Q4_K_M.gguf",
        "quant/dense.Q8_0.gguf",
        "quant/dense.Q5_1.gguf",
        "quant/dense.BF16.gguf",
    ];
    names.map(golden).into()
}

/// Each model with its weights in panels and as the file has them.
fn layouts() -> impl Iterator<Item = (PathBuf, bool)> {
    models().into_iter().flat_map(|path| [(path.clone(), true), (path, false)])
}

fn open(path: &Path, settings: Settings) -> Engine {
    let source = arch::Source::open(path).unwrap();
    Engine::new(arch::load_keeping(&source, settings.kept).unwrap(), settings).unwrap()
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

/// A prompt, some decoding and a second prompt, each over an edge of a tile.
const MIXED: [usize; 6] = [62, 1, 1, 1, 62, 23];

#[test]
fn threads_and_instruction_sets_change_no_bit() {
    let best = Isa::best();
    let sets = Isa::available().into_iter().chain(Isa::emulated_amx());
    let every_set = sets.map(|isa| (isa, 2));
    let settings: Vec<_> = every_set.chain([(best, 1), (best, 3)]).collect();
    for path in models() {
        let plain = Settings { isa: Isa::PORTABLE, threads: 1, chunk: 512, ..Settings::default() };
        let want = in_pieces(&mut open(&path, plain), &ids(), &[512]);
        for (isa, threads) in &settings {
            let settings = Settings { isa: *isa, threads: *threads, ..plain };
            for settings in [settings, Settings { pack: false, ..settings }] {
                let got = in_pieces(&mut open(&path, settings), &ids(), &MIXED);
                assert!(got == want, "{} differs: {settings:?}", path.display());
            }
        }
    }
}

#[test]
fn so_it_is_with_keys_and_values_as_floats() {
    keys_and_values(Kept::F32);
}

#[test]
fn so_it_is_with_keys_and_values_as_halves() {
    keys_and_values(Kept::F16);
}

#[test]
fn so_it_is_with_keys_and_values_as_whole_numbers() {
    keys_and_values(Kept::I16);
}

/// Rounded keys and values give other logits, and these too are the same everywhere.
fn keys_and_values(kept: Kept) {
    for path in models() {
        let plain = Settings { isa: Isa::PORTABLE, threads: 1, ..Settings::default() };
        let [whole, want] = [Kept::F32, kept].map(|kept| {
            let plain = Settings { kept: Some(kept), ..plain };
            in_pieces(&mut open(&path, plain), &ids(), &[512])
        });
        let plain = Settings { kept: Some(kept), ..plain };
        let is_rounded = kept != Kept::F32;
        assert_eq!(whole != want, is_rounded, "{}", path.display());
        for isa in Isa::available().into_iter().chain(Isa::emulated_amx()) {
            let settings = Settings { isa, threads: 2, ..plain };
            for pieces in [&MIXED[..], &[150], &[1]] {
                let got = in_pieces(&mut open(&path, settings), &ids(), pieces);
                assert!(got == want, "{} differs: {settings:?}, {pieces:?}", path.display());
            }
        }
    }
}

#[test]
fn chunks_change_no_bit() {
    for (path, pack) in layouts() {
        let mut engine = open(&path, Settings { pack, ..Settings::default() });
        let want = in_pieces(&mut engine, &ids(), &[512]);
        // One by one is decoding: the same positions as in one prompt.
        for pieces in [&[1][..], &[7], &[63, 1, 33, 2]] {
            let got = in_pieces(&mut engine, &ids(), pieces);
            assert!(
                got == want,
                "{} differs in pieces of {pieces:?}, pack: {pack}",
                path.display()
            );
        }
    }
}

/// What the others say in a step: none, one or two tokens each, and now and then one of them a
/// prompt longer than the rows that a kernel takes together.
fn noise(step: usize, stranger: usize) -> Vec<u32> {
    let len = if (step + stranger) % 11 == 5 { 33 } else { (step + stranger) % 3 };
    (0..len).map(|i| ((i * 7 + step * 3 + stranger) % 300) as u32).collect()
}

#[test]
fn strangers_in_the_batch_change_no_bit() {
    const OWN: usize = 3;
    for (path, pack) in layouts() {
        let mut engine = open(&path, Settings { pack, ..Settings::default() });
        let ids = ids();
        let want = in_pieces(&mut engine, &ids, &[512]);
        let vocabulary = engine.shape().vocabulary;
        let mut sequences: [Sequence; 5] = Default::default();
        let (mut got, mut left) = (Vec::new(), &ids[..]);
        // Among strangers a prompt is read and decoded, over the edge of a tile.
        for (step, len) in [100].into_iter().chain([1; 30]).chain([20]).enumerate() {
            let (piece, rest) = left.split_at(len);
            let said = [0, 1, 2, OWN, 4].map(|i| match i {
                OWN => piece.to_vec(),
                _ => noise(step, i),
            });
            let everybody = sequences.iter_mut().zip(&said).enumerate();
            let speaking = everybody.filter(|(_, (_, tokens))| !tokens.is_empty());
            let feeds = speaking.map(|(i, (sequence, tokens))| {
                let wanted = if i == OWN { Wanted::All } else { Wanted::Last };
                Feed { sequence, tokens, wanted }
            });
            let before = said[..OWN].iter().filter(|tokens| !tokens.is_empty()).count();
            let logits = engine.step(&mut feeds.collect::<Vec<_>>()).unwrap();
            got.extend(bits(&logits[before * vocabulary..][..len * vocabulary]));
            left = rest;
        }
        assert!(got == want, "{} differs among strangers, pack: {pack}", path.display());
    }
}

/// It has no last token; the logits would be those of the row before it, which is a stranger's.
#[test]
fn a_feed_without_tokens_is_refused() {
    let mut engine = open(&models()[0], Settings::default());
    let (mut one, mut other) = (Sequence::default(), Sequence::default());
    let one = Feed { sequence: &mut one, tokens: &[1, 2], wanted: Wanted::Last };
    let other = Feed { sequence: &mut other, tokens: &[], wanted: Wanted::Last };
    assert!(matches!(engine.step(&mut [one, other]), Err(Error::EmptyPrompt)));
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
        let rest = &ids[sequence.tokens().len()..];
        let again = bits(engine.prefill(&mut sequence, rest).unwrap());
        assert!(again == fresh, "{} differs after a truncation", path.display());
    }
}

/// What `arch` says that a sequence keeps is what it keeps, but for a page here and there.
#[test]
fn caches_take_the_memory_that_is_computed() {
    for path in models() {
        for (len, chunk) in [(1, 1), (64, 64), (65, 512), (150, 7), (400, 32)] {
            let mut engine = open(&path, Settings { chunk, pack: false, ..Settings::default() });
            let ids: Vec<u32> = ids().into_iter().cycle().take(len).collect();
            engine.prefill(&mut Sequence::default(), &ids).unwrap();
            let (real, shape) = (engine.cache_bytes(), engine.shape());
            let said = shape.cache_bytes(len, chunk);
            let a_page: u64 = shape.caches.iter().map(|cache| cache.page_len as u64 * 4).sum();
            let close = (real..=real + a_page).contains(&said);
            assert!(close, "{}, {len} tokens: {real} bytes, said {said}", path.display());
        }
    }
}
