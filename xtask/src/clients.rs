//! `cargo xtask clients`: the client libraries that people have, against a real `hearth serve`.
//!
//! They are installed, at the versions that are named in `conformance/`, into `target/clients`, and
//! drive the release build with a tiny model. There are two sets, because the newest of some do not
//! install beside the newest of others.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::{Failure, process};

const FOLDER: &str = "target/clients";
const CASES: &str = "conformance";
const MODEL: &str = "golden/models/qwen3";
/// The sets: what they are called, and what is in them.
const SETS: [(&str, &str); 2] =
    [("widest", "requirements.txt"), ("newest", "requirements-newest.txt")];
/// What all cases of a set may take together.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// A server that is ended when its cases are over.
struct Server {
    child: Child,
    address: String,
    key: String,
}

pub fn command(root: &Path, arguments: &[String]) -> Result<(), Failure> {
    process::succeed(process::cargo(root).args(["build", "--release", "--locked"]))?;
    Ok(run_with(root, arguments)?)
}

/// Every case with each set of clients. The binary has been built.
pub fn run(root: &Path) -> Result<(), String> {
    run_with(root, &[])
}

/// The same with arguments for the runner of the cases, such as `--only 'ollama.*'`.
fn run_with(root: &Path, arguments: &[String]) -> Result<(), String> {
    let mut failures = Vec::new();
    for (name, requirements) in SETS {
        println!("\n-- clients: the {name} set");
        let python = install(root, name, requirements)?;
        let model = make_model(root, &python)?;
        let server = Server::start(root, &model)?;
        let mut cases = Command::new(&python);
        cases.current_dir(root).arg(format!("{CASES}/run.py")).args(arguments);
        cases.args(["--base-url", &server.address, "--model", "tiny", "--api-key", &server.key]);
        let status = process::within(LIMIT, &mut cases)?;
        if !status.success() {
            failures.push(name);
        }
    }
    match failures.is_empty() {
        true => Ok(()),
        false => Err(format!("cases fail with the clients of: {}", failures.join(", "))),
    }
}

/// Installs a set unless it is there already, and returns its Python.
fn install(root: &Path, name: &str, requirements: &str) -> Result<PathBuf, String> {
    let folder = root.join(FOLDER).join(name);
    let (python, installed) = (folder.join("bin/python"), folder.join("installed.txt"));
    let wanted = root.join(CASES).join(requirements);
    let read = |path: &Path| fs::read_to_string(path).map_err(|error| at(path, &error));
    let pins = read(&wanted)?;
    if fs::read_to_string(&installed).is_ok_and(|there| there == pins) {
        return Ok(python);
    }
    // Half an installation is none.
    let _ = fs::remove_dir_all(&folder);
    process::succeed(Command::new("python3").args(["-m", "venv"]).arg(&folder))
        .map_err(|error| format!("{error}; Python 3.11 with its venv module is needed"))?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    process::succeed(Command::new(&python).args(install).arg(&wanted))?;
    fs::write(&installed, pins).map_err(|error| at(&installed, &error))?;
    Ok(python)
}

/// Makes the model that the clients are tried with.
fn make_model(root: &Path, python: &Path) -> Result<PathBuf, String> {
    let model = root.join(FOLDER).join("model");
    let maker = format!("{CASES}/make_model.py");
    let mut make = Command::new(python);
    process::succeed(make.current_dir(root).args([&maker, MODEL]).arg(&model))?;
    Ok(model)
}

impl Server {
    fn start(root: &Path, model: &Path) -> Result<Server, String> {
        let key = new_key(root)?;
        let mut command = hearth(root);
        command
            .args(["serve", "--port", "0", "--log", "error"])
            .arg(format!("tiny={}", model.display()));
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| process::not_started(&command, &error))?;
        let lines = child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines);
        let mut lines = lines.map_while(Result::ok);
        let mut server = Server { child, address: String::new(), key };
        let address = lines.find_map(|line| Some(line.split_once("listens on ")?.1.to_owned()));
        server.address = address.ok_or("hearth serve ended before it listened")?;
        // Somebody must read what else it says.
        thread::spawn(move || lines.for_each(drop));
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The release build, with a home of its own.
fn hearth(root: &Path) -> Command {
    let mut command = Command::new(root.join("target/release/hearth"));
    command.env("HEARTH_HOME", root.join(FOLDER).join("home"));
    command
}

/// A key for everything, so that each case shows that it is sent.
fn new_key(root: &Path) -> Result<String, String> {
    let _ = fs::remove_dir_all(root.join(FOLDER).join("home"));
    let mut add = hearth(root);
    add.args(["key", "add", "clients", "--scope", "list,ask,manage,watch"]);
    let out = add.output().map_err(|error| process::not_started(&add, &error))?;
    let key = String::from_utf8_lossy(&out.stdout).trim().to_owned();
    if key.is_empty() { Err(format!("{}: no key", process::line(&add))) } else { Ok(key) }
}

fn at(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
