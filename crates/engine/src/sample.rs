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

use std::convert::Infallible;

use kernels::portable::angles::ln;
use kernels::{Above, Isa, Totals};
use turn::{Choice, Sampling};

use crate::draw::uniform;
use crate::order::{Order, Window};
use crate::pages::PAGE;

/// Chooses tokens by fixed settings, and keeps the buffers for it.
pub struct Sampler {
    settings: Sampling,
    isa: Isa,
    logits: Vec<f32>,
    counts: Vec<u32>,
    window: Window,
}

/// What the model says of the next token.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    pub logits: &'a [f32],
    pub totals: Totals,
}

impl Sampler {
    /// A sampler with these settings. The instruction set changes its speed only.
    pub fn new(settings: Sampling, isa: Isa) -> Sampler {
        Sampler { settings, isa, logits: vec![], counts: vec![], window: Window::default() }
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
        let top = self.top(&logprobs);
        Ok(Choice { token, logprob: logprobs.at(token), top })
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
        let mut order = Order::new(&self.logits, (self.isa, LIKELY), &mut self.window);
        let kept = keep(&self.settings, &mut order);
        let drawn = uniform(self.settings.seed, position) * kept.sum;
        // Rounding may leave a crumb at the end of the walk; it belongs to the last one kept.
        let place = order.place(&|sum| sum.sum > drawn || sum.count >= kept.count);
        place.map_or(0, |(candidate, _)| candidate.token)
    }

    /// The most probable tokens, with their log probabilities.
    fn top(&mut self, logprobs: &LogProbs) -> Vec<(u32, f32)> {
        let count = self.settings.top_logprobs.min(logprobs.logits.len());
        if count == 0 {
            return Vec::new();
        }
        let likely = (self.isa, logprobs.largest - LIKELY_LOG);
        let first = Order::new(logprobs.logits, likely, &mut self.window).first(count);
        first.iter().map(|candidate| (candidate.token, logprobs.at(candidate.token))).collect()
    }
}

/// Weights that are smaller are seldom wanted, and so are logits that are further below the best.
const LIKELY: f32 = 1.0 / 1024.0;
const LIKELY_LOG: f32 = 7.0;

/// Steps 4 to 6: how many weights stay, and their sum.
fn keep(settings: &Sampling, order: &mut Order) -> Above {
    let Sampling { top_k, top_p, min_p, .. } = *settings;
    // None without weight, or the crumb of a draw could fall to one that a bias took away.
    let mut kept = order.above(f32::from_bits(1));
    let mut up_to = |kept: &mut Above, reached: &dyn Fn(Above) -> bool| {
        let place = order.place(reached);
        *kept = place.map_or(*kept, |(_, sum)| sum);
    };
    if (1..kept.count).contains(&top_k) {
        up_to(&mut kept, &|sum| sum.count >= top_k);
    }
    if top_p < 1.0 {
        let (mass, all) = (f64::from(top_p) * kept.sum, kept.count);
        up_to(&mut kept, &|sum| sum.sum >= mass || sum.count >= all);
    }
    if min_p > 0.0 {
        let largest = order.place(&|_| true).map_or(0.0, |(first, _)| first.weight);
        let above = order.above(min_p * largest);
        kept = if above.count < kept.count { above } else { kept };
    }
    kept
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
