//! AVX2 with FMA and F16C: sixteen lanes are two registers.
//!
//! # Safety
//!
//! What the trait asks of the callers of its methods.

use std::arch::x86_64::*;

use super::Simd;

/// The token of AVX2, FMA and F16C.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

/// Methods that do the same to both halves.
macro_rules! halves {
    ($($name:ident($($arg:ident: $kind:ty),*) -> $result:ty = $body:expr;)*) => {$(
        #[inline(always)]
        fn $name(self, $($arg: [$kind; 2]),*) -> [$result; 2] {
            // SAFETY: the token shows that this machine has the instructions.
            unsafe { [{ $(let $arg = $arg[0];)* $body }, { $(let $arg = $arg[1];)* $body }] }
        }
    )*};
}

/// Methods that read both halves where a pointer says, `$step` bytes apart.
macro_rules! loads {
    ($($name:ident($from:ident: $kind:ty, $step:literal) -> $result:ty = $body:expr;)*) => {$(
        #[inline(always)]
        unsafe fn $name(self, from: *const $kind) -> [$result; 2] {
            // SAFETY: the token shows that this machine has the instructions; the caller promises
            // that the memory may be read.
            unsafe {
                [{ let $from = from; $body }, { let $from = from.byte_add($step); $body }]
            }
        }
    )*};
}

/// The same in both halves.
macro_rules! splats {
    ($($name:ident($arg:ident: $kind:ty) -> $result:ty = $body:expr;)*) => {$(
        #[inline(always)]
        fn $name(self, $arg: $kind) -> [$result; 2] {
            // SAFETY: the token shows that this machine has the instruction.
            let half = unsafe { $body };
            [half; 2]
        }
    )*};
}

/// 2^n for whole n from −126 to 127.
///
/// # Safety
/// This machine has AVX2.
#[inline(always)]
unsafe fn power_of_two(n: __m256i) -> __m256 {
    // SAFETY: the caller's promise.
    unsafe {
        let exponent = _mm256_add_epi32(n, _mm256_set1_epi32(127));
        _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent))
    }
}

impl Simd for Avx2 {
    type F = [__m256; 2];
    type I = [__m256i; 2];

    const HALVES: bool = true;

    unsafe fn new() -> Avx2 {
        Avx2(())
    }

    loads! {
        load(from: u8, 32) -> __m256i = _mm256_loadu_si256(from.cast());
        load_u8(from: u8, 8) -> __m256i = _mm256_cvtepu8_epi32(_mm_loadl_epi64(from.cast()));
        load_i8(from: u8, 8) -> __m256i = _mm256_cvtepi8_epi32(_mm_loadl_epi64(from.cast()));
        load_u16(from: u8, 16) -> __m256i = _mm256_cvtepu16_epi32(_mm_loadu_si128(from.cast()));
        load_f32(from: f32, 32) -> __m256 = _mm256_loadu_ps(from);
        load_f16(from: u8, 16) -> __m256 = _mm256_cvtph_ps(_mm_loadu_si128(from.cast()));
    }

    splats! {
        splat(x: i32) -> __m256i = _mm256_set1_epi32(x);
        splat_f32(x: f32) -> __m256 = _mm256_set1_ps(x);
    }

    halves! {
        and(a: __m256i, b: __m256i) -> __m256i = _mm256_and_si256(a, b);
        or(a: __m256i, b: __m256i) -> __m256i = _mm256_or_si256(a, b);
        add_i32(a: __m256i, b: __m256i) -> __m256i = _mm256_add_epi32(a, b);
        mul_i32(a: __m256i, b: __m256i) -> __m256i = _mm256_mullo_epi32(a, b);
        dot_bytes(sum: __m256i, levels: __m256i, x: __m256i) -> __m256i = {
            // Below 128, so that two products stay within an i16.
            let pairs = _mm256_maddubs_epi16(levels, x);
            _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
        };
        dot_halves(sum: __m256i, levels: __m256i, x: __m256i) -> __m256i =
            _mm256_add_epi16(sum, _mm256_maddubs_epi16(levels, x));
        dot_pairs(sum: __m256i, a: __m256i, b: __m256i) -> __m256i =
            _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
        dot_wide(sum: __m256i, wide: __m256i, x: __m256i) -> __m256i = {
            // The sign moves over to the activation, which is never −128: at most 2 · 128 · 127.
            let pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(wide), _mm256_sign_epi8(x, wide));
            _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
        };
        to_f32(x: __m256i) -> __m256 = _mm256_cvtepi32_ps(x);
        mul(a: __m256, b: __m256) -> __m256 = _mm256_mul_ps(a, b);
        add(a: __m256, b: __m256) -> __m256 = _mm256_add_ps(a, b);
        sub(a: __m256, b: __m256) -> __m256 = _mm256_sub_ps(a, b);
        greater(a: __m256, b: __m256) -> __m256 = _mm256_max_ps(a, b);
        lesser(a: __m256, b: __m256) -> __m256 = _mm256_min_ps(a, b);
        times_power_of_two(x: __m256, n: __m256) -> __m256 = {
            // In two steps, because 2^n alone may lie outside the range of normal numbers. The
            // first is exact.
            let n = _mm256_cvtps_epi32(n);
            let half = _mm256_srai_epi32::<1>(n);
            let rest = _mm256_sub_epi32(n, half);
            _mm256_mul_ps(_mm256_mul_ps(x, power_of_two(half)), power_of_two(rest))
        };
        fma(a: __m256, b: __m256, c: __m256) -> __m256 = _mm256_fmadd_ps(a, b, c);
        minus_product(a: __m256, b: __m256, c: __m256) -> __m256 = _mm256_fnmadd_ps(a, b, c);
        where_not_zero(test: __m256, x: __m256, otherwise: __m256) -> __m256 = {
            let mask = _mm256_cmp_ps::<_CMP_NEQ_UQ>(test, _mm256_setzero_ps());
            _mm256_blendv_ps(otherwise, x, mask)
        };
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut u8, x: [__m256i; 2]) {
        // SAFETY: the token shows that this machine has the instruction; the caller promises that
        // the memory may be written.
        unsafe {
            _mm256_storeu_si256(to.cast(), x[0]);
            _mm256_storeu_si256(to.byte_add(32).cast(), x[1]);
        }
    }

    #[inline(always)]
    unsafe fn store_f32(self, to: *mut f32, x: [__m256; 2]) {
        // SAFETY: as above.
        unsafe {
            _mm256_storeu_ps(to, x[0]);
            _mm256_storeu_ps(to.add(8), x[1]);
        }
    }

    #[inline(always)]
    fn shift_right<const BITS: i32>(self, x: [__m256i; 2]) -> [__m256i; 2] {
        // SAFETY: the token shows that this machine has the instruction.
        x.map(|x| unsafe { _mm256_srli_epi16::<BITS>(x) })
    }

    #[inline(always)]
    fn shift_left<const BITS: i32>(self, x: [__m256i; 2]) -> [__m256i; 2] {
        // SAFETY: the token shows that this machine has the instruction.
        x.map(|x| unsafe { _mm256_slli_epi16::<BITS>(x) })
    }

    #[inline(always)]
    fn look_up(self, table: &[i8; 16], index: [__m256i; 2]) -> [__m256i; 2] {
        // SAFETY: the token shows that this machine has the instructions.
        unsafe {
            let table = _mm256_broadcastsi128_si256(_mm_loadu_si128(table.as_ptr().cast()));
            [_mm256_shuffle_epi8(table, index[0]), _mm256_shuffle_epi8(table, index[1])]
        }
    }

    #[inline(always)]
    fn swap<const N: usize>(self, x: [__m256; 2]) -> [__m256; 2] {
        const { assert!(matches!(N, 1 | 2 | 4 | 8)) };
        // SAFETY: the token shows that this machine has the instructions.
        unsafe {
            let [low, high] = x;
            match N {
                8 => [high, low],
                4 => {
                    [_mm256_permute2f128_ps::<1>(low, low), _mm256_permute2f128_ps::<1>(high, high)]
                }
                2 => [
                    _mm256_permute_ps::<0b01_00_11_10>(low),
                    _mm256_permute_ps::<0b01_00_11_10>(high),
                ],
                _ => [
                    _mm256_permute_ps::<0b10_11_00_01>(low),
                    _mm256_permute_ps::<0b10_11_00_01>(high),
                ],
            }
        }
    }

    #[inline(always)]
    fn first(self, x: [__m256; 2]) -> f32 {
        // SAFETY: the token shows that this machine has the instruction.
        unsafe { _mm256_cvtss_f32(x[0]) }
    }

    #[inline(always)]
    fn wide(self, levels: [__m256i; 2]) -> [__m256i; 2] {
        levels
    }

    #[inline(always)]
    fn wide_start(self, _start: [__m256i; 2]) -> [__m256i; 2] {
        self.splat(0)
    }
}
