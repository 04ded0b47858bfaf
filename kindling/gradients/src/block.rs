//! The multiplication of one block: the processor's tiles, or plain code where there are none.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use crate::amx;
use crate::tile::{BLOCK, Half, Lines, TILE, TILES, float};

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

    #[test]
    fn tiles_give_what_plain_code_gives() {
        configure();
        let left: Vec<Half> = (0..32 * 96).map(|at| half((at % 13) as f32 - 6.0)).collect();
        let number = |at: usize| half((at % 11) as f32 - 5.0);
        let pair = |at: usize| u32::from(number(at)) | u32::from(number(at + 3)) << 16;
        let right: Vec<u32> = (0..96 * 16).map(pair).collect();
        for add in [false, true] {
            let mut outs = [vec![2.0; 32 * 40], vec![2.0; 32 * 40]];
            for (plain, out) in outs.iter_mut().enumerate() {
                let left = Lines::new(&left, 96);
                let block = Block { left, right: &right, add, out, line: 40 };
                if plain == 1 { block.multiply_plainly() } else { block.multiply() }
            }
            assert_eq!(outs[0], outs[1]);
            assert!(outs[0].iter().any(|x| *x != 2.0));
        }
    }
}
