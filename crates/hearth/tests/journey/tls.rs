//! A server with a certificate: what it says, and what becomes of its files. `crates/api` tests
//! what goes over the wire.
#![cfg(unix)] // Where a server can be told to read them again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use testkit::golden;

use crate::serve::Server;
use crate::{Folder, expect, hearth, text};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/tests/tls").join(name)
}

#[test]
fn it_greets_with_https_and_renews_its_certificate() {
    let folder = Folder::new("tls");
    let (certificate, log) = (folder.path("cert.pem"), folder.path("log"));
    fs::copy(file("test-certificate.pem"), &certificate).unwrap();
    fs::copy(file("test-only-key.pem"), folder.path("key.pem")).unwrap();
    // Relative to the file of settings.
    fs::write(folder.path("hearth.toml"), "tls_cert = 'cert.pem'\ntls_key = 'key.pem'").unwrap();
    let mut command = hearth();
    command.env("HEARTH_HOME", &folder.0).stderr(File::create(&log).unwrap());
    let server = Server::logging(command, &[]);
    for part in ["listens on https://127", "curl https://127", "base_url=\"https://127"] {
        assert!(server.greeting.contains(part), "no {part} in\n{}", server.greeting);
    }
    let becomes = |part: &str| {
        let begun = Instant::now();
        while !fs::read_to_string(&log).unwrap().contains(part) {
            assert!(begun.elapsed() < Duration::from_secs(5), "no {part}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    server.signal("HUP");
    becomes("certificate renewed");
    fs::write(&certificate, "").unwrap();
    server.signal("HUP");
    becomes("cert.pem, --tls-key");
    becomes("the old one stays");
}

#[test]
fn what_is_wrong_with_its_files_is_said() {
    let model = golden("models/qwen3");
    let serve = |flags: &[(&str, &str)]| {
        let mut command = hearth();
        command.args(["serve", "--port", "0"]).arg(&model);
        flags.iter().for_each(|(flag, name)| _ = command.arg(flag).arg(file(name)));
        text(&expect(&mut command, 4).stderr)
    };
    let certificate = ("--tls-cert", "test-certificate.pem");
    assert!(serve(&[certificate]).contains("--tls-key"));
    let said = serve(&[certificate, ("--tls-key", "nowhere.pem")]);
    assert!(said.contains("cannot read --tls-key") && said.contains("nowhere.pem"), "{said}");
    let said = serve(&[certificate, ("--tls-key", "test-only-key-pkcs1.pem")]);
    assert!(said.contains("the key is not that of the certificate"), "{said}");
}
