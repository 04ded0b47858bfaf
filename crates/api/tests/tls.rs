//! TLS over a socket: who is let in, who is not, and who holds up nobody.

#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

mod door;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use api::{Access, House, Language, ModelCard, Options, Tls};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};
use turn::{Embed, Fault, Listener, Side, Turn, WhenEmbedded};

const AUTHORITY: &[u8] = include_bytes!("tls/test-authority.pem");
const CERTIFICATE: &[u8] = include_bytes!("tls/test-certificate.pem");
const KEY: &[u8] = include_bytes!("tls/test-only-key.pem");
const KEY_SEC1: &[u8] = include_bytes!("tls/test-only-key-sec1.pem");
const RSA: (&[u8], &[u8]) =
    (include_bytes!("tls/test-certificate-rsa.pem"), include_bytes!("tls/test-only-key-pkcs1.pem"));

/// Nobody asks it for anything but whether it runs.
struct Empty;

impl House for Empty {
    fn models(&self) -> Vec<ModelCard> {
        Vec::new()
    }

    fn begin(&self, _: Turn, _: Arc<AtomicBool>, _: Listener) {}

    fn embed(&self, _: Embed, _: Arc<AtomicBool>, _: WhenEmbedded) {}

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

fn serve(tls: Tls) -> SocketAddr {
    let usual = (Access::default(), Options::default());
    door::serve(Arc::new(Empty), usual, |door| door.with(tls))
}

/// What a client says and hears that trusts the tests' authority.
type Client = StreamOwned<ClientConnection, TcpStream>;

fn connect(address: SocketAddr, versions: &[&'static SupportedProtocolVersion]) -> Client {
    let mut trusted = RootCertStore::empty();
    trusted.add(CertificateDer::from_pem_slice(AUTHORITY).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions);
    let mut config = builder.unwrap().with_root_certificates(trusted).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let client = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    StreamOwned::new(client, socket)
}

/// Asks whether it runs, and reads to the end that TLS has.
fn health(mut client: Client) -> Client {
    let head = "host: localhost\r\nconnection: close\r\n";
    write!(client, "GET /health HTTP/1.1\r\n{head}\r\n").unwrap();
    let mut reply = String::new();
    client.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 200") && reply.contains("hearth"), "{reply}");
    client
}

#[test]
fn both_versions_and_all_forms_of_keys_are_spoken() {
    for (certificate, key) in [(CERTIFICATE, KEY), (CERTIFICATE, KEY_SEC1), RSA] {
        let address = serve(Tls::new(certificate, key).unwrap());
        for version in [&TLS12, &TLS13] {
            let client = health(connect(address, &[version]));
            assert_eq!(client.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
            assert_eq!(client.conn.protocol_version(), Some(version.version));
        }
    }
}

#[test]
fn who_does_not_greet_holds_up_nobody() {
    let address = serve(Tls::new(CERTIFICATE, KEY).unwrap());
    let silent = TcpStream::connect(address).unwrap();
    let mut plain = TcpStream::connect(address).unwrap();
    let late = connect(address, &[&TLS13]);
    let begun = Instant::now();
    health(connect(address, &[&TLS13]));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    write!(plain, "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "without TLS there is no answer");
    // One has failed; no other connection comes that would make the server look again.
    health(late);
    drop(silent);
    // However many they are.
    let count = if cfg!(target_os = "linux") { 200 } else { 50 };
    let crowd: Vec<_> = (0..count).map(|_| TcpStream::connect(address).unwrap()).collect();
    let begun = Instant::now();
    health(connect(address, &[&TLS13]));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    drop(crowd);
}

#[test]
fn what_is_renewed_is_shown_to_who_comes_after() {
    let tls = Tls::new(CERTIFICATE, KEY).unwrap();
    let address = serve(tls.clone());
    let shown = || health(connect(address, &[&TLS13])).conn.peer_certificates().unwrap()[0].clone();
    let certificate = |pem: &[u8]| CertificateDer::from_pem_slice(pem).unwrap();
    assert_eq!(shown(), certificate(CERTIFICATE));
    assert!(tls.renew(CERTIFICATE, RSA.1).is_err());
    assert_eq!(shown(), certificate(CERTIFICATE));
    tls.renew(RSA.0, RSA.1).unwrap();
    assert_eq!(shown(), certificate(RSA.0));
}

#[test]
fn what_is_wrong_with_the_files_is_said() {
    let cut = &CERTIFICATE[..CERTIFICATE.len() / 2];
    for (certificate, key, why) in [
        (CERTIFICATE, RSA.1, "the key is not that of the certificate"),
        (CERTIFICATE, b"", "there is no key"),
        (CERTIFICATE, CERTIFICATE, "there is no key"),
        (b"", KEY, "there is no certificate"),
        (KEY, KEY, "there is no certificate"),
        (cut, KEY, "the certificate is no PEM"),
    ] {
        let said = Tls::new(certificate, key).err().unwrap();
        assert!(said.contains(why), "{said}");
    }
}
