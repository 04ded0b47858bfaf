//! Quantised blocks taken apart into integers: the one place that knows their bits.
//!
//! Every format reduces to the same shape, a [`Part`]: integers, one float scale and, in some
//! formats, one float minimum. The canon's product and the decoding of weights are written once
//! over it. Each file beside this one owns a family of formats and draws their layouts; all
//! numbers in them are little-endian, and bit 0 is the lowest.

mod bits;
mod decode;
mod encode;
mod fp4;
mod fp8;
mod iq;
mod iq4;
mod iq_table;
mod k;
mod legacy;
mod low;
mod runs;
#[cfg(test)]
mod tests;

pub use decode::decode;
pub use encode::{ENCODED, encode, reach};
pub use fp8::e4m3;

use crate::Format;
use runs::Runs;

/// A block, or the part of it that lies under one float scale and one activation group:
///
/// ```text
///   weight[i] = scale · level[i]  −  min · below[i / 16]
/// ```
///
/// `level` is the stored level times its integer sub-scale, and `below` the integer sub-minimum.
/// All products here are exact in f32, so a weight is rounded at most once.
#[derive(Clone, Debug)]
pub struct Part {
    /// Float scale of the levels.
    pub scale: f32,
    /// Float scale of the minima; zero in formats without them.
    pub min: f32,
    /// Sub-scale times level, |level| ≤ 4096; the first `Format::part_len` are used.
    pub level: [i16; 256],
    /// Sub-minimum of each run of 16 weights; zeros in formats without minima.
    pub below: [u8; 16],
}

impl Part {
    /// A part of zeros, to be filled by [`unpack`].
    pub const ZERO: Part = Part { scale: 0.0, min: 0.0, level: [0; 256], below: [0; 16] };
}

/// Takes part `index` of a block apart. Levels beyond the part's length are left as they are.
///
/// # Panics
/// When `block` is not exactly one block of `format`, `format` is a float, or the block has no
/// such part.
#[inline]
pub fn unpack(format: Format, block: &[u8], index: usize, part: &mut Part) {
    debug_assert!(index < format.block_len() / format.part_len());
    part.min = 0.0;
    part.below = [0; 16];
    match format {
        Format::F32 | Format::F16 | Format::BF16 | Format::F8 => {
            panic!("{format:?} has no integers")
        }
        Format::Q1_0 => low::q1_0(block, index, part),
        Format::Q2_0 => low::q2_0(block, index, part),
        Format::Q4_0 => legacy::q4_0(block, part),
        Format::Q4_1 => legacy::q4_1(block, part),
        Format::Q5_0 => legacy::q5_0(block, part),
        Format::Q5_1 => legacy::q5_1(block, part),
        Format::Q8_0 => legacy::q8_0(block, part),
        Format::Q2_K => k::q2_k(block, part),
        Format::Q3_K | Format::Q6_K | Format::IQ4_XS => Runs::signed(format, block).store(part),
        Format::Q4_K => k::q4_k(block, part),
        Format::Q5_K => k::q5_k(block, part),
        Format::IQ1_S => iq::iq1_s(block, part),
        Format::IQ1_M => iq::iq1_m(block, part),
        Format::IQ2_XXS => iq::iq2_xxs(block, part),
        Format::IQ2_XS => iq::iq2_xs(block, part),
        Format::IQ2_S => iq::iq2_s(block, part),
        Format::IQ3_XXS => iq::iq3_xxs(block, part),
        Format::IQ3_S => iq::iq3_s(block, part),
        Format::IQ4_NL => iq4::iq4_nl(block, part),
        Format::TQ1_0 => low::tq1_0(block, part),
        Format::TQ2_0 => low::tq2_0(block, part),
        Format::MXFP4 => fp4::mxfp4(block, part),
        Format::NVFP4 => fp4::nvfp4(block, index, part),
    }
}
