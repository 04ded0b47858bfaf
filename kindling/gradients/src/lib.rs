//! The gradients of kindling on a processor, for `train.py`: the way through the model and back by
//! hand, with products of halves.
//!
//! What it computes is what `model.py` says, rounded to halves where autocast would, or less often.
//! Python calls the two functions below.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod amx;
mod attention;
mod block;
mod learner;
mod math;
mod model;
mod pages;
#[cfg(test)]
mod tests;
mod tile;
#[cfg(target_arch = "x86_64")]
mod vectors;
mod worker;

use std::slice::{from_raw_parts, from_raw_parts_mut};

use learner::Learner;
use model::{Chunk, Shape};

#[global_allocator]
static ALLOCATOR: pages::Huge = pages::Huge;

/// What Python tells of a model.
#[repr(C)]
pub struct Told {
    vocabulary: usize,
    width: usize,
    layers: usize,
    heads: usize,
    head: usize,
    inner: usize,
    context: usize,
    /// How many it has in all, as Python counts them.
    parameters: usize,
    threads: usize,
    theta: f64,
    eps: f64,
}

/// What Python asks: `tokens` of them, in `sequences`, each as long as the one before it ends.
#[repr(C)]
pub struct Asked {
    weights: *const f32,
    gradients: *mut f32,
    inputs: *const u16,
    targets: *const u16,
    counts: *const f32,
    tokens: usize,
    ends: *const usize,
    sequences: usize,
}

/// A learner, which lives as long as the process; nothing for a model that is none of ours.
#[unsafe(no_mangle)]
pub extern "C" fn kindling_learner(told: &Told) -> *mut Learner {
    let shape = Shape {
        vocabulary: told.vocabulary,
        width: told.width,
        layers: told.layers,
        heads: told.heads,
        head: told.head,
        inner: told.inner,
        context: told.context,
        theta: told.theta,
        eps: told.eps as f32,
    };
    if !shape.is_known() || shape.parameters() != told.parameters || told.threads == 0 {
        return std::ptr::null_mut();
    }
    Box::into_raw(Box::new(Learner::new(shape, told.threads)))
}

/// Writes the gradients of what is asked, and returns the loss.
///
/// # Safety
///
/// Everything is as long as it says; weights and gradients as the model has parameters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kindling_gradients(learner: &mut Learner, asked: &Asked) -> f64 {
    let parameters = learner.parameters();
    // SAFETY: the caller's.
    unsafe {
        let chunk = Chunk {
            tokens: from_raw_parts(asked.inputs, asked.tokens),
            targets: from_raw_parts(asked.targets, asked.tokens),
            counts: from_raw_parts(asked.counts, asked.tokens),
            ends: from_raw_parts(asked.ends, asked.sequences),
        };
        let weights = from_raw_parts(asked.weights, parameters);
        learner.gradients(weights, &chunk, from_raw_parts_mut(asked.gradients, parameters))
    }
}
