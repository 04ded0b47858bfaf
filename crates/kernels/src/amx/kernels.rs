//! Which functions multiply a format's weights by tiles.
//!
//! # Safety
//!
//! The functions behind the pointers ask for AVX-512, and for the unit that they were found for.

use super::unit::{Shapes, Unit};
use super::weights::{Eighths, Plain, Prepare, Signed, Single, prepare};
use super::{Rows, Sums, Weights, long, short};
use crate::panels::{Kernels, expand};
use crate::{Format, Isa};

/// Panels that are multiplied with the same rows at once.
pub(crate) const TOGETHER: usize = 2;

/// Multiplies panels with all rows over a stretch, and adds to the sums.
pub(crate) type Multiply<U> = unsafe fn(&mut U, &[Weights], Rows, &mut Sums);

/// The functions for one format, one unit, and rows of one plane or two.
pub(crate) struct TileKernels<U> {
    kernels: Kernels,
    prepare: Prepare,
    /// The shapes that the unit must have.
    pub shapes: &'static Shapes,
    /// For one panel, and for two.
    multiply: [Multiply<U>; TOGETHER],
}

impl<U: Unit> TileKernels<U> {
    /// Those of a format that is packed, for rows of so many planes.
    pub fn of(isa: Isa, format: Format, planes: usize) -> Option<TileKernels<U>> {
        let kernels = Kernels::of(isa, format)?;
        let (run, minima) = kernels.kind;
        let prepare = prepare_of(format)?;
        let shapes = if run.is_some() { &Shapes::FULL } else { &Shapes::HALF };
        let multiply = match (planes, run, minima) {
            (1, None, false) => short::kernels::<U, false, 1>(),
            (1, None, true) => short::kernels::<U, true, 1>(),
            (1, Some(32), true) => long::kernels::<U, Eighths, 1>(),
            (1, Some(_), true) => long::kernels::<U, Single, 1>(),
            (1, Some(_), false) => long::kernels::<U, Signed, 1>(),
            (_, None, false) => short::kernels::<U, false, 2>(),
            (_, None, true) => short::kernels::<U, true, 2>(),
            (_, Some(32), true) => long::kernels::<U, Eighths, 2>(),
            (_, Some(_), true) => long::kernels::<U, Single, 2>(),
            (_, Some(_), false) => long::kernels::<U, Signed, 2>(),
        };
        Some(TileKernels { kernels, prepare, shapes, multiply })
    }

    /// Makes ready stretch `stretch` of a panel, which has `parts` parts of 32 columns.
    pub fn prepare(&self, panel: &[u8], stretch: usize, parts: usize, to: &mut Weights) {
        // SAFETY: who has the `Isa` has the instructions, and the blocks are those of these parts.
        unsafe { (self.prepare)(self.kernels.blocks(panel, stretch, parts), parts, to) }
    }

    /// Where the body of a stretch of a panel begins, and its lines.
    pub fn lines(&self, panel: &[u8], stretch: usize, parts: usize) -> (*const u8, usize) {
        self.kernels.lines(panel, stretch, parts)
    }

    /// Multiplies one or two panels with all rows over a stretch.
    pub fn multiply(&self, unit: &mut U, weights: &[Weights], rows: Rows, to: &mut Sums) {
        let multiply = self.multiply[weights.len() - 1];
        // SAFETY: who has the `Isa` has the instructions.
        unsafe { multiply(unit, weights, rows, to) }
    }
}

/// What makes the planes of a format.
fn prepare_of(format: Format) -> Option<Prepare> {
    Some(match format {
        Format::Q4_0 => prepare::<expand::Q4_0, Plain>,
        Format::Q4_1 => prepare::<expand::Q4_1, Plain>,
        Format::Q5_0 => prepare::<expand::Q5_0, Plain>,
        Format::Q5_1 => prepare::<expand::Q5_1, Plain>,
        Format::Q8_0 => prepare::<expand::Q8_0, Plain>,
        Format::IQ4_NL => prepare::<expand::IQ4_NL, Plain>,
        Format::MXFP4 => prepare::<expand::MXFP4, Plain>,
        Format::Q2_K => prepare::<expand::Q2_K, Single>,
        Format::Q3_K => prepare::<expand::Q3_K, Signed>,
        Format::Q4_K => prepare::<expand::Q4_K, Eighths>,
        Format::Q5_K => prepare::<expand::Q5_K, Eighths>,
        Format::Q6_K => prepare::<expand::Q6_K, Signed>,
        Format::IQ4_XS => prepare::<expand::IQ4_XS, Signed>,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amx::Emulated;

    #[test]
    fn every_packed_format_has_tiles() {
        for (isa, format) in
            Isa::emulated_amx().iter().flat_map(|isa| Format::ALL.map(|f| (*isa, f)))
        {
            for planes in [1, 2] {
                let tiles = TileKernels::<Emulated>::of(isa, format, planes);
                assert_eq!(tiles.is_some(), Kernels::of(isa, format).is_some(), "{format:?}");
            }
        }
    }
}
