//! AVX-512 with VNNI: sixteen lanes are one register.
//!
//! # Safety
//!
//! What the trait asks of the callers of its methods.

use std::arch::x86_64::*;

use super::Simd;

/// The token of AVX-512 F, BW, VL and VNNI.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

/// Methods of single instructions.
macro_rules! instructions {
    ($($name:ident($($arg:ident: $kind:ty),*) -> $result:ty = $body:expr;)*) => {$(
        #[inline(always)]
        fn $name(self, $($arg: $kind),*) -> $result {
            // SAFETY: the token shows that this machine has the instruction.
            unsafe { $body }
        }
    )*};
}

/// Methods of single instructions that read or write where a pointer says.
macro_rules! accesses {
    ($($name:ident($($arg:ident: $kind:ty),*) $(-> $result:ty)? = $body:expr;)*) => {$(
        #[inline(always)]
        unsafe fn $name(self, $($arg: $kind),*) $(-> $result)? {
            // SAFETY: the token shows that this machine has the instruction; the caller promises
            // that the memory may be used.
            unsafe { $body }
        }
    )*};
}

impl Simd for Avx512 {
    type F = __m512;
    type I = __m512i;

    const HALVES: bool = false;

    unsafe fn new() -> Avx512 {
        Avx512(())
    }

    accesses! {
        load(from: *const u8) -> __m512i = _mm512_loadu_si512(from.cast());
        store(to: *mut u8, x: __m512i) = _mm512_storeu_si512(to.cast(), x);
        load_u8(from: *const u8) -> __m512i = _mm512_cvtepu8_epi32(_mm_loadu_si128(from.cast()));
        load_i8(from: *const u8) -> __m512i = _mm512_cvtepi8_epi32(_mm_loadu_si128(from.cast()));
        load_u16(from: *const u8) -> __m512i =
            _mm512_cvtepu16_epi32(_mm256_loadu_si256(from.cast()));
        load_f32(from: *const f32) -> __m512 = _mm512_loadu_ps(from);
        store_f32(to: *mut f32, x: __m512) = _mm512_storeu_ps(to, x);
        load_f16(from: *const u8) -> __m512 = _mm512_cvtph_ps(_mm256_loadu_si256(from.cast()));
    }

    instructions! {
        splat(x: i32) -> __m512i = _mm512_set1_epi32(x);
        and(a: __m512i, b: __m512i) -> __m512i = _mm512_and_si512(a, b);
        or(a: __m512i, b: __m512i) -> __m512i = _mm512_or_si512(a, b);
        look_up(table: &[i8; 16], index: __m512i) -> __m512i =
            {
                let table = _mm_loadu_si128(table.as_ptr().cast());
                _mm512_shuffle_epi8(_mm512_broadcast_i32x4(table), index)
            };
        add_i32(a: __m512i, b: __m512i) -> __m512i = _mm512_add_epi32(a, b);
        mul_i32(a: __m512i, b: __m512i) -> __m512i = _mm512_mullo_epi32(a, b);
        dot_bytes(sum: __m512i, levels: __m512i, x: __m512i) -> __m512i =
            _mm512_dpbusd_epi32(sum, levels, x);
        dot_halves(sum: __m512i, levels: __m512i, x: __m512i) -> __m512i =
            _mm512_add_epi16(sum, _mm512_maddubs_epi16(levels, x));
        dot_pairs(sum: __m512i, a: __m512i, b: __m512i) -> __m512i =
            _mm512_dpwssd_epi32(sum, a, b);
        wide(levels: __m512i) -> __m512i = _mm512_xor_si512(levels, _mm512_set1_epi8(-128));
        dot_wide(sum: __m512i, wide: __m512i, x: __m512i) -> __m512i =
            _mm512_dpbusd_epi32(sum, wide, x);
        splat_f32(x: f32) -> __m512 = _mm512_set1_ps(x);
        to_f32(x: __m512i) -> __m512 = _mm512_cvtepi32_ps(x);
        mul(a: __m512, b: __m512) -> __m512 = _mm512_mul_ps(a, b);
        add(a: __m512, b: __m512) -> __m512 = _mm512_add_ps(a, b);
        sub(a: __m512, b: __m512) -> __m512 = _mm512_sub_ps(a, b);
        greater(a: __m512, b: __m512) -> __m512 = _mm512_max_ps(a, b);
        lesser(a: __m512, b: __m512) -> __m512 = _mm512_min_ps(a, b);
        times_power_of_two(x: __m512, n: __m512) -> __m512 = _mm512_scalef_ps(x, n);
        first(x: __m512) -> f32 = _mm512_cvtss_f32(x);
        fma(a: __m512, b: __m512, c: __m512) -> __m512 = _mm512_fmadd_ps(a, b, c);
        minus_product(a: __m512, b: __m512, c: __m512) -> __m512 = _mm512_fnmadd_ps(a, b, c);
        where_not_zero(test: __m512, x: __m512, otherwise: __m512) -> __m512 =
            _mm512_mask_mov_ps(
                otherwise,
                _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(test, _mm512_setzero_ps()),
                x,
            );
    }

    #[inline(always)]
    fn shift_right<const BITS: i32>(self, x: __m512i) -> __m512i {
        // SAFETY: the token shows that this machine has the instruction.
        unsafe { _mm512_srl_epi16(x, _mm_cvtsi32_si128(BITS)) }
    }

    #[inline(always)]
    fn shift_left<const BITS: i32>(self, x: __m512i) -> __m512i {
        // SAFETY: the token shows that this machine has the instruction.
        unsafe { _mm512_sll_epi16(x, _mm_cvtsi32_si128(BITS)) }
    }

    #[inline(always)]
    fn swap<const N: usize>(self, x: __m512) -> __m512 {
        const { assert!(matches!(N, 1 | 2 | 4 | 8)) };
        // SAFETY: the token shows that this machine has the instructions.
        unsafe {
            match N {
                8 => _mm512_shuffle_f32x4::<0b01_00_11_10>(x, x),
                4 => _mm512_shuffle_f32x4::<0b10_11_00_01>(x, x),
                2 => _mm512_permute_ps::<0b01_00_11_10>(x),
                _ => _mm512_permute_ps::<0b10_11_00_01>(x),
            }
        }
    }

    #[inline(always)]
    fn wide_start(self, start: __m512i) -> __m512i {
        start
    }
}
