//! What git calls a file: the SHA-1 of its length and its bytes. It tells what was damaged on its
//! way; who wants to deceive can be stopped by a SHA-256 alone.

use std::fmt;
use std::str::FromStr;

use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};

/// The name of a file in git.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct GitBlob([u8; 20]);

/// A name that is being made.
pub struct Naming(Context);

impl Naming {
    /// Of a file of so many bytes.
    pub fn of(length: u64) -> Naming {
        let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
        context.update(format!("blob {length}\0").as_bytes());
        Naming(context)
    }

    /// More of its bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub fn finish(self) -> GitBlob {
        let mut name = [0; 20];
        name.copy_from_slice(self.0.finish().as_ref());
        GitBlob(name)
    }
}

impl GitBlob {
    /// Of a whole file.
    pub fn of(bytes: &[u8]) -> GitBlob {
        let mut naming = Naming::of(bytes.len() as u64);
        naming.update(bytes);
        naming.finish()
    }
}

impl FromStr for GitBlob {
    type Err = ();

    fn from_str(text: &str) -> Result<GitBlob, ()> {
        let mut name = [0; 20];
        if text.len() != 40 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(());
        }
        for (at, byte) in name.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).map_err(|_| ())?;
        }
        Ok(GitBlob(name))
    }
}

impl fmt::Display for GitBlob {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("git:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for GitBlob {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `git hash-object` says.
    #[test]
    fn it_is_what_git_says() {
        assert_eq!(Ok(GitBlob::of(b"hello\n")), "ce013625030ba8dba906f756967f9e9ca394464a".parse());
        assert!("ce0136".parse::<GitBlob>().is_err());
        assert!("é".repeat(20).parse::<GitBlob>().is_err());
    }
}
