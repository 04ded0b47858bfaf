//! Safetensors files that lie.

use super::{Bytes, Case};

/// A header, and that many bytes of data.
fn file(header: &str, data: usize) -> Bytes {
    Bytes::default().text(header).zeros(data)
}

/// A file of one tensor whose object has these fields, with four bytes of data.
fn one(fields: &str) -> Bytes {
    file(&format!("{{\"t\":{{{fields}}}}}"), 4)
}

/// A tensor of bytes.
fn bytes(name: &str, begin: usize, end: usize) -> String {
    let length = end.saturating_sub(begin);
    format!("\"{name}\":{{\"dtype\":\"U8\",\"shape\":[{length}],\"data_offsets\":[{begin},{end}]}}")
}

/// A file of two tensors of bytes, with eight bytes of data.
fn two(first: (&str, usize, usize), second: (&str, usize, usize)) -> Bytes {
    let first = bytes(first.0, first.1, first.2);
    file(&format!("{{{first},{}}}", bytes(second.0, second.1, second.2)), 8)
}

/// A file with one tensor and these notes.
fn notes(notes: &str) -> Bytes {
    file(&format!("{{\"__metadata__\":{notes},{}}}", bytes("t", 0, 4)), 4)
}

/// All cases.
pub fn cases() -> Vec<Case> {
    let mut cases = heads();
    cases.extend(headers());
    cases.extend(fields());
    cases.extend(places());
    let case = |(name, bytes, says): (_, Bytes, _)| Case { name, bytes: bytes.0, says };
    cases.into_iter().map(case).collect()
}

type Rows = Vec<(&'static str, Bytes, Option<&'static str>)>;

fn heads() -> Rows {
    let length = |length: u64| Bytes::default().u64(length).raw(b"{}");
    vec![
        ("valid.safetensors", valid(), None),
        ("no-tensors.safetensors", file("{}", 0), None),
        ("empty.safetensors", Bytes::default(), Some("not a safetensors file: it is empty")),
        ("gguf.safetensors", Bytes::default().raw(b"GGUF").zeros(20), Some("it is a GGUF file")),
        ("zip.safetensors", Bytes::default().raw(b"PK\x03\x04").zeros(20), Some("a zip archive")),
        ("length-only.safetensors", Bytes::default().u64(2), Some("needs 2 bytes, but 0 are left")),
        (
            "length-2-64.safetensors",
            length(u64::MAX),
            Some("the header of 18446744073709551615 is"),
        ),
        ("length-3.safetensors", length(3), Some("the header needs 3 bytes, but 2 are left")),
        ("length-100000000.safetensors", length(100_000_000), Some("needs 100000000 bytes")),
        ("length-0.safetensors", length(0), Some("should have an object here (at byte 8)")),
    ]
}

/// Escapes, notes, an empty tensor, a scalar, fields in another order, a padded header.
pub fn valid() -> Bytes {
    let header = r#"{"__metadata__":{"format":"pt","a\"b":"\u00e9"},
        "scalar":{"dtype":"F32","shape":[],"data_offsets":[0,4]},
        "nothing":{"dtype":"I64","shape":[3,0],"data_offsets":[4,4]},
      "a\/\u00e9":{"data_offsets":[4,10],"extra":[{"x":null}],"shape":[1,3],"dtype":"BF16"}}    "#;
    file(header, 10)
}

fn headers() -> Rows {
    let deep = format!("\"x\":{}1{}", "[".repeat(3000), "]".repeat(3000));
    let huge = format!("{{{}}}", bytes(&"n".repeat(1025), 0, 4));
    vec![
        ("header-cut.safetensors", file("{\"t\":{", 0), Some("should have a string")),
        ("header-array.safetensors", file("{[]}", 0), Some("should have a string")),
        ("header-tail.safetensors", file("{}x", 0), Some("should have the end")),
        (
            "header-not-utf8.safetensors",
            Bytes::default().u64(4).raw(b"{\"\xff\""),
            Some("not valid UTF-8"),
        ),
        ("header-deep.safetensors", one(&deep), Some("more than 16 levels deep")),
        ("name-1025.safetensors", file(&huge, 4), Some("a tensor's name of 1025 is over")),
        (
            "name-half-a-pair.safetensors",
            file(r#"{"\ud800":{}}"#, 0),
            Some("should have a valid escape"),
        ),
        ("notes-empty.safetensors", notes("{}"), None),
        ("notes-null.safetensors", notes("null"), Some("should have an object")),
        ("notes-list.safetensors", notes("[]"), Some("should have an object")),
        ("notes-number.safetensors", notes("{\"a\":1}"), Some("should have a string")),
        ("notes-twice.safetensors", notes("{},\"__metadata__\":{}"), Some("there twice")),
    ]
}

fn fields() -> Rows {
    let places = "\"data_offsets\":[0,4]";
    let shape = |shape| one(&format!("\"dtype\":\"U8\",\"shape\":{shape},{places}"));
    let dtype = |dtype| one(&format!("\"dtype\":{dtype},\"shape\":[4],{places}"));
    let offsets =
        |offsets| one(&format!("\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":{offsets}"));
    vec![
        ("tensor-number.safetensors", file("{\"t\":1}", 0), Some("should have an object")),
        ("tensor-empty.safetensors", one(""), Some("the tensor \"t\" has no dtype")),
        ("no-shape.safetensors", one(&format!("\"dtype\":\"U8\",{places}")), Some("has no shape")),
        (
            "no-offsets.safetensors",
            one("\"dtype\":\"U8\",\"shape\":[4]"),
            Some("has no data_offsets"),
        ),
        (
            "dtype-twice.safetensors",
            dtype("\"U8\",\"dtype\":\"U8\""),
            Some("\"dtype\" is there twice"),
        ),
        ("dtype-unknown.safetensors", dtype("\"F4\""), Some("in the unknown type \"F4\"")),
        ("dtype-number.safetensors", dtype("8"), Some("should have a string")),
        (
            "shape-wrong.safetensors",
            shape("[5]"),
            Some("has 4 bytes, and its type and shape ask for 5"),
        ),
        (
            "shape-2-96.safetensors",
            shape("[4294967296,4294967296,4294967296]"),
            Some("larger than any file"),
        ),
        (
            "shape-2-65.safetensors",
            shape("[36893488147419103232]"),
            Some("should have a whole number below 2^64"),
        ),
        ("shape-negative.safetensors", shape("[-4]"), Some("should have a whole number")),
        ("shape-float.safetensors", shape("[4.0]"), Some("should have a whole number")),
        ("shape-text.safetensors", shape("\"4\""), Some("should have an array")),
        ("shape-8.safetensors", shape("[1,1,1,1,1,1,2,2]"), None),
        (
            "shape-9.safetensors",
            shape("[1,1,1,1,1,1,2,2,1]"),
            Some("has 9 dimensions, where 0 to 8"),
        ),
        ("shape-zero-and-huge.safetensors", shape("[0,18446744073709551615,9]"), Some("ask for 0")),
        ("offsets-1.safetensors", offsets("[4]"), Some("should have a begin and an end")),
        ("offsets-3.safetensors", offsets("[0,4,4]"), Some("should have a begin and an end")),
        ("offsets-backwards.safetensors", offsets("[4,0]"), Some("has 0 bytes")),
        (
            "offsets-past-end.safetensors",
            offsets("[1,5]"),
            Some("ends at byte 5, and the file at 4"),
        ),
        (
            "offsets-2-64.safetensors",
            offsets("[18446744073709551611,18446744073709551615]"),
            Some("ends at"),
        ),
    ]
}

fn places() -> Rows {
    vec![
        ("two.safetensors", two(("b", 4, 8), ("a", 0, 4)), None),
        (
            "twice.safetensors",
            two(("a", 0, 4), ("a", 4, 8)),
            Some("the tensor \"a\" is there twice"),
        ),
        ("twice-escaped.safetensors", two(("a", 0, 4), (r"\u0061", 4, 8)), Some("there twice")),
        (
            "overlap.safetensors",
            two(("a", 0, 5), ("b", 4, 8)),
            Some("\"b\" shares bytes with the tensor \"a\""),
        ),
        ("same-place.safetensors", two(("a", 0, 8), ("b", 0, 8)), Some("shares bytes")),
        (
            "inside.safetensors",
            two(("a", 0, 8), ("b", 4, 4)),
            Some("\"b\" shares bytes with the tensor \"a\""),
        ),
        (
            "hole.safetensors",
            two(("a", 0, 3), ("b", 4, 8)),
            Some("the bytes 3 to 4 of the data belong to no"),
        ),
        ("hole-first.safetensors", two(("a", 1, 4), ("b", 4, 8)), Some("the bytes 0 to 1")),
        ("hole-last.safetensors", two(("a", 0, 4), ("b", 4, 7)), Some("the bytes 7 to 8")),
    ]
}
