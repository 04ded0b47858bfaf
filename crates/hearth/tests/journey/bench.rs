//! `hearth bench`: every number that it promises, for people and for programs.

use std::process::Command;

use serde_json::Value;
use testkit::golden;

use crate::{expect, hearth, text};

fn bench(flags: &[&str]) -> Command {
    let mut command = hearth();
    command.arg("bench").args(["--prompt", "8", "--generate", "2"]).args(flags);
    command.arg(golden("models/qwen3"));
    command
}

fn report(flags: &[&str]) -> Value {
    let output = expect(bench(flags).arg("--json"), 0);
    assert_eq!(text(&output.stderr), "", "no progress in a pipe");
    assert_eq!(text(&output.stdout).lines().count(), 1, "programs read one line");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn is_speed(value: &Value) -> bool {
    value.as_f64().is_some_and(|speed| speed.is_finite() && speed > 0.0)
}

#[test]
fn all_numbers_for_programs() {
    let flags = ["--streams", "1,3", "--contexts", "70,5", "--rounds", "2", "--threads", "2"];
    let report = report(&flags);
    for field in ["load_s", "prefill_tok_s", "decode_tok_s", "read_gb_s", "bandwidth_used"] {
        assert!(is_speed(&report[field]), "{field} in {report}");
    }
    for (list, names, fields) in [
        ("streams", ["1", "3"], &["decode_tok_s", "own_share"][..]),
        ("contexts", ["70", "5"], &["prefill_tok_s", "decode_tok_s"]),
    ] {
        let list = report[list].as_object().unwrap();
        assert!(list.keys().eq(&names), "in the order of the flag: {list:?}");
        for name in names {
            assert_eq!(list[name].as_object().unwrap().len(), fields.len());
            assert!(fields.iter().all(|field| is_speed(&list[name][field])), "{report}");
        }
    }
    assert!(report["weight_bytes"].as_u64().unwrap() > 100_000);
    assert_eq!(report["threads"], 2);
    assert_eq!(report["rounds"], 2);
    assert_eq!(report["isa"], kernels::Isa::best().name());
    assert_eq!(report["kv"], "f32");
    assert!(report["rss_bytes"].as_u64().unwrap() > 100_000);
    assert!(report["guesses"].as_object().unwrap().is_empty());
    assert_eq!(report.as_object().unwrap().len(), 14, "every field is looked at: {report}");
}

#[test]
fn what_guessing_brings() {
    let report = report(&["--guesses", "--rounds", "2"]);
    for what in ["repeating", "random"] {
        let speeds = report["guesses"][what].as_object().unwrap();
        for field in ["without_tok_s", "with_tok_s", "gain"] {
            assert!(is_speed(&speeds[field]), "{field} in {report}");
        }
        assert!(speeds["right"].as_u64() <= speeds["guesses"].as_u64(), "{report}");
    }
    let said = text(&expect(&mut bench(&["--guesses"]), 0).stdout);
    assert!(said.contains("repeats itself") && said.contains("does not"), "{said}");
}

#[test]
fn the_share_of_the_bandwidth_is_that_of_one_answer() {
    let report = report(&["--isa", "portable", "--threads", "1"]);
    let number = |field: &str| report[field].as_f64().unwrap();
    let used = number("decode_tok_s") * number("weight_bytes") / 1e9 / number("read_gb_s");
    assert!((used / number("bandwidth_used") - 1.0).abs() < 1e-9, "{report}");
    assert_eq!((&report["isa"], &report["threads"]), (&"portable".into(), &1.into()));
    assert!(report["contexts"].as_object().unwrap().is_empty());
}

#[test]
#[cfg(target_os = "linux")]
fn memory_in_use_is_the_models_and_not_that_of_the_measurement() {
    // The model is tiny; the memory that is read is a gibibyte, or a quarter of what is free.
    let used = report(&[])["rss_bytes"].as_u64().unwrap();
    assert!((1 << 20..256 << 20).contains(&used), "{used}");
}

#[test]
fn a_table_for_people() {
    let flags = ["--streams", "1,3", "--contexts", "70", "--rounds", "3", "--threads", "1"];
    let said = text(&expect(&mut bench(&flags), 0).stdout);
    for part in [
        "1 thread,",
        "medians of 3 rounds",
        "prompt of 8 ",
        "prompt of 70 ",
        "3 answers at once",
        "GB/s",
        " % of the reads",
    ] {
        assert!(said.contains(part), "no {part} in\n{said}");
    }
    assert!(!text(&expect(&mut bench(&[]), 0).stdout).contains("median"));
}

#[test]
#[cfg(target_os = "linux")]
fn ctrl_c_ends_it() {
    use std::time::{Duration, Instant};
    let mut child = bench(&["--rounds", "1000000"]).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let listens = || {
        let status = std::fs::read_to_string(&status).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(caught.trim(), 16).unwrap() & 2 != 0
    };
    let soon = Instant::now() + Duration::from_secs(60);
    let mut is_told = false;
    let code = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        if Instant::now() > soon {
            child.kill().unwrap();
        } else if !is_told && listens() {
            let kill = format!("kill -INT {}", child.id());
            is_told = Command::new("sh").args(["-c", &kill]).status().unwrap().success();
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    assert_eq!((is_told, code), (true, Some(130)));
}
