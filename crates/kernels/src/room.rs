//! How much memory vectors have, and room made in them before it is needed.

/// Bytes for which a vector has room.
pub fn room<T>(vector: &Vec<T>) -> u64 {
    (vector.capacity() * size_of::<T>()) as u64
}

/// Makes room for so many elements, and no more.
pub(crate) fn make_room<T>(vector: &mut Vec<T>, len: usize) {
    vector.reserve_exact(len.saturating_sub(vector.len()));
}
