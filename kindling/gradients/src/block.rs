//! The multiplication of one block: the processor's tiles, its vectors of halves, or plain code
//! where there is neither.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use crate::amx;
use crate::tile::{BLOCK, Half, Lines, TILE, TILES, float};
#[cfg(target_arch = "x86_64")]
use crate::vectors;

/// A block of 32 rows and 32 columns of a product.
pub struct Block<'a> {
    pub left: Lines<'a>,
    /// A panel's pairs, as deep as is multiplied.
    pub right: &'a [u32],
    /// Whether the product is added to what is there.
    pub add: bool,
    pub out: &'a mut [f32],
    /// From a row of the output to the next.
    pub line: usize,
}

impl Block<'_> {
    #[inline(always)]
    pub fn multiply(self) {
        let deep = self.right.len() * 2 / BLOCK;
        assert!(!self.right.is_empty() && self.right.len().is_multiple_of(TILES));
        assert!(self.left.data.len() >= (BLOCK - 1) * self.left.stride + deep);
        assert!(self.out.len() >= (BLOCK - 1) * self.line + BLOCK);
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if amx::available() {
            // SAFETY: the unit is there, both sides and the output are long enough, and threads are
            // configured before their first product.
            return unsafe { amx::multiply(self) };
        }
        #[cfg(target_arch = "x86_64")]
        if vectors::available() {
            // SAFETY: the instructions are there, both sides and the output are long enough.
            return unsafe { vectors::multiply(self) };
        }
        self.multiply_plainly();
    }

    fn multiply_plainly(self) {
        for row in 0..BLOCK {
            let steps = self.left.data[row * self.left.stride..].chunks(BLOCK);
            let out = &mut self.out[row * self.line..][..BLOCK];
            if !self.add {
                out.fill(0.0);
            }
            for (left, tiles) in steps.zip(self.right.chunks_exact(TILES)) {
                for (half, tile) in tiles.chunks_exact(TILE).enumerate() {
                    for (pair, sixteen) in tile.chunks_exact(16).enumerate() {
                        let [a, b] = [left[2 * pair], left[2 * pair + 1]].map(float);
                        for (o, &pair) in out[16 * half..].iter_mut().zip(sixteen) {
                            *o += a * float(pair as Half) + b * float((pair >> 16) as Half);
                        }
                    }
                }
            }
        }
    }
}

/// Makes this thread ready for products.
pub fn configure() {
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    if amx::available() {
        // SAFETY: the unit is there.
        unsafe { amx::configure() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tile::half;

    type Way = fn(Block);

    /// By vectors, where the machine has them; all sides must be long enough.
    fn by_vectors() -> Option<Way> {
        #[cfg(target_arch = "x86_64")]
        if vectors::available() {
            // SAFETY: the instructions are there, and the sides are the caller's part.
            return Some(|block| unsafe { vectors::multiply(block) });
        }
        None
    }

    #[test]
    fn every_way_gives_what_plain_code_gives() {
        let ways = [Some((|block| block.multiply()) as Way), by_vectors()];
        configure();
        let left: Vec<Half> = (0..32 * 96).map(|at| half((at % 13) as f32 - 6.0)).collect();
        let number = |at: usize| half((at % 11) as f32 - 5.0);
        let pair = |at: usize| u32::from(number(at)) | u32::from(number(at + 3)) << 16;
        let right: Vec<u32> = (0..96 * 16).map(pair).collect();
        for add in [false, true] {
            let out_of = |way: Way| {
                let mut out = vec![2.0; 32 * 40];
                let left = Lines::new(&left, 96);
                way(Block { left, right: &right, add, out: &mut out, line: 40 });
                out
            };
            let plain = out_of(|block| block.multiply_plainly());
            assert!(plain.iter().any(|x| *x != 2.0));
            assert!(ways.into_iter().flatten().all(|way| out_of(way) == plain));
        }
    }
}
