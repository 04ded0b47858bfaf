//! Randomness by counter: a number follows from the seed and the position alone, so that nothing
//! that happened before, and no restart, shifts it.

const ROUNDS: usize = 10;
const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// A number from 0 (included) to 1 (excluded), from 53 random bits.
pub(crate) fn uniform(seed: u64, position: u64) -> f64 {
    let words = philox([position as u32, (position >> 32) as u32, 0, 0], seed);
    let bits = (u64::from(words[0]) << 32 | u64::from(words[1])) >> 11;
    bits as f64 / (1u64 << 53) as f64
}

/// Philox 4x32-10 of Salmon, Moraes, Dror and Shaw (2011).
fn philox(mut counter: [u32; 4], seed: u64) -> [u32; 4] {
    let mut key = [seed as u32, (seed >> 32) as u32];
    for _ in 0..ROUNDS {
        let a = u64::from(MULTIPLIERS[0]) * u64::from(counter[0]);
        let b = u64::from(MULTIPLIERS[1]) * u64::from(counter[2]);
        let high = |x: u64| (x >> 32) as u32;
        counter =
            [high(b) ^ counter[1] ^ key[0], b as u32, high(a) ^ counter[3] ^ key[1], a as u32];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_gives_the_published_vectors() {
        assert_eq!(philox([0; 4], 0), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(
            philox([u32::MAX; 4], u64::MAX),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
    }

    /// Computed from `docs/sampling.md` with whole numbers of any size, by another program.
    #[test]
    fn numbers_follow_from_seed_and_position() {
        for (seed, position, bits) in [
            (0, 0, 0x3fd9_89fa_3578_5a70),
            (1, 0, 0x3fec_7d00_ce1c_a141),
            (0, 1, 0x3fef_1c99_948b_9640),
            (u64::MAX, (1 << 40) + 3, 0x3fe5_aa7d_fe07_cccf),
            (1 << 32, 5, 0x3feb_039f_a11b_7e7b),
            (5, 1 << 32, 0x3fed_d4aa_ef28_fc5d),
        ] {
            assert_eq!(uniform(seed, position).to_bits(), bits, "seed {seed}, position {position}");
        }
    }

    #[test]
    fn numbers_are_spread_evenly() {
        let n = 10_000;
        let mean = (0..n).map(|i| uniform(42, i)).sum::<f64>() / n as f64;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        assert_ne!(uniform(1, 0), uniform(2, 0));
    }
}
