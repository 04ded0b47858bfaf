//! A tensor as a file gives it: name, storage, shape and raw bytes.
//!
//! Dimensions are outermost first in every format; what GGUF writes is turned round on reading.

use std::fmt;
use std::ops::Deref;

use crate::limits;
use crate::storage::Storage;

/// A view of one tensor in an opened file.
#[derive(Clone, Copy, PartialEq)]
pub struct Tensor<'a> {
    /// The name in the file.
    pub name: &'a str,
    /// How the numbers are stored.
    pub storage: Storage,
    /// The dimensions, outermost first.
    pub shape: Shape,
    /// The stored numbers, little-endian, exactly as many bytes as `storage` and `shape` ask for.
    /// Where they begin in memory may be no multiple of anything.
    pub bytes: &'a [u8],
}

impl Tensor<'_> {
    /// How many numbers the tensor has.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }
}

impl fmt::Debug for Tensor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tensor { name, storage, shape, bytes } = self;
        write!(f, "Tensor({name:?} {} {shape:?}, {} bytes)", storage.name(), bytes.len())
    }
}

/// The dimensions of a tensor, outermost first; reads like a slice.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Shape {
    dimensions: [usize; limits::DIMENSIONS],
    len: usize,
}

impl Shape {
    /// A shape of these dimensions, or `None` when there are more than eight.
    pub fn new(dimensions: &[usize]) -> Option<Shape> {
        let mut shape = Shape::default();
        for &dimension in dimensions {
            shape.push(dimension)?;
        }
        Some(shape)
    }

    /// Adds one more dimension inside the others.
    pub(crate) fn push(&mut self, dimension: usize) -> Option<()> {
        *self.dimensions.get_mut(self.len)? = dimension;
        self.len += 1;
        Some(())
    }

    /// Turns the order of the dimensions round.
    pub(crate) fn reverse(&mut self) {
        self.dimensions[..self.len].reverse();
    }

    /// The product of the dimensions, or `None` when it does not fit.
    pub(crate) fn count(&self) -> Option<u64> {
        let mut dimensions = self.iter().map(|&d| d as u64);
        // A zero makes the product zero whatever the others are, so it may not "overflow" first.
        if dimensions.clone().any(|d| d == 0) {
            return Some(0);
        }
        dimensions.try_fold(1u64, u64::checked_mul)
    }
}

impl Deref for Shape {
    type Target = [usize];

    fn deref(&self) -> &[usize] {
        &self.dimensions[..self.len]
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
