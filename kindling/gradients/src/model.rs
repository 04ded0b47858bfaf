//! The model: its shape, where its parameters lie, and its matrices packed for both ways.

use std::ops::Range;

use crate::math::{Angles, HEAD_MOST, Norm, Place};
use crate::tile::{BLOCK, Lines, Right, halves};

/// Sizes of the model, as `model.py` names them.
#[derive(Clone, Copy)]
pub struct Shape {
    pub vocabulary: usize,
    pub width: usize,
    pub layers: usize,
    pub heads: usize,
    pub head: usize,
    pub inner: usize,
    pub context: usize,
    pub theta: f64,
    pub eps: f32,
}

/// Where a layer's parameters lie among all, in the order of `model.py`.
pub struct Places {
    pub norm: Range<usize>,
    /// Queries, keys and values below each other.
    pub qkv: Range<usize>,
    pub o: Range<usize>,
    pub q_norm: Range<usize>,
    pub k_norm: Range<usize>,
    pub norm2: Range<usize>,
    /// Gate and up below each other.
    pub gate_up: Range<usize>,
    pub down: Range<usize>,
}

impl Places {
    /// The norm of a head of queries or, behind them, of keys.
    pub fn head_norm(&self, shape: Shape, head: usize) -> &Range<usize> {
        if head < shape.heads { &self.q_norm } else { &self.k_norm }
    }
}

impl Shape {
    /// Columns of all heads.
    pub fn inside(&self) -> usize {
        self.heads * self.head
    }

    pub fn words(&self) -> Range<usize> {
        0..self.vocabulary * self.width
    }

    pub fn places(&self, layer: usize) -> Places {
        let outer = self.inside() * self.width;
        let inner = self.inner * self.width;
        let sizes =
            [self.width, 3 * outer, outer, self.head, self.head, self.width, 2 * inner, inner];
        let mut end = self.words().end + layer * sizes.iter().sum::<usize>();
        let [norm, qkv, o, q_norm, k_norm, norm2, gate_up, down] = sizes.map(|size| {
            end += size;
            end - size..end
        });
        Places { norm, qkv, o, q_norm, k_norm, norm2, gate_up, down }
    }

    /// The norm behind all layers.
    pub fn last_norm(&self) -> Range<usize> {
        let begin = self.places(self.layers).norm.start;
        begin..begin + self.width
    }

    pub fn parameters(&self) -> usize {
        self.last_norm().end
    }

    /// Whether the products and rows of such a model are ones that are known here.
    pub fn is_known(&self) -> bool {
        let sizes = [self.vocabulary, self.width, self.head, self.inner];
        let all_blocks = sizes.iter().all(|size| *size > 0 && size.is_multiple_of(BLOCK));
        all_blocks && self.heads > 0 && self.layers > 0 && self.head <= HEAD_MOST
    }
}

/// A matrix, packed for the way there and the way back.
#[derive(Default)]
pub struct Both {
    pub there: Right,
    pub back: Right,
}

impl Both {
    pub fn pack(&mut self, weights: &[f32], wide: usize) {
        let rows = weights.len() / wide;
        let mut small = vec![0; weights.len()];
        halves(&mut small, weights);
        self.there.pack_transposed(Lines::new(&small, wide), rows, wide);
        self.back.pack(Lines::new(&small, wide), rows, wide);
    }
}

/// A layer's matrices.
#[derive(Default)]
pub struct Layer {
    pub qkv: Both,
    pub o: Both,
    pub gate_up: Both,
    pub down: Both,
}

/// All matrices.
pub struct Packed {
    pub words: Both,
    pub layers: Vec<Layer>,
}

impl Packed {
    pub fn new(shape: Shape) -> Packed {
        Packed {
            words: Both::default(),
            layers: (0..shape.layers).map(|_| Layer::default()).collect(),
        }
    }

    /// What is to be packed: whereto, what, and how wide it is.
    pub fn todo<'a>(&mut self, shape: Shape, all: &'a [f32]) -> Vec<(&mut Both, &'a [f32], usize)> {
        let mut todo = vec![(&mut self.words, &all[shape.words()], shape.width)];
        for (at, layer) in self.layers.iter_mut().enumerate() {
            let at = shape.places(at);
            todo.push((&mut layer.qkv, &all[at.qkv], shape.width));
            todo.push((&mut layer.o, &all[at.o], shape.inside()));
            todo.push((&mut layer.gate_up, &all[at.gate_up], shape.width));
            todo.push((&mut layer.down, &all[at.down], shape.inner));
        }
        todo
    }
}

/// What all threads read.
pub struct Model<'a> {
    pub shape: Shape,
    pub angles: &'a Angles,
    pub packed: &'a Packed,
    pub weights: &'a [f32],
}

impl<'a> Model<'a> {
    pub fn norm(&self, at: &Range<usize>) -> Norm<'a> {
        Norm { weight: &self.weights[at.clone()], eps: self.shape.eps }
    }

    /// Where a head of queries or, behind them, of keys stands.
    pub fn place(&self, at: &Places, head: usize, position: usize) -> Place<'a> {
        Place { norm: self.norm(at.head_norm(self.shape, head)), position }
    }
}

/// Sequences behind each other, and what is to be learned of them.
pub struct Chunk<'a> {
    pub tokens: &'a [u16],
    pub targets: &'a [u16],
    /// What each target counts.
    pub counts: &'a [f32],
    /// Where each sequence ends.
    pub ends: &'a [usize],
}

impl Chunk<'_> {
    pub fn sequences(&self) -> impl Iterator<Item = Range<usize>> {
        let begins = [0].into_iter().chain(self.ends.iter().copied());
        begins.zip(self.ends).map(|(begin, &end)| begin..end)
    }

    /// Of each token, how many of its sequence are before it.
    pub fn positions(&self) -> impl Iterator<Item = usize> {
        self.sequences().flat_map(|rows| 0..rows.len())
    }
}
