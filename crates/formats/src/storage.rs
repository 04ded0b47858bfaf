//! How numbers are stored: the block formats of ggml and the plain types of safetensors.
//!
//! Knows names, ids and sizes. How a block turns into numbers is the business of `kernels`.

/// How the numbers of a tensor are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(non_camel_case_types, missing_docs)] // The names are those that the formats use.
#[rustfmt::skip]
pub enum Storage {
    F32, F16, BF16, F64,
    Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q8_1,
    Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, Q8_K,
    IQ1_S, IQ1_M, IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS, IQ3_S, IQ4_NL, IQ4_XS,
    TQ1_0, TQ2_0, MXFP4, NVFP4, Q1_0, Q2_0,
    I8, I16, I32, I64,
    Bool, U8, U16, U32, U64, F8_E4M3, F8_E5M2, F8_E8M0,
}

/// One row per storage: its name in messages, its id in GGUF, its dtype in safetensors, and the
/// numbers and bytes of one block.
struct Row(Storage, &'static str, Option<u32>, Option<&'static str>, usize, usize);

use Storage::*;

#[rustfmt::skip]
const TABLE: [Row; 43] = [
    Row(F32,     "F32",     Some(0),  Some("F32"),       1,   4),
    Row(F16,     "F16",     Some(1),  Some("F16"),       1,   2),
    Row(BF16,    "BF16",    Some(30), Some("BF16"),      1,   2),
    Row(F64,     "F64",     Some(28), Some("F64"),       1,   8),
    Row(Q4_0,    "Q4_0",    Some(2),  None,             32,  18),
    Row(Q4_1,    "Q4_1",    Some(3),  None,             32,  20),
    Row(Q5_0,    "Q5_0",    Some(6),  None,             32,  22),
    Row(Q5_1,    "Q5_1",    Some(7),  None,             32,  24),
    Row(Q8_0,    "Q8_0",    Some(8),  None,             32,  34),
    Row(Q8_1,    "Q8_1",    Some(9),  None,             32,  36),
    Row(Q2_K,    "Q2_K",    Some(10), None,            256,  84),
    Row(Q3_K,    "Q3_K",    Some(11), None,            256, 110),
    Row(Q4_K,    "Q4_K",    Some(12), None,            256, 144),
    Row(Q5_K,    "Q5_K",    Some(13), None,            256, 176),
    Row(Q6_K,    "Q6_K",    Some(14), None,            256, 210),
    Row(Q8_K,    "Q8_K",    Some(15), None,            256, 292),
    Row(IQ1_S,   "IQ1_S",   Some(19), None,            256,  50),
    Row(IQ1_M,   "IQ1_M",   Some(29), None,            256,  56),
    Row(IQ2_XXS, "IQ2_XXS", Some(16), None,            256,  66),
    Row(IQ2_XS,  "IQ2_XS",  Some(17), None,            256,  74),
    Row(IQ2_S,   "IQ2_S",   Some(22), None,            256,  82),
    Row(IQ3_XXS, "IQ3_XXS", Some(18), None,            256,  98),
    Row(IQ3_S,   "IQ3_S",   Some(21), None,            256, 110),
    Row(IQ4_NL,  "IQ4_NL",  Some(20), None,             32,  18),
    Row(IQ4_XS,  "IQ4_XS",  Some(23), None,            256, 136),
    Row(TQ1_0,   "TQ1_0",   Some(34), None,            256,  54),
    Row(TQ2_0,   "TQ2_0",   Some(35), None,            256,  66),
    Row(MXFP4,   "MXFP4",   Some(39), None,             32,  17),
    Row(NVFP4,   "NVFP4",   Some(40), None,             64,  36),
    Row(Q1_0,    "Q1_0",    Some(41), None,            128,  18),
    Row(Q2_0,    "Q2_0",    Some(42), None,             64,  18),
    Row(I8,      "I8",      Some(24), Some("I8"),        1,   1),
    Row(I16,     "I16",     Some(25), Some("I16"),       1,   2),
    Row(I32,     "I32",     Some(26), Some("I32"),       1,   4),
    Row(I64,     "I64",     Some(27), Some("I64"),       1,   8),
    Row(Bool,    "BOOL",    None,     Some("BOOL"),      1,   1),
    Row(U8,      "U8",      None,     Some("U8"),        1,   1),
    Row(U16,     "U16",     None,     Some("U16"),       1,   2),
    Row(U32,     "U32",     None,     Some("U32"),       1,   4),
    Row(U64,     "U64",     None,     Some("U64"),       1,   8),
    Row(F8_E4M3, "F8_E4M3", None,     Some("F8_E4M3"),   1,   1),
    Row(F8_E5M2, "F8_E5M2", None,     Some("F8_E5M2"),   1,   1),
    Row(F8_E8M0, "F8_E8M0", None,     Some("F8_E8M0"),   1,   1),
];

impl Storage {
    /// Every storage there is, in the order of the table.
    pub fn all() -> impl Iterator<Item = Storage> {
        TABLE.iter().map(|row| row.0)
    }

    /// The name to show, as the formats spell it.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The storage with this type id in GGUF.
    pub fn from_ggml(id: u32) -> Option<Storage> {
        TABLE.iter().find(|row| row.2 == Some(id)).map(|row| row.0)
    }

    /// The type id in GGUF, for those that GGUF has.
    pub fn ggml_id(self) -> Option<u32> {
        self.row().2
    }

    /// The storage with this dtype in safetensors.
    pub fn from_dtype(dtype: &str) -> Option<Storage> {
        TABLE.iter().find(|row| row.3 == Some(dtype)).map(|row| row.0)
    }

    /// The dtype in safetensors, for those that safetensors has.
    pub fn dtype(self) -> Option<&'static str> {
        self.row().3
    }

    /// The numbers in one block and the bytes of one block; (1, size) when there are no blocks.
    pub fn block(self) -> (usize, usize) {
        let row = self.row();
        (row.4, row.5)
    }

    /// The bytes that `count` numbers take; `None` when they are not whole blocks, or too many.
    pub fn bytes(self, count: u64) -> Option<u64> {
        let (numbers, bytes) = self.block();
        if !count.is_multiple_of(numbers as u64) {
            return None;
        }
        (count / numbers as u64).checked_mul(bytes as u64)
    }

    /// The rows stand in the order of the variants, which a test holds.
    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

#[cfg(test)]
mod tests;
