//! Blocks of 256 weights in 16 runs, each under its own integer sub-scale, before the two factors
//! are multiplied.

use super::{Part, iq4, k};
use crate::Format;

/// The factors of a block: `weight[i] = scale · sub[i / 16] · level[i]`, less a minimum perhaps.
pub(super) struct Runs {
    pub scale: f32,
    pub sub: [i8; 16],
    pub level: [i8; 256],
}

impl Runs {
    /// A block of one of the formats whose sub-scales carry a sign.
    #[inline]
    pub fn signed(format: Format, block: &[u8]) -> Runs {
        match format {
            Format::Q3_K => k::q3_k(block),
            Format::Q6_K => k::q6_k(block),
            Format::IQ4_XS => iq4::iq4_xs(block),
            _ => panic!("the sub-scales of {format:?} have no sign"),
        }
    }

    /// Multiplies sub-scales and levels as integers.
    #[inline]
    pub fn store(&self, part: &mut Part) {
        part.scale = self.scale;
        for ((sub, level), out) in self.each().zip(part.level.as_chunks_mut::<16>().0) {
            for (level, out) in level.iter().zip(out) {
                *out = i16::from(*level) * i16::from(sub);
            }
        }
    }

    /// Multiplies all factors as floats.
    ///
    /// No product is rounded, so this differs from the integers' way in one thing only: a zero
    /// keeps the sign which its factors give it, as in the expected values.
    pub fn values(&self, out: &mut [f32]) {
        for ((sub, level), out) in self.each().zip(out.as_chunks_mut::<16>().0) {
            for (level, out) in level.iter().zip(out) {
                *out = self.scale * f32::from(sub) * f32::from(*level);
            }
        }
    }

    /// Each run: its sub-scale and its levels.
    #[inline]
    fn each(&self) -> impl Iterator<Item = (i8, &[i8; 16])> {
        self.sub.into_iter().zip(self.level.as_chunks::<16>().0)
    }
}
