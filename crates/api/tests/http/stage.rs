//! A house that plays, and a client that looks at every byte.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use api::{About, Access, Door, House, Language, ModelCard, Options, Resident, TextOptions};
use serde_json::{Value, json};
use turn::{
    Abilities, Account, Choice, Embed, Embedded, Event, Fault, Finish, Kind, Limits, Listener,
    Prompt, Retry, Sampling, Side, Tool, Turn, Usage, WhenEmbedded,
};

/// What it does follows from the name of the model.
#[derive(Default)]
pub struct Stage {
    /// The turns that were begun.
    pub turns: Mutex<Vec<Turn>>,
    /// What was loaded and unloaded.
    pub moved: Mutex<Vec<String>>,
    /// Told the reason why an endless turn ended.
    pub ended: Mutex<Option<mpsc::Sender<&'static str>>>,
}

impl House for Stage {
    fn models(&self) -> Vec<ModelCard> {
        let card = |id: &str| ModelCard { id: id.to_owned(), created: 5, context: 64, width: 2 };
        vec![card("echo"), card("org/name:tag")]
    }

    fn find(&self, model: &str) -> Result<ModelCard, Fault> {
        let name = model.strip_suffix(":latest").unwrap_or(model);
        self.models().into_iter().find(|card| card.id == name).ok_or_else(|| missing(model))
    }

    fn about(&self, model: &str) -> Result<About, Fault> {
        let abilities = Abilities { converses: model != "base", ..Abilities::default() };
        match model {
            "missing" => Err(missing(model)),
            _ => {
                Ok(About { bytes: 7, architecture: "qwen3".into(), abilities, ..About::default() })
            }
        }
    }

    fn residents(&self) -> Vec<Resident> {
        let left = Some(Duration::from_secs(60));
        vec![Resident { id: "echo".to_owned(), bytes: 9, left, ..Resident::default() }]
    }

    fn bring(&self, model: &str, keep: Option<Option<Duration>>) -> Result<(), Fault> {
        self.moved.lock().unwrap().push(format!("load {} {keep:?}", self.find(model)?.id));
        Ok(())
    }

    fn let_go(&self, model: &str) -> Result<(), Fault> {
        self.moved.lock().unwrap().push(format!("unload {}", self.find(model)?.id));
        Ok(())
    }

    fn begin(&self, turn: Turn, gone: Arc<AtomicBool>, listener: Listener) {
        self.turns.lock().unwrap().push(turn.clone());
        let ended = self.ended.lock().unwrap().clone();
        thread::spawn(move || play(&turn, &gone, listener, ended.as_ref()));
    }

    fn embed(&self, texts: Embed, _: Arc<AtomicBool>, done: WhenEmbedded) {
        thread::spawn(move || done(embedded(&texts)));
    }

    fn language(&self, _: &str) -> Result<Arc<dyn Language>, Fault> {
        Ok(Arc::new(Bytes((0..=255).collect())))
    }

    fn fingerprint(&self, model: &str) -> String {
        format!("fp-{model}")
    }

    fn is_ready(&self) -> bool {
        false
    }
}

pub fn missing(model: &str) -> Fault {
    Fault { kind: Kind::Missing, ..Fault::new(Side::Caller, format!("no {model:?}")) }
}

/// Its tokens are bytes.
pub struct Bytes(Vec<u8>);

impl Language for Bytes {
    fn bytes_of(&self, token: u32) -> &[u8] {
        &self.0[token as usize..=token as usize]
    }

    fn read(&self, prompt: &Prompt, _: &[Tool]) -> Result<Vec<u32>, Fault> {
        Ok(format!("{prompt:?}").bytes().map(u32::from).collect())
    }

    fn reads(&self, variable: &str) -> bool {
        variable == "enable_thinking"
    }

    fn tokens_of(&self, text: &str, options: TextOptions) -> Vec<u32> {
        let begin = options.special.then_some(1);
        begin.into_iter().chain(text.bytes().map(u32::from)).collect()
    }

    fn text_of(&self, tokens: &[u32]) -> String {
        tokens.iter().map(|token| self.0[*token as usize] as char).collect()
    }

    fn piece(&self, token: u32) -> &str {
        const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";
        token.checked_sub(97).and_then(|at| LETTERS.get(at as usize..)?.get(..1)).unwrap_or("")
    }
}

pub fn play(
    turn: &Turn,
    gone: &AtomicBool,
    mut tell: Listener,
    ended: Option<&mpsc::Sender<&'static str>>,
) {
    let fault = |kind: Kind| Fault { kind, ..Fault::new(Side::Caller, "no") };
    let _ = match turn.model.as_str() {
        "echo" | "base" => echo(turn, &mut tell),
        "missing" => tell(Event::Failed(fault(Kind::Missing))),
        "long" => tell(Event::Failed(fault(Kind::TooLong { needed: 9, context: 8 }))),
        "later" => tell(Event::Failed(fault(Kind::NotYet))),
        "plain" => tell(Event::Failed(fault(Kind::Plain))),
        "ours" => tell(Event::Failed(Fault::new(Side::Us, "no"))),
        "full" => {
            tell(Event::Failed(Fault { retry: Retry::Later, ..Fault::new(Side::Us, "full") }))
        }
        "breaks" => {
            let _ = tell(Event::Text("a".to_owned()));
            tell(Event::Failed(Fault::new(Side::Us, "broken")))
        }
        "vanishes" => tell(Event::Text("a".to_owned())),
        "slow" => {
            let _ = tell(Event::Read(1));
            thread::sleep(Duration::from_millis(300));
            echo(turn, &mut tell)
        }
        "reads" => {
            for read in 0..15 {
                let _ = tell(Event::Read(read));
                thread::sleep(Duration::from_millis(20));
            }
            echo(turn, &mut tell)
        }
        "cancelled" => tell(end(Finish::Cancelled)),
        // One copy is told in time.
        "late" if turn.wishes.seed == Some(7) => echo(turn, &mut tell),
        "late" => tell(over()),
        "endless" => endless(gone, &mut tell, ended),
        other => panic!("{other}"),
    };
}

/// A vector follows from its text alone.
pub fn embedded(texts: &Embed) -> Result<Embedded, Fault> {
    let len = |text: &Prompt| format!("{text:?}").len();
    match texts.model.as_str() {
        "echo" => Ok(Embedded {
            vectors: texts.texts.iter().map(|text| vec![0.1, -(len(text) as f32)]).collect(),
            tokens: texts.texts.iter().map(len).collect(),
        }),
        "long" => {
            let kind = Kind::TooLong { needed: 9, context: 8 };
            Err(Fault { kind, ..Fault::new(Side::Caller, "no") })
        }
        "absent" => Err(missing("absent")),
        other => panic!("{other}"),
    }
}

pub fn echo(turn: &Turn, tell: &mut Listener) -> ControlFlow<()> {
    let text = match &*turn.prompt {
        Prompt::Chat(chat) => chat.messages[0]["content"].as_str().unwrap_or("").to_owned(),
        other => format!("{other:?}"),
    };
    for word in text.split_inclusive(' ') {
        let token = u32::from(word.as_bytes()[0]);
        tell(Event::Token(Choice { token, logprob: -1.0, top: Vec::new() }))?;
        tell(Event::Text(word.to_owned()))?;
    }
    tell(end(Finish::End))
}

pub fn end(finish: Finish) -> Event {
    let account = Account::new(Vec::new(), Sampling::default(), Limits::default());
    let usage = Usage { prompt_tokens: 3, cached_tokens: 1, generated_tokens: 2 };
    Event::End(Box::new(Account { finish, usage, ..account }))
}

/// The end of a turn whose time was over before it had a word.
fn over() -> Event {
    let mut end = end(Finish::Deadline);
    if let Event::End(account) = &mut end {
        account.usage.generated_tokens = 0;
    }
    end
}

/// Talks until nobody listens, and says how it noticed.
pub fn endless(
    gone: &AtomicBool,
    tell: &mut Listener,
    ended: Option<&mpsc::Sender<&'static str>>,
) -> ControlFlow<()> {
    let reason = loop {
        if gone.load(Ordering::Acquire) {
            break "gone";
        }
        if tell(Event::Text("word ".repeat(200))).is_break() {
            break "break";
        }
        thread::sleep(Duration::from_micros(100));
    };
    let _ = ended.map(|ended| ended.send(reason));
    ControlFlow::Break(())
}

/// A server with this house, for as long as the test runs.
pub fn serve(house: &Arc<Stage>) -> SocketAddr {
    serve_until(house, std::future::pending()).0
}

pub fn serve_until(
    house: &Arc<Stage>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> (SocketAddr, thread::JoinHandle<()>) {
    let options = Options {
        body_limit: 1 << 20,
        patience: Duration::from_secs(5),
        keep_alive: Duration::from_millis(100),
        ..Options::default()
    };
    let house: Arc<dyn House> = Arc::clone(house) as Arc<dyn House>;
    let (sender, receiver) = mpsc::channel();
    let server = thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let door = Door::open("127.0.0.1:0".parse().unwrap()).await.unwrap();
            sender.send(door.address().unwrap()).unwrap();
            let router = api::router(house, Access::default(), options);
            door.serve(router, (stop, Duration::from_secs(20))).await;
        });
    });
    (receiver.recv().unwrap(), server)
}

pub fn request(method: &str, path: &str, body: &str) -> String {
    let length = format!("content-length: {}", body.len());
    let headers = format!("host: localhost\r\nconnection: close\r\n{length}");
    format!("{method} {path} HTTP/1.1\r\n{headers}\r\n\r\n{body}")
}

pub struct Reply {
    pub status: u16,
    pub headers: String,
    pub body: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        self.body.parse().unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.headers.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

pub fn ask(address: SocketAddr, method: &str, path: &str, body: &str) -> Reply {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.write_all(request(method, path, body).as_bytes()).unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).unwrap();
    let (headers, body) = text.split_once("\r\n\r\n").unwrap();
    let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
    let chunked = headers.contains("transfer-encoding: chunked");
    let body = if chunked { joined(body) } else { body.to_owned() };
    Reply { status, headers: headers.to_owned(), body }
}

/// The chunks of a body put together.
pub fn joined(mut rest: &str) -> String {
    let mut body = String::new();
    loop {
        let (size, after) = rest.split_once("\r\n").unwrap();
        match usize::from_str_radix(size, 16).unwrap() {
            0 => return body,
            size => {
                body.push_str(&after[..size]);
                rest = &after[size + 2..];
            }
        }
    }
}

pub fn chat(model: &str, more: &Value) -> String {
    let messages = json!([{ "role": "user", "content": "Oh my hat" }]);
    let mut body = json!({ "model": model, "messages": messages });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body.to_string()
}

pub const CHAT: &str = "/v1/chat/completions";
