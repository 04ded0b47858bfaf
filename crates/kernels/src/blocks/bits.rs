//! How a block is cut into its fields, and the three ways in which formats interleave short
//! numbers in bytes. Knows no format.

/// Declares the fields of a block in their order, as `name: bytes`, and `of`, which cuts a block
/// into them. The compiler checks that they fill the block exactly.
macro_rules! layout {
    ($(#[$drawing:meta])* $name:ident { $($field:ident: $bytes:literal),+ $(,)? }) => {
        $(#[$drawing])*
        #[allow(non_camel_case_types)] // The names are those of the files.
        struct $name<'a> {
            $($field: &'a [u8; $bytes],)+
        }

        const _: () = assert!(0 $(+ $bytes)+ == crate::Format::$name.block_bytes());

        impl<'a> $name<'a> {
            #[inline]
            fn of(block: &'a [u8]) -> Self {
                const BYTES: usize = crate::Format::$name.block_bytes();
                let rest: &'a [u8; BYTES] = block.try_into().expect("exactly one block");
                let rest: &'a [u8] = rest;
                $(let ($field, rest) = rest.split_first_chunk().expect("the sum is asserted");)+
                debug_assert!(rest.is_empty());
                Self { $($field),+ }
            }
        }
    };
}
pub(super) use layout;

/// The float at the head of most blocks.
#[inline]
pub(super) fn f16(bytes: &[u8; 2]) -> f32 {
    crate::f16_to_f32(u16::from_le_bytes(*bytes))
}

/// Nibbles, half a block apart: the low ones are the first half of `out`, the high ones the second.
#[inline]
pub(super) fn nibbles<T>(bytes: &[u8], out: &mut [T], level: impl Fn(u8) -> T) {
    let (low, high) = out.split_at_mut(bytes.len());
    for ((byte, low), high) in bytes.iter().zip(low).zip(high) {
        *low = level(byte & 15);
        *high = level(byte >> 4);
    }
}

/// Pairs of bits, 32 weights apart: each half of the bytes holds 128 numbers, and the lowest pairs
/// are the first 32 of them.
#[inline]
pub(super) fn pairs(bytes: &[u8; 64], out: &mut [i8; 256], level: impl Fn(u8) -> i8) {
    for (bytes, out) in bytes.as_chunks::<32>().0.iter().zip(out.as_chunks_mut::<128>().0) {
        for (n, out) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
            for (byte, out) in bytes.iter().zip(out) {
                *out = level(byte >> (2 * n) & 3);
            }
        }
    }
}

/// Single bits, 32 weights apart: bit 0 of all bytes belongs to the first 32 weights. What `high`
/// makes of a bit is added to the number that is there; the two have no bits in common, which in
/// two's complement may be said of −4 and 3 as well, so it is an "or".
#[inline]
pub(super) fn top_bits(bytes: &[u8; 32], out: &mut [i8; 256], high: impl Fn(u8) -> i8) {
    for (n, out) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        for (byte, out) in bytes.iter().zip(out) {
            *out |= high(byte >> n & 1);
        }
    }
}
