//! The whole way over a socket, to a house that plays.

#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

mod ollama;
mod stage;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use api::Door;
use serde_json::{Value, json};
use turn::Prompt;

use stage::*;

#[test]
fn whole_replies_and_streams() {
    let house = Arc::new(Stage::default());
    let address = serve(&house);
    let reply = ask(address, "POST", CHAT, &chat("echo", &json!({ "seed": 4, "user": "u" })));
    assert_eq!((reply.status, reply.header("x-hearth-ignored")), (200, Some("user")));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let json = reply.json();
    assert_eq!(json["choices"][0]["message"]["content"], "Oh my hat");
    assert_eq!((&json["model"], &json["system_fingerprint"]), (&json!("echo"), &json!("fp-echo")));
    assert!(json["id"].as_str().unwrap().starts_with("chatcmpl-"));
    assert_eq!(house.turns.lock().unwrap()[0].wishes.seed, Some(4));
    let reply = ask(address, "POST", CHAT, &chat("echo", &json!({ "stream": true })));
    assert_eq!(reply.header("content-type"), Some("text/event-stream"));
    assert_eq!(reply.header("x-hearth-fingerprint"), Some("fp-echo"));
    assert!(reply.body.ends_with("data: [DONE]\n\n"), "{}", reply.body);
    assert_eq!(reply.body.matches(r#""role":"assistant""#).count(), 1);
    assert!(house.turns.lock().unwrap()[1].wishes.seed.is_some());
}

#[test]
fn several_choices_and_completions() {
    let house = Arc::new(Stage::default());
    let address = serve(&house);
    let json = ask(address, "POST", CHAT, &chat("echo", &json!({ "n": 3, "seed": 1 }))).json();
    assert_eq!(json["choices"].as_array().unwrap().len(), 3);
    let usage = &json["usage"];
    assert_eq!((&usage["prompt_tokens"], &usage["completion_tokens"]), (&json!(3), &json!(6)));
    let body = json!({ "model": "echo", "prompt": ["a", "b"], "logprobs": 1 }).to_string();
    let json = ask(address, "POST", "/v1/completions", &body).json();
    assert_eq!(json["object"], "text_completion");
    assert_eq!(json["choices"][1]["text"], r#"Text("b")"#);
    assert_eq!(json["choices"][1]["logprobs"]["tokens"], json!(["T"]));
    assert_eq!(json["usage"]["prompt_tokens"], 6);
}

const RESPONSES: &str = "/v1/responses";

fn respond(address: SocketAddr, input: &str, more: &Value) -> Reply {
    let mut body = json!({ "model": "echo", "input": input });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    ask(address, "POST", RESPONSES, &body.to_string())
}

#[test]
fn responses_are_kept_and_gone_on_from() {
    let house = Arc::new(Stage::default());
    let address = serve(&house);
    let whole = respond(address, "Oh my", &json!({ "instructions": "Be", "user": "u" }));
    assert_eq!((whole.status, whole.header("x-hearth-ignored")), (200, Some("user")));
    assert_eq!(whole.header("x-hearth-fingerprint"), Some("fp-echo"));
    let first = whole.json();
    let path = |id: &Value| format!("{RESPONSES}/{}", id.as_str().unwrap());
    assert_eq!(ask(address, "GET", &path(&first["id"]), "").json(), first);
    // Instructions are not inherited, and what was said is.
    let after = json!({ "previous_response_id": first["id"], "stream": true });
    let stream = respond(address, "hat", &after);
    assert_eq!(stream.header("x-hearth-fingerprint"), Some("fp-echo"));
    let last = stream.body.trim_end().rsplit("data: ").next().unwrap();
    let second = last.parse::<Value>().unwrap()["response"].clone();
    assert_eq!(second["previous_response_id"], first["id"]);
    let reference = json!([{ "type": "item_reference", "id": first["output"][0]["id"] },
        { "role": "user", "content": "why" }]);
    let third = respond(
        address,
        "",
        &json!({ "previous_response_id": second["id"],
        "input": reference, "store": false }),
    );
    assert_eq!(ask(address, "GET", &path(&third.json()["id"]), "").status, 404);
    let messages = |at: usize| match &*house.turns.lock().unwrap()[at].prompt {
        Prompt::Chat(chat) => {
            let all = chat.messages.iter().map(|message| message["content"].as_str().unwrap());
            all.collect::<Vec<_>>().join("|")
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(messages(1), "Oh my|Be|hat");
    assert_eq!(messages(2), "Oh my|Be|hat|Oh my|Be|why");
    let listed = ask(address, "GET", &(path(&second["id"]) + "/input_items?limit=5"), "").json();
    assert_eq!(listed["data"][0]["content"][0], json!({ "type": "input_text", "text": "hat" }));
    assert_eq!((&listed["has_more"], &listed["last_id"]), (&json!(false), &listed["first_id"]));
    let cancelled = ask(address, "POST", &(path(&second["id"]) + "/cancel"), "");
    assert!(cancelled.status == 400 && cancelled.body.contains("background"));
    let deleted = ask(address, "DELETE", &path(&first["id"]), "").json();
    assert_eq!((&deleted["deleted"], &deleted["id"]), (&json!(true), &first["id"]));
    // What followed it cannot go on either.
    let lost = respond(address, "so", &json!({ "previous_response_id": second["id"] }));
    assert_eq!(
        (lost.status, &lost.json()["error"]["param"]),
        (404, &json!("previous_response_id"))
    );
    assert!(lost.body.contains(first["id"].as_str().unwrap()));
}

#[test]
fn input_is_counted_as_it_would_be_read() {
    let address = serve(&Arc::new(Stage::default()));
    let count = |more: &Value| {
        let mut body = json!({ "model": "echo", "input": "a" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let reply = ask(address, "POST", "/v1/responses/input_tokens", &body.to_string()).json();
        assert_eq!(reply["object"], "response.input_tokens");
        reply["input_tokens"].as_u64().unwrap()
    };
    assert!(count(&json!({})) < count(&json!({ "instructions": "Be" })));
    assert!(count(&json!({})) < count(&json!({ "input": "a longer one" })));
}

#[test]
fn faults_of_responses() {
    let address = serve(&Arc::new(Stage::default()));
    for (model, status) in [("missing", 404), ("long", 400), ("full", 503), ("ours", 500)] {
        for stream in [false, true] {
            let reply = respond(address, "x", &json!({ "model": model, "stream": stream }));
            assert_eq!(reply.status, status, "{model}");
        }
    }
    let reply = respond(address, "x", &json!({ "model": "breaks", "stream": true }));
    let last = reply.body.trim_end().rsplit("\n\n").next().unwrap();
    assert!(last.starts_with("event: response.failed\n"), "{last}");
    assert_eq!(respond(address, "x", &json!({ "model": "breaks" })).status, 500);
}

#[test]
fn faults_before_the_first_event_are_statuses() {
    let address = serve(&Arc::new(Stage::default()));
    let cases = [
        ("missing", 404, json!("model_not_found")),
        ("long", 400, json!("context_length_exceeded")),
        ("later", 501, json!("not_implemented")),
        ("plain", 400, Value::Null),
        ("ours", 500, Value::Null),
        ("full", 503, json!("overloaded")),
        ("cancelled", 503, json!("overloaded")),
        ("late", 503, json!("overloaded")),
    ];
    for (model, status, code) in cases {
        for stream in [false, true] {
            let reply = ask(address, "POST", CHAT, &chat(model, &json!({ "stream": stream })));
            assert_eq!(reply.status, status, "{model}");
            assert_eq!(reply.json()["error"]["code"], code, "{model}");
            assert_eq!(reply.header("retry-after").is_some(), status == 503, "{model}");
            assert!(reply.header("x-request-id").unwrap().starts_with("req_"));
        }
    }
    // What one copy has said is not thrown away because there was no time for the other.
    let reply = ask(address, "POST", CHAT, &chat("late", &json!({ "n": 2, "seed": 7 })));
    let choices = reply.json()["choices"].clone();
    let ends = [&choices[0]["finish_reason"], &choices[1]["finish_reason"]];
    assert_eq!((reply.status, ends), (200, [&json!("stop"), &json!("length")]));
    let reply = ask(address, "POST", CHAT, &chat("echo", &json!({ "temprature": 1 })));
    assert_eq!((reply.status, &reply.json()["error"]["param"]), (400, &json!("temprature")));
    let reply = ask(address, "POST", CHAT, &"x".repeat(2 << 20));
    assert_eq!((reply.status, &reply.json()["error"]["param"]), (413, &Value::Null));
}

/// One that takes nothing has a list of arguments all the same, for templates that go through it.
#[test]
fn a_tool_without_parameters_takes_none() {
    let house = Arc::new(Stage::default());
    let address = serve(&house);
    for parameters in [json!({}), json!({ "parameters": null })] {
        let mut function = json!({ "name": "now", "description": "The time." });
        function.as_object_mut().unwrap().extend(parameters.as_object().unwrap().clone());
        let tools = json!({ "tools": [{ "type": "function", "function": function }] });
        assert_eq!(ask(address, "POST", CHAT, &chat("echo", &tools)).status, 200);
        let turn = house.turns.lock().unwrap().pop().unwrap();
        let Prompt::Chat(asked) = &*turn.prompt else { panic!() };
        let shown = &asked.tools[0]["function"]["parameters"];
        assert_eq!(*shown, json!({ "type": "object", "properties": {} }));
    }
}

#[test]
fn variables_that_no_template_reads_are_named() {
    let address = serve(&Arc::new(Stage::default()));
    for (more, ignored) in [
        (json!({ "reasoning_effort": "low" }), Some("reasoning_effort")),
        (json!({ "reasoning_effort": "none" }), None),
        (json!({ "chat_template_kwargs": { "größe": 1, "enable_thinking": true } }), Some("gr??e")),
    ] {
        let reply = ask(address, "POST", CHAT, &chat("echo", &more));
        assert_eq!((reply.status, reply.header("x-hearth-ignored")), (200, ignored), "{more}");
    }
}

#[test]
fn requests_and_turns_are_counted() {
    let address = serve(&Arc::new(Stage::default()));
    for (model, path) in [("echo", CHAT), ("echo", CHAT), ("missing", CHAT), ("echo", "/nowhere")] {
        ask(address, "POST", path, &chat(model, &json!({})));
    }
    let page = ask(address, "GET", "/metrics", "").body;
    let chat =
        |status| format!(r#"{{method="POST",route="/v1/chat/completions",status="{status}"}}"#);
    for line in [
        format!("hearth_http_requests_total{} 2", chat(200)),
        format!("hearth_http_requests_total{} 1", chat(404)),
        r#"hearth_http_requests_total{method="other",route="none",status="404"} 1"#.to_owned(),
        r#"vllm:generation_tokens_total{model_name="echo"} 4"#.to_owned(),
        r#"vllm:request_success_total{finished_reason="stop",model_name="echo"} 2"#.to_owned(),
    ] {
        assert!(page.lines().any(|it| it == line), "no {line} in\n{page}");
    }
    assert!(!page.contains("missing"), "models that are not there have no counts");
}

#[test]
fn faults_in_a_stream_are_events_without_done() {
    let address = serve(&Arc::new(Stage::default()));
    for model in ["breaks", "vanishes"] {
        let reply = ask(address, "POST", CHAT, &chat(model, &json!({ "stream": true })));
        assert_eq!(reply.status, 200);
        let last = reply.body.trim_end().rsplit("\n\n").next().unwrap();
        assert!(last.starts_with(r#"data: {"error":{"message":"#), "{last}");
        assert!(!reply.body.contains("[DONE]"));
        assert_eq!(ask(address, "POST", CHAT, &chat(model, &json!({}))).status, 500);
    }
}

#[test]
fn a_silent_stream_is_kept_alive() {
    let address = serve(&Arc::new(Stage::default()));
    // A prompt that is being read is a silence, too.
    for model in ["slow", "reads"] {
        let reply = ask(address, "POST", CHAT, &chat(model, &json!({ "stream": true })));
        assert!(reply.body.starts_with(": "), "{model}: {}", reply.body);
        assert!(reply.body.ends_with("data: [DONE]\n\n"));
    }
}

/// Why an endless turn ended that was asked with this body, after a client did this.
fn ended(body: &str, client: impl FnOnce(TcpStream)) -> &'static str {
    let (sender, receiver) = mpsc::channel();
    let house = Arc::new(Stage { ended: Mutex::new(Some(sender)), ..Stage::default() });
    let address = serve(&house);
    let mut socket = TcpStream::connect(address).unwrap();
    socket.write_all(request("POST", CHAT, body).as_bytes()).unwrap();
    let begun = Instant::now();
    while house.turns.lock().unwrap().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the turn does not begin");
        thread::sleep(Duration::from_millis(5));
    }
    client(socket);
    receiver.recv_timeout(Duration::from_secs(60)).expect("the turn ends")
}

#[test]
fn a_client_that_hangs_up_ends_its_turn() {
    let reason = ended(&chat("endless", &json!({ "stream": true })), |socket| {
        let mut line = String::new();
        BufReader::new(socket).read_line(&mut line).unwrap();
        assert_eq!(line, "HTTP/1.1 200 OK\r\n");
    });
    assert!(["gone", "break"].contains(&reason));
    // Nobody has read anything yet, and the reply would come as a whole.
    let reason = ended(&chat("endless", &json!({})), drop);
    assert!(["gone", "break"].contains(&reason));
}

#[test]
fn a_client_that_does_not_read_loses_its_turn() {
    let mut kept = None;
    let reason = ended(&chat("endless", &json!({ "stream": true })), |socket| kept = Some(socket));
    assert_eq!(reason, "break");
    let mut rest = Vec::new();
    kept.unwrap().read_to_end(&mut rest).unwrap();
    let rest = String::from_utf8_lossy(&rest);
    assert!(rest.contains("not read as fast as it was written") && !rest.contains("[DONE]"));
}

#[test]
fn models_and_places_without_a_route() {
    let address = serve(&Arc::new(Stage::default()));
    let list = ask(address, "GET", "/v1/models", "").json();
    assert_eq!((&list["object"], &list["data"][0]["id"]), (&json!("list"), &json!("echo")));
    for path in ["/v1/models/org/name:tag", "/v1/models/org%2Fname:tag"] {
        assert_eq!(ask(address, "GET", path, "").json()["id"], "org/name:tag");
    }
    let absent = ask(address, "GET", "/v1/models/absent", "");
    assert_eq!((absent.status, &absent.json()["error"]["code"]), (404, &json!("model_not_found")));
    assert_eq!(ask(address, "GET", "/v1/models/%ff", "").json()["error"]["param"], "model");
    assert_eq!(ask(address, "GET", "/v1/models/echo:latest", "").json()["id"], "echo");
    let head = ask(address, "HEAD", "/v1/models", "");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(ask(address, "GET", "/health", "").status, 200);
    assert_eq!(ask(address, "GET", "/ready", "").status, 503);
    for (method, path, status) in [("POST", "/v1/nothing", 404), ("GET", CHAT, 405)] {
        let reply = ask(address, method, path, "");
        assert_eq!(reply.status, status);
        assert!(reply.json()["error"]["message"].is_string());
    }
}

#[test]
fn texts_become_vectors() {
    let address = serve(&Arc::new(Stage::default()));
    let embed = |model: &str, more: &Value| {
        let mut body = json!({ "model": model, "input": ["a", "bc"] });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ask(address, "POST", "/v1/embeddings", &body.to_string())
    };
    let reply = embed("echo", &json!({ "user": "u", "dimensions": 2 }));
    assert_eq!((reply.status, reply.header("x-hearth-ignored")), (200, Some("user")));
    assert!(reply.body.contains(r#""index":1,"embedding":[0.1,-10.0]}"#), "{}", reply.body);
    assert_eq!(reply.json()["usage"]["total_tokens"], 19);
    let cut = embed("echo", &json!({ "dimensions": 1 }));
    assert_eq!((cut.status, &cut.json()["error"]["param"]), (400, &json!("dimensions")));
    let long = embed("long", &json!({}));
    assert_eq!(
        (long.status, &long.json()["error"]["code"]),
        (400, &json!("context_length_exceeded"))
    );
}

#[test]
fn tokens_of_texts_and_back() {
    let address = serve(&Arc::new(Stage::default()));
    let ask = |path: &str, body: &Value| ask(address, "POST", path, &body.to_string());
    let body = json!({ "model": "echo", "prompt": "ab", "return_token_strs": true });
    let reply = ask("/tokenize", &body).json();
    let strs = json!(["", "a", "b"]);
    let want =
        json!({ "tokens": [1, 97, 98], "count": 3, "max_model_len": 64, "token_strs": strs });
    assert_eq!(reply, want);
    let back = ask("/detokenize", &json!({ "model": "echo", "tokens": [97, 98] })).json();
    assert_eq!(back, json!({ "prompt": "ab", "content": "ab" }));
    let unknown = ask("/detokenize", &json!({ "model": "echo", "tokens": [97, 7] }));
    assert_eq!((unknown.status, &unknown.json()["error"]["param"]), (400, &json!("tokens")));
    // There are two models, so one must be named, and be there.
    let nameless = ask("/tokenize", &json!({ "prompt": "ab" }));
    assert_eq!((nameless.status, &nameless.json()["error"]["param"]), (400, &json!("model")));
    assert_eq!(ask("/tokenize", &json!({ "model": "x", "prompt": "ab" })).status, 404);
}

#[test]
fn gaps_are_filled() {
    let address = serve(&Arc::new(Stage::default()));
    let gap = |stream: bool| json!({ "input_prefix": "a", "input_suffix": "b", "stream": stream });
    let body = |stream: bool| {
        let mut body = gap(stream);
        body["model"] = "echo".into();
        body
    };
    let whole = ask(address, "POST", "/infill", &body(false).to_string()).json();
    let text = r#"Gap { before: "a", after: "b" }"#;
    assert_eq!((&whole["content"], &whole["stop_type"]), (&json!(text), &json!("eos")));
    assert_eq!((&whole["tokens_predicted"], &whole["stop"]), (&json!(2), &json!(true)));
    let stream = ask(address, "POST", "/infill", &body(true).to_string()).body;
    let pieces = stream.split_terminator("\n\n").map(|piece| piece.strip_prefix("data: ").unwrap());
    let pieces: Vec<Value> = pieces.map(|piece| piece.parse().unwrap()).collect();
    let said: String = pieces.iter().map(|piece| piece["content"].as_str().unwrap()).collect();
    assert_eq!((said.as_str(), &pieces.last().unwrap()["stop"]), (text, &json!(true)));
}

#[test]
fn what_comes_later_says_so() {
    let address = serve(&Arc::new(Stage::default()));
    let reply = ask(address, "POST", "/v1/rerank", "anything");
    assert_eq!((reply.status, &reply.json()["error"]["code"]), (501, &json!("not_implemented")));
}

#[test]
fn every_route_is_reached_by_its_method() {
    let address = serve(&Arc::new(Stage::default()));
    for route in api::routes() {
        let path = route.path.replace("{*id}", "echo").replace("{id}", "resp_x");
        let path = path.replace("{digest}", "sha256:0");
        let reply = ask(address, route.method.as_str(), &path, "{}");
        // What is missing is the response, not the route.
        let is_reached = reply.status != 404 || reply.body.contains("is not kept here");
        assert!(is_reached && reply.status != 405, "{} {path}: {}", route.method, reply.status);
    }
}

#[test]
fn a_server_that_stops_ends_its_replies_first() {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let house = Arc::new(Stage::default());
    let (address, server) = serve_until(&house, async { _ = stopped.await });
    let client = thread::spawn(move || {
        ask(address, "POST", CHAT, &chat("slow", &json!({ "stream": true }))).body
    });
    while house.turns.lock().unwrap().is_empty() {
        thread::sleep(Duration::from_millis(5));
    }
    stop.send(()).unwrap();
    assert!(client.join().unwrap().ends_with("data: [DONE]\n\n"));
    server.join().unwrap();
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_second_one_at_the_same_address_hears_who_is_there() {
    let address = serve(&Arc::new(Stage::default()));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let refused = runtime.block_on(Door::open(address)).err().unwrap();
    assert!(refused.to_string().contains("another hearth"), "{refused}");
    // Who says nothing is no hearth.
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = runtime.block_on(Door::open(other.local_addr().unwrap())).err().unwrap();
    assert!(refused.to_string().contains("another program"), "{refused}");
}

/// Another name in Host, or a page of another site: a browser that was led astray.
#[test]
fn heads_have_limits() {
    let address = serve(&Arc::new(Stage::default()));
    let lines = (0..200).map(|i| format!("x-{i}: y\r\n")).collect::<String>();
    for head in [format!("x: {}\r\n", "y".repeat(100_000)), lines] {
        let mut socket = TcpStream::connect(address).unwrap();
        write!(socket, "GET /health HTTP/1.1\r\nhost: localhost\r\n{head}\r\n").unwrap();
        let mut answer = String::new();
        BufReader::new(socket).read_line(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
}

#[test]
fn foreign_pages_are_refused() {
    let address = serve(&Arc::new(Stage::default()));
    let ask = |method: &str, headers: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "{method} /v1/models HTTP/1.1\r\nconnection: close\r\n{headers}\r\n")
            .unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        said.to_lowercase()
    };
    assert!(ask("GET", "host: evil.example\r\n").starts_with("http/1.1 403"));
    for origin in ["https://evil.example", "null"] {
        let said = ask("GET", &format!("host: localhost\r\norigin: {origin}\r\n"));
        assert!(said.starts_with("http/1.1 403") && !said.contains("allow-origin"), "{said}");
    }
    let page = "host: localhost\r\norigin: http://localhost:3000\r\n";
    let said = ask("GET", page);
    assert!(said.starts_with("http/1.1 200"), "{said}");
    assert!(said.contains("access-control-allow-origin: http://localhost:3000"), "{said}");
    let wish = "access-control-request-method: POST\r\naccess-control-request-headers: x-a\r\n";
    let said = ask("OPTIONS", &format!("{page}{wish}"));
    assert!(said.starts_with("http/1.1 204") && said.contains("allow-headers: x-a"), "{said}");
}
