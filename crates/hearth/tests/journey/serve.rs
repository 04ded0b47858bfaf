//! `hearth serve`: from the command line to answers over HTTP, and to its end.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::golden;

use crate::{expect, hearth, text};

/// A server that is killed when a test is over.
pub struct Server {
    child: Child,
    address: String,
    pub greeting: String,
}

/// What a greeting ends with, with keys and without.
const LAST: [&str; 3] = ["No other machine can", "proxy with TLS", "is encrypted"];

impl Server {
    fn start(flags: &[&str]) -> Server {
        Server::of(hearth(), flags)
    }

    /// One that this command becomes.
    pub fn of(mut command: Command, flags: &[&str]) -> Server {
        command.stderr(Stdio::null());
        Server::logging(command, flags)
    }

    /// One whose log goes where this command's does.
    pub fn logging(command: Command, flags: &[&str]) -> Server {
        let model = golden("models/qwen3").display().to_string();
        Server::without_models(command, &[flags, &[&model[..]]].concat())
    }

    /// One whose models stand in its file of settings, if nowhere else.
    pub fn without_models(mut command: Command, flags: &[&str]) -> Server {
        command.args(["serve", "--port", "0", "--threads", "1"]).args(flags);
        command.stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut greeting = String::new();
        while !LAST.iter().any(|last| greeting.contains(last)) {
            greeting += &(lines.next().unwrap().unwrap() + "\n");
        }
        let address = greeting.split("://").nth(1).unwrap().lines().next().unwrap().to_owned();
        Server { child, address, greeting }
    }

    /// Status and body.
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, String) {
        self.ask_with("", (method, path), body)
    }

    /// The same with more headers.
    pub fn ask_with(
        &self,
        headers: &str,
        (method, path): (&str, &str),
        body: &Value,
    ) -> (u16, String) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        let head = format!("host: localhost\r\nconnection: close\r\ncontent-length: {length}");
        write!(stream, "{method} {path} HTTP/1.1\r\n{headers}{head}\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// As services are.
    #[cfg(unix)]
    pub fn tell_to_stop(&self) {
        self.signal("TERM");
    }

    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        let kill = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    /// Its exit code.
    #[cfg(unix)]
    pub fn ended(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// Whether a turn is being answered, or one has been.
    #[cfg(unix)]
    fn is_running_or_over(&self) -> bool {
        let (_, metrics) = self.ask("GET", "/metrics", &Value::Null);
        let counted = ["vllm:num_requests_running", "vllm:request_success_total"];
        let lines =
            metrics.lines().filter(|line| counted.iter().any(|name| line.starts_with(name)));
        lines.into_iter().any(|line| !line.ends_with(" 0"))
    }

    fn complete(&self, more: &Value) -> Value {
        let mut body = json!({ "model": "qwen3", "prompt": "Once", "max_tokens": 12, "seed": 3 });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (status, answer) = self.ask("POST", "/v1/completions", &body);
        assert_eq!(status, 200, "{answer}");
        serde_json::from_str(&answer).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_says_what_it_has_and_answers() {
    let server = Server::start(&[]);
    for part in ["qwen3", "512", "16 answers at once", "curl http://", "base_url="] {
        assert!(server.greeting.contains(part), "no {part} in\n{}", server.greeting);
    }
    let (status, models) = server.ask("GET", "/v1/models", &Value::Null);
    assert!(status == 200 && models.contains("\"id\":\"qwen3\""), "{models}");
    let answer = server.complete(&json!({}));
    assert_eq!(answer["usage"]["completion_tokens"], 12, "{answer}");
    assert!(answer["system_fingerprint"].as_str().unwrap().starts_with("canon1-"));
    let unknown = json!({ "model": "gpt-5", "prompt": "Hi" });
    let (status, said) = server.ask("POST", "/v1/completions", &unknown);
    assert!(status == 404 && said.contains("there are: qwen3"), "{said}");
    let long = json!({ "model": "qwen3", "prompt": "word ".repeat(3000) });
    let (status, said) = server.ask("POST", "/v1/completions", &long);
    assert!(status == 400 && said.contains("context_length_exceeded"), "{said}");
    let hello = json!([{ "role": "user", "content": "Hi" }]);
    let schema = json!({ "type": "json_schema", "json_schema": { "name": "yes", "schema": {
        "type": "object", "properties": { "yes": { "type": "boolean" } }, "required": ["yes"],
        "additionalProperties": false } } });
    let chat = json!({ "model": "qwen3", "messages": hello, "response_format": schema });
    let (status, said) = server.ask("POST", "/v1/chat/completions", &chat);
    assert_eq!(status, 200, "{said}");
    let said: Value = serde_json::from_str(&said).unwrap();
    let answer = said["choices"][0]["message"]["content"].as_str().unwrap();
    let answer: Value = serde_json::from_str(answer).unwrap();
    assert!(answer["yes"].is_boolean(), "{said}");
}

#[test]
fn ollamas_clients_have_the_same_answers() {
    let server = Server::start(&[]);
    let ask = |path: &str, more: Value| {
        let mut body = json!({ "model": "qwen3:latest", "stream": false });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (status, said) = server.ask("POST", path, &body);
        assert_eq!(status, 200, "{said}");
        serde_json::from_str::<Value>(&said).unwrap()
    };
    let loaded = || serde_json::from_str::<Value>(&server.ask("GET", "/api/ps", &Value::Null).1);
    let options = json!({ "num_predict": 12, "seed": 3 });
    let hello = json!([{ "role": "user", "content": "Hi" }]);
    let chat = ask("/api/chat", json!({ "messages": hello, "options": options }));
    let same = ask(
        "/v1/chat/completions",
        json!({ "messages": hello, "max_tokens": 12, "seed": 3, "keep_alive": 60 }),
    );
    assert_eq!(chat["message"]["content"], same["choices"][0]["message"]["content"]);
    let time = |name: &str| chat[name].as_u64().unwrap();
    let parts = time("load_duration") + time("prompt_eval_duration") + time("eval_duration");
    assert!(parts <= time("total_duration") && time("eval_duration") > 0, "{chat}");
    assert_eq!(loaded().unwrap()["models"][0]["model"], "qwen3:latest");
    let gone = ask("/api/generate", json!({ "keep_alive": 0 }));
    assert_eq!(gone["done_reason"], "unload");
    // It goes when nobody uses it any more, which may be a moment after the reply.
    let begun = Instant::now();
    while loaded().unwrap()["models"] != json!([]) {
        assert!(begun.elapsed() < Duration::from_secs(5), "it stays");
    }
    let text = ask("/api/generate", json!({ "prompt": "Once", "raw": true, "options": options }));
    assert_eq!(text["response"], server.complete(&json!({}))["choices"][0]["text"]);
    let shown = ask("/api/show", json!({ "stream": null }));
    assert_eq!(shown["details"]["family"], "qwen3");
    assert_eq!(shown["model_info"]["qwen3.context_length"], 512);
}

#[test]
fn strangers_change_no_bit() {
    let server = Server::start(&["--parallel", "4"]);
    let asked = json!({ "logprobs": 2 });
    let alone = server.complete(&asked)["choices"].clone();
    thread::scope(|scope| {
        let strangers: Vec<_> = (0..12)
            .map(|i| {
                let more = json!({ "prompt": "Once ".repeat(i + 1), "seed": i });
                let server = &server;
                scope.spawn(move || server.complete(&more))
            })
            .collect();
        for _ in 0..3 {
            assert_eq!(server.complete(&asked)["choices"], alone);
        }
        strangers.into_iter().for_each(|stranger| _ = stranger.join().unwrap());
    });
}

#[test]
#[cfg(unix)]
fn what_was_asked_is_finished_when_it_is_told_to_stop() {
    let mut server = Server::start(&[]);
    let answer = thread::scope(|scope| {
        let answer = scope.spawn(|| server.complete(&json!({ "max_tokens": 400 })));
        // Told as soon as it is asked, and not before.
        while !server.is_running_or_over() {
            thread::sleep(Duration::from_millis(2));
        }
        server.tell_to_stop();
        answer.join().unwrap()
    });
    assert!(answer["usage"]["completion_tokens"].as_u64().unwrap() > 0, "{answer}");
    assert_eq!(server.ended(), Some(0));
}

#[test]
fn what_cannot_be_served_is_said() {
    let server = Server::start(&[]);
    let port = server.address.rsplit(':').next().unwrap().to_owned();
    let serve = |args: &[&str], code| text(&expect(hearth().arg("serve").args(args), code).stderr);
    let model = golden("models/qwen3").display().to_string();
    let said = serve(&[&model, "--port", &port], 1);
    assert!(said.contains("another hearth") && said.contains("--port"), "{said}");
    assert!(serve(&["/nowhere.gguf"], 3).contains("no such model, file"));
    assert!(serve(&[&model, &model], 4).contains("NAME=PATH"));
}
