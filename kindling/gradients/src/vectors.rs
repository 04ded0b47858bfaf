//! Vectors of the processor that multiply halves: AVX-512's.
//!
//! # Safety
//!
//! What is unsafe here asks for the instructions.

use std::arch::x86_64::*;

use crate::block::Block;
use crate::tile::{BLOCK, TILE, TILES};

/// Rows whose sums are in registers at once, two vectors of each.
const ROWS: usize = 8;

/// Whether the processor has them.
pub fn available() -> bool {
    is_x86_feature_detected!("avx512bf16") && is_x86_feature_detected!("avx512f")
}

/// A few rows of the block after the other, over its whole depth.
#[target_feature(enable = "avx512f,avx512bf16")]
pub unsafe fn multiply(block: Block) {
    let steps = block.right.len() / TILES;
    for first in (0..BLOCK).step_by(ROWS) {
        let out = block.out[first * block.line..].as_mut_ptr();
        let left = block.left.data[first * block.left.stride..].as_ptr();
        // SAFETY: the block has these rows on both sides, and 32 columns of each; a step is 32
        // halves of a row and as many pairs of each tile.
        unsafe {
            let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
            if block.add {
                for (r, sums) in sums.iter_mut().enumerate() {
                    let row = out.add(r * block.line);
                    *sums = [_mm512_loadu_ps(row), _mm512_loadu_ps(row.add(16))];
                }
            }
            for step in 0..steps {
                let (left, right) = (left.add(step * BLOCK), &block.right[step * TILES..]);
                for pair in 0..BLOCK / 2 {
                    let columns = [0, TILE].map(|tile| {
                        _mm512_loadu_si512(right.as_ptr().add(tile + pair * 16).cast())
                    });
                    for (r, sums) in sums.iter_mut().enumerate() {
                        let two = left.add(r * block.left.stride + 2 * pair).cast::<i32>();
                        let two = _mm512_set1_epi32(two.read_unaligned());
                        for (sum, columns) in sums.iter_mut().zip(columns) {
                            *sum = dot(*sum, two, columns);
                        }
                    }
                }
            }
            for (r, [near, far]) in sums.into_iter().enumerate() {
                let row = out.add(r * block.line);
                _mm512_storeu_ps(row, near);
                _mm512_storeu_ps(row.add(16), far);
            }
        }
    }
}

/// Adds the products of two halves in each lane.
#[target_feature(enable = "avx512f,avx512bf16")]
fn dot(sum: __m512, a: __m512i, b: __m512i) -> __m512 {
    // SAFETY: 32 halves are as many bytes as 16 pairs of them.
    let [a, b] = [a, b].map(|pairs| unsafe { std::mem::transmute::<__m512i, __m512bh>(pairs) });
    _mm512_dpbf16_ps(sum, a, b)
}
