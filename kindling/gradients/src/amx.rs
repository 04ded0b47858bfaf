//! Tiles of the processor: Intel's AMX for halves.
//!
//! # Safety
//!
//! What is unsafe here asks for the unit, and `multiply` for a thread that was configured.

use std::arch::asm;
use std::arch::x86_64::{__cpuid, __cpuid_count};
use std::sync::OnceLock;

use crate::block::Block;
use crate::tile::TILES;

/// Whether the processor multiplies tiles of halves, and the system lets this program.
pub fn available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| {
        const TILES_AND_HALVES: u32 = 1 << 24 | 1 << 22;
        __cpuid(0).eax >= 7
            && __cpuid_count(7, 0).edx & TILES_AND_HALVES == TILES_AND_HALVES
            && is_permitted()
    })
}

fn is_permitted() -> bool {
    const ARCH_PRCTL: i64 = 158;
    const ARCH_REQ_XCOMP_PERM: u64 = 0x1023;
    const TILE_DATA: u64 = 18;
    let answer: i64;
    // SAFETY: the call writes no memory of ours.
    unsafe {
        asm!(
            "syscall",
            inout("rax") ARCH_PRCTL => answer,
            in("rdi") ARCH_REQ_XCOMP_PERM, in("rsi") TILE_DATA,
            out("rcx") _, out("r11") _,
        );
    }
    answer == 0
}

/// Eight tiles of sixteen rows of 64 bytes.
pub unsafe fn configure() {
    #[repr(C, align(64))]
    struct Shapes {
        palette: u8,
        start: u8,
        unused: [u8; 14],
        bytes: [u16; 16],
        rows: [u8; 16],
    }
    let (mut bytes, mut rows) = ([0; 16], [0; 16]);
    bytes[..8].fill(64);
    rows[..8].fill(16);
    let shapes = Shapes { palette: 1, start: 0, unused: [0; 14], bytes, rows };
    // SAFETY: every processor with tiles has palette 1.
    unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const shapes, options(readonly, nostack)) };
}

/// Some instructions. All tiles are named as lost, for the compiler has to keep nothing in them; it
/// uses none itself, so they last from one to the next.
macro_rules! issue {
    ($($part:tt)*) => {
        asm!(
            $($part)*
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        )
    };
}

/// Two by two tiles of the output, over the whole depth of the block.
#[inline(always)]
pub unsafe fn multiply(block: Block) {
    let line = block.line * 4;
    let stride = block.left.stride * 2;
    let (out, left) = (block.out.as_mut_ptr(), block.left.data.as_ptr());
    let below = out.wrapping_add(16 * block.line);
    let left_below = left.wrapping_add(16 * block.left.stride);
    // SAFETY: the caller's; each row of a tile is a line of the block.
    unsafe {
        if block.add {
            issue!(
                "tileloadd tmm0, [{out} + {line}*1]",
                "tileloadd tmm1, [{out} + {line}*1 + 64]",
                "tileloadd tmm2, [{below} + {line}*1]",
                "tileloadd tmm3, [{below} + {line}*1 + 64]",
                out = in(reg) out, below = in(reg) below, line = in(reg) line,
            );
        } else {
            issue!("tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3",);
        }
        issue!(
            "2:",
            "tileloadd tmm4, [{left} + {stride}*1]",
            "tileloadd tmm6, [{right} + {packed}*1]",
            "tileloadd tmm7, [{right} + {packed}*1 + 1024]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm5, [{below} + {stride}*1]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "add {left}, 64",
            "add {below}, 64",
            "add {right}, 2048",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "sub {steps}, 1",
            "jnz 2b",
            left = inout(reg) left => _, below = inout(reg) left_below => _,
            right = inout(reg) block.right.as_ptr() => _,
            steps = inout(reg) block.right.len() / TILES => _,
            stride = in(reg) stride, packed = in(reg) 64usize,
        );
        issue!(
            "tilestored [{out} + {line}*1], tmm0",
            "tilestored [{out} + {line}*1 + 64], tmm1",
            "tilestored [{below} + {line}*1], tmm2",
            "tilestored [{below} + {line}*1 + 64], tmm3",
            out = in(reg) out, below = in(reg) below, line = in(reg) line,
        );
    }
}
