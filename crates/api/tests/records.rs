//! What a server's witness is told of requests, over a socket.

#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

mod door;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use api::keys::{Key, Ring, Scope};
use api::{Access, End, House, Keys, Language, ModelCard, Options, Record, Witness};
use serde_json::json;
use turn::{
    Account, Choice, Embed, Embedded, Event, Fault, Finish, Limits, Listener, Sampling, Side, Turn,
    Usage, WhenEmbedded,
};

/// Says a word; `endless` says it until nobody listens, `broken` fails after it.
struct Stage;

impl House for Stage {
    fn models(&self) -> Vec<ModelCard> {
        Vec::new()
    }

    fn begin(&self, turn: Turn, gone: Arc<AtomicBool>, mut tell: Listener) {
        thread::spawn(move || {
            let usage = Usage { prompt_tokens: 3, cached_tokens: 1, generated_tokens: 2 };
            let _ = tell(Event::Begun(usage));
            let _ = tell(Event::Token(Choice { token: 1, logprob: -1.0, top: Vec::new() }));
            let mut go_on = tell(Event::Text("word".to_owned())).is_continue();
            while turn.model == "endless" && go_on && !gone.load(Ordering::Acquire) {
                thread::sleep(Duration::from_millis(1));
                go_on = tell(Event::Text("word".to_owned())).is_continue();
            }
            let account = Account::new(Vec::new(), Sampling::default(), Limits::default());
            let _ = match turn.model.as_str() {
                "broken" => tell(Event::Failed(Fault::new(Side::Us, "no"))),
                "endless" => tell(Event::End(Box::new(Account { usage, ..account }))),
                _ => {
                    let finish = Finish::Length;
                    tell(Event::End(Box::new(Account { finish, usage, ..account })))
                }
            };
        });
    }

    fn embed(&self, texts: Embed, _: Arc<AtomicBool>, done: WhenEmbedded) {
        done(match texts.model.as_str() {
            "broken" => Err(Fault::new(Side::Us, "no")),
            _ => Ok(Embedded { vectors: vec![vec![1.0]; 2], tokens: vec![3, 4] }),
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

struct OneKey(Arc<Ring>);

impl Keys for OneKey {
    fn ring(&self) -> Result<Option<Arc<Ring>>, Fault> {
        Ok(Some(Arc::clone(&self.0)))
    }
}

struct Told(mpsc::Sender<Record>);

impl Witness for Told {
    fn over(&self, record: &Record) {
        let _ = self.0.send(record.clone());
    }
}

/// A server, and what its witness is told.
struct Server {
    address: SocketAddr,
    told: mpsc::Receiver<Record>,
}

impl Server {
    fn start() -> Server {
        let key = Key { scopes: BTreeSet::from([Scope::Ask]), ..Key::new("laptop", "secret") };
        let ring = Arc::new(Ring::default().renewed(vec![key], Instant::now()));
        let access = Access { keys: Some(Arc::new(OneKey(ring))), ..Access::default() };
        let (teller, told) = mpsc::channel();
        let options = Options { witness: Some(Arc::new(Told(teller))), ..Options::default() };
        let address = door::serve(Arc::new(Stage), (access, options), |door| door);
        Server { address, told }
    }

    fn send(&self, line: &str, body: &str) -> TcpStream {
        let mut socket = TcpStream::connect(self.address).unwrap();
        let length = body.len();
        let head = "host: localhost\r\nauthorization: Bearer secret\r\nconnection: close";
        write!(socket, "{line} HTTP/1.1\r\n{head}\r\ncontent-length: {length}\r\n\r\n{body}")
            .unwrap();
        socket
    }

    /// Asks, reads the reply to its end, and gives it with what the witness is told.
    fn ask(&self, line: &str, body: &str) -> (String, Record) {
        let mut reply = String::new();
        self.send(line, body).read_to_string(&mut reply).unwrap();
        (reply, self.told())
    }

    fn told(&self) -> Record {
        self.told.recv_timeout(Duration::from_secs(5)).unwrap()
    }
}

const CHAT: &str = "POST /v1/chat/completions?note=hush";

fn body(model: &str, stream: bool, n: usize) -> String {
    let messages = json!([{ "role": "user", "content": "hush" }]);
    json!({ "model": model, "messages": messages, "stream": stream, "n": n }).to_string()
}

#[test]
fn a_record_says_who_asked_what_and_what_came_of_it() {
    let server = Server::start();
    for (stream, n) in [(false, 1), (true, 1), (false, 3), (true, 3)] {
        let (reply, record) = server.ask(CHAT, &body("good", stream, n));
        assert!(reply.contains(&format!("x-request-id: {}\r\n", record.id)), "{reply}");
        assert_eq!(
            (record.key.as_deref(), record.model.as_deref()),
            (Some("laptop"), Some("good"))
        );
        assert_eq!(
            (&record.path[..], record.route),
            ("/v1/chat/completions", Some("/v1/chat/completions"))
        );
        assert_eq!((record.status.unwrap().as_u16(), record.turns), (200, n));
        let usage = Usage { prompt_tokens: 3 * n, cached_tokens: n, generated_tokens: 2 * n };
        assert_eq!((record.usage, &record.end), (usage, &End::Finished(Finish::Length)));
        let times = record.times;
        assert!(times.begun.unwrap() <= times.first.unwrap(), "{times:?}");
        assert!(times.first.unwrap() <= times.over, "{times:?}");
        assert!(!format!("{record:?}").contains("hush"), "{record:?}");
    }
}

#[test]
fn a_record_says_how_it_went_wrong() {
    let server = Server::start();
    let (_, record) = server.ask("GET /metrics", "");
    let status = record.status.map(|status| status.as_u16());
    assert_eq!((record.key.as_deref(), status), (Some("laptop"), Some(403)));
    let ended = |line: &str, body: &str| {
        let (_, record) = server.ask(line, body);
        let side = match record.end {
            End::Failed(fault) => Some(fault.side),
            _ => None,
        };
        (record.status.unwrap().as_u16(), record.route.is_some(), record.turns, side)
    };
    let (ours, theirs) = (Some(Side::Us), Some(Side::Caller));
    assert_eq!(ended(CHAT, &body("broken", false, 1)), (500, true, 1, ours));
    assert_eq!(ended(CHAT, &body("broken", true, 1)), (200, true, 1, ours));
    assert_eq!(ended(CHAT, "{}"), (400, true, 0, theirs));
    assert_eq!(ended("GET /v1/models", ""), (403, true, 0, theirs));
    assert_eq!(ended("GET /nowhere", ""), (404, false, 0, theirs));
    assert_eq!(ended("GET /health", ""), (200, true, 0, None));
}

#[test]
fn texts_are_recorded_without_turns() {
    let server = Server::start();
    let body = |model: &str| json!({ "model": model, "input": ["hush", "hush"] }).to_string();
    let (_, record) = server.ask("POST /v1/embeddings", &body("good"));
    assert_eq!((record.model.as_deref(), record.turns), (Some("good"), 0));
    assert_eq!((record.usage.prompt_tokens, &record.end), (7, &End::Answered));
    assert!(!format!("{record:?}").contains("hush"), "{record:?}");
    let (_, record) = server.ask("POST /v1/embeddings", &body("broken"));
    assert!(matches!(record.end, End::Failed(_)), "{:?}", record.end);
}

#[test]
fn a_client_that_hangs_up_is_told_with_what_it_has_used() {
    let server = Server::start();
    for stream in [true, false] {
        let mut socket = server.send(CHAT, &body("endless", stream, 1));
        if stream {
            socket.read_exact(&mut [0; 100]).unwrap();
        } else {
            thread::sleep(Duration::from_millis(200));
        }
        drop(socket);
        let record = server.told();
        assert_eq!((&record.end, record.status.is_some()), (&End::HungUp, stream));
        assert_eq!((record.usage.prompt_tokens, record.usage.generated_tokens), (3, 2));
    }
}
