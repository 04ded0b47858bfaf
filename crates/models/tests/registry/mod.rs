//! A registry of our own on loopback, which plays Hugging Face's hub, Ollama's registry and an OCI
//! registry, and misbehaves when asked to.
//!
//! It speaks as much HTTP as these do: one thread for each connection, ranges, redirects. Whatever
//! is asked of it is remembered.
#![allow(dead_code, unused_imports)] // Each test uses a part of it.
#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

mod http;
mod plays;

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

pub use plays::{ApiFile, Artefact};

/// A way to misbehave.
#[derive(Clone, Debug)]
pub enum Quirk {
    /// This status instead of the content, with these headers.
    Status(u16, Vec<(&'static str, String)>),
    /// A redirect.
    Redirect(String),
    /// The connection ends after so many bytes of the body.
    Cut(usize),
    /// No byte for so long, after so many.
    Stall(usize, Duration),
    /// A pause after each 64 KiB.
    Slow(Duration),
    /// The whole file, whatever range was asked for.
    NoRanges,
    /// Another ETag.
    Etag(&'static str),
    /// A length that the body has not.
    Length(u64),
    /// Another total in `Content-Range`.
    Total(u64),
    /// A body without a length and without an end.
    Endless,
    /// Without a length; it ends with the connection.
    Unmeasured,
    /// Other bytes of the right number.
    Spoiled,
    /// An answer to another range than the one asked for.
    OtherRange,
}

/// What was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    number: usize,
    pub path: String,
    /// With names in small letters.
    pub headers: HashMap<String, String>,
    /// The bytes of the content that were sent.
    pub sent: Range<u64>,
}

#[derive(Default)]
struct State {
    contents: HashMap<String, Content>,
    asked: Vec<Asked>,
    count: usize,
    connected: Vec<String>,
    connections: usize,
    /// The token that every path of `/v2/` asks for, and what gives it.
    token: Option<(String, String)>,
}

#[derive(Clone, Default)]
struct Content {
    bytes: Arc<Vec<u8>>,
    kind: String,
    headers: Vec<(&'static str, String)>,
    /// Taken one for each request; the last stays when it is to.
    quirks: Vec<(Quirk, usize)>,
}

/// A running registry, which ends with this value.
pub struct Registry {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    is_over: Arc<AtomicBool>,
}

/// As often as it is asked.
pub const ALWAYS: usize = usize::MAX;

impl Registry {
    pub fn start() -> Registry {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (state, is_over) = (Arc::new(Mutex::new(State::default())), Arc::default());
        let (shared, end): (_, Arc<AtomicBool>) = (Arc::clone(&state), Arc::clone(&is_over));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if end.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&shared);
                shared.lock().unwrap().connections += 1;
                // Who goes away in the middle is no concern of a server.
                thread::spawn(move || stream.map(|stream| http::serve(stream, &shared)));
            }
        });
        Registry { address, state, is_over }
    }

    pub fn host(&self) -> String {
        self.address.to_string()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn put(&self, path: &str, bytes: Vec<u8>) {
        self.put_as(path, bytes, "application/octet-stream");
    }

    pub fn put_as(&self, path: &str, bytes: Vec<u8>, kind: &str) {
        let kind = kind.to_owned();
        let content = Content { bytes: Arc::new(bytes), kind, ..Content::default() };
        self.state.lock().unwrap().contents.insert(path.to_owned(), content);
    }

    /// A header of all answers of a path.
    pub fn header(&self, path: &str, name: &'static str, value: &str) {
        let mut state = self.state.lock().unwrap();
        state.contents.get_mut(path).unwrap().headers.push((name, value.to_owned()));
    }

    /// The next answers of a path misbehave, after those that were told to before.
    pub fn quirk(&self, path: &str, times: usize, quirk: Quirk) {
        let mut state = self.state.lock().unwrap();
        state.contents.entry(path.to_owned()).or_default().quirks.push((quirk, times));
    }

    /// Below `/v2/` this token is wanted, which the realm gives.
    pub fn want_token(&self, token: &str, realm: &str) {
        self.state.lock().unwrap().token = Some((token.to_owned(), realm.to_owned()));
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }

    /// What was asked of one path.
    pub fn asked_of(&self, path: &str) -> Vec<Asked> {
        self.asked().into_iter().filter(|asked| asked.path == path).collect()
    }

    /// Whom it was asked to connect to, as a proxy.
    pub fn connected(&self) -> Vec<String> {
        self.state.lock().unwrap().connected.clone()
    }

    pub fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    pub fn forget(&self) {
        self.state.lock().unwrap().asked.clear();
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // The listener wakes up for one last connection.
        let _ = TcpStream::connect(self.address);
    }
}

/// Somebody who does not even pick up: the queue of connections is full.
pub struct Deaf {
    pub address: SocketAddr,
    _listener: TcpListener,
    _queue: Vec<TcpStream>,
}

impl Deaf {
    pub fn start() -> Deaf {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(100)).ok();
        let queue = std::iter::from_fn(connect).take(10_000).collect();
        Deaf { address, _listener: listener, _queue: queue }
    }
}

/// Bytes that look like nothing, the same each time.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes: Vec<u8> = (0..length.div_ceil(8)).flat_map(|_| next()).collect();
    bytes.truncate(length);
    bytes
}
