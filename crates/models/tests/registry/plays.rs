//! The parts that the registry plays.

use models::Digest;
use models::pull::GitBlob;
use serde_json::{Value, json};

use super::Registry;

/// A file of a repository of the hub.
pub struct ApiFile<'a> {
    pub path: &'a str,
    pub bytes: Vec<u8>,
    /// Whether it is large, with a SHA-256, or one that git has itself.
    pub is_large: bool,
}

/// A layer of an artefact: its kind, its bytes, its title.
pub type Artefact<'a> = (&'a str, Vec<u8>, Option<&'a str>);

impl Registry {
    /// A repository of the hub, of which `main` is this commit.
    pub fn hub(&self, repo: &str, commit: &str, files: &[ApiFile]) {
        let about = json!({
            "id": repo,
            "sha": commit,
            "gated": false,
            "cardData": {"license": "apache-2.0"},
            "tags": ["gguf", "license:apache-2.0"],
        });
        for revision in ["main", commit] {
            self.json(&format!("/api/models/{repo}/revision/{revision}"), &about);
        }
        self.json(&format!("/api/models/{repo}"), &about);
        let item = |file: &ApiFile| {
            let size = file.bytes.len();
            let digest = Digest::of(&file.bytes).hexadecimal();
            let oid = GitBlob::of(&file.bytes).to_string().replace("git:", "");
            match file.is_large {
                true => json!({"type": "file", "oid": "0".repeat(40), "size": size,
                    "path": file.path, "lfs": {"oid": digest, "size": size, "pointerSize": 134}}),
                false => json!({"type": "file", "oid": oid, "size": size, "path": file.path}),
            }
        };
        let list: Vec<Value> = files.iter().map(item).collect();
        self.json(&format!("/api/models/{repo}/tree/{commit}"), &json!(list));
        for file in files {
            self.put(&format!("/{repo}/resolve/{commit}/{}", file.path), file.bytes.clone());
        }
    }

    /// An artefact, as Ollama's registry and all OCI registries have it. Returns its digest.
    pub fn artefact(&self, name: &str, tag: &str, layers: &[Artefact]) -> Digest {
        let layer = |(kind, bytes, title): &Artefact| {
            let digest = Digest::of(bytes);
            self.put(&format!("/v2/{name}/blobs/{digest}"), bytes.clone());
            let mut layer = json!({
                "mediaType": kind, "digest": digest.to_string(), "size": bytes.len(),
            });
            if let Some(title) = title {
                layer["annotations"] = json!({"org.opencontainers.image.title": title});
            }
            layer
        };
        let layers: Vec<Value> = layers.iter().map(layer).collect();
        let config = json!({"mediaType": "application/vnd.docker.container.image.v1+json",
            "digest": Digest::of(b"{}").to_string(), "size": 2});
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": layers});
        self.manifest(name, tag, &manifest)
    }

    /// A manifest under its tag and its digest.
    pub fn manifest(&self, name: &str, tag: &str, manifest: &Value) -> Digest {
        let bytes = manifest.to_string();
        let digest = Digest::of(bytes.as_bytes());
        self.json(&format!("/v2/{name}/manifests/{tag}"), manifest);
        self.json(&format!("/v2/{name}/manifests/{digest}"), manifest);
        digest
    }

    pub fn json(&self, path: &str, value: &Value) {
        self.put_as(path, value.to_string().into_bytes(), "application/json");
    }
}
