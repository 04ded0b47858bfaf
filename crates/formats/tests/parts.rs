//! Models in several files: split GGUF and sharded safetensors.
#![allow(clippy::unwrap_used)] // All of this file is tests, their helpers too.

use std::fs;
use std::path::{Path, PathBuf};

use formats::gguf::{Gguf, Value, Writer};
use formats::{Safetensors, Storage};

/// An empty folder for one test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("parts-{name}"));
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// What one part says of itself.
#[derive(Clone, Copy)]
struct Part {
    no: u16,
    count: u16,
    total: i32,
    tensor: &'static str,
}

const PARTS: [Part; 3] = [
    Part { no: 0, count: 3, total: 3, tensor: "a" },
    Part { no: 1, count: 3, total: 3, tensor: "b" },
    Part { no: 2, count: 3, total: 3, tensor: "c" },
];

fn path(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("model-{number:05}-of-00003.gguf"))
}

fn write(path: &Path, part: Part) {
    let mut writer = Writer::new();
    if part.no == 0 {
        writer.key("general.architecture", Value::Str("llama")).unwrap();
    }
    writer.key("split.no", Value::U16(part.no)).unwrap();
    writer.key("split.count", Value::U16(part.count)).unwrap();
    writer.key("split.tensors.count", Value::I32(part.total)).unwrap();
    writer.tensor(part.tensor, Storage::I8, &[4]).unwrap();
    let mut body = writer.begin(fs::File::create(path).unwrap()).unwrap();
    body.tensor(&[part.no as u8; 4]).unwrap();
    body.finish().unwrap();
}

/// Three parts, after `change`.
fn split(name: &str, change: impl FnOnce(&mut [Part; 3])) -> PathBuf {
    let folder = folder(name);
    let mut parts = PARTS;
    change(&mut parts);
    for (number, part) in parts.iter().enumerate() {
        write(&path(&folder, number + 1), *part);
    }
    folder
}

fn refusal(name: &str, change: impl FnOnce(&mut [Part; 3])) -> String {
    Gguf::open(&path(&split(name, change), 1)).unwrap_err().to_string()
}

#[test]
fn any_part_opens_the_model() {
    let folder = split("any", |_| ());
    for number in 1..=3 {
        let file = Gguf::open(&path(&folder, number)).unwrap();
        assert_eq!(file.str("general.architecture").unwrap(), Some("llama"));
        let names = file.tensors().map(|tensor| tensor.name).collect::<Vec<_>>();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(file.tensor("c").unwrap().bytes, [2; 4]);
        let sizes = (1..=3).map(|number| fs::metadata(path(&folder, number)).unwrap().len());
        assert_eq!(file.bytes_total(), sizes.sum::<u64>());
    }
}

#[test]
fn a_missing_part_is_named() {
    let folder = split("missing", |_| ());
    fs::remove_file(path(&folder, 3)).unwrap();
    let error = Gguf::open(&path(&folder, 1)).unwrap_err();
    assert_eq!(error.file.as_deref(), Some(&*path(&folder, 3)));
    assert!(error.to_string().ends_with("part 3 of 3 of this model is missing"), "{error}");
}

#[test]
fn a_part_under_another_name_is_refused() {
    let folder = split("renamed", |_| ());
    for name in ["model.gguf", "model-00001-of-00003.gguf", "model-00002-of-00004.gguf"] {
        fs::copy(path(&folder, 2), folder.join(name)).unwrap();
        let error = Gguf::open(&folder.join(name)).unwrap_err().to_string();
        assert!(error.ends_with("its name must end in -00002-of-00003.gguf"), "{error}");
    }
}

#[test]
fn parts_must_agree() {
    let number = refusal("number", |parts| parts[1].no = 2);
    assert!(number.ends_with("split.no is 2 where 1 is needed"), "{number}");
    let count = refusal("count", |parts| parts[2].count = 4);
    assert!(count.ends_with("split.count is 4 where 3 is needed"), "{count}");
    let total = refusal("total", |parts| parts[1].total = 4);
    assert!(total.ends_with("split.tensors.count is 4 where 3 is needed"), "{total}");
    let all = refusal("all", |parts| parts.iter_mut().for_each(|part| part.total = 4));
    assert!(all.ends_with("the number of tensors is 3 where 4 is needed"), "{all}");
    let negative = refusal("negative", |parts| parts[0].total = -1);
    assert!(negative.contains("holds -1, which does not fit u64"), "{negative}");
    let twice = refusal("twice", |parts| parts[2].tensor = "a");
    assert!(twice.contains("-00003-of-00003.gguf: the tensor \"a\" is there twice"), "{twice}");
}

/// A safetensors file of one tensor of four bytes.
fn shard(name: &str) -> Vec<u8> {
    let entry = "{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}";
    let header = format!("{{\"{name}\":{entry}}}");
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &[7; 4]].concat()
}

/// A folder with two shards and this map from tensors to files.
fn sharded(name: &str, index: &str) -> PathBuf {
    let folder = folder(name);
    fs::write(folder.join("1.safetensors"), shard("a")).unwrap();
    fs::write(folder.join("2.safetensors"), shard("b")).unwrap();
    fs::write(folder.join("model.safetensors.index.json"), index).unwrap();
    folder
}

fn map(map: &str) -> String {
    format!("{{\"metadata\":{{\"total_size\":8}},\"weight_map\":{{{map}}}}}")
}

#[test]
fn shards_open_through_the_folder_and_the_index() {
    let index = map("\"b\":\"2.safetensors\",\"a\":\"1.safetensors\"");
    let folder = sharded("shards", &index);
    for path in [folder.clone(), folder.join("model.safetensors.index.json")] {
        let model = Safetensors::open(&path).unwrap();
        assert_eq!(model.tensors().count(), 2);
        assert_eq!(model.tensor("b").unwrap().bytes, [7; 4]);
        assert_eq!(model.bytes_total(), 2 * shard("a").len() as u64);
    }
}

#[test]
fn an_index_that_lies_is_refused() {
    let refusals = [
        (map("\"a\":\"/etc/passwd\""), "\"/etc/passwd\" is no name of a file in this folder"),
        (map("\"a\":\"../1.safetensors\""), "is no name of a file"),
        (map("\"a\":\"x/../../1.safetensors\""), "is no name of a file"),
        (map("\"a\":\"\\u002e\\u002e/1.safetensors\""), "\"../1.safetensors\" is no name"),
        (map("\"a\":\"\""), "\"\" is no name of a file"),
        (map("\"a\":\"1.safetensors\",\"b\":\"1.safetensors\""), "\"b\" is in the index, but not"),
        (map("\"a\":1"), "should have a string"),
        ("{}".into(), "the key \"weight_map\" is missing"),
        ("{\"weight_map\":{},\"weight_map\":{}}".into(), "\"weight_map\" is there twice"),
        ("[]".into(), "should have an object"),
        (map("\"a\":\"3.safetensors\""), "3.safetensors: "),
    ];
    for (index, says) in refusals {
        let error = Safetensors::open(&sharded("liar", &index)).unwrap_err().to_string();
        assert!(error.contains(says), "{index}: {error}");
    }
}

#[test]
fn a_tensor_in_two_shards_is_refused() {
    let folder = sharded("double", &map("\"b\":\"2.safetensors\",\"a\":\"1.safetensors\""));
    fs::write(folder.join("1.safetensors"), shard("b")).unwrap();
    let index = map("\"b\":\"2.safetensors\",\"b\":\"1.safetensors\"");
    fs::write(folder.join("model.safetensors.index.json"), index).unwrap();
    let error = Safetensors::open(&folder).unwrap_err().to_string();
    assert!(error.ends_with("the tensor \"b\" is there twice"), "{error}");
}

#[test]
fn an_empty_folder_has_no_model() {
    let error = Safetensors::open(&folder("empty")).unwrap_err().to_string();
    assert!(error.contains("this folder has no model.safetensors"), "{error}");
}
