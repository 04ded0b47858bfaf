//! Ollama's dialect.

use super::*;

/// The lines of a stream.
fn lines(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.header("content-type"), Some("application/x-ndjson"));
    let lines = reply.body.strip_suffix('\n').unwrap().split('\n');
    lines.map(|line| line.parse().unwrap()).collect()
}

#[test]
fn ollamas_clients_are_answered() {
    let house = Arc::new(Stage::default());
    let address = serve(&house);
    let options = json!({ "stream": false, "options": { "num_ctx": 5, "seed": 4 } });
    let reply = ask(address, "POST", "/api/chat", &chat("echo", &options));
    assert_eq!(reply.header("x-hearth-ignored"), Some("options.num_ctx"));
    assert_eq!(reply.header("x-hearth-fingerprint"), Some("fp-echo"));
    assert_eq!(reply.json()["message"]["content"], "Oh my hat");
    assert_eq!(house.turns.lock().unwrap()[0].wishes.seed, Some(4));
    let stream = lines(&ask(address, "POST", "/api/chat", &chat("echo", &json!({}))));
    let said = stream.iter().map(|line| line["message"]["content"].as_str().unwrap());
    assert_eq!(said.collect::<String>(), "Oh my hat");
    assert_eq!(stream.iter().filter(|line| line["done"] == true).count(), 1);
    let generate = |model: &str| {
        let body = json!({ "model": model, "prompt": "p", "stream": false }).to_string();
        ask(address, "POST", "/api/generate", &body).json()["response"].clone()
    };
    assert_eq!((generate("echo"), generate("base")), (json!("p"), json!(r#"Text("p")"#)));
    // Nothing is said while nothing comes: every line would be a piece of the reply.
    assert_eq!(lines(&ask(address, "POST", "/api/chat", &chat("slow", &json!({})))).len(), 4);
    let broken = lines(&ask(address, "POST", "/api/chat", &chat("breaks", &json!({}))));
    assert_eq!(broken.last().unwrap(), &json!({ "error": "broken" }));
}

#[test]
fn ollamas_faults_are_texts() {
    let address = serve(&Arc::new(Stage::default()));
    let cases = [
        ("POST", "/api/chat", chat("missing", &json!({})), 404),
        ("POST", "/api/chat", chat("long", &json!({})), 400),
        ("POST", "/api/chat", chat("full", &json!({})), 503),
        ("POST", "/api/chat", chat("echo", &json!({ "think": true })), 400),
        ("POST", "/api/generate", json!({ "model": "missing", "prompt": "x" }).to_string(), 404),
        ("POST", "/api/show", json!({ "model": "absent" }).to_string(), 404),
        ("POST", "/api/show", json!({ "model": "echo", "verbose": true }).to_string(), 400),
        ("POST", "/api/embed", json!({ "model": "absent", "input": "x" }).to_string(), 404),
        (
            "POST",
            "/api/embed",
            json!({ "model": "echo", "input": "x", "dimensions": 5 }).to_string(),
            400,
        ),
        ("POST", "/api/copy", json!({ "source": "absent", "destination": "x" }).to_string(), 404),
        ("POST", "/api/copy", json!({ "source": "echo", "destination": "x" }).to_string(), 501),
        ("DELETE", "/api/delete", json!({ "model": "absent" }).to_string(), 404),
        ("DELETE", "/api/delete", json!({ "name": "echo" }).to_string(), 501),
        ("POST", "/api/create", json!({ "model": "x", "from": "absent" }).to_string(), 404),
        ("POST", "/api/create", json!({ "model": "x", "from": "echo" }).to_string(), 501),
        ("POST", "/api/pull", json!({ "model": "absent" }).to_string(), 404),
        ("GET", "/api/nothing", String::new(), 404),
        ("GET", "/api/chat", String::new(), 405),
    ];
    for (method, path, body, status) in cases {
        let reply = ask(address, method, path, &body);
        assert_eq!(reply.status, status, "{path} {body}");
        assert!(reply.json()["error"].is_string(), "{path} {body}: {}", reply.body);
    }
}

#[test]
fn ollamas_clients_see_the_models() {
    let address = serve(&Arc::new(Stage::default()));
    let get = |path: &str| ask(address, "GET", path, "").json();
    assert_eq!(ask(address, "GET", "/", "").body, "Ollama is running");
    for path in ["/", "/api/version", "/api/tags"] {
        let head = ask(address, "HEAD", path, "");
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
    }
    let first = &get("/api/tags")["models"][0];
    assert_eq!((&first["name"], &first["model"]), (&json!("echo:latest"), &json!("echo:latest")));
    assert_eq!((&first["size"], &first["details"]["family"]), (&json!(7), &json!("qwen3")));
    assert_eq!(first["modified_at"], "1970-01-01T00:00:05+00:00");
    let loaded = &get("/api/ps")["models"][0];
    assert_eq!((&loaded["size"], &loaded["context_length"]), (&json!(9), &json!(64)));
    for name in ["echo", "echo:latest"] {
        let shown = ask(address, "POST", "/api/show", &json!({ "name": name }).to_string()).json();
        assert_eq!(shown["model_info"]["qwen3.context_length"], 64);
        assert_eq!(shown["capabilities"], json!(["completion"]));
        assert!(shown["parameters"].as_str().unwrap().starts_with("num_ctx 64\n"));
    }
    let pulled = ask(address, "POST", "/api/pull", &json!({ "model": "echo" }).to_string());
    assert_eq!(lines(&pulled), [json!({ "status": "success" })]);
}

/// It writes every field that it knows, empty or not.
#[test]
fn ollamas_own_program_is_understood() {
    let address = serve(&Arc::new(Stage::default()));
    let ask = |path: &str, body: Value| ask(address, "POST", path, &body.to_string());
    let show = json!({ "model": "", "system": "", "template": "", "verbose": false,
                       "options": null, "name": "echo" });
    assert_eq!(ask("/api/show", show.clone()).json()["model_info"]["qwen3.context_length"], 64);
    let pull = json!({ "model": "", "username": "", "password": "", "name": "echo" });
    assert_eq!(lines(&ask("/api/pull", pull)), [json!({ "status": "success" })]);
    for (field, value) in [("system", "Be brief."), ("name", "")] {
        let mut body = show.clone();
        body[field] = value.into();
        let refused = ask("/api/show", body);
        assert_eq!(refused.status, 400, "{field}");
    }
}

#[test]
fn ollamas_clients_load_unload_and_embed() {
    let house = Arc::new(Stage::default());
    let address = serve(&house);
    let ask = |path: &str, body: Value| ask(address, "POST", path, &body.to_string());
    let loaded = ask("/api/generate", json!({ "model": "echo", "stream": false })).json();
    assert_eq!((&loaded["done_reason"], &loaded["response"]), (&json!("load"), &json!("")));
    let gone = ask("/api/chat", json!({ "model": "echo:latest", "keep_alive": 0 }));
    let line = &lines(&gone)[0];
    assert_eq!((&line["done"], &line["done_reason"]), (&json!(true), &json!("unload")));
    assert_eq!(line["message"], json!({ "role": "assistant", "content": "" }));
    assert_eq!(*house.moved.lock().unwrap(), ["load echo None", "unload echo"]);
    assert!(house.turns.lock().unwrap().is_empty());
    assert_eq!(ask("/api/chat", json!({ "model": "absent" })).status, 404);
    let embedded = ask("/api/embed", json!({ "model": "echo", "input": ["a", "bc"] })).json();
    assert_eq!(embedded["embeddings"].as_array().unwrap().len(), 2);
    assert!(embedded["prompt_eval_count"].as_u64() > Some(1));
    let old = ask("/api/embeddings", json!({ "model": "echo", "prompt": "a" })).json();
    assert_eq!(old["embedding"], embedded["embeddings"][0]);
}
