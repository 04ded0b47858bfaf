//! Each field of a request in Ollama's dialect is honoured, refused by name, or noted as ignored.

#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

use std::time::Duration;

use api::ollama::{Think, decode_chat, decode_embed, decode_embedding, decode_generate, probe};
use api::{Asked, Refusal};
use proptest::prelude::*;
use serde_json::{Value, json};
use turn::{Calls, Chat, Form, Prompt, Side, Turn};

type Outcome = Result<(Asked, Option<Think>), Refusal>;

fn body(base: &Value, more: &Value) -> Vec<u8> {
    let mut body = base.as_object().unwrap().clone();
    body.extend(more.as_object().unwrap().clone());
    Value::Object(body).to_string().into_bytes()
}

fn chat(more: &Value) -> Outcome {
    let base = json!({ "model": "m", "messages": [{ "role": "user", "content": "hi" }] });
    decode_chat(&body(&base, more))
}

fn generate(more: &Value) -> Outcome {
    decode_generate(&body(&json!({ "model": "m", "prompt": "p" }), more))
}

/// What both ways make of it, which is the same but for the prompt.
fn both(more: &Value) -> Asked {
    let (chat, generate) = (chat(more).unwrap().0, generate(more).unwrap().0);
    assert_eq!(
        Asked { prompts: Vec::new(), ..chat.clone() },
        Asked { prompts: vec![], ..generate }
    );
    chat
}

fn turn(options: &Value) -> Turn {
    both(&json!({ "options": options })).turns(7).next().unwrap()
}

fn prompt(more: &Value) -> Option<Prompt> {
    generate(more).unwrap().0.prompts.pop()
}

fn conversation(more: &Value) -> Chat {
    match chat(more).unwrap().0.prompts.pop() {
        Some(Prompt::Chat(chat)) => chat,
        other => panic!("{other:?}"),
    }
}

/// Each of these bodies is refused with this field.
fn refused<T>(decode: fn(&Value) -> Result<T, Refusal>, cases: &[(&str, Value)]) {
    for (field, more) in cases {
        let Err(refusal) = decode(more) else { panic!("{more} is taken") };
        assert_eq!(refusal.field.as_deref(), Some(*field), "{more}: {}", refusal.fault);
        assert_eq!(refusal.fault.side, Side::Caller, "{more}");
        assert!(refusal.fault.message.contains(field), "{more}: {}", refusal.fault);
    }
}

fn tool() -> Value {
    let schema = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
    json!({ "type": "function", "function": { "name": "f", "parameters": schema } })
}

#[test]
fn the_least_that_can_be_asked() {
    let asked = both(&json!({}));
    assert!(asked.manner.streamed && !asked.manner.logprobs && asked.ignored.is_empty());
    let turn = asked.turns(7).next().unwrap();
    assert_eq!((turn.wishes.temperature, turn.wishes.top_k), (None, None), "the model's own");
    assert_eq!((turn.wishes.seed, turn.limits.tokens, turn.keep), (Some(7), None, None));
    assert!(!both(&json!({ "stream": false })).manner.streamed);
}

#[test]
fn options_are_honoured() {
    let turn = turn(&json!({
        "temperature": 1, "top_p": 0.5, "top_k": 20, "min_p": 0.05, "repeat_penalty": 1.1,
        "frequency_penalty": -2, "presence_penalty": 2, "seed": 4, "num_predict": 5, "stop": ["a"],
        "repeat_last_n": -1,
    }));
    let wishes = &turn.wishes;
    assert_eq!((wishes.temperature, wishes.top_p, wishes.top_k), (Some(1.0), Some(0.5), Some(20)));
    assert_eq!((wishes.min_p, wishes.repetition_penalty), (Some(0.05), Some(1.1)));
    assert_eq!((wishes.frequency_penalty, wishes.presence_penalty), (Some(-2.0), Some(2.0)));
    assert_eq!((wishes.seed, turn.limits.tokens), (Some(4), Some(5)));
    assert_eq!(turn.limits.stop, ["a"]);
    let turn = self::turn(&json!({ "num_predict": -1, "seed": -1, "repeat_penalty": 1.3,
        "presence_penalty": 1, "repeat_last_n": 0, "stop": "b" }));
    assert_eq!((turn.limits.tokens, turn.wishes.seed), (None, Some(7)), "a random seed");
    let penalties = (turn.wishes.repetition_penalty, turn.wishes.presence_penalty);
    assert_eq!(penalties, (Some(1.0), Some(0.0)), "nothing is looked back at");
    let none = self::turn(&json!({ "repeat_penalty": 0 }));
    assert_eq!(none.wishes.repetition_penalty, Some(1.0), "as clients write none");
    // Beside the options, but these count more.
    let asked = both(&json!({ "temperature": 0.5, "top_p": 0.25, "max_output_tokens": 9,
        "options": { "top_p": 0.75, "temperature": null } }));
    assert_eq!((asked.wishes.temperature, asked.wishes.top_p), (Some(0.5), Some(0.75)));
    assert_eq!(
        (asked.limits.tokens, both(&json!({ "top_p": 1 })).wishes.top_p),
        (Some(9), Some(1.0))
    );
}

#[test]
fn what_changes_nothing_is_noted() {
    let names = "num_ctx num_keep num_batch num_gpu main_gpu num_thread numa low_vram use_mmap \
        use_mlock f16_kv logits_all vocab_only embedding_only mirostat_tau mirostat_eta";
    let mut options: serde_json::Map<String, Value> =
        names.split_whitespace().map(|name| (name.to_owned(), json!(1))).collect();
    options.extend(
        [("mirostat", 0), ("typical_p", 1), ("tfs_z", 1)]
            .map(|(name, off)| (name.to_owned(), json!(off))),
    );
    options.insert("repeat_penalty".to_owned(), json!(1));
    options.insert("repeat_last_n".to_owned(), json!(64));
    let ignored = both(&json!({ "options": options })).ignored;
    assert_eq!(ignored.len(), 20, "{ignored:?}");
    assert!(ignored.iter().all(|name| name.starts_with("options.")), "{ignored:?}");
    let ignored = both(&json!({ "options": { "repeat_last_n": 64 } })).ignored;
    assert_eq!(ignored, ["options.repeat_last_n"]);
}

#[test]
fn wrong_fields_are_refused_by_name() {
    let option = |more: Value| json!({ "options": more });
    let cases = [
        ("model", json!({ "model": null })),
        ("model", json!({ "model": "" })),
        ("stream", json!({ "stream": "no" })),
        ("options", json!({ "options": [] })),
        ("options.temperature", option(json!({ "temperature": -1 }))),
        ("options.top_k", option(json!({ "top_k": 1.5 }))),
        ("options.num_predict", option(json!({ "num_predict": 0 }))),
        ("options.num_predict", option(json!({ "num_predict": -3 }))),
        ("options.mirostat", option(json!({ "mirostat": 2 }))),
        ("options.typical_p", option(json!({ "typical_p": 0.5 }))),
        ("options.tfs_z", option(json!({ "tfs_z": 0.5 }))),
        ("options.repeat_last_n", option(json!({ "repeat_last_n": 64, "repeat_penalty": 1.1 }))),
        (
            "options.repeat_last_n",
            option(json!({ "repeat_last_n": 64, "repeat_penalty": 1, "presence_penalty": 1 })),
        ),
        ("options.penalize_newline", option(json!({ "penalize_newline": false }))),
        ("options.stop", option(json!({ "stop": [""] }))),
        ("options.temprature", option(json!({ "temprature": 1 }))),
        ("format", json!({ "format": "yaml" })),
        ("format", json!({ "format": 7 })),
        ("keep_alive", json!({ "keep_alive": "soon" })),
        ("think", json!({ "think": "very" })),
        ("think", json!({ "think": 1 })),
        ("truncate", json!({ "truncate": true })),
        ("shift", json!({ "shift": true })),
        ("top_logprobs", json!({ "top_logprobs": 2 })),
        ("top_logprobs", json!({ "logprobs": true, "top_logprobs": 21 })),
        ("options.temperature", json!({ "temperature": -1 })),
        ("options", json!({ "temperature": 1, "options": [] })),
        ("heat", json!({ "heat": 1 })),
    ];
    refused(chat, &cases);
    refused(generate, &cases);
}

#[test]
fn wrong_conversations_and_prompts_are_refused_by_name() {
    let said = |more: Value| json!({ "messages": [more] });
    refused(
        chat,
        &[
            ("messages", json!({ "messages": 7 })),
            ("messages[0].role", said(json!({ "content": "x" }))),
            ("messages[0].role", said(json!({ "role": "robot", "content": "x" }))),
            ("messages[0].content", said(json!({ "role": "user" }))),
            ("messages[0].content", said(json!({ "role": "assistant" }))),
            ("messages[0].content", said(json!({ "role": "user", "content": [] }))),
            ("messages[0].images", said(json!({ "role": "user", "content": "", "images": ["x"] }))),
            (
                "messages[0].tool_calls[0].function.arguments",
                said(json!({ "role": "assistant",
                    "tool_calls": [{ "function": { "name": "f", "arguments": "{}" } }] })),
            ),
            ("tools[0].function", json!({ "tools": [{}] })),
            ("tool_choice", json!({ "tool_choice": "perhaps" })),
            ("tool_choice", json!({ "tool_choice": "required" })),
        ],
    );
    refused(
        generate,
        &[
            ("prompt", json!({ "prompt": ["a"] })),
            ("images", json!({ "images": ["x"] })),
            ("template", json!({ "template": "{{ .Prompt }}" })),
            ("context", json!({ "context": [1] })),
            ("system", json!({ "system": "s", "raw": true })),
            ("system", json!({ "system": "s", "suffix": "x" })),
            ("suffix", json!({ "suffix": "x", "raw": true })),
            ("think", json!({ "think": true, "raw": true })),
            ("think", json!({ "think": false, "suffix": "x" })),
            ("width", json!({ "width": 64 })),
        ],
    );
}

#[test]
fn null_and_empty_are_absent() {
    let nulls = json!({ "options": null, "format": null, "keep_alive": null, "think": null,
        "stream": null, "truncate": null, "images": null });
    assert!(generate(&nulls) == generate(&json!({})));
    let empty = json!({ "format": "", "options": {}, "images": [], "system": "", "suffix": "",
        "template": "", "context": [], "truncate": false, "shift": false });
    assert!(generate(&empty) == generate(&json!({})));
}

#[test]
fn prompts_are_of_each_kind() {
    let message = |role: &str, text: &str| json!({ "role": role, "content": text });
    let chat = |messages: Vec<Value>| Some(Prompt::Chat(Chat { messages, ..Chat::default() }));
    assert_eq!(prompt(&json!({})), chat(vec![message("user", "p")]));
    let told = vec![message("system", "s"), message("user", "p")];
    assert_eq!(prompt(&json!({ "system": "s" })), chat(told));
    assert_eq!(prompt(&json!({ "raw": true })), Some(Prompt::Text("p".to_owned())));
    let gap = |before: &str| Some(Prompt::Gap { before: before.into(), after: "x".into() });
    assert_eq!(prompt(&json!({ "suffix": "x" })), gap("p"));
    assert_eq!(prompt(&json!({ "suffix": "x", "prompt": "" })), gap(""));
    for nothing in [
        json!({ "prompt": "" }),
        json!({ "prompt": null }),
        json!({ "prompt": "",
        "raw": true, "keep_alive": 0 }),
    ] {
        assert_eq!(prompt(&nothing), None, "{nothing}");
    }
    for nothing in [json!({ "messages": [] }), json!({ "messages": null })] {
        assert!(self::chat(&nothing).unwrap().0.prompts.is_empty());
    }
}

#[test]
fn forms_thoughts_and_times_are_read() {
    let form = |form: Value| both(&json!({ "format": form })).demand.answer;
    assert_eq!(form(json!("json")), Some(Form::Schema(json!({ "type": "object" }))));
    let schema = json!({ "type": "integer" });
    assert_eq!(form(schema.clone()), Some(Form::Schema(schema)));
    let think = |think: Value| chat(&json!({ "think": think })).unwrap().1;
    assert_eq!([think(json!(true)), think(json!(false))], [Some(Think::Yes), Some(Think::No)]);
    assert_eq!(think(json!("low")), Some(Think::Level("low".to_owned())));
    let keep = |keep: Value| both(&json!({ "keep_alive": keep })).keep;
    assert_eq!(keep(json!("5m")), Some(Some(Duration::from_secs(300))));
    assert_eq!((keep(json!(0)), keep(json!(-1))), (Some(Some(Duration::ZERO)), Some(None)));
    let asked = both(&json!({ "logprobs": true, "top_logprobs": 3 }));
    assert_eq!((asked.manner.logprobs, asked.wishes.top_logprobs), (true, Some(3)));
}

#[test]
fn conversations_are_as_templates_take_them() {
    let call = json!({ "function": { "name": "f", "arguments": { "b": 1, "a": 2 }, "index": 0 } });
    let chat = conversation(&json!({ "tools": [tool()], "messages": [
        { "role": "system", "content": "Be brief." },
        { "role": "user", "content": "x", "images": [] },
        { "role": "assistant", "content": "", "thinking": "hm", "tool_calls": [call] },
        { "role": "tool", "tool_name": "f", "content": "4" },
        { "role": "tool", "tool_call_id": "c", "name": "g", "content": "5" },
    ] }));
    assert_eq!(chat.messages[1], json!({ "role": "user", "content": "x" }));
    assert_eq!(chat.messages[2]["reasoning_content"], "hm");
    let called = &chat.messages[2]["tool_calls"][0];
    assert_eq!(
        called.to_string(),
        r#"{"id":"call_1","type":"function","function":{"name":"f","arguments":{"b":1,"a":2}}}"#
    );
    let result = json!({ "role": "tool", "content": "4", "name": "f", "tool_call_id": "call_1" });
    assert_eq!(chat.messages[3], result);
    let result = json!({ "role": "tool", "content": "5", "name": "g", "tool_call_id": "c" });
    assert_eq!((&chat.messages[4], chat.tools), (&result, vec![tool()]));
    let demand = |more: Value| {
        let mut base = json!({ "tools": [tool()] });
        base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self::chat(&base).unwrap().0.demand
    };
    assert_eq!((demand(json!({})).calls, demand(json!({})).several), (Calls::None, true));
    assert_eq!(demand(json!({ "format": "json" })).calls, Calls::May);
    assert_eq!(demand(json!({ "tool_choice": "required" })).calls, Calls::Must);
}

/// What few clients send is found out: of which call a result is, and who thought what.
#[test]
fn results_and_thoughts_find_their_place() {
    let call = |name: &str| json!({ "function": { "name": name, "arguments": {} } });
    let result = |name: Value| json!({ "role": "tool", "tool_name": name, "content": "" });
    let called = |calls: Value| json!({ "role": "assistant", "tool_calls": calls });
    let chat = conversation(&json!({ "messages": [
        { "role": "thinking", "content": "hm" },
        { "role": "thinking", "content": "so" },
        { "role": "assistant", "content": "a", "thinking": "yes" },
        { "role": "thinking", "content": "of nobody" },
        { "role": "user", "content": "b" },
        { "role": "assistant", "content": "c" },
        called(json!([call("f"), call("g"), call("f")])),
        result(json!("g")), result(json!("f")), result(json!("f")), result(json!("f")),
        called(json!([call("h"), call("i")])),
        result(Value::Null), result(json!("elsewhere")),
    ] }));
    let thoughts: Vec<_> = chat.messages.iter().map(|it| it["reasoning_content"].clone()).collect();
    assert_eq!(thoughts[..3], [json!("hm\n\nso\n\nyes"), Value::Null, Value::Null]);
    let ids: Vec<_> = chat.messages.iter().filter(|it| it["role"] == "tool").collect();
    let ids: Vec<_> = ids.into_iter().map(|it| it["tool_call_id"].clone()).collect();
    let want = [json!("call_2"), "call_1".into(), "call_3".into(), Value::Null];
    assert_eq!(ids[..4], want);
    assert_eq!(ids[4..], ["call_4", "call_5"]);
    let calls = &chat.messages[3]["tool_calls"];
    assert_eq!([0, 1, 2].map(|i| calls[i]["id"].clone()), ["call_1", "call_2", "call_3"]);
}

#[test]
fn texts_to_embed_are_read() {
    let embed = |more: &Value| decode_embed(&body(&json!({ "model": "m", "input": "a" }), more));
    let text = |text: &str| Prompt::Text(text.to_owned());
    let one =
        embed(&json!({ "options": { "num_ctx": 5 }, "stream": true, "keep_alive": "1m" })).unwrap();
    assert_eq!((one.embed.texts, one.embed.cut), (vec![text("a")], false));
    assert_eq!((one.ignored, one.width), (vec!["options".to_owned(), "stream".to_owned()], None));
    assert_eq!(one.embed.keep, Some(Some(Duration::from_secs(60))));
    let two = json!({ "input": ["a", "b"], "truncate": true, "dimensions": 8 });
    let two = embed(&two).unwrap();
    assert_eq!(
        (two.embed.texts, two.embed.cut, two.width),
        (vec![text("a"), text("b")], true, Some(8))
    );
    let old = decode_embedding(&body(&json!({ "model": "m", "prompt": "a" }), &json!({})));
    assert_eq!(old.unwrap().embed.texts, [text("a")]);
    refused(
        |more| decode_embed(&body(&json!({ "model": "m", "input": "a" }), more)),
        &[
            ("input", json!({ "input": null })),
            ("input", json!({ "input": [] })),
            ("input", json!({ "input": [7] })),
            ("input", json!({ "input": ["a", ""] })),
            ("dimensions", json!({ "dimensions": 0 })),
            ("prompt", json!({ "prompt": "a" })),
        ],
    );
}

/// Bodies with most of what there is.
fn rich() -> [String; 2] {
    let common = json!({
        "model": "m", "options": { "seed": 1, "stop": ["a"], "num_predict": 3, "num_ctx": 5 },
        "format": { "type": "object" }, "keep_alive": "1h30m", "logprobs": true,
        "top_logprobs": 2, "stream": false, "truncate": false,
    });
    let function = json!({ "name": "f", "arguments": { "a": 1 } });
    let chat = json!({
        "messages": [
            { "role": "system", "content": "é" },
            { "role": "assistant", "thinking": "t", "tool_calls": [{ "function": function }] },
            { "role": "tool", "tool_name": "f", "content": "4" },
        ],
        "tools": [tool()], "think": "low",
    });
    let generate =
        json!({ "prompt": "a", "system": "s", "images": [], "raw": false, "think": true });
    [chat, generate].map(|more| String::from_utf8(body(&common, &more)).unwrap())
}

#[test]
fn rich_bodies_are_sound() {
    let [chat, generate] = rich();
    assert!(decode_chat(chat.as_bytes()).is_ok() && decode_generate(generate.as_bytes()).is_ok());
}

/// The fuzzer's seeds; their names say which are refused.
#[test]
fn the_corpus_is_decoded_or_refused() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/ollama");
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap()).collect();
    assert!(files.len() > 9, "only {} bodies", files.len());
    for file in files {
        let (name, data) = (file.file_name(), std::fs::read(file.path()).unwrap());
        let asks = decode_chat(&data).is_ok() || decode_generate(&data).is_ok();
        let is_sound = asks || decode_embed(&data).is_ok() || decode_embedding(&data).is_ok();
        let should = !name.to_string_lossy().starts_with("refused");
        assert_eq!(is_sound, should, "{}", name.display());
        probe(&data);
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
            probe(&body);
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
            probe(format!("{}{value}{}", &body[..begin], &body[end..]).as_bytes());
        }
    }
}
