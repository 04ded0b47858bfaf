//! `hearth` alone and `hearth show`.

use testkit::golden;

use crate::{altered, expect, hearth, text};

fn show(model: &str, flags: &[&str]) -> String {
    text(&expect(hearth().arg("show").arg(golden(model)).args(flags), 0).stdout)
}

#[test]
fn alone_it_says_what_to_type_next() {
    let said = text(&expect(&mut hearth(), 0).stdout);
    assert!(said.contains("hearth run FILE") && said.contains("qwen3"), "{said}");
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
