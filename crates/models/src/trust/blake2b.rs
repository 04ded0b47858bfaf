//! BLAKE2b with 512 bits and no key, as RFC 7693 has it: what minisign signs of a file.

const BLOCK: usize = 128;

const START: [u64; 8] = [
    0x6a09e667f3bcc908,
    0xbb67ae8584caa73b,
    0x3c6ef372fe94f82b,
    0xa54ff53a5f1d36f1,
    0x510e527fade682d1,
    0x9b05688c2b3e6c1f,
    0x1f83d9abfb41bd6b,
    0x5be0cd19137e2179,
];

/// Which words each round takes in which order. The last two rounds repeat the first two.
const ORDER: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

/// A hash of what has come so far.
pub struct Blake2b {
    state: [u64; 8],
    /// Bytes that went into `state`.
    done: u128,
    /// The block that may be the last one, which is not known before more comes.
    block: [u8; BLOCK],
    filled: usize,
}

impl Blake2b {
    pub fn new() -> Blake2b {
        let mut state = START;
        // The parameters: 64 bytes of digest, no key, one leaf of one level.
        state[0] ^= 0x0101_0040;
        Blake2b { state, done: 0, block: [0; BLOCK], filled: 0 }
    }

    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.filled == BLOCK {
                self.done += BLOCK as u128;
                compress(&mut self.state, &self.block, self.done, false);
                self.filled = 0;
            }
            if self.filled == 0 {
                bytes = self.whole_blocks(bytes);
            }
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK - self.filled));
            self.block[self.filled..self.filled + now.len()].copy_from_slice(now);
            self.filled += now.len();
            bytes = later;
        }
    }

    /// Takes blocks where they lie, and gives back from 1 to 128 bytes, of which the last block
    /// may be made.
    fn whole_blocks<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (now, later) = bytes.split_at((bytes.len() - 1) / BLOCK * BLOCK);
        for block in now.as_chunks::<BLOCK>().0 {
            self.done += BLOCK as u128;
            compress(&mut self.state, block, self.done, false);
        }
        later
    }

    pub fn finish(mut self) -> [u8; 64] {
        self.block[self.filled..].fill(0);
        self.done += self.filled as u128;
        compress(&mut self.state, &self.block, self.done, true);
        let mut digest = [0; 64];
        for (bytes, word) in digest.as_chunks_mut::<8>().0.iter_mut().zip(self.state) {
            *bytes = word.to_le_bytes();
        }
        digest
    }
}

fn compress(state: &mut [u64; 8], block: &[u8; BLOCK], done: u128, is_last: bool) {
    let mut words = [0; 16];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    let mut v = [0; 16];
    v[..8].copy_from_slice(state);
    v[8..].copy_from_slice(&START);
    v[12] ^= done as u64;
    v[13] ^= (done >> 64) as u64;
    if is_last {
        v[14] = !v[14];
    }
    // Written out, so that the places of the words are known when this is compiled.
    round::<0>(&mut v, &words);
    round::<1>(&mut v, &words);
    round::<2>(&mut v, &words);
    round::<3>(&mut v, &words);
    round::<4>(&mut v, &words);
    round::<5>(&mut v, &words);
    round::<6>(&mut v, &words);
    round::<7>(&mut v, &words);
    round::<8>(&mut v, &words);
    round::<9>(&mut v, &words);
    round::<0>(&mut v, &words);
    round::<1>(&mut v, &words);
    for (i, word) in state.iter_mut().enumerate() {
        *word ^= v[i] ^ v[i + 8];
    }
}

#[inline(always)]
fn round<const R: usize>(v: &mut [u64; 16], words: &[u64; 16]) {
    let word = |i: usize| words[ORDER[R][i]];
    mix(v, [0, 4, 8, 12], word(0), word(1));
    mix(v, [1, 5, 9, 13], word(2), word(3));
    mix(v, [2, 6, 10, 14], word(4), word(5));
    mix(v, [3, 7, 11, 15], word(6), word(7));
    mix(v, [0, 5, 10, 15], word(8), word(9));
    mix(v, [1, 6, 11, 12], word(10), word(11));
    mix(v, [2, 7, 8, 13], word(12), word(13));
    mix(v, [3, 4, 9, 14], word(14), word(15));
}

#[inline(always)]
fn mix(v: &mut [u64; 16], [a, b, c, d]: [usize; 4], x: u64, y: u64) {
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(x);
    v[d] = (v[d] ^ v[a]).rotate_right(32);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(24);
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(y);
    v[d] = (v[d] ^ v[a]).rotate_right(16);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(63);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8], piece: usize) -> String {
        let mut hash = Blake2b::new();
        bytes.chunks(piece).for_each(|piece| hash.update(piece));
        hash.finish().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn it_gives_what_the_rfc_shows() {
        // Appendix A.
        let abc = "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1\
                   7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923";
        assert_eq!(hex(b"abc", 3), abc);
    }

    /// The bytes 0 to 250 over and over, as Python's hashlib digests them: the first 16 digits.
    #[test]
    fn it_is_right_around_the_ends_of_blocks_however_bytes_come() {
        let known = [
            (0, "786a02f742015903"),
            (1, "2fa3f686df876995"),
            (127, "b6292669ccd38d5f"),
            (128, "2319e3789c47e2da"),
            (129, "f59711d44a031d5f"),
            (255, "fe2c02da499516b0"),
            (256, "93463ac058b6163e"),
            (257, "9ca40e2ddee9436d"),
            (1000, "c11e1c0340bd7e5a"),
            (1_000_000, "0fc0f49b5886b793"),
        ];
        for (len, start) in known {
            let bytes: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            for piece in [1, 7, 64, 127, 128, 129, 256, 300, 1 << 20] {
                assert!(hex(&bytes, piece).starts_with(start), "{len} bytes, {piece} at once");
            }
        }
    }
}
