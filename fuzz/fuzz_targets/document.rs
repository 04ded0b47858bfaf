//! Any bytes as a document of each kind: cut into passages, quoted and cited.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rag::probe(data));
