//! Every hostile file gets its own answer, and every seed of the fuzz targets runs without a panic.
#![allow(clippy::unwrap_used)] // All of this file is tests, their helpers too.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use formats::{Error, Safetensors, gguf, gguf::Gguf, safetensors};

mod hostile;
use hostile::Case;

fn corpus(target: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus")).join(target)
}

/// Compares what the reader says with what the case expects; collects all that differ.
fn check<T>(cases: Vec<Case>, open: impl Fn(Vec<u8>) -> Result<T, Error>) {
    let mut wrong = Vec::new();
    for Case { name, bytes, says } in cases {
        let said = open(bytes).err().map(|error| error.to_string());
        let right = match (&said, says) {
            (Some(said), Some(says)) => said.contains(says),
            (said, says) => said.is_none() && says.is_none(),
        };
        if !right {
            wrong.push(format!("{name}: {says:?} is expected, and not {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The seeds on disk are the cases of this test, and perhaps finds of the fuzzer besides.
fn check_seeds(target: &str, cases: Vec<Case>, probe: impl Fn(&[u8])) {
    let mut names = HashSet::new();
    for Case { name, bytes, .. } in cases {
        let seed = fs::read(corpus(target).join(name)).unwrap_or_default();
        assert!(seed == bytes, "{name} has drifted: cargo run -p formats --example seeds");
        assert!(names.insert(name), "{name} is the name of two cases");
    }
    for file in fs::read_dir(corpus(target)).unwrap() {
        probe(&fs::read(file.unwrap().path()).unwrap());
    }
}

#[test]
fn hostile_gguf_is_refused() {
    check(hostile::gguf::cases(), Gguf::from_bytes);
}

#[test]
fn hostile_safetensors_are_refused() {
    check(hostile::safetensors::cases(), Safetensors::from_bytes);
}

#[test]
fn seeds_of_gguf_run() {
    check_seeds("gguf", hostile::gguf::cases(), gguf::probe);
}

#[test]
fn seeds_of_safetensors_run() {
    check_seeds("safetensors", hostile::safetensors::cases(), safetensors::probe);
}

/// A file cut at any byte is an error, or (behind the last byte that counts) in order.
#[test]
fn cut_gguf_is_refused() {
    let whole = hostile::gguf::valid(3).0;
    // The second tensor has 16 bytes; then there is padding.
    let needed = whole.len() - 16;
    for length in 0..whole.len() {
        let opened = Gguf::from_bytes(whole[..length].to_vec());
        assert_eq!(opened.is_ok(), length >= needed, "cut to {length} bytes");
    }
}

#[test]
fn cut_safetensors_are_refused() {
    let whole = hostile::safetensors::valid().0;
    for length in 0..whole.len() {
        let opened = Safetensors::from_bytes(whole[..length].to_vec());
        assert!(opened.is_err(), "cut to {length} bytes");
    }
}

/// Any byte of the head may be any other byte, and nothing panics.
#[test]
fn bent_bytes_do_not_panic() {
    for (whole, probe) in [
        (hostile::gguf::valid(3).0, gguf::probe as fn(&[u8])),
        (hostile::safetensors::valid().0, safetensors::probe),
    ] {
        for at in 0..whole.len() {
            for bent in [0, 1, 7, 8, 9, 0x7f, 0x80, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = bent;
                probe(&bytes);
            }
        }
    }
}
