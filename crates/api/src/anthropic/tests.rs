//! What is asked, field by field; and replies as they should be written, event by event.

#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

use serde_json::{Value, json};
use turn::{
    Account, Calls, Chat, Event, Fault, Finish, Form, Kind, Limits, Prompt, Sampling, Side, Usage,
};

use super::ask::decode_prompt;
use super::{decode, refusal, reply};
use crate::asked::UNSEEN;
use crate::plan::Plan;
use crate::said::Said;
use crate::stream::Encode;
use crate::{Asked, Manner, Refusal};

fn asked(more: &Value) -> Result<Asked, Refusal> {
    let hello = json!([{ "role": "user", "content": "hi" }]);
    let mut body = json!({ "model": "m", "max_tokens": 9, "messages": hello });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    decode(body.to_string().as_bytes())
}

fn chat(more: &Value) -> Chat {
    match asked(more).unwrap().prompts.remove(0) {
        Prompt::Chat(chat) => chat,
        other => panic!("{other:?}"),
    }
}

/// The field that is refused.
fn refused(more: &Value) -> String {
    asked(more).expect_err(&more.to_string()).field.unwrap()
}

#[test]
fn blocks_become_messages() {
    let cached = json!({ "type": "ephemeral" });
    let system = json!([
        { "type": "text", "text": "Be brief.", "cache_control": cached },
        { "type": "text", "text": "Be exact." }]);
    let messages = json!([
        { "role": "user", "content": "List." },
        { "role": "user", "content": [{ "type": "text", "text": "Please." }] },
        { "role": "assistant", "content": [
            { "type": "thinking", "thinking": "Hm.", "signature": "c2ln" },
            { "type": "redacted_thinking", "data": "eA==" },
            { "type": "text", "text": "Looking." },
            { "type": "tool_use", "id": "toolu_1", "name": "ls", "input": { "at": "/" } },
            { "type": "tool_use", "id": "toolu_2", "name": "ls", "input": {} }] },
        { "role": "user", "content": [
            { "type": "tool_result", "tool_use_id": "toolu_1", "content": "a" },
            { "type": "tool_result", "tool_use_id": "toolu_2", "is_error": true,
              "content": [{ "type": "text", "text": "b" }, { "type": "text", "text": "c" },
                          { "type": "image", "source": { "type": "base64", "data": "" } }] },
            { "type": "text", "text": "So?" }] },
        { "role": "system", "content": "Hurry." }]);
    let more = json!({ "system": system, "messages": messages });
    let call = |id: &str, arguments: Value| {
        let function = json!({ "name": "ls", "arguments": arguments });
        json!({ "id": id, "type": "function", "function": function })
    };
    let expected = json!([
        { "role": "system", "content": "Be brief.\nBe exact." },
        { "role": "user", "content": "List.\nPlease." },
        { "role": "assistant", "content": "Looking.", "reasoning_content": "Hm.",
          "tool_calls": [call("toolu_1", json!({ "at": "/" })), call("toolu_2", json!({}))] },
        { "role": "tool", "tool_call_id": "toolu_1", "content": "a" },
        { "role": "tool", "tool_call_id": "toolu_2", "content": format!("Error: b\nc\n{UNSEEN}") },
        { "role": "user", "content": "So?\n<system>\nHurry.\n</system>" }]);
    assert_eq!(Value::from(chat(&more).messages), expected);
    assert_eq!(asked(&more).unwrap().ignored, ["cache_control", "redacted_thinking", "source"]);
}

#[test]
fn settings_are_taken() {
    let asked = asked(&json!({
        "temperature": 0.5, "top_k": 3, "top_p": 0.9, "stop_sequences": ["a", " "], "stream": true,
        "metadata": { "user_id": "u" }, "service_tier": "auto", "seed": 4,
        "thinking": { "type": "enabled", "budget_tokens": 1024 },
        "output_config": { "effort": "low", "format": {
            "type": "json_schema", "schema": { "type": "object" } } } }))
    .unwrap();
    let wishes = &asked.wishes;
    assert_eq!((wishes.temperature, wishes.top_k, wishes.seed), (Some(0.5), Some(3), Some(4)));
    assert_eq!(
        (asked.limits.tokens, &asked.limits.stop[..]),
        (Some(9), &["a".into(), " ".into()][..])
    );
    assert!(asked.manner.streamed);
    assert_eq!(asked.ignored, ["metadata", "service_tier", "thinking.budget_tokens"]);
    assert_eq!(asked.demand.answer, Some(Form::Schema(json!({ "type": "object" }))));
    let Prompt::Chat(chat) = &asked.prompts[0] else { panic!() };
    let variables = json!({ "enable_thinking": true, "reasoning_effort": "low" });
    assert_eq!(Value::from(chat.variables.clone()), variables);
}

#[test]
fn tools_are_offered_and_demanded() {
    let tool = |name: &str| json!({ "name": name, "input_schema": { "type": "object" } });
    let with = |choice: Value| {
        asked(&json!({ "tools": [tool("f"), tool("g")], "tool_choice": choice })).unwrap().demand
    };
    let any = with(json!({ "type": "any" }));
    assert_eq!((any.calls, any.several, any.tools.len()), (Calls::Must, false, 2));
    let named = with(json!({ "type": "tool", "name": "g" }));
    assert_eq!((named.calls, &named.tools[0].name[..]), (Calls::Must, "g"));
    assert_eq!(with(json!({ "type": "auto" })).calls, Calls::None);
    let one = with(json!({ "type": "auto", "disable_parallel_tool_use": true }));
    assert_eq!((one.calls, one.several), (Calls::May, false));
    let none = json!({ "tools": [tool("f")], "tool_choice": { "type": "none" } });
    assert!(chat(&none).tools.is_empty());
    let shown = chat(&json!({ "tools": [tool("f")] })).tools;
    let parameters = json!({ "name": "f", "parameters": { "type": "object" } });
    assert_eq!(shown, [json!({ "type": "function", "function": parameters })]);
}

#[test]
fn what_is_wrong_is_named() {
    let image = json!({ "type": "image", "source": {} });
    let said =
        |role: &str, block: Value| json!({ "messages": [{ "role": role, "content": [block] }] });
    let cases = [
        (json!({ "max_tokens": null }), "max_tokens"),
        (json!({ "max_tokens": 0 }), "max_tokens"),
        (json!({ "messages": [] }), "messages"),
        (json!({ "messages": [{ "role": "assistant", "content": "So" }] }), "messages"),
        (json!({ "messages": [{ "role": "robot", "content": "" }] }), "messages[0].role"),
        (said("user", image), "messages[0].content[0].type"),
        (said("user", json!({ "type": "hologram" })), "messages[0].content[0].type"),
        (said("assistant", json!({ "type": "tool_result" })), "messages[0].content[0].type"),
        (said("user", json!({ "type": "text", "text": "a", "b": 1 })), "messages[0].content[0].b"),
        (json!({ "system": 7 }), "system"),
        (json!({ "stop_sequences": "x" }), "stop_sequences"),
        (json!({ "stop_sequences": [""] }), "stop_sequences"),
        (json!({ "tools": [{ "name": "x" }] }), "tools[0].input_schema"),
        (json!({ "tools": [{ "type": "bash_20250124", "name": "bash" }] }), "tools[0].type"),
        (json!({ "tool_choice": "any" }), "tool_choice"),
        (json!({ "tool_choice": { "type": "any" } }), "tool_choice"),
        (json!({ "thinking": { "type": "loud" } }), "thinking.type"),
        (json!({ "output_config": { "effort": "heroic" } }), "output_config.effort"),
        (json!({ "mcp_servers": [{}] }), "mcp_servers"),
        (
            json!({ "context_management": { "edits": [{ "type": "clear_tool_uses_20250919" }] } }),
            "context_management.edits[0]",
        ),
        (json!({ "temprature": 1 }), "temprature"),
    ];
    for (more, field) in cases {
        assert_eq!(refused(&more), field, "{more}");
    }
    assert!(asked(&json!({ "mcp_servers": [], "container": null })).is_ok());
    let hello = json!([{ "role": "user", "content": "a" }]);
    let counted = json!({ "model": "m", "messages": hello, "temperature": 0 });
    let counted = decode_prompt(counted.to_string().as_bytes()).unwrap();
    assert_eq!(counted.ignored, ["temperature"]);
}

fn plan() -> Plan {
    Plan {
        id: "00ff".to_owned(),
        created: 9,
        model: "m".to_owned(),
        fingerprint: String::new(),
        manner: Manner::default(),
        prompts: 1,
        copies: 1,
        language: None,
    }
}

const USAGE: Usage = Usage { prompt_tokens: 5, cached_tokens: 2, generated_tokens: 4 };

fn end(finish: Finish, stop: Option<&str>) -> Event {
    let account = Account::new(Vec::new(), Sampling::default(), Limits::default());
    Event::End(Box::new(Account { finish, usage: USAGE, stop: stop.map(str::to_owned), ..account }))
}

fn called() -> Vec<Event> {
    vec![
        Event::Begun(Usage { generated_tokens: 0, ..USAGE }),
        Event::Read(5),
        Event::Reasoning("h".to_owned()),
        Event::Reasoning("m".to_owned()),
        Event::Text("so".to_owned()),
        Event::Call("f".to_owned()),
        Event::Arguments("{\"a\"".to_owned()),
        Event::Arguments(": 1}".to_owned()),
        Event::Call("g".to_owned()),
        end(Finish::End, None),
    ]
}

fn streamed(events: Vec<Event>) -> Vec<Value> {
    let (mut stream, mut out) = (reply::Stream::new(plan()), String::new());
    events.into_iter().for_each(|event| stream.event(0, event, &mut out));
    let frame = |frame: &str| {
        let (name, data) = frame.split_once("\ndata: ").unwrap();
        let data: Value = data.parse().unwrap();
        assert_eq!(name, format!("event: {}", data["type"].as_str().unwrap()));
        data
    };
    out.split_terminator("\n\n").map(frame).collect()
}

fn usage(output: usize) -> Value {
    json!({ "input_tokens": 3, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 2,
            "output_tokens": output })
}

#[test]
fn a_stream_event_by_event() {
    let of = |kind: &str, index: usize, name: &str, value: Value| {
        let mut event = json!({ "type": format!("content_block_{kind}"), "index": index });
        event[name] = value;
        event
    };
    let start = |index, block| of("start", index, "content_block", block);
    let delta = |index, delta| of("delta", index, "delta", delta);
    let stop = |index: usize| json!({ "type": "content_block_stop", "index": index });
    let call = |index: usize, name: &str| {
        let id = format!("toolu_00ff0000{index}");
        json!({ "type": "tool_use", "id": id, "name": name, "input": {} })
    };
    let part = |json: &str| json!({ "type": "input_json_delta", "partial_json": json });
    let message = json!({ "id": "msg_00ff", "type": "message", "role": "assistant", "model": "m",
        "content": [], "stop_reason": null, "stop_sequence": null, "usage": usage(0) });
    let expected = [
        json!({ "type": "message_start", "message": message }),
        start(0, json!({ "type": "thinking", "thinking": "", "signature": "" })),
        delta(0, json!({ "type": "thinking_delta", "thinking": "h" })),
        delta(0, json!({ "type": "thinking_delta", "thinking": "m" })),
        stop(0),
        start(1, json!({ "type": "text", "text": "" })),
        delta(1, json!({ "type": "text_delta", "text": "so" })),
        stop(1),
        start(2, call(0, "f")),
        delta(2, part("{\"a\"")),
        delta(2, part(": 1}")),
        stop(2),
        start(3, call(1, "g")),
        stop(3),
        json!({ "type": "message_delta", "usage": usage(4),
                "delta": { "stop_reason": "tool_use", "stop_sequence": null } }),
        json!({ "type": "message_stop" }),
    ];
    assert_eq!(streamed(called()), expected);
}

#[test]
fn a_whole_reply_says_the_same() {
    let mut said = Said::default();
    called().into_iter().for_each(|event| said.take(event, &plan()));
    let reply: Value = reply::whole(&plan(), vec![said]).parse().unwrap();
    let expected = json!([
        { "type": "thinking", "thinking": "hm", "signature": "" },
        { "type": "text", "text": "so" },
        { "type": "tool_use", "id": "toolu_00ff00000", "name": "f", "input": { "a": 1 } },
        { "type": "tool_use", "id": "toolu_00ff00001", "name": "g", "input": {} }]);
    assert_eq!(reply["content"], expected);
    assert_eq!((&reply["stop_reason"], &reply["usage"]), (&json!("tool_use"), &usage(4)));
}

#[test]
fn a_call_that_was_cut_short_is_no_other_call() {
    let events = vec![
        Event::Call("f".to_owned()),
        Event::Arguments("{\"a\": ".to_owned()),
        end(Finish::Length, None),
    ];
    let mut said = Said::default();
    events.into_iter().for_each(|event| said.take(event, &plan()));
    let reply: Value = reply::whole(&plan(), vec![said]).parse().unwrap();
    assert_eq!(reply["content"], json!([{ "type": "text", "text": "f {\"a\": " }]));
    assert_eq!(reply["stop_reason"], "max_tokens");
}

#[test]
fn reasons_are_told_apart() {
    for (finish, stop, reason) in [
        (Finish::End, None, "end_turn"),
        (Finish::Stop, Some("x"), "stop_sequence"),
        (Finish::Length, None, "max_tokens"),
        (Finish::Context, None, "model_context_window_exceeded"),
    ] {
        let events = streamed(vec![end(finish, stop)]);
        assert_eq!(events[0]["type"], "message_start");
        let delta = json!({ "stop_reason": reason, "stop_sequence": stop });
        assert_eq!(events[1]["delta"], delta);
    }
}

#[test]
fn refusals_have_their_words() {
    let kind = Kind::TooLong { needed: 9, context: 8 };
    let fault = Fault { kind, ..Fault::new(Side::Caller, "no") };
    let body = refusal(&fault.clone().into(), axum::http::StatusCode::BAD_REQUEST, "req_1");
    let error = json!({ "type": "invalid_request_error",
                        "message": "prompt is too long: 9 tokens > 8 maximum" });
    assert_eq!(body, json!({ "type": "error", "error": error, "request_id": "req_1" }));
    let mut out = String::new();
    reply::Stream::new(plan()).fault(&fault, &mut out);
    assert!(out.starts_with("event: error\ndata: {\"type\":\"error\""), "{out}");
}

/// The fuzzer's seeds; their names say which are refused.
#[test]
fn the_corpus_is_decoded_or_refused() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/anthropic");
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap()).collect();
    assert!(files.len() > 5, "only {} bodies", files.len());
    for file in files {
        let (name, data) = (file.file_name(), std::fs::read(file.path()).unwrap());
        let is_sound = decode(&data).is_ok() || decode_prompt(&data).is_ok();
        let should = !name.to_string_lossy().starts_with("refused");
        assert_eq!(is_sound, should, "{}", name.display());
        super::probe(&data);
    }
}
