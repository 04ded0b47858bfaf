//! Keys from the command line to a server that needs them.

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::golden;

use crate::serve::Server;
use crate::{Folder, expect, hearth, text};

/// The program with a home of its own.
fn hearth_in(home: &Path) -> Command {
    let mut command = hearth();
    command.env("HEARTH_HOME", home);
    command
}

fn key(home: &Path, args: &[&str], code: i32) -> (String, String) {
    let output = expect(hearth_in(home).arg("key").args(args), code);
    (text(&output.stdout), text(&output.stderr))
}

/// The status of a list of models, asked for with this key.
fn list(server: &Server, key: &str) -> u16 {
    let header = format!("authorization: Bearer {key}\r\n");
    server.ask_with(&header, ("GET", "/v1/models"), &Value::Null).0
}

/// Waits for a list with this key to have this status, as long as a server may take to notice.
fn becomes(server: &Server, key: &str, status: u16) {
    let begun = Instant::now();
    while list(server, key) != status {
        assert!(begun.elapsed() < Duration::from_secs(2), "it is not {status}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_key_that_nobody_could_read_is_not_kept() {
    let home = Folder::new("keys-unread");
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = hearth_in(&home.0).args(["key", "add", "laptop"]).stdout(full).output().unwrap();
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("is not kept"), "{told}");
    assert_eq!(key(&home.0, &["list", "--json"], 0).0.trim(), "[]");
}

#[test]
fn a_key_is_made_used_and_revoked_while_a_server_runs() {
    let home = Folder::new("keys");
    let (made, told) = key(&home.0, &["add", "laptop"], 0);
    let laptop = made.strip_suffix('\n').unwrap();
    assert!(laptop.starts_with("hearth-") && laptop.len() == 80, "{laptop}");
    assert!(told.contains("shown this once") && !told.contains(laptop), "{told}");
    let server = Server::of(hearth_in(&home.0), &[]);
    for part in ["Who asks needs a key", "authorization: Bearer $KEY", "No other machine can"] {
        assert!(server.greeting.contains(part), "no {part} in\n{}", server.greeting);
    }
    assert_eq!((list(&server, laptop), list(&server, "none")), (200, 401));
    let header = format!("x-api-key: {laptop}\r\n");
    let body = json!({ "model": "qwen3", "prompt": "Once", "max_tokens": 3 });
    let complete = ("POST", "/v1/completions");
    assert_eq!(server.ask_with(&header, complete, &body).0, 200);
    assert_eq!(server.ask_with("", complete, &body).0, 401);
    assert_eq!(server.ask_with("", ("GET", "/health"), &Value::Null).0, 200);
    let (watcher, _) = key(&home.0, &["add", "watcher", "--scope", "watch"], 0);
    becomes(&server, watcher.trim(), 403);
    key(&home.0, &["revoke", "laptop"], 0);
    becomes(&server, laptop, 401);
    key(&home.0, &["revoke", "watcher"], 0);
    becomes(&server, watcher.trim(), 401);
    assert_eq!(list(&server, "none"), 401, "without keys it is not open to all");
}

#[test]
fn a_server_without_keys_needs_one_as_soon_as_there_is_one() {
    let home = Folder::new("first-key");
    let server = Server::of(hearth_in(&home.0), &[]);
    assert!(server.greeting.contains("There are no keys"), "{}", server.greeting);
    assert_eq!(list(&server, "none"), 200);
    let (first, _) = key(&home.0, &["add", "first"], 0);
    becomes(&server, "none", 401);
    assert_eq!(list(&server, first.trim()), 200);
    let open = Server::of(hearth_in(&home.0), &["--keys", "off"]);
    assert!(open.greeting.contains("Keys are off"), "{}", open.greeting);
    assert_eq!(list(&open, "none"), 200);
}

#[test]
fn keys_are_listed_without_their_secret() {
    let home = Folder::new("listed");
    let limits = ["--requests-per-minute", "60", "--tokens-per-minute", "9000"];
    let more = ["--concurrent", "2", "--expires", "30", "--scope", "ask,watch"];
    let (made, _) = key(&home.0, &[&["add", "ci"][..], &limits, &more].concat(), 0);
    let secret = made.trim().rsplit('-').next().unwrap();
    let (listed, _) = key(&home.0, &["list"], 0);
    for part in ["ci", &made[..15], "ask, watch", "60 requests/min", "9000 tokens/min", "2 at once"]
    {
        assert!(listed.contains(part), "no {part} in\n{listed}");
    }
    assert!(listed.contains("today") && listed.contains("in 30 days"), "{listed}");
    let (as_json, _) = key(&home.0, &["list", "--json"], 0);
    let value: Value = as_json.parse().unwrap();
    assert_eq!(
        (&value[0]["scopes"], &value[0]["concurrent"]),
        (&json!(["ask", "watch"]), &json!(2))
    );
    let kept = std::fs::read_to_string(home.path("keys.json")).unwrap();
    for text in [listed, as_json, kept] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn what_is_wrong_with_keys_is_said() {
    let home = Folder::new("wrong-keys");
    let (_, said) = key(&home.0, &["list"], 0);
    assert!(said.contains("hearth key add"), "{said}");
    assert!(key(&home.0, &["revoke", "nobody"], 4).1.contains("no key `nobody`"));
    key(&home.0, &["add", "a"], 0);
    assert!(key(&home.0, &["add", "a"], 4).1.contains("hearth key revoke a"));
    assert!(key(&home.0, &["revoke", "b"], 4).1.contains("there are: a"));
    for wrong in [&["add", "a b"][..], &["add", "b", "--scope", "rule"], &["add"], &[]] {
        key(&home.0, wrong, 2);
    }
    let model = golden("models/qwen3");
    let serve = |flags: &[&str], code| {
        let mut command = hearth_in(&home.0);
        command.args(["serve", "--port", "0"]).args(flags).arg(&model);
        text(&expect(&mut command, code).stderr)
    };
    key(&home.0, &["revoke", "a"], 0);
    let said = serve(&["--host", "0.0.0.0"], 4);
    assert!(said.contains("none that is good") && said.contains("hearth key add"), "{said}");
    assert!(serve(&["--host", "0.0.0.0", "--keys", "off"], 4).contains("--keys off"));
    let file = home.path("keys.json");
    for (content, reason) in [
        ("{\"keys\": [", "damaged"),
        ("{\"keys\": [], \"more\": 1}", "unknown field `more`"),
        ("", "damaged"),
    ] {
        std::fs::write(&file, content).unwrap();
        for said in [key(&home.0, &["add", "c"], 1).1, key(&home.0, &["list"], 1).1, serve(&[], 1)]
        {
            assert!(said.contains("keys.json") && said.contains(reason), "{said}");
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), content);
    }
}
