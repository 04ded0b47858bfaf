//! Short numbers put into bytes, in the ways of `bits`, which takes them out.

/// Nibbles, half a block apart.
#[inline(always)]
pub(super) fn nibbles(levels: &[f32], out: &mut Vec<u8>) {
    let (low, high) = levels.split_at(levels.len() / 2);
    out.extend(low.iter().zip(high).map(|(low, high)| (*low as u8 & 15) | (*high as u8 & 15) << 4));
}

/// Pairs of bits, 32 weights apart in each half of a block.
#[inline(always)]
pub(super) fn pairs(levels: &[u8; 256], out: &mut Vec<u8>) {
    for half in levels.as_chunks::<128>().0 {
        let byte = |i: usize| (0..4).fold(0, |byte, n| byte | (half[32 * n + i] & 3) << (2 * n));
        out.extend((0..32).map(byte));
    }
}

/// Single bits, 32 weights apart.
#[inline(always)]
pub(super) fn top_bits(bits: &[u8; 256], out: &mut Vec<u8>) {
    let byte = |i: usize| (0..8).fold(0, |byte, n| byte | (bits[32 * n + i] & 1) << n);
    out.extend((0..32).map(byte));
}
