//! Normalisation of a row by its root mean square.

use super::lanes;

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

#[inline(always)]
fn inverse_rms(x: &[f32], eps: f32) -> f32 {
    let mean = lanes::dot(x, x) / x.len() as f32;
    1.0 / (mean + eps).sqrt()
}
