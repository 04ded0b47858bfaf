//! Sockets open only where the promise "nothing leaves without two keys" is kept.
//!
//! Looks at words in code, and at the dependencies of packages, so that a client cannot be reached
//! under another name.

use super::manifest;
use super::tree::{Finding, Tree};

/// Where sockets may be named: a folder with everything beneath it, or a single file. `remote`
/// joins this table when it exists. The test of the server asks it.
const ALLOWED: [&str; 6] = [
    "crates/api/",
    "crates/hearth/tests/journey/serve.rs",
    "crates/models/Cargo.toml",
    "crates/models/src/pull/",
    "crates/models/tests/registry/",
    "xtask/fetch/",
];

/// Types that open sockets, or that lead to them, and clients whose names mean nothing else.
const WORDS: [&str; 10] = [
    "TcpStream",
    "TcpListener",
    "TcpSocket",
    "UdpSocket",
    "UnixStream",
    "UnixListener",
    "UnixDatagram",
    "ToSocketAddrs",
    "reqwest",
    "ureq",
];

/// Packages that speak to a network. Some share their name with an ordinary word, so that only a
/// manifest can tell.
const PACKAGES: [&str; 9] =
    ["reqwest", "ureq", "hyper", "hyper-util", "axum", "isahc", "curl", "socket2", "mio"];

/// Modules whose every item is about sockets, also inside of a grouped `use`.
const MODULES: [(&str, &str); 3] = [("std", "net"), ("tokio", "net"), ("mio", "net")];

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in tree.sources().filter(|(file, _)| !is_allowed(&file.path)) {
        let mut places: Vec<(usize, String)> = Vec::new();
        for word in WORDS {
            places.extend(source.words(word).map(|at| (at, word.to_owned())));
        }
        for (root, module) in MODULES {
            let uses = source.words(module).filter(|at| is_child_of(&source.code[..*at], root));
            places.extend(uses.map(|at| (at, format!("{root}::{module}"))));
        }
        places.sort();
        for (at, name) in places {
            let message = format!("`{name}`: sockets are not allowed here");
            findings.push(Finding::new(&file.path, source.line(at), message));
        }
    }
    findings.extend(check_manifests(tree));
    findings
}

fn check_manifests(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.own("Cargo.toml").filter(|file| !is_allowed(&file.path)) {
        let named = manifest::dependencies(&file.text);
        let named = named.into_iter().map(|dependency| (dependency.name, dependency.line));
        for (name, line) in named.chain(manifest::renamed(&file.text)) {
            if PACKAGES.contains(&name.as_str()) {
                let message = format!("`{name}`: sockets are not allowed here");
                findings.push(Finding::new(&file.path, line, message));
            }
        }
    }
    findings
}

fn is_allowed(path: &str) -> bool {
    ALLOWED.iter().any(|allowed| path.starts_with(allowed))
}

/// Whether a path that begins with `root` leads to what follows: `root::`, or `root::{…, `.
fn is_child_of(before: &str, root: &str) -> bool {
    let statement = before.rsplit(';').next().unwrap_or(before).trim_end();
    if let Some(parent) = statement.strip_suffix("::") {
        return ends_with_word(parent, root);
    }
    // Inside of a group, the innermost bracket that is still open follows the root.
    let mut depth = 0;
    for (at, c) in statement.char_indices().rev() {
        match c {
            '}' => depth += 1,
            '{' if depth > 0 => depth -= 1,
            '{' => {
                let parent = statement[..at].trim_end().strip_suffix("::");
                return parent.is_some_and(|parent| ends_with_word(parent, root));
            }
            _ => {}
        }
    }
    false
}

fn ends_with_word(text: &str, word: &str) -> bool {
    let rest = text.trim_end().strip_suffix(word);
    rest.is_some_and(|rest| !rest.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(path: &str, text: &str) -> Vec<String> {
        let findings = check(&Tree::of(&[(path, text)]));
        findings.into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn code_without_sockets_passes() {
        let text = "use std::{fs, io::Read};\nlet net = income.net(); // std::net\nneural::net();\n\
                    let hyper = Hyper::read();\n\
                    fn f() { net::x(\"TcpStream\") }";
        assert_eq!(messages("crates/text/src/lib.rs", text), Vec::<String>::new());
        for path in ["xtask/fetch/src/net.rs", "crates/models/src/pull/session.rs"] {
            assert_eq!(messages(path, "use ureq::Agent;"), Vec::<String>::new());
        }
        let manifest = "[dependencies]\nserde = \"1\"\n";
        assert_eq!(messages("crates/text/Cargo.toml", manifest), Vec::<String>::new());
    }

    #[test]
    fn every_way_to_a_socket_is_found() {
        for text in [
            "use std::net::TcpStream as Harmless;",
            "use std::net;",
            "use std::{io::{Read, Write}, net::{self}};",
            "let x = std :: net :: lookup();",
            "use tokio::{fs, net};",
            "let client = reqwest::Client::new();",
            "fn f(stream: UnixStream) {}",
        ] {
            for path in ["crates/engine/src/lib.rs", "crates/models/src/store.rs"] {
                assert!(!messages(path, text).is_empty(), "{path}: {text}");
            }
        }
        for line in ["hyper-util = \"1\"", "client = { version = \"1\", package = \"hyper\" }"] {
            let manifest = format!("[dependencies]\nserde = \"1\"\n{line}\n");
            assert_eq!(messages("crates/text/Cargo.toml", &manifest).len(), 1, "{line}");
        }
    }
}
