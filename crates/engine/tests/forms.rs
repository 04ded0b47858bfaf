//! Answers keep to their forms, whatever the model would like to say: random schemas on tiny models
//! of random weights, with reasoning before the answer, guesses, and others in the batch.
#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine::{Engine, Forms, Job, Policy, Rules, Settings, Turns};
use serde_json::{Map, Value, json};
use testkit::golden;
use text::reply::Reader;
use text::tokenizer::Tokenizer;
use turn::{Calls, Demand, Event, Finish, Form, Limits, Sampling, Tool};

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

#[derive(Debug, Default)]
struct Got {
    text: String,
    reasoning: String,
    /// Names and arguments.
    calls: Vec<(String, String)>,
    end: Option<Finish>,
}

/// A prompt of few tokens; its number is the seed as well.
fn job(prompt: u32, rules: Rules, reader: Reader) -> (Job, Arc<Mutex<Got>>) {
    let got = Arc::new(Mutex::new(Got::default()));
    let to = Arc::clone(&got);
    let reply = move |event| {
        let mut got = to.lock().unwrap();
        match event {
            Event::Text(text) => got.text += &text,
            Event::Reasoning(text) => got.reasoning += &text,
            Event::Call(name) => got.calls.push((name, String::new())),
            Event::Arguments(more) => got.calls.last_mut().unwrap().1 += &more,
            Event::End(account) => got.end = Some(account.finish),
            Event::Failed(fault) => panic!("{fault}"),
            _ => {}
        }
        ControlFlow::Continue(())
    };
    let job = Job {
        owner: None,
        prompt: vec![1, 5 + prompt % 300, 7, 9],
        sampling: Sampling { seed: u64::from(prompt), temperature: 1.0, ..Sampling::default() },
        limits: Limits { tokens: Some(400), stop: vec![] },
        reader,
        rules: Some(rules),
        asked: Duration::ZERO,
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
            let rules = forms.compile(&Form::Schema(schema.clone()).into(), &Reader::plain());
            let rules = rules.unwrap_or_else(|fault| panic!("{schema}: {fault}"));
            let (job, got) = job((n * 3 + i) as u32, rules, Reader::plain());
            turns.submit(job);
            asked.push((schema, got));
            // Some of them together.
            if n % 8 == 7 {
                while turns.step() {}
            }
        }
        while turns.step() {}
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

/// A family's template and marks, on the tokenizer of the tiny models.
fn family(name: &str) -> (Tokenizer, String) {
    let path = golden(&format!("templates/templates/{name}.jinja"));
    let template = std::fs::read_to_string(path).unwrap();
    let marks = Reader::new(&template, "").offering(&template, &[]).marks();
    let marks: Vec<&str> = marks.into_iter().filter(|mark| template.contains(mark)).collect();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("forms-{name}"));
    std::fs::create_dir_all(&folder).unwrap();
    for name in ["tokenizer_config.json", "generation_config.json"] {
        std::fs::copy(golden("models/qwen3").join(name), folder.join(name)).unwrap();
    }
    std::fs::write(folder.join("chat_template.jinja"), &template).unwrap();
    let whole = std::fs::read(golden("models/qwen3/tokenizer.json")).unwrap();
    let mut whole: Value = serde_json::from_slice(&whole).unwrap();
    // The last tokens make room for the marks.
    let first = 320 - marks.len() as u64;
    let vocab = whole["model"]["vocab"].as_object_mut().unwrap();
    vocab.retain(|_, id| id.as_u64().unwrap() < first);
    let vocab = vocab.clone();
    let merges = whole["model"]["merges"].as_array_mut().unwrap();
    merges.retain(|pair| {
        let pair = pair.as_array().unwrap().iter().map(|part| part.as_str().unwrap());
        vocab.contains_key(&pair.collect::<String>())
    });
    let added = whole["added_tokens"].as_array_mut().unwrap();
    added.extend(marks.iter().zip(first..).map(|(mark, id)| {
        json!({
            "id": id, "content": mark, "special": false, "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false
        })
    }));
    std::fs::write(folder.join("tokenizer.json"), whole.to_string()).unwrap();
    (Tokenizer::from_folder(&folder).unwrap(), template)
}

fn tools(random: &mut Random) -> Vec<Tool> {
    let names = ["get_weather", "now", "files.search"];
    let count = 1 + random.below(3);
    let tool = |name: &&str| {
        let names = ["city", "days", "größe", "a b"];
        let mut properties = Map::new();
        for name in &names[..random.below(5)] {
            properties.insert((*name).to_owned(), schema(random, 2));
        }
        let required: Vec<&String> = properties.keys().filter(|_| random.below(2) == 0).collect();
        let parameters = json!({
            "type": "object", "properties": properties, "required": required,
            "additionalProperties": false
        });
        Tool { name: (*name).to_owned(), parameters, strict: true }
    };
    names[..count].iter().map(tool).collect()
}

fn check_calls(tools: &[Tool], got: &Got) {
    for (name, arguments) in &got.calls {
        let tool = tools.iter().find(|tool| tool.name == *name).expect("a tool that was offered");
        let value = serde_json::from_str(arguments);
        let value: Value = value.unwrap_or_else(|e| panic!("{e}: {arguments:?}"));
        assert!(is_valid(&tool.parameters, &value), "{} says no to {value}", tool.parameters);
    }
}

/// What was asked, the schema of the answer, and what came.
type Asked = (Demand, Value, Arc<Mutex<Got>>);

/// Asks a family for answers and calls of all kinds.
fn ask(name: &str, random: &mut Random) -> Vec<Asked> {
    let (tokenizer, template) = family(name);
    let forms = Forms::new(&tokenizer).unwrap();
    let mut turns = Turns::new(open(&golden("models/qwen3")), &tokenizer, Policy::default());
    let mut asked = Vec::new();
    // So that reasoning ends, and calls after some.
    let ends = ["</think>", "<channel|>", "<|end|>", "<|eos|>"];
    let ends: Vec<u32> = ends.iter().filter_map(|mark| tokenizer.id_of(mark)).collect();
    for n in 0..(rounds() / 16).max(8) {
        let schema = schema(random, 2);
        let tools = tools(random);
        let demand = Demand {
            answer: (n % 4 != 1 && n % 8 != 6).then(|| Form::Schema(schema.clone())),
            calls: [Calls::None, Calls::Must, Calls::May, Calls::Must][n % 4],
            several: random.below(2) == 0,
            tools: tools.clone(),
        };
        let begun = random.below(2) == 0 && name.contains("Qwen3");
        let prompt = if begun { "<think>\n" } else { "" };
        let reader = Reader::new(&template, prompt).offering(&template, &tools);
        let rules = forms.compile(&demand, &reader);
        let rules = rules.unwrap_or_else(|fault| panic!("{name}, {demand:?}: {fault}"));
        let (mut job, got) = job(n as u32, rules, reader);
        job.sampling.logit_bias = ends.iter().map(|end| (*end, 5.0)).collect();
        job.limits.tokens = Some(500);
        turns.submit(job);
        asked.push((demand, schema, got));
        // No more than may wait.
        while turns.counts().0 > 100 {
            turns.step();
        }
    }
    while turns.step() {}
    asked
}

/// Whether it was calls that came.
fn check_reply((demand, schema, got): &Asked) -> bool {
    let got = got.lock().unwrap();
    let said = format!("{:?}, {:?}: {:?}", demand.calls, got.end, got);
    // Free text has no end of its own, and reasoning and calls may reach the limit.
    let free = demand.calls == Calls::May && demand.answer.is_none();
    if got.end != Some(Finish::End) {
        let thought = got.reasoning.len() > 200 && got.text.is_empty() && got.calls.is_empty();
        let cut = thought || demand.several && got.calls.len() > 1;
        assert!(free || got.end == Some(Finish::Length) && cut, "{said}");
        return false;
    }
    check_calls(&demand.tools, &got);
    let called = !got.calls.is_empty();
    match demand.calls {
        _ if free => {}
        Calls::Must | Calls::May if called => {
            assert!(got.text.is_empty(), "{said}");
            assert!(demand.several || got.calls.len() == 1, "{said}");
        }
        Calls::Must => panic!("no call: {said}"),
        _ => {
            assert!(!called, "{said}");
            let value = serde_json::from_str(&got.text);
            let value: Value = value.unwrap_or_else(|e| panic!("{e}: {said}"));
            assert!(is_valid(schema, &value), "{schema} says no to {value}");
        }
    }
    called
}

/// Reasoning that the model ends by itself, then an answer or calls, each in its form.
#[test]
fn reasoning_and_calls_keep_to_their_forms() {
    let mut random = Random(5);
    let (mut all, mut called, mut thought) = (0, 0, 0);
    for name in [
        "Qwen-Qwen3-0.6B",
        "Qwen3.5-4B",
        "openai-gpt-oss-120b",
        "deepseek-ai-DeepSeek-V3.1",
        "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B",
        "google-gemma-4-31B-it",
        "Mistral-Small-3.2-24B-Instruct-2506",
        "meta-llama-Llama-3.1-8B-Instruct",
    ] {
        for asked in ask(name, &mut random) {
            all += 1;
            called += usize::from(check_reply(&asked));
            thought += usize::from(!asked.2.lock().unwrap().reasoning.is_empty());
        }
    }
    println!("{all} replies, {called} with calls, {thought} with reasoning");
    assert!(called > all / 3 && called < 2 * all / 3 && thought > all / 5);
}

#[test]
fn other_forms() {
    let model = golden("models/qwen3");
    let tokenizer = Tokenizer::from_folder(&model).unwrap();
    let forms = Forms::new(&tokenizer).unwrap();
    let mut turns = Turns::new(open(&model), &tokenizer, Policy::default());
    let mut ask = |form: &Form, n| {
        let (job, got) =
            job(n, forms.compile(&form.clone().into(), &Reader::plain()).unwrap(), Reader::plain());
        turns.submit(job);
        while turns.step() {}
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

/// The refusal says where.
#[test]
fn what_cannot_be_kept_is_refused() {
    let tokenizer = Tokenizer::from_folder(&golden("models/qwen3")).unwrap();
    let forms = Forms::new(&tokenizer).unwrap();
    let inner = json!({ "type": "object", "properties": { "a": { "type": "array", "items": {
        "type": "string", "not": { "const": "x" } } } } });
    for (form, at) in [
        (Form::Schema(json!({ "type": "string", "not": { "const": "x" } })), "#: "),
        (Form::Schema(inner), "#/properties/a/items: "),
        (
            Form::Schema(json!({ "anyOf": [{ "type": "null" }, { "type": "thing" }] })),
            "#/anyOf/1: ",
        ),
        (Form::Schema(json!({ "$ref": "https://example.org/schema.json" })), "#: "),
        (Form::Schema(json!({ "type": "integer", "minimum": 5, "maximum": 3 })), "#: "),
        (Form::Regex("(".to_owned()), ""),
        (Form::Grammar("start: nothing".to_owned()), ""),
        (Form::Choice(vec![]), ""),
    ] {
        let fault = forms.compile(&form.clone().into(), &Reader::plain()).map(|_| ());
        let fault = fault.expect_err(&format!("{form:?}"));
        assert_eq!(fault.side, turn::Side::Caller, "{fault}");
        assert!(fault.message.contains(at), "{fault}");
        println!("{fault}");
    }
}

#[test]
fn tools_that_cannot_be_called_are_refused() {
    for (name, schema, why) in [
        (
            "Qwen-Qwen3-0.6B",
            json!({ "properties": { "a": { "not": {} } } }),
            "parameters/properties/a",
        ),
        (
            "Qwen3.5-4B",
            json!({ "properties": { "a": { "format": "date" } } }),
            "parameters/properties/a",
        ),
        ("google-gemma-4-31B-it", json!({ "allOf": [] }), "\"allOf\""),
        ("moonshotai-Kimi-K2", json!({}), "knows no calls"),
    ] {
        let (tokenizer, template) = family(name);
        let forms = Forms::new(&tokenizer).unwrap();
        let tools = vec![Tool { name: "f".to_owned(), parameters: schema, strict: true }];
        let reader = Reader::new(&template, "").offering(&template, &tools);
        let demand = Demand { calls: Calls::Must, tools, ..Demand::default() };
        let fault = forms.compile(&demand, &reader).map(|_| ()).expect_err(name);
        assert_eq!(fault.side, turn::Side::Caller, "{fault}");
        assert!(fault.message.contains(why), "{fault}");
        println!("{fault}");
    }
}
