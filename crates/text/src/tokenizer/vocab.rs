//! The tokens of a vocabulary: the text and the bytes of each, and the way back from text to id.
//!
//! Texts and bytes lie in two long runs, not in a million small strings. Knows nothing of how
//! text is cut into tokens.

use std::collections::HashMap;

use super::error::Error;

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A piece of text.
    Text,
    /// Stands for what the vocabulary cannot spell.
    Unknown,
    /// Markup that steers the model: parsed and shown on request only.
    Control,
    /// A text that is always one token.
    Defined,
    /// One byte, for characters that have no token.
    Byte,
}

/// One token as a file describes it.
pub(super) struct Entry<'a> {
    pub(super) piece: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) kind: Kind,
}

/// All tokens, by id.
#[derive(Default)]
pub(super) struct Vocab {
    pieces: Run,
    bytes: Run,
    kinds: Vec<Kind>,
    ids: HashMap<Box<str>, u32>,
    longest_text: usize,
}

/// Byte strings one after the other.
#[derive(Default)]
struct Run {
    data: Vec<u8>,
    ends: Vec<u32>,
}

impl Run {
    fn push(&mut self, bytes: &[u8]) {
        self.data.extend_from_slice(bytes);
        self.ends.push(self.data.len() as u32);
    }

    fn get(&self, index: usize) -> &[u8] {
        let Some(&end) = self.ends.get(index) else { return &[] };
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.data[start as usize..end as usize]
    }
}

/// The most bytes that the texts of one vocabulary may have; the largest real one has 3 MB.
const MOST_BYTES: usize = 1 << 30;
/// The most tokens; the largest real vocabulary has 262 144. Far below `bpe::NO_TOKEN`.
const MOST_TOKENS: usize = 1 << 24;

impl Vocab {
    /// Adds the token with the next id.
    pub(super) fn push(&mut self, entry: &Entry<'_>) -> Result<u32, Error> {
        let id = self.kinds.len() as u32;
        if self.pieces.data.len() + entry.piece.len() > MOST_BYTES {
            return Err(Error::Token { id, reason: "makes the vocabulary larger than 1 GiB" });
        }
        if self.kinds.len() == MOST_TOKENS {
            return Err(Error::Token { id, reason: "is one more than there may be" });
        }
        // Gaps between the ids have no text, and there may be many.
        let named = !entry.piece.is_empty();
        if named && let Some(first) = self.ids.insert(entry.piece.into(), id) {
            let piece = entry.piece.to_owned();
            return Err(Error::Duplicate { piece, first, second: id });
        }
        self.pieces.push(entry.piece.as_bytes());
        self.bytes.push(entry.bytes);
        self.kinds.push(entry.kind);
        if entry.kind == Kind::Text {
            self.longest_text = self.longest_text.max(entry.piece.len());
        }
        Ok(id)
    }

    /// The length of the longest piece of text, as the vocabulary spells it.
    pub(super) fn longest_text(&self) -> usize {
        self.longest_text
    }

    pub(super) fn len(&self) -> usize {
        self.kinds.len()
    }

    /// The token's name in the vocabulary; empty when there is no such token.
    pub(super) fn piece(&self, id: u32) -> &str {
        str::from_utf8(self.pieces.get(id as usize)).unwrap_or_default()
    }

    /// The bytes of text that the token stands for.
    pub(super) fn bytes(&self, id: u32) -> &[u8] {
        self.bytes.get(id as usize)
    }

    pub(super) fn kind(&self, id: u32) -> Kind {
        self.kinds.get(id as usize).copied().unwrap_or(Kind::Control)
    }

    pub(super) fn id(&self, piece: &str) -> Option<u32> {
        self.ids.get(piece).copied()
    }

    /// The id of a piece that text is made of; markup with the same spelling is not.
    pub(super) fn text_id(&self, piece: &str) -> Option<u32> {
        self.id(piece).filter(|&id| self.kind(id) == Kind::Text)
    }

    /// All ids with their pieces and kinds.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &str, Kind)> {
        (0..self.len() as u32).map(|id| (id, self.piece(id), self.kind(id)))
    }
}
