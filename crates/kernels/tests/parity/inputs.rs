//! Numbers to compute with: random ones from a seed, ones with a prime period, and weights put
//! together from the golden blocks.

use formats::Safetensors;
use kernels::Format;
use testkit::golden;

/// Random numbers from a seed (xorshift64*).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() >> 32) as usize % n
    }

    /// From −1 to 1.
    pub fn even(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    /// Of many magnitudes: from 2^−16 to 2^3, of either sign.
    pub fn uneven(&mut self) -> f32 {
        self.even() * 2f32.powi(self.below(20) as i32 - 16)
    }
}

/// Rows of activations, of four kinds in turn: a prime period, even numbers, numbers of many
/// magnitudes with groups of zeros among them, and even numbers with outliers.
pub fn activations(n: usize, cols: usize) -> Vec<f32> {
    let mut random = Random::new((n * 1000 + cols) as u64);
    let number = |i: usize| {
        let (row, col) = (i / cols, i % cols);
        match row % 4 {
            0 => ((col * 7 + row) % 13) as f32 / 8.0 - 0.75,
            1 => random.even(),
            2 if col / 32 % 3 == 1 => 0.0,
            2 => random.uneven(),
            _ => random.even() * if col % 37 == 5 { 50.0 } else { 1.0 },
        }
    };
    (0..n * cols).map(number).collect()
}

/// Weights of any format.
pub struct Weights {
    file: Safetensors,
    random: Random,
}

impl Weights {
    pub fn new(seed: u64) -> Weights {
        let file = Safetensors::open(&golden("blocks/blocks.safetensors")).unwrap();
        Weights { file, random: Random::new(seed) }
    }

    /// The bytes of `count` weights. Quantised blocks are drawn from the golden ones, whose scales
    /// are of either sign, some of them zero and some subnormal.
    pub fn bytes(&mut self, format: Format, count: usize) -> Vec<u8> {
        let random = &mut self.random;
        match format {
            Format::F32 => (0..count).flat_map(|_| random.uneven().to_le_bytes()).collect(),
            Format::BF16 => {
                (0..count).flat_map(|_| random.uneven().to_le_bytes()[2..].to_vec()).collect()
            }
            Format::F8 => {
                let block = |_| {
                    // No NaN, which has all bits set but the sign.
                    let numbers: Vec<u8> = (0..32)
                        .map(|_| random.bits() as u8)
                        .map(|x| x - u8::from(x & 127 == 127))
                        .collect();
                    [&random.uneven().to_le_bytes()[..], &numbers].concat()
                };
                (0..count / 32).flat_map(block).collect()
            }
            // Any bits but those of what is not finite: they have all exponent bits set.
            Format::F16 => {
                (0..count).flat_map(|_| (random.bits() as u16 & 0xbfff).to_le_bytes()).collect()
            }
            _ => {
                let raw = self.file.tensor(&format!("{format:?}.raw")).unwrap().bytes;
                let len = format.block_bytes();
                let block = |at: usize| raw[at * len..][..len].to_vec();
                let blocks = count / format.block_len();
                (0..blocks).flat_map(|_| block(random.below(raw.len() / len))).collect()
            }
        }
    }
}
