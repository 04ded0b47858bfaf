//! Who is let in: keys, what they are good for, and what they may use, over a socket.

#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

mod door;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use api::keys::{Key, Quota, Ring, Scope};
use api::{Access, House, Keys, Language, ModelCard, Options};
use serde_json::{Value, json};
use turn::{
    Account, Embed, Embedded, Event, Fault, Finish, Limits, Listener, Retry, Sampling, Side, Turn,
    Usage, WhenEmbedded,
};

/// Says a word and what it used; `endless` says more until nobody listens, and `mine` whose turn it
/// is.
struct Stage;

impl House for Stage {
    fn models(&self) -> Vec<ModelCard> {
        Vec::new()
    }

    fn begin(&self, turn: Turn, gone: Arc<AtomicBool>, mut listener: Listener) {
        thread::spawn(move || {
            let owner = turn.owner.as_deref().unwrap_or("nobody");
            let word = if turn.model == "mine" { owner } else { "word" };
            let mut go_on = listener(Event::Text(word.to_owned())).is_continue();
            while turn.model == "endless" && go_on && !gone.load(Ordering::Acquire) {
                thread::sleep(Duration::from_millis(1));
                go_on = listener(Event::Text("word".to_owned())).is_continue();
            }
            let account = Account::new(Vec::new(), Sampling::default(), Limits::default());
            let usage = Usage { prompt_tokens: 300, cached_tokens: 100, generated_tokens: 201 };
            let account = Account { finish: Finish::End, usage, ..account };
            let _ = listener(Event::End(Box::new(account)));
        });
    }

    fn embed(&self, texts: Embed, gone: Arc<AtomicBool>, done: WhenEmbedded) {
        thread::spawn(move || {
            while texts.model == "endless" && !gone.load(Ordering::Acquire) {
                thread::sleep(Duration::from_millis(1));
            }
            done(Ok(Embedded { vectors: vec![vec![1.0]], tokens: vec![501] }));
        });
    }

    fn language(&self, _: &str) -> Result<Arc<dyn Language>, Fault> {
        Err(Fault::new(Side::Us, "nobody asks for it"))
    }

    fn fingerprint(&self, _: &str) -> String {
        String::new()
    }

    fn is_ready(&self) -> bool {
        true
    }
}

/// Keys that a test changes.
struct Shown(Mutex<Result<Option<Arc<Ring>>, Fault>>);

impl Keys for Shown {
    fn ring(&self) -> Result<Option<Arc<Ring>>, Fault> {
        self.0.lock().unwrap().clone()
    }
}

/// A server, and the keys that it needs.
struct Server {
    address: SocketAddr,
    shown: Arc<Shown>,
}

struct Reply {
    status: u16,
    headers: String,
    body: String,
}

impl Server {
    fn start(keys: Vec<Key>) -> Server {
        let ring = Ring::default().renewed(keys, Instant::now());
        let shown = Arc::new(Shown(Mutex::new(Ok(Some(Arc::new(ring))))));
        let keys: Arc<dyn Keys> = Arc::clone(&shown) as Arc<dyn Keys>;
        let access = Access { keys: Some(keys), ..Access::default() };
        let options = Options { body_limit: 1 << 16, ..Options::default() };
        let address = door::serve(Arc::new(Stage), (access, options), |door| door);
        Server { address, shown }
    }

    fn show(&self, ring: Result<Option<Arc<Ring>>, Fault>) {
        *self.shown.0.lock().unwrap() = ring;
    }

    /// The keys that it has, and others.
    fn renew(&self, keys: Vec<Key>) {
        let ring = self.shown.ring().unwrap().unwrap();
        self.show(Ok(Some(Arc::new(ring.renewed(keys, Instant::now())))));
    }

    fn send(&self, (method, path): (&str, &str), headers: &str, body: &str) -> TcpStream {
        let mut socket = TcpStream::connect(self.address).unwrap();
        let length = body.len();
        let head = format!("host: localhost\r\ncontent-length: {length}\r\n{headers}");
        let close = "connection: close\r\n";
        write!(socket, "{method} {path} HTTP/1.1\r\n{head}{close}\r\n{body}").unwrap();
        socket
    }

    fn ask(&self, route: (&str, &str), headers: &str, body: &str) -> Reply {
        let mut text = String::new();
        self.send(route, headers, body).read_to_string(&mut text).unwrap();
        let (headers, body) = text.split_once("\r\n\r\n").unwrap();
        let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
        Reply { status, headers: headers.to_owned(), body: body.to_owned() }
    }

    /// A chat with this key.
    fn chat(&self, key: &str) -> Reply {
        self.ask(CHAT, &bearer(key), &body("quick", false))
    }
}

const CHAT: (&str, &str) = ("POST", "/v1/chat/completions");

fn bearer(key: &str) -> String {
    format!("authorization: Bearer {key}\r\n")
}

fn body(model: &str, stream: bool) -> String {
    let messages = json!([{ "role": "user", "content": "Hi" }]);
    json!({ "model": model, "messages": messages, "stream": stream }).to_string()
}

fn message(reply: &Reply) -> String {
    let body: Value = reply.body.parse().unwrap();
    body["error"]["message"].as_str().unwrap().to_owned()
}

fn limited(quota: Quota) -> Key {
    Key { quota, ..Key::new("limited", "limited") }
}

/// Every route, with something for what its path leaves open.
fn routes() -> impl Iterator<Item = (String, String, Scope)> {
    api::routes().into_iter().map(|route| {
        let part = |part: &'static str| if part.starts_with('{') { "x" } else { part };
        let path: Vec<&str> = route.path.split('/').map(part).collect();
        (route.method.to_string(), path.join("/"), route.scope)
    })
}

#[test]
fn every_route_asks_for_a_key_that_is_good_for_it() {
    let all = BTreeSet::from(Scope::GIVEN);
    let lacking = |scope: Scope| {
        let scopes = all.iter().copied().filter(|other| *other != scope).collect();
        Key { scopes, ..Key::new(scope.name(), &format!("not {}", scope.name())) }
    };
    let mut keys: Vec<Key> = Scope::GIVEN.map(lacking).into();
    keys.push(Key { scopes: all.clone(), ..Key::new("all", "all") });
    let server = Server::start(keys);
    for (method, path, scope) in routes() {
        let ask = |headers: &str| {
            let reply = server.ask((&method, &path), headers, "{}");
            (reply.status, reply.headers.contains("www-authenticate: Bearer"))
        };
        let is_open = scope == Scope::Anyone;
        assert_eq!(ask("") == (401, true), !is_open, "{method} {path}");
        assert_eq!(ask(&bearer("unknown")) == (401, true), !is_open, "{method} {path}");
        let lacking = format!("not {}", scope.name());
        assert_eq!(ask(&bearer(&lacking)) == (403, false), !is_open, "{method} {path}");
        for headers in [bearer("all"), "x-api-key: all\r\n".to_owned()] {
            let (status, _) = ask(&headers);
            assert!(![401, 403, 405, 429].contains(&status), "{method} {path}: {status}");
        }
    }
}

#[test]
fn a_response_belongs_to_the_key_that_asked_for_it() {
    let server = Server::start(vec![Key::new("mine", "mine"), Key::new("yours", "yours")]);
    let respond = |key: &str, more: Value| {
        let mut body = json!({ "model": "quick", "input": "Hi" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        server.ask(("POST", "/v1/responses"), &bearer(key), &body.to_string())
    };
    let first: Value = respond("mine", json!({})).body.parse().unwrap();
    let path = format!("/v1/responses/{}", first["id"].as_str().unwrap());
    let reference = json!([{ "type": "item_reference", "id": first["output"][0]["id"] }]);
    for (key, status) in [("yours", 404), ("mine", 200)] {
        let after = respond(key, json!({ "previous_response_id": first["id"] }));
        let again = respond(key, json!({ "input": reference }));
        assert_eq!((after.status, again.status), (status, status), "{key}");
        for method in ["GET", "DELETE"] {
            assert_eq!(server.ask((method, &path), &bearer(key), "").status, status, "{key}");
        }
    }
}

/// So that no path is served that is not in the table: axum could not tell which there are.
#[test]
fn routes_are_added_in_one_place() {
    fn uses(folder: &Path) -> Vec<PathBuf> {
        let ways = [".route(", ".route_service(", ".nest(", ".nest_service(", ".merge("];
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let uses_of = |path: PathBuf| match path.is_dir() {
            true => uses(&path),
            false => {
                let text = std::fs::read_to_string(&path).unwrap();
                let count = ways.iter().map(|way| text.matches(way).count()).sum();
                vec![path; count]
            }
        };
        entries.flat_map(uses_of).collect()
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    assert_eq!(uses(&source), [source.join("server.rs")]);
}

#[test]
fn what_is_no_key_any_more_is_as_unknown_as_what_never_was() {
    let old = Key { expires: Some(1), ..Key::new("old", "old") };
    let server = Server::start(vec![Key::new("a", "a"), Key::new("b", "b"), old.clone()]);
    assert_eq!((server.chat("a").status, server.chat("b").status), (200, 200));
    server.renew(vec![Key::new("b", "b"), old]);
    let (revoked, never) = (server.chat("a"), server.chat("never"));
    assert_eq!((revoked.status, never.status, server.chat("b").status), (401, 401, 200));
    assert_eq!(revoked.body, never.body);
    let expired = server.chat("old");
    assert!(expired.status == 401 && message(&expired).contains("expired"), "{}", expired.body);
    let body: Value = never.body.parse().unwrap();
    assert_eq!(body["error"]["code"], "invalid_api_key");
    server.renew(Vec::new());
    assert_eq!(server.chat("b").status, 401);
}

#[test]
fn where_no_key_is_needed_any_text_will_do() {
    let server = Server::start(Vec::new());
    server.show(Ok(None));
    assert_eq!((server.chat("none").status, server.chat("").status), (200, 200));
    let fault = Fault { retry: Retry::Later, ..Fault::new(Side::Us, "the keys are gone") };
    server.show(Err(fault));
    let reply = server.chat("none");
    assert_eq!((reply.status, message(&reply).as_str()), (503, "the keys are gone"));
    assert_eq!(server.ask(("GET", "/health"), "", "").status, 200);
}

#[test]
fn who_is_not_let_in_is_not_waited_for() {
    let server = Server::start(vec![Key::new("a", "a")]);
    let long = "x".repeat(1 << 17);
    assert_eq!(server.ask(CHAT, &bearer("a"), &long).status, 413);
    // A body is promised and never comes.
    let began = Instant::now();
    let mut socket = TcpStream::connect(server.address).unwrap();
    let head = "host: localhost\r\ncontent-length: 100\r\nconnection: close\r\n";
    write!(socket, "POST {} HTTP/1.1\r\n{head}\r\n", CHAT.1).unwrap();
    let mut status = String::new();
    BufReader::new(socket).read_line(&mut status).unwrap();
    assert_eq!(status, "HTTP/1.1 401 Unauthorized\r\n");
    assert!(began.elapsed() < Duration::from_secs(10));
}

/// Clients send heads and bodies apart, and keep connections for the next request.
#[test]
fn who_is_not_let_in_may_ask_again_on_the_same_connection() {
    let server = Server::start(vec![Key::new("a", "a")]);
    let mut socket = BufReader::new(TcpStream::connect(server.address).unwrap());
    for (path, status) in [(CHAT.1, "401"), ("/no/such/route", "404"), (CHAT.1, "401")] {
        let head = "host: localhost\r\ncontent-length: 4\r\n";
        write!(socket.get_mut(), "POST {path} HTTP/1.1\r\n{head}\r\n").unwrap();
        thread::sleep(Duration::from_millis(100));
        socket.get_mut().write_all(b"body").unwrap();
        let mut reply = String::new();
        while !reply.ends_with("\r\n\r\n") {
            assert_ne!(socket.read_line(&mut reply).unwrap(), 0, "hung up after {reply:?}");
        }
        assert_eq!(reply.split(' ').nth(1), Some(status), "{reply}");
        assert!(!reply.contains("connection: close"), "{reply}");
        let length = reply.split_once("content-length: ").unwrap().1.lines().next().unwrap();
        socket.read_exact(&mut vec![0; length.parse().unwrap()]).unwrap();
    }
    // What comes late is not taken for a request.
    write!(socket.get_mut(), "POST {} HTTP/1.1\r\ncontent-length: 100\r\n\r\n", CHAT.1).unwrap();
    let mut reply = String::new();
    while !reply.ends_with("\r\n\r\n") {
        assert_ne!(socket.read_line(&mut reply).unwrap(), 0, "hung up after {reply:?}");
    }
    assert!(reply.contains("connection: close\r\n"), "{reply}");
    let _ = write!(socket.get_mut(), "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let mut rest = Vec::new();
    let _ = socket.read_to_end(&mut rest);
    assert!(!String::from_utf8_lossy(&rest).contains("HTTP/1.1"), "an answer to half a body");
}

/// Who asks whether to send a body is not asked to send one that nobody wants.
#[test]
fn who_is_not_let_in_is_not_asked_for_more() {
    let server = Server::start(vec![Key::new("a", "a")]);
    let mut socket = TcpStream::connect(server.address).unwrap();
    let head = "host: localhost\r\ncontent-length: 100\r\nexpect: 100-continue\r\n";
    write!(socket, "POST {} HTTP/1.1\r\n{head}\r\n", CHAT.1).unwrap();
    let (began, mut reply) = (Instant::now(), String::new());
    socket.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 401 "), "{reply}");
    assert!(reply.contains("connection: close\r\n"), "{reply}");
    assert!(began.elapsed() < Duration::from_secs(1));
}

/// Who was asked to send a body, and sends too much, hears so on a connection that stays.
#[test]
fn who_sends_too_much_is_read_to_the_end() {
    let server = Server::start(vec![Key::new("a", "a")]);
    let mut socket = BufReader::new(TcpStream::connect(server.address).unwrap());
    let long = vec![b'x'; (1 << 16) + 100];
    let head = format!("host: localhost\r\ncontent-length: {}\r\n{}", long.len(), bearer("a"));
    write!(socket.get_mut(), "POST {} HTTP/1.1\r\n{head}expect: 100-continue\r\n\r\n", CHAT.1)
        .unwrap();
    let mut line = String::new();
    socket.read_line(&mut line).unwrap();
    assert_eq!(line, "HTTP/1.1 100 Continue\r\n");
    socket.get_mut().write_all(&long).unwrap();
    let mut reply = String::new();
    while !reply.contains("\r\n\r\n") || reply == "\r\n" {
        assert_ne!(socket.read_line(&mut reply).unwrap(), 0, "hung up after {reply:?}");
        reply = reply.trim_start().to_owned();
    }
    assert!(reply.starts_with("HTTP/1.1 413 ") && !reply.contains("connection: close"), "{reply}");
}

#[test]
fn requests_per_minute_are_counted() {
    let requests_per_minute = 2.try_into().ok();
    let server = Server::start(vec![
        limited(Quota { requests_per_minute, ..Quota::default() }),
        Key::new("free", "free"),
    ]);
    assert_eq!((server.chat("limited").status, server.chat("limited").status), (200, 200));
    let reply = server.chat("limited");
    assert_eq!(reply.status, 429);
    assert!(message(&reply).starts_with("this key may send 2 requests per minute"));
    let seconds = reply.headers.lines().find_map(|line| line.strip_prefix("retry-after: "));
    assert!((28..=30).contains(&seconds.unwrap().parse::<u64>().unwrap()), "{seconds:?}");
    let body: Value = reply.body.parse().unwrap();
    assert_eq!(body["error"]["code"], "rate_limit_exceeded");
    assert_eq!(server.chat("free").status, 200);
}

#[test]
fn tokens_are_charged_also_to_who_hangs_up() {
    // A turn uses 501.
    let tokens_per_minute = 400.try_into().ok();
    let keys = vec![limited(Quota { tokens_per_minute, ..Quota::default() })];
    let server = Server::start(keys.clone());
    assert_eq!((server.chat("limited").status, server.chat("limited").status), (200, 429));
    let server = Server::start(keys);
    let mut lines = BufReader::new(server.send(CHAT, &bearer("limited"), &body("endless", true)));
    lines.read_line(&mut String::new()).unwrap();
    let list = || server.ask(("GET", "/v1/models"), &bearer("limited"), "");
    assert_eq!(list().status, 200);
    drop(lines);
    let begun = Instant::now();
    while list().status == 200 {
        assert!(begun.elapsed() < Duration::from_secs(20), "nobody paid");
        thread::sleep(Duration::from_millis(5));
    }
    assert!(message(&list()).contains("400 tokens per minute"));
}

#[test]
fn tokens_of_texts_are_charged_too() {
    let route = ("POST", "/v1/embeddings");
    let text = |model: &str| json!({ "model": model, "input": "a" }).to_string();
    let tokens_per_minute = 400.try_into().ok();
    let keys = vec![limited(Quota { tokens_per_minute, ..Quota::default() })];
    let server = Server::start(keys.clone());
    let embed = || server.ask(route, &bearer("limited"), &text("quick")).status;
    assert_eq!((embed(), embed()), (200, 429));
    let server = Server::start(keys);
    let list = || server.ask(("GET", "/v1/models"), &bearer("limited"), "").status;
    let left = server.send(route, &bearer("limited"), &text("endless"));
    thread::sleep(Duration::from_millis(100));
    assert_eq!(list(), 200);
    drop(left);
    let begun = Instant::now();
    while list() == 200 {
        assert!(begun.elapsed() < Duration::from_secs(20), "nobody paid");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn requests_at_once_end_with_their_replies() {
    let server =
        Server::start(vec![limited(Quota { concurrent: 1.try_into().ok(), ..Quota::default() })]);
    let mut lines = BufReader::new(server.send(CHAT, &bearer("limited"), &body("endless", true)));
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    assert_eq!(line, "HTTP/1.1 200 OK\r\n");
    let reply = server.chat("limited");
    assert!(
        reply.status == 429 && message(&reply).contains("1 requests at once"),
        "{}",
        reply.body
    );
    assert!(reply.headers.contains("retry-after: 1"), "{}", reply.headers);
    drop(lines);
    let begun = Instant::now();
    while server.chat("limited").status == 429 {
        assert!(begun.elapsed() < Duration::from_secs(20), "nobody made room");
        thread::sleep(Duration::from_millis(5));
    }
    // Who has read all of a reply may ask the next at once.
    for stream in [false, true].repeat(20) {
        let reply = server.ask(CHAT, &bearer("limited"), &body("quick", stream));
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
}

/// What one key has asked makes nothing shorter for another.
#[test]
fn a_turn_belongs_to_the_key_that_asked_for_it() {
    let server = Server::start(vec![limited(Quota::default())]);
    let reply = server.ask(CHAT, &bearer("limited"), &body("mine", false));
    assert!(reply.body.contains(r#""content":"limited""#), "{}", reply.body);
}

#[test]
fn a_browser_asks_whether_its_page_may_ask_without_a_key() {
    let server = Server::start(vec![Key::new("a", "a")]);
    let page = "origin: http://localhost:3000\r\naccess-control-request-method: POST\r\n\
                access-control-request-headers: authorization\r\n";
    let reply = server.ask(("OPTIONS", CHAT.1), page, "");
    assert_eq!(reply.status, 204);
    assert!(reply.headers.contains("access-control-allow-headers: authorization"));
    let refused = server.ask(CHAT, "origin: http://localhost:3000\r\n", "");
    assert_eq!(refused.status, 401);
    assert!(refused.headers.contains("access-control-allow-origin: http://localhost:3000"));
}
