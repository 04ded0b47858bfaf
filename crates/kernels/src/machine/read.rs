//! Reading memory in order, as fast as it comes: the limit of every product with few rows.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Machine;
use crate::isa::per_isa;
use crate::simd::prefetch;

/// Bytes of a cache line.
const LINE: usize = 64;

/// Bytes that one turn of the loop reads: enough sums that no addition waits for another.
const STEP: usize = 4 * LINE;

/// How far ahead memory is asked for. It hides the wait for memory, which a processor's own
/// prefetching does only in part.
const AHEAD: usize = 8192;

/// Threads begin at multiples of this, so that no line and no page is read by two of them.
const PAGE: usize = 4096;

per_isa!(sum = sum_portable; (bytes: &[u8], out: &mut u64));

impl Machine {
    /// Reads all of `bytes`, every thread a part of its own from beginning to end.
    ///
    /// The sum of its little-endian words, modulo 2⁶⁴, comes back, so that nothing can be left out.
    pub fn read(&self, bytes: &[u8]) -> u64 {
        let (isa, total) = (self.isa, AtomicU64::new(0));
        let part = bytes.len().div_ceil(self.threads()).next_multiple_of(PAGE);
        self.crew.together(&|t| {
            let mut own = 0;
            if let Some(part) = bytes.chunks(part.max(1)).nth(t) {
                sum(isa, part, &mut own);
            }
            total.fetch_add(own, Ordering::Relaxed);
        });
        total.into_inner()
    }
}

#[inline(always)]
fn sum_portable(bytes: &[u8], out: &mut u64) {
    let (steps, rest) = bytes.as_chunks::<STEP>();
    let mut sums = [[0_u64; LINE / 8]; STEP / LINE];
    for step in steps {
        ask_for(step.as_ptr());
        let lines = step.as_chunks::<LINE>().0;
        for (sums, line) in sums.iter_mut().zip(lines) {
            for (sum, word) in sums.iter_mut().zip(line.as_chunks::<8>().0) {
                *sum = sum.wrapping_add(u64::from_le_bytes(*word));
            }
        }
    }
    let whole = sums.as_flattened().iter().fold(0_u64, |sum, x| sum.wrapping_add(*x));
    *out = rest.chunks(8).fold(whole, |sum, word| {
        let mut padded = [0; 8];
        padded[..word.len()].copy_from_slice(word);
        sum.wrapping_add(u64::from_le_bytes(padded))
    });
}

/// Asks for the lines that a later step will read.
#[inline(always)]
fn ask_for(step: *const u8) {
    for line in 0..STEP / LINE {
        prefetch(step.wrapping_add(AHEAD + line * LINE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;

    #[test]
    fn every_byte_is_read_once() {
        let bytes: Vec<u8> = (0..50_000_u32).map(|i| (i * 31 % 251) as u8).collect();
        for threads in [1, 2, 3, 5] {
            for isa in Isa::available() {
                let machine = Machine::new(isa, threads);
                for len in [0, 1, 7, 8, 63, 64, 255, 256, 257, 4095, 4096, 4097, 12_289, 50_000] {
                    let words = bytes[..len].chunks(8).map(|word| {
                        word.iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte))
                    });
                    let expected = words.fold(0_u64, u64::wrapping_add);
                    let (got, isa) = (machine.read(&bytes[..len]), isa.name());
                    assert_eq!(got, expected, "{len} bytes, {isa}, {threads} threads");
                }
            }
        }
    }

    #[test]
    fn sums_wrap() {
        let machine = Machine::new(Isa::best(), 2);
        assert_eq!(machine.read(&[0xff; 8 * 10_000]), 10_000_u64.wrapping_neg());
    }
}
