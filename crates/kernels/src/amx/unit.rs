//! The tile unit: eight registers, and the few instructions on them that products need.
//!
//! What the instructions do is in the architecture manual; [`Emulated`](super::Emulated) says the
//! same in Rust. The unit belongs to a thread, and is given back when the value is dropped, because
//! a system saves eight kilobytes at each switch from a thread that holds tiles.
//!
//! # Safety
//!
//! A function here that is unsafe asks what the trait asks.

use std::arch::asm;
use std::marker::PhantomData;

/// Tile registers.
pub(super) const TILES: usize = 8;

/// Rows of a tile, at most.
pub(crate) const TILE_ROWS: usize = 16;

/// Bytes of a tile's row, at most; also from row to row in memory, here.
pub(super) const ROW_BYTES: usize = 64;

/// The shapes of the tiles, as the instruction reads them.
#[repr(C, align(64))]
pub(crate) struct Shapes {
    pub(super) palette: u8,
    pub(super) start_row: u8,
    pub(super) reserved: [u8; 14],
    pub(super) row_bytes: [u16; 16],
    pub(super) rows: [u8; 16],
}

impl Shapes {
    /// Each tile is full: 64 columns at a time.
    pub const FULL: Shapes = Shapes::new([(16, 64); TILES]);

    /// Of 32 columns at a time: tiles 0 to 3 take sums, 4 and 5 activations, 6 and 7 weights.
    pub const HALF: Shapes = {
        let (sums, x, w) = ((16, 64), (16, 32), (8, 64));
        Shapes::new([sums, sums, sums, sums, x, x, w, w])
    };

    /// Tiles of these rows and bytes of a row.
    const fn new(shapes: [(u8, u16); TILES]) -> Shapes {
        let (mut row_bytes, mut rows, mut i) = ([0; 16], [0; 16], 0);
        while i < TILES {
            (rows[i], row_bytes[i]) = shapes[i];
            i += 1;
        }
        Shapes { palette: 1, start_row: 0, reserved: [0; 14], row_bytes, rows }
    }
}

/// A tile unit. A tile is named by its number, below eight.
pub(crate) trait Unit: Sized {
    /// Takes the unit of this thread until the value is dropped. All tiles are zero.
    ///
    /// # Safety
    /// This machine has it, and this thread does not hold it yet.
    unsafe fn start(shapes: &Shapes) -> Self;

    /// Makes tile `T` zero.
    fn zero<const T: usize>(&mut self);

    /// Fills tile `T` from rows that begin 64 bytes apart.
    ///
    /// # Safety
    /// The rows may be read.
    unsafe fn load<const T: usize>(&mut self, from: *const u8);

    /// Adds to the i32 of tile `C` the products of the signed bytes of `A` and `B`: to number n of
    /// row m those of byte 4k + i of row m of `A` with byte 4n + i of row k of `B`.
    fn dot_signed<const C: usize, const A: usize, const B: usize>(&mut self);

    /// The same, but the bytes of `B` are unsigned.
    fn dot_unsigned<const C: usize, const A: usize, const B: usize>(&mut self);

    /// Writes the rows of tile `T` 64 bytes apart.
    ///
    /// # Safety
    /// The rows may be written.
    unsafe fn store<const T: usize>(&mut self, to: *mut [i32; 16]);
}

/// The instructions; `tests` compares the bytes that are made of them with the manual.
macro_rules! instruction {
    (configure) => {
        "ldtilecfg [rax]"
    };
    (zero) => {
        "tilezero tmm{t}"
    };
    (load) => {
        "tileloadd tmm{t}, [rax + rcx*1]"
    };
    (dot_signed) => {
        "tdpbssd tmm{c}, tmm{a}, tmm{b}"
    };
    (dot_unsigned) => {
        "tdpbsud tmm{c}, tmm{a}, tmm{b}"
    };
    (store) => {
        "tilestored [rax + rcx*1], tmm{t}"
    };
    (release) => {
        "tilerelease"
    };
}

/// One instruction. All tiles are named as lost, for the compiler has to keep nothing in them; it
/// uses none itself without the features of the unit, so they last from one to the next.
macro_rules! issue {
    ($name:ident, [$($operands:tt)*] $(, $option:ident)?) => {
        asm!(
            instruction!($name),
            $($operands)*
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack, preserves_flags $(, $option)?),
        )
    };
}

/// The processor's own. It stays with its thread.
pub(crate) struct Hardware(PhantomData<*const ()>);

impl Unit for Hardware {
    #[inline]
    unsafe fn start(shapes: &Shapes) -> Hardware {
        // SAFETY: the caller says that this machine has the instruction; the shapes are valid.
        unsafe { issue!(configure, [in("rax") shapes,], readonly) };
        Hardware(PhantomData)
    }

    #[inline(always)]
    fn zero<const T: usize>(&mut self) {
        // SAFETY: this value exists only where the unit does.
        unsafe { issue!(zero, [t = const T,], nomem) };
    }

    #[inline(always)]
    unsafe fn load<const T: usize>(&mut self, from: *const u8) {
        // SAFETY: as above, and the caller says that the rows may be read.
        unsafe { issue!(load, [t = const T, in("rax") from, in("rcx") ROW_BYTES,], readonly) };
    }

    #[inline(always)]
    fn dot_signed<const C: usize, const A: usize, const B: usize>(&mut self) {
        // SAFETY: as above.
        unsafe { issue!(dot_signed, [c = const C, a = const A, b = const B,], nomem) };
    }

    #[inline(always)]
    fn dot_unsigned<const C: usize, const A: usize, const B: usize>(&mut self) {
        // SAFETY: as above.
        unsafe { issue!(dot_unsigned, [c = const C, a = const A, b = const B,], nomem) };
    }

    #[inline(always)]
    unsafe fn store<const T: usize>(&mut self, to: *mut [i32; 16]) {
        // SAFETY: as above, and the caller says that the rows may be written.
        unsafe { issue!(store, [t = const T, in("rax") to, in("rcx") ROW_BYTES,]) };
    }
}

impl Drop for Hardware {
    fn drop(&mut self) {
        // SAFETY: this value exists only where the unit does.
        unsafe { issue!(release, [], nomem) };
    }
}

#[cfg(test)]
mod tests {
    use std::arch::naked_asm;

    use super::*;

    /// A function of one instruction, and of the return behind it.
    macro_rules! function {
        ($name:ident: $instruction:ident $(, $operand:ident = $number:literal)*) => {
            // SAFETY: it is never called, for this machine may lack the instruction.
            #[unsafe(naked)]
            extern "C" fn $name() {
                naked_asm!(instruction!($instruction), "ret", $($operand = const $number),*)
            }
        };
    }

    function!(configure: configure);
    function!(zero: zero, t = 7);
    function!(load: load, t = 5);
    function!(dot_signed: dot_signed, c = 0, a = 1, b = 2);
    function!(dot_unsigned: dot_unsigned, c = 3, a = 4, b = 5);
    function!(store: store, t = 3);
    function!(release: release);

    /// Worked out by hand. All have a VEX prefix of three bytes, 0xc4, 0xe2 (none of the upper
    /// registers, opcode map 0F38) and `0 vvvv 0 pp`, where vvvv is the inverted third register
    /// and pp 0 for none, 2 for F3, 3 for F2. Then come the opcode and ModRM, and for addresses of
    /// two registers 4 in ModRM and SIB.
    #[test]
    #[allow(clippy::unusual_byte_groupings)] // They are those of the fields.
    fn the_bytes_are_those_of_the_manual() {
        let expected: [(extern "C" fn(), &[u8]); 7] = [
            (configure, &[0xc4, 0xe2, 0b0_1111_0_00, 0x49, 0b00_000_000]),
            (zero, &[0xc4, 0xe2, 0b0_1111_0_11, 0x49, 0b11_111_000]),
            (load, &[0xc4, 0xe2, 0b0_1111_0_11, 0x4b, 0b00_101_100, 0b00_001_000]),
            (dot_signed, &[0xc4, 0xe2, 0b0_1101_0_11, 0x5e, 0b11_000_001]),
            (dot_unsigned, &[0xc4, 0xe2, 0b0_1010_0_10, 0x5e, 0b11_011_100]),
            (store, &[0xc4, 0xe2, 0b0_1111_0_10, 0x4b, 0b00_011_100, 0b00_001_000]),
            (release, &[0xc4, 0xe2, 0b0_1111_0_00, 0x49, 0b11_000_000]),
        ];
        const RETURN: u8 = 0xc3;
        for (function, bytes) in expected {
            // SAFETY: the function is at least its instruction and the return behind it.
            let found =
                unsafe { std::slice::from_raw_parts(function as *const u8, bytes.len() + 1) };
            assert_eq!(found, [bytes, &[RETURN]].concat());
        }
    }

    #[test]
    fn shapes_lie_as_the_instruction_reads_them() {
        // SAFETY: shapes are 64 bytes without gaps.
        let bytes: [u8; 64] = unsafe { std::mem::transmute(Shapes::HALF) };
        let mut expected = [0; 64];
        expected[0] = 1;
        for tile in 0..8 {
            expected[16 + 2 * tile] = if tile == 4 || tile == 5 { 32 } else { 64 };
            expected[48 + tile] = if tile >= 6 { 8 } else { 16 };
        }
        assert_eq!(bytes, expected);
    }
}
