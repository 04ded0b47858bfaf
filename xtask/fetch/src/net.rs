//! HTTP: one agent with limits on every wait, and a reader that shows how far a download is.
//!
//! Proxies come from the usual variables; a certificate bundle named by `SSL_CERT_FILE` takes the
//! place of the built-in roots.

use std::io::{self, IsTerminal, Read};
use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{PemItem, RootCerts, TlsConfig};

const CONNECT_LIMIT: Duration = Duration::from_secs(20);
const RESPONSE_LIMIT: Duration = Duration::from_secs(60);
/// The whole of one request. The package has 77 MB: slower than 85 KB/s is given up.
const REQUEST_LIMIT: Duration = Duration::from_secs(15 * 60);
const MEGABYTE: u64 = 1_000_000;

/// The agent for all requests.
pub fn agent() -> Result<Agent, String> {
    let tls = TlsConfig::builder().root_certs(root_certificates()?).build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .timeout_connect(Some(CONNECT_LIMIT))
        .timeout_recv_response(Some(RESPONSE_LIMIT))
        .timeout_global(Some(REQUEST_LIMIT))
        .build();
    Ok(Agent::new_with_config(config))
}

/// The text of an index page.
pub fn page(agent: &Agent, url: &str) -> Result<String, String> {
    let request = agent.get(url).header("Accept", "application/vnd.pypi.simple.v1+html, text/html");
    let mut response = request.call().map_err(|error| error.to_string())?;
    response.body_mut().read_to_string().map_err(|error| error.to_string())
}

/// The bytes behind an address, as they arrive.
pub fn download(agent: &Agent, url: &str) -> Result<impl Read, String> {
    let response = agent.get(url).call().map_err(|error| format!("{url}: {error}"))?;
    let body = response.into_body();
    let total = body.content_length();
    match total {
        Some(bytes) => eprintln!("fetch: {url} ({} MB)", bytes / MEGABYTE),
        None => eprintln!("fetch: {url}"),
    }
    let shown = io::stderr().is_terminal();
    Ok(Progress { inner: body.into_reader(), done: 0, total, shown })
}

fn root_certificates() -> Result<RootCerts, String> {
    let Some(path) = std::env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty()) else {
        return Ok(RootCerts::WebPki);
    };
    let name = path.to_string_lossy().into_owned();
    let pem = std::fs::read(&path).map_err(|error| format!("SSL_CERT_FILE {name}: {error}"))?;
    let certificates: Vec<_> = ureq::tls::parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(format!("SSL_CERT_FILE {name}: it holds no certificate"));
    }
    Ok(RootCerts::Specific(Arc::new(certificates)))
}

/// Passes bytes on, and on a terminal says how many have come.
struct Progress<R> {
    inner: R,
    done: u64,
    total: Option<u64>,
    shown: bool,
}

impl<R: Read> Read for Progress<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let before = self.done / MEGABYTE;
        self.done += count as u64;
        let now = self.done / MEGABYTE;
        if self.shown && now > before {
            match self.total {
                Some(total) => eprint!("\rfetch: {now} of {} MB ", total / MEGABYTE),
                None => eprint!("\rfetch: {now} MB "),
            }
        }
        Ok(count)
    }
}

impl<R> Drop for Progress<R> {
    fn drop(&mut self) {
        if self.shown {
            eprintln!();
        }
    }
}
