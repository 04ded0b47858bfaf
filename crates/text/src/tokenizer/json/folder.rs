//! The files of a model folder that concern its tokenizer.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::{CONFIG, FILE, parse, spec};
use crate::tokenizer::error::Error;
use crate::tokenizer::{Tokenizer, ends};

impl Tokenizer {
    /// The tokenizer of a folder with `tokenizer.json`; `tokenizer_config.json`,
    /// `generation_config.json`, `config.json` and `chat_template.jinja` are read when present.
    pub fn from_folder(folder: &Path) -> Result<Tokenizer, Error> {
        let tokenizer = fs::read(folder.join(FILE))
            .map_err(|error| Error::Read { path: folder.join(FILE), error })?;
        let config = read(folder, CONFIG)?;
        let mut tokenizer = Tokenizer::from_json(&tokenizer, config.as_deref())?;
        for name in ["generation_config.json", "config.json"] {
            if let Some(json) = read(folder, name)? {
                tokenizer.learn(&parse(name, &json)?);
            }
        }
        if let Some(source) = read(folder, "chat_template.jinja")? {
            let source = String::from_utf8_lossy(&source).into_owned();
            tokenizer.templates.retain(|(name, _)| name != "default");
            tokenizer.templates.push(("default".to_owned(), source));
        }
        Ok(tokenizer)
    }

    /// Adds the ends that a configuration names, and beginning and end of a text if not known yet.
    fn learn(&mut self, found: &spec::Ends) {
        let len = self.vocab.len();
        let known = |list: &Option<spec::OneOrMore>| -> Vec<u32> {
            let list = list.iter().flat_map(spec::OneOrMore::list);
            let ids = list.filter_map(|&id| u32::try_from(id).ok());
            // Models are often wider than their vocabulary; such an id is never produced.
            ids.filter(|&id| (id as usize) < len).collect()
        };
        let mut named = self.ends.clone();
        named.extend(known(&found.eos_token_id));
        self.bos = self.bos.or_else(|| known(&found.bos_token_id).first().copied());
        self.eos = self.eos.or_else(|| known(&found.eos_token_id).first().copied());
        self.ends = ends::all(&self.vocab, &named);
        if let Some(inner) = &found.text_config {
            self.learn(inner);
        }
    }
}

/// The bytes of a file, or `None` when there is no such file.
fn read(folder: &Path, name: &str) -> Result<Option<Vec<u8>>, Error> {
    let path = folder.join(name);
    match fs::read(&path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::Read { path, error }),
    }
}
