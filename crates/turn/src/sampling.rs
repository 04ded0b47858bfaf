//! How the next token is chosen, and when to stop.

use crate::{Fault, Side};

/// How the next token is chosen. `docs/sampling.md` states the order of the steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// 0 always takes the most probable token.
    pub temperature: f32,
    /// Keeps the k most probable tokens; 0 keeps all.
    pub top_k: usize,
    /// Keeps the most probable tokens that together reach this probability; 1 keeps all.
    pub top_p: f32,
    /// Keeps tokens at least this fraction as probable as the most probable one; 0 keeps all.
    pub min_p: f32,
    /// Divides positive and multiplies negative logits of all tokens seen so far; 1 does nothing.
    pub repetition_penalty: f32,
    /// Taken off a token's logit for each time it was generated.
    pub frequency_penalty: f32,
    /// Taken off a token's logit when it was generated at all.
    pub presence_penalty: f32,
    /// Added to the logits of these tokens.
    pub logit_bias: Vec<(u32, f32)>,
    /// The same seed gives the same choices.
    pub seed: u64,
    /// How many alternatives to report with each token.
    pub top_logprobs: usize,
}

impl Default for Sampling {
    fn default() -> Sampling {
        Sampling {
            temperature: 0.7,
            top_k: 0,
            top_p: 0.95,
            min_p: 0.0,
            repetition_penalty: 1.0,
            frequency_penalty: 0.0,
            presence_penalty: 0.0,
            logit_bias: Vec::new(),
            seed: 0,
            top_logprobs: 0,
        }
    }
}

impl Sampling {
    /// Always the most probable token.
    pub fn greedy() -> Sampling {
        Sampling { temperature: 0.0, top_p: 1.0, ..Sampling::default() }
    }

    /// Refuses values that mean nothing.
    ///
    /// # Errors
    /// A fault of the caller that names the first such value.
    pub fn check(&self) -> Result<(), Fault> {
        let ranges = [
            ("temperature", self.temperature, 0.0..=100.0),
            ("top_p", self.top_p, 0.0..=1.0),
            ("min_p", self.min_p, 0.0..=1.0),
            ("repetition_penalty", self.repetition_penalty, 0.01..=100.0),
            ("frequency_penalty", self.frequency_penalty, -100.0..=100.0),
            ("presence_penalty", self.presence_penalty, -100.0..=100.0),
        ];
        for (name, value, range) in ranges {
            if !range.contains(&value) {
                let (low, high) = (range.start(), range.end());
                let message = format!("{name} is {value}; it must lie between {low} and {high}");
                return Err(Fault::new(Side::Caller, message));
            }
        }
        // Minus infinity takes a token away; sums must not reach plus infinity.
        let biases = f32::NEG_INFINITY..=1e6;
        match self.logit_bias.iter().find(|(_, bias)| !biases.contains(bias)) {
            Some((token, bias)) => {
                let message =
                    format!("the bias of token {token} is {bias}; it must be at most 1e6");
                Err(Fault::new(Side::Caller, message))
            }
            None => Ok(()),
        }
    }
}

/// When a reply must end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Tokens to generate at most; `None` is until the context is full.
    pub tokens: Option<usize>,
    /// Texts that end the reply and are not part of it.
    pub stop: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_out_of_range_is_named() {
        let default = Sampling::default;
        let nan = f32::NAN;
        for (settings, name) in [
            (Sampling { temperature: -0.1, ..default() }, "temperature"),
            (Sampling { temperature: nan, ..default() }, "temperature"),
            (Sampling { top_p: 1.1, ..default() }, "top_p"),
            (Sampling { min_p: nan, ..default() }, "min_p"),
            (Sampling { repetition_penalty: 0.0, ..default() }, "repetition_penalty"),
            (Sampling { frequency_penalty: f32::INFINITY, ..default() }, "frequency_penalty"),
            (Sampling { presence_penalty: -101.0, ..default() }, "presence_penalty"),
            (Sampling { logit_bias: vec![(7, nan)], ..default() }, "token 7"),
            (Sampling { logit_bias: vec![(7, f32::INFINITY)], ..default() }, "token 7"),
        ] {
            let fault = settings.check().expect_err(name);
            assert!(fault.side == Side::Caller && fault.message.contains(name), "{fault}");
        }
    }

    #[test]
    fn the_ends_of_the_ranges_are_allowed() {
        let logit_bias = vec![(0, f32::NEG_INFINITY), (1, 1e6)];
        let settings =
            Sampling { temperature: 0.0, top_p: 0.0, min_p: 1.0, logit_bias, ..Sampling::greedy() };
        assert_eq!(settings.check(), Ok(()));
    }
}
