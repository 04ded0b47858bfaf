//! Any bytes as a chat template: compiled, and rendered with a small conversation.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| text::template::probe(data));
