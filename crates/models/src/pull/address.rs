//! Web addresses. They are parsed by what will use them, so that what is checked is what is asked.

use std::fmt;
use std::net::IpAddr;
use std::net::{Ipv4Addr, Ipv6Addr};

use ureq::http::Uri;

/// An address of `http` or `https`, with a host and without a user. It shows itself without its
/// query, which may be signed.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    uri: Uri,
    origin: Origin,
}

/// Who is asked: what a token is given for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Whether by `https`.
    pub secure: bool,
    /// The host in small letters; an address of six has its brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Address {
    /// Reads an absolute address.
    ///
    /// # Errors
    /// With what is wrong with it.
    pub fn parse(text: &str) -> Result<Address, String> {
        if text.chars().any(|c| c.is_control() || c == ' ' || c == '\\') {
            return Err("it has a character that no address has".to_owned());
        }
        let ascii: String = text.bytes().map(plain).collect();
        let uri: Uri = ascii.parse().map_err(|_| "it is no web address".to_owned())?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(other) => return Err(format!("`{other}:` is not `https:`")),
            None => return Err("it does not begin with `https://`".to_owned()),
        };
        let authority = uri.authority().ok_or("it has no host")?;
        if authority.as_str().contains('@') {
            return Err("it has a user name; tokens are given apart from addresses".to_owned());
        }
        let host = authority.host().to_ascii_lowercase();
        if host.is_empty() || literal(&host).is_none() && looks_numeric(&host) {
            return Err("its host is neither a name nor a usual number".to_owned());
        }
        let written = authority.as_str().len() > authority.host().len();
        let port = match authority.port_u16() {
            Some(0) => return Err("its port is 0".to_owned()),
            Some(port) => port,
            None if written => return Err("its port is no number".to_owned()),
            None => [80, 443][usize::from(secure)],
        };
        Ok(Address { origin: Origin { secure, host, port }, uri })
    }

    /// Where a redirect to `location` leads.
    ///
    /// # Errors
    /// When that is no web address.
    pub fn join(&self, location: &str) -> Result<Address, String> {
        let scheme = location.split([':', '/', '?', '#']).next().unwrap_or_default();
        if location[scheme.len()..].starts_with(':') {
            return Address::parse(location);
        }
        if let Some(rest) = location.strip_prefix("//") {
            let scheme = if self.origin.secure { "https" } else { "http" };
            return Address::parse(&format!("{scheme}://{rest}"));
        }
        let path = self.uri.path();
        let folder = &path[..path.rfind('/').map_or(0, |at| at + 1)];
        let whole = match location.chars().next() {
            Some('/') => location.to_owned(),
            Some('?') => format!("{path}{location}"),
            _ => format!("{folder}{location}"),
        };
        Address::parse(&format!("{}{whole}", self.origin))
    }

    /// What lies below this address, as below the address of a mirror.
    ///
    /// # Errors
    /// When that is no address.
    pub fn below(&self, path: &str) -> Result<Address, String> {
        Address::parse(&format!("{}{}{path}", self.origin, self.uri.path().trim_end_matches('/')))
    }

    /// Who is asked.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The path, as it is sent.
    pub fn path(&self) -> &str {
        self.uri.path()
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }
}

impl Origin {
    /// The number that stands in the place of a name.
    pub fn literal(&self) -> Option<IpAddr> {
        literal(&self.host)
    }

    /// Whether it is this machine, by number or by name.
    pub fn is_loopback(&self) -> bool {
        let named = self.host == "localhost" || self.host.ends_with(".localhost");
        named || self.literal().is_some_and(|number| number.is_loopback())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.host)?;
        match (self.secure, self.port) {
            (true, 443) | (false, 80) => Ok(()),
            (_, port) => write!(f, ":{port}"),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.uri.path())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A path with everything percent-encoded that has a meaning in addresses, but the slashes.
pub fn encoded(path: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let one = |byte: u8| match keep(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    path.bytes().map(one).collect()
}

/// A byte of an address that somebody wrote in their own letters.
fn plain(byte: u8) -> String {
    if byte.is_ascii() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
}

fn literal(host: &str) -> Option<IpAddr> {
    if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    }
    host.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
}

/// Whether a system may read the host as a number in some unusual writing, as in `0x7f.1`.
fn looks_numeric(host: &str) -> bool {
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    let hexadecimal = last
        .strip_prefix("0x")
        .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    host.starts_with('[') || hexadecimal || last.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_has_no_query_and_what_is_asked_has() {
        let address = Address::parse("https://CDN.example/a/b?X-Signature=secret").unwrap();
        assert_eq!(address.to_string(), "https://cdn.example/a/b");
        assert!(address.uri().to_string().ends_with("?X-Signature=secret"));
        let origin = Address::parse("http://[::1]:8080/").unwrap().origin().clone();
        assert_eq!((origin.to_string(), origin.is_loopback()), ("http://[::1]:8080".into(), true));
    }

    #[test]
    fn what_is_no_web_address_is_refused() {
        for text in [
            "",
            "a.example/x",
            "file:///etc/passwd",
            "ftp://a.example/x",
            "data:text/plain,x",
            "https://",
            "https:///x",
            "https://user:secret@a.example/x",
            "https://a.example:0/x",
            "https://a.example:x/x",
            "https://a.example/\u{0}",
            "https://a.example/x y",
            "https://a.example\\@b.example/",
            "http://0x7f.1/",
            "http://2130706433/",
            "http://127.1/",
            "http://017700000001/",
            "http://[::1/",
        ] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn redirects_lead_where_they_say() {
        let base = Address::parse("https://a.example/b/c?d").unwrap();
        for (location, to) in [
            ("https://x.example/y", "https://x.example/y"),
            ("//x.example/y", "https://x.example/y"),
            ("/y", "https://a.example/y"),
            ("y", "https://a.example/b/y"),
            ("?y", "https://a.example/b/c"),
        ] {
            assert_eq!(base.join(location).unwrap().to_string(), to);
        }
        for location in ["file:///x", "data:,x", "javascript:x", "gopher://x"] {
            assert!(base.join(location).is_err(), "{location}");
        }
    }

    #[test]
    fn paths_are_encoded() {
        assert_eq!(encoded("a b/ä?#%.gguf"), "a%20b/%C3%A4%3F%23%25.gguf");
    }
}
