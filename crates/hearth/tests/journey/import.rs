//! `hearth import`: the same model in another file, or no file at all.

use std::fs;
use std::path::Path;

use testkit::{Difference, Expected, golden};

use crate::{Folder, altered, expect, hearth, text};

/// The logits that a model gives for the ids of the golden case.
fn logits(folder: &Folder, model: &Path) -> Vec<f32> {
    let out = folder.path("logits.safetensors");
    let mut command = hearth();
    command.arg("logits").arg(model).arg("--out").arg(&out);
    expect(command.arg("--ids").arg(golden("models/qwen3/expected.safetensors")), 0);
    Expected::open(&out).floats("logits")
}

#[test]
fn a_folder_and_what_is_made_of_it_have_the_same_logits() {
    let (folder, from) = (Folder::new("import"), golden("models/qwen3"));
    let before = logits(&folder, &from);
    let imported = |quant: &str| {
        let out = folder.path(&format!("{quant}.gguf"));
        let mut command = hearth();
        command.arg("import").arg(&from).args(["--quant", quant, "--name", "tiny"]);
        let said = text(&expect(command.arg("--out").arg(&out), 0).stdout);
        assert!(said.contains(&format!("{quant}.gguf (")), "{said}");
        logits(&folder, &out)
    };
    assert!(imported("f32") == before, "every bit");
    let rounded = Difference::between(&imported("q8_0"), &before);
    // ggml's own blocks are as far off in models as small as this; wrong ones ten times as far.
    let spread = before.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    let close = 0.0 < rounded.mean && rounded.mean < f64::from(spread) / 50.0;
    assert!(close, "{rounded:?} of {spread}");
    let shown = text(&expect(hearth().arg("show").arg(folder.path("q8_0.gguf")), 0).stdout);
    assert!(shown.contains("tiny") && shown.contains("Q8_0"), "{shown}");
}

#[test]
fn without_a_name_the_file_is_called_after_the_folder_and_replaces_none() {
    let folder = Folder::new("import-names");
    let import = |code| {
        let mut command = hearth();
        command.current_dir(&folder.0).arg("import").arg(golden("models/qwen3"));
        expect(&mut command, code)
    };
    import(0);
    assert!(folder.path("qwen3-Q8_0.gguf").exists());
    let said = text(&import(4).stderr);
    assert!(said.contains("--out qwen3-Q8_0.gguf"), "{said}");
}

#[test]
fn what_fails_leaves_nothing_behind() {
    let folder = Folder::new("import-fails");
    let out = folder.path("out.gguf");
    let damaged = altered("import-damaged", "config.json", "Qwen3ForCausalLM", "LlamaForCausalLM");
    let mut command = hearth();
    command.arg("import").arg(&damaged.0).arg("--out").arg(&out);
    let said = text(&expect(&mut command, 3).stderr);
    assert!(said.contains("llama") && said.contains("qwen2 and qwen3"), "{said}");
    // A number that is none is met in the middle of the writing.
    let path = damaged.path("config.json");
    let config = fs::read_to_string(&path).unwrap();
    fs::write(&path, config.replace("LlamaForCausalLM", "Qwen3ForCausalLM")).unwrap();
    let weights = damaged.path("model.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    let end = bytes.len();
    bytes[end - 2..].copy_from_slice(&[0xff, 0x7f]);
    fs::write(&weights, bytes).unwrap();
    assert!(text(&expect(&mut command, 3).stderr).contains("NaN"));
    let mut nowhere = hearth();
    nowhere.arg("import").arg(golden("models/qwen3")).args(["--out", "/no/such/folder/x"]);
    assert!(text(&expect(&mut nowhere, 1).stderr).contains("cannot write"));
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0);
}
