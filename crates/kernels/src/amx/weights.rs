//! A stretch of a panel as tiles of signed or unsigned bytes.
//!
//! A vector of a panel's levels is what a tile takes as a row: a lane for each weight row, four
//! columns in a lane. Short formats lose their offset and are ready. In long formats the integer
//! sub-scales go into the bytes, which takes up to two planes:
//!
//! ```text
//!   Q2_K         unsigned   sub · level, at most 45
//!   Q4_K, Q5_K   unsigned   a · level and b · level, at most 217, where sub = 8a + b
//!   others       signed     a and b, where sub · level, at most 4096 in magnitude, = 128a + b
//! ```
//!
//! In the first two, one multiplication makes two bytes of a product at once, for the lower does
//! not reach into the upper.

use std::arch::x86_64::*;
use std::marker::PhantomData;

use crate::panels::STRETCH;
use crate::panels::expand::{Kind, Levels, Packed, Scales, Sink};
use crate::simd::{Avx512, BYTES, Simd};

/// Vectors in a plane.
const QUADS: usize = STRETCH / 4;

/// Runs that are under way at once, at most.
const SLOTS: usize = 4;

/// A stretch of a panel, for tiles.
#[repr(C, align(64))]
pub(crate) struct Weights {
    pub scales: Scales,
    /// What tiles read.
    pub planes: [[[u8; BYTES]; QUADS]; 2],
}

impl Weights {
    /// Nothing yet.
    pub const ZERO: Weights = Weights { scales: Scales::ZERO, planes: [[[0; BYTES]; QUADS]; 2] };
}

/// Takes blocks apart and makes planes of them; the second argument is how many parts there are.
pub(super) type Prepare = unsafe fn(Packed, usize, &mut Weights);

/// What planes are made of.
pub(super) trait Plane {
    /// How many there are.
    const COUNT: usize;

    /// What the sub-scales of a run are as factors of its levels.
    ///
    /// # Safety
    /// The processor has AVX-512 BW.
    unsafe fn factors(sub: __m512i) -> [__m512i; 2];

    /// The planes of some levels, from which `offset` is still to be taken off.
    ///
    /// # Safety
    /// The processor has AVX-512 BW.
    unsafe fn planes(levels: __m512i, factors: [__m512i; 2], offset: i16) -> [__m512i; 2];
}

/// Levels without their offset. Those of "wide" formats have their upper bit turned, which is an
/// offset of 128.
pub(super) struct Plain;

/// Levels times sub-scales of 16 columns, where that is at most 127.
pub(super) struct Single;

/// Levels below 32 times the upper and the lower three bits of sub-scales.
pub(super) struct Eighths;

/// Levels less an offset, times signed sub-scales.
pub(super) struct Signed;

/// An i32 of 16 bits as two of them.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn doubled(x: __m512i) -> __m512i {
    _mm512_or_si512(_mm512_and_si512(x, _mm512_set1_epi32(0xffff)), _mm512_slli_epi32::<16>(x))
}

/// Implements the trait for what is said in safe code.
macro_rules! planes {
    ($($name:ident: $count:literal, |$sub:ident| $factors:expr,
        |$levels:ident, $given:ident, $offset:ident| $planes:expr;)*) => {$(
        impl Plane for $name {
            const COUNT: usize = $count;

            /// # Safety
            /// As the trait says.
            #[inline]
            #[target_feature(enable = "avx512f,avx512bw")]
            unsafe fn factors($sub: __m512i) -> [__m512i; 2] {
                $factors
            }

            /// # Safety
            /// As the trait says.
            #[inline]
            #[target_feature(enable = "avx512f,avx512bw")]
            unsafe fn planes(
                $levels: __m512i,
                $given: [__m512i; 2],
                $offset: i16,
            ) -> [__m512i; 2] {
                $planes
            }
        }
    )*};
}

planes! {
    Plain: 1, |sub| [sub; 2], |levels, _none, offset| {
        [_mm512_sub_epi8(levels, _mm512_set1_epi8(offset as i8)); 2]
    };
    Single: 1, |sub| [doubled(sub); 2], |levels, factors, _offset| {
        [_mm512_mullo_epi16(levels, factors[0]); 2]
    };
    Eighths: 2,
    |sub| {
        let (high, low) = (_mm512_srli_epi32::<3>(sub), _mm512_set1_epi32(7));
        [doubled(high), doubled(_mm512_and_si512(sub, low))]
    },
    |levels, factors, _offset| factors.map(|factor| _mm512_mullo_epi16(levels, factor));
    Signed: 2, |sub| [doubled(sub); 2], |levels, factors, offset| {
        let (byte, offset) = (_mm512_set1_epi16(0xff), _mm512_set1_epi16(offset));
        let product = |level| _mm512_mullo_epi16(_mm512_sub_epi16(level, offset), factors[0]);
        let even = product(_mm512_and_si512(levels, byte));
        let odd = product(_mm512_srli_epi16::<8>(levels));
        let bytes =
            |even, odd| _mm512_or_si512(_mm512_and_si512(even, byte), _mm512_slli_epi16::<8>(odd));
        let high = bytes(_mm512_srai_epi16::<7>(even), _mm512_srai_epi16::<7>(odd));
        [high, _mm512_and_si512(bytes(even, odd), _mm512_set1_epi8(127))]
    };
}

/// Makes planes of levels as these come: written down and read again, they would cost more.
struct Make<'a, P, K> {
    to: &'a mut Weights,
    /// Those of the run in each slot.
    factors: [[__m512i; 2]; SLOTS],
    of: PhantomData<(P, K)>,
}

impl<P: Plane, K: Kind> Sink<Avx512> for Make<'_, P, K> {
    // Products have asked for these blocks while they computed.
    const ASKS: bool = false;

    #[inline(always)]
    fn scales(&mut self) -> &mut Scales {
        &mut self.to.scales
    }

    #[inline(always)]
    fn take(&mut self, slot: usize, quad: usize, levels: __m512i) {
        // SAFETY: who makes planes has AVX-512; scales and planes are vectors of 64 bytes.
        unsafe {
            if let Some(run) = K::RUN
                && quad.is_multiple_of(run / 4)
            {
                let sub = &self.to.scales.sub[4 * quad / run];
                self.factors[slot] = P::factors(_mm512_loadu_si512(sub.as_ptr().cast()));
            }
            let planes = P::planes(levels, self.factors[slot], K::OFFSET);
            for (plane, to) in planes.into_iter().zip(&mut self.to.planes).take(P::COUNT) {
                _mm512_storeu_si512(to[quad].as_mut_ptr().cast(), plane);
            }
        }
    }

    #[inline(always)]
    fn end(&mut self, _slot: usize, _run: usize) {}
}

/// Makes planes of packed blocks.
///
/// # Safety
/// `from` shows that many parts of blocks of the format.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(super) unsafe fn prepare<L: Levels, P: Plane>(from: Packed, parts: usize, to: &mut Weights) {
    let factors = [[_mm512_setzero_si512(); 2]; SLOTS];
    let mut make = Make::<P, L::Kind> { to, factors, of: PhantomData };
    // SAFETY: the features are those of the token; the rest is the caller's promise.
    unsafe { L::expand(Avx512::new(), from, parts, &mut make) }
}

#[cfg(test)]
mod tests {
    use std::mem::transmute;

    use super::*;
    use crate::Isa;

    /// An offset, a factor, whether bytes are signed, the most of a level (255 where it is "wide")
    /// and the sub-scales from the least to the most.
    type Case = (i16, i32, bool, (i32, i32, i32));

    fn byte(of: u8, signed: bool) -> i32 {
        if signed { i32::from(of as i8) } else { i32::from(of) }
    }

    /// Every level with every sub-scale that formats have.
    fn check<P: Plane>((offset, factor, is_signed, (most, first, last)): Case) {
        for (sub, from) in (first..=last).flat_map(|sub| [0, 64, 128, 192].map(|from| (sub, from)))
        {
            let levels = std::array::from_fn(|i| (((from + i as i32) * 7) & most) as u8);
            // Neighbouring lanes have other sub-scales, of either parity.
            let sub_of = |lane| if lane % 3 == 1 { first + (sub - first) / 2 } else { sub };
            let subs: [[u8; 4]; 16] = std::array::from_fn(|lane| sub_of(lane).to_le_bytes());
            // SAFETY: this machine has AVX-512, and of a vector any 64 bytes will do.
            let planes: [[u8; BYTES]; 2] = unsafe {
                let factors = P::factors(transmute::<[[u8; 4]; 16], __m512i>(subs));
                let levels = transmute::<[u8; BYTES], __m512i>(levels);
                transmute::<[__m512i; 2], [[u8; BYTES]; 2]>(P::planes(levels, factors, offset))
            };
            for (i, level) in levels.into_iter().enumerate() {
                let low = if P::COUNT == 2 { byte(planes[1][i], is_signed) } else { 0 };
                let got = factor * byte(planes[0][i], is_signed) + low;
                let want = sub_of(i / 4) * (i32::from(level) - i32::from(offset));
                assert_eq!(got, want, "level {level} less {offset}, {sub}, byte {i}");
            }
        }
    }

    #[test]
    fn planes_stand_for_products() {
        if Isa::emulated_amx().is_none() {
            return; // Nothing here runs on such a machine.
        }
        check::<Single>((0, 1, false, (3, 0, 15)));
        check::<Eighths>((0, 8, false, (31, 0, 63)));
        check::<Signed>((4, 128, true, (7, -32, 31)));
        check::<Signed>((32, 128, true, (63, -128, 127)));
        check::<Signed>((128, 128, true, (255, -32, 31)));
        check::<Plain>((128, 1, true, (255, 1, 1)));
    }
}
