//! `hearth` alone and `hearth show`.

use testkit::golden;

use crate::{altered, expect, hearth, text};

fn show(model: &str, flags: &[&str]) -> String {
    text(&expect(hearth().arg("show").arg(golden(model)).args(flags), 0).stdout)
}

#[test]
fn alone_it_says_what_to_type_next() {
    let said = text(&expect(&mut hearth(), 0).stdout);
    assert!(said.contains("hearth run MODEL") && said.contains("qwen3"), "{said}");
}

#[test]
fn a_summary_of_both_forms() {
    for model in ["gguf/qwen3.gguf", "models/qwen3"] {
        let said = show(model, &[]);
        for part in ["qwen3", "3 of width 64", "512 tokens", "320 tokens"] {
            assert!(said.contains(part), "{model}: no {part} in\n{said}");
        }
    }
    let said = show("quant/dense.Q4_K_M.gguf", &["--keys", "--tensors"]);
    for part in ["Q4_K ", "13 tensors", "qwen3.block_count = 2", "blk.1.ffn_down.weight"] {
        assert!(said.contains(part), "no {part} in\n{said}");
    }
}

#[test]
fn json_for_programs() {
    for model in ["gguf/qwen3.gguf", "models/qwen3"] {
        let report: serde_json::Value = serde_json::from_str(&show(model, &["--json"])).unwrap();
        assert!(report["tensors"].as_array().unwrap().len() > 30);
        assert!(report["parameters"].as_u64().unwrap() > 100_000);
    }
}

#[test]
fn the_chat_template() {
    assert!(show("models/qwen3", &["--template"]).contains("add_generation_prompt"));
    let without = altered("untemplated", "tokenizer_config.json", "chat_template", "nothing");
    expect(hearth().args(["show", "--template"]).arg(&without.0), 4);
}

#[test]
fn the_memory_that_a_model_takes_is_told_and_measured() {
    let models = std::fs::read_dir(golden("models")).unwrap().map(|entry| entry.unwrap().path());
    let mut models: Vec<_> = models.filter(|path| path.join("config.json").exists()).collect();
    let quantised = ["Q8_0", "Q4_K_M"].map(|kind| golden(&format!("quant/dense.{kind}.gguf")));
    models.extend(quantised);
    assert!(models.len() > 15, "{} models", models.len());
    for model in models {
        let flags = ["--measure", "--users", "64", "--json", "--threads", "2"];
        let said = text(&expect(hearth().arg("show").arg(&model).args(flags), 0).stdout);
        let report: serde_json::Value = serde_json::from_str(&said).unwrap();
        let off = report["difference_percent"].as_f64().unwrap();
        assert!(off.abs() < 3.0, "{}: {report:#}", model.display());
        assert_eq!((report["users"].as_u64(), report["context"].as_u64()), (Some(64), Some(512)));
    }
    let told = show("models/qwen3", &["--context", "100"]);
    assert!(told.contains("for one conversation of 100 tokens"), "{told}");
    let told: serde_json::Value = serde_json::from_str(&show("models/qwen3", &["--json"])).unwrap();
    assert!(told["memory"]["told"].as_u64().unwrap() > 1 << 20);
    let [floats, halves, whole] = ["f32", "f16", "i16"].map(|kv| {
        let told = show("models/qwen3", &["--json", "--kv", kv]);
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        told["memory"]["cache"].as_u64().unwrap()
    });
    assert_eq!(floats, 2 * halves);
    assert!(whole > halves && whole < halves + halves / 4, "{whole} and {halves}: scales");
    let lines = ["f32", "f16"].map(|kv| {
        let told = show("models/qwen3", &["--kv", kv]);
        told.lines().find(|line| line.contains("cache ")).unwrap().to_owned()
    });
    assert_ne!(lines[0], lines[1]);
    let table = show("models/qwen3", &["--measure", "--context", "100"]);
    assert!(table.contains("1 × 100 tokens") && table.contains("weights in the file"), "{table}");
}
