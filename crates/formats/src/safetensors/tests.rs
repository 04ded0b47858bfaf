use super::*;
use crate::storage::Storage;

const HEADER: &str = r#"{
    "__metadata__": {"format": "pt", "said \"\u00e9\"": "a\\b"},
    "b": {"dtype": "F16", "shape": [2, 1], "data_offsets": [2, 6]},
    "\u0061\/\ud83d\ude00": {"dtype": "I8", "data_offsets": [0, 2], "shape": [2]}
}  "#;

fn opened() -> Safetensors {
    let mut bytes = (HEADER.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(HEADER.as_bytes());
    bytes.extend_from_slice(&[1, 2, 3, 4, 5, 6]);
    Safetensors::from_bytes(bytes).unwrap()
}

#[test]
fn tensors_are_found_by_name() {
    let file = opened();
    let half = file.tensor("b").unwrap();
    assert_eq!((half.storage, &*half.shape), (Storage::F16, [2, 1].as_slice()));
    assert_eq!(half.bytes, [3, 4, 5, 6]);
    assert_eq!(file.tensor("a/😀").unwrap().bytes, [1, 2]);
    assert_eq!(file.tensor("a"), None);
    assert_eq!(file.tensor("__metadata__"), None);
}

#[test]
fn tensors_come_in_the_order_of_the_header() {
    let file = opened();
    assert_eq!(file.tensors().map(|tensor| tensor.name).collect::<Vec<_>>(), ["b", "a/😀"]);
}

#[test]
fn notes_are_decoded() {
    let file = opened();
    let notes = file.metadata().collect::<Vec<_>>();
    assert_eq!(notes, [("format".into(), "pt".into()), ("said \"é\"".into(), "a\\b".into())]);
}
