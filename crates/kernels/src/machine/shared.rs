//! An output slice that several threads write at once, each in places of its own.

use std::marker::PhantomData;

/// A mutable slice seen as rows, shared by the threads of one operation.
#[derive(Clone, Copy)]
pub struct Shared<'a> {
    start: *mut f32,
    len: usize,
    row_len: usize,
    slice: PhantomData<&'a mut [f32]>,
}

// SAFETY: it is a slice of `f32`; who calls the methods promises that no place is shared.
unsafe impl Send for Shared<'_> {}
// SAFETY: as above.
unsafe impl Sync for Shared<'_> {}

impl<'a> Shared<'a> {
    /// The slice as rows of `row_len`; the last may be shorter.
    pub fn rows(slice: &'a mut [f32], row_len: usize) -> Shared<'a> {
        Shared { start: slice.as_mut_ptr(), len: slice.len(), row_len, slice: PhantomData }
    }

    /// Row `i`.
    ///
    /// # Safety
    /// While the row is in use no other thread may use it or any place in it.
    #[allow(clippy::mut_from_ref)] // That is what this type is for.
    pub unsafe fn row(&self, i: usize) -> &mut [f32] {
        let at = i * self.row_len;
        assert!(at <= self.len, "row {i} is past the end");
        let len = self.row_len.min(self.len - at);
        // SAFETY: the range lies within the slice, and the caller promises that it is not shared.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(at), len) }
    }

    /// Part of row `i`.
    ///
    /// # Safety
    /// While the part is in use no other thread may use any place in it.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn part(&self, i: usize, at: usize, len: usize) -> &mut [f32] {
        assert!(at + len <= self.row_len && i * self.row_len + at + len <= self.len);
        // SAFETY: the range lies within the slice, and the caller promises that it is not shared.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(i * self.row_len + at), len) }
    }
}
