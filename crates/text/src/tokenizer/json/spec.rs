//! The shape of `tokenizer.json` and of the files beside it, as far as it is read.
//!
//! A part of an unknown type is an error of the parser, which names it and the known ones.

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
pub(super) struct File {
    #[serde(default)]
    pub(super) added_tokens: Vec<AddedToken>,
    pub(super) normalizer: Option<Normalizer>,
    pub(super) pre_tokenizer: Option<PreTokenizer>,
    pub(super) post_processor: Option<PostProcessor>,
    pub(super) decoder: Option<Decoder>,
    pub(super) model: Model,
}

#[derive(Deserialize)]
pub(super) struct AddedToken {
    pub(super) id: u32,
    pub(super) content: String,
    #[serde(default)]
    pub(super) single_word: bool,
    #[serde(default)]
    pub(super) lstrip: bool,
    #[serde(default)]
    pub(super) rstrip: bool,
    #[serde(default)]
    pub(super) normalized: bool,
    #[serde(default)]
    pub(super) special: bool,
}

#[derive(Deserialize)]
pub(super) enum Pattern {
    String(String),
    Regex(String),
}

#[derive(Deserialize)]
#[serde(tag = "type")]
pub(super) enum Normalizer {
    Sequence {
        normalizers: Vec<Normalizer>,
    },
    #[serde(rename = "NFC")]
    Nfc,
    #[serde(rename = "NFD")]
    Nfd,
    #[serde(rename = "NFKC")]
    Nfkc,
    #[serde(rename = "NFKD")]
    Nfkd,
    Lowercase,
    StripAccents,
    Strip {
        strip_left: bool,
        strip_right: bool,
    },
    Prepend {
        prepend: String,
    },
    Replace {
        pattern: Pattern,
        content: String,
    },
    #[serde(rename = "BertNormalizer")]
    Bert {
        #[serde(default = "yes")]
        clean_text: bool,
        #[serde(default = "yes")]
        handle_chinese_chars: bool,
        strip_accents: Option<bool>,
        #[serde(default = "yes")]
        lowercase: bool,
    },
}

#[derive(Deserialize)]
#[serde(tag = "type")]
pub(super) enum PreTokenizer {
    Sequence {
        pretokenizers: Vec<PreTokenizer>,
    },
    Split {
        pattern: Pattern,
        behavior: Behavior,
        #[serde(default)]
        invert: bool,
    },
    ByteLevel {
        #[serde(default = "yes")]
        add_prefix_space: bool,
        #[serde(default = "yes")]
        use_regex: bool,
    },
    Digits {
        #[serde(default)]
        individual_digits: bool,
    },
    Metaspace(Metaspace),
    Punctuation {
        behavior: Option<Behavior>,
    },
    #[serde(rename = "BertPreTokenizer")]
    Bert,
    Whitespace,
    WhitespaceSplit,
}

#[derive(Deserialize)]
pub(super) struct Metaspace {
    pub(super) replacement: String,
    pub(super) prepend_scheme: Option<Scheme>,
    /// What older files say instead of the scheme.
    pub(super) add_prefix_space: Option<bool>,
    #[serde(default = "yes")]
    pub(super) split: bool,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Scheme {
    Always,
    First,
    Never,
}

impl Metaspace {
    pub(super) fn scheme(&self) -> Scheme {
        let older =
            if self.add_prefix_space == Some(false) { Scheme::Never } else { Scheme::Always };
        self.prepend_scheme.unwrap_or(older)
    }
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
pub(super) enum Behavior {
    Removed,
    Isolated,
    MergedWithPrevious,
    MergedWithNext,
    Contiguous,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
pub(super) enum PostProcessor {
    Sequence {
        processors: Vec<PostProcessor>,
    },
    ByteLevel,
    TemplateProcessing {
        single: Vec<Piece>,
        special_tokens: serde_json::Map<String, serde_json::Value>,
    },
    BertProcessing {
        sep: (String, u32),
        cls: (String, u32),
    },
    RobertaProcessing {
        sep: (String, u32),
        cls: (String, u32),
    },
}

#[derive(Deserialize)]
pub(super) enum Piece {
    SpecialToken { id: String },
    Sequence {},
}

#[derive(Deserialize)]
#[serde(tag = "type")]
pub(super) enum Decoder {
    Sequence { decoders: Vec<Decoder> },
    ByteLevel,
    ByteFallback,
    Fuse,
    Replace { pattern: Pattern, content: String },
    Strip { content: String, start: usize, stop: usize },
    Metaspace(Metaspace),
    WordPiece { prefix: String },
}

#[derive(Deserialize)]
pub(super) struct Model {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) vocab: Pieces,
    pub(super) merges: Option<Vec<Merge>>,
    pub(super) unk_token: Option<String>,
    pub(super) dropout: Option<f32>,
    pub(super) continuing_subword_prefix: Option<String>,
    pub(super) end_of_word_suffix: Option<String>,
    #[serde(default)]
    pub(super) fuse_unk: bool,
    #[serde(default)]
    pub(super) byte_fallback: bool,
    #[serde(default)]
    pub(super) ignore_merges: bool,
    pub(super) max_input_chars_per_word: Option<usize>,
}

/// The pieces with their ids, in the order of the file. Empty for a list of scores.
pub(super) struct Pieces(pub(super) Vec<(String, u32)>);

impl<'de> Deserialize<'de> for Pieces {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pieces, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Pieces;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from pieces to ids")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pieces, A::Error> {
                let mut pieces = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    pieces.push(entry);
                }
                Ok(Pieces(pieces))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Pieces, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Pieces(Vec::new()))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// Both notations of a merge: `"a b"` and `["a", "b"]`.
pub(super) enum Merge {
    Line(String),
    Pair(String, String),
}

impl<'de> Deserialize<'de> for Merge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Merge, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Merge;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a merge, as a line or as a pair")
            }

            fn visit_str<E>(self, line: &str) -> Result<Merge, E> {
                Ok(Merge::Line(line.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Merge, A::Error> {
                let mut half = |at| {
                    let half = list.next_element::<String>()?;
                    half.ok_or_else(|| serde::de::Error::invalid_length(at, &Reader))
                };
                let pair = Merge::Pair(half(0)?, half(1)?);
                match list.next_element::<IgnoredAny>()? {
                    None => Ok(pair),
                    Some(_) => Err(serde::de::Error::invalid_length(3, &Reader)),
                }
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// `tokenizer_config.json`.
#[derive(Default, Deserialize)]
pub(super) struct Config {
    pub(super) bos_token: Option<Token>,
    pub(super) eos_token: Option<Token>,
    pub(super) add_bos_token: Option<bool>,
    pub(super) add_eos_token: Option<bool>,
    pub(super) chat_template: Option<Templates>,
}

/// A token, by its text alone or with all its properties.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Token {
    Text(String),
    Added { content: String },
}

impl Token {
    pub(super) fn text(&self) -> &str {
        match self {
            Token::Text(text) | Token::Added { content: text } => text,
        }
    }
}

/// One template, or several with names.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Templates {
    One(String),
    Named(Vec<Template>),
}

#[derive(Deserialize)]
pub(super) struct Template {
    pub(super) name: String,
    pub(super) template: String,
}

/// What `generation_config.json` and `config.json` say about the end of a reply.
#[derive(Default, Deserialize)]
pub(super) struct Ends {
    pub(super) eos_token_id: Option<OneOrMore>,
    pub(super) bos_token_id: Option<OneOrMore>,
    pub(super) text_config: Option<Box<Ends>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMore {
    One(i64),
    More(Vec<i64>),
}

impl OneOrMore {
    pub(super) fn list(&self) -> &[i64] {
        match self {
            OneOrMore::One(one) => std::slice::from_ref(one),
            OneOrMore::More(list) => list,
        }
    }
}

fn yes() -> bool {
    true
}
