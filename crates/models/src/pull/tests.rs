//! What registries and others say, with bytes of it changed: refused or understood, never a panic.

use serde_json::{Value, json};

use super::{choose, hub, names, oci, ollama, registry};

/// All that is made of a document.
fn read(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return };
    let _ = hub::read_about(&value);
    if let Some(listed) = hub::read_list(&value) {
        let entries: Vec<choose::Entry> = listed.into_iter().map(|listed| listed.entry).collect();
        let _ = names::check_all(entries.iter().map(|entry| entry.path.as_str()));
        for pick in [None, Some("Q4_K_M"), Some("q"), Some("")] {
            let _ = choose::choose(&entries, pick);
        }
        let _ = choose::all(&entries);
    }
    if let Ok(layers) = registry::layers(&value) {
        let _ = ollama::names(&layers);
        let _ = layers.iter().filter_map(oci::name).count();
    }
    let _ = registry::first_of_index(&value);
}

fn documents() -> [String; 3] {
    let digest = format!("sha256:{}", "ab".repeat(32));
    let list = json!([
        {"type": "file", "oid": "01".repeat(20), "size": 7, "path": "config.json"},
        {"type": "file", "oid": "01".repeat(20), "size": u64::MAX,
            "path": "é-Q4_K_M-00001-of-00002.gguf",
            "lfs": {"oid": &digest[7..], "size": u64::MAX}},
        {"type": "file", "oid": "01".repeat(20), "size": 9, "path": "é-Q4_K_M-00002-of-00002.gguf",
            "lfs": {"oid": digest, "size": 9}},
        {"type": "directory", "path": "x"},
    ]);
    let about =
        json!({"sha": "0a".repeat(20), "cardData": {"license": ["mit"]}, "tags": ["license:x"]});
    let kind = "application/vnd.ollama.image.model";
    let manifest = json!({
        "layers": [{"mediaType": kind, "digest": digest, "size": 1,
            "annotations": {"org.opencontainers.image.title": "a.gguf"}}],
        "manifests": [{"digest": digest}],
    });
    [list, about, manifest].map(|value| value.to_string())
}

#[test]
fn changed_bytes_are_refused_or_understood() {
    for document in documents() {
        read(document.as_bytes());
        for at in 0..document.len() {
            for byte in [0, b'"', b'9', b'-', b'{', b'}', b'[', b'.', b'/', 0xc3, 0xff] {
                let mut bytes = document.clone().into_bytes();
                bytes[at] = byte;
                read(&bytes);
                bytes.remove(at);
                read(&bytes);
            }
            read(&document.as_bytes()[..at]);
        }
    }
}

#[test]
fn each_value_may_be_of_any_kind() {
    let kinds =
        [json!(null), json!(-1), json!(1e300), json!("x"), json!([]), json!({}), json!(true)];
    for document in documents() {
        let whole: Value = serde_json::from_str(&document).unwrap();
        let mut paths = vec![String::new()];
        while let Some(path) = paths.pop() {
            let Some(value) = whole.pointer(&path) else { continue };
            match value {
                Value::Array(items) => {
                    paths.extend((0..items.len()).map(|at| format!("{path}/{at}")));
                }
                Value::Object(items) => {
                    let keys = items.keys().map(|key| format!("{path}/{key}"));
                    paths.extend(keys);
                }
                _ => {}
            }
            for kind in &kinds {
                let mut changed = whole.clone();
                if let Some(place) = changed.pointer_mut(&path) {
                    *place = kind.clone();
                }
                read(changed.to_string().as_bytes());
            }
        }
    }
}
