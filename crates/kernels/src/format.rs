//! How a matrix of weights is stored: the formats this crate computes with, and their block sizes.

/// A storage format of weights. The quantised ones are cut into blocks of equal length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(non_camel_case_types, missing_docs)] // The names are those of the files.
pub enum Format {
    F32,
    F16,
    BF16,
    Q1_0,
    Q2_0,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q2_K,
    Q3_K,
    Q4_K,
    Q5_K,
    Q6_K,
    IQ1_S,
    IQ1_M,
    IQ2_XXS,
    IQ2_XS,
    IQ2_S,
    IQ3_XXS,
    IQ3_S,
    IQ4_NL,
    IQ4_XS,
    TQ1_0,
    TQ2_0,
    MXFP4,
    NVFP4,
    /// Eight-bit floats (e4m3), 32 under one f32 factor. Files have numbers and factors apart.
    F8,
}

impl Format {
    /// Every format that files have, for tests and tables.
    pub const ALL: [Format; 28] = {
        use Format::*;
        [
            F32, F16, BF16, Q1_0, Q2_0, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K,
            IQ1_S, IQ1_M, IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS, IQ3_S, IQ4_NL, IQ4_XS, TQ1_0, TQ2_0,
            MXFP4, NVFP4,
        ]
    };

    /// Weights in one block.
    pub const fn block_len(self) -> usize {
        use Format::*;
        match self {
            F32 | F16 | BF16 => 1,
            Q4_0 | Q4_1 | Q5_0 | Q5_1 | Q8_0 | IQ4_NL | MXFP4 | F8 => 32,
            Q2_0 | NVFP4 => 64,
            Q1_0 => 128,
            _ => 256,
        }
    }

    /// Bytes of one block.
    pub const fn block_bytes(self) -> usize {
        use Format::*;
        match self {
            F32 => 4,
            F16 | BF16 => 2,
            MXFP4 => 17,
            Q1_0 | Q2_0 | Q4_0 | IQ4_NL => 18,
            Q4_1 => 20,
            Q5_0 => 22,
            Q5_1 => 24,
            Q8_0 => 34,
            NVFP4 | F8 => 36,
            IQ1_S => 50,
            TQ1_0 => 54,
            IQ1_M => 56,
            IQ2_XXS | TQ2_0 => 66,
            IQ2_XS => 74,
            IQ2_S => 82,
            Q2_K => 84,
            IQ3_XXS => 98,
            Q3_K | IQ3_S => 110,
            IQ4_XS => 136,
            Q4_K => 144,
            Q5_K => 176,
            Q6_K => 210,
        }
    }

    /// Bytes of a row of `len` weights, or `None` when that is not a whole number of blocks.
    pub const fn row_bytes(self, len: usize) -> Option<usize> {
        if !len.is_multiple_of(self.block_len()) {
            return None;
        }
        (len / self.block_len()).checked_mul(self.block_bytes())
    }

    /// Whether weights are floats: activations are not rounded for them.
    pub const fn is_float(self) -> bool {
        matches!(self, Format::F32 | Format::F16 | Format::BF16 | Format::F8)
    }

    /// Length of the groups in which an activation row is rounded for this format.
    ///
    /// A group never spans two parts of a block with different float scales, except in NVFP4,
    /// where two parts share one group.
    pub const fn group_len(self) -> usize {
        if self.block_len() < 256 { 32 } else { 256 }
    }

    /// Length of the parts into which `blocks::unpack` takes a block: weights under one float scale
    /// and one activation group.
    pub const fn part_len(self) -> usize {
        match self {
            Format::NVFP4 => 16,
            _ => self.group_len(),
        }
    }
}
