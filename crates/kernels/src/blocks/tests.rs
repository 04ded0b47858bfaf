//! Blocks written by hand, one or two per layout: what the drawings say, byte by byte.

use super::{Part, decode, unpack};
use crate::Format;

const HALF: [u8; 2] = [0x00, 0x38]; // 0.5
const ONE: [u8; 2] = [0x00, 0x3c];
const TWO: [u8; 2] = [0x00, 0x40];
const MINUS_TWO: [u8; 2] = [0x00, 0xc0];

#[track_caller]
fn values(format: Format, pieces: &[&[u8]]) -> Vec<f32> {
    let block = pieces.concat();
    let mut out = vec![f32::NAN; block.len() / format.block_bytes() * format.block_len()];
    decode(format, &block, &mut out);
    out
}

/// All values of one block, but for those given as (index, value) the same.
#[track_caller]
fn assert_values(format: Format, pieces: &[&[u8]], rest: f32, special: &[(usize, f32)]) {
    let mut expected = vec![rest; format.block_len()];
    for (i, value) in special {
        expected[*i] = *value;
    }
    assert_eq!(values(format, pieces), expected, "{format:?}");
}

/// Zeros, but for the bytes given as (index, byte).
fn bytes<const N: usize>(special: &[(usize, u8)]) -> [u8; N] {
    let mut bytes = [0; N];
    for (i, byte) in special {
        bytes[*i] = *byte;
    }
    bytes
}

#[test]
fn floats_are_read_at_any_address() {
    let bytes = [0, 0, 0, 0x80, 0x3f, 0, 0, 0x80, 0xbf];
    let mut out = [0.0; 2];
    decode(Format::F32, &bytes[1..], &mut out);
    assert_eq!(out, [1.0, -1.0]);
    assert_eq!(values(Format::F16, &[&TWO, &HALF]), [2.0, 0.5]);
    assert_eq!(values(Format::BF16, &[&[0x80, 0x3f], &[0x20, 0xc1]]), [1.0, -10.0]);
}

#[test]
fn four_bits_low_nibbles_first() {
    let q: [u8; 16] = bytes(&[(0, 0x2f), (15, 0x81)]);
    let special = [(0, 3.5), (16, -3.0), (15, -3.5), (31, 0.0)];
    assert_values(Format::Q4_0, &[&HALF, &q], -4.0, &special);
    let special = [(0, 31.0), (16, 5.0), (15, 3.0), (31, 17.0)];
    assert_values(Format::Q4_1, &[&TWO, &ONE, &q], 1.0, &special);
}

#[test]
fn the_fifth_bit_of_weight_i_is_bit_i() {
    let (h, q): ([u8; 4], [u8; 16]) = ([0x01, 0, 0, 0x80], bytes(&[(0, 0x03), (15, 0x40)]));
    assert_values(Format::Q5_0, &[&ONE, &h, &q], -16.0, &[(0, 3.0), (31, 4.0)]);
    assert_values(Format::Q5_1, &[&ONE, &MINUS_TWO, &h, &q], -2.0, &[(0, 17.0), (31, 18.0)]);
}

#[test]
fn eight_bits_are_signed() {
    let q: [u8; 32] = bytes(&[(0, 0x80), (31, 0x7f)]);
    assert_values(Format::Q8_0, &[&HALF, &q], 0.0, &[(0, -64.0), (31, 63.5)]);
}

#[test]
fn one_and_two_bits_in_order() {
    let q: [u8; 16] = bytes(&[(0, 0x01), (4, 0x80), (15, 0x80)]);
    assert_values(Format::Q1_0, &[&TWO, &q], -2.0, &[(0, 2.0), (39, 2.0), (127, 2.0)]);
    let q: [u8; 16] = bytes(&[(0, 0x0d), (8, 0x02), (15, 0x40)]);
    let special = [(0, 0.0), (1, 4.0), (32, 2.0), (63, 0.0)];
    assert_values(Format::Q2_0, &[&TWO, &q], -2.0, &special);
}

#[test]
fn trits_are_digits_of_a_fraction() {
    // 2·81 + 1·27 + 0·9 + 2·3 + 1 of 243 parts, scaled to 256 parts and rounded up.
    let byte = (((2 * 81 + 27 + 2 * 3 + 1) * 256_u32).div_ceil(243)) as u8;
    let q: [u8; 32] = bytes(&[(3, byte)]);
    let r: [u8; 16] = bytes(&[(1, byte)]);
    let h: [u8; 4] = bytes(&[(2, byte)]);
    let (q_at, r_at, h_at) =
        ([3, 35, 67, 99, 131], [161, 177, 193, 209, 225], [242, 246, 250, 254]);
    let digits = [2.0, 0.0, -2.0, 2.0, 0.0];
    let all = [&q_at[..], &r_at, &h_at].map(|at| at.iter().copied().zip(digits)).into_iter();
    let special: Vec<_> = all.flatten().collect();
    assert_values(Format::TQ1_0, &[&q, &r, &h, &TWO], -2.0, &special);
}

#[test]
fn pairs_lie_32_weights_apart() {
    let q: [u8; 64] = bytes(&[(0, 0b10_01_00_11), (63, 0b01_00_00_00)]);
    let special = [(0, 4.0), (32, -2.0), (64, 0.0), (96, 2.0), (255, 0.0)];
    assert_values(Format::TQ2_0, &[&q, &TWO], -2.0, &special);
}

#[test]
fn four_bit_floats_and_their_scales() {
    let q: [u8; 16] = bytes(&[(0, 0xf7), (1, 0x98)]);
    let special = [(0, 6.0), (16, -6.0), (1, 0.0), (17, -0.5)];
    assert_values(Format::MXFP4, &[&[127], &q], 0.0, &special);
    let tiny = f32::from_bits(1 << 21);
    assert_values(Format::MXFP4, &[&[0], &[0x11; 16]], tiny, &[]);
    assert_values(Format::MXFP4, &[&[1], &[0x11; 16]], 2.0 * tiny, &[]);
    assert_values(Format::MXFP4, &[&[2], &[0x11; 16]], 4.0 * tiny, &[]);
}

#[test]
fn sixteen_weights_to_an_eight_bit_scale() {
    // 1.5, the smallest subnormal, the largest number, and what is none.
    let d = [0x3c, 0x01, 0x7e, 0x7f];
    let ones = [0x22; 8]; // Both nibbles 1.0.
    let found = values(Format::NVFP4, &[&d, &ones, &ones, &ones, &ones]);
    let expected = [1.5, 1.0 / 512.0, 448.0, 0.0].map(|d| [d; 16]).concat();
    assert_eq!(found, expected);
    let q: [u8; 32] = bytes(&[(8, 0x70), (15, 0x0f)]);
    assert_values(Format::NVFP4, &[&[0x38; 4], &q], 0.0, &[(24, 6.0), (23, -6.0)]);
}

#[test]
fn uneven_levels() {
    let q: [u8; 16] = bytes(&[(0, 0xf8)]);
    assert_values(Format::IQ4_NL, &[&ONE, &q], -127.0, &[(0, 1.0), (16, 113.0)]);
    // Sub-scale 7 is 0b11_0001 − 32 = 17; the others are −32.
    let (high, low) = ([0, 0xc0], [0, 0, 0, 0x10]);
    let q: [u8; 128] = bytes(&[(0, 0x08), (127, 0xf0)]);
    let mut expected = vec![32.0 * 127.0; 256];
    expected[0] = -32.0;
    expected[224..].fill(17.0 * -127.0);
    expected[255] = 17.0 * 113.0;
    assert_eq!(values(Format::IQ4_XS, &[&ONE, &high, &low, &q]), expected);
}

#[test]
fn k_formats_with_minima() {
    let s: [u8; 16] = bytes(&[(0, 0x53), (15, 0x0f)]);
    let q: [u8; 64] = bytes(&[(0, 0b11), (63, 0b11 << 6)]);
    let mut expected = [0.0; 256];
    expected[..16].fill(-5.0);
    (expected[0], expected[255]) = (2.0 * 9.0 - 5.0, 2.0 * 45.0);
    assert_eq!(values(Format::Q2_K, &[&s, &q, &TWO, &ONE]), expected);

    // Sub-scales 0 and 7 are 1 and 2 + 16 · 3, minima 0 and 7 are 4 and 5 + 16 · 2.
    let s: [u8; 12] = bytes(&[(0, 1), (3, 0xc0), (4, 4), (7, 0x80), (11, 0x52)]);
    let q: [u8; 128] = bytes(&[(0, 0x0f), (127, 0xf0)]);
    let mut expected = [0.0; 256];
    expected[..32].fill(-4.0);
    expected[224..].fill(-37.0);
    (expected[0], expected[255]) = (2.0 * 15.0 - 4.0, 2.0 * 750.0 - 37.0);
    assert_eq!(values(Format::Q4_K, &[&TWO, &ONE, &s, &q]), expected);

    let h: [u8; 32] = bytes(&[(0, 0x01), (31, 0x80)]);
    (expected[0], expected[255]) = (2.0 * 31.0 - 4.0, 2.0 * 50.0 * 31.0 - 37.0);
    assert_eq!(values(Format::Q5_K, &[&TWO, &ONE, &s, &h, &q]), expected);
}

#[test]
fn k_formats_with_signed_sub_scales() {
    // Sub-scales: the first 0b10_0001 − 32 = 1, the last 0b11_1111 − 32 = 31, the others −32.
    let s: [u8; 12] = bytes(&[(0, 0x01), (7, 0xf0), (8, 0x02), (11, 0xc0)]);
    let (h, q): ([u8; 32], [u8; 64]) = (bytes(&[(0, 1)]), bytes(&[(0, 3), (63, 0x80)]));
    let mut expected = [128.0; 256];
    expected[..16].fill(-4.0);
    expected[240..].fill(-124.0);
    (expected[0], expected[255]) = (3.0, -62.0);
    assert_eq!(values(Format::Q3_K, &[&h, &q, &s, &ONE]), expected);

    let (q, h): ([u8; 128], [u8; 64]) =
        (bytes(&[(0, 5), (127, 0xf0)]), bytes(&[(0, 3), (63, 0xc0)]));
    let s: [u8; 16] = bytes(&[(0, 0x80), (15, 0x7f)]);
    let mut expected = [0.0; 256];
    expected[..16].fill(4096.0);
    expected[240..].fill(127.0 * -32.0);
    (expected[0], expected[255]) = (-128.0 * 21.0, 127.0 * 31.0);
    assert_eq!(values(Format::Q6_K, &[&q, &h, &s, &ONE]), expected);
}

#[test]
fn a_part_forgets_the_block_before() {
    let (mut first, mut again) = (Part::ZERO, Part::ZERO);
    let q4_1 = [&ONE[..], &TWO, &[0x77; 16]].concat();
    let q4_0 = [&ONE[..], &[0x77; 16]].concat();
    unpack(Format::Q4_0, &q4_0, 0, &mut first);
    unpack(Format::Q4_1, &q4_1, 0, &mut again);
    assert_eq!((again.min, again.below), (-2.0, [1; 16]));
    unpack(Format::Q4_0, &q4_0, 0, &mut again);
    assert_eq!((again.scale, again.min, again.below), (first.scale, 0.0, [0; 16]));
    assert_eq!(again.level, first.level);
}

#[test]
#[should_panic(expected = "exactly one block")]
fn half_a_block_is_refused() {
    let mut part = Part::ZERO;
    unpack(Format::Q8_0, &[0; 17], 0, &mut part);
}

#[test]
#[should_panic(expected = "33 of Q8_0")]
fn a_row_of_a_block_and_a_bit_is_refused() {
    decode(Format::Q8_0, &[0; 35], &mut [0.0; 33]);
}
