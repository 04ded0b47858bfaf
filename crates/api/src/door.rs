//! The address at which a server waits for clients.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use crate::tls::{Greeter, Tls};

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

    /// Serves a router until `stop` is over. Replies that have begun go on to their end.
    ///
    /// # Errors
    /// What the socket says.
    pub async fn serve(
        self,
        router: Router,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        // Pieces of a stream are small, and must not wait until the one before has been
        // acknowledged.
        let socket = self.socket.tap_io(|connection| _ = connection.set_nodelay(true));
        match self.tls {
            None => axum::serve(socket, router).with_graceful_shutdown(stop).await,
            Some(tls) => {
                let socket = Greeter::new(socket, tls);
                axum::serve(socket, router).with_graceful_shutdown(stop).await
            }
        }
    }
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
