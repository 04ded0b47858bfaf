//! Each field of `/v1/responses` is honoured, refused by its name, or noted as ignored.

#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

use api::openai::decode_response;
use api::{Asked, Refusal};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use turn::{Calls, Chat, Form, Prompt, Side};

fn body(more: &Value) -> Vec<u8> {
    let mut body = json!({ "model": "m", "input": "hi" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body.to_string().into_bytes()
}

fn respond(more: &Value) -> Result<Asked, Refusal> {
    decode_response(&body(more))
}

fn asked(more: &Value) -> Asked {
    respond(more).unwrap_or_else(|refusal| panic!("{more}: {}", refusal.fault))
}

fn conversation(more: &Value) -> Chat {
    match asked(more).prompts.remove(0) {
        Prompt::Chat(chat) => chat,
        other => panic!("{other:?}"),
    }
}

/// Each of these bodies is refused with this field.
fn refused(cases: &[(&str, Value)]) {
    for (field, more) in cases {
        let refusal = respond(more).expect_err(&more.to_string());
        assert_eq!(refusal.field.as_deref(), Some(*field), "{more}: {}", refusal.fault);
        assert_eq!(refusal.fault.side, Side::Caller, "{more}");
        assert!(refusal.fault.message.contains(field), "{more}: {}", refusal.fault);
    }
}

fn tool(name: &str) -> Value {
    json!({ "type": "function", "name": name, "description": "d",
        "parameters": { "type": "object" } })
}

/// Templates know tools as chat completions write them.
fn shown(name: &str) -> Value {
    let function = json!({ "name": name, "description": "d", "parameters": { "type": "object" } });
    json!({ "type": "function", "function": function })
}

/// As Codex sends the tools of its agents and of MCP servers.
fn space(name: &str, function: &str) -> Value {
    json!({ "tools": [{ "type": "namespace", "name": name, "description": "d",
        "tools": [tool(function)] }] })
}

#[test]
fn functions_of_a_namespace_are_functions() {
    for (name, called) in [("agents", "agents__spawn"), ("mcp__files__", "mcp__files__spawn")] {
        assert_eq!(conversation(&space(name, "spawn")).tools, [shown(called)]);
    }
    let mut body = space("agents", "spawn");
    let function = json!({ "type": "function_call", "call_id": "c", "namespace": "agents",
        "name": "spawn", "arguments": "{}" });
    body["input"] = json!([{ "role": "user", "content": "Go." }, function]);
    let call = &conversation(&body).messages[1]["tool_calls"][0];
    assert_eq!(call["function"]["name"], "agents__spawn");
    body["tools"][0]["tools"][0]["defer_loading"] = false.into();
    body["tools"].as_array_mut().unwrap().push(tool("spawn"));
    assert_eq!(conversation(&body).tools.len(), 2);
    assert_eq!(asked(&body).ignored, ["description", "defer_loading"]);
    body["tools"].as_array_mut().unwrap().push(tool("agents__spawn"));
    refused(&[("tools[2]", body)]);
}

#[test]
fn a_conversation_that_began_elsewhere_goes_on() {
    let items = json!([
        { "role": "user", "content": "Mend it.", "internal_chat_message_metadata_passthrough": {} },
        { "type": "web_search_call", "id": "ws_1", "status": "completed" },
        { "type": "custom_tool_call", "call_id": "c", "name": "apply_patch", "input": "*** a\n" },
        { "type": "custom_tool_call_output", "call_id": "c", "output": "done" },
        { "type": "compaction", "encrypted_content": "x" },
        { "role": "user", "content": "And now?" },
    ]);
    let body = json!({ "input": items });
    let messages = conversation(&body).messages;
    let roles: Vec<_> = messages.iter().map(|message| message["role"].clone()).collect();
    assert_eq!(roles, ["user", "assistant", "tool", "user"]);
    let function = json!({ "name": "apply_patch", "arguments": { "input": "*** a\n" } });
    assert_eq!(messages[1]["tool_calls"][0]["function"], function);
    let ignored = asked(&body).ignored;
    assert!(ignored.iter().any(|name| name == "input[1].web_search_call"), "{ignored:?}");
    assert!(ignored.iter().any(|name| name == "input[4].compaction"), "{ignored:?}");
}

#[test]
fn a_text_and_its_message_are_the_same() {
    let text = conversation(&json!({}));
    assert_eq!(text.messages, [json!({ "role": "user", "content": "hi" })]);
    let part = json!({ "type": "input_text", "text": "hi" });
    for item in [
        json!({ "role": "user", "content": "hi" }),
        json!({ "type": "message", "role": "user", "content": [part] }),
    ] {
        assert_eq!(conversation(&json!({ "input": [item] })), text);
    }
    let asked = asked(&json!({ "instructions": "be", "max_output_tokens": 5, "seed": 4,
        "temperature": 0.5, "top_p": 0.9, "top_k": 3, "stream": true, "keep_alive": "5m" }));
    assert_eq!((asked.limits.tokens, asked.wishes.seed, asked.copies), (Some(5), Some(4), 1));
    assert_eq!((asked.wishes.temperature, asked.wishes.top_k), (Some(0.5), Some(3)));
    assert!(asked.manner.streamed && asked.keep.is_some() && asked.ignored.is_empty());
    assert_eq!(
        conversation(&json!({ "instructions": "be" })).messages[0],
        json!({ "role": "system", "content": "be" })
    );
}

#[test]
fn what_the_model_said_comes_back_as_its_message() {
    let text = |text: &str| json!([{ "type": "output_text", "text": text, "annotations": [] }]);
    let items = json!([
        { "role": "user", "content": "Weather?" },
        { "type": "reasoning", "id": "rs_1",
            "summary": [{ "type": "summary_text", "text": "hm" }] },
        { "type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
            "content": text("I look.") },
        { "type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}",
            "status": "completed" },
        { "type": "function_call_output", "call_id": "c",
            "output": [{ "type": "input_text", "text": "4" }, { "type": "input_image",
                "image_url": "data:image/png;base64," }] },
        { "type": "reasoning", "id": "rs_2", "status": "incomplete", "encrypted_content": "x",
            "summary": [], "content": [{ "type": "reasoning_text", "text": "so" }] },
    ]);
    let asked = asked(&json!({ "input": items }));
    assert_eq!(asked.ignored, ["input[4].output[1].type", "status", "encrypted_content"]);
    let call = json!({ "id": "c", "type": "function", "function": { "name": "f",
        "arguments": {} } });
    let expected = [
        json!({ "role": "user", "content": "Weather?" }),
        json!({ "role": "assistant", "content": "I look.", "reasoning_content": "hm",
            "tool_calls": [call] }),
        json!({ "role": "tool", "tool_call_id": "c",
            "content": "4[a picture, which this model cannot see]" }),
        json!({ "role": "assistant", "content": "", "reasoning_content": "so" }),
    ];
    assert_eq!(conversation(&json!({ "input": items })).messages, expected);
}

#[test]
fn tools_flat_and_nested() {
    let nested = json!({ "tools": [shown("f")] });
    assert_eq!(conversation(&nested).tools, [shown("f")]);
    let of = |more: Value| {
        let mut all = json!({ "tools": [tool("f"), tool("g")] });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let demand = asked(&all).demand;
        let names = demand.tools.into_iter().map(|tool| tool.name).collect::<Vec<_>>().join(" ");
        (demand.calls, names)
    };
    let named = json!({ "type": "function", "name": "g" });
    let allowed = |mode: &str| json!({ "type": "allowed_tools", "mode": mode, "tools": [named] });
    assert_eq!(of(json!({})), (Calls::None, "f g".to_owned()));
    assert_eq!(of(json!({ "tool_choice": "required" })), (Calls::Must, "f g".to_owned()));
    assert_eq!(of(json!({ "tool_choice": "none" })), (Calls::None, String::new()));
    assert_eq!(of(json!({ "tool_choice": named })), (Calls::Must, "g".to_owned()));
    assert_eq!(of(json!({ "tool_choice": allowed("auto") })), (Calls::May, "g".to_owned()));
    assert_eq!(of(json!({ "tool_choice": allowed("required") })), (Calls::Must, "g".to_owned()));
}

#[test]
fn forms_reasoning_and_log_probabilities() {
    let schema = json!({ "type": "object" });
    let form = |format: Value| asked(&json!({ "text": { "format": format } })).demand.answer;
    let flat = json!({ "type": "json_schema", "name": "x", "strict": true, "schema": schema });
    assert_eq!(form(flat), Some(Form::Schema(schema.clone())));
    assert_eq!(form(json!({ "type": "json_object" })), Some(Form::Schema(schema)));
    assert_eq!(form(json!({ "type": "text" })), None);
    let variables = |reasoning: Value| conversation(&json!({ "reasoning": reasoning })).variables;
    assert_eq!(variables(json!({ "effort": "low", "summary": "auto" }))["reasoning_effort"], "low");
    assert_eq!(variables(json!({ "effort": "none" }))["enable_thinking"], false);
    let asked = asked(&json!({ "top_logprobs": 3,
        "include": ["message.output_text.logprobs", "reasoning.encrypted_content"] }));
    assert_eq!((asked.manner.logprobs, asked.wishes.top_logprobs), (true, Some(3)));
    assert_eq!(asked.ignored, ["include[1]"]);
}

#[test]
fn null_is_absent_everywhere() {
    let names = "instructions temperature top_p tools tool_choice text previous_response_id \
        metadata reasoning include truncation stream store user background conversation prompt \
        max_tool_calls max_output_tokens parallel_tool_calls service_tier stream_options new";
    let nulls: Map<String, Value> =
        names.split_whitespace().map(|name| (name.to_owned(), Value::Null)).collect();
    assert_eq!(respond(&nulls.into()).unwrap(), respond(&json!({})).unwrap());
}

#[test]
fn what_cannot_change_the_answer_is_named() {
    let asked = asked(&json!({ "user": "u", "safety_identifier": "s", "prompt_cache_key": "k",
        "service_tier": "auto", "text": { "verbosity": "medium" }, "metadata": { "a": "b" },
        "store": false, "background": false, "truncation": "disabled", "max_tool_calls": 2,
        "parallel_tool_calls": true, "stream_options": { "include_obfuscation": true } }));
    let expected = "user safety_identifier prompt_cache_key service_tier text.verbosity \
        parallel_tool_calls stream_options.include_obfuscation stream_options";
    assert_eq!(asked.ignored, expected.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn wrong_fields_are_refused_by_name() {
    let item = |item: Value| json!({ "input": [item] });
    let part = |part: Value| item(json!({ "role": "user", "content": [part] }));
    refused(&[
        ("model", json!({ "model": "" })),
        ("input", json!({ "input": null })),
        ("input", json!({ "input": 7 })),
        ("input", json!({ "input": [] })),
        ("input[0]", item(json!(7))),
        ("input[0].type", item(json!({ "type": "no_such_item" }))),
        ("input[0].role", item(json!({ "content": "x" }))),
        ("input[0].role", item(json!({ "role": "tool", "content": "x" }))),
        ("input[0].content", item(json!({ "role": "user" }))),
        ("input[0].colour", item(json!({ "role": "user", "content": "", "colour": 1 }))),
        ("input[0].content[0].type", part(json!({ "type": "input_image", "image_url": "x" }))),
        ("input[0].content[0].type", part(json!({ "type": "hologram" }))),
        ("input[0].call_id", item(json!({ "type": "function_call_output", "output": "x" }))),
        ("input[0].output", item(json!({ "type": "function_call_output", "call_id": "c" }))),
        ("input[0].name", item(json!({ "type": "function_call", "call_id": "c" }))),
        ("input[0].id", item(json!({ "type": "item_reference" }))),
        ("instructions", json!({ "instructions": 7 })),
        ("max_output_tokens", json!({ "max_output_tokens": 0 })),
        ("temperature", json!({ "temperature": 3 })),
        ("background", json!({ "background": true })),
        ("conversation", json!({ "conversation": "conv_1" })),
        ("prompt", json!({ "prompt": { "id": "p" } })),
        ("truncation", json!({ "truncation": "auto" })),
        ("metadata", json!({ "metadata": { "a": 1 } })),
        ("store", json!({ "store": "yes" })),
        ("include[0]", json!({ "include": ["everything"] })),
        ("top_logprobs", json!({ "top_logprobs": 2 })),
        ("reasoning.effort", json!({ "reasoning": { "effort": "much" } })),
        ("reasoning.summary", json!({ "reasoning": { "summary": "haiku" } })),
        ("tools[0].name", json!({ "tools": [{ "type": "namespace", "tools": [] }] })),
        ("tools[0].tools", json!({ "tools": [{ "type": "namespace", "name": "n" }] })),
        ("tools[0].name", space(&"n".repeat(127), "f")),
        (
            "tools[0].tools[0].type",
            json!({ "tools": [{ "type": "namespace", "name": "n",
            "tools": [{ "type": "namespace", "name": "m", "tools": [] }] }] }),
        ),
        ("text", json!({ "text": 7 })),
        ("text.verbosity", json!({ "text": { "verbosity": "much" } })),
        ("text.format.type", json!({ "text": { "format": { "type": "poem" } } })),
        ("text.format.schema", json!({ "text": { "format": { "type": "json_schema" } } })),
        ("tools[0].type", json!({ "tools": [{ "type": "mcp" }] })),
        ("tools[0].name", json!({ "tools": [{ "type": "function" }] })),
        ("tool_choice", json!({ "tool_choice": "required" })),
        ("tool_choice.type", json!({ "tool_choice": { "type": "web_search" } })),
        ("messages", json!({ "messages": [] })),
    ]);
}

proptest! {
    #[test]
    fn swapped_values_never_panic(
        name in "input|text|tools|reasoning|include|metadata|tool_choice|instructions",
        value in "7|\"x\"|\\[\\]|\\{\\}|true|\\[7\\]|\\[\\{\\}\\]|\\{\"format\": 7\\}",
    ) {
        let value: Value = value.parse().unwrap();
        let _ = respond(&Value::Object([(name, value)].into_iter().collect()));
    }
}
