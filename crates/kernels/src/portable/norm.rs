//! Normalisation of a row by its root mean square.

use super::lanes::{self, LANES, Lanes};

/// `out[i] = (x[i] · 1/√(mean(x²) + eps)) · weight[i]`.
#[inline(always)]
pub fn rms_norm(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    let scale = inverse_rms(x, eps);
    for (out, (x, w)) in out.iter_mut().zip(x.iter().zip(weight)) {
        *out = (x * scale) * w;
    }
}

/// The same, written over its input.
#[inline(always)]
pub fn rms_norm_in_place(x: &mut [f32], weight: &[f32], eps: f32) {
    let scale = inverse_rms(x, eps);
    for (x, w) in x.iter_mut().zip(weight) {
        *x = (*x * scale) * w;
    }
}

/// `x = ((x − mean) · 1/√(variance + eps)) · weight + bias`, where it stands.
#[inline(always)]
pub fn layer_norm_in_place(x: &mut [f32], (weight, bias): (&[f32], &[f32]), eps: f32) {
    let mut sums = Lanes::ZERO;
    for (i, x) in x.iter().enumerate() {
        sums.0[i % LANES] += x;
    }
    let mean = sums.total() / x.len() as f32;
    x.iter_mut().for_each(|x| *x -= mean);
    let scale = inverse_rms(x, eps);
    for (x, (weight, bias)) in x.iter_mut().zip(weight.iter().zip(bias)) {
        *x = (*x * scale) * weight + bias;
    }
}

#[inline(always)]
fn inverse_rms(x: &[f32], eps: f32) -> f32 {
    let mean = lanes::dot(x, x) / x.len() as f32;
    1.0 / (mean + eps).sqrt()
}
