//! The gated delta rule: a head keeps a matrix instead of its positions. Each row lets it fade,
//! corrects what it answers to the row's key, and asks it by the row's query.
//!
//! ```text
//!   answer = decay · (keyᵀ state)
//!   state  = decay · state + key ⊗ beta · (value − answer)
//!   out    = queryᵀ state
//! ```
//!
//! Columns of the state do not touch each other, so they may be computed anywhere. They lie in
//! blocks of 64 columns, the last of which may be narrower: `(key_dim, width)` each.

use super::angles;
use super::math::sigmoid;

/// Columns of a block.
pub const COLUMNS: usize = 64;

/// What a row gives a block.
pub struct Row<'a> {
    /// `(key_dim)`
    pub query: &'a [f32],
    /// `(key_dim)`
    pub key: &'a [f32],
    /// `(width)`
    pub value: &'a [f32],
    /// By what the state fades, and how much of the difference is learnt.
    pub by: (f32, f32),
}

/// Lets a row pass through a block of a state; `out` is as wide as the block.
#[inline(always)]
pub fn pass(state: &mut [f32], row: &Row, out: &mut [f32]) {
    let (width, mut first) = (out.len(), 0);
    if width == COLUMNS {
        return columns::<COLUMNS>(state, (width, 0), row, out);
    }
    while first + 16 <= width {
        columns::<16>(state, (width, first), row, out);
        first += 16;
    }
    while first < width {
        columns::<1>(state, (width, first), row, out);
        first += 1;
    }
}

/// `N` columns from `first`.
#[inline(always)]
fn columns<const N: usize>(
    state: &mut [f32],
    (width, first): (usize, usize),
    row: &Row,
    out: &mut [f32],
) {
    let (decay, beta) = row.by;
    let mut learnt = [0.0; N];
    for (state, key) in state.chunks_exact(width).zip(row.key) {
        for (answer, state) in learnt.iter_mut().zip(&state[first..][..N]) {
            *answer = state.mul_add(*key, *answer);
        }
    }
    for (learnt, value) in learnt.iter_mut().zip(&row.value[first..]) {
        *learnt = (value - decay * *learnt) * beta;
    }
    let mut asked = [0.0; N];
    for ((state, key), query) in state.chunks_exact_mut(width).zip(row.key).zip(row.query) {
        let state = &mut state[first..][..N];
        for ((state, learnt), asked) in state.iter_mut().zip(&learnt).zip(&mut asked) {
            *state = key.mul_add(*learnt, *state * decay);
            *asked = state.mul_add(*query, *asked);
        }
    }
    out[first..][..N].copy_from_slice(&asked);
}

/// From what the products say to decay and beta: `e^(rate · ln(1 + e^(x + bias)))`, in f64, and the
/// sigmoid of beta.
#[inline(always)]
pub fn gates(decays: &mut [f32], betas: &mut [f32], (rates, biases): (&[f32], &[f32])) {
    for ((decay, beta), (rate, bias)) in decays.iter_mut().zip(betas).zip(rates.iter().zip(biases))
    {
        *decay = fade(*decay + bias, *rate);
        *beta = sigmoid(*beta);
    }
}

#[inline(always)]
fn fade(x: f32, rate: f32) -> f32 {
    const LARGE: f64 = 20.0;
    const FAR: f64 = -600.0;
    if !x.is_finite() || !rate.is_finite() {
        return f32::NAN;
    }
    let (x, rate) = (f64::from(x), f64::from(rate));
    let softplus = if x > LARGE { x } else { angles::ln(1.0 + angles::exp(x.max(FAR))) };
    angles::exp((rate * softplus).clamp(FAR, -FAR)) as f32
}
