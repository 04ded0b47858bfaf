//! The settings of sampling that the maker of a model recommends.

use std::fs;
use std::path::Path;

use arch::Source;
use formats::gguf::{self, Gguf};
use serde_json::Value;
use turn::{Sampling, Wishes};

use crate::{kindling, load};

/// Those that come with a model, and ours where it says nothing.
pub fn recommended(path: &Path, source: &Source) -> Sampling {
    let default = Sampling::default();
    match source.gguf() {
        // It has no folder.
        Some(gguf) if kindling::is(path) => of_gguf(gguf).over(default),
        // Ollama puts its own beside a GGUF file.
        Some(gguf) => of_params(&beside(path, "params.json")).over(of_gguf(gguf).over(default)),
        None => of_generation_config(&beside(path, "generation_config.json")).over(default),
    }
}

/// What a file in the folder of a model says; nothing if it is not there, or is no JSON.
fn beside(path: &Path, name: &str) -> Value {
    let text = fs::read_to_string(load::folder(path).join(name));
    serde_json::from_str(&text.unwrap_or_default()).unwrap_or_default()
}

fn of_gguf(gguf: &Gguf) -> Wishes {
    let number = |key: &str| number(&gguf.get(&format!("general.sampling.{key}"))?);
    Wishes {
        temperature: number("temp").map(|x| x as f32),
        top_k: number("top_k").filter(|k| *k >= 0.0).map(|k| k as usize),
        top_p: number("top_p").map(|x| x as f32),
        min_p: number("min_p").map(|x| x as f32),
        repetition_penalty: number("penalty_repeat").map(|x| x as f32),
        ..Wishes::default()
    }
}

fn number(value: &gguf::Value) -> Option<f64> {
    use gguf::Value::{F32, F64, I32, I64, U32, U64};
    Some(match *value {
        F32(x) => f64::from(x),
        F64(x) => x,
        U32(n) => f64::from(n),
        I32(n) => f64::from(n),
        U64(n) => n as f64,
        I64(n) => n as f64,
        _ => return None,
    })
}

fn of_generation_config(config: &Value) -> Wishes {
    let wishes = of_json(config, "repetition_penalty");
    match config["do_sample"] {
        Value::Bool(false) => Wishes { temperature: Some(0.0), ..wishes },
        _ => wishes,
    }
}

fn of_params(params: &Value) -> Wishes {
    of_json(params, "repeat_penalty")
}

fn of_json(json: &Value, repetition_penalty: &str) -> Wishes {
    let number = |key: &str| json[key].as_f64().map(|x| x as f32);
    Wishes {
        temperature: number("temperature"),
        top_k: json["top_k"].as_u64().map(|k| k as usize),
        top_p: number("top_p"),
        min_p: number("min_p"),
        repetition_penalty: number(repetition_penalty),
        ..Wishes::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use testkit::golden;

    use super::*;

    #[test]
    fn the_makers_settings_are_taken() {
        let config = json!({ "temperature": 0.6, "top_k": 20, "top_p": 0.9, "do_sample": true });
        let wishes = of_generation_config(&config);
        assert_eq!((wishes.temperature, wishes.top_k), (Some(0.6), Some(20)));
        let greedy = of_generation_config(&json!({ "do_sample": false, "temperature": 0.6 }));
        assert_eq!(greedy.temperature, Some(0.0));
        assert_eq!(of_generation_config(&Value::Null), Wishes::default());
    }

    #[test]
    fn ollamas_parameters_lie_beside_the_file() {
        let folder = std::env::temp_dir().join(format!("hearth-params-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("model.gguf");
        fs::copy(golden("gguf/qwen3.gguf"), &path).unwrap();
        let source = load::source(&path).unwrap();
        let says = |params: &str| {
            fs::write(folder.join("params.json"), params).unwrap();
            recommended(&path, &source)
        };
        let params = r#"{ "temperature": 0.6, "top_k": 20, "repeat_penalty": 1.1, "stop": ["x"] }"#;
        let Sampling { temperature, top_k, top_p, repetition_penalty, .. } = says(params);
        assert_eq!((temperature, top_k, top_p, repetition_penalty), (0.6, 20, 0.95, 1.1));
        assert_eq!(says("no JSON"), Sampling::default());
        fs::remove_dir_all(&folder).unwrap();
    }
}
