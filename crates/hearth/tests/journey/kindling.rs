//! The model inside the binary: there without a file, and like any other. What it says is not
//! judged here.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use testkit::golden;

use crate::serve::Server;
use crate::{Folder, expect, hearth, text};

const QUESTION: &str = "When does the office open?\n\nThe office opens at 8:30.";

/// Its file in the repository.
fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../kindling/kindling.gguf")
}

fn run() -> Command {
    let mut command = hearth();
    command.args(["run", "--max-tokens", "12"]);
    command
}

#[test]
fn it_is_asked_where_no_model_is_given_and_by_its_name() {
    let by_name = text(&expect(run().args(["kindling", QUESTION]), 0).stdout);
    let mut by_path = run();
    by_path.args(["--temperature", "0"]).arg(file()).arg(QUESTION);
    assert_eq!(text(&expect(&mut by_path, 0).stdout), by_name, "it is that very file");
    let mut alone = run();
    let piped = alone.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    child.stdin.take().unwrap().write_all(QUESTION.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output.stdout), by_name);
    assert_eq!(text(&output.stderr), "", "a pipe is told nothing else");
}

#[test]
fn hearth_alone_tells_of_it() {
    let said = text(&expect(&mut hearth(), 0).stdout);
    assert!(said.contains("kindling, a small model (") && said.contains("hearth run "), "{said}");
}

#[test]
fn a_question_alone_is_told_what_to_type() {
    let said = text(&expect(hearth().args(["run", "What is the capital of France?"]), 3).stderr);
    let parts = ["What is the capital", "no such model", "hearth run kindling", "hearth run MODEL"];
    for part in parts {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn what_lies_in_the_folder_does_not_take_its_name() {
    let folder = Folder::new("kindling");
    let other = folder.path("kindling");
    std::fs::create_dir(&other).unwrap();
    for name in ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"] {
        std::fs::copy(golden("models/qwen3").join(name), other.join(name)).unwrap();
    }
    let shown = |model: &str| {
        text(&expect(hearth().current_dir(&folder.0).args(["show", model]), 0).stdout)
    };
    assert!(shown("kindling").contains("GGUF version"), "{}", shown("kindling"));
    for path in ["./kindling", "kindling/"] {
        assert!(shown(path).contains("Hugging Face folder"), "{}", shown(path));
    }
}

#[test]
fn other_commands_take_it() {
    let folder = Folder::new("kindling-commands");
    let (ids, out) = (folder.path("ids.txt"), folder.path("out.safetensors"));
    std::fs::write(&ids, "5 6 7").unwrap();
    let mut logits = hearth();
    logits.args(["logits", "kindling", "--ids"]).arg(&ids).arg("--out").arg(&out);
    expect(&mut logits, 0);
    assert!(out.exists());
    let bench = ["bench", "kindling", "--prompt", "8", "--generate", "2", "--json"];
    let measured: Value = text(&expect(hearth().args(bench), 0).stdout).parse().unwrap();
    assert!(measured.is_object());
}

#[test]
fn a_server_without_models_serves_it_and_one_with_others_does_not() {
    let quiet = || {
        let mut command = hearth();
        command.stderr(Stdio::null());
        command
    };
    let server = Server::without_models(quiet(), &[]);
    assert!(server.greeting.contains("\n  kindling "), "{}", server.greeting);
    let models = |server: &Server| server.ask("GET", "/v1/models", &Value::Null).1;
    let listed: Value = models(&server).parse().unwrap();
    assert_eq!(listed["data"][0]["id"], "kindling");
    assert!(listed["data"][0]["created"].as_u64().unwrap() > 1_700_000_000);
    let body = json!({ "model": "kindling", "max_tokens": 8,
                       "messages": [{ "role": "user", "content": QUESTION }] });
    let (status, answer) = server.ask("POST", "/v1/chat/completions", &body);
    assert!(status == 200 && answer.contains("canon2-"), "quantised: {answer}");
    let (status, told) = server.ask("POST", "/api/show", &json!({ "model": "kindling" }));
    assert!(status == 200 && told.contains("Q8_0"), "{told}");
    for (kv, canon, other) in [("f16", "canon1-f16-", "canon2"), ("f32", "canon1-", "-f16-")] {
        let rounding = Server::without_models(quiet(), &["--kv", kv]);
        let (status, answer) = rounding.ask("POST", "/v1/chat/completions", &body);
        assert!(status == 200 && answer.contains(canon) && !answer.contains(other), "{answer}");
    }
    let others = Server::of(quiet(), &[]);
    assert!(!models(&others).contains("kindling"));
}
