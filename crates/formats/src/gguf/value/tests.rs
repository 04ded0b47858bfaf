use super::super::ArrayBuf;
use super::*;

#[test]
fn strings_need_not_be_text() {
    let buf = ArrayBuf::strings([b"a".as_slice(), b"\xff", b""]);
    let array = buf.view();
    let strings = array.strings().unwrap();
    assert_eq!(strings.len(), 3);
    assert_eq!(strings.map(Result::ok).collect::<Vec<_>>(), [Some("a"), None, Some("")]);
    let bytes = array.byte_strings().unwrap().collect::<Vec<_>>();
    assert_eq!(bytes, [b"a".as_slice(), b"\xff", b""]);
    assert_eq!(array.values().count(), 1, "the second is no text and ends the values");
}

#[test]
fn views_are_of_one_type_only() {
    let buf = [1u32, u32::MAX].into_iter().collect::<ArrayBuf>();
    let array = buf.view();
    assert_eq!(array.u32s().unwrap().collect::<Vec<_>>(), [1, u32::MAX]);
    assert_eq!(array.integers().unwrap().collect::<Vec<_>>(), [1, i128::from(u32::MAX)]);
    assert!(array.i32s().is_none() && array.f32s().is_none() && array.bools().is_none());
    assert!(array.strings().is_none() && array.bytes().is_none());
}

#[test]
fn small_types_have_views_too() {
    let flags = ArrayBuf::values(Kind::Bool, [Value::Bool(true), Value::Bool(false)]);
    assert_eq!(flags.view().bools().unwrap().collect::<Vec<_>>(), [true, false]);
    assert!(flags.view().integers().is_none());
    let signed = ArrayBuf::values(Kind::I8, [Value::I8(-1)]);
    assert_eq!(signed.view().bytes(), Some([0xff].as_slice()));
    assert_eq!(signed.view().integers().unwrap().next(), Some(-1));
    let floats = [0.5f32].into_iter().collect::<ArrayBuf>();
    assert_eq!(floats.view().f32s().unwrap().next(), Some(0.5));
    assert!(floats.view().integers().is_none());
}

#[test]
fn arrays_compare_by_their_elements() {
    let words = |words: &[&str]| ArrayBuf::strings(words);
    assert_eq!(words(&["a", "b"]).view(), words(&["a", "b"]).view());
    assert_ne!(words(&["a", "b"]).view(), words(&["a", "c"]).view());
    let empty = |kind| ArrayBuf::values(kind, []);
    assert_ne!(empty(Kind::U8).view(), empty(Kind::I8).view());
    assert!(empty(Kind::Str).view().is_empty());
}
