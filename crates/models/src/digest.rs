//! The SHA-256 of a file: its name in the store, and what tells that no bit of it has changed.

use std::fmt;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::str::FromStr;

use sha2::Sha256;

/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;

/// A SHA-256. It reads and writes itself as `sha256:` and 64 hexadecimal digits, and nothing else
/// is one, so that it may safely be part of a path.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Of some bytes.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(<Sha256 as sha2::Digest>::digest(bytes).into())
    }

    /// Of everything that can be read. `progress` is told how many bytes that were so far, and may
    /// end it, with which there is no digest.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(
        mut from: impl Read,
        progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> io::Result<Option<Digest>> {
        use sha2::Digest as _;
        let (mut hash, mut buffer, mut done) = (Sha256::new(), vec![0; CHUNK], 0);
        loop {
            match from.read(&mut buffer) {
                Ok(0) => return Ok(Some(Digest(hash.finalize().into()))),
                Ok(n) => {
                    hash.update(&buffer[..n]);
                    done += n as u64;
                    if progress(done).is_break() {
                        return Ok(None);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The digits alone.
    pub fn hexadecimal(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "sha256:{}", self.hexadecimal())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is no digest, though it stands where one must.
#[derive(Debug, PartialEq, Eq)]
pub struct NoDigest(String);

impl fmt::Display for NoDigest {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let shown: String = self.0.chars().take(100).collect();
        write!(f, "{shown:?} is no digest; one is `sha256:` and 64 digits of 0-9a-f")
    }
}

impl std::error::Error for NoDigest {}

impl FromStr for Digest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Digest, NoDigest> {
        let digits = text.strip_prefix("sha256:").unwrap_or_default().as_bytes();
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let bytes: Option<Vec<u8>> =
            digits.chunks(2).map(|two| Some(digit(two[0])? << 4 | digit(*two.get(1)?)?)).collect();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Digest).ok_or_else(|| NoDigest(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn it_is_that_of_the_bytes() {
        assert_eq!(Digest::of(b"").to_string(), EMPTY);
        let bytes = vec![7; 3 * CHUNK + 1];
        let mut last = 0;
        let read = Digest::read(&bytes[..], &mut |done| {
            last = done;
            ControlFlow::Continue(())
        });
        assert_eq!((read.unwrap(), last), (Some(Digest::of(&bytes)), bytes.len() as u64));
        let stopped = Digest::read(&bytes[..], &mut |_| ControlFlow::Break(()));
        assert_eq!(stopped.unwrap(), None);
    }

    #[test]
    fn nothing_else_reads_as_one() {
        assert_eq!(EMPTY.parse(), Ok(Digest::of(b"")));
        let upper = format!("sha256:{}", EMPTY[7..].to_uppercase());
        let path = format!("sha256:{}/../", &EMPTY[7..65]);
        for text in ["", &EMPTY[7..], &EMPTY[..70], &format!("{EMPTY}0"), &upper, &path] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
        assert!(format!("sha512:{}", &EMPTY[7..]).parse::<Digest>().is_err());
    }
}
