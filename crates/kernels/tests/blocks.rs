//! Blocks of 27 storage formats, random and quantised, against the values which gguf-py and
//! libggml read from them.

use std::collections::BTreeSet;

use formats::{Safetensors, Storage, Tensor};
use kernels::Format;
use kernels::blocks::{self, Part};
use serde_json::Value;
use testkit::golden;

/// Formats with expected values: all but F32, which has nothing to expect.
fn expected_formats() -> impl Iterator<Item = Format> {
    Format::ALL.into_iter().filter(|format| *format != Format::F32)
}

fn golden_blocks() -> Safetensors {
    Safetensors::open(&golden("blocks/blocks.safetensors")).unwrap()
}

fn tensor<'a>(file: &'a Safetensors, format: Format, kind: &str) -> Tensor<'a> {
    let name = format!("{format:?}.{kind}");
    file.tensor(&name).unwrap_or_else(|| panic!("no tensor {name}"))
}

fn bits(values: &[u8]) -> impl Iterator<Item = u32> {
    values.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes))
}

#[test]
fn decoded_values_are_the_expected_bits() {
    let file = golden_blocks();
    for format in expected_formats() {
        let (raw, values) = (tensor(&file, format, "raw"), tensor(&file, format, "values"));
        let mut found = vec![f32::NAN; values.count()];
        blocks::decode(format, raw.bytes, &mut found);
        for (i, (found, expected)) in found.iter().zip(bits(values.bytes)).enumerate() {
            let expected = f32::from_bits(expected);
            let (block, at) = (i / values.shape[1], i % values.shape[1]);
            assert!(
                found.to_bits() == expected.to_bits(),
                "{format:?}, block {block}, weight {at}: {found:?} instead of {expected:?}"
            );
        }
    }
}

#[test]
fn the_formats_are_those_of_the_report() {
    let text = std::fs::read_to_string(golden("blocks/report.json")).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    let report = report.as_object().unwrap();
    let known: BTreeSet<_> = expected_formats().map(|format| format!("{format:?}")).collect();
    assert_eq!(report.keys().cloned().collect::<BTreeSet<_>>(), known);
    for format in expected_formats() {
        let entry = &report[&format!("{format:?}")];
        let field = |name: &str| entry[name].as_u64().unwrap() as usize;
        let len = field("values_per_block");
        assert_eq!(len % format.block_len(), 0, "{format:?}");
        assert!(format.is_float() || len == format.block_len(), "{format:?}");
        assert_eq!(format.row_bytes(len), Some(field("bytes_per_block")), "{format:?}");
        let storage = Storage::from_ggml(field("id") as u32).unwrap();
        assert_eq!(storage.name(), format!("{format:?}"));
        assert_eq!(storage.block(), (format.block_len(), format.block_bytes()), "{format:?}");
    }
}

/// What `Part` promises: levels that keep a group's sum within an i32 and their products exact.
#[track_caller]
fn assert_small_levels(format: Format, bytes: &[u8]) {
    let mut part = Part::ZERO;
    for block in bytes.chunks_exact(format.block_bytes()) {
        for index in 0..format.block_len() / format.part_len() {
            blocks::unpack(format, block, index, &mut part);
            for level in &part.level[..format.part_len()] {
                assert!(level.unsigned_abs() <= 4096, "{format:?}: level {level}");
            }
        }
    }
}

#[test]
fn levels_of_the_golden_blocks_are_small() {
    let file = golden_blocks();
    for format in expected_formats().filter(|format| !format.is_float()) {
        assert_small_levels(format, tensor(&file, format, "raw").bytes);
    }
}

#[test]
fn levels_of_random_blocks_are_small() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random_byte = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    for format in expected_formats().filter(|format| !format.is_float()) {
        let bytes: Vec<u8> = (0..256 * format.block_bytes()).map(|_| random_byte()).collect();
        assert_small_levels(format, &bytes);
    }
}

/// Where weights come in parts of their own, the formula beside `Part` gives the expected values
/// too, but for the sign of zeros under a negative sub-scale.
#[test]
fn parts_stand_for_the_expected_values() {
    let file = golden_blocks();
    for format in expected_formats().filter(|format| !format.is_float()) {
        let (raw, values) = (tensor(&file, format, "raw"), tensor(&file, format, "values"));
        let mut expected = bits(values.bytes).map(f32::from_bits);
        let mut part = Part::ZERO;
        for block in raw.bytes.chunks_exact(format.block_bytes()) {
            for index in 0..format.block_len() / format.part_len() {
                blocks::unpack(format, block, index, &mut part);
                for i in 0..format.part_len() {
                    let less = part.min * f32::from(part.below[i / 16]);
                    let weight = part.scale * f32::from(part.level[i]) - less;
                    assert_eq!(Some(weight), expected.next(), "{format:?}, {i} of part {index}");
                }
            }
        }
        assert_eq!(expected.next(), None);
    }
}
