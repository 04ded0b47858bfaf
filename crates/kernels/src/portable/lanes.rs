//! Sixteen partial sums side by side: the order of every f32 sum that is not a quantised product.
//!
//! Element `i` belongs to lane `i mod 16`. A lane adds its elements in ascending order, and a fixed
//! tree adds the lanes: 8 + 8, then 4, 2 and 1. One AVX-512 register, two AVX2 or four NEON ones
//! hold the lanes, so all of them can follow this order at full speed.

/// Number of lanes.
pub const LANES: usize = 16;

/// Sixteen partial sums.
#[derive(Clone, Copy)]
pub struct Lanes(pub [f32; LANES]);

impl Lanes {
    /// Sums of nothing.
    pub const ZERO: Lanes = Lanes([0.0; LANES]);

    /// Adds `a[i] · b[i]` to lane `i`, rounding once. Lanes past the end of `a` are left alone.
    #[inline(always)]
    pub fn add_products(&mut self, a: &[f32], b: &[f32]) {
        for (sum, (a, b)) in self.0.iter_mut().zip(a.iter().zip(b)) {
            *sum = a.mul_add(*b, *sum);
        }
    }

    /// The tree: 16 lanes to 8, 4, 2 and 1.
    #[inline(always)]
    pub fn total(self) -> f32 {
        let mut sums = self.0;
        let mut width = LANES / 2;
        while width > 0 {
            for i in 0..width {
                sums[i] += sums[i + width];
            }
            width /= 2;
        }
        sums[0]
    }
}

/// Adds the products of two equally long rows to `sums`, sixteen at a time.
#[inline(always)]
pub fn accumulate(sums: &mut Lanes, a: &[f32], b: &[f32]) {
    debug_assert_eq!(a.len(), b.len());
    let (a_whole, a_rest) = a.as_chunks::<LANES>();
    let (b_whole, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_whole.iter().zip(b_whole) {
        for lane in 0..LANES {
            sums.0[lane] = a[lane].mul_add(b[lane], sums.0[lane]);
        }
    }
    sums.add_products(a_rest, b_rest);
}

/// The sum of products of two rows.
#[inline(always)]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = Lanes::ZERO;
    accumulate(&mut sums, a, b);
    sums.total()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_adds_halves() {
        // 1 is lost when it is added to 2^24 alone, and kept when it meets its pair first.
        let mut sums = Lanes::ZERO;
        sums.0[0] = 16_777_216.0;
        sums.0[8] = 1.0;
        assert_eq!(sums.total(), 16_777_216.0);
        let mut sums = Lanes::ZERO;
        sums.0[0] = 16_777_216.0;
        sums.0[1] = 1.0;
        sums.0[9] = 1.0;
        assert_eq!(sums.total(), 16_777_218.0);
    }

    #[test]
    fn rows_of_every_length_match_the_lane_rule() {
        for n in 0..70 {
            let a: Vec<f32> = (0..n).map(|i| (i as f32 * 0.37).fract() - 0.4).collect();
            let b: Vec<f32> = (0..n).map(|i| (i as f32 * 0.73).fract() - 0.6).collect();
            let mut sums = Lanes::ZERO;
            for i in 0..n {
                sums.0[i % LANES] = a[i].mul_add(b[i], sums.0[i % LANES]);
            }
            assert_eq!(dot(&a, &b).to_bits(), sums.total().to_bits(), "length {n}");
        }
    }
}
