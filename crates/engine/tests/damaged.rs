//! Folders whose configuration is damaged are refused, or run.
#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

use std::path::{Path, PathBuf};

use engine::{Engine, Feed, Sequence, Settings, Wanted};
use serde_json::{Value, json};
use testkit::golden;

/// A configuration with one number changed, or one key gone, loads or is refused; nothing panics,
/// and what loads also runs.
#[test]
fn damaged_configurations_are_refused_or_run() {
    let mut random = 1_u64;
    let mut below = |n: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) as usize % n
    };
    let folders = ["models", "variants"].map(|kind| std::fs::read_dir(golden(kind)).unwrap());
    let folders = folders.into_iter().flatten().map(|entry| entry.unwrap().path());
    let folders: Vec<PathBuf> = folders.filter(|path| path.join("config.json").exists()).collect();
    assert!(folders.len() > 40);
    for from in folders {
        let model = &from.strip_prefix(golden("")).unwrap().to_owned();
        let to = Path::new(env!("CARGO_TARGET_TMPDIR")).join("damaged").join(model);
        std::fs::create_dir_all(&to).unwrap();
        std::fs::copy(from.join("model.safetensors"), to.join("model.safetensors")).unwrap();
        let config = std::fs::read(from.join("config.json")).unwrap();
        let plain: Value = serde_json::from_slice(&config).unwrap();
        for _ in 0..20 {
            let mut damaged = plain.clone();
            let at = below(1000);
            let with = match below(9) {
                0 => None,
                1 => Some(json!(null)),
                2 => Some(json!(0)),
                3 => Some(json!(-1)),
                4 => Some(json!(1e300)),
                5 => Some(json!("word")),
                6 => Some(json!([])),
                7 => Some(json!(below(200))),
                _ => Some(json!(0.5)),
            };
            damage(&mut damaged, at, with);
            std::fs::write(to.join("config.json"), damaged.to_string()).unwrap();
            let source = arch::Source::open(&to).unwrap();
            let Ok(model) = arch::load_keeping(&source, None) else { continue };
            let settings = Settings { pack: false, ..Settings::default() };
            let mut engine = Engine::new(model, settings).unwrap();
            let mut sequence = Sequence::default();
            for len in [70, 1] {
                let tokens = &vec![5; len][..];
                let feed = Feed { sequence: &mut sequence, tokens, wanted: Wanted::Last };
                let _ = engine.step(&mut [feed]);
            }
        }
    }
}

/// Changes entry `at` of the tree, counted around.
fn damage(tree: &mut Value, at: usize, with: Option<Value>) {
    let Some(entries) = tree.as_object_mut().filter(|entries| !entries.is_empty()) else { return };
    let (index, rest) = (at % entries.len(), at / entries.len());
    let key = entries.keys().nth(index).unwrap().clone();
    if entries[&key].is_object() && rest > 0 {
        return damage(&mut entries[&key], rest, with);
    }
    match with {
        Some(with) => _ = entries.insert(key, with),
        None => _ = entries.remove(&key),
    }
}
