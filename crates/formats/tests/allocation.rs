//! Opening a file takes no more heap than the file is long plus one MiB, whatever is in it.
//!
//! The files are opened from disk, so that their own bytes are not heap. The tests share one
//! counter and therefore take turns.
#![allow(clippy::unwrap_used)] // All of this file is tests, their helpers too.

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use formats::gguf::{Gguf, Value, Writer};
use formats::{Error, Safetensors, Storage};
use peak_alloc::PeakAlloc;

mod hostile;
use hostile::{Bytes, Case};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

static TURN: Mutex<()> = Mutex::new(());

const MIB: usize = 1 << 20;

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The most heap at any time of `work`, beyond what was taken before.
fn peak<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    let result = work();
    (result, HEAP.peak_usage().saturating_sub(before))
}

fn on_disk(name: &str, bytes: &[u8]) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("allocation-{name}"));
    fs::write(&path, bytes).unwrap();
    path
}

/// Opens a file, and fails when that took too much.
fn open<T>(name: &str, bytes: &[u8], open: fn(&std::path::Path) -> Result<T, Error>) -> Option<T> {
    let path = on_disk(name, bytes);
    let (result, peak) = peak(|| open(&path));
    fs::remove_file(path).unwrap();
    assert!(peak <= bytes.len() + MIB, "{name}: {peak} bytes of heap for {} of file", bytes.len());
    // The larger files stand for themselves without the spare MiB.
    assert!(bytes.len() < MIB || peak <= bytes.len(), "{name}: {peak} for {}", bytes.len());
    result.ok()
}

#[test]
fn the_counter_counts() {
    let _turn = turn();
    let (bytes, peak) = peak(|| vec![1u8; 3 * MIB]);
    assert!((3 * MIB..4 * MIB).contains(&peak), "{peak}");
    drop(bytes);
}

#[test]
fn hostile_files() {
    let _turn = turn();
    for Case { name, bytes, says } in hostile::gguf::cases() {
        // In memory it is one part of a split model; on disk its name is wrong.
        assert_eq!(open(name, &bytes, Gguf::open).is_some(), says.is_none(), "{name}");
    }
    for Case { name, bytes, says } in hostile::safetensors::cases() {
        assert_eq!(open(name, &bytes, Safetensors::open).is_some(), says.is_none(), "{name}");
    }
}

#[test]
fn vocabularies_stay_in_the_file() {
    let _turn = turn();
    for (name, tokens) in [("qwen2", 151_936), ("llama-bpe", 128_256), ("gemma-4", 262_144)] {
        let path = testkit::vocabulary(name);
        let (counted, peak) = peak(|| {
            let file = Gguf::open(&path).unwrap();
            let array = file.array("tokenizer.ggml.tokens").unwrap().unwrap();
            array.strings().unwrap().filter(Result::is_ok).count()
        });
        assert_eq!(counted, tokens, "{name}");
        assert!(peak < 16 << 10, "{name}: {peak} bytes of heap");
    }
}

#[test]
fn many_tiny_keys() {
    let _turn = turn();
    for count in [60_000, 150_000u64] {
        let mut bytes = Bytes::default().raw(b"GGUF").u32(3).u64(0).u64(count);
        for number in 0..count {
            // Four bytes at most, and different each time.
            let key = format!("{number:x}");
            bytes = bytes.text(&key).u32(0).raw(&[7]);
        }
        let file = open("keys.gguf", &bytes.0, Gguf::open).unwrap();
        assert_eq!(file.keys().count() as u64, count);
        assert_eq!(file.get("7f"), Some(Value::U8(7)));
        assert_eq!(file.get("-"), None);
    }
}

#[test]
fn many_tiny_tensors() {
    let _turn = turn();
    let mut writer = Writer::new();
    writer.key("general.alignment", Value::U32(1)).unwrap();
    for number in 0..100_000 {
        writer.tensor(&format!("{number:x}"), Storage::I8, &[1]).unwrap();
    }
    let mut body = writer.begin(Vec::new()).unwrap();
    for number in 0..100_000u32 {
        body.tensor(&[number as u8]).unwrap();
    }
    let bytes = body.finish().unwrap();
    let file = open("tensors.gguf", &bytes, Gguf::open).unwrap();
    assert_eq!(file.tensors().count(), 100_000);
    assert_eq!(file.tensor("1234").unwrap().bytes, [0x34]);
}

/// A file of tensors of one byte each, with names as `name` makes them.
fn tiny_safetensors(count: usize, name: impl Fn(usize) -> String) -> Vec<u8> {
    let entry = |at: usize| {
        let (name, end) = (name(at), at + 1);
        format!("\"{name}\":{{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[{at},{end}]}}")
    };
    let header = format!("{{{}}}", (0..count).map(entry).collect::<Vec<_>>().join(","));
    Bytes::default().text(&header).zeros(count).0
}

#[test]
fn many_tiny_tensors_of_safetensors() {
    let _turn = turn();
    let plain = tiny_safetensors(100_000, |number| format!("{number:x}"));
    let file = open("plain.safetensors", &plain, Safetensors::open).unwrap();
    assert_eq!(file.tensors().count(), 100_000);

    let escaped = tiny_safetensors(100_000, |number| format!("\\n{number:x}"));
    let file = open("escaped.safetensors", &escaped, Safetensors::open).unwrap();
    assert_eq!(file.tensor("\nff").unwrap().shape.len(), 0);
}

#[test]
fn long_strings_of_safetensors() {
    let _turn = turn();
    let long = "\\n".repeat(2 * MIB);
    let header = format!("{{\"__metadata__\":{{\"{long}\":\"{long}\"}}}}");
    let bytes = Bytes::default().text(&header).0;
    let file = open("notes.safetensors", &bytes, Safetensors::open).unwrap();
    assert_eq!(file.metadata().next().unwrap().0.len(), 2 * MIB);

    let field = format!("\"{long}\":0,\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]");
    let bytes = Bytes::default().text(&format!("{{\"t\":{{{field}}}}}")).0;
    assert!(open("field.safetensors", &bytes, Safetensors::open).is_some());
}
