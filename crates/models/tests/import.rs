//! Folders made into GGUF files: what comes over, and what is refused.
#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use formats::Storage;
use formats::gguf::{Gguf, Value, Writer};
use formats::safetensors::Safetensors;
use models::Error;
use models::import::{Import, Quant, Stored};
use testkit::golden;
use text::tokenizer::{Encode, Tokenizer};

fn import(folder: &Path, quant: Quant) -> Result<Gguf, Error> {
    let import = Import::open(folder, quant, Some("tiny"))?;
    let (bytes, mut read) = (import.bytes(), 0);
    let mut file = Vec::new();
    import.write(&mut file, 2, &mut |done| {
        read = done;
        ControlFlow::Continue(())
    })?;
    assert_eq!(read, bytes, "all that is to be read is told");
    Ok(Gguf::from_bytes(file).unwrap())
}

/// A copy of a golden folder with one text of a file replaced.
fn altered(of: &str, file: &str, (from, to): (&str, &str)) -> PathBuf {
    let name: String =
        format!("{of}-{file}-{from}-{to}").replace(|c: char| !c.is_ascii_alphanumeric(), "");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    for entry in fs::read_dir(golden(of)).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
    }
    let text = fs::read_to_string(folder.join(file)).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    fs::write(folder.join(file), text.replace(from, to)).unwrap();
    folder
}

/// The file that llama.cpp's own converter made of the same folder says the same.
#[test]
fn keys_and_numbers_are_those_of_another_converter() {
    // The other converter leaves the window out.
    let unbounded = altered(
        "models/mistral",
        "config.json",
        ("\"sliding_window\": 16", "\"sliding_window\": null"),
    );
    for (folder, twin, own) in [
        (golden("models/qwen3"), "qwen3", "qwen3."),
        (golden("models/qwen2"), "qwen2", "qwen2."),
        (golden("models/qwen3-moe"), "qwen3-moe", "qwen3moe."),
        (golden("models/llama"), "llama", "llama."),
        (unbounded, "mistral", "llama."),
    ] {
        let ours = import(&folder, Quant::F32).unwrap();
        let theirs = Gguf::open(&golden(&format!("gguf/{twin}.gguf"))).unwrap();
        for key in [
            "general.architecture",
            "general.file_type",
            "tokenizer.ggml.model",
            "tokenizer.ggml.pre",
            "tokenizer.ggml.tokens",
            "tokenizer.ggml.token_type",
            "tokenizer.ggml.merges",
            "tokenizer.ggml.bos_token_id",
            "tokenizer.ggml.eos_token_id",
            "tokenizer.ggml.padding_token_id",
            "tokenizer.ggml.add_bos_token",
            "tokenizer.chat_template",
        ] {
            assert!(theirs.get(key).is_some(), "{key}");
            assert_eq!(ours.get(key), theirs.get(key), "{twin}: {key}");
        }
        for (key, value) in theirs.keys().filter(|(key, _)| key.starts_with(own)) {
            assert_eq!(ours.get(key), Some(value), "{twin}: {key}");
        }
        assert_eq!(ours.tensors().count(), theirs.tensors().count());
        for tensor in theirs.tensors().filter(|tensor| tensor.storage == Storage::F32) {
            let found = ours.tensor(tensor.name).unwrap();
            if tensor.name == "rope_freqs.weight" {
                // They round what these are computed from.
                let apart = floats(&found).zip(floats(&tensor)).map(|(x, y)| (x / y - 1.0).abs());
                assert!(apart.fold(0.0, f32::max) < 1e-5, "{found:?} {tensor:?}");
            } else {
                assert!(found == tensor, "{twin}: {tensor:?}");
            }
        }
    }
}

fn floats<'a>(tensor: &formats::Tensor<'a>) -> impl Iterator<Item = f32> + 'a {
    tensor.bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes))
}

/// A file with a few tensors of 256 and more columns, large enough for many pieces.
fn wide(name: &str) -> PathBuf {
    let mut writer = Writer::new();
    writer.key("general.architecture", Value::Str("llama")).unwrap();
    writer.key("general.name", Value::Str("wide")).unwrap();
    writer.key("general.file_type", Value::U32(0)).unwrap();
    writer.key("quantize.imatrix.file", Value::Str("none")).unwrap();
    let tensors: [(&str, &[usize]); 5] = [
        ("token_embd.weight", &[300, 2048]),
        ("blk.0.attn_norm.weight", &[2048]),
        ("blk.0.attn_v.weight", &[70, 256]),
        ("blk.0.ffn_down.weight", &[9, 96]),
        ("blk.0.ffn_gate_exps.weight", &[3, 50, 768]),
    ];
    for (name, shape) in tensors {
        writer.tensor(name, Storage::F32, shape).unwrap();
    }
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.gguf"));
    let mut body = writer.begin(fs::File::create(&path).unwrap()).unwrap();
    let mut state = 1_u32;
    for (_, shape) in tensors {
        let numbers = (0..shape.iter().product::<usize>()).flat_map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 8) as f32 / 8_388_608.0 - 1.0).powi(3).to_le_bytes()
        });
        body.tensor(&numbers.collect::<Vec<u8>>()).unwrap();
    }
    body.finish().unwrap();
    path
}

/// What a file becomes with so many threads, and what is told of its tensors.
fn stored(path: &Path, quant: Quant, threads: usize) -> (Vec<u8>, Vec<Stored>) {
    let (mut file, mut go_on) = (Vec::new(), |_| ControlFlow::Continue(()));
    let import = Import::open(path, quant, None).unwrap();
    let stored = import.write(&mut file, threads, &mut go_on).unwrap();
    (file, stored)
}

#[test]
fn no_bit_depends_on_the_number_of_threads() {
    let path = wide("wide-threads");
    for quant in [Quant::Q4_K_M, Quant::Q6_K, Quant::F16] {
        let alone = stored(&path, quant, 1);
        for threads in [2, 5] {
            assert!(alone == stored(&path, quant, threads), "{quant:?} {threads}");
        }
    }
}

#[test]
fn a_file_is_stored_anew_and_says_what_it_said() {
    let path = wide("wide-anew");
    let (bytes, told) = stored(&path, Quant::Q4_K_M, 2);
    let (gguf, before) = (Gguf::from_bytes(bytes.clone()).unwrap(), Gguf::open(&path).unwrap());
    let keys: Vec<&str> = gguf.keys().map(|(key, _)| key).collect();
    let stored_how = ["general.file_type", "general.quantization_version"];
    assert_eq!(keys, [&["general.architecture", "general.name"], &stored_how[..]].concat());
    assert_eq!(gguf.get("general.file_type"), Some(Value::U32(15)));
    let storages: Vec<Storage> = gguf.tensors().map(|tensor| tensor.storage).collect();
    use Storage::{F32, Q4_K, Q6_K, Q8_0};
    // The head; a norm; the only layer is a last one; rows of 96; what has no rule of its own.
    assert_eq!(storages, [Q6_K, F32, Q6_K, Q8_0, Q4_K]);
    for (told, tensor) in told.iter().zip(gguf.tensors()) {
        let mut back = vec![0.0; tensor.count()];
        kernels::blocks::decode(arch::format_for(tensor.storage).unwrap(), tensor.bytes, &mut back);
        let old = before.tensor(tensor.name).unwrap();
        let squares = |numbers: &mut dyn Iterator<Item = f32>| {
            numbers.map(|x| f64::from(x) * f64::from(x)).sum::<f64>()
        };
        let lost = squares(&mut floats(&old).zip(&back).map(|(x, y)| x - y));
        let error = (lost / squares(&mut floats(&old))).sqrt();
        assert!((told.error - error).abs() < 1e-9, "{told:?} {error}");
        assert!(told.error < 0.09 && (told.error == 0.0) == (tensor.storage == F32), "{told:?}");
    }
    // What is asked for once more stays as it is; what has lost something is told of.
    let again = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wide-again.gguf");
    fs::write(&again, &bytes).unwrap();
    assert!(!Import::open(&again, Quant::Q4_K_M, None).unwrap().loses_twice());
    assert!(stored(&again, Quant::Q4_K_M, 1).0 == bytes);
    assert!(Import::open(&again, Quant::Q4_0, None).unwrap().loses_twice());
}

#[test]
fn parts_become_one_file() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("split");
    use Storage::{F32, I32, Q8_0};
    fs::create_dir_all(&folder).unwrap();
    let part = |n: u16| folder.join(format!("a-{:05}-of-00002.gguf", n + 1));
    for n in 0..2 {
        let mut head = Writer::new();
        head.key("general.architecture", Value::Str("llama")).unwrap();
        head.key("split.no", Value::U16(n)).unwrap();
        head.key("split.count", Value::U16(2)).unwrap();
        head.key("split.tensors.count", Value::I32(3)).unwrap();
        let names = [&["a.weight"][..], &["b.weight", "c"]][usize::from(n)];
        for name in names {
            let storage = if *name == "c" { I32 } else { F32 };
            head.tensor(name, storage, &[2, 32]).unwrap();
        }
        let mut body = head.begin(fs::File::create(part(n)).unwrap()).unwrap();
        names.iter().for_each(|_| body.tensor(&[n as u8; 256]).unwrap());
        body.finish().unwrap();
    }
    let gguf = Gguf::from_bytes(stored(&part(0), Quant::Q8_0, 1).0).unwrap();
    assert!(gguf.keys().all(|(key, _)| !key.starts_with("split.")));
    let tensors: Vec<_> = gguf.tensors().map(|tensor| (tensor.name, tensor.storage)).collect();
    assert_eq!(tensors, [("a.weight", Q8_0), ("b.weight", Q8_0), ("c", I32)]);
    assert_eq!(gguf.tensor("c").unwrap().bytes, [1; 256]);
}

#[test]
fn weights_may_be_named_themselves() {
    let file = golden("models/qwen3/model.safetensors");
    let ours = import(&file, Quant::Q8_0).unwrap();
    let theirs = import(&golden("models/qwen3"), Quant::Q8_0).unwrap();
    assert!(ours.tensors().eq(theirs.tensors()));
}

#[test]
fn matrices_are_quantised_and_rows_are_not() {
    let folder = golden("models/qwen3");
    for (quant, storage) in [(Quant::Q8_0, Storage::Q8_0), (Quant::F16, Storage::F16)] {
        let gguf = import(&folder, quant).unwrap();
        assert_eq!(gguf.tensor("blk.0.attn_norm.weight").unwrap().storage, Storage::F32);
        assert_eq!(gguf.tensor("blk.2.ffn_down.weight").unwrap().storage, storage);
        assert_eq!(gguf.tensor("token_embd.weight").unwrap().storage, storage);
        assert!(gguf.tensor("output.weight").is_none(), "the head is the embedding");
    }
}

#[test]
fn both_tokenizers_read_alike() {
    let folder = golden("models/qwen3");
    let ours = Tokenizer::from_gguf(&import(&folder, Quant::F32).unwrap()).unwrap();
    let theirs = Tokenizer::from_folder(&folder).unwrap();
    let markup = Encode { markup: true, add_special: true };
    for text in ["Hello there, it's 2026!\n\n  x", "Grüße aus Köln<|eos|>", "日本 🙂\t"] {
        assert_eq!(ours.encode(text, markup), theirs.encode(text, markup), "{text}");
    }
    assert_eq!((ours.eos(), ours.ends()), (theirs.eos(), theirs.ends()));
}

#[test]
fn rows_without_a_token_and_further_ends_come_over() {
    let added = r#""eos_token_id": [2, 7, 9000],"#;
    let folder =
        altered("models/qwen3", "generation_config.json", (r#""eos_token_id": 2,"#, added));
    let generation = fs::read_to_string(folder.join("generation_config.json")).unwrap();
    let greedy = generation.replacen('{', "{\"do_sample\": false, \"temperature\": 0.6,", 1);
    fs::write(folder.join("generation_config.json"), greedy).unwrap();
    let json = fs::read_to_string(folder.join("tokenizer.json")).unwrap();
    let mut tokenizer: serde_json::Value = serde_json::from_str(&json).unwrap();
    let (merges, last) = (tokenizer["model"]["merges"].as_array_mut().unwrap(), 319);
    merges.pop();
    tokenizer["model"]["vocab"].as_object_mut().unwrap().retain(|_, id| *id != last);
    fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).unwrap();
    let gguf = import(&folder, Quant::F32).unwrap();
    assert_eq!(gguf.f32("general.sampling.temp").unwrap(), Some(0.0));
    assert_eq!(gguf.u32("tokenizer.ggml.eot_token_id").unwrap(), Some(7));
    let tokens = gguf.array("tokenizer.ggml.tokens").unwrap().unwrap();
    assert_eq!(tokens.strings().unwrap().nth(319), Some(Ok("[PAD319]")));
    let kinds = gguf.array("tokenizer.ggml.token_type").unwrap().unwrap();
    assert_eq!(kinds.i32s().unwrap().nth(319), Some(5));
    let ends = Tokenizer::from_gguf(&gguf).unwrap().ends().to_vec();
    assert_eq!(ends, Tokenizer::from_folder(&folder).unwrap().ends());
}

#[test]
fn what_cannot_come_over_is_refused_by_name() {
    let (config, tokenizer) = ("config.json", "tokenizer.json");
    for (file, change, said) in [
        (config, ("Qwen3ForCausalLM", "Nobody"), "Nobody"),
        (config, (r#""use_sliding_window": false"#, r#""use_sliding_window": true"#), "sliding"),
        (config, (r#""rope_type": "default""#, r#""rope_type": "yarn", "factor": 2"#), "yarn"),
        (config, (r#""hidden_size": 64"#, r#""hidden_size": 96"#), "96"),
        (config, ("{", ""), "not JSON"),
        (tokenizer, (r"|\\p{N}|", r"|\\p{N}{1,4}|"), r"\\p{N}{1,4}"),
        (tokenizer, (r#""normalizer":null"#, r#""normalizer":{"type":"NFKC"}"#), "NFKC"),
        (tokenizer, (r#""ignore_merges":false"#, r#""ignore_merges":true"#), "ignore_merges"),
        (tokenizer, (r#""lstrip":false"#, r#""lstrip":true"#), "<|pad|>"),
    ] {
        let spaced = golden("models/qwen3").join(file);
        let compact = fs::read_to_string(&spaced).unwrap().contains(change.0);
        let change = match compact {
            true => (change.0.to_owned(), change.1.to_owned()),
            false => (change.0.replace(':', ": "), change.1.replace(':', ": ")),
        };
        let folder = altered("models/qwen3", file, (&change.0, &change.1));
        let error = import(&folder, Quant::Q8_0).unwrap_err().to_string();
        assert!(error.contains(said), "{change:?}: {error}");
    }
    for (folder, said) in [("gemma3", "qwen2, qwen3"), ("mistral", "sliding_window is 16")] {
        let error =
            import(&golden(&format!("models/{folder}")), Quant::Q8_0).unwrap_err().to_string();
        assert!(error.contains(folder) && error.contains(said), "{error}");
    }
    let error = import(&golden("variants/qwen3-gptq"), Quant::Q8_0).unwrap_err().to_string();
    assert!(error.contains("gptq"), "{error}");
    let error = import(Path::new("/no/such/thing"), Quant::Q8_0).unwrap_err().to_string();
    assert!(error.contains("no such file or folder"), "{error}");
}

#[test]
fn numbers_that_cannot_be_stored_are_refused() {
    let folder = altered("models/qwen3", "config.json", ("{", " {"));
    let path = folder.join("model.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.len() - 1;
    // The upper byte of the last number: beyond all numbers in every float format.
    bytes[end - 1..].copy_from_slice(&[0xff, 0x7f]);
    fs::write(&path, &bytes).unwrap();
    let last = Safetensors::open(&folder).unwrap().tensors().last().unwrap().name.to_owned();
    let error = import(&folder, Quant::F16).unwrap_err();
    assert!(matches!(&error, Error::Number { tensor, .. } if *tensor == last), "{error}");
}

#[test]
fn it_ends_when_it_is_told_to_or_cannot_write() {
    let open = || Import::open(&golden("models/qwen3"), Quant::Q8_0, Some("tiny")).unwrap();
    let stopped = open().write(io::sink(), 1, &mut |_| ControlFlow::Break(()));
    assert!(matches!(stopped, Err(Error::Stopped)));
    let mut full = [0; 20_000];
    let failed = open().write(&mut full[..], 1, &mut |_| ControlFlow::Continue(()));
    assert!(matches!(failed, Err(Error::Write(_))), "{failed:?}");
}
