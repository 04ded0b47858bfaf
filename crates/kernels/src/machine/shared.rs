//! What threads share: an output slice that they write at once, each in places of its own, and
//! pieces of work.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A mutable slice seen as rows, shared by the threads of one operation.
pub struct Shared<'a, T = f32> {
    start: *mut T,
    len: usize,
    row_len: usize,
    slice: PhantomData<&'a mut [T]>,
}

// SAFETY: it is a slice; who calls the methods promises that no place is shared.
unsafe impl<T: Send> Send for Shared<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<'_, T> {}

impl<T> Clone for Shared<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    /// The slice as rows of `row_len`; the last may be shorter.
    pub fn rows(slice: &'a mut [T], row_len: usize) -> Shared<'a, T> {
        Shared { start: slice.as_mut_ptr(), len: slice.len(), row_len, slice: PhantomData }
    }

    /// Row `i`.
    ///
    /// # Safety
    /// While the row is in use, nobody else may use any place in it, this thread included.
    #[allow(clippy::mut_from_ref)] // That is what this type is for.
    pub unsafe fn row(&self, i: usize) -> &mut [T] {
        let at = i * self.row_len;
        assert!(at <= self.len, "row {i} is past the end");
        let len = self.row_len.min(self.len - at);
        // SAFETY: the range lies within the slice, and the caller promises that it is not shared.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(at), len) }
    }

    /// A run of places, whatever the rows are.
    ///
    /// # Safety
    /// While the run is in use, nobody else may use any place in it, this thread included.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn run(&self, at: usize, len: usize) -> &mut [T] {
        assert!(at <= self.len && len <= self.len - at, "{len} from {at} of {}", self.len);
        // SAFETY: the range lies within the slice, and the caller promises that it is not shared.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(at), len) }
    }

    /// Part of row `i`.
    ///
    /// # Safety
    /// While the part is in use, nobody else may use any place in it, this thread included.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn part(&self, i: usize, at: usize, len: usize) -> &mut [T] {
        // Differences, because a sum could wrap and a range past the end pass for one inside.
        assert!(at <= self.row_len && len <= self.row_len - at, "{len} from {at} of a row");
        let start = i * self.row_len + at;
        assert!(start <= self.len && len <= self.len - start, "row {i} is past the end");
        // SAFETY: the range lies within the slice, and the caller promises that it is not shared.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(start), len) }
    }
}

/// Pieces of one piece of work, which threads take one after the other, so that a thread which was
/// held up does fewer.
#[derive(Default)]
pub struct Pieces(AtomicUsize);

impl Pieces {
    /// The number of a piece that nobody has taken.
    pub fn take(&self) -> usize {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

impl<'a> Shared<'a, Box<[f32]>> {
    /// A piece of box `i`.
    ///
    /// # Safety
    /// While the piece is in use, nobody else may use any place in it, this thread included.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn piece(&self, i: usize, at: usize, len: usize) -> &'a mut [f32] {
        assert!(i < self.len, "box {i} is past the end");
        // SAFETY: the box is there. Only its numbers are borrowed, and not the box itself, which
        // other threads read at the same time.
        let numbers = unsafe { &raw mut **self.start.add(i) };
        assert!(at <= numbers.len() && len <= numbers.len() - at, "{len} from {at} of box {i}");
        // SAFETY: the range lies within the box, and the caller promises that it is not shared.
        unsafe { std::slice::from_raw_parts_mut(numbers.cast::<f32>().add(at), len) }
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
