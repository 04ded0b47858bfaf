//! The tokenizer of the new file: byte pairs of bytes, with the rule that cuts text by its name.
//!
//! GGUF names the rule and cannot spell it. So a tokenizer that is not what the name means, down
//! to each switch, is refused.

use formats::gguf::{ArrayBuf, Value as Metadata, Writer};
use serde_json::Value;
use text::tokenizer::{Encode, Tokenizer};

use crate::Error;

/// A rule that cuts text, and what else its name in GGUF stands for.
struct Rule {
    name: &'static str,
    pattern: &'static str,
    /// Whether text is composed (NFC) first; folders without a normalizer are read so as well.
    composes: bool,
    /// Whether a word that is a token is not merged from its parts.
    whole_words: bool,
}

const RULES: [Rule; 2] = [
    Rule {
        name: "qwen2",
        pattern: concat!(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|",
            r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ),
        composes: true,
        whole_words: false,
    },
    Rule {
        name: "llama-bpe",
        pattern: concat!(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|",
            r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ),
        composes: false,
        whole_words: true,
    },
];

/// What the tokens of a GGUF file are for.
const TEXT: i32 = 1;
const CONTROL: i32 = 3;
const DEFINED: i32 = 4;
const UNUSED: i32 = 5;

/// A tokenizer, and what its files say beyond that.
pub(super) struct Described {
    pub tokenizer: Tokenizer,
    /// `tokenizer.json`
    pub file: Value,
    /// `tokenizer_config.json`
    pub config: Value,
    /// Ids at which a reply ends, as several files state them: one, a list, or nothing.
    pub ends: [Value; 2],
}

impl Described {
    /// Writes all of it, for a model with so many rows in its embedding.
    pub fn write(&self, head: &mut Writer, vocabulary: usize) -> Result<(), Error> {
        let pre = self.check()?;
        if self.tokenizer.len() > vocabulary {
            return refuse(format!(
                "its tokenizer has {} tokens, but its weights only {vocabulary}",
                self.tokenizer.len()
            ));
        }
        let (pieces, kinds) = self.tokens(vocabulary)?;
        head.key("tokenizer.ggml.model", Metadata::Str("gpt2"))?;
        head.key("tokenizer.ggml.pre", Metadata::Str(pre))?;
        head.key("tokenizer.ggml.tokens", ArrayBuf::strings(pieces).value())?;
        head.key("tokenizer.ggml.token_type", ArrayBuf::from_iter(kinds).value())?;
        head.key("tokenizer.ggml.merges", ArrayBuf::strings(self.merges()).value())?;
        self.special(head)?;
        if let Some(template) = self.tokenizer.chat_template() {
            head.key("tokenizer.chat_template", Metadata::Str(template))?;
        }
        Ok(())
    }

    /// The name of the rule that cuts text, if everything else is what it stands for.
    fn check(&self) -> Result<&'static str, Error> {
        let (file, model) = (&self.file, &self.file["model"]);
        let rule = rule(&file["pre_tokenizer"])?;
        let normalizer = &file["normalizer"];
        let is_meant = normalizer.is_null() || rule.composes && normalizer["type"] == "NFC";
        if !is_meant {
            let (found, name) = (&normalizer["type"], rule.name);
            return refuse(format!("its normalizer is {found}, which {name} does not stand for"));
        }
        let kind = model["type"].as_str().unwrap_or("BPE");
        if kind != "BPE" {
            return refuse(format!("its tokenizer is {kind}; hearth imports BPE of bytes"));
        }
        if model["byte_fallback"] == true {
            return refuse("its tokenizer has byte_fallback, which GGUF cannot say".to_owned());
        }
        if model["ignore_merges"].as_bool().unwrap_or_default() != rule.whole_words {
            let name = rule.name;
            return refuse(format!(
                "its ignore_merges is not {}, as {name} has it",
                rule.whole_words
            ));
        }
        for token in list(&file["added_tokens"]) {
            let strips = ["lstrip", "rstrip", "single_word"];
            if let Some(switch) = strips.into_iter().find(|switch| token[*switch] == true) {
                let content = &token["content"];
                return refuse(format!("its token {content} has {switch}, which GGUF cannot say"));
            }
        }
        let around = self.tokenizer.encode("", Encode { add_special: true, ..Encode::default() });
        let bos = self.tokenizer.bos().filter(|_| self.tokenizer.adds_bos());
        if around != Vec::from_iter(bos) {
            return refuse("its post_processor adds tokens other than bos_token".to_owned());
        }
        Ok(rule.name)
    }

    /// All tokens, with what each is for. The rows of an embedding that have none are called so.
    fn tokens(&self, vocabulary: usize) -> Result<(Vec<String>, Vec<i32>), Error> {
        let mut kinds = vec![TEXT; vocabulary];
        for token in list(&self.file["added_tokens"]) {
            let kind = if token["special"] == true { CONTROL } else { DEFINED };
            let id = token["id"].as_u64().and_then(|id| kinds.get_mut(id as usize));
            if let Some(known) = id {
                *known = kind;
            }
        }
        let mut pieces = Vec::with_capacity(vocabulary);
        for (id, kind) in (0..).zip(&mut kinds) {
            let piece = self.tokenizer.piece(id);
            if piece.is_empty() {
                *kind = UNUSED;
                pieces.push(format!("[PAD{id}]"));
            } else {
                pieces.push(piece.to_owned());
            }
        }
        Ok((pieces, kinds))
    }

    /// In the order of their ranks, both halves with a space between.
    fn merges(&self) -> Vec<String> {
        let merge = |merge: &Value| match merge.as_str() {
            Some(line) => line.to_owned(),
            None => list(merge).iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        };
        list(&self.file["model"]["merges"]).iter().map(merge).collect()
    }

    /// Tokens with a meaning of their own.
    fn special(&self, head: &mut Writer) -> Result<(), Error> {
        let tokenizer = &self.tokenizer;
        let pad = &self.config["pad_token"];
        let pad = pad.as_str().or(pad["content"].as_str()).and_then(|pad| tokenizer.id_of(pad));
        let mut ends: Vec<u32> = Vec::new();
        for stated in &self.ends {
            let ids =
                stated.as_u64().into_iter().chain(list(stated).iter().filter_map(Value::as_u64));
            let ids = ids.filter_map(|id| u32::try_from(id).ok());
            ends.extend(ids.filter(|id| (*id as usize) < tokenizer.len()));
        }
        let eos = tokenizer.eos();
        let mut seen = Vec::from_iter(eos);
        ends.retain(|id| {
            !seen.contains(id) && {
                seen.push(*id);
                true
            }
        });
        if ends.len() > 2 {
            return refuse(format!("{} tokens end its replies; GGUF has names for 3", seen.len()));
        }
        for (name, id) in [
            ("bos", tokenizer.bos()),
            ("eos", eos),
            ("eot", ends.first().copied()),
            ("eom", ends.get(1).copied()),
            ("padding", pad),
        ] {
            if let Some(id) = id {
                head.key(&format!("tokenizer.ggml.{name}_token_id"), Metadata::U32(id))?;
            }
        }
        Ok(head.key("tokenizer.ggml.add_bos_token", Metadata::Bool(tokenizer.adds_bos()))?)
    }
}

/// What cuts text, if GGUF has a name for it: a pattern, and bytes behind it.
fn rule(spec: &Value) -> Result<&'static Rule, Error> {
    let known = RULES.each_ref().map(|rule| rule.name).join(" and ");
    let [split, bytes] = list(&spec["pretokenizers"]) else {
        let kind = &spec["type"];
        return refuse(format!("its pre_tokenizer is {kind}; hearth imports those of {known}"));
    };
    let isolates = split["behavior"] == "Isolated" && split["invert"] != true;
    let plain = bytes["add_prefix_space"] == false && bytes["use_regex"] == false;
    let is_known = split["type"] == "Split" && bytes["type"] == "ByteLevel";
    let pattern = split["pattern"]["Regex"].as_str().unwrap_or_default();
    match RULES.iter().find(|rule| rule.pattern == pattern) {
        Some(rule) if is_known && isolates && plain => Ok(rule),
        _ => refuse(format!("its pre_tokenizer is {spec}; hearth imports those of {known}")),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn refuse<T>(what: String) -> Result<T, Error> {
    Err(Error::Unsaid { what })
}
