//! A reply as a whole.

use crate::Account;

/// What a model said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// The answer, without reasoning.
    pub text: String,
    /// The tokens that the answer is made of.
    pub tokens: Vec<Token>,
    /// Calls of tools: the name, and the arguments as they were written.
    pub calls: Vec<(String, String)>,
    /// What came of the turn; missing only where nothing was said.
    pub account: Option<Box<Account>>,
}

/// A token of an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Token {
    /// The first byte of the answer that it wrote.
    pub start: usize,
    /// The byte behind the last.
    pub end: usize,
    /// Natural logarithm of its probability under the model alone.
    pub logprob: f32,
}
