//! Any bytes as the body of a request in Ollama's dialect: decoded, and made turns of.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| api::ollama::probe(data));
