//! What a server logs, and what it never does.
#![cfg(unix)] // Where a server can be told to stop.

use std::fs::File;
use std::process::Command;

use serde_json::{Value, json};

use crate::serve::Server;
use crate::{Folder, expect, hearth, text};

/// Said in each request; no log has it.
const MARK: &str = "xylophone";

/// The log of a server that was asked this and that, and was stopped.
fn log(name: &str, flags: &[&str]) -> String {
    let folder = Folder::new(name);
    let path = folder.path("log");
    let mut command: Command = hearth();
    command.env("HEARTH_HOME", &folder.0).stderr(File::create(&path).unwrap());
    let mut server = Server::logging(command, flags);
    let ask = |path: &str, more: Value| {
        let mut body = json!({ "model": "qwen3", "max_tokens": 4, "seed": 3 });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        server.ask_with(&format!("x-api-key: {MARK}\r\n"), ("POST", path), &body)
    };
    let messages = json!([{ "role": "user", "content": MARK }]);
    let tool = json!({ "type": "function", "function": { "name": MARK, "description": MARK } });
    let chat = json!({ "messages": messages, "tools": [tool] });
    assert_eq!(ask("/v1/chat/completions", chat).0, 200);
    let query = format!("/v1/completions?{MARK}={MARK}");
    assert_eq!(ask(&query, json!({ "prompt": MARK, "stream": true, "n": 2 })).0, 200);
    assert_eq!(ask("/v1/completions", json!({ "prompt": MARK, MARK: MARK })).0, 400);
    assert_eq!(ask("/v1/completions", json!({ "prompt": { MARK: MARK } })).0, 400);
    assert_eq!(ask("/v1/completions", json!({ "prompt": MARK, "model": "other" })).0, 404);
    assert_eq!(server.ask("GET", "/health", &Value::Null).0, 200);
    server.tell_to_stop();
    assert_eq!(server.ended(), Some(0));
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn requests_are_logged_and_nothing_that_was_said() {
    let log = log("log-json", &["--log-format", "json"]);
    assert!(!log.contains(MARK), "{log}");
    let lines: Vec<Value> = log.lines().map(|line| line.parse().unwrap()).collect();
    let of = |message: &str| lines.iter().filter(|line| line["message"] == message).count();
    for message in ["started", "model loaded", "model unloaded", "stopped"] {
        assert_eq!(of(message), 1, "{message}: {log}");
    }
    let mut requests: Vec<_> = lines.iter().filter(|line| line["message"] == "request").collect();
    assert_eq!(requests.len(), 5, "no probes: {log}");
    // A line is written when the model has let go of its turn, which may be after the next request.
    let place =
        |request: &Value| (request["path"].as_str().map(str::len), request["status"].as_u64());
    requests.sort_by_key(|request| std::cmp::Reverse(place(request)));
    let chat = requests[0];
    assert!(chat["id"].as_str().unwrap().starts_with("req_"), "{chat}");
    assert!(chat["time"].as_str().unwrap().ends_with('Z'), "{chat}");
    assert_eq!((&chat["path"], &chat["status"]), (&json!("/v1/chat/completions"), &json!(200)));
    assert_eq!((&chat["model"], &chat["end"]), (&json!("qwen3"), &json!("length")));
    assert!(chat["prompt_tokens"].as_u64().unwrap() > 4, "{chat}");
    assert_eq!(chat["generated_tokens"], 4);
    let ms = |name: &str| chat[name].as_f64().unwrap();
    assert!(ms("waiting_ms") <= ms("first_token_ms") && ms("first_token_ms") <= ms("total_ms"));
    assert_eq!((&requests[4]["turns"], &requests[4]["generated_tokens"]), (&json!(2), &json!(8)));
    for (request, status, fault) in [(2, 400, Value::Null), (1, 404, json!("missing"))] {
        let request = requests[request];
        assert_eq!((&request["status"], &request["end"]), (&json!(status), &json!("refused")));
        assert_eq!(request["fault"], fault);
    }
}

#[test]
fn lines_for_people_and_what_is_said_only_if_asked_for() {
    let plain = log("log-debug", &["--log", "debug"]);
    assert!(!plain.contains(MARK), "{plain}");
    for part in [" info  request id=req_", " path=/v1/completions status=200", " debug request"] {
        assert!(plain.contains(part), "no {part} in\n{plain}");
    }
    let content = log("log-content", &["--log", "debug", "--log-content"]);
    let asked = content.lines().filter(|line| line.contains(" content id=req_")).count();
    assert!(asked >= 3 && content.contains(MARK), "{content}");
    let first = content.lines().next().unwrap();
    assert!(first.contains(" warn ") && first.contains("--log-content"), "{first}");
    assert_eq!(log("log-off", &["--log", "off"]), "");
    let flags = ["serve", "--log-content", "nowhere"];
    let said = text(&expect(hearth().args(flags), 4).stderr);
    assert!(said.contains("--log debug"), "{said}");
}
