//! Who may come in to a server, as its flags say, and how that is told.

use core::net::SocketAddr;
use std::sync::Arc;

use api::{Access, Hosts, Keys, Neighbours};

use crate::failure::Failure;
use crate::flags::{KeysNeeded, Serve as Flags};
use crate::keys::{KeyFile, Watched, date};

/// Who may come in. On this machine keys are needed when there is a file of them; beyond it,
/// always.
pub fn access(flags: &Flags, file: &KeyFile) -> Result<Access, Failure> {
    let is_here = flags.host.is_loopback();
    let keys: Option<Arc<dyn Keys>> = match flags.keys {
        Some(KeysNeeded::Off) if is_here => None,
        Some(KeysNeeded::Off) => {
            let why = "beyond this machine nobody is let in without a key";
            return Err(Failure::Request(format!("--keys off does not go with --host: {why}")));
        }
        needed => {
            let watched = Watched::new(file.clone())?;
            let is_needed = needed.is_some() || !is_here;
            check(&watched, is_needed).map_err(|why| no_key(flags, file, why))?;
            Some(Arc::new(watched))
        }
    };
    // Beyond this machine a page that a browser was led astray to still has no key, and hearth
    // cannot know all its names.
    let hosts = if is_here { Hosts::Here(flags.name.clone()) } else { Hosts::Any };
    Ok(Access { keys, neighbours: Neighbours { hosts, origins: flags.origin.clone() } })
}

/// Says why nobody could ever be let in.
fn check(watched: &Watched, is_needed: bool) -> Result<(), &'static str> {
    match watched.ring().map_err(|_| "cannot be read")? {
        None if is_needed => Err("is not there"),
        Some(ring) if !ring.is_usable(date()) => Err("has none that is good"),
        _ => Ok(()),
    }
}

fn no_key(flags: &Flags, file: &KeyFile, why: &str) -> Failure {
    let without = if flags.host.is_loopback() { "; --keys off goes without" } else { "" };
    let way_out = format!("`hearth key add NAME` makes one{without}");
    Failure::Request(format!("a server on {} needs a key, and {file} {why}: {way_out}", flags.host))
}

/// Whether who asks needs a key now.
pub fn is_closed(access: &Access) -> bool {
    // Where it cannot be told, nobody is let in.
    access.keys.as_ref().is_some_and(|keys| !matches!(keys.ring(), Ok(None)))
}

/// What is protected, and what is not.
pub fn described(access: &Access, address: SocketAddr, is_encrypted: bool) -> String {
    let keys = match (&access.keys, is_closed(access)) {
        (_, true) => "Who asks needs a key; `hearth key list` shows which there are.",
        (Some(_), false) => "There are no keys: every program on this machine may ask.",
        (None, false) => "Keys are off: every program on this machine may ask.",
    };
    let others = match &access.neighbours.hosts {
        _ if !address.ip().is_loopback() && is_encrypted => {
            "What goes over the network is encrypted."
        }
        _ if !address.ip().is_loopback() => {
            "Nothing is encrypted: who listens on the network reads questions, answers and keys.\n\
             Where somebody may, encrypt: --tls-cert and --tls-key, or a proxy with TLS."
        }
        Hosts::Here(names) if !names.is_empty() => {
            "Other machines can ask through a proxy on this one."
        }
        _ => "No other machine can ask.",
    };
    format!("{keys} {others}")
}

#[cfg(test)]
mod tests {
    use api::keys::Key;
    use clap::Parser;

    use super::*;
    use crate::flags::{self, Command};
    use crate::keys::tests::{TestFile, add};

    /// What a server says that is started with these flags, or why it is not.
    fn said(flags: &[&str], file: &KeyFile) -> String {
        let line = ["hearth", "serve", "model"].iter().chain(flags);
        let Ok(flags::Flags { command: Some(Command::Serve(flags)) }) =
            flags::Flags::try_parse_from(line)
        else {
            return "wrong flags".to_owned();
        };
        match access(&flags, file) {
            Ok(access) => {
                described(&access, SocketAddr::from((flags.host, 1)), flags.tls_cert.is_some())
            }
            Err(Failure::Request(why)) => why,
            Err(other) => format!("{other:?}"),
        }
    }

    #[test]
    fn keys_are_needed_where_there_are_any_and_beyond_this_machine() {
        let (none, good) = (TestFile::new("access-none"), TestFile::new("access-good"));
        let bad = TestFile::new("access-bad");
        add(&good.0, Key::new("a", "a"));
        add(&bad.0, Key { expires: Some(1), ..Key::new("a", "a") });
        let beyond = "--host=0.0.0.0";
        let cases: [(&[&str], &TestFile, &str); 15] = [
            (&[], &none, "There are no keys: every program on this machine may ask. No other"),
            (&[], &good, "Who asks needs a key; `hearth key list` shows which there are. No other"),
            (&[], &bad, "access-bad/keys.json has none that is good: `hearth key add NAME`"),
            (&["--keys=required"], &none, "is not there: `hearth key add NAME` makes one; --keys"),
            (&["--keys=required"], &good, "Who asks needs a key"),
            (&["--keys=off"], &good, "Keys are off: every program on this machine may ask. No"),
            (&["--keys=off"], &bad, "Keys are off"),
            (&["--host=::1"], &none, "There are no keys"),
            (&["--host=localhost", "--name=lab"], &none, "can ask through a proxy"),
            (&[beyond], &none, "a server on 0.0.0.0 needs a key"),
            (&[beyond], &bad, "has none that is good: `hearth key add NAME` makes one"),
            (
                &[beyond],
                &good,
                "needs a key; `hearth key list` shows which there are. Nothing is e",
            ),
            (&[beyond, "--tls-cert=c"], &good, "What goes over the network is encrypted."),
            (&[beyond, "--keys=off"], &good, "--keys off does not go with --host"),
            (&["--host=::"], &none, "a server on :: needs a key"),
        ];
        for (flags, file, part) in cases {
            let said = said(flags, &file.0);
            assert!(said.contains(part), "{flags:?} {}: {said}", file.0);
        }
        assert!(!said(&[beyond], &bad.0).contains("--keys off"));
    }

    #[test]
    fn names_and_pages_are_written_as_they_come() {
        let file = TestFile::new("access-names");
        for (flag, good, wrong) in [
            ("--host", "192.168.1.5", "lab.example"),
            ("--name", "lab.example", "http://lab.example"),
            ("--name", "lab", "lab:80"),
            ("--origin", "https://chat.example:8443/", "chat.example"),
            ("--origin", "app://obsidian.md", "https://chat.example/path"),
            ("--keys", "off", "on"),
        ] {
            assert_ne!(said(&[flag, good], &file.0), "wrong flags", "{flag} {good}");
            assert_eq!(said(&[flag, wrong], &file.0), "wrong flags", "{flag} {wrong}");
        }
    }
}
