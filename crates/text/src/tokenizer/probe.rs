//! The door for fuzzing: everything a hostile file can reach, in one call.

use formats::gguf::Gguf;

use super::{Encode, Tokenizer};

const TEXT: &str = "Hello  it's 1234\n\n\tgrüße 漢字 e\u{301} 🙂<|im_start|><s>▁[UNK]ſ";

/// Builds a tokenizer from the bytes of a GGUF file, then encodes and decodes a short text.
#[doc(hidden)]
pub fn probe(data: &[u8]) {
    let Ok(file) = Gguf::from_bytes(data.to_vec()) else { return };
    let Ok(tokenizer) = Tokenizer::from_gguf(&file) else { return };
    for markup in [false, true] {
        let ids = tokenizer.encode(TEXT, Encode { markup, add_special: true });
        let whole = tokenizer.decode(&ids, markup);
        let mut stream = tokenizer.stream(markup);
        let mut parts: String = ids.iter().map(|&id| stream.push(id).to_owned()).collect();
        parts += stream.finish();
        assert_eq!(parts, whole);
    }
}
