//! Keys: who may ask for what, and how much of it. Pure; files, clocks and randomness are the
//! binary's.
//!
//! A key is a text of 256 random bits. Only its SHA-256 is kept: so many bits cannot be guessed,
//! whatever a guess costs, so a slow hash would add nothing.

mod kept;
mod quota;
mod ring;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use kept::{read, write};
pub use quota::{Excess, Limit, Meter, Quota};
pub use ring::{Denied, Moment, Purse, Ring, Visit};

/// Bytes of the system's randomness in a key: four to tell it by, 32 that are its secret.
pub const RANDOM: usize = 4 + 32;
/// Characters that everybody may see: `hearth-` and the first four bytes.
const START: usize = 7 + 8;

/// What a key is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Needs no key, and is nothing that a key could be given.
    #[serde(skip)]
    Anyone,
    /// Sees which models there are.
    List,
    /// Asks models, says how long they are kept, and has responses stored.
    Ask,
    /// Copies, makes and deletes models.
    Manage,
    /// Reads the server's measurements.
    Watch,
}

impl Scope {
    /// What keys may be given.
    pub const GIVEN: [Scope; 4] = [Scope::List, Scope::Ask, Scope::Manage, Scope::Watch];

    /// What it is called by.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Anyone => "anyone",
            Scope::List => "list",
            Scope::Ask => "ask",
            Scope::Manage => "manage",
            Scope::Watch => "watch",
        }
    }
}

/// A key, as far as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Whose it is. No two have the same.
    pub name: String,
    /// How it begins, to tell it by.
    pub start: String,
    /// What its text is compared with.
    pub sha256: Digest,
    /// What it is good for.
    pub scopes: BTreeSet<Scope>,
    /// How much may be asked with it.
    #[serde(default, skip_serializing_if = "Quota::is_unlimited")]
    pub quota: Quota,
    /// When it was made, in seconds since 1970.
    pub created: u64,
    /// From when on it is good for nothing, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
}

impl Key {
    /// A key of this name and text, which lists and asks without a limit.
    pub fn new(name: &str, text: &str) -> Key {
        Key {
            name: name.to_owned(),
            start: text.chars().take(START).collect(),
            sha256: Digest::of(text),
            scopes: BTreeSet::from([Scope::List, Scope::Ask]),
            quota: Quota::default(),
            created: 0,
            expires: None,
        }
    }

    /// Whether its time is over.
    pub fn has_expired(&self, date: u64) -> bool {
        self.expires.is_some_and(|expires| expires <= date)
    }
}

/// The text of a key: `hearth-`, eight digits to tell it by, and a secret.
pub fn text(random: &[u8; RANDOM]) -> String {
    let (known, secret) = random.split_at(4);
    format!("hearth-{}-{}", hex(known), hex(secret))
}

/// The SHA-256 of a key's text.
#[derive(Clone, Debug, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// Of a text that may be a key.
    pub fn of(text: &str) -> Digest {
        Digest(Sha256::digest(text).into())
    }
}

impl PartialEq for Digest {
    /// In a time that does not tell where they differ.
    fn eq(&self, other: &Digest) -> bool {
        let pairs = self.0.iter().zip(&other.0);
        let differing = pairs.fold(0, |bits, (a, b)| std::hint::black_box(bits | (a ^ b)));
        differing == 0
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        hex(&digest.0)
    }
}

impl TryFrom<String> for Digest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Digest, &'static str> {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let byte = |pair: &[u8; 2]| Some((digit(pair[0])? << 4 | digit(pair[1])?) as u8);
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let bytes = pairs.iter().map(byte).collect::<Option<Vec<u8>>>();
        let bytes = bytes.filter(|_| rest.is_empty()).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Digest).ok_or("a SHA-256 has 64 hexadecimal digits")
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_shows_its_start_and_keeps_only_its_digest() {
        let mut random = [0xab; RANDOM];
        random[..4].copy_from_slice(&[0x01, 0x23, 0x45, 0x67]);
        let text = text(&random);
        assert_eq!(text, format!("hearth-01234567-{}", "ab".repeat(32)));
        let key = Key::new("laptop", &text);
        assert_eq!(key.start, "hearth-01234567");
        assert!(!write(&[key]).contains("abab"));
    }

    #[test]
    fn digests_are_sha_256_and_differ_by_any_bit() {
        let digest = Digest::of("abc");
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(String::from(digest.clone()), hex);
        for bit in 0..256 {
            let mut other = digest.clone();
            other.0[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(other, digest);
        }
        assert_eq!(Digest::try_from(hex.to_uppercase()), Ok(digest));
        for wrong in ["", "ab", &hex[1..], &format!("{hex}0"), &hex.replace('b', "g"), "é"] {
            assert!(Digest::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
