//! What is known of a reply before its first event.

use std::sync::Arc;

use crate::{Language, Manner};

/// What all pieces of a reply share.
pub struct Plan {
    /// Digits that are no other reply's; dialects write a prefix of their own before them.
    pub id: String,
    /// Seconds since 1970.
    pub created: u64,
    pub model: String,
    pub fingerprint: String,
    pub manner: Manner,
    pub prompts: usize,
    /// Replies to each prompt, which are beside each other.
    pub copies: usize,
    /// There where log probabilities are shown.
    pub language: Option<Arc<dyn Language>>,
}

impl Plan {
    /// How many replies there are.
    pub fn choices(&self) -> usize {
        self.prompts * self.copies
    }

    /// The bytes of a token.
    pub fn bytes_of(&self, token: u32) -> &[u8] {
        self.language.as_ref().map_or(&[], |language| language.bytes_of(token))
    }

    /// What a call is named by: it follows from the reply's id, which is no other reply's.
    pub fn call_id(&self, at: usize, index: usize) -> String {
        format!("{}{at:02}{index:03}", self.id)
    }
}
