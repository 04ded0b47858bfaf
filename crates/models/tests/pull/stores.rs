//! What other programs have put on this machine.

use models::pull::{Held, Owner, Place, Stores};
use serde_json::json;

use super::*;

fn put(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn places(held: &Held) -> Vec<PathBuf> {
    let place = |file: &Wanted| match &file.place {
        Place::Disk(path) => path.clone(),
        Place::Web(address) => panic!("{address}"),
    };
    held.found.files.iter().map(place).collect()
}

fn sources(stores: &Stores) -> Vec<String> {
    stores.all().iter().map(|held| held.found.source.to_string()).collect()
}

#[test]
fn ollamas_store_is_read() {
    let folder = folder("ollama-store");
    let (weights, template) = (Digest::of(b"weights"), Digest::of(b"template"));
    let blob = |digest: Digest| folder.join(format!("blobs/sha256-{}", digest.hexadecimal()));
    put(&blob(weights), b"weights");
    put(&blob(template), b"template");
    let manifest = json!({"layers": [
        {"mediaType": "application/vnd.ollama.image.model", "digest": weights.to_string(),
            "size": 7},
        {"mediaType": "application/vnd.ollama.image.template", "digest": template.to_string(),
            "size": 8},
    ]})
    .to_string();
    for name in ["registry.ollama.ai/library/qwen3/4b", "hf.co/o/r/Q8_0"] {
        put(&folder.join("manifests").join(name), manifest.as_bytes());
    }
    put(&folder.join("manifests/registry.ollama.ai/library/x/.DS_Store"), b"x");
    put(&folder.join("manifests/registry.ollama.ai/library/x/damaged"), b"{");
    let stores = Stores { folders: vec![(Owner::Ollama, folder.clone())] };
    assert_eq!(sources(&stores), ["ollama:hf.co/o/r:Q8_0", "ollama:qwen3:4b"]);
    let held = stores.holding(&"ollama:qwen3:4b".parse().unwrap());
    assert_eq!(places(&held[0]), [blob(weights), blob(template)]);
    assert_eq!(held[0].found.files[0].digest, Some(weights));
    assert_eq!(held[0].found.revision, Some(Digest::of(manifest.as_bytes()).to_string()));
    assert_eq!(stores.holding(&"ollama:qwen3:8b".parse().unwrap()).len(), 0);
    // A blob that is still on its way is none.
    fs::write(blob(weights), b"wei").unwrap();
    assert_eq!(stores.all().len(), 0);
}

#[cfg(unix)]
#[test]
fn the_hubs_cache_is_read() {
    use std::os::unix::fs::symlink;
    let folder = folder("hub-cache");
    let repository = folder.join("models--o--r-GGUF");
    let digest = Digest::of(b"weights");
    put(&repository.join("blobs").join(digest.hexadecimal()), b"weights");
    put(&repository.join("refs/main"), COMMIT.as_bytes());
    let snapshot = repository.join("snapshots").join(COMMIT);
    fs::create_dir_all(snapshot.join("sub")).unwrap();
    let blob = format!("../../blobs/{}", digest.hexadecimal());
    symlink(&blob, snapshot.join("m-Q8_0.gguf")).unwrap();
    symlink(format!("../{blob}"), snapshot.join("sub/m-Q4_K_M.gguf")).unwrap();
    symlink("../../blobs/gone", snapshot.join("m-Q2_K.gguf")).unwrap();
    put(&folder.join("models--o--s/refs/main"), b"../../../etc");
    let stores = Stores { folders: vec![(Owner::Hub, folder)] };
    for source in ["hf:o/r-GGUF:Q8_0", &format!("hf:o/r-GGUF:Q8_0@{COMMIT}")] {
        let held = stores.holding(&source.parse().unwrap());
        assert_eq!(places(&held[0]), [snapshot.join("m-Q8_0.gguf")]);
        assert_eq!(held[0].found.files[0].digest, Some(digest));
        assert_eq!(held[0].found.revision.as_deref(), Some(COMMIT));
    }
    for source in ["hf:o/s", "hf:o/r-GGUF@v9", "hf:o/r-GGUF:Q2_K", "hf:o/none"] {
        assert_eq!(stores.holding(&source.parse().unwrap()).len(), 0, "{source}");
    }
    let all = [
        format!("hf:o/r-GGUF:m-Q8_0.gguf@{COMMIT}"),
        format!("hf:o/r-GGUF:sub/m-Q4_K_M.gguf@{COMMIT}"),
    ];
    assert_eq!(sources(&stores), all);
}

#[test]
fn lm_studios_folder_is_read() {
    let folder = folder("lm-studio");
    for name in ["m-Q8_0.gguf", "mmproj-m.gguf", "notes.txt"] {
        put(&folder.join("o/r").join(name), b"x");
    }
    put(&folder.join("o/s/config.json"), b"{}");
    put(&folder.join("o/s/model.safetensors"), b"x");
    let stores = Stores { folders: vec![(Owner::LmStudio, folder.clone())] };
    assert_eq!(sources(&stores), ["hf:o/r:m-Q8_0.gguf", "hf:o/s"]);
    let held = stores.holding(&"hf:o/r".parse().unwrap());
    assert_eq!((held.len(), held[0].found.revision.as_ref()), (1, None));
    assert_eq!(places(&held[0]), [folder.join("o/r/m-Q8_0.gguf")]);
    // Which revision it is, nobody knows.
    assert_eq!(stores.holding(&format!("hf:o/r@{COMMIT}").parse().unwrap()).len(), 0);
}
