//! Any bytes as a GGUF file: opened, and all of it read.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| formats::gguf::probe(data));
