//! The formats that may be asked for, by the names that people know.

use formats::Storage;

/// How matrices are stored in the new file. What is small and multiplies everything, such as a
/// norm's weights, stays F32; in a mix some matrices have more bits than others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(non_camel_case_types, missing_docs)] // The names are those that people know.
#[rustfmt::skip]
pub enum Quant {
    F32, F16, BF16, Q8_0,
    Q6_K, Q5_K_M, Q5_K_S, Q5_1, Q5_0,
    Q4_K_M, Q4_K_S, Q4_1, Q4_0, IQ4_NL,
    Q3_K_L, Q3_K_M, Q3_K_S, Q2_K,
}

/// A name, the storage of most matrices, and the number of `general.file_type`.
struct Row(Quant, &'static str, Storage, u32);

#[rustfmt::skip]
const TABLE: [Row; 18] = [
    Row(Quant::F32,    "f32",    Storage::F32,    0),
    Row(Quant::F16,    "f16",    Storage::F16,    1),
    Row(Quant::BF16,   "bf16",   Storage::BF16,   32),
    Row(Quant::Q8_0,   "q8_0",   Storage::Q8_0,   7),
    Row(Quant::Q6_K,   "q6_k",   Storage::Q6_K,   18),
    Row(Quant::Q5_K_M, "q5_k_m", Storage::Q5_K,   17),
    Row(Quant::Q5_K_S, "q5_k_s", Storage::Q5_K,   16),
    Row(Quant::Q5_1,   "q5_1",   Storage::Q5_1,   9),
    Row(Quant::Q5_0,   "q5_0",   Storage::Q5_0,   8),
    Row(Quant::Q4_K_M, "q4_k_m", Storage::Q4_K,   15),
    Row(Quant::Q4_K_S, "q4_k_s", Storage::Q4_K,   14),
    Row(Quant::Q4_1,   "q4_1",   Storage::Q4_1,   3),
    Row(Quant::Q4_0,   "q4_0",   Storage::Q4_0,   2),
    Row(Quant::IQ4_NL, "iq4_nl", Storage::IQ4_NL, 25),
    Row(Quant::Q3_K_L, "q3_k_l", Storage::Q3_K,   13),
    Row(Quant::Q3_K_M, "q3_k_m", Storage::Q3_K,   12),
    Row(Quant::Q3_K_S, "q3_k_s", Storage::Q3_K,   11),
    Row(Quant::Q2_K,   "q2_k",   Storage::Q2_K,   10),
];

impl Quant {
    /// Every one of them, from the largest to the smallest.
    pub fn all() -> impl Iterator<Item = Quant> {
        TABLE.iter().map(|row| row.0)
    }

    /// The one with this name, in letters of either case.
    pub fn by_name(name: &str) -> Option<Quant> {
        TABLE.iter().find(|row| row.1.eq_ignore_ascii_case(name)).map(|row| row.0)
    }

    /// Its name, in small letters.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The storage of most matrices.
    pub fn storage(self) -> Storage {
        self.row().2
    }

    /// As other tools number it.
    pub(super) fn file_type(self) -> u32 {
        self.row().3
    }

    /// The rows stand in the order of the variants, which a test holds.
    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_own_row() {
        for quant in Quant::all() {
            assert_eq!(quant.row().0, quant);
            assert_eq!(format!("{quant:?}").to_lowercase(), quant.name());
            assert_eq!(Quant::by_name(&quant.name().to_uppercase()), Some(quant));
        }
        assert_eq!(Quant::all().count(), Quant::Q2_K as usize + 1);
        assert_eq!(Quant::by_name("q4_k"), None);
    }
}
