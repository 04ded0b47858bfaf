//! Settings from a file, from variables and from flags, to a server that keeps to them.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use testkit::golden;

use crate::serve::Server;
use crate::{Folder, expect, hearth, text};

fn hearth_in(home: &Folder) -> Command {
    let mut command = hearth();
    command.env("HEARTH_HOME", &home.0);
    command
}

/// What `hearth config` says of a key: its value and where it comes from.
fn setting(command: &mut Command, key: &str) -> (Value, String) {
    let output = expect(command.arg("--json"), 0);
    let settings: Value = text(&output.stdout).parse().unwrap();
    let all = settings.as_array().unwrap();
    let setting = all.iter().find(|setting| setting["key"] == key).unwrap();
    let place = setting["place"].as_str().unwrap_or("nowhere");
    (setting["value"].clone(), format!("{} {place}", setting["from"].as_str().unwrap()))
}

#[test]
fn a_flag_counts_more_than_a_variable_more_than_the_file_more_than_the_default() {
    let home = Folder::new("config-order");
    let config = || {
        let mut command = hearth_in(&home);
        command.arg("config");
        command
    };
    let port = |command: &mut Command| setting(command, "port");
    assert_eq!(port(&mut config()), (json!(11435), "default nowhere".to_owned()));
    let file = home.path("hearth.toml");
    fs::write(&file, "# mine\nport = 1\nname = ['lab', 'den']\n").unwrap();
    assert_eq!(port(&mut config()), (json!(1), format!("file {}:2", file.display())));
    let variable = ("HEARTH_PORT", "2");
    let of_variable = port(config().env(variable.0, variable.1));
    assert_eq!(of_variable, (json!(2), "variable HEARTH_PORT".to_owned()));
    let of_flag = port(config().env(variable.0, variable.1).args(["--port", "3"]));
    assert_eq!(of_flag, (json!(3), "flag --port".to_owned()));
    let of_nothing = port(config().env(variable.0, "").env("HEARTH_KV", ""));
    assert_eq!(of_nothing, (json!(1), format!("file {}:2", file.display())));
    let names = setting(config().env("HEARTH_NAME", "a,b"), "name");
    assert_eq!(names, (json!(["a", "b"]), "variable HEARTH_NAME".to_owned()));
    assert_eq!(setting(&mut config(), "name").0, json!(["lab", "den"]));
    let shown = text(&expect(&mut config(), 0).stdout);
    assert!(shown.contains("lab, den") && shown.contains("hearth.toml:3"), "{shown}");
    let other = home.path("other.toml");
    fs::write(&other, "port = 4").unwrap();
    assert_eq!(port(config().arg("--config").arg(&other)).0, json!(4));
    assert_eq!(port(config().env("HEARTH_CONFIG", &other)).0, json!(4));
}

#[test]
fn a_wrong_value_is_told_as_that_of_its_variable() {
    let home = Folder::new("config-variable");
    let told = |command: &mut Command| text(&expect(command, 2).stderr);
    for (variable, value) in
        [("HEARTH_PORT", "abc"), ("HEARTH_OFFLINE", "maybe"), ("HEARTH_PARALLEL", "0")]
    {
        let words: &[&str] = if variable == "HEARTH_OFFLINE" { &["pull", "x"] } else { &["serve"] };
        let said = told(hearth_in(&home).args(words).env(variable, value));
        let ending = format!("the value is that of the variable {variable}\n");
        assert!(said.contains(value) && said.ends_with(&ending), "{said}");
    }
    let words = ["serve", "--port", "x"];
    let said = told(hearth_in(&home).args(words).env("HEARTH_PORT", "abc"));
    assert!(!said.contains("variable"), "{said}");
}

#[test]
fn what_is_explained_is_a_file_of_the_defaults() {
    let home = Folder::new("config-explained");
    let explained = text(&expect(hearth_in(&home).args(["config", "--explain"]), 0).stdout);
    fs::write(home.path("hearth.toml"), &explained).unwrap();
    let listed = |home: &Folder| -> Vec<Value> {
        let said = expect(hearth_in(home).args(["config", "--json"]), 0).stdout;
        serde_json::from_slice(&said).unwrap()
    };
    let defaults = listed(&home);
    assert!(defaults.iter().all(|setting| setting["from"] == "default"));
    // What stands behind a # without a space counts as soon as that is gone.
    let is_value = |line: &str| line.starts_with('#') && !line.starts_with("# ") && line.len() > 1;
    let stated = |line: &str| match is_value(line) && !line.contains('<') {
        true => line[1..].to_owned() + "\n",
        false => line.to_owned() + "\n",
    };
    let all: String = explained.lines().map(stated).collect();
    fs::write(home.path("hearth.toml"), &all).unwrap();
    let mut from_file = 0;
    for (before, after) in defaults.iter().zip(&listed(&home)) {
        if before["key"] != "models" {
            assert_eq!(before["value"], after["value"], "{after}");
        }
        from_file += usize::from(after["from"] == "file");
    }
    let stated = all.lines().filter(|line| line.contains(" = ") && !line.starts_with('#'));
    // An empty list states nothing that could be told from the default.
    assert_eq!(from_file, stated.count(), "{all}");
}

#[test]
fn a_server_keeps_to_its_file() {
    let home = Folder::new("config-serve");
    let path = golden("models/qwen3");
    let parent = home.0.canonicalize().unwrap();
    let up: String = parent.components().skip(1).map(|_| "../").collect();
    let relative = up + path.canonicalize().unwrap().strip_prefix("/").unwrap().to_str().unwrap();
    let models = format!(
        "parallel = 3\nanswer_tokens = 5\n[models]\nsecond = '{relative}'\nfirst = '{relative}'\n"
    );
    fs::write(home.path("hearth.toml"), models).unwrap();
    let mut command = hearth_in(&home);
    command.stderr(Stdio::null());
    let server = Server::without_models(command, &[]);
    for part in ["3 answers at once", "\"model\": \"second\"", "  first "] {
        assert!(server.greeting.contains(part), "no {part} in\n{}", server.greeting);
    }
    let (status, models) = server.ask_with("", ("GET", "/v1/models"), &Value::Null);
    assert!(status == 200 && models.contains("\"first\"") && models.contains("\"second\""));
    let hello = json!([{ "role": "user", "content": "Hi" }]);
    let asked = json!({ "model": "first", "messages": hello, "seed": 3 });
    let (status, said) = server.ask("POST", "/v1/chat/completions", &asked);
    assert!(status == 200 && said.contains("\"completion_tokens\":5"), "{said}");
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let home = Folder::new("config-wrong");
    fs::write(home.path("hearth.toml"), "port = 1\nprot = 2\n").unwrap();
    for command in ["serve", "config"] {
        let said = text(&expect(hearth_in(&home).arg(command), 4).stderr);
        for part in ["hearth.toml:2: ", "`prot`", "the nearest is `port`", "--explain"] {
            assert!(said.contains(part), "{said}");
        }
    }
    let missing = ["config", "--config", "/nowhere.toml"];
    let said = text(&expect(hearth_in(&home).args(missing), 4).stderr);
    assert!(said.contains("/nowhere.toml"), "{said}");
}
