//! What comes next, guessed from what was there before: replies quote their prompts and themselves.
//! The model checks several guesses in one step, and a wrong one costs little; whether there were
//! any never shows in what is said.

use std::collections::HashMap;

/// Tokens that must have been there before in a row.
const GRAM: usize = 3;

/// Guesses in a step: at first, and at most.
const FEW: usize = 3;
const MANY: usize = 8;

/// Steps without guesses after wrong ones: at first, and at most.
const SHORT_REST: usize = 32;
const LONG_REST: usize = 512;

/// Guesses for one sequence.
pub(crate) struct Guesser {
    /// Behind which place the last three tokens were seen last.
    behind: HashMap<[u32; GRAM], u32>,
    /// Tokens that have been looked at.
    known: usize,
    most: usize,
    /// Steps to go without guesses, and how many it will be after the next wrong ones.
    resting: usize,
    rest: usize,
}

impl Guesser {
    pub fn new() -> Guesser {
        Guesser { behind: HashMap::new(), known: GRAM, most: FEW, resting: 0, rest: SHORT_REST }
    }

    /// At most so many guesses of what follows on `tokens` and `next`.
    pub fn guess<'a>(&mut self, tokens: &'a [u32], next: u32, most: usize) -> &'a [u32] {
        // Only what has something behind it.
        for end in self.known..tokens.len() {
            if let Some(gram) = tokens[end - GRAM..end].as_array() {
                self.behind.insert(*gram, end as u32);
            }
        }
        self.known = self.known.max(tokens.len());
        if self.resting > 0 {
            self.resting -= 1;
            return &[];
        }
        let [.., a, b] = tokens else { return &[] };
        let Some(behind) = self.behind.get(&[*a, *b, next]) else { return &[] };
        let behind = *behind as usize;
        &tokens[behind..tokens.len().min(behind + most.min(self.most))]
    }

    /// Tells how many of so many guesses were right.
    pub fn learn(&mut self, guesses: usize, right: usize) {
        if right == guesses {
            self.most = (2 * self.most).min(MANY);
            self.rest = SHORT_REST;
        } else if right == 0 {
            self.most = FEW;
            self.resting = self.rest;
            self.rest = (2 * self.rest).min(LONG_REST);
        } else {
            self.most = (right + 1).min(MANY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [u32; 0] = [];

    #[test]
    fn what_was_there_before_is_guessed() {
        let tokens = [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2];
        let mut guesser = Guesser::new();
        assert_eq!(guesser.guess(&tokens, 3, 8), [4, 5, 6]);
        assert_eq!(guesser.guess(&tokens, 3, 2), [4, 5]);
        assert_eq!(guesser.guess(&tokens, 4, 8), NONE);
        guesser.learn(3, 3);
        assert_eq!(guesser.guess(&tokens, 3, 8), [4, 5, 6, 7, 8, 9]);
        // The last time counts.
        let more = [&tokens[..], &[3, 7, 7, 7, 1, 2]].concat();
        assert_eq!(guesser.guess(&more, 3, 2), [7, 7]);
    }

    #[test]
    fn after_wrong_guesses_there_are_none_for_a_while() {
        let tokens = [1, 2, 3, 4, 5, 1, 2];
        let mut guesser = Guesser::new();
        for rest in [SHORT_REST, 2 * SHORT_REST] {
            guesser.learn(3, 0);
            for _ in 0..rest {
                assert_eq!(guesser.guess(&tokens, 3, 8), NONE);
            }
            assert_eq!(guesser.guess(&tokens, 3, 8), [4, 5, 1]);
        }
    }

    #[test]
    fn short_texts_give_no_guesses() {
        let mut guesser = Guesser::new();
        for len in 0..4 {
            assert_eq!(guesser.guess(&[1, 1, 1, 1][..len], 2, 8), NONE);
        }
    }
}
