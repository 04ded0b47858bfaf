//! Answers keep to their forms, whatever the model would like to say: random schemas on tiny models
//! of random weights, with reasoning before the answer, guesses, and others in the batch.
#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine::{Engine, Form, Forms, Job, Policy, Settings, Turns};
use serde_json::{Map, Value, json};
use testkit::golden;
use text::reply::Reader;
use text::tokenizer::Tokenizer;
use turn::{Event, Finish, Limits, Sampling};

/// Generations in this test; with HEARTH_FORMS as many as it says.
fn rounds() -> usize {
    std::env::var("HEARTH_FORMS").map_or(300, |count| count.parse().unwrap())
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % n
    }
}

/// A schema whose values are short, so that random weights come to an end.
fn schema(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth == 0 { 6 } else { 8 }) {
        0 => json!({ "type": "boolean" }),
        1 => {
            let low = random.below(50) as i64 - 25;
            let high = low + random.below(1000) as i64;
            json!({ "type": "integer", "minimum": low, "maximum": high })
        }
        2 => {
            let words =
                (0..1 + random.below(4)).map(|i| format!("w{i}{}", "é".repeat(random.below(3))));
            json!({ "enum": words.collect::<Vec<_>>() })
        }
        3 => {
            let (low, more) = (random.below(3), random.below(4));
            json!({ "type": "string", "minLength": low, "maxLength": low + more })
        }
        4 => {
            let pattern = ["^[A-Z]{2}-[0-9]{3}$", "^(ab|c)?d$", "^[0-9]{4}-[01][0-9]$"];
            json!({ "type": "string", "pattern": pattern[random.below(3)] })
        }
        5 => json!({ "type": "null" }),
        6 => {
            let (low, more) = (random.below(2), random.below(3));
            let items = schema(random, depth - 1);
            json!({ "type": "array", "items": items, "minItems": low, "maxItems": low + more })
        }
        _ => {
            let names = ["id", "name", "größe", "a b", "x"];
            let count = 1 + random.below(4);
            let mut properties = Map::new();
            for name in &names[..count] {
                properties.insert((*name).to_owned(), schema(random, depth - 1));
            }
            let required: Vec<&str> =
                names[..count].iter().take(1 + random.below(count)).copied().collect();
            json!({
                "type": "object", "properties": properties, "required": required,
                "additionalProperties": false
            })
        }
    }
}

fn is_valid(schema: &Value, value: &Value) -> bool {
    if let Some(words) = schema["enum"].as_array() {
        return words.contains(value);
    }
    match (schema["type"].as_str().unwrap(), value) {
        ("boolean", Value::Bool(_)) | ("null", Value::Null) => true,
        // -0 is a whole number too.
        ("integer", Value::Number(number)) => number.as_f64().is_some_and(|number| {
            let bound = |key: &str| schema[key].as_f64().unwrap();
            number.fract() == 0.0 && (bound("minimum")..=bound("maximum")).contains(&number)
        }),
        ("string", Value::String(text)) => match schema["pattern"].as_str() {
            Some(pattern) => matches_pattern(pattern, text),
            None => within(schema, ("minLength", "maxLength"), text.chars().count()),
        },
        ("array", Value::Array(items)) => {
            within(schema, ("minItems", "maxItems"), items.len())
                && items.iter().all(|item| is_valid(&schema["items"], item))
        }
        ("object", Value::Object(entries)) => {
            let required = schema["required"].as_array().unwrap();
            let known = schema["properties"].as_object().unwrap();
            required.iter().all(|name| entries.contains_key(name.as_str().unwrap()))
                && entries.iter().all(|(name, value)| {
                    known.get(name).is_some_and(|schema| is_valid(schema, value))
                })
        }
        _ => false,
    }
}

fn within(schema: &Value, (low, high): (&str, &str), count: usize) -> bool {
    let bound = |key: &str| schema[key].as_u64().unwrap() as usize;
    (bound(low)..=bound(high)).contains(&count)
}

/// The three patterns of the generator, by hand.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    match pattern {
        "^[A-Z]{2}-[0-9]{3}$" => {
            let (letters, number) = text.split_once('-').unwrap_or_default();
            letters.len() == 2
                && letters.bytes().all(|b| b.is_ascii_uppercase())
                && number.len() == 3
                && digits(number)
        }
        "^(ab|c)?d$" => ["d", "cd", "abd"].contains(&text),
        _ => {
            let (year, month) = text.split_once('-').unwrap_or_default();
            year.len() == 4
                && digits(year)
                && month.len() == 2
                && digits(month)
                && month.as_bytes()[0] < b'2'
        }
    }
}

fn open(path: &Path) -> Engine {
    let source = arch::Source::open(path).unwrap();
    Engine::new(arch::load(&source).unwrap(), Settings::default()).unwrap()
}

#[derive(Default)]
struct Got {
    text: String,
    reasoning: String,
    end: Option<Finish>,
}

fn job(prompt: u32, rules: engine::Rules, reader: Reader) -> (Job, Arc<Mutex<Got>>) {
    let got = Arc::new(Mutex::new(Got::default()));
    let to = Arc::clone(&got);
    let reply = move |event| {
        let mut got = to.lock().unwrap();
        match event {
            Event::Text(text) => got.text += &text,
            Event::Reasoning(text) => got.reasoning += &text,
            Event::End(finish, _) => got.end = Some(finish),
            Event::Failed(fault) => panic!("{fault}"),
            _ => {}
        }
        ControlFlow::Continue(())
    };
    let job = Job {
        prompt: vec![1, 5 + prompt % 300, 7, 9],
        sampling: Sampling { seed: u64::from(prompt), temperature: 1.0, ..Sampling::default() },
        limits: Limits { tokens: Some(400), stop: vec![] },
        reader,
        rules: Some(rules),
        deadline: None,
        gone: Arc::default(),
        reply: Box::new(reply),
    };
    (job, got)
}

#[test]
fn every_answer_keeps_to_its_schema() {
    let mut random = Random(11);
    let models = ["models/qwen3", "models/llama", "models/gemma3"];
    let mut whole = 0;
    for (i, model) in models.iter().enumerate() {
        let tokenizer = Tokenizer::from_folder(&golden(model)).unwrap();
        let forms = Forms::new(&tokenizer).unwrap();
        let mut turns = Turns::new(open(&golden(model)), &tokenizer, Policy::default());
        let mut asked = Vec::new();
        for n in 0..rounds() / models.len() {
            let schema = schema(&mut random, 3);
            let rules = forms.compile(&Form::Schema(schema.clone()));
            let rules = rules.unwrap_or_else(|fault| panic!("{schema}: {fault}"));
            let (job, got) = job((n * 3 + i) as u32, rules, Reader::plain());
            turns.submit(job);
            asked.push((schema, got));
            // Some of them together.
            if n % 8 == 7 {
                while turns.step(Duration::ZERO) {}
            }
        }
        while turns.step(Duration::ZERO) {}
        for (schema, got) in asked {
            let got = got.lock().unwrap();
            match got.end.unwrap() {
                Finish::End => {
                    let value = serde_json::from_str(&got.text);
                    let value: Value = value.unwrap_or_else(|e| panic!("{e}: {:?}", got.text));
                    assert!(is_valid(&schema, &value), "{schema} says no to {value}");
                    whole += 1;
                }
                other => panic!("{schema} ended by {other:?}: {:?}", got.text),
            }
        }
    }
    println!("{whole} answers");
    assert_eq!(whole, rounds() / models.len() * models.len());
}

/// The prompt has begun the reasoning, which the model never ends.
#[test]
fn reasoning_is_free() {
    let model = golden("models/qwen3");
    let tokenizer = Tokenizer::from_folder(&model).unwrap();
    let forms = Forms::new(&tokenizer).unwrap();
    let mut turns = Turns::new(open(&model), &tokenizer, Policy::default());
    let rules = forms.compile(&Form::Choice(vec!["yes".to_owned()])).unwrap();
    let (job, got) = job(1, rules, Reader::new("<think></think>", "<think>\n"));
    turns.submit(job);
    while turns.step(Duration::ZERO) {}
    let got = got.lock().unwrap();
    assert!(got.text.is_empty() && got.reasoning.chars().count() > 20, "{}", got.reasoning);
}

#[test]
fn other_forms() {
    let model = golden("models/qwen3");
    let tokenizer = Tokenizer::from_folder(&model).unwrap();
    let forms = Forms::new(&tokenizer).unwrap();
    let mut turns = Turns::new(open(&model), &tokenizer, Policy::default());
    let mut ask = |form: &Form, n| {
        let (job, got) = job(n, forms.compile(form).unwrap(), Reader::plain());
        turns.submit(job);
        while turns.step(Duration::ZERO) {}
        let got = got.lock().unwrap();
        assert_eq!(got.end, Some(Finish::End));
        got.text.clone()
    };
    let choice = ["yes".to_owned(), "no \"thanks\"".to_owned(), "größer".to_owned()];
    for n in 0..20 {
        assert!(choice.contains(&ask(&Form::Choice(choice.to_vec()), n)));
        let number = ask(&Form::Regex("[1-9][0-9]{2}".to_owned()), n);
        assert!((100..1000).contains(&number.parse::<u32>().unwrap()), "{number}");
        let said = ask(&Form::Grammar("start: (\"a\" | \"b\") \"!\"".to_owned()), n);
        assert!(["a!", "b!"].contains(&&*said), "{said}");
    }
}

#[test]
fn what_cannot_be_kept_is_refused() {
    let tokenizer = Tokenizer::from_folder(&golden("models/qwen3")).unwrap();
    let forms = Forms::new(&tokenizer).unwrap();
    for form in [
        Form::Schema(json!({ "type": "string", "not": { "const": "x" } })),
        Form::Schema(json!({ "type": "thing" })),
        Form::Schema(json!({ "$ref": "https://example.org/schema.json" })),
        Form::Schema(json!({ "type": "integer", "minimum": 5, "maximum": 3 })),
        Form::Regex("(".to_owned()),
        Form::Grammar("start: nothing".to_owned()),
        Form::Choice(vec![]),
    ] {
        let fault = forms.compile(&form).map(|_| ()).expect_err(&format!("{form:?}"));
        assert_eq!(fault.side, turn::Side::Caller, "{fault}");
        println!("{fault}");
    }
}
