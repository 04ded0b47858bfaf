//! `hearth run`: answers are repeatable, streamed, and end when they are told to.

use std::io::Write;
use std::process::{Command, Stdio};

use testkit::golden;

use crate::{altered, expect, hearth, text};

fn run(flags: &[&str]) -> Command {
    let mut command = hearth();
    command.arg("run").args(flags).arg(golden("models/qwen3"));
    command
}

fn answer(flags: &[&str]) -> String {
    text(&expect(run(flags).arg("Tell me something."), 0).stdout)
}

#[test]
fn the_same_seed_gives_the_same_text() {
    let flags = ["--max-tokens", "40", "--temperature", "1.5"];
    let with = |more: &[&str]| answer(&[&flags[..], more].concat());
    let base = with(&[]);
    assert!(base.len() > 20, "{base}");
    assert_eq!(base, with(&["--seed", "0"]));
    assert_eq!(base, with(&["--threads", "1"]));
    assert_eq!(base, with(&["--isa", "portable", "--chunk", "3"]));
    assert_ne!(base, with(&["--seed", "1"]));
    assert_ne!(base, with(&["--temperature=0"]));
}

#[test]
fn flags_may_stand_behind_the_prompt() {
    let flags = ["--max-tokens", "10", "--seed", "3"];
    let mut command = hearth();
    command.arg("run").arg(golden("models/qwen3")).args(["Tell", "me", "something."]).args(flags);
    assert_eq!(text(&expect(&mut command, 0).stdout), answer(&flags));
}

#[test]
fn a_pipe_may_bring_the_prompt() {
    let flags = ["--max-tokens", "10"];
    let mut command = run(&flags);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"Tell me something.\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output.stdout), answer(&flags), "the line's end is no part of the prompt");
    assert_eq!(text(&output.stderr), "", "no progress and no chatter in a pipe");
}

#[test]
fn a_pipe_with_nothing_in_it_adds_nothing() {
    let flags = ["--max-tokens", "10"];
    let mut command = run(&flags);
    let piped = command.arg("Tell me something.").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    assert_eq!(text(&child.wait_with_output().unwrap().stdout), answer(&flags));
}

#[test]
fn a_stop_text_ends_the_answer_before_it() {
    let flags = ["--max-tokens", "60", "--temperature", "0"];
    let whole = answer(&flags);
    let whole = whole.trim_end_matches('\n');
    // A text from the middle of the answer, longer than a token of this vocabulary.
    let middle: String = whole.chars().skip(12).take(4).collect();
    let stopped = answer(&[&flags[..], &["--stop", &middle]].concat());
    assert_eq!(stopped.trim_end_matches('\n'), &whole[..whole.find(&middle).unwrap()]);
}

#[test]
fn speeds_are_shown_on_request() {
    let output = expect(run(&["--max-tokens", "5", "--verbose"]).arg("Hello"), 0);
    let said = text(&output.stderr);
    assert!(said.contains("answer  5 tokens") && said.contains("tokens/s"), "{said}");
}

#[test]
fn raw_prompts_are_continued() {
    let flags = ["--max-tokens", "8", "--temperature", "0"];
    let raw = answer(&[&flags[..], &["--raw"]].concat());
    assert_ne!(raw, answer(&flags), "the template makes a difference");
    // A model without a template is continued as it is, and says so.
    let without = altered("raw", "tokenizer_config.json", "chat_template", "nothing");
    let mut command = hearth();
    command.arg("run").args(flags).arg(&without.0).arg("Tell me something.");
    let output = expect(&mut command, 0);
    assert_eq!(text(&output.stdout), raw, "the same weights and the same tokens");
    assert!(text(&output.stderr).contains("no chat template"));
}

#[test]
fn a_template_that_is_broken_does_not_matter_to_raw_prompts() {
    let broken = altered("broken-template", "tokenizer_config.json", "{%- for", "{%- fore");
    let flags = ["--max-tokens", "8", "--temperature", "0"];
    let ask = |more: &[&str], code| {
        let mut command = hearth();
        command.arg("run").args(flags).args(more).arg(&broken.0).arg("Tell me something.");
        expect(&mut command, code)
    };
    assert!(text(&ask(&[], 3).stderr).contains("--raw"));
    assert_eq!(text(&ask(&["--raw"], 0).stdout), answer(&[&flags[..], &["--raw"]].concat()));
}

#[test]
fn what_a_model_recommends_counts_where_no_flag_does() {
    let daring = altered("daring", "config.json", "Qwen3ForCausalLM", "Qwen3ForCausalLM");
    let ask = |flags: &[&str]| {
        let mut command = hearth();
        command.args(["run", "--max-tokens", "40"]).args(flags).arg(&daring.0);
        text(&expect(command.arg("Tell me something."), 0).stdout)
    };
    let recommend = |config: &str| {
        std::fs::write(daring.path("generation_config.json"), config).unwrap();
    };
    recommend(r#"{ "do_sample": false }"#);
    let greedy = ask(&[]);
    assert_eq!(greedy, ask(&["--temperature", "0"]));
    recommend(r#"{ "temperature": 1.5, "top_p": 1.0, "top_k": 40 }"#);
    let recommended = ask(&[]);
    assert_ne!(recommended, greedy);
    let stated = ["--temperature=1.5", "--top-p=1", "--top-k=40"];
    assert_eq!(recommended, ask(&stated));
    assert_eq!(greedy, ask(&["--temperature", "0"]));
    recommend(r#"{ "temperature": 1e9 }"#);
    let mut command = hearth();
    let said = text(&expect(command.arg("run").arg(&daring.0).arg("Hello"), 4).stderr);
    assert!(said.contains("temperature"), "{said}");
}

#[test]
fn a_checkpoint_and_its_gguf_file_answer_alike() {
    let mut command = hearth();
    let flags = ["--max-tokens", "30", "--temperature", "0"];
    command.arg("run").args(flags).arg(golden("gguf/qwen3.gguf")).arg("Tell me something.");
    assert_eq!(text(&expect(&mut command, 0).stdout), answer(&flags));
}
