//! The address at which a server waits for clients.

use std::io::{self, ErrorKind, Read, Write};
use std::mem;
use std::net::{SocketAddr, TcpStream};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::serve::{Listener, ListenerExt};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::patient::Patient;
use crate::tls::{Greeter, Tls};

/// How long a client may take to send the head of a request, and how long a connection may wait for
/// the next.
const HEAD_TIME: Duration = Duration::from_secs(60);
/// Bytes of such a head, and lines in it.
const HEAD_BYTES: usize = 64 << 10;
const HEADERS: usize = 100;
/// Connections at once; further ones wait. Systems often allow a process 1024 open files, of which
/// models and keys need some.
const CONNECTIONS: usize = 768;

/// A socket that waits for clients.
pub struct Door {
    socket: TcpListener,
    tls: Option<Tls>,
}

impl Door {
    /// Opens it.
    ///
    /// # Errors
    /// When the address cannot be had; who has it is told, if it is another hearth.
    pub async fn open(address: SocketAddr) -> io::Result<Door> {
        let opened = TcpListener::bind(address).await;
        opened.map(|socket| Door { socket, tls: None }).map_err(|error| match error.kind() {
            ErrorKind::AddrInUse if is_hearth(address) => {
                io::Error::new(ErrorKind::AddrInUse, "another hearth listens there")
            }
            ErrorKind::AddrInUse => {
                io::Error::new(ErrorKind::AddrInUse, "another program listens there")
            }
            _ => error,
        })
    }

    /// The same, for clients that speak TLS, and for no others.
    #[must_use]
    pub fn with(self, tls: Tls) -> Door {
        Door { tls: Some(tls), ..self }
    }

    /// Where it is.
    ///
    /// # Errors
    /// What the system says.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Whether its clients speak TLS.
    pub fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// Serves a router until `stop` is over. Replies that have begun then may go on for as long as
    /// `drain`.
    pub async fn serve(
        self,
        router: Router,
        (stop, drain): (impl Future<Output = ()> + Send + 'static, Duration),
    ) {
        // Pieces of a stream are small, and must not wait until the one before has been
        // acknowledged.
        let socket = self.socket.tap_io(|connection| _ = connection.set_nodelay(true));
        let most = connections();
        match self.tls {
            None => serve((socket, most), router, (stop, drain)).await,
            Some(tls) => {
                let greeter = Greeter::new(socket, (tls, most / 6));
                serve((greeter, most), router, (stop, drain)).await;
            }
        }
    }
}

/// Serves the connections of a listener, so many at once. None of them can keep its place without
/// sending requests and taking replies, and none can send a head without end.
async fn serve<L: Listener>(
    (mut listener, most): (L, usize),
    router: Router,
    (stop, drain): (impl Future<Output = ()>, Duration),
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME);
    http.max_headers(HEADERS).max_header_size(HEAD_BYTES).max_buf_size(2 * HEAD_BYTES);
    let (mut open, places) = (GracefulShutdown::new(), Arc::new(Semaphore::new(most)));
    let (mut leaving, mut stop) = (JoinSet::new(), pin!(stop));
    loop {
        let next = async {
            let connection = listener.accept().await.0;
            let place = match Arc::clone(&places).try_acquire_owned() {
                Ok(place) => Ok(place),
                Err(_) => {
                    // Connections that wait for a request, or have not sent anything yet, close;
                    // the others do when their reply is over.
                    leaving.spawn(mem::take(&mut open).shutdown());
                    Arc::clone(&places).acquire_owned().await
                }
            };
            (place, connection)
        };
        let (place, connection) = tokio::select! {
            () = &mut stop => break,
            next = next => next,
        };
        let service = TowerToHyperService::new(router.clone());
        let connection = http.serve_connection(TokioIo::new(Patient::new(connection)), service);
        let connection = open.watch(connection);
        tokio::spawn(async move {
            // How it ended is known to whoever wrote the reply.
            let _ = connection.await;
            drop(place);
        });
        while leaving.try_join_next().is_some() {}
    }
    // Nobody else may come in.
    drop(listener);
    leaving.spawn(open.shutdown());
    let _ = timeout(drain, leaving.join_all()).await;
}

/// How many connections there may be.
fn connections() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits");
    // Where a system does not tell.
    let usual = if cfg!(target_os = "macos") { 256 } else { 1024 };
    connections_of(limits.ok().as_deref().and_then(open_files).unwrap_or(usual))
}

/// Of the files that a process may have open, a quarter is for all else: models, keys, and those
/// who do not speak TLS yet.
fn connections_of(files: usize) -> usize {
    (files / 4 * 3).clamp(8, CONNECTIONS)
}

/// How many files Linux lets a process have open.
fn open_files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let soft = line.split_whitespace().next()?;
    if soft == "unlimited" { Some(usize::MAX) } else { soft.parse().ok() }
}

/// Whether a hearth answers at an address.
fn is_hearth(address: SocketAddr) -> bool {
    const WAIT: Duration = Duration::from_secs(1);
    let ask = || -> io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, WAIT)?;
        stream.set_read_timeout(Some(WAIT))?;
        stream.write_all(b"GET /health HTTP/1.0\r\nhost: localhost\r\n\r\n")?;
        let mut answer = Vec::new();
        // Another program may have much to say, or hold the line.
        let _ = stream.take(1000).read_to_end(&mut answer);
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    ask().is_ok_and(|answer| answer.contains("\"server\":\"hearth\""))
}

#[cfg(test)]
mod tests {
    use axum::http::Uri;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    async fn asked(stream: &mut TcpStream) -> String {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut answer = [0; 256];
        let read = stream.read(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer[..read]).into_owned()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_asks_nothing_makes_room() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(|asked: Uri| async move {
            if asked.path() == "/" {
                return "here";
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
            "there"
        });
        let never = (std::future::pending(), Duration::ZERO);
        tokio::spawn(serve((listener, 3), router, never));
        let come = || async { TcpStream::connect(address).await.unwrap() };
        let (mut silent, mut idle, mut busy) = (come().await, come().await, come().await);
        assert!(asked(&mut idle).await.ends_with("here"));
        busy.write_all(b"GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        // Nobody goes while nobody else has come.
        assert!(asked(&mut idle).await.ends_with("here"));
        // Each takes the place of who asks nothing, and is answered, though it takes its time.
        let mut first = come().await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(asked(&mut first).await.ends_with("here"));
        assert_eq!(silent.read(&mut [0; 8]).await.unwrap(), 0);
        assert_eq!(idle.read(&mut [0; 8]).await.unwrap(), 0);
        for _ in 0..3 {
            let mut next = come().await;
            assert!(asked(&mut next).await.ends_with("here"));
        }
        // Whose answer is on its way has it.
        let mut answer = String::new();
        busy.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("there"), "{answer}");
    }

    #[test]
    fn some_files_are_left_for_all_else() {
        let told =
            "Limit  Soft Limit  Hard Limit\nMax open files            256     4096   files\n";
        assert_eq!(open_files(told), Some(256));
        assert_eq!(open_files(&told.replace("256", "unlimited")), Some(usize::MAX));
        assert_eq!(open_files("Max processes 7 7"), None);
        assert_eq!([64, 256, 1024, usize::MAX].map(connections_of), [48, 192, 768, 768]);
    }
}
