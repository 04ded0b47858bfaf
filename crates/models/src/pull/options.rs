//! What a user sets: who may be asked, with which tokens, and how patiently.

use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Address, Error, Origin};

const HUB: &str = "https://huggingface.co";
const OLLAMA: &str = "https://registry.ollama.ai";
/// A token is a line; anything longer is another file.
const LONGEST_TOKEN: u64 = 16 << 10;

/// The settings of a [`Client`](super::Client).
#[derive(Clone, Debug)]
pub struct Options {
    /// Refuse before the first socket.
    pub offline: bool,
    /// Beginnings of the sources that may be asked, as in `hf:owner/` or `https://host/`; with
    /// `None` all may.
    pub allowed: Option<Vec<String>>,
    /// The hub, or a mirror of it.
    pub hub: Address,
    /// The registry of `ollama:` names that say no other, or a mirror of it.
    pub ollama: Address,
    /// Tokens, each for one origin.
    pub tokens: Vec<(Origin, Token)>,
    /// Hosts, with their ports, that may have numbers of a private network although no source
    /// names them: where registries of a firm redirect to.
    pub private: Vec<(String, u16)>,
    /// Whether `http:` may be spoken with other machines.
    pub plain: bool,
    /// Who speaks to the network in our place.
    pub proxy: Proxy,
    /// A bundle that takes the place of the built-in roots.
    pub certificates: Option<PathBuf>,
    /// Connections for one file.
    pub connections: usize,
    /// Files longer than this come in pieces, by several connections.
    pub parallel_above: u64,
    /// Bytes of such a piece.
    pub piece: u64,
    /// The longest file of which no registry says how long it is.
    pub longest: u64,
    /// A connection without a byte for so long is given up.
    pub stall: Duration,
    /// The first pause before it is tried again; each later one is twice as long.
    pub pause: Duration,
    /// The longest pause, also when a server asks for more.
    pub longest_pause: Duration,
    /// How often in a row something is tried.
    pub tries: u32,
    /// Who hearth says it is.
    pub user_agent: String,
}

/// What proxies are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proxy {
    /// Those of `ALL_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`.
    Environment,
    /// None.
    None,
    /// This one.
    Through(String),
}

/// A secret that does not show itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Of a text, without the space around it.
    ///
    /// # Errors
    /// When it cannot be a token.
    pub fn new(text: &str) -> Result<Token, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("the token is empty".to_owned());
        }
        if !text.chars().all(|c| c.is_ascii_graphic()) {
            return Err("the token has a character that no token has".to_owned());
        }
        Ok(Token(text.to_owned()))
    }

    /// Of a file that nobody else may read.
    ///
    /// # Errors
    /// When others may, or it holds no token.
    pub fn read(path: &Path) -> Result<Token, Error> {
        let disk = |error| Error::disk(path, error);
        let refuse = |why: String| Error::Setting { name: path.display().to_string(), why };
        let file = fs::File::open(path).map_err(disk)?;
        let about = file.metadata().map_err(disk)?;
        if is_open_to_others(&about) {
            let why = "others may read this token; make it yours alone with `chmod 600`, and \
                       have it renewed";
            return Err(refuse(why.to_owned()));
        }
        if about.len() > LONGEST_TOKEN {
            return Err(refuse("it is too long for a token".to_owned()));
        }
        let text = std::io::read_to_string(file).map_err(disk)?;
        Token::new(&text).map_err(refuse)
    }

    pub(super) fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(unix)]
fn is_open_to_others(about: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    about.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &fs::Metadata) -> bool {
    false
}

impl Default for Options {
    fn default() -> Options {
        Options {
            offline: false,
            allowed: None,
            hub: known(HUB),
            ollama: known(OLLAMA),
            tokens: Vec::new(),
            private: Vec::new(),
            plain: false,
            proxy: Proxy::Environment,
            certificates: None,
            connections: 4,
            parallel_above: 32 << 20,
            piece: 16 << 20,
            longest: 1 << 40,
            stall: Duration::from_secs(30),
            pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
            tries: 5,
            user_agent: concat!("hearth/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl Options {
    /// With what the environment says: `HF_ENDPOINT`, `HF_TOKEN` (or `HUGGING_FACE_HUB_TOKEN`, or
    /// the file of `HF_TOKEN_PATH`), `HF_HUB_OFFLINE` and `SSL_CERT_FILE`.
    ///
    /// # Errors
    /// With the variable that cannot be meant so.
    pub fn from_environment() -> Result<Options, Error> {
        let set = |name: &str| env::var(name).ok().filter(|value| !value.trim().is_empty());
        let mut options = Options::default();
        if let Some(endpoint) = set("HF_ENDPOINT") {
            options.hub = setting("HF_ENDPOINT", &endpoint)?;
        }
        let named = ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"];
        let spoken = named.into_iter().find_map(|name| Some((name, set(name)?)));
        let token = match (spoken, set("HF_TOKEN_PATH")) {
            (Some((name, text)), _) => Some(
                Token::new(&text).map_err(|why| Error::Setting { name: name.to_owned(), why })?,
            ),
            (None, Some(path)) => Some(Token::read(Path::new(&path))?),
            (None, None) => None,
        };
        options.tokens.extend(token.map(|token| (options.hub.origin().clone(), token)));
        let yes = |value: String| ["1", "true", "yes", "on"].contains(&&*value.to_lowercase());
        options.offline = set("HF_HUB_OFFLINE").is_some_and(yes);
        options.certificates = set("SSL_CERT_FILE").map(PathBuf::from);
        Ok(options)
    }
}

/// An address that a setting of this name gives.
///
/// # Errors
/// When it is none.
pub fn setting(name: &str, value: &str) -> Result<Address, Error> {
    Address::parse(value).map_err(|why| Error::Setting { name: name.to_owned(), why })
}

fn known(address: &str) -> Address {
    match Address::parse(address) {
        Ok(address) => address,
        Err(why) => unreachable!("{address}: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_do_not_show_themselves() {
        let token = Token::new(" hf_secret\n").unwrap();
        assert_eq!(token.secret(), "hf_secret");
        let options =
            Options { tokens: vec![(known(HUB).origin().clone(), token)], ..Options::default() };
        assert!(!format!("{options:?}").contains("secret"));
        assert!(Token::new("a\r\nHost: b").is_err());
        assert!(Token::new(" ").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_token_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let path = env::temp_dir().join(format!("hearth-token-{}", std::process::id()));
        fs::write(&path, "hf_secret\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = Token::read(&path).unwrap_err().to_string();
        assert!(error.contains("chmod 600") && !error.contains("hf_secret"), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(Token::read(&path).unwrap().secret(), "hf_secret");
        fs::remove_file(path).unwrap();
    }
}
