//! Replies as they should be written, line by line.

#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

use std::time::Duration;

use serde_json::{Map, Value, json};
use turn::{Account, Choice, Event, Fault, Finish, Limits, Sampling, Side, Thinking, Times, Usage};

use super::reply::{Lines, Shape, whole};
use super::think::Think;
use crate::Manner;
use crate::plan::Plan;
use crate::said::Said;
use crate::stream::Encode;

fn plan(logprobs: bool) -> Plan {
    Plan {
        id: "00ff".to_owned(),
        created: 9,
        model: "m".to_owned(),
        fingerprint: "fp".to_owned(),
        manner: Manner { logprobs, ..Manner::default() },
        prompts: 1,
        copies: 1,
        language: None,
    }
}

fn token(token: u32) -> Event {
    Event::Token(Choice { token, logprob: -0.5, top: vec![(token, -0.5), (0, f32::NEG_INFINITY)] })
}

fn text(text: &str) -> Event {
    Event::Text(text.to_owned())
}

fn arguments(text: &str) -> Event {
    Event::Arguments(text.to_owned())
}

fn end(finish: Finish) -> Event {
    let account = Account::new(Vec::new(), Sampling::default(), Limits::default());
    let usage = Usage { prompt_tokens: 4, cached_tokens: 3, generated_tokens: 2 };
    let [loading, begun, first, over] = [5, 1, 3, 10].map(Duration::from_micros);
    let times = Times { loading, begun: Some(begun), first: Some(first), over };
    Event::End(Box::new(Account { finish, usage, times, ..account }))
}

fn streamed(shape: Shape, logprobs: bool, events: Vec<Event>) -> Vec<Value> {
    let (mut encoder, mut out) = (Lines::new(plan(logprobs), shape), String::new());
    events.into_iter().for_each(|event| encoder.event(0, event, &mut out));
    out.lines().map(|line| line.parse().unwrap()).collect()
}

fn collected(shape: Shape, logprobs: bool, events: Vec<Event>) -> Value {
    let (plan, mut said) = (plan(logprobs), Said::default());
    events.into_iter().for_each(|event| said.take(event, &plan));
    whole(&plan, shape, vec![said]).parse().unwrap()
}

#[test]
fn a_stream_byte_for_byte() {
    let (mut encoder, mut out) = (Lines::new(plan(false), Shape::Text), String::new());
    encoder.event(0, Event::Read(2), &mut out);
    encoder.idle(&mut out);
    encoder.event(0, text("a\u{2028}b\u{85}c\u{2029}\n"), &mut out);
    encoder.event(0, end(Finish::Length), &mut out);
    let head = r#"{"model":"m","created_at":"1970-01-01T00:00:09+00:00","response":"#;
    let first = r#""a\u2028b\u0085c\u2029\n","done":false}"#;
    let last = concat!(
        r#""","done":true,"done_reason":"length","total_duration":15000,"load_duration":5000,"#,
        r#""prompt_eval_count":4,"prompt_eval_duration":2000,"eval_count":2,"#,
        r#""eval_duration":7000}"#,
    );
    assert_eq!(out, format!("{head}{first}\n{head}{last}\n"));
}

#[test]
fn what_never_began_took_no_time() {
    let Event::End(mut account) = end(Finish::Stop) else { panic!("an end") };
    account.times = Times { over: Duration::from_micros(1), ..Times::default() };
    let reply = collected(Shape::Chat, false, vec![Event::End(account)]);
    let times = ["total_duration", "load_duration", "prompt_eval_duration", "eval_duration"];
    assert_eq!(times.map(|name| reply[name].as_u64().unwrap()), [1000, 0, 0, 0]);
    assert_eq!(reply["done_reason"], "stop");
}

fn called() -> Vec<Event> {
    let call = |name: &str| Event::Call(name.to_owned());
    vec![
        Event::Reasoning("hm".to_owned()),
        text("So: "),
        call("f"),
        arguments("{\"b\": 1,"),
        arguments(" \"a\": 2}"),
        call("g"),
        call("h"),
        arguments("{\"cut"),
        end(Finish::Length),
    ]
}

#[test]
fn calls_come_as_a_whole_with_objects() {
    let call = |index: usize, name: &str, arguments: Value| {
        let function = json!({ "index": index, "name": name, "arguments": arguments });
        json!({ "id": format!("call_00ff0000{index}"), "function": function })
    };
    let (first, second) = (call(0, "f", json!({ "b": 1, "a": 2 })), call(1, "g", json!({})));
    let stream = streamed(Shape::Chat, false, called());
    let messages: Vec<_> = stream.iter().map(|line| line["message"].clone()).collect();
    let said = |name: &str, value: Value| {
        let mut message = json!({ "role": "assistant", "content": "" });
        message[name] = value;
        message
    };
    let expected = [
        said("thinking", "hm".into()),
        said("content", "So: ".into()),
        said("tool_calls", json!([first])),
        said("tool_calls", json!([second])),
        // No object, so no call.
        said("content", "h {\"cut".into()),
        said("content", "".into()),
    ];
    assert_eq!(messages, expected);
    assert!(messages[2].to_string().contains(r#"{"b":1,"a":2}"#), "in the order of the model");
    let reply = collected(Shape::Chat, false, called());
    let message = json!({ "role": "assistant", "content": "So: h {\"cut", "thinking": "hm",
        "tool_calls": [first, second] });
    assert_eq!((&reply["message"], &reply["done"]), (&message, &json!(true)));
}

#[test]
fn thoughts_of_texts_stand_beside_them() {
    let events = vec![Event::Reasoning("hm".to_owned()), text("x"), end(Finish::End)];
    let reply = collected(Shape::Text, false, events);
    assert_eq!((&reply["thinking"], &reply["response"]), (&json!("hm"), &json!("x")));
}

#[test]
fn log_probabilities_come_with_their_text() {
    // The first token is half a character: its text comes with the second.
    let events = vec![token(0), token(1), text("?b"), token(2), end(Finish::Length)];
    let stream = streamed(Shape::Text, true, events.clone());
    let counts = stream.iter().map(|line| line["logprobs"].as_array().map_or(0, Vec::len));
    assert_eq!(counts.collect::<Vec<_>>(), [2, 1]);
    let reply = collected(Shape::Chat, true, events);
    let rows = reply["logprobs"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[2]["logprob"]), (3, &json!(-0.5)));
    assert_eq!(rows[2]["top_logprobs"].as_array().unwrap().len(), 2);
}

#[test]
fn a_fault_is_a_line() {
    let mut out = String::new();
    Lines::new(plan(false), Shape::Chat).fault(&Fault::new(Side::Us, "broken"), &mut out);
    assert_eq!(out, "{\"error\":\"broken\"}\n");
}

#[test]
fn models_think_as_far_as_they_can() {
    let told = |think: Think, thinking: Option<Thinking>| {
        let mut variables = Map::new();
        let told = think.tell("m", thinking, &mut variables);
        told.map(|kept| (kept, Value::Object(variables))).map_err(|refusal| refusal.fault.message)
    };
    let low = || Think::Level("low".to_owned());
    let kept = |variables: Value| Ok((true, variables));
    assert_eq!(told(Think::No, None), kept(json!({})));
    assert!(told(Think::Yes, None).unwrap_err().contains("\"m\" does not support thinking"));
    assert!(told(low(), None).is_err());
    let always = Some(Thinking::default());
    assert_eq!(told(Think::Yes, always), kept(json!({})));
    assert_eq!(told(Think::No, always), Ok((false, json!({}))));
    assert!(told(low(), always).is_err());
    let switched = Some(Thinking { switch: Some("enable_thinking"), has_levels: false });
    assert_eq!(told(Think::No, switched), kept(json!({ "enable_thinking": false })));
    assert_eq!(told(Think::Yes, switched), kept(json!({ "enable_thinking": true })));
    let graded = Some(Thinking { switch: None, has_levels: true });
    assert_eq!(told(low(), graded), kept(json!({ "reasoning_effort": "low" })));
    assert_eq!(told(Think::No, graded), Ok((false, json!({ "reasoning_effort": "low" }))));
    assert!(told(low(), switched).is_err());
}
