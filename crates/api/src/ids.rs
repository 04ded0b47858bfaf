//! Names that nobody can foretell, for replies and requests, and seeds for turns that state none.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// Draws numbers. The hasher is keyed by the system's randomness, and a keyed hash of a counter
/// cannot be guessed without the key.
#[derive(Default)]
pub struct Ids {
    keyed: RandomState,
    count: AtomicU64,
}

impl Ids {
    /// A name such as `chatcmpl-0123456789abcdef01234567`.
    pub fn name(&self, prefix: &str) -> String {
        format!("{prefix}{:016x}{:08x}", self.draw(), self.draw() >> 32)
    }

    /// A seed. It has 53 bits, so that it survives being a number in JavaScript.
    pub fn seed(&self) -> u64 {
        self.draw() >> 11
    }

    fn draw(&self) -> u64 {
        self.keyed.hash_one(self.count.fetch_add(1, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_seeds_differ() {
        let ids = Ids::default();
        assert_ne!(ids.name("a-"), ids.name("a-"));
        assert_eq!(ids.name("a-").len(), 26);
        assert_ne!(ids.seed(), ids.seed());
        assert!(ids.seed() < 1 << 53);
    }
}
