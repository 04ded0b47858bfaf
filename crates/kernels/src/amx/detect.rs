//! Whether this machine has a tile unit that may be used and counts right.
//!
//! Asked once for the whole process: what the processor has, what the system keeps of it for a
//! thread, permission for the process, and at last one product, because a virtual machine may
//! promise what it does not hold.
//!
//! # Safety
//!
//! A function here that is unsafe asks for the unit that it is told of.

use std::arch::x86_64::{__cpuid_count, _xgetbv, CpuidResult};
use std::sync::OnceLock;

use super::unit::{Hardware, Shapes, Unit};

/// Whether products may use [`Hardware`] from now on, in any thread.
pub(crate) fn available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| {
        // SAFETY: every x86-64 has the instruction of the first; the second is asked for only
        // where the first has shown it.
        let (cpuid, xcr0) = (|leaf, subleaf| __cpuid_count(leaf, subleaf), || unsafe { xcr0() });
        // SAFETY: the processor has the unit, the system keeps its state, and we may use it.
        is_promised(cpuid, xcr0) && is_permitted() && unsafe { counts_right::<Hardware>() }
    })
}

#[target_feature(enable = "xsave")]
fn xcr0() -> u64 {
    // SAFETY: register 0 is there wherever the instruction is.
    unsafe { _xgetbv(0) }
}

/// Whether processor and system say that there are eight tiles of 16 rows of 64 bytes.
fn is_promised(cpuid: impl Fn(u32, u32) -> CpuidResult, xcr0: impl Fn() -> u64) -> bool {
    const OSXSAVE: u32 = 1 << 27;
    const TILES_AND_INT8: u32 = 1 << 24 | 1 << 25;
    /// The shapes and the data of tiles.
    const STATE: u64 = 1 << 17 | 1 << 18;
    let most = cpuid(0, 0).eax;
    most >= 0x1d
        && cpuid(1, 0).ecx & OSXSAVE != 0
        && cpuid(7, 0).edx & TILES_AND_INT8 == TILES_AND_INT8
        && xcr0() & STATE == STATE
        && cpuid(0x1d, 0).eax >= 1
        && {
            let palette = cpuid(0x1d, 1);
            (palette.eax, palette.ebx) == (1024 << 16 | 8192, 8 << 16 | 64)
                && palette.ecx & 0xffff == 16
        }
}

/// Asks the system for the tiles' data, which it keeps for those alone that asked. The answer holds
/// for all threads of the process.
#[cfg(target_os = "linux")]
fn is_permitted() -> bool {
    const ARCH_PRCTL: i64 = 158;
    const ARCH_REQ_XCOMP_PERM: u64 = 0x1023;
    const TILE_DATA: u64 = 18;
    let answer: i64;
    // SAFETY: the call changes nothing but what this process may use; a system that does not know
    // it answers with an error. The kernel overwrites two registers.
    unsafe {
        std::arch::asm!(
            "syscall",
            inlateout("rax") ARCH_PRCTL => answer,
            in("rdi") ARCH_REQ_XCOMP_PERM,
            in("rsi") TILE_DATA,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    answer == 0
}

/// No other system has been tried.
#[cfg(not(target_os = "linux"))]
fn is_permitted() -> bool {
    false
}

/// Whether one product of each kind gives what plain integers give.
///
/// # Safety
/// This machine has the unit.
unsafe fn counts_right<U: Unit>() -> bool {
    let shapes = [(Shapes::FULL, 64), (Shapes::HALF, 32)];
    // SAFETY: the caller's promise.
    shapes.iter().all(|(shapes, cols)| unsafe { counts_right_in::<U>(shapes, *cols) })
}

#[repr(C, align(64))]
struct Operand<T>([[T; 64]; 16]);

#[repr(C, align(64))]
struct Outcome([[i32; 16]; 16]);

unsafe fn counts_right_in<U: Unit>(shapes: &Shapes, cols: usize) -> bool {
    let numbers = |step: usize| {
        let byte = move |row: usize, at: usize| (row * 37 + at * step + at / 4 * 29) as u8;
        Operand(std::array::from_fn(|row| std::array::from_fn(|at| byte(row, at))))
    };
    let (x, w) = (numbers(101), numbers(59));
    let (mut signed, mut unsigned) = (Outcome([[0; 16]; 16]), Outcome([[0; 16]; 16]));
    // SAFETY: the caller says that there is a unit; operands and results are whole tiles.
    unsafe {
        let mut unit = U::start(shapes);
        unit.zero::<0>();
        unit.zero::<1>();
        unit.load::<4>(x.0.as_ptr().cast());
        unit.load::<6>(w.0.as_ptr().cast());
        unit.dot_signed::<0, 4, 6>();
        unit.dot_unsigned::<1, 4, 6>();
        unit.dot_signed::<0, 4, 6>();
        unit.store::<0>(signed.0.as_mut_ptr());
        unit.store::<1>(unsigned.0.as_mut_ptr());
    }
    let sum = |m: usize, n: usize, weight: fn(u8) -> i32| -> i32 {
        let weight = |col: usize| weight(w.0[col / 4][4 * n + col % 4]);
        (0..cols).map(|col| i32::from(x.0[m][col] as i8) * weight(col)).sum()
    };
    (0..16).all(|m| {
        (0..16).all(|n| {
            signed.0[m][n] == 2 * sum(m, n, |byte| i32::from(byte as i8))
                && unsigned.0[m][n] == sum(m, n, i32::from)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::Emulated;
    use super::*;

    /// A processor that has the unit, as its registers eax to edx tell of it.
    fn promise(leaf: u32, subleaf: u32) -> [u32; 4] {
        match (leaf, subleaf) {
            (0, 0) => [0x20, 0, 0, 0],
            (1, 0) => [0, 0, 1 << 27, 0],
            (7, 0) => [0, 0, 0, 1 << 24 | 1 << 25],
            (0x1d, 0) => [1, 0, 0, 0],
            (0x1d, 1) => [8192 | 1024 << 16, 64 | 8 << 16, 16, 0],
            _ => [0; 4],
        }
    }

    fn is_promised_when(change: impl Fn(u32, u32, &mut [u32; 4]), xcr0: u64) -> bool {
        let cpuid = |leaf, subleaf| {
            let mut registers = promise(leaf, subleaf);
            change(leaf, subleaf, &mut registers);
            let [eax, ebx, ecx, edx] = registers;
            CpuidResult { eax, ebx, ecx, edx }
        };
        is_promised(cpuid, || xcr0)
    }

    #[test]
    fn every_promise_is_needed() {
        let state = 1 << 17 | 1 << 18;
        assert!(is_promised_when(|_, _, _| (), state | 0xe7));
        for without in [1 << 17, 1 << 18] {
            assert!(!is_promised_when(|_, _, _| (), state & !without));
        }
        // Every bit that is set in a leaf but the first counts: of the first, being large enough.
        let leaves = [(1, 0), (7, 0), (0x1d, 0), (0x1d, 1)];
        for (at, register) in leaves.into_iter().flat_map(|at| (0..4).map(move |i| (at, i))) {
            for bit in (0..32).filter(|bit| promise(at.0, at.1)[register] >> bit & 1 == 1) {
                let change = |leaf, subleaf, registers: &mut [u32; 4]| {
                    if (leaf, subleaf) == at {
                        registers[register] ^= 1 << bit;
                    }
                };
                assert!(!is_promised_when(change, state), "leaf {at:x?}, {register}, bit {bit}");
            }
        }
        let old = |leaf, _, registers: &mut [u32; 4]| {
            if leaf == 0 {
                registers[0] = 0x1c;
            }
        };
        assert!(!is_promised_when(old, state));
    }

    /// The call itself: without the unit a system refuses, and with it keeps to its word.
    #[test]
    fn permission_is_given_where_there_are_tiles() {
        // SAFETY: it is called only where the system has shown the register.
        let promised = is_promised(__cpuid_count, || unsafe { xcr0() });
        for _ in 0..2 {
            assert!(promised || !is_permitted(), "permission to use what is not there");
            assert!(is_permitted() || !available());
        }
    }

    /// A unit that loses what `SPOILT` names.
    struct Broken<const SPOILT: char>(Emulated);

    impl<const SPOILT: char> Unit for Broken<SPOILT> {
        unsafe fn start(shapes: &Shapes) -> Self {
            // SAFETY: every machine has an emulated unit.
            Broken(unsafe { Emulated::start(shapes) })
        }
        fn zero<const T: usize>(&mut self) {
            self.0.zero::<T>();
        }
        unsafe fn load<const T: usize>(&mut self, from: *const u8) {
            if SPOILT != 'l' {
                // SAFETY: the caller's promise.
                unsafe { self.0.load::<T>(from) }
            }
        }
        fn dot_signed<const C: usize, const A: usize, const B: usize>(&mut self) {
            match SPOILT {
                'u' => self.0.dot_unsigned::<C, A, B>(),
                _ => self.0.dot_signed::<C, A, B>(),
            }
        }
        fn dot_unsigned<const C: usize, const A: usize, const B: usize>(&mut self) {
            match SPOILT {
                's' => self.0.dot_signed::<C, A, B>(),
                _ => self.0.dot_unsigned::<C, A, B>(),
            }
        }
        unsafe fn store<const T: usize>(&mut self, to: *mut [i32; 16]) {
            if SPOILT == 'a' {
                // An accumulator that forgets: a fresh zero instead of what was there.
                self.0.zero::<T>();
            }
            // SAFETY: the caller's promise.
            unsafe { self.0.store::<T>(to) }
        }
    }

    #[test]
    fn a_unit_that_counts_wrong_is_not_offered() {
        // SAFETY: every machine has emulated units.
        unsafe {
            assert!(counts_right::<Emulated>());
            assert!(counts_right::<Broken<' '>>());
            assert!(!counts_right::<Broken<'l'>>());
            assert!(!counts_right::<Broken<'u'>>());
            assert!(!counts_right::<Broken<'s'>>());
            assert!(!counts_right::<Broken<'a'>>());
        }
    }
}
