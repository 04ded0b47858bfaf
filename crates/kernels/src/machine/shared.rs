//! What threads share: an output slice that they write at once, each in places of its own, and
//! pieces of work.

use std::marker::PhantomData;
use std::ops::Range;
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

/// Work in pieces, which threads take one after the other, so that a thread which is held up does
/// fewer of them.
#[derive(Default)]
pub struct Pieces(AtomicUsize);

impl Pieces {
    /// Begins a thread's way through them.
    pub fn taker(&self) -> Taker<'_> {
        Taker { pieces: self, piece: self.take(), before: 0 }
    }

    fn take(&self) -> usize {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// A thread's way through the pieces of several jobs, which all threads take in the same order.
pub struct Taker<'a> {
    pieces: &'a Pieces,
    /// The number of the piece in hand, and of all pieces of the jobs before.
    piece: usize,
    before: usize,
}

impl Taker<'_> {
    /// The next piece of a job of `count` things, of which `len` make a piece; nothing when others
    /// have the rest, and then the next job is asked for.
    pub fn next(&mut self, count: usize, len: usize) -> Option<Range<usize>> {
        let end = self.before + count.div_ceil(len);
        if self.piece >= end {
            self.before = end;
            return None;
        }
        let first = (self.piece - self.before) * len;
        self.piece = self.pieces.take();
        Some(first..count.min(first + len))
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
    fn every_piece_is_taken_once() {
        let jobs = [(7, 3), (0, 4), (12, 4), (1, 9)];
        let pieces = Pieces::default();
        let mut takers: Vec<_> = (0..3).map(|_| (pieces.taker(), 0)).collect();
        let mut taken: Vec<Vec<usize>> = jobs.iter().map(|(count, _)| vec![0; *count]).collect();
        // The second thread is faster than the others.
        for turn in [1, 0, 1, 1, 2, 1, 1, 0, 1, 1, 2, 0, 1, 2, 1, 0].into_iter().cycle().take(64) {
            let (taker, job) = &mut takers[turn];
            let Some((count, len)) = jobs.get(*job) else { continue };
            match taker.next(*count, *len) {
                Some(piece) => piece.for_each(|i| taken[*job][i] += 1),
                None => *job += 1,
            }
        }
        assert!(taken.iter().flatten().all(|times| *times == 1), "{taken:?}");
        assert!(takers.iter().all(|(_, job)| *job == jobs.len()));
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
