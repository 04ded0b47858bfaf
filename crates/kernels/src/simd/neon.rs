//! NEON with dot products: sixteen lanes are four registers.
//!
//! # Safety
//!
//! What the trait asks of the callers of its methods; of other functions, that this machine has
//! the instructions.

use std::arch::aarch64::*;
use std::arch::asm;

use super::Simd;

/// The token of NEON with its extensions for dot products and half precision.
#[derive(Clone, Copy)]
pub(crate) struct Neon(());

/// Methods that do the same to each quarter. They are written out, because a debug build of tests
/// calls what `map` is made of.
macro_rules! quarters {
    ($(
        $name:ident$(<const $bits:ident: i32>)?($($arg:ident: $kind:ty),*) -> $result:ty =
            $body:expr;
    )*) => {$(
        #[inline(always)]
        fn $name$(<const $bits: i32>)?(self, $($arg: [$kind; 4]),*) -> [$result; 4] {
            // SAFETY: the token shows that this machine has the instructions.
            unsafe {
                [
                    { $(let $arg = $arg[0];)* $body },
                    { $(let $arg = $arg[1];)* $body },
                    { $(let $arg = $arg[2];)* $body },
                    { $(let $arg = $arg[3];)* $body },
                ]
            }
        }
    )*};
}

/// Methods that read each quarter where a pointer says, `$step` bytes apart.
macro_rules! loads {
    ($($name:ident($from:ident: $kind:ty, $step:literal) -> $result:ty = $body:expr;)*) => {$(
        #[inline(always)]
        unsafe fn $name(self, from: *const $kind) -> [$result; 4] {
            // SAFETY: the token shows that this machine has the instructions; the caller promises
            // that the memory may be read.
            unsafe {
                [
                    { let $from = from; $body },
                    { let $from = from.byte_add($step); $body },
                    { let $from = from.byte_add(2 * $step); $body },
                    { let $from = from.byte_add(3 * $step); $body },
                ]
            }
        }
    )*};
}

/// Other methods that read or write where a pointer says.
macro_rules! accesses {
    ($($name:ident($($arg:ident: $kind:ty),*) $(-> $result:ty)? = $body:expr;)*) => {$(
        #[inline(always)]
        unsafe fn $name(self, $($arg: $kind),*) $(-> $result)? {
            // SAFETY: as above.
            unsafe { $body }
        }
    )*};
}

/// Adds to each lane the four products of signed bytes.
#[inline]
#[target_feature(enable = "neon,dotprod")]
unsafe fn dot(mut sum: int32x4_t, a: int32x4_t, b: int32x4_t) -> int32x4_t {
    // SAFETY: the caller's promise. The standard library has no stable name for the instruction.
    unsafe {
        asm!(
            "sdot {sum:v}.4s, {a:v}.16b, {b:v}.16b",
            sum = inout(vreg) sum, a = in(vreg) a, b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
}

#[inline(always)]
unsafe fn widen_i16(x: int16x8_t) -> [int32x4_t; 2] {
    // SAFETY: the caller's promise.
    unsafe { [vmovl_s16(vget_low_s16(x)), vmovl_high_s16(x)] }
}

#[inline(always)]
unsafe fn widen_u16(x: uint16x8_t) -> [int32x4_t; 2] {
    // SAFETY: the caller's promise.
    unsafe {
        let (low, high) = (vmovl_u16(vget_low_u16(x)), vmovl_high_u16(x));
        [vreinterpretq_s32_u32(low), vreinterpretq_s32_u32(high)]
    }
}

/// Sixteen lanes of two halves.
#[inline(always)]
fn join([a, b]: [int32x4_t; 2], [c, d]: [int32x4_t; 2]) -> [int32x4_t; 4] {
    [a, b, c, d]
}

/// The bytes of a table for those of `index`.
#[inline(always)]
unsafe fn bytes_of(table: int8x16_t, index: int32x4_t) -> int32x4_t {
    // SAFETY: the caller's promise.
    unsafe { vreinterpretq_s32_s8(vqtbl1q_s8(table, vreinterpretq_u8_s32(index))) }
}

/// 2^n for whole n from −126 to 127.
#[inline(always)]
unsafe fn power_of_two(n: int32x4_t) -> float32x4_t {
    // SAFETY: the caller's promise.
    unsafe { vreinterpretq_f32_s32(vshlq_n_s32::<23>(vaddq_s32(n, vdupq_n_s32(127)))) }
}

impl Simd for Neon {
    type F = [float32x4_t; 4];
    type I = [int32x4_t; 4];

    const HALVES: bool = false;

    unsafe fn new() -> Neon {
        Neon(())
    }

    loads! {
        load(from: u8, 16) -> int32x4_t = vreinterpretq_s32_u8(vld1q_u8(from));
        load_f32(from: f32, 16) -> float32x4_t = vld1q_f32(from);
        load_f16(from: u8, 8) -> float32x4_t = vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(from)));
    }

    accesses! {
        load_u8(from: *const u8) -> [int32x4_t; 4] = {
            let x = vld1q_u8(from);
            join(widen_u16(vmovl_u8(vget_low_u8(x))), widen_u16(vmovl_high_u8(x)))
        };
        load_i8(from: *const u8) -> [int32x4_t; 4] = {
            let x = vld1q_s8(from.cast());
            join(widen_i16(vmovl_s8(vget_low_s8(x))), widen_i16(vmovl_high_s8(x)))
        };
        load_u16(from: *const u8) -> [int32x4_t; 4] = {
            let (low, high) = (vld1q_u8(from), vld1q_u8(from.add(16)));
            join(widen_u16(vreinterpretq_u16_u8(low)), widen_u16(vreinterpretq_u16_u8(high)))
        };
        store(to: *mut u8, x: [int32x4_t; 4]) = {
            vst1q_u8(to, vreinterpretq_u8_s32(x[0]));
            vst1q_u8(to.add(16), vreinterpretq_u8_s32(x[1]));
            vst1q_u8(to.add(32), vreinterpretq_u8_s32(x[2]));
            vst1q_u8(to.add(48), vreinterpretq_u8_s32(x[3]));
        };
        store_f32(to: *mut f32, x: [float32x4_t; 4]) = {
            vst1q_f32(to, x[0]);
            vst1q_f32(to.add(4), x[1]);
            vst1q_f32(to.add(8), x[2]);
            vst1q_f32(to.add(12), x[3]);
        };
    }

    quarters! {
        and(a: int32x4_t, b: int32x4_t) -> int32x4_t = vandq_s32(a, b);
        or(a: int32x4_t, b: int32x4_t) -> int32x4_t = vorrq_s32(a, b);
        shift_right<const BITS: i32>(x: int32x4_t) -> int32x4_t =
            vreinterpretq_s32_u16(vshrq_n_u16::<BITS>(vreinterpretq_u16_s32(x)));
        shift_left<const BITS: i32>(x: int32x4_t) -> int32x4_t =
            vreinterpretq_s32_u16(vshlq_n_u16::<BITS>(vreinterpretq_u16_s32(x)));
        add_i32(a: int32x4_t, b: int32x4_t) -> int32x4_t = vaddq_s32(a, b);
        mul_i32(a: int32x4_t, b: int32x4_t) -> int32x4_t = vmulq_s32(a, b);
        // Levels below 128 are the same when they are signed.
        dot_bytes(sum: int32x4_t, levels: int32x4_t, x: int32x4_t) -> int32x4_t =
            dot(sum, levels, x);
        dot_wide(sum: int32x4_t, wide: int32x4_t, x: int32x4_t) -> int32x4_t = dot(sum, wide, x);
        dot_halves(sum: int32x4_t, levels: int32x4_t, x: int32x4_t) -> int32x4_t = {
            let (levels, x) = (vreinterpretq_s8_s32(levels), vreinterpretq_s8_s32(x));
            let low = vmull_s8(vget_low_s8(levels), vget_low_s8(x));
            let pairs = vpaddq_s16(low, vmull_high_s8(levels, x));
            vreinterpretq_s32_s16(vaddq_s16(vreinterpretq_s16_s32(sum), pairs))
        };
        dot_pairs(sum: int32x4_t, a: int32x4_t, b: int32x4_t) -> int32x4_t = {
            let (a, b) = (vreinterpretq_s16_s32(a), vreinterpretq_s16_s32(b));
            let low = vmull_s16(vget_low_s16(a), vget_low_s16(b));
            vaddq_s32(sum, vpaddq_s32(low, vmull_high_s16(a, b)))
        };
        to_f32(x: int32x4_t) -> float32x4_t = vcvtq_f32_s32(x);
        mul(a: float32x4_t, b: float32x4_t) -> float32x4_t = vmulq_f32(a, b);
        add(a: float32x4_t, b: float32x4_t) -> float32x4_t = vaddq_f32(a, b);
        sub(a: float32x4_t, b: float32x4_t) -> float32x4_t = vsubq_f32(a, b);
        // The instructions for maxima give NaN, or never do; here `b` is asked for.
        greater(a: float32x4_t, b: float32x4_t) -> float32x4_t = vbslq_f32(vcgtq_f32(a, b), a, b);
        lesser(a: float32x4_t, b: float32x4_t) -> float32x4_t = vbslq_f32(vcltq_f32(a, b), a, b);
        times_power_of_two(x: float32x4_t, n: float32x4_t) -> float32x4_t = {
            // In two steps, because 2^n alone may lie outside the range of normal numbers. The
            // first is exact.
            let n = vcvtq_s32_f32(n);
            let half = vshrq_n_s32::<1>(n);
            vmulq_f32(vmulq_f32(x, power_of_two(half)), power_of_two(vsubq_s32(n, half)))
        };
        fma(a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t = vfmaq_f32(c, a, b);
        minus_product(a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t =
            vfmsq_f32(c, a, b);
        where_not_zero(
            test: float32x4_t, x: float32x4_t, otherwise: float32x4_t
        ) -> float32x4_t = vbslq_f32(vceqzq_f32(test), otherwise, x);
    }

    #[inline(always)]
    fn splat(self, x: i32) -> [int32x4_t; 4] {
        // SAFETY: the token shows that this machine has the instruction.
        [unsafe { vdupq_n_s32(x) }; 4]
    }

    #[inline(always)]
    fn splat_f32(self, x: f32) -> [float32x4_t; 4] {
        // SAFETY: the token shows that this machine has the instruction.
        [unsafe { vdupq_n_f32(x) }; 4]
    }

    #[inline(always)]
    fn look_up(self, table: &[i8; 16], [a, b, c, d]: [int32x4_t; 4]) -> [int32x4_t; 4] {
        // SAFETY: the token shows that this machine has the instructions.
        unsafe {
            let table = vld1q_s8(table.as_ptr());
            [bytes_of(table, a), bytes_of(table, b), bytes_of(table, c), bytes_of(table, d)]
        }
    }

    #[inline(always)]
    fn swap<const N: usize>(self, [a, b, c, d]: [float32x4_t; 4]) -> [float32x4_t; 4] {
        const { assert!(matches!(N, 1 | 2 | 4 | 8)) };
        // SAFETY: the token shows that this machine has the instructions.
        unsafe {
            match N {
                8 => [c, d, a, b],
                4 => [b, a, d, c],
                2 => [
                    vextq_f32::<2>(a, a),
                    vextq_f32::<2>(b, b),
                    vextq_f32::<2>(c, c),
                    vextq_f32::<2>(d, d),
                ],
                _ => [vrev64q_f32(a), vrev64q_f32(b), vrev64q_f32(c), vrev64q_f32(d)],
            }
        }
    }

    #[inline(always)]
    fn first(self, x: [float32x4_t; 4]) -> f32 {
        // SAFETY: the token shows that this machine has the instruction.
        unsafe { vgetq_lane_f32::<0>(x[0]) }
    }

    #[inline(always)]
    fn wide(self, levels: [int32x4_t; 4]) -> [int32x4_t; 4] {
        levels
    }

    #[inline(always)]
    fn wide_start(self, _start: [int32x4_t; 4]) -> [int32x4_t; 4] {
        self.splat(0)
    }
}
