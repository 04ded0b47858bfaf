//! How the pieces of a vocabulary spell bytes, and which tokens are single bytes.

use std::borrow::Cow;

use super::bpe::NO_TOKEN;
use super::bytes;
use super::vocab::{Kind, Vocab};

/// How the pieces of a vocabulary spell bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// By the byte-level alphabet.
    Bytes,
    /// With `▁` for the space.
    Spaces,
}

/// The bytes of text that a piece stands for; `None` when it is no byte, but should be one.
pub(super) fn bytes_of(piece: &str, kind: Kind, spelling: Spelling) -> Option<Cow<'_, [u8]>> {
    Some(match (kind, spelling) {
        (Kind::Byte, _) => Cow::Owned(vec![byte_piece(piece)?]),
        (Kind::Control | Kind::Unknown, _) | (Kind::Defined, Spelling::Bytes) => {
            Cow::Borrowed(piece.as_bytes())
        }
        (_, Spelling::Spaces) => Cow::Owned(piece.replace('▁', " ").into_bytes()),
        (_, Spelling::Bytes) => match bytes::decode(piece) {
            Some(bytes) => Cow::Owned(bytes),
            None => Cow::Borrowed(piece.as_bytes()),
        },
    })
}

/// The byte that `<0x0A>` stands for.
pub(super) fn byte_piece(piece: &str) -> Option<u8> {
    let digits = piece.strip_prefix("<0x")?.strip_suffix('>')?;
    let two = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if two { u8::from_str_radix(digits, 16).ok() } else { None }
}

/// The tokens of the single bytes of a byte-level vocabulary.
pub(super) fn byte_tokens(vocab: &Vocab) -> Box<[u32; 256]> {
    let token = |byte: u8| vocab.text_id(bytes::char_of(byte).encode_utf8(&mut [0; 4]));
    Box::new(std::array::from_fn(|byte| token(byte as u8).unwrap_or(NO_TOKEN)))
}

/// The byte tokens, if there are any.
pub(super) fn fallback_bytes(vocab: &Vocab) -> Option<Box<[u32; 256]>> {
    let mut tokens = Box::new([NO_TOKEN; 256]);
    for (id, piece, kind) in vocab.iter() {
        if kind == Kind::Byte {
            tokens[usize::from(byte_piece(piece)?)] = id;
        }
    }
    tokens.iter().any(|&id| id != NO_TOKEN).then_some(tokens)
}
