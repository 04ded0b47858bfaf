//! Every case of `golden/templates`: published templates rendered as the reference renders them,
//! and small templates rendered as Jinja itself renders them.

use std::collections::HashMap;

use serde_json::Value;
use text::template::{DateTime, Error, Inputs, Template};

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
