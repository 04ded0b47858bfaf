//! Rotation of query and key heads by their position.

/// Which elements of a head form the pairs that are rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairing {
    /// Element i with element i + n/2, as Hugging Face checkpoints have it.
    Halves,
    /// Element 2i with element 2i + 1, as Llama's own weights and their GGUF files have it.
    Neighbours,
}

/// Rotates the first `2 · cos.len()` elements of a head; the rest stays as it is.
#[inline(always)]
pub fn rotate(head: &mut [f32], cos: &[f32], sin: &[f32], pairing: Pairing) {
    let half = cos.len();
    for i in 0..half {
        let (a, b) = match pairing {
            Pairing::Halves => (i, i + half),
            Pairing::Neighbours => (2 * i, 2 * i + 1),
        };
        let (x, y) = (head[a], head[b]);
        head[a] = x.mul_add(cos[i], -(y * sin[i]));
        head[b] = x.mul_add(sin[i], y * cos[i]);
    }
}
