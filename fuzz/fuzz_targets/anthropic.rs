//! Any bytes as the body of a request in Anthropic's dialect: decoded, and made turns of.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| api::anthropic::probe(data));
