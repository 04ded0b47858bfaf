//! Memory in huge pages: with small ones, products wait for addresses most of the time.

use std::alloc::{GlobalAlloc, Layout, System};

const LINE: usize = 64;
const PAGE: usize = 2 << 20;
/// From this size on memory gets pages of its own.
const LARGE: usize = 128 << 10;

/// The system's allocator, in lines of the caches, and what is large in huge pages.
pub struct Huge;

// SAFETY: the system's allocator does it all, with layouts that are no smaller than those asked.
unsafe impl GlobalAlloc for Huge {
    // SAFETY: the caller owes what the trait says.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let wider = wider(layout);
        // SAFETY: the layout is no smaller than the caller's, which is not empty.
        let at = unsafe { System.alloc(wider) };
        if layout.size() >= LARGE && !at.is_null() {
            advise(at, wider.size());
        }
        at
    }

    // SAFETY: the caller owes what the trait says.
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: `alloc` asked for the same.
        unsafe { System.dealloc(at, wider(layout)) }
    }
}

fn wider(layout: Layout) -> Layout {
    let unit = if layout.size() < LARGE { LINE } else { PAGE };
    if layout.align() > unit {
        return layout;
    }
    Layout::from_size_align(layout.size().next_multiple_of(unit), unit).unwrap_or(layout)
}

/// Asks for huge pages; a system that has none goes on without.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn advise(at: *mut u8, size: usize) {
    const MADVISE: i64 = 28;
    const HUGE: i64 = 14;
    // SAFETY: the advice changes nothing that the program could see.
    unsafe {
        std::arch::asm!(
            "syscall",
            inout("rax") MADVISE => _,
            in("rdi") at, in("rsi") size, in("rdx") HUGE,
            out("rcx") _, out("r11") _,
        );
    }
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
fn advise(_: *mut u8, _: usize) {}
