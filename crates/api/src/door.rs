//! The address at which a server waits for clients.

use std::io::{self, ErrorKind, Read, Write};
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
use tokio::time::timeout;

use crate::patient::Patient;
use crate::tls::{Greeter, Tls};

/// How long a client may take to send the head of a request, and how long a connection may wait for
/// the next.
const HEAD_TIME: Duration = Duration::from_secs(60);
/// Bytes of such a head, and lines in it.
const HEAD_BYTES: usize = 64 << 10;
const HEADERS: usize = 100;
/// Connections at once; further ones wait. Systems often allow a process 1024 open files.
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
            None => serve(socket, router, (stop, drain)).await,
            Some(tls) => serve(Greeter::new(socket, tls), router, (stop, drain)).await,
        }
    }
}

/// Serves the connections of a listener. None of them can keep its place without sending requests
/// and taking replies, and none can send a head without end.
async fn serve<L: Listener>(
    mut listener: L,
    router: Router,
    (stop, drain): (impl Future<Output = ()>, Duration),
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME);
    http.max_headers(HEADERS).max_header_size(HEAD_BYTES).max_buf_size(2 * HEAD_BYTES);
    let (open, places) = (GracefulShutdown::new(), Arc::new(Semaphore::new(CONNECTIONS)));
    let mut stop = pin!(stop);
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await.0)
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
    }
    // Nobody else may come in.
    drop(listener);
    let _ = timeout(drain, open.shutdown()).await;
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
