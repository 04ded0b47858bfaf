//! Sixteen lanes at a time: the few vector operations of which the fast kernels are made.
//!
//! A kernel is written once, over [`Simd`], and compiled once for each instruction set that
//! implements it. A value of an implementing type is a token: it can be had only where the
//! instructions are, so the operations themselves are safe. Those on pointers are not.
//!
//! A lane holds an f32, an i32, two i16 or four bytes. In the kernels of weights a lane is a row.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod exp;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(test)]
mod tests;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::Avx512;
pub(crate) use exp::exp;
#[cfg(target_arch = "aarch64")]
pub(crate) use neon::Neon;

/// Number of lanes.
pub(crate) const LANES: usize = 16;

/// Bytes of sixteen lanes.
pub(crate) const BYTES: usize = 64;

/// Sixteen lanes of an instruction set.
pub(crate) trait Simd: Copy {
    /// Sixteen f32.
    type F: Copy;
    /// Sixteen i32, pairs of i16 or quads of bytes.
    type I: Copy;

    /// The token.
    ///
    /// # Safety
    /// This machine has the instructions.
    unsafe fn new() -> Self;

    /// # Safety
    /// `from` begins 64 bytes that may be read.
    unsafe fn load(self, from: *const u8) -> Self::I;
    /// # Safety
    /// `to` begins 64 bytes that may be written.
    unsafe fn store(self, to: *mut u8, x: Self::I);
    /// Sixteen u8, one to a lane.
    ///
    /// # Safety
    /// `from` begins 16 bytes that may be read.
    unsafe fn load_u8(self, from: *const u8) -> Self::I;
    /// Sixteen i8, one to a lane.
    ///
    /// # Safety
    /// `from` begins 16 bytes that may be read.
    unsafe fn load_i8(self, from: *const u8) -> Self::I;
    /// Sixteen u16, one to a lane.
    ///
    /// # Safety
    /// `from` begins 32 bytes that may be read.
    unsafe fn load_u16(self, from: *const u8) -> Self::I;

    fn splat(self, x: i32) -> Self::I;
    fn and(self, a: Self::I, b: Self::I) -> Self::I;
    fn or(self, a: Self::I, b: Self::I) -> Self::I;
    /// Shifts each pair of bytes right.
    fn shift_right<const BITS: i32>(self, x: Self::I) -> Self::I;
    /// Shifts each pair of bytes left.
    fn shift_left<const BITS: i32>(self, x: Self::I) -> Self::I;
    /// The byte of `table` for each byte of `index`, which are all below 16.
    fn look_up(self, table: &[i8; 16], index: Self::I) -> Self::I;
    fn add_i32(self, a: Self::I, b: Self::I) -> Self::I;
    fn mul_i32(self, a: Self::I, b: Self::I) -> Self::I;
    /// Adds to each lane the four products of bytes of `levels` below 128 with signed ones of `x`.
    fn dot_bytes(self, sum: Self::I, levels: Self::I, x: Self::I) -> Self::I;
    /// Whether `dot_halves` is faster than `dot_bytes`.
    const HALVES: bool;

    /// Adds to the halves of each lane, which are i16, the products of two bytes each, `levels`
    /// below 128. What `dot_bytes` adds is the sum of both halves.
    fn dot_halves(self, sum: Self::I, levels: Self::I, x: Self::I) -> Self::I;
    /// Adds to each lane the two products of i16.
    fn dot_pairs(self, sum: Self::I, a: Self::I, b: Self::I) -> Self::I;

    /// Signed levels as `dot_wide` likes them.
    fn wide(self, levels: Self::I) -> Self::I;
    /// What `dot_wide` starts from, if `start` is what −128 times the activations comes to.
    fn wide_start(self, start: Self::I) -> Self::I;
    /// Adds to each lane the four products of signed bytes. What it adds and what `wide_start`
    /// starts from make the products of the levels.
    fn dot_wide(self, sum: Self::I, wide: Self::I, x: Self::I) -> Self::I;

    /// # Safety
    /// `from` begins 16 numbers that may be read.
    unsafe fn load_f32(self, from: *const f32) -> Self::F;
    /// # Safety
    /// `to` begins 16 numbers that may be written.
    unsafe fn store_f32(self, to: *mut f32, x: Self::F);
    /// Sixteen F16, widened.
    ///
    /// # Safety
    /// `from` begins 32 bytes that may be read.
    unsafe fn load_f16(self, from: *const u8) -> Self::F;
    fn splat_f32(self, x: f32) -> Self::F;
    fn to_f32(self, x: Self::I) -> Self::F;
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a` in lanes where it is greater, else `b`; so `b` where one of them is NaN.
    fn greater(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a` in lanes where it is less, else `b`; so `b` where one of them is NaN.
    fn lesser(self, a: Self::F, b: Self::F) -> Self::F;
    /// x · 2^n, rounded once, for |x| from 0.5 to 2 and whole n from −150 to 128.
    fn times_power_of_two(self, x: Self::F, n: Self::F) -> Self::F;
    /// Lane `i` gets what lane `i xor N` has, for `N` = 1, 2, 4 and 8.
    fn swap<const N: usize>(self, x: Self::F) -> Self::F;
    /// Lane 0.
    fn first(self, x: Self::F) -> f32;
    /// a · b + c, rounded once.
    fn fma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// −a · b + c, rounded once.
    fn minus_product(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// `x` in lanes where `test` is not zero, else `otherwise`.
    fn where_not_zero(self, test: Self::F, x: Self::F, otherwise: Self::F) -> Self::F;

    /// The sum of all lanes, by the canon's tree: 16 to 8, 4, 2 and 1. In every lane.
    #[inline(always)]
    fn total(self, x: Self::F) -> Self::F {
        let x = self.add(x, self.swap::<8>(x));
        let x = self.add(x, self.swap::<4>(x));
        let x = self.add(x, self.swap::<2>(x));
        self.add(x, self.swap::<1>(x))
    }

    /// The largest of all lanes, none of which is NaN. In every lane.
    #[inline(always)]
    fn largest(self, x: Self::F) -> Self::F {
        let x = self.greater(x, self.swap::<8>(x));
        let x = self.greater(x, self.swap::<4>(x));
        let x = self.greater(x, self.swap::<2>(x));
        self.greater(x, self.swap::<1>(x))
    }

    /// The same number in every lane.
    ///
    /// # Safety
    /// `from` may be read.
    #[inline(always)]
    unsafe fn broadcast(self, from: *const i32) -> Self::I {
        // SAFETY: the caller's promise.
        self.splat(unsafe { *from })
    }
}

/// Asks for a line of memory that will be read soon. Any address may be given.
#[inline(always)]
pub(crate) fn prefetch(at: *const u8) {
    ask::<false>(at);
}

/// Asks for a line of memory that will be read later, for the second level of caches. Any address
/// may be given.
#[inline(always)]
pub(crate) fn prefetch_far(at: *const u8) {
    ask::<true>(at);
}

#[inline(always)]
fn ask<const FAR: bool>(at: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch of any address is harmless, and every x86-64 has it.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _MM_HINT_T1, _mm_prefetch};
        match FAR {
            true => _mm_prefetch::<_MM_HINT_T1>(at.cast()),
            false => _mm_prefetch::<_MM_HINT_T0>(at.cast()),
        }
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above, and every aarch64 has it.
    unsafe {
        use std::arch::asm;
        let at = at.addr();
        match FAR {
            true => {
                asm!("prfm pldl2keep, [{}]", in(reg) at, options(nomem, nostack, preserves_flags))
            }
            false => {
                asm!("prfm pldl1keep, [{}]", in(reg) at, options(nomem, nostack, preserves_flags))
            }
        }
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = at;
}
