//! GGUF files that lie.

use super::{Bytes, Case};

const U8: u32 = 0;
const U16: u32 = 2;
const U32: u32 = 4;
const I32: u32 = 5;
const BOOL: u32 = 7;
const STRING: u32 = 8;
const ARRAY: u32 = 9;
const U64: u32 = 10;

const F32: u32 = 0;
const Q4_0: u32 = 2;
const Q4_K: u32 = 12;

/// A head with these counts.
fn head(tensors: u64, keys: u64) -> Bytes {
    Bytes::default().raw(b"GGUF").u32(3).u64(tensors).u64(keys)
}

/// A head and one key, up to the type of its value.
fn one_key(kind: u32) -> Bytes {
    head(0, 1).text("k").u32(kind)
}

/// One tensor's entry.
fn entry(bytes: Bytes, name: &str, dimensions: &[u64], (kind, offset): (u32, u64)) -> Bytes {
    let bytes = bytes.text(name).u32(dimensions.len() as u32);
    dimensions.iter().fold(bytes, |bytes, &size| bytes.u64(size)).u32(kind).u64(offset)
}

/// A file of one tensor with 64 bytes of data.
fn one_tensor(dimensions: &[u64], place: (u32, u64)) -> Bytes {
    entry(head(1, 0), "t", dimensions, place).align(32).zeros(64)
}

/// A file of two tensors of eight floats each, the second at `offset`.
fn two_tensors(names: [&str; 2], offset: u64) -> Bytes {
    let bytes = entry(head(2, 0), names[0], &[8], (F32, 0));
    entry(bytes, names[1], &[8], (F32, offset)).align(32).zeros(64)
}

fn aligned(kind: u32, value: &[u8]) -> Bytes {
    let bytes = head(1, 1).text("general.alignment").u32(kind).raw(value);
    entry(bytes, "t", &[2, 4], (F32, 0)).align(32).zeros(32)
}

/// Arrays in arrays, `depth` of them around an empty one of bytes.
fn nested(depth: usize) -> Bytes {
    let outer = (0..depth).fold(one_key(ARRAY), |bytes, _| bytes.u32(ARRAY).u64(1));
    outer.u32(U8).u64(0)
}

fn split(count: u16) -> Bytes {
    let bytes = head(0, 3).text("split.no").u32(U16).raw(&[0, 0]);
    let bytes = bytes.text("split.count").u32(U16).raw(&count.to_le_bytes());
    bytes.text("split.tensors.count").u32(I32).u32(0)
}

/// A key of every type, two arrays, and two tensors.
pub fn valid(version: u32) -> Bytes {
    let bytes = Bytes::default().raw(b"GGUF").u32(version).u64(2).u64(16);
    let sizes = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];
    let mut bytes = bytes.text("general.architecture").u32(STRING).text("llama");
    for (kind, size) in sizes.into_iter().enumerate().filter(|(_, size)| *size > 0) {
        bytes = bytes
            .text(&format!("key.{kind}"))
            .u32(kind as u32)
            .raw(&[1, 0, 0, 0, 0, 0, 0, 0][..size]);
    }
    bytes =
        bytes.text("tokens").u32(ARRAY).u32(STRING).u64(3).text("a").text("").u64(1).raw(&[0xff]);
    bytes = bytes.text("scores").u32(ARRAY).u32(6).u64(2).u32(0).u32(0x3f80_0000);
    bytes = bytes.text("flags").u32(ARRAY).u32(BOOL).u64(2).raw(&[0, 1]);
    bytes =
        bytes.text("nested").u32(ARRAY).u32(ARRAY).u64(2).u32(U8).u64(1).raw(&[9]).u32(U8).u64(0);
    bytes = entry(bytes, "token_embd.weight", &[32, 2], (Q4_0, 0));
    entry(bytes, "output_norm.weight", &[4], (F32, 64)).align(32).zeros(96)
}

/// All cases.
pub fn cases() -> Vec<Case> {
    let mut cases = heads();
    cases.extend(strangers());
    cases.extend(metadata());
    cases.extend(tensors());
    let case = |(name, bytes, says): (_, Bytes, _)| Case { name, bytes: bytes.0, says };
    cases.into_iter().map(case).collect()
}

type Rows = Vec<(&'static str, Bytes, Option<&'static str>)>;

fn heads() -> Rows {
    let file = |bytes: &[u8]| Bytes::default().raw(bytes);
    let version = |version: u32| file(b"GGUF").u32(version).u64(0).u64(0);
    vec![
        ("valid-v3.gguf", valid(3), None),
        ("valid-v2.gguf", valid(2), None),
        ("no-keys-no-tensors.gguf", version(3), None),
        ("version-0.gguf", version(0), Some("version 0 is not supported")),
        ("version-1.gguf", version(1), Some("version 1 is not supported: convert")),
        ("version-4.gguf", version(4), Some("version 4 is not supported")),
        ("big-endian.gguf", version(3u32.swap_bytes()), Some("big-endian")),
        ("magic-only.gguf", file(b"GGUF"), Some("the version needs 4 bytes, but 0 are left")),
        ("36-bytes.gguf", head(1, 1).zeros(12), Some("the metadata needs 13 bytes, but 12 are")),
        ("tensors-2-60.gguf", head(1 << 60, 0), Some("number of tensors of 1152921504606846976")),
        ("keys-2-64.gguf", head(0, u64::MAX), Some("a number of keys of 18446744073709551615")),
        ("keys-1000000.gguf", head(0, 1_000_000), Some("the metadata needs 13000000 bytes")),
        ("tensors-1000000.gguf", head(1_000_000, 0), Some("the list of tensors needs 32000000")),
    ]
}

fn strangers() -> Rows {
    let file = |bytes: &[u8]| Bytes::default().raw(bytes);
    vec![
        ("empty.gguf", file(b""), Some("it is empty")),
        ("safetensors.gguf", file(b"\x02\0\0\0\0\0\0\0{}"), Some("it is a safetensors file")),
        ("web-page.gguf", file(b"\n<!DOCTYPE html>"), Some("it is a web page")),
        ("zip.gguf", file(b"PK\x03\x04\x14\0"), Some("a zip archive, such as PyTorch writes")),
        ("pickle.gguf", file(b"\x80\x02}q\0."), Some("a Python pickle")),
        ("lfs.gguf", file(b"version https://git-lfs.github.com/spec/v1\n"), Some("git lfs pull")),
        ("json.gguf", file(b"{\"error\": 404}"), Some("it is JSON")),
        ("ggml.gguf", file(b"tjgg\x03\0\0\0"), Some("from before GGUF")),
        ("gzip.gguf", file(b"\x1f\x8b\x08\0"), Some("compressed with gzip")),
        ("hdf5.gguf", file(b"\x89HDF\r\n\x1a\n"), Some("an HDF5 file")),
        ("zeros.gguf", Bytes::default().zeros(64), Some("it begins with zeros")),
        ("noise.gguf", file(b"\x17\x99\xfe\x03"), Some("of no known format")),
    ]
}

fn metadata() -> Rows {
    let two =
        |first, second| head(0, 2).text(first).u32(U8).raw(&[1]).text(second).u32(U8).raw(&[2]);
    let length = |length| one_key(STRING).u64(length).zeros(16);
    let array = |kind, length| one_key(ARRAY).u32(kind).u64(length).zeros(16);
    let strings = one_key(ARRAY).u32(STRING).u64(2).text("a").u64(1 << 63).zeros(16);
    let twice = [0, 0, 0, 3].as_slice();
    vec![
        ("key-empty.gguf", head(0, 1).text("").u32(U8).raw(&[0]), None),
        ("key-length-2-63.gguf", head(0, 1).u64(1 << 63).zeros(16), Some("a key of 9223372036854")),
        ("key-past-end.gguf", head(0, 1).u64(99).zeros(16), Some("a key needs 99 bytes, but 16")),
        (
            "key-not-utf8.gguf",
            head(0, 1).u64(1).raw(&[0xff]).u32(U8).zeros(8),
            Some("not valid UTF-8"),
        ),
        ("key-twice.gguf", two("k", "k"), Some("the key \"k\" is there twice (at byte 38)")),
        ("key-prefix-of-key.gguf", two("k.k", "k"), None),
        ("type-13.gguf", one_key(13).zeros(16), Some("metadata type 13 is unknown (at byte 33)")),
        (
            "string-length-2-63.gguf",
            length(1 << 63),
            Some("a string of 9223372036854775808 is over"),
        ),
        ("string-length-2-64.gguf", length(u64::MAX), Some("over the limit")),
        ("string-past-end.gguf", length(17), Some("a string needs 17 bytes, but 16 are left")),
        ("string-not-utf8.gguf", one_key(STRING).u64(1).raw(&[0xff]), Some("not valid UTF-8")),
        ("bool-2.gguf", one_key(BOOL).raw(&[2]), Some("must be 0 or 1, and this one is 2")),
        ("bool-in-array-3.gguf", one_key(ARRAY).u32(BOOL).u64(4).raw(twice), Some("this one is 3")),
        ("array-2-60.gguf", array(U64, 1 << 60), Some("an array of 1152921504606846976 is over")),
        ("array-past-end.gguf", array(U32, 5), Some("an array needs 20 bytes, but 16 are left")),
        ("array-of-strings-past-end.gguf", array(STRING, 3), Some("needs 24 bytes")),
        ("array-string-length-2-63.gguf", strings, Some("a string of 9223372036854775808")),
        ("array-type-99.gguf", array(99, 1), Some("metadata type 99 is unknown")),
        ("arrays-3-deep.gguf", nested(3), None),
        ("arrays-4-deep.gguf", nested(4), Some("more than 4 levels")),
        ("arrays-2000-deep.gguf", nested(2000), Some("more than 4 levels")),
        ("split-in-memory.gguf", split(2), Some("part 2 of 2 of this model is missing")),
        ("split-60000.gguf", split(60_000), Some("a number of parts of 60000 is over")),
        ("split-count-0.gguf", split(0), None),
    ]
}

fn tensors() -> Rows {
    let huge = [1 << 32, 1 << 32, 1 << 32];
    let name = |name: &[u8]| {
        let bytes = head(1, 0).u64(name.len() as u64).raw(name).u32(1).u64(8).u32(F32).u64(0);
        bytes.align(32).zeros(32)
    };
    let text = Bytes::default().text("32").0;
    vec![
        ("n-dims-0.gguf", one_tensor(&[], (F32, 0)), Some("has 0 dimensions")),
        ("n-dims-4.gguf", one_tensor(&[2, 2, 2, 2], (F32, 0)), None),
        ("n-dims-5.gguf", one_tensor(&[1; 5], (F32, 0)), Some("has 5 dimensions")),
        (
            "n-dims-9.gguf",
            one_tensor(&[1; 9], (F32, 0)),
            Some("\"t\" has 9 dimensions, where 1 to 4"),
        ),
        ("n-dims-2-32.gguf", head(1, 0).text("t").u32(u32::MAX).zeros(64), Some("4294967295 dim")),
        ("dimension-0.gguf", one_tensor(&[4, 0], (F32, 0)), Some("has a dimension of zero")),
        ("dimension-2-60.gguf", one_tensor(&[1 << 60], (F32, 0)), Some("ends at byte 46116860184")),
        ("blocks-2-60.gguf", one_tensor(&[32, 1 << 60], (Q4_0, 0)), Some("larger than any file")),
        ("product-2-96.gguf", one_tensor(&huge, (F32, 0)), Some("larger than any file")),
        (
            "row-of-half-a-block.gguf",
            one_tensor(&[16, 2], (Q4_0, 0)),
            Some("not whole blocks of 32"),
        ),
        ("row-of-1-in-q4k.gguf", one_tensor(&[1, 256], (Q4_K, 0)), Some("rows of 1 numbers")),
        ("type-4.gguf", one_tensor(&[8], (4, 0)), Some("the unknown type 4")),
        ("type-2-32.gguf", one_tensor(&[8], (u32::MAX, 0)), Some("the unknown type 4294967295")),
        ("offset-7.gguf", one_tensor(&[8], (F32, 7)), Some("offset 7, which is no multiple of 32")),
        (
            "offset-64.gguf",
            one_tensor(&[8], (F32, 64)),
            Some("ends at byte 160, and the file at 128"),
        ),
        ("offset-2-63.gguf", one_tensor(&[8], (F32, 1 << 63)), Some("ends at byte 92233720368547")),
        ("offset-2-64.gguf", one_tensor(&[8], (F32, !31)), Some("larger than any file")),
        ("tensors-apart.gguf", two_tensors(["a", "b"], 32), None),
        (
            "tensors-overlap.gguf",
            two_tensors(["a", "b"], 0),
            Some("\"b\" shares bytes with the tensor \"a\""),
        ),
        ("tensor-twice.gguf", two_tensors(["a", "a"], 32), Some("the tensor \"a\" is there twice")),
        ("name-1025.gguf", name(&[b'n'; 1025]), Some("a tensor's name of 1025 is over the limit")),
        ("name-not-utf8.gguf", name(&[0xc3]), Some("a tensor's name is not valid UTF-8")),
        ("alignment-8.gguf", aligned(U32, &[8, 0, 0, 0]), None),
        ("alignment-0.gguf", aligned(U32, &[0; 4]), Some("general.alignment is 0, and must be")),
        ("alignment-24.gguf", aligned(U32, &[24, 0, 0, 0]), Some("general.alignment is 24")),
        ("alignment-2-31.gguf", aligned(U32, &[0, 0, 0, 128]), Some("alignment is 2147483648")),
        ("alignment-string.gguf", aligned(STRING, &text), Some("type string where u32 is needed")),
        (
            "alignment-u64.gguf",
            aligned(U64, &[32, 0, 0, 0, 0, 0, 0, 0]),
            Some("type u64 where u32"),
        ),
    ]
}
