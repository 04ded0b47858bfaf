//! Names to numbers, and the rule which numbers may be asked.
//!
//! What this returns is what is connected to, so that a name cannot mean one number when it is
//! looked at and another when it is used.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::public::is_public;

/// The longest that a name is looked up, whatever the system thinks of it.
const LIMIT: Duration = Duration::from_secs(20);
/// How often it is looked whether anybody still wants to know.
const TICK: Duration = Duration::from_millis(50);

/// A resolver for one session.
#[derive(Debug)]
pub struct Checked {
    /// Hosts and ports that the user named: those may have any number.
    pub named: Vec<(String, u16)>,
    /// Set when nobody wants to know any more.
    pub stop: Arc<AtomicBool>,
}

/// A name that leads into a network which the user did not name.
#[derive(Debug)]
pub struct Private {
    host: String,
    number: String,
}

impl fmt::Display for Private {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Private { host, number } = self;
        write!(
            f,
            "{host} is {number}, an address of a private network that the source does not name"
        )
    }
}

impl std::error::Error for Private {}

impl Resolver for Checked {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().unwrap_or_default().to_ascii_lowercase();
        let port = uri.port_u16().unwrap_or(match uri.scheme_str() {
            Some("https") => 443,
            Some("http") => 80,
            _ => return Err(ureq::Error::HostNotFound),
        });
        let found = self.look_up(&host, port)?;
        let is_named = self.named.iter().any(|(name, at)| *name == host && *at == port);
        let mut kept = self.empty();
        let may = found.iter().filter(|address| is_named || is_public(address.ip()));
        may.take(16).for_each(|address| kept.push(*address));
        match found.first() {
            None => Err(ureq::Error::HostNotFound),
            Some(first) if kept.is_empty() => {
                let number = first.ip().to_string();
                Err(ureq::Error::Other(Box::new(Private { host, number })))
            }
            Some(_) => Ok(kept),
        }
    }
}

impl Checked {
    /// The system cannot be told to stop looking, so it looks in a thread of its own.
    fn look_up(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, ureq::Error> {
        let name = format!("{host}:{port}");
        let (sender, found) = mpsc::sync_channel(1);
        thread::spawn(move || sender.send(name.to_socket_addrs().map(Iterator::collect)));
        let begin = Instant::now();
        while begin.elapsed() < LIMIT && !self.stop.load(Ordering::Relaxed) {
            match found.recv_timeout(TICK) {
                Ok(found) => return Ok(found?),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        Err(ureq::Error::Timeout(ureq::Timeout::Resolve))
    }
}
