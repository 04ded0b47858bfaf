//! Any bytes as a safetensors file: opened, and all of it read.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| formats::safetensors::probe(data));
