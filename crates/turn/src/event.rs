//! What a reply consists of.

use std::ops::ControlFlow;

use crate::{Account, Fault};

/// Is told the events of a turn, from any thread; `Break` ends the turn. It never blocks, and is
/// dropped after the end.
pub type Listener = Box<dyn FnMut(Event) -> ControlFlow<()> + Send>;

/// One item of a reply.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Its prompt has so many tokens, and some of them need not be read again. Nothing comes
    /// before this.
    Begun(Usage),
    /// So many tokens of the prompt have been read; sent while a long one is.
    Read(usize),
    /// A token was chosen. Its text may still be held back, as half a character or as the possible
    /// beginning of a stop string.
    Token(Choice),
    /// Reasoning that is no part of the answer.
    Reasoning(String),
    /// Text that is complete and may be shown.
    Text(String),
    /// A call of this tool begins.
    Call(String),
    /// More of its arguments, as the model writes them.
    Arguments(String),
    /// The reply is over. Every turn ends with this or with `Failed`, once.
    End(Box<Account>),
    /// The turn could not be answered, or not to its end.
    Failed(Fault),
}

/// A chosen token, and what else might have been chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The token.
    pub token: u32,
    /// Natural logarithm of its probability under the model alone, before any sampling setting.
    pub logprob: f32,
    /// The most probable tokens with theirs, descending, as many as were asked for.
    pub top: Vec<(u32, f32)>,
}

/// Why a reply ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The model ended it.
    End,
    /// A stop string appeared.
    Stop,
    /// The limit of tokens was reached.
    Length,
    /// The context is full.
    Context,
    /// The user ended it.
    Cancelled,
    /// Its time was over.
    Deadline,
    /// The form that the answer must keep to left no token to go on with.
    Form,
}

/// What a turn used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Of these, tokens whose keys and values were there already.
    pub cached_tokens: usize,
    /// Tokens that were generated.
    pub generated_tokens: usize,
}
