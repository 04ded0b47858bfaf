use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

/// A store in a folder of its own.
fn store() -> Store {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("hearth-store-{}-{number}", std::process::id());
    let root = std::env::temp_dir().join(name);
    let _ = fs::remove_dir_all(&root);
    Store::at(root)
}

fn never() -> Result<(), Error> {
    Err(Error::Stopped)
}

fn put(store: &Store, bytes: &[u8]) -> Digest {
    let digest = Digest::of(bytes);
    let incoming = store.incoming(&digest.to_string(), &mut never).unwrap();
    fs::write(&incoming.path, bytes).unwrap();
    store.accept(incoming, digest).unwrap();
    digest
}

fn pinned(name: &str, files: &[(&str, &[u8])]) -> Pinned {
    let files = files.iter().map(|(name, bytes)| PinnedFile {
        name: (*name).to_owned(),
        digest: Digest::of(bytes),
        bytes: bytes.len() as u64,
        at: None,
        modified: None,
    });
    Pinned {
        name: name.to_owned(),
        source: "hf:some/body".to_owned(),
        revision: "1".to_owned(),
        quantisation: None,
        licence: None,
        tokenizer: None,
        template: None,
        signed: None,
        pinned: "2026-11-22T00:00:00Z".to_owned(),
        by: "a test".to_owned(),
        files: files.collect(),
        before: None,
    }
}

/// A store with a model of one file.
fn with_model(bytes: &[u8]) -> (Store, PinnedFile, PathBuf) {
    let store = store();
    let digest = put(&store, bytes);
    store.pin(pinned("a", &[("a.gguf", bytes)]), None).unwrap();
    let (file, blob) = (store.pinned("a").unwrap().files[0].clone(), store.blob(digest).unwrap());
    (store, file, blob)
}

#[test]
fn one_copy_however_many_names() {
    let store = store();
    let _pulling = store.pulling().unwrap();
    put(&store, b"weights");
    for name in ["a:1", "b"] {
        store.pin(pinned(name, &[("model.gguf", b"weights")]), None).unwrap();
    }
    let blobs = fs::read_dir(store.root().join("blobs")).unwrap().count();
    assert_eq!(blobs, 1);
    for name in ["a:1", "a", "A:1", "b"] {
        let path = store.path(&store.pinned(name).unwrap()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"weights");
        assert!(path.ends_with("model.gguf"), "{path:?}");
    }
    assert!(
        fs::metadata(store.blob(Digest::of(b"weights")).unwrap()).unwrap().permissions().readonly()
    );
}

#[test]
fn a_folder_of_files_is_opened_as_one() {
    let store = store();
    let files: [(&str, &[u8]); 3] =
        [("config.json", b"{}"), ("a/b.json", b"[]"), ("model.safetensors", b"w")];
    for (_, bytes) in files {
        put(&store, bytes);
    }
    store.pin(pinned("folder", &files), None).unwrap();
    let path = store.path(&store.pinned("folder").unwrap()).unwrap();
    for (name, bytes) in files {
        assert_eq!(fs::read(path.join(name)).unwrap(), bytes);
    }
    // A view may go; it is made again.
    fs::remove_dir_all(&path).unwrap();
    assert_eq!(store.path(&store.pinned("folder").unwrap()).unwrap(), path);
}

#[test]
fn what_nothing_names_goes_and_only_that() {
    let store = store();
    let old: [(&str, &[u8]); 2] = [("a.gguf", b"old"), ("licence", b"both")];
    let new: [(&str, &[u8]); 2] = [("a.gguf", b"new!"), ("licence", b"both")];
    for (_, bytes) in old.into_iter().chain(new) {
        put(&store, bytes);
    }
    put(&store, b"named by nothing");
    store.pin(pinned("a", &old), None).unwrap();
    let was = store.pinned("a").unwrap();
    let overtaken = store.pin(pinned("a", &new), None);
    assert!(matches!(overtaken, Err(Error::Overtaken { .. })), "the name stands for something");
    store.pin(pinned("a", &new), Some(&was)).unwrap();
    {
        let _somebody = store.pulling().unwrap();
        assert_eq!(store.sweep().unwrap(), None, "somebody pulls");
    }
    let swept = store.sweep().unwrap().unwrap();
    assert_eq!(swept.files, 1);
    assert!(store.blob(Digest::of(b"named by nothing")).is_none());
    // What was there before can still be had, and again what came after it.
    let path = |store: &Store| store.path(&store.pinned("a").unwrap()).unwrap();
    store.roll_back("a").unwrap();
    assert_eq!(fs::read(path(&store)).unwrap(), b"old");
    store.roll_back("a").unwrap();
    assert_eq!(fs::read(path(&store)).unwrap(), b"new!");
    store.forget_history().unwrap();
    store.sweep().unwrap();
    assert!(store.blob(Digest::of(b"old")).is_none());
    assert!(matches!(store.roll_back("a"), Err(Error::NoHistory { .. })));
    store.remove("a").unwrap();
    store.sweep().unwrap();
    assert_eq!(fs::read_dir(store.root().join("blobs")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(store.root().join("views")).unwrap().count(), 0);
}

#[test]
fn a_flipped_bit_is_found_and_set_aside() {
    let bytes = vec![5; 3_000_000];
    let (store, file, blob) = with_model(&bytes);
    let health = |store: &Store| store.verify(&file, &mut |_| ControlFlow::Continue(()));
    assert_eq!(health(&store), Some(Health::Sound));
    let mut flipped = bytes.clone();
    flipped[2_999_999] ^= 0x10;
    fs::remove_file(&blob).unwrap();
    fs::write(&blob, &flipped).unwrap();
    let changed = Health::Changed { found: Digest::of(&flipped), in_the_way: None };
    assert_eq!(health(&store), Some(changed));
    assert_eq!(health(&store), Some(Health::Missing));
    assert!(matches!(store.path(&store.pinned("a").unwrap()), Err(Error::Missing { .. })));
    // Nothing else may be left of it, until it is back.
    let damaged = blob.with_extension("damaged");
    store.sweep().unwrap();
    assert!(damaged.exists());
    put(&store, &bytes);
    store.sweep().unwrap();
    assert!(!damaged.exists());
    assert_eq!(health(&store), Some(Health::Sound));
    fs::remove_file(&blob).unwrap();
    fs::create_dir(&blob).unwrap();
    assert!(matches!(health(&store), Some(Health::Unreadable(_))));
    assert_eq!(health(&store), Some(Health::Missing));
}

#[test]
fn what_a_pull_brings_while_it_is_verified_stays() {
    let bytes = vec![5; 3_000_000];
    let (store, file, blob) = with_model(&bytes);
    fs::remove_file(&blob).unwrap();
    fs::write(&blob, b"damaged").unwrap();
    let mut is_new = false;
    let health = store.verify(&file, &mut |_| {
        if !std::mem::replace(&mut is_new, true) {
            put(&store, &bytes);
        }
        ControlFlow::Continue(())
    });
    assert_eq!(health, Some(Health::Sound));
    assert_eq!(fs::read(&blob).unwrap(), bytes);
}

#[test]
fn a_file_of_another_length_is_not_run() {
    let store = store();
    let digest = put(&store, b"weights");
    store.pin(pinned("a", &[("a.gguf", b"weights")]), None).unwrap();
    let blob = store.blob(digest).unwrap();
    fs::remove_file(&blob).unwrap();
    fs::write(&blob, b"weight").unwrap();
    let found = store.path(&store.pinned("a").unwrap());
    assert!(matches!(found, Err(Error::Length { found: 6, wanted: 7, .. })), "{found:?}");
}

#[test]
fn a_name_is_given_only_to_what_is_there() {
    let store = store();
    put(&store, b"one");
    let files: [(&str, &[u8]); 2] = [("one", b"one"), ("two", b"two")];
    assert!(matches!(store.pin(pinned("a", &files), None), Err(Error::Missing { .. })));
    assert!(store.pins().unwrap().models.is_empty());
}

#[test]
fn what_lies_elsewhere_stays_there() {
    let store = store();
    let elsewhere = store.root().with_extension("gguf");
    fs::write(&elsewhere, b"theirs").unwrap();
    let mut theirs = pinned("theirs", &[("a.gguf", b"theirs")]);
    theirs.files[0].at = Some(elsewhere.clone());
    theirs.files[0].modified = modified(&fs::metadata(&elsewhere).unwrap());
    store.pin(theirs.clone(), None).unwrap();
    assert_eq!(fs::read(store.path(&theirs).unwrap()).unwrap(), b"theirs");
    assert!(store.blob(theirs.files[0].digest).is_none());
    // Other bytes, as many of them.
    std::thread::sleep(Duration::from_millis(20));
    fs::write(&elsewhere, b"THEIRS").unwrap();
    let changed = store.verify(&theirs.files[0], &mut |_| ControlFlow::Continue(()));
    let is = Health::Changed { found: Digest::of(b"THEIRS"), in_the_way: None };
    assert_eq!((changed, elsewhere.exists()), (Some(is), true));
    assert!(matches!(store.path(&theirs), Err(Error::Written { .. })));
    fs::write(&elsewhere, b"theirs").unwrap();
    store.remove("theirs").unwrap();
    store.sweep().unwrap();
    assert_eq!(fs::read(&elsewhere).unwrap(), b"theirs");
}

#[test]
fn unfinished_downloads_are_discarded_when_nobody_pulls() {
    let store = store();
    put(&store, b"weights");
    store.pin(pinned("a", &[("a.gguf", b"weights")]), None).unwrap();
    fs::write(store.root().join("incoming/half"), b"wei").unwrap();
    {
        let _somebody = store.pulling().unwrap();
        assert_eq!(store.discard_unfinished().unwrap(), None);
    }
    assert_eq!(store.unfinished().0, 1);
    assert_eq!(store.discard_unfinished().unwrap().unwrap().files, 1);
    assert_eq!(store.unfinished().0, 0);
    assert!(store.check(&store.pinned("a").unwrap()).is_ok());
}

#[test]
fn what_others_keep_is_not_swept() {
    let store = store();
    let blobs = store.root().join("blobs");
    let theirs = blobs.join(format!("sha256-{}", "0".repeat(64)));
    fs::create_dir_all(&blobs).unwrap();
    fs::write(&theirs, b"another program's").unwrap();
    assert_eq!(store.sweep().unwrap(), Some(Swept::default()));
    assert!(matches!(store.pulling(), Err(Error::NotOurs { .. })));
    store.forget_history().unwrap();
    assert_eq!(store.sweep().unwrap(), Some(Swept::default()));
    assert!(theirs.exists());
    assert_eq!(fs::read_dir(store.root()).unwrap().count(), 1, "nothing was laid beside it");
    fs::remove_dir_all(&blobs).unwrap();
    drop(store.pulling().unwrap());
    put(&store, b"garbage");
    // Nor what lies where it should not, and it keeps nobody from the rest.
    fs::write(blobs.join("README"), b"by a user").unwrap();
    fs::create_dir_all(store.root().join("views")).unwrap();
    fs::write(store.root().join("views/.DS_Store"), b"by a system").unwrap();
    assert_eq!(store.sweep().unwrap().unwrap().files, 1);
    assert!(blobs.join("README").exists());
}

#[test]
fn a_link_that_leads_elsewhere_is_made_anew() {
    let store = store();
    put(&store, b"right");
    put(&store, b"wrong");
    store.pin(pinned("a", &[("a.gguf", b"right")]), None).unwrap();
    let path = store.path(&store.pinned("a").unwrap()).unwrap();
    fs::remove_file(&path).unwrap();
    fs::copy(store.blob(Digest::of(b"wrong")).unwrap(), &path).unwrap();
    assert_eq!(fs::read(store.path(&store.pinned("a").unwrap()).unwrap()).unwrap(), b"right");
}

#[test]
#[cfg(unix)] // Where links have words.
fn a_store_may_be_moved() {
    let store = store();
    let files: [(&str, &[u8]); 2] = [("config.json", b"{}"), ("sub/b.json", b"[]")];
    for (_, bytes) in files {
        put(&store, bytes);
    }
    store.pin(pinned("a", &files), None).unwrap();
    let moved = store.root().with_extension("moved");
    let _ = fs::remove_dir_all(&moved);
    fs::rename(store.root(), &moved).unwrap();
    let store = Store::at(moved);
    let view = store.path(&store.pinned("a").unwrap()).unwrap();
    assert_eq!(fs::read(view.join("sub/b.json")).unwrap(), b"[]");
    assert!(fs::read_link(view.join("config.json")).unwrap().is_relative());
}

#[test]
fn names_lead_nowhere_else() {
    for name in ["qwen3", "qwen3:4b", "me/Model-1.5_b:Q4_K_M", "host.example/a/b:c"] {
        assert!(check_name(name).is_ok(), "{name}");
    }
    let long = "a".repeat(129);
    for name in
        ["", ":4b", "a:", "a:b:c", "a:b/c", "../a", "a/../b", "/a", "a//b", "a b", "ä", &long]
    {
        assert!(check_name(name).is_err(), "{name}");
    }
    for name in ["a.gguf", "sub/a b.json", "ä"] {
        assert!(check_file_name(name).is_ok(), "{name}");
    }
    let bad = ["", "/a", "..", "a/../b", "./a", "a/", "a//b", "a\\b", "a\0b", "c:d", ".used", "a."];
    for name in bad {
        assert!(check_file_name(name).is_err(), "{name}");
    }
}

#[test]
fn a_lock_file_of_others_is_not_touched() {
    let store = store();
    put(&store, b"w");
    store.pin(pinned("a", &[("a.gguf", b"w")]), None).unwrap();
    let path = store.root().join("models.lock");
    let text = fs::read_to_string(&path).unwrap();
    for (from, to) in [
        ("\"version\": 1", "\"version\": 2"),
        ("\"name\": \"a.gguf\"", "\"name\": \"../a.gguf\""),
        ("\"bytes\": 1", "\"bytes\": -1"),
        ("sha256:", "sha256:../"),
        ("\"by\"", "\"from\""),
        ("{", ""),
    ] {
        assert!(text.contains(from));
        let changed = text.replacen(from, to, 1);
        fs::write(&path, &changed).unwrap();
        assert!(matches!(store.pins(), Err(Error::Pins { .. })), "{to}");
        assert!(store.pin(pinned("a", &[("a.gguf", b"w")]), None).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), changed);
    }
}

#[test]
fn one_process_after_the_other_fetches_a_file() {
    let store = store();
    let first = store.incoming("https://example.org/a", &mut never).unwrap();
    let waited = store.incoming("https://example.org/a", &mut never);
    assert!(matches!(waited, Err(Error::Stopped)));
    assert!(store.incoming("https://example.org/b", &mut never).is_ok());
    let path: PathBuf = first.path.clone();
    drop(first);
    let again: &Path = &store.incoming("https://example.org/a", &mut never).unwrap().path;
    assert_eq!(again, path);
}

#[test]
fn names_from_many_threads_are_all_kept() {
    let store = store();
    put(&store, b"w");
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let store = &store;
            scope.spawn(move || {
                for n in 0..10 {
                    let name = format!("model-{thread}-{n}");
                    store.pin(pinned(&name, &[("a.gguf", b"w")]), None).unwrap();
                }
            });
        }
    });
    assert_eq!(store.pins().unwrap().models.len(), 80);
}

#[cfg(unix)] // Where files have modes.
#[test]
fn who_could_read_the_lock_still_can() {
    use std::os::unix::fs::PermissionsExt;
    let store = store();
    fs::create_dir_all(store.root()).unwrap();
    let path = store.root().join("models.lock");
    files::replace(&path, b"one").unwrap();
    for mode in [0o664, 0o600] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        files::replace(&path, b"two").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
    }
}
