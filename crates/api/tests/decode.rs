//! Each field of a request is honoured, refused by its name, or noted as ignored.

#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

use api::openai::{decode_chat, decode_completion};
use api::{Asked, Refusal};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use turn::{Calls, Chat, Form, Kind, Prompt, Side, Turn};

fn body(base: &Value, more: &Value) -> Vec<u8> {
    let mut body = base.as_object().unwrap().clone();
    body.extend(more.as_object().unwrap().clone());
    Value::Object(body).to_string().into_bytes()
}

fn chat(more: &Value) -> Result<Asked, Refusal> {
    let base = json!({ "model": "m", "messages": [{ "role": "user", "content": "hi" }] });
    decode_chat(&body(&base, more))
}

fn complete(more: &Value) -> Result<Asked, Refusal> {
    decode_completion(&body(&json!({ "model": "m", "prompt": "p" }), more))
}

fn turn(more: &Value) -> Turn {
    chat(more).unwrap().turns(7).next().unwrap()
}

fn conversation(more: &Value) -> Chat {
    match (*turn(more).prompt).clone() {
        Prompt::Chat(chat) => chat,
        other => panic!("{other:?}"),
    }
}

/// Each of these bodies is refused with this field.
fn refused(decode: fn(&Value) -> Result<Asked, Refusal>, cases: &[(&str, Value)]) {
    for (field, more) in cases {
        let refusal = decode(more).expect_err(&more.to_string());
        assert_eq!(refusal.field.as_deref(), Some(*field), "{more}: {}", refusal.fault);
        assert_eq!((refusal.fault.side, refusal.fault.kind), (Side::Caller, Kind::Plain), "{more}");
        assert!(refusal.fault.message.contains(field), "{more}: {}", refusal.fault);
    }
}

fn tool(name: &str) -> Value {
    let schema = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
    let function = json!({ "name": name, "description": "d", "parameters": schema });
    json!({ "type": "function", "function": function })
}

fn strict(name: &str) -> Value {
    let mut tool = tool(name);
    tool["function"]["strict"] = true.into();
    tool
}

/// Clients of other local servers spell some things their own way.
#[test]
fn other_spellings_are_honoured() {
    let turn = turn(&json!({ "repeat_penalty": 1.5 }));
    assert_eq!(turn.wishes.repetition_penalty, Some(1.5));
    let schema = json!({ "type": "object", "properties": { "a": { "type": "null" } } });
    let format = json!({ "type": "json_object", "schema": schema });
    let turn = self::turn(&json!({ "response_format": format }));
    assert_eq!(turn.demand.answer, Some(Form::Schema(schema)));
    let more = json!({ "tools": [tool("f"), { "type": "web_search", "external_web_access": true }],
        "store": true, "verbosity": "low" });
    let asked = chat(&more).unwrap();
    assert_eq!(asked.ignored, ["store", "verbosity", "tools[1].web_search"]);
    assert_eq!(conversation(&more).tools.len(), 1);
}

#[test]
fn the_least_that_can_be_asked() {
    let asked = chat(&json!({})).unwrap();
    assert_eq!((asked.model.as_str(), asked.copies, asked.ignored.len()), ("m", 1, 0));
    assert_eq!(asked.manner, api::Manner::default());
    let turn = asked.turns(7).next().unwrap();
    assert_eq!(
        (turn.wishes.seed, turn.wishes.temperature, turn.limits.tokens),
        (Some(7), None, None)
    );
    assert_eq!(turn.demand, turn::Demand::default());
    assert_eq!(conversation(&json!({})).messages, [json!({ "role": "user", "content": "hi" })]);
}

#[test]
fn settings_are_honoured() {
    let turn = turn(&json!({
        "temperature": 1, "top_p": 0.5, "top_k": 20, "min_p": 0.05, "repetition_penalty": 1.1,
        "frequency_penalty": -2, "presence_penalty": 2, "seed": -1, "max_tokens": 5,
        "logit_bias": { "68": 100, "7": -0.5 }, "stop": ["a", "b"], "keep_alive": "5m",
    }));
    let wishes = &turn.wishes;
    assert_eq!((wishes.temperature, wishes.top_p, wishes.top_k), (Some(1.0), Some(0.5), Some(20)));
    assert_eq!((wishes.min_p, wishes.repetition_penalty), (Some(0.05), Some(1.1)));
    assert_eq!((wishes.frequency_penalty, wishes.presence_penalty), (Some(-2.0), Some(2.0)));
    assert_eq!(wishes.seed, Some(u64::MAX));
    assert_eq!(wishes.logit_bias, Some(vec![(7, -0.5), (68, 100.0)]));
    assert_eq!((turn.limits.tokens, turn.limits.stop), (Some(5), vec!["a".into(), "b".into()]));
    assert_eq!(turn.keep, Some(Some(std::time::Duration::from_secs(300))));
    let turn = self::turn(&json!({ "stop": "x", "keep_alive": -1, "max_completion_tokens": 4,
        "max_tokens": 4, "top_k": -1, "logprobs": true, "top_logprobs": 3 }));
    assert_eq!((turn.limits.tokens, turn.limits.stop), (Some(4), vec!["x".to_owned()]));
    assert_eq!((turn.keep, turn.wishes.top_k), (Some(None), Some(0)));
    assert_eq!(turn.wishes.top_logprobs, Some(3));
}

#[test]
fn copies_differ_by_their_seeds() {
    let seeds = |more: &Value| {
        let asked = chat(more).unwrap();
        asked.turns(7).map(|turn| turn.wishes.seed.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(seeds(&json!({ "n": 3 })), [7, 8, 9]);
    assert_eq!(seeds(&json!({ "n": 2, "seed": u64::MAX })), [u64::MAX, 0]);
}

#[test]
fn null_is_absent_everywhere() {
    let names = "temperature top_p n stop seed stream stream_options tools tool_choice \
        response_format logprobs top_logprobs logit_bias user frequency_penalty presence_penalty \
        max_completion_tokens max_tokens parallel_tool_calls reasoning_effort metadata store \
        functions function_call audio modalities something_new";
    let nulls: Map<String, Value> =
        names.split_whitespace().map(|name| (name.to_owned(), Value::Null)).collect();
    assert_eq!(chat(&nulls.into()).unwrap(), chat(&json!({})).unwrap());
}

#[test]
fn wrong_fields_are_refused_by_name() {
    let part = |part: Value| json!({ "messages": [{ "role": "user", "content": [part] }] });
    let said = |more: Value| json!({ "messages": [more] });
    refused(
        chat,
        &[
            ("model", json!({ "model": 7 })),
            ("model", json!({ "model": null })),
            ("model", json!({ "model": "" })),
            ("messages", json!({ "messages": "hi" })),
            ("messages", json!({ "messages": [] })),
            ("messages[0]", json!({ "messages": [7] })),
            ("messages[0].role", said(json!({}))),
            ("messages[0].content", said(json!({ "role": "user" }))),
            ("messages[0].content", said(json!({ "role": "assistant" }))),
            ("messages[0].role", said(json!({ "role": "robot", "content": "x" }))),
            ("messages[0].role", said(json!({ "role": "function", "content": "x" }))),
            ("messages[0].content", said(json!({ "role": "user", "content": 7 }))),
            ("messages[0].tool_call_id", said(json!({ "role": "tool", "content": "x" }))),
            ("messages[0].colour", said(json!({ "role": "user", "content": "", "colour": 1 }))),
            ("messages[0].content[0].type", part(json!({ "type": "hologram" }))),
            ("messages[0].content[0].type", part(json!({ "type": "image_url", "image_url": {} }))),
            ("messages[0].content[0].text", part(json!({ "type": "text" }))),
            ("temperature", json!({ "temperature": "hot" })),
            ("temperature", json!({ "temperature": -0.5 })),
            ("temperature", json!({ "temperature": 2.1 })),
            ("top_p", json!({ "top_p": 1.5 })),
            ("top_k", json!({ "top_k": 1e30 })),
            ("min_p", json!({ "min_p": -1 })),
            ("max_tokens", json!({ "max_tokens": 0 })),
            ("max_tokens", json!({ "max_tokens": 1.5 })),
            ("max_tokens", json!({ "max_tokens": 1e30 })),
            ("max_tokens", json!({ "max_tokens": 5, "max_completion_tokens": 6 })),
            ("n", json!({ "n": 0 })),
            ("n", json!({ "n": 17 })),
            ("stop", json!({ "stop": [7] })),
            ("stop", json!({ "stop": "" })),
            ("stop", json!({ "stop": vec!["x"; 65] })),
            ("seed", json!({ "seed": 1.5 })),
            ("stream", json!({ "stream": "yes" })),
            ("stream_options", json!({ "stream_options": 7 })),
            ("stream_options.x", json!({ "stream_options": { "x": 1 } })),
            ("logit_bias", json!({ "logit_bias": [1] })),
            ("logit_bias", json!({ "logit_bias": { "x": 1 } })),
            ("logit_bias", json!({ "logit_bias": { "5": 101 } })),
            ("logprobs", json!({ "logprobs": 7 })),
            ("top_logprobs", json!({ "logprobs": true, "top_logprobs": 21 })),
            ("top_logprobs", json!({ "top_logprobs": 2 })),
            ("response_format", json!({ "response_format": "json" })),
            ("response_format.type", json!({ "response_format": {} })),
            ("response_format.type", json!({ "response_format": { "type": "yaml" } })),
            (
                "response_format.json_schema",
                json!({ "response_format": { "type": "json_schema" } }),
            ),
            ("keep_alive", json!({ "keep_alive": "soon" })),
            ("reasoning_effort", json!({ "reasoning_effort": "very" })),
        ],
    );
}

#[test]
fn what_is_not_served_is_refused_by_name() {
    refused(
        chat,
        &[
            ("functions", json!({ "functions": [] })),
            ("function_call", json!({ "function_call": "auto" })),
            ("audio", json!({ "audio": {} })),
            ("web_search_options", json!({ "web_search_options": {} })),
            ("modalities[1]", json!({ "modalities": ["text", "audio"] })),
            ("store", json!({ "store": "yes" })),
            ("verbosity", json!({ "verbosity": "much" })),
            ("moderation", json!({ "moderation": {} })),
            ("temprature", json!({ "temprature": 0.5 })),
        ],
    );
    refused(
        complete,
        &[
            ("echo", json!({ "echo": true })),
            ("best_of", json!({ "best_of": 2 })),
            ("messages", json!({ "messages": [] })),
        ],
    );
}

#[test]
fn bodies_that_are_no_object_are_refused() {
    let twice = br#"{"model": "m", "model": "n", "messages": []}"#;
    for body in [&b""[..], b"[]", b"{\"model\": ", b"{} x", b"\xff", twice, &vec![b'['; 100_000]] {
        assert_eq!(decode_chat(body).unwrap_err().fault.side, Side::Caller);
        assert!(decode_completion(body).is_err());
    }
}

#[test]
fn what_changes_nothing_is_noted() {
    let asked = chat(&json!({
        "user": "u", "metadata": { "a": "b" }, "store": false, "service_tier": "auto",
        "safety_identifier": "s", "prompt_cache_key": "k", "prediction": {}, "verbosity": "medium",
        "parallel_tool_calls": true, "stream_options": { "include_usage": true },
        "messages": [{ "role": "user", "content": "x", "cache_control": {}, "annotations": [] }],
        "options": { "num_ctx": 4096, "num_predict": 5 },
    }));
    let ignored = asked.unwrap().ignored;
    for name in "user metadata store service_tier safety_identifier prompt_cache_key prediction \
        verbosity parallel_tool_calls stream_options cache_control options.num_ctx"
        .split_whitespace()
    {
        assert!(ignored.iter().any(|known| known == name), "{name}: {ignored:?}");
    }
    assert_eq!(ignored.len(), 12, "{ignored:?}");
}

#[test]
fn conversations_are_as_templates_take_them() {
    let call = |arguments: &str| {
        let function = json!({ "name": "f", "arguments": arguments });
        let mut call = json!({ "id": "c", "type": "function", "function": function, "index": 0 });
        // As OpenAI's own client keeps it.
        call["function"]["parsed_arguments"] = json!({ "x": 1 });
        call
    };
    let chat = conversation(&json!({ "messages": [
        { "role": "developer", "content": "Be brief." },
        { "role": "user", "content": [
            { "type": "text", "text": "a" }, { "type": "text", "text": "b" }] },
        { "role": "assistant", "content": null, "reasoning": "hm",
          "tool_calls": [call(r#"{"b": 1, "a": 2}"#), call("{broken"), call("")] },
        { "role": "tool", "tool_call_id": "c", "content": "4", "name": "f" },
        { "role": "assistant", "content": "4.", "refusal": null, "audio": null, "parsed": 4 },
    ] }));
    let calls = chat.messages[2]["tool_calls"].as_array().unwrap();
    let arguments: Vec<_> = calls.iter().map(|call| &call["function"]["arguments"]).collect();
    assert_eq!(arguments, [&json!({ "b": 1, "a": 2 }), &json!("{broken"), &json!({})]);
    assert_eq!(arguments[0].to_string(), r#"{"b":1,"a":2}"#);
    assert_eq!(chat.messages[0], json!({ "role": "system", "content": "Be brief." }));
    assert_eq!(chat.messages[1], json!({ "role": "user", "content": "ab" }));
    assert_eq!(chat.messages[2]["content"], "");
    assert_eq!(chat.messages[2]["reasoning_content"], "hm");
    let result = json!({ "role": "tool", "name": "f", "content": "4", "tool_call_id": "c" });
    assert_eq!(chat.messages[3], result);
    assert_eq!(chat.messages[4], json!({ "role": "assistant", "content": "4." }));
}

#[test]
fn efforts_become_variables() {
    let variables = |more: &Value| Value::Object(conversation(more).variables);
    assert_eq!(
        variables(&json!({ "reasoning_effort": "low" })),
        json!({ "reasoning_effort": "low" })
    );
    assert_eq!(
        variables(&json!({ "reasoning_effort": "none" })),
        json!({ "enable_thinking": false })
    );
    for more in [json!({ "enable_thinking": false }), json!({ "thinking": { "type": "disabled" } })]
    {
        assert_eq!(variables(&more), json!({ "enable_thinking": false }));
    }
    let more = json!({ "reasoning": { "effort": "none" },
        "chat_template_kwargs": { "enable_thinking": true, "x": [1] } });
    assert_eq!(variables(&more), json!({ "enable_thinking": true, "x": [1] }));
}

#[test]
fn tools_are_offered_and_calls_promised() {
    let of = |more: Value| {
        let mut base = json!({ "tools": [tool("f"), tool("g")] });
        base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let turn = turn(&base);
        let Prompt::Chat(chat) = (*turn.prompt).clone() else { panic!("no chat") };
        let names: Vec<_> = turn.demand.tools.iter().map(|tool| tool.name.clone()).collect();
        (chat.tools.len(), turn.demand.calls, names.join(" "), turn.demand.several)
    };
    let named = json!({ "type": "function", "function": { "name": "g" } });
    let allowed = |mode: &str| {
        json!({ "type": "allowed_tools",
        "allowed_tools": { "mode": mode, "tools": [named] } })
    };
    let both = || "f g".to_owned();
    assert_eq!(of(json!({})), (2, Calls::None, both(), true));
    assert_eq!(of(json!({ "tool_choice": "none" })), (0, Calls::None, String::new(), false));
    assert_eq!(of(json!({ "tool_choice": "required" })), (2, Calls::Must, both(), false));
    assert_eq!(of(json!({ "tool_choice": named })), (2, Calls::Must, "g".to_owned(), false));
    assert_eq!(of(json!({ "tool_choice": allowed("auto") })), (2, Calls::May, "g".into(), true));
    assert_eq!(
        of(json!({ "tool_choice": allowed("required") })),
        (2, Calls::Must, "g".into(), false)
    );
    let both_asked = json!({ "tool_choice": "required", "parallel_tool_calls": true });
    assert_eq!(of(both_asked), (2, Calls::Must, both(), true));
    assert_eq!(of(json!({ "parallel_tool_calls": false })), (2, Calls::May, both(), false));
    let form = json!({ "response_format": { "type": "json_object" } });
    assert_eq!(of(form), (2, Calls::May, both(), true));
    assert_eq!(of(json!({ "tools": [tool("f"), strict("g")] })), (2, Calls::May, both(), true));
    assert_eq!(conversation(&json!({ "tools": [strict("g")] })).tools, [tool("g")]);
}

#[test]
fn wrong_tools_are_refused_by_name() {
    let with = |more: Value| json!({ "tools": [more] });
    let choice = |choice: Value| json!({ "tools": [tool("f")], "tool_choice": choice });
    refused(
        chat,
        &[
            ("tools", json!({ "tools": 7 })),
            ("tools[0]", with(json!(7))),
            ("tools[0].function", with(json!({ "type": "function" }))),
            (
                "tools[0].function.name",
                with(json!({ "type": "function", "function": { "name": "" } })),
            ),
            ("tools[0].type", with(json!({ "type": "custom", "custom": {} }))),
            ("tools[1]", json!({ "tools": [tool("f"), tool("f")] })),
            ("tool_choice", choice(json!(7))),
            ("tool_choice", choice(json!("perhaps"))),
            ("tool_choice.function", choice(json!({ "type": "function" }))),
            (
                "tool_choice",
                choice(json!({ "type": "function", "function": { "name": "absent" } })),
            ),
            ("tool_choice", json!({ "tool_choice": "required" })),
        ],
    );
}

#[test]
fn forms_are_honoured() {
    let form = |more: Value| turn(&more).demand.answer;
    let schema = json!({ "type": "integer" });
    let named = json!({ "name": "x", "strict": true, "schema": schema });
    let format = |kind: &str| json!({ "response_format": { "type": kind } });
    assert_eq!(form(format("text")), None);
    assert_eq!(form(format("json_object")), Some(Form::Schema(json!({ "type": "object" }))));
    let given = json!({ "response_format": { "type": "json_schema", "json_schema": named } });
    assert_eq!(form(given), Some(Form::Schema(schema.clone())));
    assert_eq!(form(json!({ "guided_json": schema.to_string() })), Some(Form::Schema(schema)));
    assert_eq!(form(json!({ "guided_regex": "a+" })), Some(Form::Regex("a+".into())));
    let outputs = json!({ "structured_outputs": { "choice": ["a", "b"] } });
    assert_eq!(form(outputs), Some(Form::Choice(vec!["a".into(), "b".into()])));
    refused(
        chat,
        &[
            ("response_format", json!({ "guided_regex": "a", "guided_grammar": "start: \"a\"" })),
            ("structured_outputs.choice", json!({ "structured_outputs": { "choice": [] } })),
        ],
    );
}

#[test]
fn completions_take_each_kind_of_prompt() {
    let prompts = |more: Value| complete(&more).unwrap().prompts;
    let text = |text: &str| Prompt::Text(text.to_owned());
    assert_eq!(prompts(json!({})), [text("p")]);
    assert_eq!(prompts(json!({ "prompt": ["a", "b"] })), [text("a"), text("b")]);
    assert_eq!(prompts(json!({ "prompt": [1, 2] })), [Prompt::Tokens(vec![1, 2])]);
    let two = [Prompt::Tokens(vec![1]), Prompt::Tokens(vec![2, 3])];
    assert_eq!(prompts(json!({ "prompt": [[1], [2, 3]] })), two);
    let gap = Prompt::Gap { before: "p".into(), after: "s".into() };
    assert_eq!(prompts(json!({ "suffix": "s" })), [gap]);
    let asked = complete(&json!({ "prompt": ["a", "b"], "n": 2, "best_of": 2, "logprobs": 0 }));
    let asked = asked.unwrap();
    assert_eq!(
        (asked.turns(0).count(), asked.manner.logprobs, asked.limits.tokens),
        (4, true, Some(16))
    );
    refused(
        complete,
        &[
            ("prompt", json!({ "prompt": null })),
            ("prompt", json!({ "prompt": [] })),
            ("prompt", json!({ "prompt": [-1] })),
            ("prompt", json!({ "prompt": ["a", 1] })),
            ("prompt", json!({ "prompt": vec!["a"; 129] })),
            ("suffix", json!({ "prompt": [1], "suffix": "s" })),
            ("logprobs", json!({ "logprobs": 6 })),
            ("max_tokens", json!({ "max_tokens": 0 })),
        ],
    );
}

/// Bodies with most of what there is.
fn rich() -> [String; 2] {
    let common = json!({
        "model": "m", "n": 2, "seed": 1, "stop": ["a"], "stream": true, "keep_alive": "1h30m",
        "logit_bias": { "5": 1.5 }, "temperature": 0.5, "stream_options": { "include_usage": true },
    });
    let chat = json!({
        "messages": [
            { "role": "system", "content": "é" },
            { "role": "user", "content": [{ "type": "text", "text": "a" }] },
            { "role": "assistant", "tool_calls": [{ "id": "c", "type": "function",
                "function": { "name": "f", "arguments": "{\"a\": 1}" } }] },
            { "role": "tool", "tool_call_id": "c", "content": "4" },
        ],
        "tools": [tool("f"), strict("g")], "tool_choice": "required", "logprobs": true,
        "response_format": { "type": "json_schema", "json_schema": { "schema": {} } },
    });
    let complete = json!({ "prompt": [[1, 2], [3]], "logprobs": 1, "guided_choice": ["a"] });
    [chat, complete].map(|more| String::from_utf8(body(&common, &more)).unwrap())
}

#[test]
fn rich_bodies_are_sound() {
    let [chat, complete] = rich();
    assert!(decode_chat(chat.as_bytes()).is_ok() && decode_completion(complete.as_bytes()).is_ok());
}

/// The fuzzer's seeds; their names say which are refused.
#[test]
fn the_corpus_is_decoded_or_refused() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/openai");
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap()).collect();
    assert!(files.len() > 10, "only {} bodies", files.len());
    for file in files {
        let (name, data) = (file.file_name(), std::fs::read(file.path()).unwrap());
        let should = !name.to_string_lossy().starts_with("refused");
        assert_eq!(api::openai::probe(&data), should, "{}", name.display());
    }
}

proptest! {
    #[test]
    fn damaged_bodies_never_panic(
        at: prop::sample::Index,
        with in prop::collection::vec(any::<u8>(), 0..4),
    ) {
        for body in rich() {
            let mut body = body.into_bytes();
            let at = at.index(body.len());
            let end = (at + with.len().max(1)).min(body.len());
            body.splice(at..end, with.clone());
            api::openai::probe(&body);
        }
    }

    #[test]
    fn swapped_values_never_panic(
        at: prop::sample::Index,
        value in "null|7|\"x\"|\\[\\]|\\{\\}|-1|true|\\[7\\]|1e308|\"\"",
    ) {
        for body in rich() {
            // What stands behind some colon, up to the next end.
            let colons: Vec<_> = body.match_indices(':').map(|(at, _)| at + 1).collect();
            let begin = colons[at.index(colons.len())];
            let end = body[begin..].find([',', '}', ']']).map_or(body.len(), |end| begin + end);
            api::openai::probe(format!("{}{value}{}", &body[..begin], &body[end..]).as_bytes());
        }
    }
}
