//! A table keyed by two numbers: the merges of byte-pair encoding, asked for every two neighbours.
//!
//! Open addressing over one flat array. The hash has a secret seed, because the vocabulary and the
//! text may both come from somebody who wishes us ill.

use std::hash::{BuildHasher, RandomState};

/// Values by the left and the right key.
pub(super) struct Pairs<V> {
    slots: Vec<(u64, V)>, // a power of two, at most half full
    seed: u64,
}

const FREE: u64 = u64::MAX;

impl<V: Copy + Default> Pairs<V> {
    /// A table of `(left, right, value)`. Of equal pairs the first counts.
    ///
    /// # Panics
    /// When both keys of a pair are `u32::MAX`, which marks a free slot.
    pub(super) fn new(list: &[(u32, u32, V)]) -> Pairs<V> {
        let size = (list.len() * 2).next_power_of_two().max(2);
        let seed = RandomState::new().hash_one(0);
        let mut table = Pairs { slots: vec![(FREE, V::default()); size], seed };
        for &(left, right, value) in list {
            let key = key(left, right);
            assert_ne!(key, FREE, "the key of a free slot");
            let at = table.find(key);
            if table.slots[at].0 == FREE {
                table.slots[at] = (key, value);
            }
        }
        table
    }

    #[inline]
    pub(super) fn get(&self, left: u32, right: u32) -> Option<V> {
        let key = key(left, right);
        let slot = &self.slots[self.find(key)];
        (slot.0 == key).then_some(slot.1)
    }

    /// The slot of a key, or the free one where it would be.
    #[inline]
    fn find(&self, key: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = mix(key, self.seed) as usize & mask;
        while self.slots[at].0 != key && self.slots[at].0 != FREE {
            at = (at + 1) & mask;
        }
        at
    }
}

fn key(left: u32, right: u32) -> u64 {
    u64::from(left) << 32 | u64::from(right)
}

/// Folds the long product, so that every bit of the key moves every bit of the hash.
#[inline]
pub(super) fn mix(key: u64, seed: u64) -> u64 {
    let product = u128::from(key ^ seed) * 0x9e37_79b9_7f4a_7c15;
    (product >> 64) as u64 ^ product as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_put_in_and_nothing_else() {
        let list: Vec<_> = (0..1000).map(|i| (i, i * 7, i + 1)).collect();
        let table = Pairs::new(&list);
        for &(left, right, value) in &list {
            assert_eq!(table.get(left, right), Some(value));
            assert_eq!(table.get(left, right + 1), None);
        }
    }

    #[test]
    fn the_first_of_equal_pairs_counts() {
        let table = Pairs::new(&[(1, 2, 'a'), (1, 2, 'b'), (2, 1, 'c')]);
        assert_eq!((table.get(1, 2), table.get(2, 1)), (Some('a'), Some('c')));
    }

    #[test]
    fn an_empty_table_answers() {
        assert_eq!(Pairs::<u32>::new(&[]).get(0, 0), None);
    }
}
