//! A source in the one way in which it is compared with rules.

use core::net::{Ipv4Addr, Ipv6Addr};

/// How a source is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Hub,
    Ollama,
    Oci,
    Https,
    Http,
    File,
}

/// What each begins with.
const BEGINNINGS: [(&str, Scheme); 6] = [
    ("hf:", Scheme::Hub),
    ("ollama:", Scheme::Ollama),
    ("oci:", Scheme::Oci),
    ("https://", Scheme::Https),
    ("http://", Scheme::Http),
    ("file:/", Scheme::File),
];

impl Scheme {
    /// The scheme of which this is all that is said, as in `ollama:` or `https://`.
    pub fn of_beginning(text: &str) -> Option<Scheme> {
        let text = if text == "file:" { "file:/" } else { text };
        BEGINNINGS.iter().find(|(beginning, _)| *beginning == text).map(|(_, scheme)| *scheme)
    }

    fn has_host(self) -> bool {
        !matches!(self, Scheme::Hub | Scheme::File)
    }

    /// Whether two paths that differ in upper and lower case alone are two things.
    fn minds_case(self) -> bool {
        matches!(self, Scheme::Https | Scheme::Http | Scheme::File)
    }

    /// The port that is not written.
    fn port(self) -> u16 {
        if self == Scheme::Http { 80 } else { 443 }
    }

    fn may_stand_in_path(self, c: char) -> bool {
        match self {
            Scheme::File => !c.is_control() && c != '\\' && c != '*',
            // Nothing that a server could take for something else: no %, @, :, ;, ? or #.
            Scheme::Https | Scheme::Http => c.is_ascii_alphanumeric() || "._-~+=,".contains(c),
            _ => c.is_ascii_alphanumeric() || "._-".contains(c),
        }
    }
}

/// A source whose parts are known, and of which there is only one way to write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub scheme: Scheme,
    /// With its port; empty where there is none. Always in lower case.
    pub host: String,
    /// Without the slash in front. In lower case where that makes no difference.
    pub path: String,
}

impl Name {
    /// Reads a source.
    ///
    /// # Errors
    /// A sentence on what could be taken in two ways.
    pub fn parse(text: &str) -> Result<Name, &'static str> {
        let begins = |(beginning, scheme): &(&str, Scheme)| {
            text.strip_prefix(beginning).map(|rest| (*scheme, rest))
        };
        let (scheme, rest) = BEGINNINGS
            .iter()
            .find_map(begins)
            .ok_or("it begins with `hf:`, `ollama:`, `oci:`, `https://`, `http://` or `file:/`")?;
        let (host, path) = match scheme.has_host() {
            true => rest.split_once('/').ok_or("after the host there must be a path")?,
            false => ("", rest),
        };
        let host = host.to_ascii_lowercase();
        if scheme.has_host() {
            check_host(&host, scheme)?;
        }
        check_path(path, scheme)?;
        let path = if scheme.minds_case() { path.to_owned() } else { path.to_ascii_lowercase() };
        Ok(Name { scheme, host, path })
    }
}

fn check_path(path: &str, scheme: Scheme) -> Result<(), &'static str> {
    if path.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        return Err("a part of its path is empty, `.` or `..`");
    }
    if !path.chars().all(|c| c == '/' || scheme.may_stand_in_path(c)) {
        return Err(match scheme {
            Scheme::File => "there is a control character, `\\` or `*` in its path",
            Scheme::Https | Scheme::Http => {
                "a path has letters, digits and . _ - ~ + = , only: no query, nothing encoded by %"
            }
            _ => "it has letters, digits and . _ - / only, and neither tag nor revision",
        });
    }
    match (scheme, path.matches('/').count()) {
        (Scheme::Hub, 1) | (Scheme::Ollama, 1) => Ok(()),
        (Scheme::Hub, _) => Err("a repository of the hub is `hf:owner/name`"),
        (Scheme::Ollama, _) => Err("a model of Ollama's is `ollama:host/namespace/name`"),
        _ => Ok(()),
    }
}

/// A name, an IPv4 or an IPv6 address, and a port if it is not the usual one.
fn check_host(host: &str, scheme: Scheme) -> Result<(), &'static str> {
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            let read: Option<Ipv6Addr> = address.parse().ok();
            if read.is_none_or(|read| read.to_string() != address) {
                return Err("its host is no IPv6 address, or not the shortest way to write it");
            }
            ("", port)
        }
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let number = port.strip_prefix(':').and_then(|digits| digits.parse::<u16>().ok());
    let is_plain = number.is_some_and(|number| number != 0 && format!(":{number}") == port);
    if !port.is_empty() && (!is_plain || number == Some(scheme.port())) {
        return Err("its port is no number, or the usual one, which is left out");
    }
    if host.starts_with('[') { Ok(()) } else { check_host_name(name) }
}

fn check_host_name(name: &str) -> Result<(), &'static str> {
    let plain = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    if name.len() > 253 || !name.split('.').all(plain) {
        return Err("a host has letters, digits and - between its dots: no user, nothing encoded");
    }
    // What ends in a number is an address, and some programs read more than one kind of them.
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_number = last.starts_with("0x") || last.chars().all(|c| c.is_ascii_digit());
    if is_number && name.parse::<Ipv4Addr>().is_err() {
        return Err("its host is a number, and no IPv4 address of four numbers");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCES: [&str; 6] = [
        "hf:owner/repo",
        "ollama:registry.ollama.ai/library/qwen3",
        "oci:[::1]:5000/a/b",
        "https://h.example:8443/a/b.gguf",
        "http://127.0.0.1/x",
        "file:/srv/models/x",
    ];

    /// What a name says, put together again.
    fn written(name: &Name) -> String {
        let (beginning, _) = BEGINNINGS.iter().find(|(_, scheme)| *scheme == name.scheme).unwrap();
        let slash = if name.scheme.has_host() { "/" } else { "" };
        format!("{beginning}{}{slash}{}", name.host, name.path)
    }

    #[test]
    fn a_name_is_written_in_one_way() {
        for source in SOURCES {
            assert_eq!(Name::parse(source).map(|name| written(&name)), Ok(source.to_owned()));
        }
        let odd =
            ["", "/", "//", "..", "/../", ":", "@", "%2f", "[", "]", "é", "\0", "\\", "x", "X"];
        for source in SOURCES {
            for (at, put) in (0..=source.len()).flat_map(|at| odd.map(|put| (at, put))) {
                for from in [at, (at + 1).min(source.len())] {
                    let changed = format!("{}{put}{}", &source[..at], &source[from..]);
                    let Ok(name) = Name::parse(&changed) else { continue };
                    // Nothing but upper case was lost.
                    assert!(written(&name).eq_ignore_ascii_case(&changed), "{changed} {name:?}");
                    assert_eq!(Name::parse(&written(&name)), Ok(name), "{changed}");
                }
            }
        }
    }
}
