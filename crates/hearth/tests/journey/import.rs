//! `hearth import`: the same model in another file, or no file at all.

use std::fs;
use std::io::BufWriter;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use formats::Storage;
use formats::gguf::{Value, Writer};
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
    let damaged = altered("import-damaged", "config.json", "Qwen3ForCausalLM", "Gemma3ForCausalLM");
    let mut command = hearth();
    command.arg("import").arg(&damaged.0).arg("--out").arg(&out);
    let said = text(&expect(&mut command, 3).stderr);
    assert!(said.contains("gemma3") && said.contains("qwen2, qwen3"), "{said}");
    // A number that is none is met in the middle of the writing.
    let path = damaged.path("config.json");
    let config = fs::read_to_string(&path).unwrap();
    fs::write(&path, config.replace("Gemma3ForCausalLM", "Qwen3ForCausalLM")).unwrap();
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

#[test]
fn a_file_is_stored_anew_and_what_it_lost_is_told() {
    let (folder, from) = (Folder::new("import-anew"), golden("quant/dense.Q8_0.gguf"));
    let import = |more: &[&str]| {
        let mut command = hearth();
        command.current_dir(&folder.0).arg("import").arg(&from).args(["--quant", "Q4_K_M"]);
        expect(command.args(more), 0)
    };
    // The name of the file says how it is stored; that of the new one says how that is.
    let said = import(&[]);
    assert!(text(&said.stderr).contains("quantised already"), "{}", text(&said.stderr));
    let told = text(&said.stdout);
    assert!(told.contains("dense-Q4_K_M.gguf (") && told.contains(".ffn_down.weight"), "{told}");
    assert!(told.contains("Q6_K") && told.contains(" %") && !told.contains("norm"), "{told}");
    let all = text(&import(&["-v", "--out", "all.gguf"]).stdout);
    assert!(all.contains("blk.0.attn_norm.weight") && all.contains("blk.1.attn_q.weight"), "{all}");
    let json = import(&["--json", "--threads", "3", "--out", "other.gguf"]).stdout;
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["file"], "other.gguf");
    let tensors = json["tensors"].as_array().unwrap();
    assert!(tensors.iter().any(|tensor| tensor["error"].as_f64().unwrap() > 0.05), "{json}");
    let [first, other] =
        ["dense-Q4_K_M.gguf", "other.gguf"].map(|name| fs::read(folder.path(name)));
    assert!(first.unwrap() == other.unwrap(), "every bit");
    let mut unknown = hearth();
    unknown.arg("import").arg(&from).args(["--quant", "q4_k"]);
    assert!(text(&expect(&mut unknown, 2).stderr).contains("q4_k_m"));
}

/// A file that takes a while to be stored anew.
fn large(path: &Path) {
    let mut head = Writer::new();
    head.key("general.architecture", Value::Str("llama")).unwrap();
    let tensors = ["blk.0.attn_q.weight", "blk.0.ffn_up.weight"];
    for name in tensors {
        head.tensor(name, Storage::F32, &[1024, 1024]).unwrap();
    }
    let file = BufWriter::new(fs::File::create(path).unwrap());
    let mut body = head.begin(file).unwrap();
    for n in 0..tensors.len() as u32 {
        let number =
            |i: u32| (i.wrapping_add(n).wrapping_mul(2_654_435_761) >> 8) as f32 / 1e7 - 0.8;
        body.tensor(&(0..1 << 20).flat_map(|i| number(i).to_le_bytes()).collect::<Vec<u8>>())
            .unwrap();
    }
    body.finish().unwrap();
}

#[test]
fn whenever_it_is_killed_the_file_is_the_old_one_or_the_new_one() {
    let folder = Folder::new("import-killed");
    let (from, out) = (folder.path("from.gguf"), folder.path("out.gguf"));
    large(&from);
    let import = || {
        let mut command = hearth();
        command.arg("import").arg(&from).args(["--quant", "q4_k_m", "--threads", "1", "--out"]);
        command.arg(&out);
        command
    };
    let begin = Instant::now();
    expect(&mut import(), 0);
    let (whole, new) = (begin.elapsed(), fs::read(&out).unwrap());
    let (mut kept, mut replaced) = (0, 0);
    for n in 0..50 {
        let old = (n % 2 == 1).then(|| b"what was there before".to_vec());
        match &old {
            Some(old) => fs::write(&out, old).unwrap(),
            None => drop(fs::remove_file(&out)),
        }
        let child = import().stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut child = child.unwrap();
        // Multiples of the golden section fall everywhere.
        std::thread::sleep(whole.mul_f64((f64::from(n) * 0.618_034).fract() * 1.2));
        child.kill().unwrap();
        child.wait().unwrap();
        let found = fs::read(&out).ok();
        if found == old {
            kept += 1;
        } else {
            replaced += 1;
            assert!(found.is_some_and(|found| found == new), "after kill {n}");
        }
    }
    assert!(kept >= 10 && kept + replaced == 50, "{kept} kept, {replaced} replaced");
}
