//! Wrong flags, missing and damaged files: one screen that names the file, the reason and the way
//! out, with the exit code that the documentation gives.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use testkit::golden;

use crate::{Folder, altered, expect, hearth, text};

/// What it says on standard error, which must be short, and without a backtrace.
fn complaint(command: &mut Command, code: i32) -> String {
    let output = expect(command, code);
    let said = text(&output.stderr);
    assert!(output.stdout.is_empty() && said.lines().count() <= 20, "{said}");
    assert!(!said.contains("panicked") && !said.contains("RUST_BACKTRACE"), "{said}");
    said
}

fn run(model: &Path) -> Command {
    let mut command = hearth();
    command.arg("run").arg(model).arg("hello");
    command
}

#[test]
fn a_missing_model() {
    let said = complaint(&mut run(Path::new("no/such/model.gguf")), 3);
    assert!(
        said.contains("no/such/model.gguf") && said.contains("there is no such model, file"),
        "{said}"
    );
}

#[test]
fn files_that_are_no_models() {
    let folder = Folder::new("no-models");
    for (name, bytes, reason) in [
        ("empty.gguf", &b""[..], "empty"),
        ("page.gguf", b"<!DOCTYPE html><html><body>Not found</body></html>", "web page"),
        ("short.gguf", b"GGUF\x03\0\0\0", "ends"),
    ] {
        let path = folder.path(name);
        std::fs::write(&path, bytes).unwrap();
        let said = complaint(&mut run(&path), 3);
        assert!(said.contains(name) && said.contains(reason), "{said}");
    }
    let said = complaint(&mut run(&folder.0), 3);
    assert!(said.contains("config.json"), "{said}");
}

#[test]
fn a_truncated_model() {
    let folder = Folder::new("truncated");
    let (bytes, path) = (std::fs::read(golden("gguf/qwen3.gguf")).unwrap(), folder.path("q.gguf"));
    for len in [40, 1000, 20_000, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..len]).unwrap();
        assert!(complaint(&mut run(&path), 3).contains("q.gguf"));
    }
}

#[test]
fn a_family_that_is_not_known() {
    let folder = altered("unknown-family", "config.json", "Qwen3ForCausalLM", "Nobody");
    let said = complaint(&mut run(&folder.0), 3);
    assert!(said.contains("Nobody") && said.contains("qwen3"), "{said}");
}

/// Gemma 3's smallest have a mark for pictures that their weights lack.
#[test]
fn a_tokenizer_of_another_model() {
    let folder = Folder::new("more-tokens");
    let from = golden("models/qwen3");
    for file in std::fs::read_dir(&from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), folder.path(file.file_name().to_str().unwrap())).unwrap();
    }
    let path = folder.path("tokenizer.json");
    let mut known: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let mut with = |id: u32, special: bool| {
        let token = json!({ "id": id, "content": format!("<extra {id}>"), "special": special });
        known["added_tokens"].as_array_mut().unwrap().push(token);
        std::fs::write(&path, known.to_string()).unwrap();
    };
    with(320, true);
    with(321, false);
    expect(run(&folder.path("")).args(["--max-tokens", "1"]), 0);
    known["model"]["vocab"]["more"] = 322.into();
    std::fs::write(&path, known.to_string()).unwrap();
    let said = complaint(&mut run(&folder.path("")), 3);
    assert!(said.contains("its tokenizer has 323 tokens, but its weights only 320"), "{said}");
}

#[test]
fn a_model_that_cannot_be_spoken_to_is_not_served() {
    let folder = altered("no-template", "tokenizer_config.json", "{%- for", "{%- fore");
    let mut command = hearth();
    command.args(["serve", "--port", "0"]).arg(&folder.0);
    assert!(complaint(&mut command, 3).contains("template"));
}

#[test]
fn what_a_file_says_cannot_steer_the_terminal_or_fill_it() {
    let wild = format!("\\u001b[2J\\u009b1m{}", "x".repeat(100_000));
    let folder = altered("wild", "config.json", "Qwen3ForCausalLM", &wild);
    let said = complaint(&mut run(&folder.0), 3);
    assert!(!said.contains(['\u{1b}', '\u{9b}']) && said.len() < 2000, "{}", said.len());
    let shown = text(&expect(hearth().args(["show", "--keys"]).arg(&folder.0), 0).stdout);
    assert!(shown.contains("[2J") && !shown.contains(['\u{1b}', '\u{9b}']));
}

#[test]
fn numbers_beyond_all_sizes() {
    let (most, model) = (usize::MAX.to_string(), golden("models/qwen3"));
    for flag in ["--prompt", "--generate", "--contexts"] {
        let mut command = hearth();
        command.arg("bench").arg(&model).args([flag, &most]);
        assert!(complaint(&mut command, 4).contains("do not fit"));
    }
    let folder = Folder::new("most");
    let mut command = hearth();
    command.arg("logits").arg(&model).args(["--greedy", &most]);
    command.arg("--ids").arg(golden("models/qwen3/expected.safetensors"));
    command.arg("--out").arg(folder.path("out.safetensors"));
    assert!(complaint(&mut command, 4).contains("do not fit"));
    let mut command = hearth();
    command.arg("bench").arg(&model).args(["--streams", "1,1000000000"]);
    assert!(complaint(&mut command, 2).contains("1000000000"));
}

#[test]
fn measurements_that_cannot_be_made() {
    let model = golden("models/qwen3");
    for (flag, value, code, reason) in [
        ("--contexts", "8,511", 4, "513 tokens do not fit in the context of 512"),
        ("--contexts", "8,9,8", 4, "--contexts has 8 twice"),
        ("--streams", "1,2,1", 4, "--streams has 1 twice"),
        ("--contexts", "8,0", 2, "--contexts"),
        ("--contexts", "", 2, "--contexts"),
        ("--streams", "0", 2, "--streams"),
        ("--rounds", "0", 2, "--rounds"),
        ("--generate", "0", 2, "--generate"),
        ("--threads", "0", 2, "--threads"),
    ] {
        let mut command = hearth();
        command.args(["bench", "--prompt", "8", "--generate", "2", flag, value]).arg(&model);
        let said = complaint(&mut command, code);
        assert!(said.contains(reason), "{flag} {value}: {said}");
    }
}

#[test]
fn settings_out_of_range() {
    let model = golden("models/qwen3");
    for (flag, value) in [("--temperature", "-1"), ("--top-p", "2"), ("--isa", "avx9000")] {
        let mut command = hearth();
        command.args(["run", &format!("{flag}={value}")]).arg(&model).arg("hello");
        let said = complaint(&mut command, 4);
        assert!(said.contains(value), "{said}");
    }
    let mut command = hearth();
    command.args(["run", "--threads", "many"]).arg(&model);
    assert!(complaint(&mut command, 2).contains("--threads"));
}

#[test]
fn a_prompt_that_does_not_fit() {
    let long = "word ".repeat(2000);
    let mut command = hearth();
    command.arg("run").arg(golden("models/qwen3")).arg(long);
    let said = complaint(&mut command, 4);
    assert!(said.contains("512") && said.contains("do not fit"), "{said}");
}

#[test]
fn an_output_that_cannot_be_written() {
    let ids = golden("models/qwen3/expected.safetensors");
    for out in ["/dev/full/x", "no/such/folder/x", "/proc/x"] {
        let mut command = hearth();
        command
            .arg("logits")
            .arg(golden("models/qwen3"))
            .arg("--ids")
            .arg(&ids)
            .args(["--out", out]);
        assert!(complaint(&mut command, 1).contains("cannot write"));
    }
}

#[test]
fn ids_that_are_none() {
    let folder = Folder::new("ids");
    let ids = folder.path("ids.txt");
    for (content, reason) in [("1 2 x", "`x`"), ("", "no token ids"), ("5000", "5000")] {
        std::fs::write(&ids, content).unwrap();
        let mut command = hearth();
        command.arg("logits").arg(golden("models/qwen3")).arg("--ids").arg(&ids);
        command.arg("--out").arg(folder.path("out.safetensors"));
        assert!(complaint(&mut command, 4).contains(reason));
        assert_eq!(
            std::fs::read_dir(&folder.0).unwrap().count(),
            1,
            "nothing half-written is left"
        );
    }
}

#[test]
fn outputs_that_are_full() {
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = run(Path::new("no/such/model.gguf"));
    assert_eq!(command.stderr(full()).status().unwrap().code(), Some(3), "as with a reader");
    let mut command = hearth();
    command.arg("show").arg(golden("models/qwen3")).stdout(full());
    assert!(complaint(&mut command, 1).contains("standard output"));
}

#[test]
fn a_reader_that_goes_away() {
    use std::io::Read;
    use std::process::Stdio;
    let mut command = hearth();
    command.args(["show", "--json"]).arg(golden("quant/dense.Q8_0.gguf"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}

#[test]
#[cfg(target_os = "linux")]
fn what_does_not_fit_is_refused_before_it_is_loaded() {
    // By `ulimit`: the address space or what the process has for itself, in KiB.
    let limited = |limit: &str, flags: &[&str]| {
        let (command, mut inside) = (hearth(), Command::new("sh"));
        inside.args(["-c", &format!("ulimit {limit}; exec \"$0\" \"$@\"")]);
        inside.arg(command.get_program()).args(flags).args(["--threads", "1"]);
        command.get_envs().for_each(|(name, value)| match value {
            Some(value) => _ = inside.env(name, value),
            None => _ = inside.env_remove(name),
        });
        inside.stdin(std::process::Stdio::null());
        inside
    };
    let model = golden("models/qwen3").display().to_string();
    let bench = |flags: &[&str]| limited("-v 700000", &[&["bench", &model], flags].concat());
    let said = text(&expect(&mut bench(&["--streams", "1024", "--generate", "400"]), 4).stderr);
    for part in ["needs 774 MiB of memory", "ulimit -v", "--context", "--no-fit-check"] {
        assert!(said.contains(part), "no {part} in\n{said}");
    }
    expect(&mut bench(&["--prompt", "8", "--generate", "2"]), 0);
    let commands: [&[&str]; 3] =
        [&["run", "kindling", "hello"], &["serve", "--port", "0"], &["ask", "Cargo.toml", "what"]];
    for command in commands {
        let said = text(&expect(&mut limited("-d 20000", command), 4).stderr);
        assert!(said.contains("kindling needs 3") && said.contains("`ulimit -v`"), "{said}");
    }
    let tried = ["run", "kindling", "hello", "--max-tokens", "1", "--no-fit-check"];
    expect(&mut limited("-d 20000", &tried), 0);
}
