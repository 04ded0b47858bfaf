//! Replies as they should be written, byte for byte.

#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

use std::sync::Arc;

use serde_json::{Value, json};
use turn::{Account, Choice, Event, Fault, Finish, Limits, Prompt, Sampling, Side, Tool, Usage};

use super::{chat_reply, text_reply};
use crate::plan::Plan;
use crate::said::Said;
use crate::stream::Encode;
use crate::{Language, Manner, TextOptions};

fn plan(manner: Manner, copies: usize) -> Plan {
    Plan {
        id: "00ff".to_owned(),
        created: 9,
        model: "m".to_owned(),
        fingerprint: "fp".to_owned(),
        manner,
        prompts: 1,
        copies,
        language: Some(Arc::new(Letters)),
    }
}

/// Its first token is half a character, the others are letters.
struct Letters;

impl Language for Letters {
    fn bytes_of(&self, token: u32) -> &[u8] {
        const LETTERS: &[u8] = b"abcdefgh";
        match token as usize {
            0 => b"\xf0\x9f",
            token => &LETTERS[token..=token],
        }
    }

    fn read(&self, _: &Prompt, _: &[Tool]) -> Result<Vec<u32>, Fault> {
        Ok(Vec::new())
    }

    fn reads(&self, _: &str) -> bool {
        false
    }

    fn tokens_of(&self, _: &str, _: TextOptions) -> Vec<u32> {
        Vec::new()
    }

    fn text_of(&self, _: &[u32]) -> String {
        String::new()
    }

    fn piece(&self, _: u32) -> &str {
        ""
    }
}

fn token(token: u32) -> Event {
    Event::Token(Choice { token, logprob: -0.5, top: vec![(token, -0.5), (0, f32::NEG_INFINITY)] })
}

fn text(text: &str) -> Event {
    Event::Text(text.to_owned())
}

fn end(finish: Finish, generated_tokens: usize) -> Event {
    let account = Account::new(Vec::new(), Sampling::default(), Limits::default());
    let usage = Usage { prompt_tokens: 4, cached_tokens: 3, generated_tokens };
    Event::End(Box::new(Account { finish, usage, ..account }))
}

fn streamed(mut encoder: impl Encode, events: Vec<(usize, Event)>) -> String {
    let mut out = String::new();
    events.into_iter().for_each(|(at, event)| encoder.event(at, event, &mut out));
    out
}

/// The chunks, and whether `[DONE]` came last.
fn chunks(stream: &str) -> (Vec<Value>, bool) {
    let frames: Vec<_> = stream.split_terminator("\n\n").collect();
    let data = frames.iter().map(|frame| frame.strip_prefix("data: ").unwrap());
    let done = frames.last() == Some(&"data: [DONE]");
    let chunks = data.filter(|data| *data != "[DONE]").map(|data| data.parse().unwrap());
    (chunks.collect(), done)
}

fn choices(stream: &str) -> Vec<Value> {
    let (chunks, done) = chunks(stream);
    assert!(done, "{stream}");
    chunks.iter().map(|chunk| chunk["choices"][0].clone()).collect()
}

fn said(events: Vec<(usize, Event)>, plan: &Plan) -> Vec<Said> {
    let mut said = vec![Said::default(); plan.choices()];
    events.into_iter().for_each(|(at, event)| said[at].take(event, plan));
    said
}

const STREAM: Manner = Manner { streamed: true, with_usage: false, logprobs: false };

#[test]
fn a_stream_byte_for_byte() {
    let events = vec![(0, Event::Read(2)), (0, token(1)), (0, text("b")), (0, end(Finish::End, 2))];
    let manner = Manner { with_usage: true, ..STREAM };
    let head = concat!(
        r#"data: {"id":"chatcmpl-00ff","object":"chat.completion.chunk","created":9,"#,
        r#""model":"m","system_fingerprint":"fp","choices":["#,
    );
    let choice = |delta: &str, finish: &str| {
        let rest = format!(r#""logprobs":null,"finish_reason":{finish}}}]}}"#);
        format!(r#"{head}{{"index":0,"delta":{delta},{rest}"#)
    };
    let usage = concat!(
        r#"],"usage":{"prompt_tokens":4,"completion_tokens":2,"total_tokens":6,"#,
        r#""prompt_tokens_details":{"cached_tokens":3},"#,
        r#""completion_tokens_details":{"reasoning_tokens":0}}}"#,
    );
    let frames = [
        choice(r#"{"role":"assistant","content":""}"#, "null"),
        choice(r#"{"content":"b"}"#, "null"),
        choice("{}", r#""stop""#),
        format!("{head}{usage}"),
        "data: [DONE]".to_owned(),
    ];
    let expected: String = frames.iter().map(|frame| format!("{frame}\n\n")).collect();
    assert_eq!(streamed(chat_reply::Stream::new(plan(manner, 1)), events), expected);
}

fn called() -> Vec<(usize, Event)> {
    let events = vec![
        token(1),
        Event::Reasoning("hm".to_owned()),
        token(2),
        token(3),
        Event::Call("f".to_owned()),
        Event::Arguments("{\"a\":".to_owned()),
        token(4),
        Event::Arguments(" 1}".to_owned()),
        Event::Call("g".to_owned()),
        end(Finish::End, 4),
    ];
    events.into_iter().map(|event| (0, event)).collect()
}

#[test]
fn calls_are_streamed_argument_by_argument() {
    let choices = choices(&streamed(chat_reply::Stream::new(plan(STREAM, 1)), called()));
    let deltas: Vec<_> = choices.iter().map(|choice| choice["delta"].clone()).collect();
    let begin = |index: usize, name: &str| {
        let function = json!({ "name": name, "arguments": "" });
        let id = format!("call_00ff0000{index}");
        json!({ "tool_calls": [
            { "index": index, "id": id, "type": "function", "function": function }] })
    };
    let more = |index: usize, arguments: &str| {
        let function = json!({ "arguments": arguments });
        json!({ "tool_calls": [{ "index": index, "function": function }] })
    };
    let expected = [
        json!({ "role": "assistant", "content": "" }),
        json!({ "reasoning_content": "hm", "reasoning": "hm" }),
        begin(0, "f"),
        more(0, "{\"a\":"),
        more(0, " 1}"),
        begin(1, "g"),
        more(1, "{}"),
        json!({}),
    ];
    assert_eq!(deltas, expected);
    assert_eq!(choices.last().unwrap()["finish_reason"], "tool_calls");
}

#[test]
fn a_whole_reply_with_calls() {
    let plan = plan(Manner::default(), 1);
    let said = said(called(), &plan);
    let reply: Value = chat_reply::whole(&plan, said).parse().unwrap();
    let choice = &reply["choices"][0];
    assert_eq!(reply["object"], "chat.completion");
    assert_eq!(choice["message"]["content"], Value::Null);
    assert_eq!(choice["message"]["reasoning"], "hm");
    assert_eq!(choice["message"]["tool_calls"][0]["function"]["arguments"], "{\"a\": 1}");
    assert_eq!(choice["message"]["tool_calls"][1]["function"]["arguments"], "{}");
    assert_eq!(
        (&choice["logprobs"], &choice["finish_reason"]),
        (&Value::Null, &"tool_calls".into())
    );
    assert_eq!(reply["usage"]["completion_tokens_details"]["reasoning_tokens"], 1);
    assert_eq!(reply["usage"]["total_tokens"], 8);
}

#[test]
fn choices_are_told_apart_and_the_prompt_counts_once() {
    let events = vec![
        (1, text("x")),
        (0, text("y")),
        (1, end(Finish::Length, 1)),
        (0, text("z")),
        (0, end(Finish::Stop, 2)),
    ];
    let manner = Manner { with_usage: true, ..STREAM };
    let stream = streamed(chat_reply::Stream::new(plan(manner, 2)), events.clone());
    let (chunks, done) = chunks(&stream);
    assert!(done);
    let of = |index: usize| {
        let choices = chunks.iter().filter_map(|chunk| chunk["choices"].get(0));
        let mine = choices.filter(|choice| choice["index"] == index);
        mine.map(|choice| choice["delta"]["content"].as_str().unwrap_or("!")).collect::<String>()
    };
    assert_eq!((of(0), of(1)), ("yz!".to_owned(), "x!".to_owned()));
    assert_eq!(chunks.last().unwrap()["usage"]["total_tokens"], 7);
    let plan = plan(manner, 2);
    let whole: Value = chat_reply::whole(&plan, said(events, &plan)).parse().unwrap();
    let reasons = [&whole["choices"][0]["finish_reason"], &whole["choices"][1]["finish_reason"]];
    assert_eq!(reasons, ["stop", "length"]);
    assert_eq!(whole["usage"]["total_tokens"], 7);
}

#[test]
fn log_probabilities_come_with_their_text() {
    let manner = Manner { logprobs: true, ..STREAM };
    // The first token is half a character: its text comes with the second.
    let events = vec![(0, token(0)), (0, token(1)), (0, text("?b")), (0, token(2))];
    let events = [events, vec![(0, end(Finish::Length, 3))]].concat();
    let choices = choices(&streamed(chat_reply::Stream::new(plan(manner, 1)), events.clone()));
    let rows: Vec<_> = choices.iter().map(|it| it["logprobs"]["content"].as_array()).collect();
    let counts: Vec<_> = rows.iter().map(|rows| rows.map_or(0, Vec::len)).collect();
    assert_eq!(counts, [0, 2, 1, 0]);
    let row = json!({ "token": "b", "logprob": -0.5, "bytes": [98], "top_logprobs": [
        { "token": "b", "logprob": -0.5, "bytes": [98] },
        { "token": "\u{fffd}", "logprob": -9999.0, "bytes": [240, 159] }] });
    assert_eq!(rows[1].unwrap()[1], row);
    let plan = plan(manner, 1);
    let whole: Value = chat_reply::whole(&plan, said(events, &plan)).parse().unwrap();
    assert_eq!(whole["choices"][0]["logprobs"]["content"][1], row);
}

#[test]
fn completions_have_lists() {
    let manner = Manner { logprobs: true, ..STREAM };
    let events = vec![(0, token(0)), (0, token(1)), (0, text("?b")), (0, end(Finish::Length, 2))];
    let lists = json!({
        "tokens": ["bytes:\\xf0\\x9f", "b"],
        "token_logprobs": [-0.5, -0.5],
        "top_logprobs": [
            { "bytes:\\xf0\\x9f": -0.5 }, { "b": -0.5, "bytes:\\xf0\\x9f": -9999.0 }],
        "text_offset": [0, 1],
    });
    let plain = plan(manner, 1);
    let whole: Value = text_reply::whole(&plain, said(events.clone(), &plain)).parse().unwrap();
    let choice = json!({ "index": 0, "text": "?b", "logprobs": lists, "finish_reason": "length" });
    assert_eq!(whole["choices"][0], choice);
    let choices = choices(&streamed(text_reply::Stream::new(plan(manner, 1)), events));
    assert_eq!(
        choices[0],
        json!({ "index": 0, "text": "?b", "logprobs": lists, "finish_reason": null })
    );
    assert_eq!(choices[1]["finish_reason"], "length");
    assert_eq!(choices.len(), 2);
}

#[test]
fn a_fault_is_what_clients_raise() {
    let mut out = String::new();
    let fault = Fault::new(Side::Us, "broken");
    chat_reply::Stream::new(plan(STREAM, 1)).fault(&fault, &mut out);
    let expected =
        r#"data: {"error":{"message":"broken","type":"server_error","param":null,"code":null}}"#;
    assert_eq!(out, format!("{expected}\n\n"));
}
