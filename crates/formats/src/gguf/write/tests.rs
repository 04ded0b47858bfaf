use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::super::{ArrayBuf, Gguf, Kind};
use super::*;

/// A value that owns what it holds, for generated files.
#[derive(Clone, Debug)]
enum Owned {
    Plain(Value<'static>),
    Text(String),
    Array(ArrayBuf),
}

impl Owned {
    fn value(&self) -> Value<'_> {
        match self {
            Owned::Plain(value) => *value,
            Owned::Text(text) => Value::Str(text),
            Owned::Array(array) => array.value(),
        }
    }
}

fn plain() -> impl Strategy<Value = Value<'static>> {
    prop_oneof![
        any::<u8>().prop_map(Value::U8),
        any::<i8>().prop_map(Value::I8),
        any::<u16>().prop_map(Value::U16),
        any::<i16>().prop_map(Value::I16),
        any::<u32>().prop_map(Value::U32),
        any::<i32>().prop_map(Value::I32),
        any::<u64>().prop_map(Value::U64),
        any::<i64>().prop_map(Value::I64),
        any::<f32>().prop_map(Value::F32),
        any::<f64>().prop_map(Value::F64),
        any::<bool>().prop_map(Value::Bool),
    ]
}

/// Arrays of plain values, of strings, and of arrays of both.
fn array() -> impl Strategy<Value = ArrayBuf> {
    let repeated = |(value, len): (Value<'static>, usize)| {
        ArrayBuf::values(value.kind(), std::iter::repeat_n(value, len))
    };
    let leaf = prop_oneof![
        (plain(), 0..6usize).prop_map(repeated),
        vec(any::<i32>(), 0..6).prop_map(ArrayBuf::from_iter),
        vec(vec(any::<u8>(), 0..8), 0..6).prop_map(ArrayBuf::strings),
    ];
    let nest = |arrays: Vec<ArrayBuf>| ArrayBuf::arrays(arrays.iter().map(ArrayBuf::view));
    leaf.prop_recursive(3, 32, 4, move |inner| vec(inner, 0..4).prop_map(nest))
}

fn value() -> impl Strategy<Value = Owned> {
    prop_oneof![
        plain().prop_map(Owned::Plain),
        ".{0,12}".prop_map(Owned::Text),
        array().prop_map(Owned::Array),
    ]
}

/// A storage, and a shape whose rows are whole blocks.
fn tensor() -> impl Strategy<Value = (Storage, Vec<usize>)> {
    let known = Storage::all().filter(|storage| storage.ggml_id().is_some());
    let storage = prop::sample::select(known.collect::<Vec<_>>());
    (storage, vec(1..4usize, 1..=4)).prop_map(|(storage, mut shape)| {
        *shape.last_mut().unwrap() *= storage.block().0;
        (storage, shape)
    })
}

fn write(writer: Writer, bytes: &[Vec<u8>]) -> Vec<u8> {
    let mut body = writer.begin(Vec::new()).unwrap();
    for (number, bytes) in bytes.iter().enumerate() {
        match number % 3 {
            0 => body.tensor(bytes).unwrap(),
            1 => bytes.chunks(5).for_each(|part| body.part(part).unwrap()),
            _ => body.stream(bytes.as_slice()).unwrap(),
        }
    }
    body.finish().unwrap()
}

fn bits(value: Value<'_>) -> Vec<u8> {
    let mut bytes = vec![value.kind() as u8];
    encode::value(&mut bytes, value);
    bytes
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        keys in btree_map("[a-zé.]{1,12}", value(), 0..8),
        tensors in btree_map("[a-z.]{1,12}", tensor(), 0..6),
        alignment in prop::option::of(0..8u32),
    ) {
        let mut writer = Writer::new();
        if let Some(power) = alignment {
            writer.key(ALIGNMENT_KEY, Value::U32(1 << power)).unwrap();
        }
        for (key, value) in &keys {
            writer.key(key, value.value()).unwrap();
        }
        let mut bytes = Vec::new();
        for (number, (name, (storage, shape))) in tensors.iter().enumerate() {
            writer.tensor(name, *storage, shape).unwrap();
            let count = shape.iter().product::<usize>() as u64;
            bytes.push(vec![number as u8; storage.bytes(count).unwrap() as usize]);
        }
        let file = Gguf::from_bytes(write(writer, &bytes)).unwrap();

        prop_assert_eq!(file.version(), 3);
        let added = usize::from(alignment.is_some());
        prop_assert_eq!(file.keys().count(), keys.len() + added);
        for ((key, value), (found_key, found)) in keys.iter().zip(file.keys().skip(added)) {
            prop_assert_eq!(key, found_key);
            prop_assert_eq!(bits(value.value()), bits(found));
            prop_assert_eq!(bits(file.get(key).unwrap()), bits(found));
        }
        prop_assert_eq!(file.tensors().count(), tensors.len());
        for (((name, (storage, shape)), bytes), found) in
            tensors.iter().zip(&bytes).zip(file.tensors())
        {
            prop_assert_eq!(name, found.name);
            prop_assert_eq!(*storage, found.storage);
            prop_assert_eq!(shape.as_slice(), &*found.shape);
            prop_assert_eq!(bytes.as_slice(), found.bytes);
            prop_assert_eq!(file.tensor(name), Some(found));
        }
    }
}

#[test]
fn what_no_reader_takes_is_not_written() {
    let mut writer = Writer::new();
    writer.key("a", Value::U8(1)).unwrap();
    let refused = |result: Result<(), Error>| result.unwrap_err().to_string();
    assert_eq!(refused(writer.key("a", Value::U8(2))), "the key \"a\" is there twice");
    assert!(refused(writer.key(ALIGNMENT_KEY, Value::U32(24))).contains("power of two"));
    assert!(refused(writer.key(ALIGNMENT_KEY, Value::U64(32))).contains("u64 where u32"));
    let deep = (0..4).fold(ArrayBuf::strings(["a"]), |inner, _| ArrayBuf::arrays([inner.view()]));
    assert!(refused(writer.key("deep", deep.value())).contains("more than 4 levels"));
    assert!(refused(writer.key(&"k".repeat(70_000), Value::U8(1))).contains("limit of 65535"));

    writer.tensor("t", Storage::F32, &[2, 3]).unwrap();
    let mut tensor = |name, storage, shape: &[usize]| refused(writer.tensor(name, storage, shape));
    assert_eq!(tensor("t", Storage::F32, &[1]), "the tensor \"t\" is there twice");
    assert!(tensor("u", Storage::F32, &[1, 0]).contains("a dimension of zero"));
    assert!(tensor("u", Storage::F32, &[]).contains("0 dimensions"));
    assert!(tensor("u", Storage::F32, &[1; 5]).contains("5 dimensions"));
    assert!(tensor("u", Storage::Q4_K, &[256, 255]).contains("whole blocks of 256"));
    assert!(tensor("u", Storage::F64, &[usize::MAX, 1]).contains("larger than any file"));
    assert!(tensor("u", Storage::U16, &[1]).contains("which GGUF cannot hold"));
}

#[test]
fn a_stream_that_ends_early_is_an_error() {
    let mut writer = Writer::new();
    writer.tensor("t", Storage::I8, &[10]).unwrap();
    let error = writer.begin(Vec::new()).unwrap().stream([0; 9].as_slice()).unwrap_err();
    assert!(matches!(error.reason, Reason::CutShort { needed: 10, left: 9, .. }), "{error}");
}

#[test]
fn nested_arrays_keep_their_elements_apart() {
    let words = ArrayBuf::strings(["a", "bc"]);
    let numbers = [7u32, 8].into_iter().collect::<ArrayBuf>();
    let nested = ArrayBuf::arrays([words.view(), numbers.view(), words.view()]);
    let elements = nested.view().values().collect::<Vec<_>>();
    assert_eq!(elements, [words.value(), numbers.value(), words.value()]);
    assert_eq!(nested.view().kind(), Kind::Array);
    assert_ne!(words.view(), numbers.view());
}
