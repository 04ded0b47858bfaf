//! What is spoilt. Each entry belongs to a promise: the test that keeps it must notice.

use super::Mutation;
use super::change::Change;

/// One expected value of each family of golden files. Paths are from `golden/`.
pub const GOLDENS: &[Mutation] = &[
    Mutation {
        name: "golden-blocks",
        file: "blocks/blocks.safetensors",
        change: Change::Element { tensor: "Q4_0.values", index: 77 },
        tests: &["--package", "kernels", "--test", "blocks"],
    },
    Mutation {
        name: "golden-models-logits",
        file: "models/llama/expected.safetensors",
        change: Change::Element { tensor: "logits", index: 1000 },
        tests: &["--package", "engine", "--test", "models"],
    },
    Mutation {
        name: "golden-models-greedy",
        file: "models/qwen3/expected.safetensors",
        change: Change::Element { tensor: "greedy", index: 23 },
        tests: &["--package", "engine", "--test", "models"],
    },
    Mutation {
        name: "golden-gguf",
        file: "gguf/mistral.expected.safetensors",
        change: Change::Element { tensor: "logits", index: 1000 },
        tests: &["--package", "engine", "--test", "models"],
    },
    Mutation {
        name: "golden-quant",
        file: "quant/dense.F16.expected.safetensors",
        change: Change::Element { tensor: "reference_logits", index: 1000 },
        tests: &["--package", "engine", "--test", "quantised"],
    },
    Mutation {
        name: "golden-tokenizers-cases",
        file: "tokenizers/cases/gpt-2.json",
        change: Change::Number { after: "\"plain\": [" },
        tests: &["--package", "text"],
    },
    Mutation {
        name: "golden-tokenizers-out",
        file: "tokenizers/ggml-vocab-llama-spm.gguf.out",
        change: Change::Number { after: "" },
        tests: &["--package", "text"],
    },
    Mutation {
        name: "golden-templates",
        file: "templates/cases.json",
        change: Change::Number { after: "\"expected\": \"" },
        tests: &["--package", "text"],
    },
];

/// Lines of arithmetic and of formats. Paths are from the root.
pub const SOURCES: &[Mutation] = &[
    Mutation {
        name: "gguf-alignment",
        file: "crates/formats/src/gguf/part.rs",
        change: Change::Text {
            from: "(cursor.at() as u64).next_multiple_of(alignment)",
            to: "(cursor.at() as u64).next_multiple_of(alignment) + alignment",
        },
        tests: &["--package", "formats"],
    },
    Mutation {
        name: "lanes-tree",
        file: "crates/kernels/src/portable/lanes.rs",
        change: Change::Text {
            from: "sums[i] += sums[i + width]",
            to: "sums[i] = sums[2 * i] + sums[2 * i + 1]",
        },
        tests: &["--package", "kernels"],
    },
];
