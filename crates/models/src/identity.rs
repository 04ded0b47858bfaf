//! What of a model decides how a prompt is read, besides its weights.
//!
//! A tokenizer or a template that has changed gives other answers with the same weights. These
//! digests tell it before anything is run.

use std::fs;
use std::io;
use std::path::Path;

use formats::gguf::{Gguf, Value};

use crate::Digest;

/// Where GGUF files keep it.
const TOKENIZER: &str = "tokenizer.ggml.";
const TEMPLATE: &str = "tokenizer.chat_template";

/// Files of a Hugging Face folder of which its tokenizer is made.
const FILES: [&str; 4] = ["tokenizer.json", "tokenizer.model", "vocab.json", "merges.txt"];

/// The digest of the tokenizer of a GGUF file.
pub fn tokenizer(gguf: &Gguf) -> Option<Digest> {
    let mut keys: Vec<_> = gguf.keys().filter(|(key, _)| key.starts_with(TOKENIZER)).collect();
    keys.sort_by_key(|(key, _)| *key);
    let mut text = Vec::new();
    for (key, value) in &keys {
        append(&mut text, key.as_bytes());
        describe(&mut text, value);
    }
    (!keys.is_empty()).then(|| Digest::of(&text))
}

/// The digest of the chat template of a GGUF file, with those for special uses.
pub fn template(gguf: &Gguf) -> Option<Digest> {
    let mut text = Vec::new();
    for (key, value) in gguf.keys().filter(|(key, _)| key.starts_with(TEMPLATE)) {
        if let Value::Str(template) = value {
            append(&mut text, key.as_bytes());
            append(&mut text, template.as_bytes());
        }
    }
    (!text.is_empty()).then(|| Digest::of(&text))
}

/// The digest of the tokenizer of a Hugging Face folder.
///
/// # Errors
/// When one of its files cannot be read.
pub fn tokenizer_of_folder(folder: &Path) -> io::Result<Option<Digest>> {
    let mut text = Vec::new();
    for name in FILES {
        match fs::read(folder.join(name)) {
            Ok(bytes) => {
                append(&mut text, name.as_bytes());
                append(&mut text, &bytes);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok((!text.is_empty()).then(|| Digest::of(&text)))
}

/// The digest of a template as it is.
pub fn template_text(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

/// With its length before it, so that no two rows of texts look the same.
fn append(text: &mut Vec<u8>, bytes: &[u8]) {
    text.extend((bytes.len() as u64).to_le_bytes());
    text.extend(bytes);
}

fn describe(text: &mut Vec<u8>, value: &Value) {
    append(text, value.kind().name().as_bytes());
    match value {
        Value::Array(array) => {
            text.extend((array.len() as u64).to_le_bytes());
            match array.byte_strings() {
                Some(strings) => strings.for_each(|string| append(text, string)),
                None => array.values().for_each(|value| describe(text, &value)),
            }
        }
        Value::Str(string) => append(text, string.as_bytes()),
        Value::Bool(flag) => text.push(u8::from(*flag)),
        Value::F32(number) => text.extend(number.to_bits().to_le_bytes()),
        Value::F64(number) => text.extend(number.to_bits().to_le_bytes()),
        other => text.extend(other.integer().unwrap_or_default().to_le_bytes()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use formats::gguf::{ArrayBuf, Writer};

    use super::*;

    fn file(tokens: &[&str], template: &str) -> Gguf {
        let mut writer = Writer::new();
        let tokens = ArrayBuf::strings(tokens);
        writer.key("general.name", Value::Str(template)).unwrap();
        writer.key("tokenizer.ggml.tokens", tokens.value()).unwrap();
        writer.key("tokenizer.ggml.bos_token_id", Value::U32(1)).unwrap();
        writer.key(TEMPLATE, Value::Str(template)).unwrap();
        Gguf::from_bytes(writer.begin(Vec::new()).unwrap().finish().unwrap()).unwrap()
    }

    #[test]
    fn each_tells_its_own_change() {
        let (old, new) = (file(&["a", "bc"], "old"), file(&["a", "bc"], "new"));
        assert_eq!(tokenizer(&old), tokenizer(&new));
        assert_ne!(template(&old), template(&new));
        let other = file(&["ab", "c"], "old");
        assert_ne!(tokenizer(&old), tokenizer(&other));
        assert_eq!(template(&old), template(&other));
        assert!(tokenizer(&old).is_some() && template(&old).is_some());
    }
}
