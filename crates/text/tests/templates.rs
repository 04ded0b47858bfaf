//! Every case of `golden/templates`: published templates rendered as the reference renders them,
//! and small templates rendered as Jinja itself renders them.

use std::collections::HashMap;

use formats::gguf::{ArrayBuf, Gguf, Value as Metadata, Writer};
use serde_json::Value;
use text::template::{DateTime, Error, Inputs, Template};
use text::tokenizer::Tokenizer;

/// The clock of the reference stood here.
const NOW: DateTime = DateTime { year: 2026, month: 3, day: 14, hour: 9, minute: 26, second: 53 };

fn read(path: &str) -> String {
    let path = testkit::golden(path);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn golden(path: &str) -> Value {
    serde_json::from_str(&read(path)).expect("a JSON document")
}

fn inputs(case: &Value) -> Inputs {
    let mut variables = case["kwargs"].as_object().cloned().unwrap_or_default();
    let prompt = variables.shift_remove("add_generation_prompt");
    Inputs {
        messages: case["messages"].clone(),
        tools: Some(case["tools"].clone()),
        documents: None,
        add_generation_prompt: prompt == Some(Value::Bool(true)),
        variables,
        now: NOW,
    }
}

/// What is wrong with the outcome of a case, if anything is.
fn complaint(case: &Value, outcome: &Result<String, Error>) -> Option<String> {
    let error = &case["error"];
    match (case["expected"].as_str(), outcome) {
        (Some(expected), Ok(text)) if text == expected => None,
        (Some(expected), Ok(text)) => Some(format!("expected {expected:?}\n     got {text:?}")),
        (Some(_), Err(error)) => Some(format!("failed: {error}")),
        (None, Ok(text)) => Some(format!("should have failed with {error}, gave {text:?}")),
        (None, Err(Error::Refused { message })) if error["by_template"] == true => {
            let expected = error["message"].as_str();
            (expected != Some(message)).then(|| format!("refused with {message:?}"))
        }
        (None, Err(Error::Evaluation { .. })) if error["by_template"] == false => None,
        (None, Err(other)) => Some(format!("failed in the wrong way: {other:?}")),
    }
}

#[test]
fn published_templates_render_to_the_letter() {
    let mut templates: HashMap<String, Template> = HashMap::new();
    let mut complaints = Vec::new();
    let golden = golden("templates/cases.json");
    let cases = golden.as_array().expect("a list of cases");
    for case in cases {
        let name = case["template"].as_str().expect("a name");
        let template = templates.entry(name.to_owned()).or_insert_with(|| {
            let source = read(&format!("templates/templates/{name}.jinja"));
            Template::compile(&source).unwrap_or_else(|error| panic!("{name}: {error}"))
        });
        if let Some(text) = complaint(case, &template.render(&inputs(case))) {
            complaints.push(format!("{name}, {}: {text}", case["name"]));
        }
    }
    assert!(complaints.is_empty(), "{} differ:\n{}", complaints.len(), complaints.join("\n"));
    assert_eq!(cases.len(), 672);
}

#[test]
fn snippets_render_as_in_jinja() {
    let golden = golden("templates/snippets.json");
    let mut variables = golden["variables"].as_object().cloned().expect("variables");
    let inputs = Inputs {
        messages: variables.shift_remove("messages").expect("messages"),
        tools: None,
        documents: None,
        add_generation_prompt: false,
        variables,
        now: NOW,
    };
    let cases = golden["cases"].as_array().expect("a list of cases");
    let mut complaints = Vec::new();
    for case in cases {
        let source = case["source"].as_str().expect("a source");
        let outcome = Template::compile(source).and_then(|template| template.render(&inputs));
        // What Jinja finds when it compiles, we may find when it runs, and the other way round.
        let is_failure = case["error"]["by_template"] == false && outcome.is_err();
        if let Some(text) = complaint(case, &outcome).filter(|_| !is_failure) {
            complaints.push(format!("{source}\n  {text}"));
        }
    }
    assert!(complaints.is_empty(), "{} differ:\n{}", complaints.len(), complaints.join("\n"));
    assert!(cases.len() > 400, "only {} snippets", cases.len());
}

/// A file of Gemma 4 in Ollama's library has no template, and a tokenizer that is called otherwise.
fn gemma_4_of_ollama(width_of_inputs: u32) -> Result<Tokenizer, Box<dyn std::error::Error>> {
    let (tokens, merges) = (ArrayBuf::strings(["<bos>"]), ArrayBuf::strings([""; 0]));
    let mut writer = Writer::new();
    writer.key("tokenizer.ggml.model", Metadata::Str("llama"))?;
    writer.key("tokenizer.ggml.pre", Metadata::Str("gemma4"))?;
    writer.key("tokenizer.ggml.tokens", tokens.value())?;
    writer.key("tokenizer.ggml.merges", merges.value())?;
    let key = "gemma4.embedding_length_per_layer_input";
    writer.key(key, Metadata::U32(width_of_inputs))?;
    let bytes = writer.begin(Vec::new())?.finish()?;
    Ok(Tokenizer::from_gguf(&Gguf::from_bytes(bytes)?)?)
}

/// The template of hearth's own for them writes what the published one does, but for what that one
/// has mended since, and for contents other than texts, which hearth never gives to a template.
#[test]
fn gemma_4_without_a_template_is_spoken_to_as_published() {
    let other = [
        "content parts, all roles",
        "image part",
        "no messages",
        "reasoning last",
        "result as parts",
        "result mapping",
        "several steps, done",
        "two assistants in a row",
    ];
    let large = gemma_4_of_ollama(0).unwrap();
    let template = Template::compile(large.chat_template().unwrap()).unwrap();
    let golden = golden("templates/cases.json");
    let cases = golden.as_array().unwrap().iter();
    let cases: Vec<_> = cases.filter(|case| case["template"] == "google-gemma-4-31B-it").collect();
    assert_eq!(cases.len(), 43);
    for case in &cases {
        let complaint = complaint(case, &template.render(&inputs(case)));
        let is_other = other.contains(&case["name"].as_str().unwrap());
        assert_eq!(complaint.is_some(), is_other, "{}: {complaint:?}", case["name"]);
    }
    let small = gemma_4_of_ollama(256).unwrap();
    let template = Template::compile(small.chat_template().unwrap()).unwrap();
    let asked = cases.iter().find(|case| case["name"] == "single user").unwrap();
    let shown = asked["expected"].as_str().unwrap();
    let silent = shown.strip_suffix("<|channel>thought\n<channel|>").unwrap();
    assert_eq!(template.render(&inputs(asked)).unwrap(), silent);
}
