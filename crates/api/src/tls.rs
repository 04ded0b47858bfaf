//! TLS 1.2 and 1.3: certificates, and the greeting before each connection. Knows no files.

use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::serve::Listener;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a client may take to greet. It holds up nobody else meanwhile.
const GREETING: Duration = Duration::from_secs(10);

/// What a server shows to prove who it is. It may be renewed while it is in use; connections that
/// have begun go on with what they have seen.
#[derive(Clone)]
pub struct Tls(Arc<RwLock<Arc<ServerConfig>>>);

impl Tls {
    /// A certificate with those that vouch for it, the server's own first, and its key: PEM, the
    /// key as PKCS#8, SEC1 or PKCS#1.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn new(certificates: &[u8], key: &[u8]) -> Result<Tls, String> {
        Ok(Tls(Arc::new(RwLock::new(config(certificates, key)?))))
    }

    /// Shows others from now on.
    ///
    /// # Errors
    /// What is wrong with them. Then it goes on with those that it had.
    pub fn renew(&self, certificates: &[u8], key: &[u8]) -> Result<(), String> {
        let config = config(certificates, key)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    fn acceptor(&self) -> TlsAcceptor {
        let config = self.0.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&config))
    }
}

fn config(certificates: &[u8], key: &[u8]) -> Result<Arc<ServerConfig>, String> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(certificates)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("the certificate is no PEM: {error}"))?;
    if chain.is_empty() {
        return Err("there is no certificate in the file that should have it".to_owned());
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| match error {
        pem::Error::NoItemsFound => {
            "there is no key (PKCS#8, SEC1 or PKCS#1, without a passphrase) in its file".to_owned()
        }
        error => format!("the key is no PEM: {error}"),
    })?;
    let wrong = |error: rustls::Error| match error {
        rustls::Error::InconsistentKeys(_) => "the key is not that of the certificate".to_owned(),
        error => format!("the certificate or its key cannot be used: {error}"),
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(wrong)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Hands on connections whose clients have greeted. Those that have not are waited for beside each
/// other.
pub struct Greeter<L: Listener> {
    socket: L,
    tls: Tls,
    greeting: JoinSet<Option<(TlsStream<TcpStream>, L::Addr)>>,
    /// The same in their order, with some that are over.
    order: Vec<AbortHandle>,
    /// How many there may be: when more come, who has taken longest goes.
    most: usize,
}

impl<L: Listener<Io = TcpStream>> Greeter<L> {
    /// Of all connections of a socket, so many of them at once.
    pub fn new(socket: L, (tls, most): (Tls, usize)) -> Greeter<L> {
        Greeter { socket, tls, greeting: JoinSet::new(), order: Vec::new(), most: most.max(1) }
    }

    /// Makes room for one more, at the cost of who has taken longest.
    fn make_room(&mut self) {
        self.order.retain(|greeting| !greeting.is_finished());
        if self.order.len() >= self.most {
            self.order.remove(0).abort();
        }
    }
}

impl<L> Listener for Greeter<L>
where
    L: Listener<Io = TcpStream>,
    L::Addr: 'static,
{
    type Io = TlsStream<TcpStream>;
    type Addr = L::Addr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            tokio::select! {
                (connection, address) = self.socket.accept() => {
                    self.make_room();
                    let greeting = self.tls.acceptor().accept(connection);
                    let greeting = self.greeting.spawn(async move {
                        // Who speaks no TLS, or too slowly, is gone without a word.
                        let greeted = timeout(GREETING, greeting).await.ok()?.ok()?;
                        Some((greeted, address))
                    });
                    self.order.push(greeting);
                }
                // None is there while nobody greets.
                Some(greeted) = self.greeting.join_next() => {
                    if let Ok(Some(greeted)) = greeted {
                        return greeted;
                    }
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.socket.local_addr()
    }
}
