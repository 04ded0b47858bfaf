//! Models fetched from a registry of our own, as it should be and as it should not.
#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

mod bad;
mod hub;
mod kill;
mod names;
mod others;
#[path = "../registry/mod.rs"]
mod registry;
mod stores;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use models::Digest;
use models::pull::{
    Address, Client, Error, Found, Options, Progress, Proxy, Role, Stage, Wanted, download, find,
    settled,
};
use registry::{ApiFile, Registry, noise};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const PIECE: u64 = 64 << 10;

/// Settings that lose no time.
fn options(registry: &Registry) -> Options {
    Options {
        hub: Address::parse(&registry.url("")).unwrap(),
        ollama: Address::parse(&registry.url("")).unwrap(),
        proxy: Proxy::None,
        piece: PIECE,
        parallel_above: 2 * PIECE,
        pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(300),
        stall: Duration::from_millis(400),
        ..Options::default()
    }
}

fn client(registry: &Registry) -> Client {
    Client::new(options(registry)).unwrap()
}

fn go_on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn found(client: &Client, source: &str) -> Result<Found, Error> {
    find(client, &source.parse().unwrap(), &go_on)
}

/// An empty folder of a test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("pull-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A repository with one large file.
fn hub(bytes: &[u8]) -> (Registry, String) {
    let registry = Registry::start();
    let file = ApiFile { path: "m-Q8_0.gguf", bytes: bytes.to_vec(), is_large: true };
    registry.hub("o/r", COMMIT, &[file]);
    (registry, format!("/o/r/resolve/{COMMIT}/m-Q8_0.gguf"))
}

fn only_file(client: &Client, source: &str) -> Wanted {
    found(client, source).unwrap().files.remove(0)
}

/// What a download of the only file of `hf:o/r` comes to, and the place that it was to go to.
fn fetched(name: &str, client: &Client) -> (Result<Digest, Error>, PathBuf) {
    let partial = folder(name).join("x");
    (download(client, &only_file(client, "hf:o/r"), &partial, &go_on), partial)
}

fn is_gone(partial: &Path) -> bool {
    !partial.exists() && !partial.with_extension("map").exists()
}

/// What an error says, which must not be more than a user may see.
fn words<T>(result: Result<T, Error>) -> String {
    let Err(error) = result else { panic!("it went well") };
    let words = error.to_string();
    assert!(!words.contains("secret"), "{words}");
    words
}

#[test]
fn a_file_comes_in_pieces_and_is_whole() {
    let bytes = noise(10 * PIECE as usize + 77, 1);
    let (registry, path) = hub(&bytes);
    let client = client(&registry);
    let all = found(&client, "hf:o/r:Q8_0@main").unwrap();
    assert_eq!(all.revision.as_deref(), Some(COMMIT));
    assert_eq!(all.licence.as_deref(), Some("apache-2.0"));
    assert_eq!(all.files[0].digest, Some(Digest::of(&bytes)));
    let partial = folder("pieces").join("x");
    let told = Mutex::new(Vec::new());
    let digest = download(&client, &all.files[0], &partial, &|progress| {
        told.lock().unwrap().push(progress);
        ControlFlow::Continue(())
    });
    assert_eq!(digest.unwrap(), Digest::of(&bytes));
    assert_eq!(fs::read(&partial).unwrap(), bytes);
    assert_eq!(registry.asked_of(&path).len(), 11, "one request for each piece");
    // A kill before it has its place loses nothing.
    assert_eq!(download(&client, &all.files[0], &partial, &go_on).unwrap(), Digest::of(&bytes));
    assert_eq!(registry.asked_of(&path).len(), 11);
    settled(&partial);
    assert!(partial.exists() && !partial.with_extension("map").exists());
    assert!(registry.connections() <= 5, "connections are used again");
    let told = told.into_inner().unwrap();
    assert_eq!(told.last().unwrap().total, Some(bytes.len() as u64));
    assert_eq!(told.last().unwrap().stage, Stage::Checking);
}
