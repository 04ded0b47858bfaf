//! Chooses the next token. `docs/sampling.md` states the same order of steps for users.
//!
//! 1. logit bias;
//! 2. repetition penalty, then frequency and presence penalties;
//! 3. temperature, where 0 takes the best token at once;
//! 4. top-k;
//! 5. top-p;
//! 6. min-p;
//! 7. one draw by (seed, position).
//!
//! Ties go to the lower token. Log probabilities are those of the model, before step 1.

use std::cmp::Ordering;
use std::convert::Infallible;

use kernels::portable::angles::ln;
use kernels::{Isa, Totals};
use turn::{Choice, Sampling};

use crate::draw::uniform;
use crate::pages::PAGE;

/// Chooses tokens by fixed settings, and keeps the buffers for it.
pub struct Sampler {
    settings: Sampling,
    isa: Isa,
    logits: Vec<f32>,
    counts: Vec<u32>,
    candidates: Vec<Candidate>,
}

/// What the model says of the next token.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    pub logits: &'a [f32],
    pub totals: Totals,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Candidate {
    token: u32,
    /// Logit at first, then its exponential relative to the largest.
    weight: f32,
}

impl Sampler {
    /// A sampler with these settings. The instruction set changes its speed only.
    pub fn new(settings: Sampling, isa: Isa) -> Sampler {
        Sampler { settings, isa, logits: vec![], counts: vec![], candidates: vec![] }
    }

    /// Chooses the token that follows `history`, of which the first `prompt` were given. The logits
    /// are finite: a model that gives others has failed before.
    pub fn choose(&mut self, logits: &[f32], history: &[u32], prompt: usize) -> Choice {
        let nothing = |_: &mut [f32]| Ok::<_, Infallible>(());
        let row = Row { logits, totals: self.isa.totals(logits) };
        self.choose_among(row, (history, prompt), nothing).unwrap_or_else(|never| match never {})
    }

    /// The same where `forbid` makes the logits of some tokens −∞, or finds that it is all of them.
    pub(crate) fn choose_among<E>(
        &mut self,
        row: Row,
        (history, prompt): (&[u32], usize),
        forbid: impl FnOnce(&mut [f32]) -> Result<(), E>,
    ) -> Result<Choice, E> {
        let Row { logits, totals } = row;
        self.logits.clear();
        self.logits.extend_from_slice(logits);
        self.adjust(history, prompt);
        forbid(&mut self.logits)?;
        let token = if self.settings.temperature == 0.0 {
            best(&self.logits, self.isa)
        } else {
            self.draw(history.len() as u64)
        };
        let logprobs = LogProbs { logits, largest: totals.largest, log_total: ln(totals.exps) };
        let top = self.top(logits).into_iter().map(|token| (token, logprobs.at(token)));
        Ok(Choice { token, logprob: logprobs.at(token), top: top.collect() })
    }

    /// Steps 1 and 2.
    fn adjust(&mut self, history: &[u32], prompt: usize) {
        for (token, bias) in &self.settings.logit_bias {
            if let Some(logit) = self.logits.get_mut(*token as usize) {
                *logit += bias;
            }
        }
        let Sampling { repetition_penalty, frequency_penalty, presence_penalty, .. } =
            self.settings;
        if repetition_penalty != 1.0 {
            self.count(history);
            for run in self.counts.chunk_by(|a, b| a == b) {
                let logit = &mut self.logits[run[0] as usize];
                *logit = match *logit > 0.0 {
                    true => *logit / repetition_penalty,
                    false => *logit * repetition_penalty,
                };
            }
        }
        if frequency_penalty != 0.0 || presence_penalty != 0.0 {
            self.count(&history[prompt.min(history.len())..]);
            for run in self.counts.chunk_by(|a, b| a == b) {
                let penalty = run.len() as f32 * frequency_penalty + presence_penalty;
                self.logits[run[0] as usize] -= penalty;
            }
        }
    }

    /// Sorts the tokens of `tokens` that have a logit, so that equal ones stand together.
    fn count(&mut self, tokens: &[u32]) {
        self.counts.clear();
        // Page by page, like the sequence.
        self.counts.reserve(tokens.len().next_multiple_of(PAGE));
        self.counts.extend(tokens.iter().filter(|token| (**token as usize) < self.logits.len()));
        self.counts.sort_unstable();
    }

    /// Steps 3 to 7.
    fn draw(&mut self, position: u64) -> u32 {
        let temperature = self.settings.temperature;
        let largest = self.isa.largest(&self.logits) / temperature;
        if largest.is_infinite() {
            // So near to 0 that only the best is left, or a bias has taken every token away.
            return best(&self.logits, self.isa);
        }
        for logit in &mut self.logits {
            *logit /= temperature;
        }
        self.isa.exp_each(&mut self.logits, largest);
        let weights = self.logits.iter().enumerate();
        self.candidates.clear();
        self.candidates.extend(
            weights.map(|(token, weight)| Candidate { token: token as u32, weight: *weight }),
        );
        let kept = self.keep();
        let candidates = &self.candidates[..kept];
        let total: f64 = candidates.iter().map(|c| f64::from(c.weight)).sum();
        let mut left = uniform(self.settings.seed, position) * total;
        let drawn = candidates.iter().find(|c| {
            left -= f64::from(c.weight);
            left < 0.0
        });
        // Rounding may leave a crumb at the end of the walk; it belongs to the last candidate.
        drawn.or(candidates.last()).map_or(0, |candidate| candidate.token)
    }

    /// Steps 4 to 6: sorts the candidates that stay to the front and returns how many they are.
    fn keep(&mut self) -> usize {
        let Sampling { top_k, top_p, min_p, .. } = self.settings;
        let mut kept = self.candidates.len();
        if top_k > 0 {
            kept = kept.min(top_k);
        }
        let total: f64 = match kept == self.candidates.len() {
            true => self.candidates.iter().map(|c| f64::from(c.weight)).sum(),
            false => {
                sort_front(&mut self.candidates, kept);
                self.candidates[..kept].iter().map(|c| f64::from(c.weight)).sum()
            }
        };
        kept = self.keep_mass(kept, f64::from(top_p) * total);
        let floor = min_p * self.candidates.first().map_or(0.0, |c| c.weight);
        // None without weight, or the crumb of a draw could fall to one that a bias took away.
        self.candidates[..kept].partition_point(|c| c.weight >= floor && c.weight > 0.0).max(1)
    }

    /// Sorts as many of the first `len` candidates as reach `mass` together; returns their number.
    fn keep_mass(&mut self, len: usize, mass: f64) -> usize {
        // Most often a few candidates have nearly all the mass; sorting all would cost more than
        // the model's step does.
        let mut sorted = 256.min(len);
        loop {
            sort_front(&mut self.candidates, sorted);
            let mut left = mass;
            for (i, candidate) in self.candidates[..sorted].iter().enumerate() {
                left -= f64::from(candidate.weight);
                if left <= 0.0 {
                    return i + 1;
                }
            }
            if sorted == len {
                return len;
            }
            sorted = (sorted * 8).min(len);
        }
    }

    fn top(&mut self, logits: &[f32]) -> Vec<u32> {
        let count = self.settings.top_logprobs.min(logits.len());
        if count == 0 {
            return Vec::new();
        }
        self.candidates.clear();
        self.candidates.extend(
            logits.iter().enumerate().map(|(i, x)| Candidate { token: i as u32, weight: *x }),
        );
        sort_front(&mut self.candidates, count);
        self.candidates[..count].iter().map(|candidate| candidate.token).collect()
    }
}

/// Brings the `len` first candidates in order to the front: heavier ones first, then lower tokens.
fn sort_front(candidates: &mut [Candidate], len: usize) {
    if len < candidates.len() {
        candidates.select_nth_unstable_by(len, by_weight);
    }
    candidates[..len].sort_unstable_by(by_weight);
}

fn by_weight(a: &Candidate, b: &Candidate) -> Ordering {
    b.weight.total_cmp(&a.weight).then(a.token.cmp(&b.token))
}

/// The token with the largest logit; of equals the lowest.
pub fn best(logits: &[f32], isa: Isa) -> u32 {
    let largest = isa.largest(logits);
    logits.iter().position(|logit| *logit == largest).unwrap_or(0) as u32
}

/// Log probabilities of one position.
struct LogProbs<'a> {
    logits: &'a [f32],
    largest: f32,
    log_total: f64,
}

impl LogProbs<'_> {
    fn at(&self, token: u32) -> f32 {
        (f64::from(self.logits[token as usize] - self.largest) - self.log_total) as f32
    }
}

#[cfg(test)]
mod tests;
