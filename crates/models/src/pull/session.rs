//! One errand to the network: its connections, the rules of each request, patience, and what is
//! told meanwhile.
//!
//! Redirects are followed here, one by one, for each must keep the rules; a token of the user's
//! goes to whom the user named, and to nobody to whom that one sends us.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ureq::Agent;
use ureq::http::HeaderMap;

use super::challenge;
use super::connect::connector;
use super::public::is_public;
use super::resolve::{Checked, Private};
use super::{Address, Client, Error, Origin, Token};

/// Redirects that are followed for one request.
const REDIRECTS: usize = 5;
/// For connecting and greeting together.
const CONNECT: Duration = Duration::from_secs(30);
/// How often it is told how far things are.
const TICK: Duration = Duration::from_millis(50);

/// How far an errand is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the file that are here.
    pub done: u64,
    /// Of how many, where that is known.
    pub total: Option<u64>,
    /// What is being done.
    pub stage: Stage,
}

/// What is being done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Somebody was asked.
    Asking,
    /// Bytes come.
    Fetching,
    /// Something went wrong, and it is tried again after a while.
    Waiting {
        /// What went wrong.
        why: String,
        /// How long it will be.
        pause: Duration,
    },
    /// The bytes are compared with what was promised.
    Checking,
}

/// Who is told, and may end it.
pub type Watch<'a> = &'a (dyn Fn(Progress) -> ControlFlow<()> + Sync);

/// One errand.
pub struct Session<'a> {
    pub client: &'a Client,
    agent: Agent,
    /// Whom the user named: the source, or its mirror. No other has a token of the user's.
    asked: Origin,
    named: Vec<(String, u16)>,
    stop: Arc<AtomicBool>,
    told: Mutex<Progress>,
    /// What is waited for, by one connection or several.
    waiting: Mutex<Vec<(u64, Stage)>>,
    /// What registries gave for the time of this errand.
    pub bearers: Mutex<Vec<(Origin, Token)>>,
}

/// A question.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    pub at: &'a Address,
    /// The first and the last byte.
    pub range: Option<(u64, u64)>,
    pub accept: &'a str,
    /// Whether it is a container registry, which may send us for a token first.
    pub registry: bool,
    /// The version of which a part is asked for; of another one the whole comes.
    pub version: Option<&'a str>,
    /// When the whole answer must be here.
    pub until: Option<Instant>,
}

impl<'a> Ask<'a> {
    /// For all of it, whatever it is.
    pub fn of(at: &'a Address, accept: &'a str) -> Ask<'a> {
        Ask { at, range: None, accept, registry: false, version: None, until: None }
    }
}

/// An answer of any status but a redirect.
pub struct Reply {
    pub status: u16,
    /// Who answered at last.
    pub address: Address,
    headers: HeaderMap,
    pub body: ureq::BodyReader<'static>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub fn number(&self, name: &str) -> Option<u64> {
        self.header(name)?.trim().parse().ok()
    }
}

/// What went wrong with one try.
#[derive(Debug)]
pub enum Fault {
    /// It will go wrong each time.
    Final(Error),
    /// It may go better later.
    Again { why: String, after: Option<Duration> },
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        Fault::Final(error)
    }
}

/// Does work in a thread, and tells of it in this one, until it is done or nobody wants it.
pub fn watched<T: Send>(
    client: &Client,
    named: &Origin,
    watch: Watch,
    work: impl FnOnce(&Session) -> Result<T, Error> + Send,
) -> Result<T, Error> {
    let session = Session::new(client, named);
    let (finished, finish) = mpsc::channel::<()>();
    let result = thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let _finished = finished;
            work(&session)
        });
        while let Err(RecvTimeoutError::Timeout) = finish.recv_timeout(TICK) {
            if watch(session.progress()).is_break() && !session.is_stopped() {
                session.stop.store(true, Ordering::Relaxed);
                session.agent.clone().shutdown();
            }
        }
        worker.join()
    });
    match result {
        Ok(Err(_)) if session.is_stopped() => Err(Error::Stopped),
        Ok(result) => {
            // It is over; nobody can end it any more.
            let _ = watch(session.progress());
            result
        }
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

impl<'a> Session<'a> {
    fn new(client: &'a Client, named: &Origin) -> Session<'a> {
        let mut hosts = client.options.private.clone();
        hosts.push((named.host.clone(), named.port));
        let mut reached = hosts.clone();
        reached.extend(proxy(client));
        let stop = Arc::new(AtomicBool::new(false));
        let config = Agent::config_builder()
            .tls_config(client.tls.clone())
            .proxy(client.proxy.clone())
            .user_agent(&client.options.user_agent)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections_per_host(client.options.connections)
            .timeout_connect(Some(CONNECT))
            .timeout_per_read(Some(client.options.stall))
            .timeout_per_write(Some(client.options.stall))
            .timeout_recv_response(Some(client.options.stall))
            .build();
        let resolver = Checked { named: reached, stop: Arc::clone(&stop) };
        let agent = Agent::with_parts(config, connector(Arc::clone(&stop)), resolver);
        let told = Mutex::new(Progress { done: 0, total: None, stage: Stage::Asking });
        Session {
            client,
            agent,
            asked: named.clone(),
            named: hosts,
            stop,
            told,
            waiting: Mutex::default(),
            bearers: Mutex::default(),
        }
    }

    /// What is told: that somebody waits goes before what others do meanwhile.
    fn progress(&self) -> Progress {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut progress = self.told().clone();
        if let Some((_, stage)) = waiting.last() {
            progress.stage = stage.clone();
        }
        progress
    }

    /// How far things are.
    pub fn told(&self) -> MutexGuard<'_, Progress> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Asks until there is an answer that would be the same next time.
    pub fn get(&self, ask: Ask) -> Result<Reply, Error> {
        let mut tries = Tries::new(self, ask.at.origin());
        loop {
            match self.try_get(ask) {
                Ok(reply) => return Ok(reply),
                Err(fault) => tries.again(fault)?,
            }
        }
    }

    /// Asks once, and follows where that leads. Where a registry wants a token, gets one first.
    pub fn try_get(&self, ask: Ask) -> Result<Reply, Fault> {
        let reply = self.follow(ask)?;
        let is_asked_for = reply.status == 401 && reply.address.origin() == ask.at.origin();
        if ask.registry && is_asked_for && challenge::answer(self, ask, &reply)? {
            return self.follow(ask);
        }
        Ok(reply)
    }

    fn follow(&self, ask: Ask) -> Result<Reply, Fault> {
        self.may(ask.at).map_err(|why| refused(ask.at, why))?;
        let mut at = ask.at.clone();
        for _ in 0..=REDIRECTS {
            let reply = self.send(&at, ask)?;
            if !matches!(reply.status, 301 | 302 | 303 | 307 | 308) {
                return busy(reply);
            }
            at = self.redirect(&at, reply.header("location").unwrap_or_default())?;
        }
        Err(refused(ask.at, format!("it redirects more than {REDIRECTS} times")).into())
    }

    fn redirect(&self, at: &Address, location: &str) -> Result<Address, Error> {
        let next = at.join(location).and_then(|next| {
            if location.is_empty() {
                return Err("it does not say where".to_owned());
            }
            if at.origin().secure && !next.origin().secure {
                return Err("a redirect must not lead from `https:` to `http:`".to_owned());
            }
            self.may(&next).map(|()| next)
        });
        next.map_err(|why| Error::Address { address: format!("what {at} redirects to"), why })
    }

    fn send(&self, at: &Address, ask: Ask) -> Result<Reply, Fault> {
        if self.is_stopped() {
            return Err(Error::Stopped.into());
        }
        // Bytes of a compressed form could not be counted.
        let mut request = self.agent.get(at.uri()).header("Accept-Encoding", "identity");
        request = request.header("Accept", ask.accept);
        if let Some((first, last)) = ask.range {
            request = request.header("Range", format!("bytes={first}-{last}"));
            if let Some(version) = ask.version {
                request = request.header("If-Range", version);
            }
        }
        if let Some(until) = ask.until {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let (host, why) = (at.origin().to_string(), "its answer takes too long".to_owned());
                return Err(Error::Unreachable { host, why, tries: 1 }.into());
            }
            request = request.config().timeout_global(Some(left)).build();
        }
        if let Some(token) = self.token(at.origin()) {
            request = request.header("Authorization", format!("Bearer {}", token.secret()));
        }
        let reply = request.call().map_err(|error| fault(at, error))?;
        let (parts, body) = reply.into_parts();
        let status = parts.status.as_u16();
        let body = body.into_reader();
        Ok(Reply { status, address: at.clone(), headers: parts.headers, body })
    }

    /// What a registry gave goes before what the user did: it was given for that.
    fn token(&self, origin: &Origin) -> Option<Token> {
        let is_for = |(of, _): &&(Origin, Token)| of == origin;
        let given = self.bearers.lock().unwrap_or_else(PoisonError::into_inner);
        let given = given.iter().find(is_for).map(|(_, token)| token.clone());
        let own = || self.client.options.tokens.iter().find(is_for);
        given.or_else(|| own().filter(|_| *origin == self.asked).map(|(_, token)| token.clone()))
    }

    /// The rules that need no look-up; [`Checked`] has the others.
    pub fn may(&self, at: &Address) -> Result<(), String> {
        let origin = at.origin();
        if !origin.secure && !origin.is_loopback() {
            return Err(
                "`http:` can be changed on its way, and is allowed for this machine only; \
                        use `https:`"
                    .to_owned(),
            );
        }
        let is_private = match origin.literal() {
            Some(number) => !is_public(number),
            None => origin.is_loopback(),
        };
        let is_same = |(host, port): &(String, u16)| *host == origin.host && *port == origin.port;
        // The proxy is there to be asked for others.
        let is_private = is_private || proxy(self.client).is_some_and(|proxy| is_same(&proxy));
        if is_private && !self.named.iter().any(is_same) {
            let why = "it belongs to a private network, and the source does not name it";
            return Err(why.to_owned());
        }
        Ok(())
    }

    /// Waits, and says why, until there is nothing to wait for.
    fn wait(&self, why: String, pause: Duration, is_over: &AtomicBool) -> Result<(), Error> {
        let waiting = || self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = waiting();
        let number = all.last().map_or(0, |(number, _)| number + 1);
        all.push((number, Stage::Waiting { why, pause }));
        drop(all);
        let begin = Instant::now();
        let is_over = || self.is_stopped() || is_over.load(Ordering::Relaxed);
        while begin.elapsed() < pause && !is_over() {
            thread::sleep(TICK.min(pause.saturating_sub(begin.elapsed())));
        }
        waiting().retain(|(of, _)| *of != number);
        if self.is_stopped() { Err(Error::Stopped) } else { Ok(()) }
    }
}

/// The host and port of the proxy.
fn proxy(client: &Client) -> Option<(String, u16)> {
    let proxy = client.proxy.as_ref()?;
    Some((proxy.host().to_ascii_lowercase(), proxy.port()))
}

/// How often something was tried in vain.
pub struct Tries<'a> {
    session: &'a Session<'a>,
    host: String,
    done: u32,
    is_over: &'a AtomicBool,
}

impl<'a> Tries<'a> {
    pub fn new(session: &'a Session<'a>, origin: &Origin) -> Tries<'a> {
        Tries { session, host: origin.to_string(), done: 0, is_over: &session.stop }
    }

    /// Does not wait any longer when this is set.
    pub fn until(self, is_over: &'a AtomicBool) -> Tries<'a> {
        Tries { is_over, ..self }
    }

    /// It went better for a while.
    pub fn reset(&mut self) {
        self.done = 0;
    }

    /// Waits until it may be tried again, or gives up.
    pub fn again(&mut self, fault: Fault) -> Result<(), Error> {
        let (why, after) = match fault {
            Fault::Final(error) => return Err(error),
            Fault::Again { why, after } => (why, after),
        };
        if self.session.is_stopped() {
            return Err(Error::Stopped);
        }
        let options = &self.session.client.options;
        self.done += 1;
        if self.done >= options.tries {
            return Err(Error::Unreachable { host: self.host.clone(), why, tries: self.done });
        }
        let doubled = options.pause * 2u32.saturating_pow(self.done - 1);
        let pause = after.unwrap_or(doubled).min(options.longest_pause);
        self.session.wait(why, pause + pause.mul_f64(0.25 * chance()), self.is_over)
    }
}

/// A number from 0 to 1, so that many who wait for the same do not all come back at once.
fn chance() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0) as f64 / u64::MAX as f64
}

/// Sorts out the answers that say "later".
fn busy(reply: Reply) -> Result<Reply, Fault> {
    if !matches!(reply.status, 408 | 429 | 500 | 502 | 503 | 504) {
        return Ok(reply);
    }
    let after = reply.number("retry-after").map(Duration::from_secs);
    let meaning = match reply.status {
        429 => "it is asked too often",
        408 => "it was waiting for us",
        _ => "it has trouble",
    };
    Err(Fault::Again { why: format!("{meaning} (status {})", reply.status), after })
}

fn refused(address: &Address, why: String) -> Error {
    Error::Address { address: address.to_string(), why }
}

/// What the client says of a request that had no answer. Its words may hold an address with its
/// query, so they are not always repeated.
fn fault(at: &Address, error: ureq::Error) -> Fault {
    let again = |why: &str| Fault::Again { why: why.to_owned(), after: None };
    let last = |why: String| {
        let host = at.origin().to_string();
        Fault::Final(Error::Unreachable { host, why, tries: 1 })
    };
    match error {
        ureq::Error::Other(other) => match other.downcast::<Private>() {
            Ok(private) => refused(at, private.to_string()).into(),
            Err(other) => last(other.to_string()),
        },
        // What is said in a greeting stays the same.
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => last(format!(
            "{error}; certificates that are not known to all are named by SSL_CERT_FILE"
        )),
        ureq::Error::Io(error) => again(&error.to_string()),
        ureq::Error::Timeout(_) => again("no answer came in time"),
        ureq::Error::HostNotFound => again("there is no such host"),
        ureq::Error::ConnectProxyFailed(_) => again("the proxy does not connect to it"),
        ureq::Error::Protocol(_) => again("it does not speak HTTP as it should"),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => last("it cannot be asked".to_owned()),
        error => last(error.to_string()),
    }
}

/// What the client says of a body that ended too early.
pub fn body_fault(error: &std::io::Error) -> Fault {
    let why = match error.kind() {
        std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock => {
            "no bytes came for a while".to_owned()
        }
        std::io::ErrorKind::UnexpectedEof => "the connection ended early".to_owned(),
        _ => error.to_string(),
    };
    Fault::Again { why, after: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pull::{Options, Proxy};

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn redirects_keep_the_rules() {
        let options = Options { proxy: Proxy::None, ..Options::default() };
        let client = Client::new(options).unwrap();
        let hub = address("https://hub.example/x");
        let session = Session::new(&client, hub.origin());
        assert!(session.redirect(&hub, "https://cdn.example/y").is_ok());
        assert!(session.redirect(&hub, "/y").is_ok());
        for location in [
            "",
            "http://hub.example/x",
            "http://127.0.0.1/x",
            "https://127.0.0.1/x",
            "https://localhost/x",
            "https://x.localhost/x",
            "https://[::1]/x",
            "https://[::ffff:10.0.0.1]/x",
            "https://10.0.0.1/x",
            "https://169.254.169.254/latest/meta-data",
            "https://100.64.0.1/x",
            "https://[fd00::1]/x",
            "https://0.0.0.0/x",
            "https://2130706433/x",
            "file:///etc/passwd",
            "ftp://hub.example/x",
            "data:,x",
            "https://user:secret@hub.example/x",
        ] {
            assert!(session.redirect(&hub, location).is_err(), "{location:?}");
        }
        assert!(session.may(&address("http://other.example/x")).is_err(), "`http:` is for here");
    }

    #[test]
    fn who_is_named_may_be_private_at_that_port_alone() {
        let client = Client::new(Options { proxy: Proxy::None, ..Options::default() }).unwrap();
        let session = Session::new(&client, address("https://10.0.0.1:8443/x").origin());
        assert!(session.may(&address("https://10.0.0.1:8443/y")).is_ok());
        assert!(session.may(&address("https://10.0.0.1/y")).is_err());
        assert!(session.may(&address("https://10.0.0.2:8443/y")).is_err());
    }

    #[test]
    fn a_token_is_for_whom_the_user_named() {
        let hub = address("https://hub.example/").origin().clone();
        let tokens = vec![(hub.clone(), Token::new("hf_secret").unwrap())];
        let client =
            Client::new(Options { tokens, proxy: Proxy::None, ..Options::default() }).unwrap();
        assert!(Session::new(&client, &hub).token(&hub).is_some());
        // A registry that sends us to the hub, for a token or for a file.
        let registry = Session::new(&client, address("https://r.example/").origin());
        assert_eq!(registry.token(&hub), None);
    }

    #[test]
    fn a_name_with_a_private_number_is_not_connected_to() {
        let client = Client::new(Options { proxy: Proxy::None, ..Options::default() }).unwrap();
        let session = Session::new(&client, address("https://hub.example/").origin());
        // A name that the system finds, and whose number is this machine's.
        let at = address("https://localhost:1/x");
        let ask = Ask::of(&at, "*/*");
        let fault = session.send(&at, ask);
        let Err(Fault::Final(Error::Address { why, .. })) = fault else { panic!("it was asked") };
        assert!(why.contains("private network"), "{why}");
    }
}
