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
    /// While the row is in use, nobody else may use any place in it, this thread included.
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
    /// While the part is in use, nobody else may use any place in it, this thread included.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn part(&self, i: usize, at: usize, len: usize) -> &mut [f32] {
        // Differences, because a sum could wrap and a range past the end pass for one inside.
        assert!(at <= self.row_len && len <= self.row_len - at, "{len} from {at} of a row");
        let start = i * self.row_len + at;
        assert!(start <= self.len && len <= self.len - start, "row {i} is past the end");
        // SAFETY: the range lies within the slice, and the caller promises that it is not shared.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_parts_are_where_they_belong() {
        let mut numbers: Vec<f32> = (0..10).map(|i| i as f32).collect();
        let rows = Shared::rows(&mut numbers, 4);
        // SAFETY: one thread, and no two of the slices overlap while both are in use.
        unsafe {
            assert_eq!(rows.row(1), [4.0, 5.0, 6.0, 7.0]);
            assert_eq!(rows.row(2), [8.0, 9.0]);
            assert_eq!(rows.part(1, 1, 2), [5.0, 6.0]);
            assert_eq!(rows.part(2, 2, 0), []);
            rows.part(0, 3, 1)[0] = -1.0;
        }
        assert_eq!(numbers[2..5], [2.0, -1.0, 4.0]);
    }

    #[test]
    fn what_lies_outside_is_refused() {
        let mut numbers = [0.0; 10];
        let rows = Shared::rows(&mut numbers, 4);
        for (i, at, len) in [(0, 3, 2), (0, 5, 0), (2, 1, 2), (3, 0, 1), (0, 1, usize::MAX)] {
            // SAFETY: one thread, and the slice is not used.
            let part = std::panic::catch_unwind(|| unsafe { rows.part(i, at, len) }.len());
            assert!(part.is_err(), "{len} from {at} of row {i}");
        }
        // SAFETY: as above.
        assert!(std::panic::catch_unwind(|| unsafe { rows.row(3) }.len()).is_err());
    }
}
