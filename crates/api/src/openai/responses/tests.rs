//! Responses as they should be written, byte for byte.

#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

use std::sync::mpsc;

use serde_json::{Map, Value, json};
use turn::{Account, Choice, Event, Fault, Finish, Limits, Retry, Sampling, Side, Usage};

use super::events::Stream;
use super::item::Item;
use crate::Manner;
use crate::plan::Plan;
use crate::stream::Encode;

fn plan(logprobs: bool) -> Plan {
    Plan {
        id: "00ff".to_owned(),
        created: 9,
        model: "m".to_owned(),
        fingerprint: "fp".to_owned(),
        manner: Manner { streamed: true, with_usage: false, logprobs },
        prompts: 1,
        copies: 1,
        language: None,
    }
}

fn stream(logprobs: bool) -> Stream {
    let echo = Map::from_iter([("store".to_owned(), true.into())]);
    Stream::new(plan(logprobs), echo, None)
}

fn end(finish: Finish) -> Event {
    let account = Account::new(Vec::new(), Sampling::default(), Limits::default());
    let usage = Usage { prompt_tokens: 4, cached_tokens: 3, generated_tokens: 2 };
    Event::End(Box::new(Account { finish, usage, ..account }))
}

fn text(text: &str) -> Event {
    Event::Text(text.to_owned())
}

fn reasoning(text: &str) -> Event {
    Event::Reasoning(text.to_owned())
}

fn token() -> Event {
    Event::Token(Choice { token: 7, logprob: -0.5, top: Vec::new() })
}

fn written(mut stream: Stream, events: Vec<Event>) -> String {
    let mut out = String::new();
    events.into_iter().for_each(|event| stream.event(0, event, &mut out));
    out
}

/// The events of a stream, whose names, numbers and items have been checked.
fn pieces(stream: &str) -> Vec<Value> {
    let mut pieces: Vec<Value> = Vec::new();
    for (at, frame) in stream.split_terminator("\n\n").enumerate() {
        let (name, data) = frame.split_once('\n').unwrap();
        let piece: Value = data.strip_prefix("data: ").unwrap().parse().unwrap();
        assert_eq!(name, format!("event: {}", piece["type"].as_str().unwrap()));
        assert_eq!(piece["sequence_number"], at);
        pieces.push(piece);
    }
    let done = pieces.iter().filter(|piece| piece["type"] == "response.output_item.done");
    let items: Value = done.map(|piece| piece["item"].clone()).collect();
    assert_eq!(pieces.last().unwrap()["response"]["output"], items);
    for piece in &pieces {
        if let Some(at) = piece["output_index"].as_u64() {
            let id = piece.get("item_id").unwrap_or(&piece["item"]["id"]);
            assert_eq!(*id, items[at as usize]["id"], "{piece}");
        }
    }
    pieces
}

/// The kinds of events, without what all begin with.
fn kinds(pieces: &[Value]) -> Vec<&str> {
    let kinds = pieces.iter().map(|piece| piece["type"].as_str().unwrap());
    kinds.map(|kind| kind.strip_prefix("response.").unwrap()).collect()
}

#[test]
fn a_stream_byte_for_byte() {
    let head = concat!(
        r#""response":{"id":"resp_00ff","object":"response","created_at":9,"status":"STATUS","#,
        r#""model":"m","system_fingerprint":"fp","error":null,"incomplete_details":null,"output":"#,
    );
    let response = |status: &str, output: &str, usage: &str| {
        let head = head.replace("STATUS", status);
        format!(r#"{head}{output},"usage":{usage},"store":true}}"#)
    };
    let begun = response("in_progress", "[]", "null");
    let part = |text: &str| {
        format!(r#"{{"type":"output_text","annotations":[],"logprobs":[],"text":"{text}"}}"#)
    };
    let item = |status: &str, content: &str| {
        let head = r#"{"id":"msg_00ff000","type":"message","#;
        format!(r#"{head}"status":"{status}","role":"assistant","content":[{content}]}}"#)
    };
    let usage = concat!(
        r#"{"input_tokens":4,"input_tokens_details":{"cached_tokens":3,"cache_write_tokens":0},"#,
        r#""output_tokens":2,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":6}"#,
    );
    let whole = item("completed", &part("ab"));
    let place = r#""item_id":"msg_00ff000","output_index":0,"content_index":0"#;
    let frames = [
        ("created", begun.clone()),
        ("in_progress", begun),
        ("output_item.added", format!(r#""output_index":0,"item":{}"#, item("in_progress", ""))),
        ("content_part.added", format!(r#"{place},"part":{}"#, part(""))),
        ("output_text.delta", format!(r#"{place},"delta":"a","logprobs":[]"#)),
        ("output_text.delta", format!(r#"{place},"delta":"b","logprobs":[]"#)),
        ("output_text.done", format!(r#"{place},"text":"ab","logprobs":[]"#)),
        ("content_part.done", format!(r#"{place},"part":{}"#, part("ab"))),
        ("output_item.done", format!(r#""output_index":0,"item":{whole}"#)),
        ("completed", response("completed", &format!("[{whole}]"), usage)),
    ];
    let frame = |(at, (kind, rest)): (usize, &(&str, String))| {
        let data = format!(r#"{{"type":"response.{kind}","sequence_number":{at},{rest}}}"#);
        format!("event: response.{kind}\ndata: {data}\n\n")
    };
    let expected: String = frames.iter().enumerate().map(frame).collect();
    let events = vec![Event::Read(2), token(), text("a"), text("b"), end(Finish::End)];
    assert_eq!(written(stream(false), events), expected);
}

#[test]
fn reasoning_text_and_calls_are_items() {
    let call = |name: &str| Event::Call(name.to_owned());
    let arguments = |more: &str| Event::Arguments(more.to_owned());
    let events = vec![
        token(),
        reasoning("h"),
        reasoning("m"),
        text("I look."),
        call("f"),
        arguments("{\"a\":"),
        arguments(" 1}"),
        call("g"),
        end(Finish::Stop),
    ];
    let stream = written(stream(false), events);
    let pieces = pieces(&stream);
    let expected = [
        "created in_progress",
        "output_item.added reasoning_summary_part.added reasoning_summary_text.delta",
        "reasoning_summary_text.delta reasoning_summary_text.done reasoning_summary_part.done",
        "output_item.done output_item.added content_part.added output_text.delta",
        "output_text.done content_part.done output_item.done",
        "output_item.added function_call_arguments.delta function_call_arguments.delta",
        "function_call_arguments.done output_item.done",
        "output_item.added function_call_arguments.delta function_call_arguments.done",
        "output_item.done completed",
    ];
    let expected = expected.join(" ");
    assert_eq!(kinds(&pieces), expected.split(' ').collect::<Vec<_>>());
    let response = &pieces.last().unwrap()["response"];
    let call = |at: usize, name: &str, arguments: &str| {
        json!({ "id": format!("fc_00ff00{}", at + 2), "type": "function_call",
            "status": "completed", "call_id": format!("call_00ff0000{at}"), "name": name,
            "arguments": arguments })
    };
    let thought = json!({ "id": "rs_00ff000", "type": "reasoning", "status": "completed",
        "summary": [{ "type": "summary_text", "text": "hm" }] });
    assert_eq!(response["output"][0], thought);
    assert_eq!(response["output"][2], call(0, "f", "{\"a\": 1}"));
    assert_eq!(response["output"][3], call(1, "g", "{}"));
    assert_eq!(response["usage"]["output_tokens_details"]["reasoning_tokens"], 1);
    assert_eq!(pieces[2]["item"]["summary"], json!([]));
}

#[test]
fn what_is_cut_short_is_incomplete() {
    for finish in [Finish::Length, Finish::Context, Finish::Deadline, Finish::Form] {
        let stream = written(stream(false), vec![text("a"), end(finish)]);
        let pieces = pieces(&stream);
        assert_eq!(kinds(&pieces).last(), Some(&"incomplete"));
        let response = &pieces.last().unwrap()["response"];
        assert_eq!(response["status"], "incomplete");
        assert_eq!(response["incomplete_details"], json!({ "reason": "max_output_tokens" }));
        assert_eq!(response["output"][0]["status"], "incomplete");
    }
    // Who looks for a text finds one.
    let stream = written(stream(false), vec![reasoning("a"), end(Finish::Length)]);
    let output = &pieces(&stream).pop().unwrap()["response"]["output"];
    assert_eq!(
        (&output[0]["status"], &output[1]["status"]),
        (&json!("completed"), &json!("incomplete"))
    );
    assert_eq!(output[1]["content"][0]["text"], "");
}

#[test]
fn log_probabilities_belong_to_the_text() {
    let events = vec![token(), reasoning("a"), token(), token(), text("b"), token()];
    let stream = written(stream(true), [events, vec![end(Finish::End)]].concat());
    let pieces = pieces(&stream);
    let deltas = pieces.iter().filter(|piece| piece["type"] == "response.output_text.delta");
    let counts: Vec<_> = deltas.map(|piece| piece["logprobs"].as_array().unwrap().len()).collect();
    assert_eq!(counts, [2, 1]);
    let part = &pieces.last().unwrap()["response"]["output"][1]["content"][0];
    assert_eq!((part["text"].as_str(), part["logprobs"].as_array().unwrap().len()), (Some("b"), 3));
}

#[test]
fn a_fault_ends_a_stream_as_failed() {
    let mut stream = stream(false);
    let mut out = String::new();
    stream.event(0, text("a"), &mut out);
    let full = Fault { retry: Retry::Later, ..Fault::new(Side::Us, "full") };
    stream.fault(&full, &mut out);
    let pieces = pieces(&out);
    let response = &pieces.last().unwrap()["response"];
    assert_eq!((kinds(&pieces).last(), &response["status"]), (Some(&"failed"), &json!("failed")));
    assert_eq!(response["error"], json!({ "code": "overloaded", "message": "full" }));
    assert_eq!(response["output"][0]["status"], "incomplete");
    // Also where nothing was said yet.
    let mut out = String::new();
    self::stream(false).fault(&Fault::new(Side::Us, "broken"), &mut out);
    let pieces = self::pieces(&out);
    assert_eq!(kinds(&pieces), ["created", "in_progress", "failed"]);
    assert_eq!(pieces[2]["response"]["error"]["code"], "server_error");
}

#[test]
fn who_keeps_it_is_told_before_the_client() {
    let (sender, receiver) = mpsc::channel();
    let keep = move |response: &Value, said: Vec<Item>| {
        sender.send((response.clone(), said)).unwrap();
    };
    let mut stream = Stream::new(plan(false), Map::new(), Some(Box::new(keep)));
    let mut out = String::new();
    stream.event(0, text("a"), &mut out);
    assert!(receiver.try_recv().is_err());
    stream.event(0, end(Finish::End), &mut out);
    let (response, said) = receiver.try_recv().unwrap();
    assert_eq!(said, [Item::Message { role: "assistant".to_owned(), text: "a".to_owned() }]);
    assert_eq!(response, pieces(&out).pop().unwrap()["response"]);
    assert_eq!(response, stream.into_whole());
}

#[test]
fn a_call_of_a_namespace_is_told_as_one() {
    let member = json!({ "type": "function", "name": "spawn" });
    let tools = json!([{ "type": "namespace", "name": "agents", "tools": [member] }]);
    let echo = Map::from_iter([("tools".to_owned(), tools)]);
    let calls = ["agents__spawn", "other"].map(|name| Event::Call(name.to_owned()));
    let events = calls.into_iter().chain([end(Finish::End)]).collect();
    let pieces = pieces(&written(Stream::new(plan(false), echo, None), events));
    for kind in ["response.output_item.added", "response.output_item.done"] {
        let of_kind = pieces.iter().filter(|piece| piece["type"] == kind);
        let names: Vec<_> = of_kind
            .map(|it| (it["item"]["namespace"].clone(), it["item"]["name"].clone()))
            .collect();
        let spawn = (json!("agents"), json!("spawn"));
        assert_eq!(names, [spawn, (Value::Null, json!("other"))], "{kind}");
    }
}

#[test]
fn a_long_prompt_is_told_by_events() {
    let (mut stream, mut out) = (stream(false), String::new());
    stream.idle(&mut out);
    stream.idle(&mut out);
    stream.event(0, text("hi"), &mut out);
    stream.event(0, end(Finish::End), &mut out);
    let kinds: Vec<_> = pieces(&out).iter().map(|piece| piece["type"].clone()).take(4).collect();
    let waiting = "response.in_progress";
    assert_eq!(kinds, ["response.created", waiting, waiting, "response.output_item.added"]);
}
