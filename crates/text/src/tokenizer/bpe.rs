//! Byte-pair encoding of one word at a time: first symbols, joins, and what to do with characters
//! that have no token.
//!
//! A symbol is a token id, or a character without a token with the highest bit set.

use super::cache::Cache;
use super::chars::CharMap;
use super::merge::{Joiner, Merges};
use super::vocab::Vocab;

/// Marks a symbol that is a character without a token.
pub(super) const NO_TOKEN: u32 = 1 << 31;

/// How text becomes the first symbols.
pub(super) enum Start {
    /// One symbol per byte. A byte without a token is `NO_TOKEN`.
    Bytes(Box<[u32; 256]>),
    /// One symbol per character.
    Chars(CharMap),
}

/// What to do with a character that has no token. With neither it is left out, as everywhere.
#[derive(Default)]
pub(super) struct Fallback {
    /// The tokens of the single bytes.
    pub(super) bytes: Option<Box<[u32; 256]>>,
    pub(super) unknown: Option<u32>,
    /// One unknown token for a run of such characters.
    pub(super) fuse: bool,
}

/// A model of byte pairs.
pub(super) struct Bpe {
    pub(super) start: Start,
    pub(super) merges: Merges,
    pub(super) fallback: Fallback,
    /// A word that is a token is that token, whether or not the joins would lead there.
    pub(super) whole_words: bool,
}

/// Room to work in, kept between calls.
pub(super) struct Scratch {
    cache: Cache,
    joiner: Joiner,
    symbols: Vec<u32>,
    spelled: String,
}

impl Scratch {
    pub(super) fn new() -> Scratch {
        Scratch {
            cache: Cache::new(),
            joiner: Joiner::default(),
            symbols: Vec::new(),
            spelled: String::new(),
        }
    }
}

impl Bpe {
    /// Appends the ids of one word.
    #[inline]
    pub(super) fn encode(&self, word: &str, vocab: &Vocab, room: (&mut Scratch, &mut Vec<u32>)) {
        let (scratch, ids) = room;
        let place = scratch.cache.place(word.as_bytes());
        if let Some(known) = place.as_ref().and_then(|place| scratch.cache.get(place)) {
            ids.extend_from_slice(known);
            return;
        }
        let before = ids.len();
        self.encode_new(word, vocab, (scratch, ids));
        if let Some(place) = place {
            scratch.cache.put(&place, &ids[before..]);
        }
    }

    fn encode_new(&self, word: &str, vocab: &Vocab, room: (&mut Scratch, &mut Vec<u32>)) {
        let (scratch, ids) = room;
        if let Some(id) = self.whole(word, vocab, &mut scratch.spelled) {
            ids.push(id);
            return;
        }
        let symbols = &mut scratch.symbols;
        symbols.clear();
        match &self.start {
            Start::Bytes(tokens) => {
                symbols.extend(word.bytes().map(|byte| tokens[usize::from(byte)]));
            }
            Start::Chars(map) => {
                symbols.extend(word.chars().map(|c| map.get(c).unwrap_or(NO_TOKEN | c as u32)));
            }
        }
        scratch.joiner.join(&self.merges, symbols);
        self.emit(symbols, ids);
    }

    /// The token that spells the whole word, if such tokens go before joins.
    fn whole(&self, word: &str, vocab: &Vocab, spelled: &mut String) -> Option<u32> {
        if !self.whole_words || word.len() > vocab.longest_text() {
            return None;
        }
        match self.start {
            Start::Chars(_) => vocab.text_id(word),
            Start::Bytes(_) => {
                spelled.clear();
                spelled.extend(word.bytes().map(super::bytes::char_of));
                vocab.text_id(spelled)
            }
        }
    }

    fn emit(&self, symbols: &[u32], ids: &mut Vec<u32>) {
        let mut after_unknown = false;
        for &symbol in symbols {
            if symbol < NO_TOKEN {
                ids.push(symbol);
                after_unknown = false;
            } else if !self.emit_bytes(symbol & !NO_TOKEN, ids) {
                if !(after_unknown && self.fallback.fuse) {
                    ids.extend(self.fallback.unknown);
                }
                after_unknown = true;
            }
        }
    }

    /// The character as byte tokens, unless one of them is missing.
    fn emit_bytes(&self, point: u32, ids: &mut Vec<u32>) -> bool {
        let (Some(tokens), Some(c)) = (&self.fallback.bytes, char::from_u32(point)) else {
            return false;
        };
        let mut buffer = [0; 4];
        let bytes = c.encode_utf8(&mut buffer).bytes().map(|byte| tokens[usize::from(byte)]);
        if bytes.clone().any(|id| id >= NO_TOKEN) {
            return false;
        }
        ids.extend(bytes);
        true
    }
}
