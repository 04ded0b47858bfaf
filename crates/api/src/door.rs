//! The address at which a server waits for clients.

use std::io::{self, ErrorKind, Read, Write};
use std::mem;
use std::net::{SocketAddr, TcpStream};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::serve::{Listener, ListenerExt};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
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
        match self.tls {
            None => serve((socket, connections()), router, (stop, drain)).await,
            Some(tls) => {
                serve((Greeter::new(socket, tls), connections()), router, (stop, drain)).await;
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
    let (crowd, mut leaving, mut stop) = (Crowd::default(), JoinSet::new(), pin!(stop));
    loop {
        let place = match Arc::clone(&places).try_acquire_owned() {
            Ok(place) => Ok(place),
            Err(_) => {
                // Who asks nothing makes room: those that have asked before, and those that have
                // not said a word yet.
                leaving.spawn(mem::take(&mut open).shutdown());
                crowd.0.notify_waiters();
                Err(Arc::clone(&places).acquire_owned())
            }
        };
        let next = async {
            let place = match place {
                Ok(place) => Ok(place),
                Err(place) => place.await,
            };
            (place, listener.accept().await.0)
        };
        let (place, connection) = tokio::select! {
            () = &mut stop => break,
            next = next => next,
        };
        let service = TowerToHyperService::new(router.clone());
        let (connection, silent) = Patient::new(connection);
        let connection = http.serve_connection(TokioIo::new(connection), service);
        let (connection, crowded) = (open.watch(connection), crowd.clone().among(silent));
        tokio::spawn(async move {
            // How it ended is known to whoever wrote the reply.
            tokio::select! {
                _ = connection => {}
                () = crowded => {}
            }
            drop(place);
        });
        while leaving.try_join_next().is_some() {}
    }
    // Nobody else may come in.
    drop(listener);
    leaving.spawn(open.shutdown());
    let _ = timeout(drain, leaving.join_all()).await;
}

/// Told when no place is free.
#[derive(Clone, Default)]
struct Crowd(Arc<Notify>);

impl Crowd {
    /// Waits until no place is free while the client is silent.
    async fn among(self, silent: Arc<AtomicBool>) {
        loop {
            self.0.notified().await;
            if silent.load(Ordering::Relaxed) {
                return;
            }
        }
    }
}

/// How many connections there may be: of the files that the system lets this process have open, a
/// quarter is for all else.
fn connections() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let files = files.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    // Where a system does not tell, it is one that lets a process have 256.
    let files = files.unwrap_or(if cfg!(target_os = "macos") { 256 } else { 1024 });
    (files / 4 * 3).clamp(8, CONNECTIONS)
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

    #[tokio::test]
    async fn who_asks_nothing_makes_room() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(|asked: Uri| async move {
            if asked.path() == "/" {
                return "here";
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
            "there"
        });
        let never = (std::future::pending(), Duration::ZERO);
        tokio::spawn(serve((listener, 3), router, never));
        let silent = TcpStream::connect(address).await.unwrap();
        let mut idle = TcpStream::connect(address).await.unwrap();
        assert!(asked(&mut idle).await.ends_with("here"));
        let mut busy = TcpStream::connect(address).await.unwrap();
        busy.write_all(b"GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        for _ in 0..2 {
            let mut next = TcpStream::connect(address).await.unwrap();
            let answer = timeout(Duration::from_secs(5), asked(&mut next)).await.unwrap();
            assert!(answer.ends_with("here"), "{answer}");
        }
        // Whose answer is on its way has it.
        let mut answer = String::new();
        busy.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("there"), "{answer}");
        assert_eq!(idle.read(&mut [0; 8]).await.unwrap(), 0);
        drop(silent);
    }

    #[test]
    fn some_files_are_left_for_all_else() {
        assert!((8..=CONNECTIONS).contains(&connections()));
    }
}
