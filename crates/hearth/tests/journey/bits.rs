//! `hearth logits`: the same bytes whatever the threads, chunks and instruction set, and the
//! reference's values and tokens.

use std::path::Path;

use testkit::{Difference, Expected, golden};

use crate::{Folder, expect, hearth};

/// One case for each family, and some as GGUF files.
const CASES: [(&str, &str); 16] = [
    ("models/llama", "models/llama/expected.safetensors"),
    ("models/mistral", "models/mistral/expected.safetensors"),
    ("models/qwen2", "models/qwen2/expected.safetensors"),
    ("models/qwen3", "models/qwen3/expected.safetensors"),
    ("models/qwen3-moe", "models/qwen3-moe/expected.safetensors"),
    ("models/qwen3_5", "models/qwen3_5/expected.safetensors"),
    ("models/qwen3_5-moe", "models/qwen3_5-moe/expected.safetensors"),
    ("models/gpt-oss", "models/gpt-oss/expected.safetensors"),
    ("models/gemma3", "models/gemma3/expected.safetensors"),
    ("models/gemma4-shared", "models/gemma4-shared/expected.safetensors"),
    ("models/deepseek-v3", "models/deepseek-v3/expected.safetensors"),
    ("models/deepseek-v3.2", "models/deepseek-v3.2/expected.safetensors"),
    ("models/llama4", "models/llama4/expected.safetensors"),
    ("gguf/llama.gguf", "models/llama/expected.safetensors"),
    ("gguf/qwen3.gguf", "models/qwen3/expected.safetensors"),
    ("gguf/mistral.gguf", "gguf/mistral.expected.safetensors"),
];

fn logits(model: &Path, ids: &Path, out: &Path, flags: &[&str]) -> Vec<u8> {
    let mut command = hearth();
    command.arg("logits").arg(model).arg("--ids").arg(ids).arg("--out").arg(out).args(flags);
    expect(&mut command, 0);
    std::fs::read(out).unwrap()
}

#[test]
fn flags_that_change_the_speed_change_no_byte() {
    let folder = Folder::new("flags");
    for (model, expected) in CASES {
        let (model, ids, out) = (golden(model), golden(expected), folder.path("out.safetensors"));
        let base = logits(&model, &ids, &out, &["--greedy", "24"]);
        for flags in [
            &["--threads", "1"][..],
            &["--threads", "2"],
            &["--chunk", "1"],
            &["--chunk", "7", "--threads", "2"],
            &["--chunk", "512", "--threads", "3"],
            &["--isa", "portable"],
        ] {
            let flags = [flags, &["--greedy", "24"]].concat();
            assert!(logits(&model, &ids, &out, &flags) == base, "{} {flags:?}", model.display());
        }
        let (got, expected) = (Expected::open(&out), Expected::open(&ids));
        assert_eq!(got.ids("greedy"), expected.ids("greedy"), "{}", model.display());
        let difference = Difference::between(&got.floats("logits"), &expected.floats("logits"));
        assert!(difference.max <= 1e-3 && difference.mean <= 2e-5, "{difference:?}");
    }
}

#[test]
fn a_continuation_token_by_token_equals_one_prompt() {
    let folder = Folder::new("continuation");
    for (model, expected) in CASES {
        let (model, expected) = (golden(model), Expected::open(&golden(expected)));
        let ids: Vec<u32> = [expected.ids("input_ids"), expected.ids("greedy")].concat();
        let words: Vec<String> = ids.iter().map(u32::to_string).collect();
        let list = folder.path("ids.txt");
        std::fs::write(&list, words.join(" ")).unwrap();
        let whole = logits(&model, &list, &folder.path("whole.safetensors"), &["--chunk", "512"]);
        let single = logits(&model, &list, &folder.path("single.safetensors"), &["--chunk", "1"]);
        assert!(whole == single, "{}", model.display());
        // And the greedy continuation of the prompt alone is the one whose logits these are.
        let rows = Expected::open(&folder.path("whole.safetensors")).floats("logits");
        let vocabulary = rows.len() / ids.len();
        for (i, token) in expected.ids("greedy").iter().enumerate() {
            let row = &rows[(ids.len() - 25 + i) * vocabulary..][..vocabulary];
            assert_eq!(
                engine::best(row, kernels::Isa::best()),
                *token,
                "{} at {i}",
                model.display()
            );
        }
    }
}
