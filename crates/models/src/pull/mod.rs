//! Getting models: who has which files, and their bytes.
//!
//! The only place of hearth that calls anybody. Nothing here runs but when it is asked to. Of the
//! store it knows only what files may be called there, and nothing of the names that users give
//! their models; it writes the one file that it is told to, and the map of its pieces beside it.
//!
//! - [`find`] asks a [`Source`] which files there are, at which revision.
//! - [`header`] gets the first bytes of one, so that its memory can be foretold.
//! - [`download`] gets one whole, goes on where it was interrupted, and checks it.
//! - [`Stores`] knows what other programs have put on this machine.

mod address;
mod challenge;
mod choose;
mod connect;
mod document;
mod download;
mod error;
mod git;
mod hub;
mod local;
mod names;
mod oci;
mod ollama;
mod options;
mod public;
mod registry;
mod resolve;
mod session;
mod signature;
mod source;
mod stores;
mod web;

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use ureq::tls::{PemItem, RootCerts, TlsConfig};

pub use address::{Address, Origin};
pub use download::{checked, download, settled};
pub use error::Error;
pub use git::GitBlob;
pub use local::files_of;
pub use names::check as check_name;
pub use options::{Options, Proxy, Token, setting};
pub use session::{Progress, Stage, Watch};
pub use signature::{beside, layer, tagged};
pub use source::{At, Source};
pub use stores::{Held, Owner, Stores};

use crate::Digest;
use document::refusal;
use session::{Ask, Session, Tries, body_fault, watched};

/// The registry of `ollama:` names that say no other, and under which Ollama keeps what they bring.
const OLLAMA_HOST: &str = "registry.ollama.ai";

/// Who asks: the settings, checked.
pub struct Client {
    options: Options,
    tls: TlsConfig,
    proxy: Option<ureq::Proxy>,
}

/// What a source has.
#[derive(Clone, Debug)]
pub struct Found {
    /// The source as it was asked.
    pub source: Source,
    /// What does not change: a commit, or the digest of a manifest. `None` where there is none
    /// such, and the digests of the files say what it was.
    pub revision: Option<String>,
    /// The files, the names of which stand beside each other in any folder.
    pub files: Vec<Wanted>,
    /// The licence, where it is said in a word.
    pub licence: Option<String>,
}

/// A file that can be got.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its name within the model; it may have folders, and leads to nowhere else.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// Where it is.
    pub place: Place,
    /// How long it is.
    pub size: Option<u64>,
    /// What it must be.
    pub digest: Option<Digest>,
    /// What it must be, where only git knows it.
    pub git: Option<GitBlob>,
    pub(crate) manner: Manner,
}

/// Where a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the network.
    Web(Address),
    /// On this machine.
    Disk(PathBuf),
}

/// What a file is to a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Weights, in GGUF or safetensors.
    Weights,
    /// The part that sees pictures.
    Projector,
    /// Hyper-parameters, and defaults of sampling.
    Config,
    /// A tokenizer, or a part of one.
    Tokenizer,
    /// How messages become text.
    Template,
    /// Settings of Ollama, as JSON.
    Params,
    /// What is said to the model first.
    System,
    /// An example of a talk, as JSON.
    Messages,
    /// The text of a licence.
    Licence,
}

/// Whose ways an answer follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    Hub,
    Registry,
    Web,
}

impl Client {
    /// With these settings.
    ///
    /// # Errors
    /// When a proxy or the certificates cannot be used.
    pub fn new(options: Options) -> Result<Client, Error> {
        let proxy = match &options.proxy {
            Proxy::Environment => from_environment()?,
            Proxy::None => None,
            // The address of a proxy may hold a password.
            Proxy::Through(address) => Some(ureq::Proxy::new(address).map_err(|_| {
                let why = "it is no address of a proxy".to_owned();
                Error::Setting { name: "proxy".to_owned(), why }
            })?),
        };
        // Without its feature, the client would pass by a proxy of SOCKS without a word.
        if proxy.as_ref().is_some_and(|proxy| !is_http(proxy)) {
            let why = "hearth speaks to proxies of `http:` and `https:` only".to_owned();
            return Err(Error::Setting { name: "proxy".to_owned(), why });
        }
        let mut tls = TlsConfig::builder();
        if let Some(path) = &options.certificates {
            tls = tls.root_certs(certificates(path)?);
        }
        Ok(Client { tls: tls.build(), options, proxy })
    }

    /// The settings.
    pub fn options(&self) -> &Options {
        &self.options
    }

    fn go_online(&self, is_local: bool, what: &str) -> Result<(), Error> {
        if self.options.offline && !is_local {
            return Err(Error::Offline { what: what.to_owned() });
        }
        Ok(())
    }
}

fn is_http(proxy: &ureq::Proxy) -> bool {
    matches!(proxy.protocol(), ureq::ProxyProtocol::Http | ureq::ProxyProtocol::Https)
}

/// A variable that is set and names no proxy must not mean that there is none.
fn from_environment() -> Result<Option<ureq::Proxy>, Error> {
    let names = ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY"];
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let set = names.into_iter().find(|name| is_set(name) || is_set(&name.to_lowercase()));
    match (ureq::Proxy::try_from_env(), set) {
        (None, Some(name)) => {
            let why = "it is no address of a proxy".to_owned();
            Err(Error::Setting { name: name.to_owned(), why })
        }
        (proxy, _) => Ok(proxy),
    }
}

fn certificates(path: &std::path::Path) -> Result<RootCerts, Error> {
    let pem = fs::read(path).map_err(|error| Error::disk(path, error))?;
    let items = ureq::tls::parse_pem(&pem).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    let found: Vec<_> = items.collect();
    if found.is_empty() {
        let why = "it holds no certificate".to_owned();
        return Err(Error::Setting { name: path.display().to_string(), why });
    }
    Ok(RootCerts::Specific(Arc::new(found)))
}

/// Asks a source which files it has.
///
/// # Errors
/// When it has none that hearth can use, or it cannot or must not be asked.
pub fn find(client: &Client, source: &Source, watch: Watch) -> Result<Found, Error> {
    client.go_online(source.is_local(), &source.to_string())?;
    let found = match source {
        Source::Hub { .. } => hub::find(client, source, watch),
        Source::Ollama { .. } => ollama::find(client, source, watch),
        Source::Oci { .. } => oci::find(client, source, watch),
        Source::Web(address) => web::find(client, address, watch),
        Source::Local(path) => local::find(path),
    }?;
    names::check_all(found.files.iter().map(|file| file.name.as_str()))?;
    found.files.iter().try_for_each(|file| file.check_size(client))?;
    Ok(found)
}

/// Gets the first bytes of a file, fewer when it is shorter.
///
/// # Errors
/// When it cannot be had.
pub fn header(
    client: &Client,
    wanted: &Wanted,
    bytes: u64,
    watch: Watch,
) -> Result<Vec<u8>, Error> {
    let address = match &wanted.place {
        Place::Disk(path) => {
            let disk = |error| Error::disk(path, error);
            let mut head = Vec::new();
            let file = fs::File::open(path).map_err(disk)?;
            file.take(bytes).read_to_end(&mut head).map_err(disk)?;
            return Ok(head);
        }
        Place::Web(address) => address,
    };
    client.go_online(false, &address.to_string())?;
    let Some(last) = bytes.min(wanted.size.unwrap_or(bytes)).checked_sub(1) else {
        return Ok(Vec::new());
    };
    let until = Some(Instant::now() + client.options.header);
    let ask = Ask { until, ..wanted.ask(address, Some((0, last))) };
    watched(client, address.origin(), watch, |session| {
        let mut tries = Tries::new(session, address.origin());
        loop {
            match first_bytes(session, wanted, (ask, last)) {
                Ok(head) => return Ok(head),
                Err(fault) => tries.again(fault)?,
            }
        }
    })
}

fn first_bytes(
    session: &Session,
    wanted: &Wanted,
    (ask, last): (Ask, u64),
) -> Result<Vec<u8>, session::Fault> {
    let reply = session.try_get(ask)?;
    // A server that knows no ranges sends the whole file, of which no more is read than was asked.
    if !matches!(reply.status, 200 | 206) {
        return Err(refusal(wanted.manner, &reply, &wanted.name).into());
    }
    let mut head = Vec::new();
    let body = reply.body.take(last + 1).read_to_end(&mut head);
    body.map_err(|error| body_fault(&error))?;
    Ok(head)
}

/// Bytes of a file that is not weights: tokenizers have a tenth of it at most.
const LONGEST_BESIDE: u64 = 256 << 20;

impl Wanted {
    fn ask<'a>(&self, at: &'a Address, range: Option<(u64, u64)>) -> Ask<'a> {
        Ask { range, registry: self.manner == Manner::Registry, ..Ask::of(at, "*/*") }
    }

    /// What the network says of a length is believed up to a limit.
    fn check_size(&self, client: &Client) -> Result<(), Error> {
        let limit = match self.role {
            Role::Weights | Role::Projector => client.options.longest,
            // They are read whole.
            _ => client.options.longest.min(LONGEST_BESIDE),
        };
        if matches!(self.place, Place::Web(_)) && self.size.is_some_and(|size| size > limit) {
            return Err(Error::TooLong { file: self.name.clone(), limit });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
