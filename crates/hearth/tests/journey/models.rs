//! Models with names: they come, are looked at, change, and go.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use models::Digest;
use serde_json::{Value, json};
use testkit::golden;

use crate::registry::{ALWAYS, ApiFile, Quirk, Registry};
use crate::{Folder, expect, hearth, text};

/// Long enough that a kill finds it in the middle.
const KINDLING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../kindling/kindling.gguf");

/// A user with a home of their own, who asks a registry of ours.
struct User {
    folder: Folder,
    hub: String,
}

impl User {
    fn new(name: &str, hub: &Registry) -> User {
        User { folder: Folder::new(name), hub: hub.url("") }
    }

    fn hearth(&self, args: &[&str]) -> Command {
        let mut command = hearth();
        command.args(args).env("HEARTH_HOME", &self.folder.0).env("HF_ENDPOINT", &self.hub);
        command.env("NO_PROXY", "127.0.0.1").env("HOME", &self.folder.0);
        for name in ["HF_TOKEN", "HF_HOME", "HF_HUB_CACHE", "OLLAMA_MODELS", "XDG_CACHE_HOME"] {
            command.env_remove(name);
        }
        command
    }

    /// What it says on standard output when it ends with this code.
    fn says(&self, args: &[&str], code: i32) -> String {
        text(&expect(&mut self.hearth(args), code).stdout)
    }

    fn complains(&self, args: &[&str], code: i32) -> String {
        text(&expect(&mut self.hearth(args), code).stderr)
    }

    fn listed(&self) -> Vec<Value> {
        let listed: Value = serde_json::from_str(&self.says(&["list", "--json"], 0)).unwrap();
        listed.as_array().unwrap().clone()
    }

    fn blobs(&self) -> Vec<PathBuf> {
        let Ok(blobs) = fs::read_dir(self.folder.path("models/blobs")) else { return Vec::new() };
        blobs.map(|blob| blob.unwrap().path()).collect()
    }
}

/// A small model as one file.
fn tiny(folder: &Folder, name: &str) -> Vec<u8> {
    let out = folder.path("tiny.gguf");
    let from = golden("models/qwen3");
    let args = ["--quant", "f16", "--name", name];
    expect(hearth().arg("import").arg(from).args(args).arg("--out").arg(&out), 0);
    fs::read(out).unwrap()
}

/// Commits of the hub.
const FIRST: &str = "1111111111111111111111111111111111111111";
const SECOND: &str = "2222222222222222222222222222222222222222";

fn offer(hub: &Registry, commit: &str, bytes: Vec<u8>) {
    let file = ApiFile { path: "Tiny-Q4_K_M.gguf", bytes, is_large: true };
    hub.hub("some/Tiny-GGUF", commit, &[file]);
}

#[test]
fn a_name_works_wherever_a_model_does() {
    let hub = Registry::start();
    let user = User::new("models-name", &hub);
    offer(&hub, FIRST, tiny(&user.folder, "tiny"));
    let said = user.says(&["pull", "hf:some/Tiny-GGUF:Q4_K_M", "--as", "mine:1"], 0);
    assert!(said.starts_with("mine:1") && said.contains("sha256:"), "{said}");
    for name in ["mine:1", "mine", "MINE:1"] {
        let run = user.complains(&["run", name, "Hello", "--max-tokens", "3", "--verbose"], 0);
        let digest = user.listed()[0]["digest"].as_str().unwrap().to_owned();
        let fingerprint = format!("canon1-{}", &digest["sha256:".len()..][..16]);
        assert!(run.contains(&fingerprint), "{run}");
        assert!(user.says(&["show", name], 0).contains("hf:some/Tiny-GGUF"));
    }
    let listed = &user.listed()[0];
    assert_eq!((&listed["revision"], &listed["licence"]), (&FIRST.into(), &"apache-2.0".into()));
    assert!(listed["used"].as_u64().unwrap() > 1_700_000_000, "{listed}");
    // The same once more fetches nothing.
    hub.forget();
    user.says(&["pull", "mine"], 0);
    assert!(hub.asked().iter().all(|asked| !asked.path.contains("/resolve/")));
    // Nor is anybody asked where all is here.
    hub.forget();
    user.says(&["pull", "mine", "--offline"], 0);
    assert!(hub.asked().is_empty());
    // A second name, and one copy.
    user.says(&["pull", "mine", "--as", "other"], 0);
    assert_eq!(user.blobs().len(), 1);
    assert!(user.complains(&["rm", "mine"], 4).contains("did you mean mine:1"));
    user.says(&["rm", "mine:1"], 0);
    assert_eq!(user.blobs().len(), 1);
    assert!(user.says(&["rm", "other"], 0).contains("kB freed"));
    assert_eq!((user.blobs().len(), user.listed().len()), (0, 0));
}

#[test]
fn what_changes_upstream_is_shown_before_it_is_taken() {
    let hub = Registry::start();
    let user = User::new("models-update", &hub);
    let old = tiny(&user.folder, "old");
    offer(&hub, FIRST, old.clone());
    user.says(&["pull", "hf:some/Tiny-GGUF:Q4_K_M", "--as", "a"], 0);
    assert!(user.says(&["update", "--check"], 0).contains("a is up to date"));
    let template = "{{- '<|im_start|>' + message.role";
    let at = old.windows(template.len()).position(|part| part == template.as_bytes());
    let mut new = tiny(&user.folder, "new");
    let changed = at.map_or(0, |at| at + template.len() - 1);
    new[changed] ^= u8::from(at.is_some());
    offer(&hub, SECOND, new.clone());
    let before = user.listed();
    // The line of a script that has pulled it does the same each time.
    user.says(&["pull", "hf:some/Tiny-GGUF:Q4_K_M", "--as", "a"], 0);
    assert_eq!(user.listed(), before);
    let said = user.says(&["update", "--check", "--json"], 0);
    let line: Value = serde_json::from_str(said.trim()).unwrap();
    assert!(line["changes"].as_array().unwrap().len() > 1, "{said}");
    let said = user.says(&["update", "--check", "a"], 0);
    for part in ["changed   Tiny-Q4_K_M.gguf", "tokenizer the same", SECOND] {
        assert!(said.contains(part), "{said}");
    }
    // Nobody sits there to say yes.
    assert!(text(&expect(&mut user.hearth(&["update"]), 0).stderr).contains("--yes"));
    assert_eq!(user.listed()[0]["revision"], before[0]["revision"]);
    let said = user.says(&["update", "--yes"], 0);
    assert!(said.contains("--rollback a"), "{said}");
    assert_eq!(user.listed()[0]["revision"], SECOND);
    assert_eq!(user.blobs().len(), 2);
    user.says(&["update", "--rollback", "a"], 0);
    assert_eq!(user.listed()[0]["digest"], before[0]["digest"]);
    user.says(&["run", "a", "Hello", "--max-tokens", "1"], 0);
    user.says(&["update", "--rollback", "a"], 0);
    assert_eq!(user.listed()[0]["revision"], SECOND);
    user.says(&["rm", "--history"], 0);
    assert_eq!(user.blobs().len(), 1);
}

#[test]
fn a_single_bit_is_found_and_the_file_fetched_again() {
    let hub = Registry::start();
    let user = User::new("models-bit", &hub);
    offer(&hub, FIRST, fs::read(KINDLING).unwrap());
    user.says(&["pull", "hf:some/Tiny-GGUF", "--as", "a"], 0);
    assert!(user.says(&["verify"], 0).contains("a: sound (1 file"));
    let blob = &user.blobs()[0];
    let mut bytes = fs::read(blob).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::remove_file(blob).unwrap();
    fs::write(blob, bytes).unwrap();
    let output = expect(&mut user.hearth(&["verify"]), 3);
    assert!(text(&output.stdout).contains("DAMAGED"));
    assert!(text(&output.stderr).contains("hearth pull a"));
    // Nothing runs from it any more.
    assert!(user.complains(&["show", "a"], 3).contains("gone"));
    user.says(&["pull", "a"], 0);
    assert!(user.says(&["verify", "a"], 0).contains("sound"));
}

#[test]
fn what_was_pinned_is_fetched_again_or_nothing() {
    let hub = Registry::start();
    let user = User::new("models-same", &hub);
    offer(&hub, FIRST, tiny(&user.folder, "old"));
    user.says(&["pull", "hf:some/Tiny-GGUF", "--as", "a"], 0);
    fs::remove_file(&user.blobs()[0]).unwrap();
    // Somebody has moved the commit, which no honest hub does.
    offer(&hub, FIRST, tiny(&user.folder, "new"));
    let said = user.complains(&["pull", "a"], 3);
    assert!(said.contains("has changed") && said.contains("hearth update a"), "{said}");
}

#[test]
fn fifty_kills_leave_the_store_whole() {
    let hub = Registry::start();
    let user = User::new("models-kill", &hub);
    let bytes = fs::read(KINDLING).unwrap();
    offer(&hub, FIRST, bytes.clone());
    let path = &format!("/some/Tiny-GGUF/resolve/{FIRST}/Tiny-Q4_K_M.gguf");
    hub.quirk(path, ALWAYS, Quirk::Slow(Duration::from_millis(2)));
    let (mut kills, mut pinned) = (0, 0);
    while kills < 50 {
        let mut child = user.hearth(&["pull", "hf:some/Tiny-GGUF", "--as", "a"]);
        let child = child.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = child.spawn().unwrap();
        // All moments from the first to the last of it.
        thread::sleep(Duration::from_millis(u64::from(std::process::id() + kills * 53) % 500));
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            kills += 1;
        }
        let ended = child.wait().unwrap();
        assert!(ended.success() || ended.code().is_none(), "{ended}");
        for blob in user.blobs() {
            assert_eq!(fs::metadata(&blob).unwrap().len(), bytes.len() as u64);
        }
        let is_pinned = !user.listed().is_empty();
        assert!(is_pinned || !ended.success());
        user.says(&["verify"], 0);
        if is_pinned {
            pinned += 1;
            user.says(&["rm", "a"], 0);
            assert!(user.blobs().is_empty());
        }
    }
    user.says(&["pull", "hf:some/Tiny-GGUF", "--as", "a"], 0);
    user.says(&["verify"], 0);
    assert!(pinned < 50, "none was killed in the middle");
}

#[test]
fn two_that_fetch_the_same_fetch_it_once() {
    let hub = Registry::start();
    let user = User::new("models-two", &hub);
    offer(&hub, FIRST, fs::read(KINDLING).unwrap());
    let path = &format!("/some/Tiny-GGUF/resolve/{FIRST}/Tiny-Q4_K_M.gguf");
    hub.quirk(path, ALWAYS, Quirk::Slow(Duration::from_millis(5)));
    thread::scope(|scope| {
        let user = &user;
        for name in ["a", "b", "c"] {
            scope.spawn(move || user.says(&["pull", "hf:some/Tiny-GGUF", "--as", name], 0));
        }
    });
    assert_eq!((user.listed().len(), user.blobs().len()), (3, 1));
    // Each has looked at the header, and one has fetched the rest.
    let sent = hub.asked_of(path).into_iter().map(|asked| asked.sent.end - asked.sent.start);
    let whole = fs::metadata(KINDLING).unwrap().len();
    assert!(sent.filter(|bytes| *bytes == whole).count() <= 4);
}

#[test]
fn files_of_this_machine_stay_where_they_are() {
    let hub = Registry::start();
    let user = User::new("models-local", &hub);
    tiny(&user.folder, "tiny");
    let file = user.folder.path("tiny.gguf");
    user.says(&["pull", file.to_str().unwrap()], 0);
    assert_eq!((user.blobs().len(), &user.listed()[0]["name"]), (0, &"tiny".into()));
    let folder = golden("models/qwen3");
    user.says(&["pull", folder.to_str().unwrap(), "--as", "folder", "--copy"], 0);
    assert!(user.blobs().len() > 3);
    for name in ["tiny", "folder"] {
        user.says(&["run", name, "Hello", "--max-tokens", "1"], 0);
    }
    // Other bytes, as many of them, are another model.
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    thread::sleep(Duration::from_millis(20));
    fs::write(&file, bytes).unwrap();
    let said = user.complains(&["run", "tiny", "Hello"], 3);
    assert!(said.contains("has been written since") && said.contains("hearth update"), "{said}");
    user.says(&["update", "--yes", "tiny"], 0);
    user.says(&["run", "tiny", "Hello", "--max-tokens", "1"], 0);
    assert!(user.complains(&["update", "--rollback", "tiny"], 3).contains("written since"));
    fs::remove_file(&file).unwrap();
    let said = user.complains(&["run", "tiny", "Hello"], 3);
    assert!(said.contains("tiny.gguf is gone") && said.contains("hearth rm tiny"), "{said}");
    assert!(user.says(&["verify"], 3).contains("tiny: DAMAGED"));
}

#[test]
fn what_cannot_be_pulled_is_said() {
    let hub = Registry::start();
    let user = User::new("models-not", &hub);
    assert!(user.complains(&["pull", "nothing"], 3).contains("no model is known"));
    assert!(user.complains(&["pull", "qwen3:5b"], 3).contains("qwen3:4b"));
    assert!(user.complains(&["pull", "kindling"], 4).contains("inside hearth"));
    for command in ["run", "show", "serve"] {
        assert!(user.complains(&[command, "qwen3:4b"], 3).contains("hearth pull qwen3:4b"));
    }
    let said = user.complains(&["pull", "hf:some/Tiny-GGUF", "--offline"], 4);
    assert!(said.contains("offline"), "{said}");
    assert!(hub.asked().is_empty());
    let said = user.complains(&["pull", "https://example.org/a.gguf?x=1"], 4);
    assert!(said.contains("query"), "{said}");
    // A folder that no system lets anybody write into.
    let folder = if cfg!(target_os = "linux") { "/proc/hearth" } else { "/dev/null/hearth" };
    let mut pull = user.hearth(&["pull", "hf:some/Tiny-GGUF"]);
    let said = text(&expect(pull.env("HEARTH_MODELS", folder), 1).stderr);
    assert!(said.contains(folder), "{said}");
    let said = user.complains(&["pull", "hf:some/Tiny-GGUF"], 3);
    assert!(said.contains("some/Tiny-GGUF"), "{said}");
    // A model of a family that nobody knows is told from its header.
    let mut bytes = tiny(&user.folder, "tiny");
    let name = b"general.architecture";
    let at = bytes.windows(name.len()).position(|part| part == name).unwrap() + name.len() + 12;
    bytes[at] = b'X';
    offer(&hub, FIRST, bytes);
    let said = user.complains(&["pull", "hf:some/Tiny-GGUF"], 3);
    assert!(said.contains("Nothing was fetched"), "{said}");
    assert!(user.listed().is_empty() && user.blobs().is_empty());
}

#[test]
fn programs_are_told_in_json() {
    let hub = Registry::start();
    let user = User::new("models-json", &hub);
    offer(&hub, FIRST, tiny(&user.folder, "tiny"));
    let said = user.says(&["pull", "hf:some/Tiny-GGUF", "--json"], 0);
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let is_whole = |line: &Value| line["done"].is_u64() && line["done"] == line["total"];
    assert!(lines.iter().any(is_whole), "{said}");
    let last = lines.last().unwrap();
    assert_eq!((&last["event"], &last["name"]), (&"pinned".into(), &"tiny".into()));
}

/// A store as Ollama has it, with one model.
fn ollamas(user: &User, bytes: &[u8]) -> PathBuf {
    let (store, digest) = (user.folder.path(".ollama/models"), Digest::of(bytes));
    let blob = store.join("blobs").join(format!("sha256-{}", digest.hexadecimal()));
    let manifests = store.join("manifests/registry.ollama.ai/library/tiny");
    for folder in [blob.parent().unwrap(), &manifests] {
        fs::create_dir_all(folder).unwrap();
    }
    fs::write(&blob, bytes).unwrap();
    let layer = json!({ "mediaType": "application/vnd.ollama.image.model",
        "digest": digest.to_string(), "size": bytes.len() });
    let manifest = json!({ "schemaVersion": 2, "layers": [layer] });
    fs::write(manifests.join("1b"), manifest.to_string()).unwrap();
    blob
}

#[test]
fn what_ollama_has_is_used_where_it_is() {
    let hub = Registry::start();
    let user = User::new("models-ollama", &hub);
    let blob = ollamas(&user, &tiny(&user.folder, "tiny"));
    let said = user.says(&["list", "--elsewhere"], 0);
    assert!(said.contains("Ollama") && said.contains("hearth pull ollama:tiny:1b"), "{said}");
    user.says(&["pull", "ollama:tiny:1b", "--offline"], 0);
    assert_eq!((user.blobs().len(), &user.listed()[0]["name"]), (0, &"tiny:1b".into()));
    user.says(&["run", "tiny:1b", "Hello", "--max-tokens", "1"], 0);
    // What was fetched once is no news.
    let said = user.complains(&["update", "tiny:1b", "--offline"], 4);
    assert!(said.contains("offline"), "{said}");
    user.says(&["rm", "tiny:1b"], 0);
    // A store is not believed.
    let mut bytes = fs::read(&blob).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&blob, bytes).unwrap();
    let said = user.complains(&["pull", "ollama:tiny:1b", "--offline"], 3);
    assert!(said.contains("not what was promised"), "{said}");
    assert!(user.listed().is_empty());
}

/// A key, and what `minisign -S -l` makes with it.
fn signed(bytes: &[u8]) -> (String, String) {
    use ring::signature::{Ed25519KeyPair, KeyPair};
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let key = [b"Ed12345678", pair.public_key().as_ref()].concat();
    let signature = pair.sign(bytes);
    let comment = "made for a test";
    let whole = pair.sign(&[signature.as_ref(), comment.as_bytes()].concat());
    let first = base64(&[b"Ed12345678", signature.as_ref()].concat());
    let lines = ["untrusted comment: x", &first, &format!("trusted comment: {comment}")];
    (base64(&key), format!("{}\n{}\n", lines.join("\n"), base64(whole.as_ref())))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - three.len()));
        let digit = |at: usize| char::from(DIGITS[(bits >> (18 - 6 * at)) as usize & 63]);
        text.extend((0..=three.len()).map(digit));
        text.extend(std::iter::repeat_n('=', 3 - three.len()));
    }
    text
}

#[test]
fn a_lock_from_a_machine_without_rules_passes_none_by() {
    let hub = Registry::start();
    let user = User::new("models-rules-lock", &hub);
    let bytes = tiny(&user.folder, "tiny");
    offer(&hub, FIRST, bytes.clone());
    user.says(&["pull", "hf:some/Tiny-GGUF", "--as", "a"], 0);
    // Of that machine only the lock comes here.
    let store = user.folder.path("models");
    fs::remove_dir_all(store.join("blobs")).unwrap();
    fs::remove_dir_all(store.join("views")).unwrap();
    let (key, signature) = signed(&bytes);
    let rules = format!("[[key]]\nsource = 'hf:some/*'\nminisign = '{key}'");
    fs::write(user.folder.path("sources.toml"), rules).unwrap();
    let said = user.complains(&["pull", "a"], 3);
    assert!(said.contains("is not signed as it must be"), "{said}");
    assert_eq!(fs::read_dir(store.join("blobs")).unwrap().count(), 0, "nothing is behind the name");
    let path = format!("/some/Tiny-GGUF/resolve/{FIRST}/Tiny-Q4_K_M.gguf.minisig");
    hub.put(&path, signature.into_bytes());
    user.says(&["pull", "a"], 0);
    let lock = fs::read_to_string(store.join("models.lock")).unwrap();
    assert!(lock.contains(&key), "{lock}");
}

#[test]
fn rules_of_the_house_are_kept() {
    let hub = Registry::start();
    let user = User::new("models-rules", &hub);
    let bytes = tiny(&user.folder, "tiny");
    offer(&hub, FIRST, bytes.clone());
    let rules = |text: &str| fs::write(user.folder.path("sources.toml"), text).unwrap();
    let pull = ["pull", "hf:some/Tiny-GGUF", "--as", "a"];
    rules("allow = ['hf:other/*']");
    let said = user.complains(&pull, 4);
    assert!(said.contains("hf:some/tiny-gguf") || said.contains("hf:some/Tiny-GGUF"), "{said}");
    rules("alow = []");
    assert!(user.complains(&pull, 4).contains("alow"));
    assert!(hub.asked().is_empty(), "nobody was asked");
    // A key whose owner has not signed it.
    let key = "RWTthvgcaKwwUHnsMaUkaE3yKLw6tRT5IegaFSUxvfrseiOAJuJ3dB6+";
    rules(&format!("[[key]]\nsource = 'hf:some/*'\nminisign = '{key}'"));
    let said = user.complains(&pull, 3);
    assert!(said.contains("there is no Tiny-Q4_K_M.gguf.minisig"), "{said}");
    let path = format!("/some/Tiny-GGUF/resolve/{FIRST}/Tiny-Q4_K_M.gguf.minisig");
    hub.put(&path, b"untrusted comment: x\nAAAA\ntrusted comment: y\nAAAA\n".to_vec());
    assert!(user.complains(&pull, 3).contains("is not signed as it must be"));
    assert!(user.listed().is_empty());
    let (key, signature) = signed(&bytes);
    rules(&format!("[[key]]\nsource = 'hf:some/*'\nminisign = '{key}'"));
    hub.put(&path, signature.into_bytes());
    user.says(&pull, 0);
    let lock = fs::read_to_string(user.folder.path("models/models.lock")).unwrap();
    assert!(lock.contains(&key), "{lock}");
    rules("allow = ['hf:Some/*']");
    let mirror = Registry::start();
    offer(&mirror, SECOND, bytes);
    rules(&format!("[mirror]\nhf = '{}'", mirror.url("")));
    assert!(user.says(&["update", "--check"], 0).contains("a is up to date"));
    assert!(!mirror.asked().is_empty());
}
