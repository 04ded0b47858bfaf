//! Any bytes as a GGUF file with a vocabulary: a tokenizer built, a short text to ids and back.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| text::tokenizer::probe(data));
