//! A turn that is read or written, and its part of a step.

use text::tokenizer::{Encode, Tokenizer};
use turn::{Finish, Times};

use super::{Job, Tried};
use crate::generate::Writer;
use crate::guess::Guesser;
use crate::sample::Row;
use crate::{Feed, Sequence, Wanted};

/// A turn that is read or written.
pub(super) struct Active<'t> {
    pub job: Job,
    pub sequence: Sequence,
    pub writer: Writer<'t>,
    /// What is fed next, when the prompt has been read: tokens that a wrong guess made necessary
    /// again, the last token, and guesses of what follows.
    pub next: Vec<u32>,
    pub again: usize,
    pub guesser: Guesser,
    /// Whether the guesses are those of the form.
    pub forced: bool,
    /// What came of those of the last step.
    pub tried: Tried,
    /// Tokens of the sequence that stay, whatever was guessed behind them.
    pub certain: usize,
    /// Bytes that it may come to keep.
    pub room: u64,
    pub times: Times,
}

/// What a turn gets in a step.
#[derive(Clone, Copy)]
pub(super) struct Share {
    pub rows: usize,
    pub wanted: Wanted,
}

impl Active<'_> {
    /// Guesses what follows on the next token: what the form demands, or what was there before.
    /// A step that makes up for a wrong guess has none.
    pub fn guess(&mut self, tokenizer: &Tokenizer, most: usize) {
        let [token] = self.next[..] else { return };
        if most == 0 {
            return;
        }
        let plain = Encode { markup: false, add_special: false };
        let forced = self.writer.forced(|text| tokenizer.encode(text, plain));
        let forced = &forced[..forced.len().min(most)];
        let forced = self.writer.allowed(forced);
        self.forced = !forced.is_empty();
        if self.forced {
            self.next.extend_from_slice(forced);
        } else {
            let seen = self.guesser.guess(self.sequence.tokens(), token, most);
            self.next.extend_from_slice(self.writer.allowed(seen));
        }
    }

    /// Its part of a step: more of the prompt, or the next token and guesses.
    pub fn feed(&mut self, share: Share) -> Feed<'_> {
        let Active { job, sequence, next, .. } = self;
        let read = sequence.tokens().len();
        let tokens = match next.is_empty() {
            true => &job.prompt[read..read + share.rows],
            false => next,
        };
        Feed { sequence, tokens, wanted: share.wanted }
    }

    /// Chooses the next token by the logits of the last row, or of each row whose guess was right.
    pub fn write<'a>(
        &mut self,
        rows: impl Iterator<Item = Row<'a>>,
        context: usize,
    ) -> Result<(), Finish> {
        let tokens = self.sequence.tokens();
        let guesses = self.next.split_off(self.next.len().min(self.again + 1));
        let first = tokens.len() - guesses.len();
        let (mut right, mut chosen) = (0, Ok(0));
        for (i, row) in rows.skip(self.again).enumerate() {
            self.certain = first + i;
            chosen = self.writer.next(row, (&tokens[..first + i], context), &mut self.job.reply);
            right = i;
            if chosen.ok() != guesses.get(i).copied() || i == guesses.len() {
                break;
            }
        }
        self.tried = Tried { made: guesses.len(), right };
        if !guesses.is_empty() && !self.forced {
            self.guesser.learn(guesses.len(), right);
        }
        self.next.clear();
        self.next.push(chosen?);
        Ok(())
    }
}

impl Share {
    pub fn wants(self) -> bool {
        self.rows > 0 && self.wanted != Wanted::None
    }
}
