//! What a user sets: who may be asked, with which tokens, and how patiently.

use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Address, Error, Origin, registry};

const HUB: &str = "https://huggingface.co";
const OLLAMA: &str = "https://registry.ollama.ai";
/// A token is a line; anything longer than some lines is another file.
const LONGEST_TOKENS: u64 = 64 << 10;

/// The settings of a [`Client`](super::Client).
#[derive(Clone, Debug)]
pub struct Options {
    /// Refuse before the first socket.
    pub offline: bool,
    /// The hub, or a mirror of it.
    pub hub: Address,
    /// The registry of `ollama:` names that say no other, or a mirror of it.
    pub ollama: Address,
    /// Tokens, each for one origin; sent there only where that is what the user asks for.
    pub tokens: Vec<(Origin, Token)>,
    /// Hosts, with their ports, that may have numbers of a private network although no source
    /// names them. No setting of hearth adds any.
    pub private: Vec<(String, u16)>,
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
    /// No file is longer, whatever is said of it.
    pub longest: u64,
    /// For a list, a manifest or a token, from asking to its last byte.
    pub short_answer: Duration,
    /// The same for the header of a file.
    pub header: Duration,
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
        Token::new(&secrets(path)?).map_err(|why| wrong(path, why))
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

/// The text of a file that nobody else may read.
fn secrets(path: &Path) -> Result<String, Error> {
    let disk = |error| Error::disk(path, error);
    let file = fs::File::open(path).map_err(disk)?;
    let about = file.metadata().map_err(disk)?;
    if is_open_to_others(&about) {
        let why = "others may read this token; make it yours alone with `chmod 600`, and have it \
                   renewed";
        return Err(wrong(path, why.to_owned()));
    }
    if about.len() > LONGEST_TOKENS {
        return Err(wrong(path, "it is too long for tokens".to_owned()));
    }
    std::io::read_to_string(file).map_err(disk)
}

fn wrong(path: &Path, why: String) -> Error {
    Error::Setting { name: path.display().to_string(), why }
}

/// A file of lines `HOST TOKEN`.
fn tokens(path: &Path) -> Result<Vec<(Origin, Token)>, Error> {
    let text = secrets(path)?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let read = |(at, line): (usize, &str)| {
        // The line itself is not shown, for a token is in it.
        let refuse = |why: &str| wrong(path, format!("line {}: {why}", at + 1));
        let mut words = line.split_whitespace();
        let (Some(host), Some(token), None) = (words.next(), words.next(), words.next()) else {
            return Err(refuse("it is not a host, a space and a token"));
        };
        let address = registry::address(host).ok().filter(|address| address.path() == "/");
        let address = address.ok_or_else(|| refuse("it begins with no host"))?;
        Ok((address.origin().clone(), Token::new(token).map_err(|why| refuse(&why))?))
    };
    lines.map(read).collect()
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
            hub: known(HUB),
            ollama: known(OLLAMA),
            tokens: Vec::new(),
            private: Vec::new(),
            proxy: Proxy::Environment,
            certificates: None,
            connections: 4,
            parallel_above: 32 << 20,
            piece: 16 << 20,
            longest: 1 << 40,
            short_answer: Duration::from_secs(2 * 60),
            header: Duration::from_secs(5 * 60),
            stall: Duration::from_secs(30),
            pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
            tries: 5,
            user_agent: concat!("hearth/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl Options {
    /// With these mirrors, and with what the environment says: `HF_ENDPOINT` where there is no
    /// mirror of the hub, `HF_TOKEN` (or `HUGGING_FACE_HUB_TOKEN`, or the file of
    /// `HF_TOKEN_PATH`) for the hub or its mirror, `HEARTH_TOKENS` for others, `HF_HUB_OFFLINE`
    /// and `SSL_CERT_FILE`.
    ///
    /// # Errors
    /// With the variable that cannot be meant so.
    pub fn from_environment(
        hub: Option<Address>,
        ollama: Option<Address>,
    ) -> Result<Options, Error> {
        let set = |name: &str| env::var(name).ok().filter(|value| !value.trim().is_empty());
        Options::of(&set, hub, ollama)
    }

    fn of(
        set: &dyn Fn(&str) -> Option<String>,
        hub: Option<Address>,
        ollama: Option<Address>,
    ) -> Result<Options, Error> {
        let mut options = Options::default();
        let endpoint = || set("HF_ENDPOINT").map(|text| setting("HF_ENDPOINT", &text));
        if let Some(hub) = hub.map(Ok).or_else(endpoint) {
            options.hub = hub?;
        }
        if let Some(ollama) = ollama {
            options.ollama = ollama;
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
        if let Some(path) = set("HEARTH_TOKENS") {
            options.tokens.extend(tokens(Path::new(&path))?);
        }
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

    #[test]
    fn the_token_of_the_hub_goes_to_its_mirror() {
        let set = |name: &str| match name {
            "HF_TOKEN" => Some("hf_secret".to_owned()),
            "HF_ENDPOINT" => Some("https://endpoint.example".to_owned()),
            _ => None,
        };
        let of = |hub: Option<&str>| {
            let options = Options::of(&set, hub.map(known), Some(known("https://o.example")));
            options.unwrap()
        };
        for (hub, host) in [(Some("https://m.example"), "m.example"), (None, "endpoint.example")] {
            let options = of(hub);
            assert_eq!(options.hub.origin().host, host);
            let to: Vec<&Origin> = options.tokens.iter().map(|(origin, _)| origin).collect();
            assert_eq!(to, [options.hub.origin()]);
            assert_eq!(options.ollama.origin().host, "o.example");
        }
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
        // With several, each is for its host.
        fs::write(&path, "ghcr.io a_secret\n\nlocalhost:5000\tb\n").unwrap();
        let set = |name: &str| (name == "HEARTH_TOKENS").then(|| path.display().to_string());
        let found = Options::of(&set, None, None).unwrap().tokens;
        let found: Vec<_> =
            found.iter().map(|(origin, token)| (origin.to_string(), token.secret())).collect();
        let expected = [("https://ghcr.io", "a_secret"), ("http://localhost:5000", "b")];
        assert_eq!(found, expected.map(|(host, token)| (host.to_owned(), token)));
        for damaged in ["ghcr.io", "ghcr.io a_secret b", "g/h a_secret", "https://g a_secret"] {
            fs::write(&path, damaged).unwrap();
            let error = Options::of(&set, None, None).unwrap_err().to_string();
            assert!(error.contains("line 1") && !error.contains("secret"), "{error}");
        }
        fs::remove_file(path).unwrap();
    }
}
