//! Signatures that `minisign` makes, in both of its ways: of a file's BLAKE2b, and of the file.

use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::Path;

use formats::map::Mapped;
use ring::signature::{ED25519, UnparsedPublicKey};

use super::blake2b::Blake2b;
use super::{Error, Signed, base64};

/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;
/// The longest file of which the old way is checked, as it is with `minisign` itself.
const LONGEST: u64 = 1 << 30;

const COMMENT: &str = "untrusted comment:";

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// As `minisign` writes it.
    text: String,
    id: [u8; 8],
    point: [u8; 32],
}

impl Key {
    /// Reads a key, or the text of a `.pub` file.
    ///
    /// # Errors
    /// A sentence on what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Key, &'static str> {
        let mut lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with(COMMENT));
        let key = lines.next().filter(|_| lines.next().is_none());
        let key = key.ok_or("a key of minisign is one line, after a comment at most")?;
        let wrong = "it is no public key of minisign, which begins with RW and has 56 characters";
        let bytes: [u8; 42] = base64::decode(key).and_then(|b| b.try_into().ok()).ok_or(wrong)?;
        let (head, point) = bytes.split_at(10);
        let id = head.strip_prefix(b"Ed").and_then(|id| id.try_into().ok()).ok_or(wrong)?;
        let point = point.try_into().map_err(|_| wrong)?;
        Ok(Key { text: key.to_owned(), id, point })
    }

    /// What `models.lock` calls it: the whole key, since anybody can make one with the same id.
    pub fn name(&self) -> String {
        format!("minisign {}", self.text)
    }

    /// Checks that a file is what the owner of the key has signed. `signature` is the text of the
    /// `.minisig` file. `progress` is told how many bytes were read so far, and may end it.
    ///
    /// # Errors
    /// When it is not, when the file cannot be read, and when `progress` ends it.
    pub fn verify(
        &self,
        file: &Path,
        signature: &str,
        progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Signed, Error> {
        let signature = Signature::parse(signature)?;
        if signature.id != self.id {
            return Err(Error::OtherKey { key: id(self.id), signature: id(signature.id) });
        }
        // The comment first: a signature that was tampered with is told before a long file is
        // read.
        let with_comment = [&signature.signature[..], signature.comment.as_bytes()].concat();
        self.check(&with_comment, &signature.of_comment, Error::Comment)?;
        if signature.is_of_digest {
            let digest = digest(File::open(file).map_err(Error::File)?, progress)?;
            self.check(&digest, &signature.signature, Error::Mismatch)?;
        } else {
            let mapped = Mapped::open(file).map_err(Error::File)?;
            if mapped.len() as u64 > LONGEST {
                return Err(Error::TooLong { bytes: mapped.len() as u64 });
            }
            self.check(&mapped, &signature.signature, Error::Mismatch)?;
        }
        Ok(Signed { by: self.name(), comment: Some(signature.comment.to_owned()) })
    }

    fn check(&self, message: &[u8], signature: &[u8], otherwise: Error) -> Result<(), Error> {
        let key = UnparsedPublicKey::new(&ED25519, self.point);
        key.verify(message, signature).map_err(|_| otherwise)
    }
}

/// A key's id as `minisign` shows it.
fn id(id: [u8; 8]) -> String {
    format!("{:016X}", u64::from_le_bytes(id))
}

fn digest(
    mut from: impl Read,
    progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<[u8; 64], Error> {
    let (mut hash, mut buffer, mut done) = (Blake2b::new(), vec![0; CHUNK], 0);
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(hash.finish()),
            Ok(n) => {
                hash.update(&buffer[..n]);
                done += n as u64;
                if progress(done).is_break() {
                    return Err(Error::Stopped);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::File(error)),
        }
    }
}

/// What is in a `.minisig` file.
struct Signature<'a> {
    is_of_digest: bool,
    id: [u8; 8],
    signature: [u8; 64],
    comment: &'a str,
    /// Of the signature and the comment together.
    of_comment: [u8; 64],
}

impl Signature<'_> {
    /// Four lines, of which the first is anybody's and not looked at.
    fn parse(text: &str) -> Result<Signature<'_>, Error> {
        let wrong = |why| Error::NoSignature { why };
        let lines: Vec<&str> = text.lines().collect();
        let [untrusted, signature, trusted, of_comment] = lines[..] else {
            return Err(wrong("a signature of minisign has four lines"));
        };
        if !untrusted.starts_with(COMMENT) {
            return Err(wrong("its first line does not begin with `untrusted comment:`"));
        }
        let comment = trusted.strip_prefix("trusted comment: ");
        let comment = comment.ok_or(wrong("its third line is no trusted comment"))?;
        if comment.contains(|c: char| c.is_control() && c != '\t') {
            return Err(wrong("its trusted comment has control characters"));
        }
        let head: Option<[u8; 74]> = base64::decode(signature).and_then(|b| b.try_into().ok());
        let head = head.ok_or(wrong("its second line is no signature"))?;
        let is_of_digest = match &head[..2] {
            b"ED" => true,
            b"Ed" => false,
            _ => return Err(wrong("it is made in a way that hearth does not know")),
        };
        let of_comment = base64::decode(of_comment).and_then(|b| b.try_into().ok());
        let of_comment = of_comment.ok_or(wrong("its fourth line is no signature"))?;
        let (mut id, mut signature) = ([0; 8], [0; 64]);
        id.copy_from_slice(&head[2..10]);
        signature.copy_from_slice(&head[10..]);
        Ok(Signature { is_of_digest, id, signature, comment, of_comment })
    }
}

#[cfg(test)]
#[path = "minisign_tests.rs"]
mod tests;
