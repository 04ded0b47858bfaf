//! Takes named files out of the source package of `llama-cpp-python` on PyPI.
//!
//! `cargo xtask golden` builds and runs this program only when a vocabulary is missing, so that the
//! daily `cargo xtask` needs no network code. It knows where the package is and how to unpack it;
//! which bytes are the right ones is known to `cargo xtask golden`, which checks every file.

mod index;
mod net;
mod tar;

use std::path::Path;
use std::process::ExitCode;

use flate2::read::GzDecoder;

const PACKAGE: &str = "llama-cpp-python";
const ARCHIVE: &str = "llama_cpp_python-0.3.36.tar.gz";
/// Where the wanted files lie inside the archive.
const FOLDER: &str = "llama_cpp_python-0.3.36/vendor/llama.cpp/models";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((into, names)) = arguments.split_first().filter(|(_, names)| !names.is_empty()) else {
        eprintln!("usage: fetch FOLDER FILE...   (normally called by `cargo xtask golden`)");
        return ExitCode::from(2);
    };
    match fetch(Path::new(into), names) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reasons) => {
            eprintln!("fetch: {ARCHIVE} could not be read:");
            for reason in reasons {
                eprintln!("  {reason}");
            }
            eprintln!("  proxies are taken from https_proxy, certificates from SSL_CERT_FILE,");
            eprintln!("  the index from PIP_INDEX_URL or from pip's configuration");
            ExitCode::FAILURE
        }
    }
}

/// Tries each index in turn, and says of every one why it failed.
fn fetch(into: &Path, names: &[String]) -> Result<(), Vec<String>> {
    let mut reasons = Vec::new();
    for find_index in [index::from_environment, index::from_pip] {
        let Some(index) = find_index() else { continue };
        match fetch_from(&index, into, names) {
            Ok(()) => return Ok(()),
            Err(reason) => reasons.push(format!("{index}: {reason}")),
        }
    }
    Err(reasons)
}

fn fetch_from(index: &str, into: &Path, names: &[String]) -> Result<(), String> {
    let agent = net::agent()?;
    let page_url = format!("{}/{PACKAGE}/", index.trim_end_matches('/'));
    let page = net::page(&agent, &page_url)?;
    let archive_url = index::archive_url(&page_url, &page, ARCHIVE)
        .ok_or_else(|| format!("{page_url} does not list {ARCHIVE}"))?;
    let archive = net::download(&agent, &archive_url)?;
    let wanted: Vec<String> = names.iter().map(|name| format!("{FOLDER}/{name}")).collect();
    let missing = tar::extract(GzDecoder::new(archive), &wanted, into)?;
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!("{ARCHIVE} does not contain {}", missing.join(", ")))
}
