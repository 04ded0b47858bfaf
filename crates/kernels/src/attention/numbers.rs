//! Keys and values as pages keep them: floats of 32 bits; halves, two of which stand in the place
//! of one; or pairs of whole numbers.

use crate::half::{f16_to_f32, f32_to_f16};
use crate::portable::whole::{DIM_MAX, Pair};
use crate::simd::{LANES, Simd};

/// How keys and values are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kept {
    /// As they are.
    #[default]
    F32,
    /// Rounded, in half the memory.
    F16,
    /// Whole numbers with scales, in about as much: canon 2.
    I16,
}

impl Kept {
    /// All of them, in the order of tables.
    pub const ALL: [Kept; 3] = [Kept::F32, Kept::F16, Kept::I16];

    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Kept::F32 => "f32",
            Kept::F16 => "f16",
            Kept::I16 => "i16",
        }
    }

    /// How heads of these widths are kept: whole numbers have a largest width, and no values
    /// within keys.
    #[must_use]
    pub const fn by_heads(self, (dim, value_dim): (usize, usize), within: bool) -> Kept {
        match self {
            Kept::I16 if within || dim > DIM_MAX || value_dim > DIM_MAX => Kept::F16,
            _ => self,
        }
    }

    /// Bytes of what a lane takes of a page: a float, or a pair of whole numbers.
    pub(crate) const fn lane_bytes(self) -> usize {
        match self {
            Kept::F32 | Kept::I16 => size_of::<f32>(),
            Kept::F16 => size_of::<Half>(),
        }
    }

    /// Places of a page that so many floats take.
    pub(crate) const fn places(self, numbers: usize) -> usize {
        numbers * self.lane_bytes() / size_of::<f32>()
    }
}

/// The bits of an F16.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Half(u16);

/// A number as it is kept.
pub(crate) trait Number: Copy {
    fn of(x: f32) -> Self;
    fn wide(self) -> f32;
}

impl Number for f32 {
    #[inline(always)]
    fn of(x: f32) -> f32 {
        x
    }

    #[inline(always)]
    fn wide(self) -> f32 {
        self
    }
}

impl Number for Half {
    /// The nearest; the largest for what lies beyond it. What is not finite stays that.
    #[inline(always)]
    fn of(x: f32) -> Half {
        let bits = f32_to_f16(x);
        let grew = bits & 0x7fff == 0x7c00 && x.is_finite();
        Half(bits - u16::from(grew))
    }

    #[inline(always)]
    fn wide(self) -> f32 {
        f16_to_f32(self.0)
    }
}

/// Numbers of a page.
#[derive(Clone, Copy)]
pub(crate) enum Numbers<'a> {
    F32(&'a [f32]),
    F16(&'a [Half]),
}

impl<'a> Numbers<'a> {
    /// What stands in some places of a page, where these are floats.
    pub fn in_places(kept: Kept, places: &'a [f32]) -> Numbers<'a> {
        match kept {
            Kept::F32 => Numbers::F32(places),
            Kept::F16 => {
                let (start, len) = (places.as_ptr().cast(), 2 * places.len());
                // SAFETY: a half is half as long as a place, needs no more alignment, and may have
                // any bits.
                Numbers::F16(unsafe { std::slice::from_raw_parts(start, len) })
            }
            Kept::I16 => unreachable!("whole numbers have scales"),
        }
    }

    pub fn kept(&self) -> Kept {
        match self {
            Numbers::F32(_) => Kept::F32,
            Numbers::F16(_) => Kept::F16,
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Numbers::F32(numbers) => numbers.len(),
            Numbers::F16(numbers) => numbers.len(),
        }
    }

    pub fn start(&self) -> *const u8 {
        match self {
            Numbers::F32(numbers) => numbers.as_ptr().cast(),
            Numbers::F16(numbers) => numbers.as_ptr().cast(),
        }
    }

    /// Number `i`, widened.
    #[inline(always)]
    pub fn get(&self, i: usize) -> f32 {
        match self {
            Numbers::F32(numbers) => numbers[i],
            Numbers::F16(numbers) => numbers[i].wide(),
        }
    }

    /// The first `len` numbers, and the others.
    pub fn split_at(&self, len: usize) -> (Numbers<'a>, Numbers<'a>) {
        match self {
            Numbers::F32(numbers) => {
                let (first, others) = numbers.split_at(len);
                (Numbers::F32(first), Numbers::F32(others))
            }
            Numbers::F16(numbers) => {
                let (first, others) = numbers.split_at(len);
                (Numbers::F16(first), Numbers::F16(others))
            }
        }
    }
}

/// Places of a page as pairs of whole numbers.
pub(crate) fn pairs(places: &[f32]) -> &[Pair] {
    // SAFETY: a pair is as long as a place, needs no more alignment, and may have any bits.
    unsafe { std::slice::from_raw_parts(places.as_ptr().cast(), places.len()) }
}

/// Places of a page as room for pairs of whole numbers.
pub(crate) fn pairs_mut(places: &mut [f32]) -> &mut [Pair] {
    // SAFETY: as above; and any pair makes a place.
    unsafe { std::slice::from_raw_parts_mut(places.as_mut_ptr().cast(), places.len()) }
}

/// Places of a page as room for halves.
pub(crate) fn halves_mut(places: &mut [f32]) -> &mut [Half] {
    let (start, len) = (places.as_mut_ptr().cast(), 2 * places.len());
    // SAFETY: as in `in_places`; and any two halves make a place.
    unsafe { std::slice::from_raw_parts_mut(start, len) }
}

/// Where number `i` stands.
#[inline(always)]
pub(super) fn at<const HALF: bool>(start: *const u8, i: usize) -> *const u8 {
    start.wrapping_add(i * if HALF { Kept::F16.lane_bytes() } else { Kept::F32.lane_bytes() })
}

/// Sixteen numbers, widened.
///
/// # Safety
/// They may be read.
#[inline(always)]
pub(super) unsafe fn load<S: Simd, const HALF: bool>(s: S, from: *const u8) -> S::F {
    // SAFETY: the caller's promise.
    unsafe { if HALF { s.load_f16(from) } else { s.load_f32(from.cast()) } }
}

/// Widens so many halves, a multiple of 16.
///
/// # Safety
/// They may be read, and there is room for as many numbers.
#[inline(always)]
pub(super) unsafe fn widen<S: Simd>(s: S, from: *const u8, to: *mut f32, len: usize) {
    for i in (0..len).step_by(LANES) {
        // SAFETY: the caller's promise.
        unsafe { s.store_f32(to.add(i), load::<S, true>(s, at::<true>(from, i))) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_beyond_the_largest_half_are_cut_and_others_rounded() {
        for (x, bits) in [
            (0.0, 0x0000),
            (-0.0, 0x8000),
            (1.0, 0x3c00),
            (-1.0, 0xbc00),
            (65504.0, 0x7bff),
            (65519.9, 0x7bff),
            (65520.0, 0x7bff),
            (-1e30, 0xfbff),
            (f32::MAX, 0x7bff),
            (f32::INFINITY, 0x7c00),
            (f32::NEG_INFINITY, 0xfc00),
            (1.0 + 1.0 / 2048.0, 0x3c00),
            (1.0 + 3.0 / 2048.0, 0x3c02),
            (1e-9, 0x0000),
            (6e-8, 0x0001),
        ] {
            assert_eq!(Half::of(x).0, bits, "{x}");
        }
        assert!(f16_to_f32(Half::of(f32::NAN).0).is_nan());
    }

    #[test]
    fn two_halves_stand_in_one_place() {
        let mut places = [0.0_f32; 2];
        for (half, x) in halves_mut(&mut places).iter_mut().zip([1.5, -2.0, 0.25, 7.0]) {
            *half = Half::of(x);
        }
        let numbers = Numbers::in_places(Kept::F16, &places);
        let got: Vec<f32> = (0..numbers.len()).map(|i| numbers.get(i)).collect();
        assert_eq!(got, [1.5, -2.0, 0.25, 7.0]);
        assert_eq!((Kept::F16.places(4), Kept::F32.places(4)), (2, 4));
    }
}
