//! Remembers the tokens of short words. Language repeats itself: nine words in ten are found here.
//!
//! One slot per hash, the newest word wins, so memory is fixed whatever the text. What is
//! remembered is what would be computed, so results never depend on it.

use super::pairs::mix;

const MOST_BYTES: usize = 23;
const MOST_IDS: usize = 9;
const SLOTS: usize = 1 << 13;

#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Slot {
    text: [u8; MOST_BYTES],
    /// Length of the text and number of ids: both zero in a free slot.
    sizes: [u8; 2],
    ids: [u32; MOST_IDS],
}

const _: () = assert!(size_of::<Slot>() == 64); // one cache line

pub(super) struct Cache {
    slots: Vec<Slot>,
}

/// Where a word belongs.
pub(super) struct Place {
    slot: usize,
    text: [u8; MOST_BYTES],
    length: u8,
}

impl Cache {
    pub(super) fn new() -> Cache {
        Cache { slots: vec![Slot::default(); SLOTS] }
    }

    /// Where this word belongs, if it is short enough.
    #[inline]
    pub(super) fn place(&self, word: &[u8]) -> Option<Place> {
        if word.is_empty() || word.len() > MOST_BYTES {
            return None;
        }
        let mut padded = [0; 24];
        padded[..word.len()].copy_from_slice(word);
        let mut hash = word.len() as u64;
        for eight in padded.as_chunks::<8>().0 {
            hash = mix(u64::from_le_bytes(*eight), hash);
        }
        let mut text = [0; MOST_BYTES];
        text.copy_from_slice(&padded[..MOST_BYTES]);
        Some(Place { slot: hash as usize % SLOTS, text, length: word.len() as u8 })
    }

    /// The ids of the word, if it is the one remembered there.
    #[inline]
    pub(super) fn get(&self, place: &Place) -> Option<&[u32]> {
        let slot = &self.slots[place.slot];
        let same = slot.sizes[0] == place.length && slot.text == place.text;
        same.then(|| &slot.ids[..usize::from(slot.sizes[1])])
    }

    pub(super) fn put(&mut self, place: &Place, ids: &[u32]) {
        if ids.len() > MOST_IDS {
            return;
        }
        let slot = &mut self.slots[place.slot];
        slot.text = place.text;
        slot.sizes = [place.length, ids.len() as u8];
        slot.ids[..ids.len()].copy_from_slice(ids);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_for_the_same_word_only() {
        let mut cache = Cache::new();
        let words: [&[u8]; 5] = [b"a", b"a\0", b" the", b"the", b"exactly-23-bytes-long-w"];
        for (id, word) in (1..).zip(words) {
            let place = cache.place(word).unwrap();
            assert_eq!(cache.get(&place), None, "{word:?}");
            cache.put(&place, &[id, id]);
            assert_eq!(cache.get(&place), Some(&[id, id][..]));
        }
        assert!(cache.place(b"").is_none());
        assert!(cache.place(b"more than twenty-three bytes").is_none());
    }

    #[test]
    fn too_many_ids_are_not_remembered() {
        let mut cache = Cache::new();
        let place = cache.place(b"word").unwrap();
        cache.put(&place, &[1; MOST_IDS + 1]);
        assert_eq!(cache.get(&place), None);
    }
}
