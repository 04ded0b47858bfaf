//! From what a client asks to the events that answer it, with a tiny model.
#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::channel;

use engine::{Engine, Policy, Settings};
use flow::{Language, Local};
use serde_json::{Value, json};
use testkit::golden;
use text::template::DateTime;
use text::tokenizer::Tokenizer;
use turn::{
    Abilities, Calls, Chat, Demand, Embed, Event, Fault, Form, Limits, Prompt, Sampling, Side,
    Thinking, Tool, Turn, Wishes,
};

const TEMPLATE: &str = "{% for m in messages %}[{{ m.role }}]{{ m.content }}\n{% endfor %}\
    {% if tools %}<tool_call>{\"name\": , \"arguments\": }</tool_call>{% endif %}\
    {% if who %}{{ who }}{% endif %}[assistant]";

fn language(template: Option<&str>) -> Language {
    let tokenizer = Tokenizer::from_folder(&golden("models/qwen3")).unwrap();
    Language::with_template(tokenizer, template.map(str::to_owned)).unwrap()
}

fn local() -> Local {
    let source = arch::Source::open(&golden("models/qwen3")).unwrap();
    let engine = Engine::new(arch::load(&source).unwrap(), Settings::default()).unwrap();
    let language = Arc::new(language(Some(TEMPLATE)));
    Local::start(engine, language, (Policy::default(), Sampling::greedy())).unwrap()
}

fn chat(messages: Value) -> Prompt {
    let Value::Array(messages) = messages else { panic!("a list") };
    Prompt::Chat(Chat { messages, ..Chat::default() })
}

fn turn(prompt: Prompt) -> Turn {
    Turn {
        owner: None,
        model: "tiny".to_owned(),
        prompt: Arc::new(prompt),
        wishes: Wishes::default(),
        limits: Limits { tokens: Some(8), stop: vec![] },
        demand: Demand::default(),
        keep: None,
    }
}

/// All that a turn is told.
fn ask(local: &Local, turn: Turn) -> Vec<Event> {
    let (send, events) = channel();
    let listener = move |event| {
        send.send(event).unwrap();
        ControlFlow::Continue(())
    };
    local.begin(turn, Arc::default(), Box::new(listener));
    events.iter().collect()
}

fn fault(events: &[Event]) -> &Fault {
    match events {
        [Event::Failed(fault)] => fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn conversations_texts_and_tokens_are_answered() {
    let local = local();
    let tokenizer = local.language().tokenizer();
    let hello = chat(json!([{ "role": "user", "content": "Hi" }]));
    for (prompt, text) in [
        (hello, "[user]Hi\n[assistant]"),
        (Prompt::Text("Hi".to_owned()), "Hi"),
        (Prompt::Tokens(vec![7, 8, 9]), ""),
    ] {
        let events = ask(&local, turn(prompt));
        let Some(Event::End(account)) = events.last() else { panic!("{events:?}") };
        assert_eq!(account.reply.len(), 8);
        assert_eq!(account.sampling, Sampling::greedy(), "the model's, where nothing is stated");
        if !text.is_empty() {
            assert!(tokenizer.decode(&account.prompt, false).ends_with(text));
        }
    }
}

#[test]
fn what_a_turn_states_counts() {
    let mut asked = turn(chat(json!([{ "role": "user", "content": "Hi" }])));
    asked.wishes = Wishes { temperature: Some(0.5), seed: Some(3), ..Wishes::default() };
    let Prompt::Chat(chat) = Arc::make_mut(&mut asked.prompt) else { panic!("a conversation") };
    chat.variables.insert("who".to_owned(), "Ann".into());
    let local = local();
    let events = ask(&local, asked);
    let Some(Event::End(account)) = events.last() else { panic!("{events:?}") };
    let (temperature, seed) = (account.sampling.temperature, account.sampling.seed);
    assert_eq!((temperature, seed, account.sampling.top_p), (0.5, 3, 1.0));
    let prompt = local.language().tokenizer().decode(&account.prompt, false);
    assert!(prompt.ends_with("Ann[assistant]"), "{prompt}");
}

#[test]
fn forms_and_calls_are_kept() {
    let local = local();
    let mut asked = turn(Prompt::Text("Is it?".to_owned()));
    asked.limits.tokens = Some(50);
    asked.demand = Form::Choice(vec!["yes".to_owned(), "no".to_owned()]).into();
    let events = ask(&local, asked.clone());
    let said: String = events
        .iter()
        .filter_map(|event| if let Event::Text(text) = event { Some(&text[..]) } else { None })
        .collect();
    assert!(["yes", "no"].contains(&&*said), "{said}");

    let schema = json!({ "type": "object", "properties": {}, "additionalProperties": false });
    let tools = vec![Tool { name: "now".to_owned(), parameters: schema, strict: true }];
    asked.demand = Demand { calls: Calls::Must, tools, ..Demand::default() };
    asked.prompt = Arc::new(Prompt::Chat(Chat {
        messages: vec![json!({ "role": "user", "content": "When?" })],
        tools: vec![json!({ "type": "function", "function": { "name": "now" } })],
        ..Chat::default()
    }));
    let events = ask(&local, asked);
    assert!(events.contains(&Event::Call("now".to_owned())), "{events:?}");
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let local = local();
    let mut wrong = turn(Prompt::Text("Hi".to_owned()));
    wrong.wishes.top_p = Some(1.5);
    assert!(fault(&ask(&local, wrong)).message.contains("top_p"));

    let mut wrong = turn(Prompt::Text("Hi".to_owned()));
    wrong.demand = Form::Schema(json!({ "not": {} })).into();
    let events = ask(&local, wrong);
    assert_eq!(fault(&events).side, Side::Caller);

    let events = ask(&local, turn(Prompt::Text("word ".repeat(2000))));
    assert!(matches!(fault(&events).kind, turn::Kind::TooLong { .. }));
    let gap = Prompt::Gap { before: "a".to_owned(), after: "b".to_owned() };
    assert!(fault(&ask(&local, turn(gap))).message.contains("gap"));
}

#[test]
fn texts_are_embedded_or_cut_or_refused() {
    let local = local();
    let embed = |texts: &[&str], cut| {
        let (send, outcome) = channel();
        let done = Box::new(move |outcome| send.send(outcome).unwrap());
        let texts = texts.iter().map(|text| Prompt::Text((*text).to_owned())).collect();
        let embed = Embed { model: "tiny".to_owned(), texts, cut, keep: None };
        local.embed(&embed, Arc::default(), done);
        outcome.recv().unwrap()
    };
    let long = "word ".repeat(2000);
    let embedded = embed(&["Hi", &long, "<|im_start|>"], true).unwrap();
    assert_eq!(embedded.tokens[1], 512);
    assert!(embedded.tokens[2] > 1, "no markup");
    for vector in &embedded.vectors {
        let length: f32 = vector.iter().map(|x| x * x).sum();
        assert!((length - 1.0).abs() < 1e-5, "{length}");
    }
    assert_eq!(embed(&["Hi"], false).unwrap().vectors[0], embedded.vectors[0]);
    let fault = embed(&["Hi", &long], false).unwrap_err();
    assert!(matches!(fault.kind, turn::Kind::TooLong { context: 512, .. }));
}

#[test]
fn a_model_without_conversations_says_so() {
    let now = || DateTime::from_unix(0);
    let hello = chat(json!([{ "role": "user", "content": "Hi" }]));
    let refused = |language: &Language, prompt: &Prompt| match language.read(prompt, &[], now()) {
        Err(fault) => fault.message,
        Ok(_) => panic!("it is answered"),
    };
    assert!(refused(&language(None), &hello).contains("no chat template"));
    let grumpy = language(Some("{{ raise_exception('only one question') }}"));
    assert!(refused(&grumpy, &hello).contains("only one question"));
}

/// A template that knows no tools has them described in words, and calls are read all the same.
#[test]
fn tools_are_described_where_a_template_knows_none() {
    let language =
        language(Some("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"));
    let prompt = Prompt::Chat(Chat {
        messages: vec![json!({ "role": "user", "content": "When?" })],
        tools: vec![json!({ "type": "function", "function": { "name": "now" } })],
        ..Chat::default()
    });
    let reading = language.read(&prompt, &[], DateTime::from_unix(0)).unwrap();
    let text = language.tokenizer().decode(&reading.ids, false);
    assert!(
        text.starts_with("system: You can call these tools:") && text.contains("\"now\""),
        "{text}"
    );
    let mut reader = reading.reader;
    let parts = reader.push("<tool_call>{\"name\": \"now\", \"arguments\": {}}</tool_call>");
    assert_eq!(parts[0], text::reply::Part::Call("now".to_owned()));
}

/// As clients ask that have the model answer at last (`tool_choice: none`).
#[test]
fn calls_of_before_are_told_where_a_template_knows_none() {
    let language = language(Some(
        "{% for m in messages %}{% if m.role not in ['user', 'assistant'] %}\
         {{ raise_exception('no such role') }}{% endif %}\
         {{ m.role }}: {{ m.content }}\n{% endfor %}",
    ));
    let call = json!({ "function": { "name": "now", "arguments": {} } });
    let prompt = Prompt::Chat(Chat {
        messages: vec![
            json!({ "role": "user", "content": "When?" }),
            json!({ "role": "assistant", "content": null, "tool_calls": [call] }),
            json!({ "role": "tool", "content": "noon" }),
        ],
        ..Chat::default()
    });
    let reading = language.read(&prompt, &[], DateTime::from_unix(0)).unwrap();
    let text = language.tokenizer().decode(&reading.ids, false);
    let told = "user: When?\nassistant: <tool_call>\n{\"name\":\"now\",\"arguments\":{}}\n\
                </tool_call>\nuser: <tool_response>\nnoon\n</tool_response>\n";
    assert_eq!(text, told);
    let own = "{% for m in messages %}{{ m.role }}:{{ m.tool_calls is defined }} {% endfor %}";
    let known = self::language(Some(own));
    let reading_of_known = known.read(&prompt, &[], DateTime::from_unix(0)).unwrap();
    let text = known.tokenizer().decode(&reading_of_known.ids, false);
    assert_eq!(text, "user:False assistant:True tool:False ");
    let parts = reading.reader.clone().push("<tool_call>");
    assert_eq!(parts, [text::reply::Part::Text("<tool_call>".to_owned())]);
}

#[test]
fn what_a_model_can_do_is_seen_in_its_template() {
    let abilities = |template: &str| language(Some(template)).abilities();
    let plain = abilities("{{ messages }}");
    assert!(plain.converses && !plain.calls && !plain.fills_gaps && plain.thinking.is_none());
    assert_eq!(language(None).abilities(), Abilities::default());
    assert!(abilities(TEMPLATE).calls);
    let thinking = |template: &str| abilities(template).thinking;
    let always = Thinking::default();
    assert_eq!(thinking("{{ '<think></think>' }}"), Some(always));
    let switch = Thinking { switch: Some("enable_thinking"), ..always };
    assert_eq!(thinking("{% if enable_thinking is defined %}{% endif %}"), Some(switch));
    let other = Thinking { switch: Some("thinking"), ..always };
    assert_eq!(thinking("{% if thinking is defined %}{% endif %}"), Some(other));
    let levels = Thinking { has_levels: true, ..always };
    assert_eq!(thinking("{{ message.thinking }}{{ reasoning_effort }}"), Some(levels));
}

#[test]
fn the_switch_for_thinking_is_the_templates_own() {
    let usual = language(Some("{% if enable_thinking %}on{% endif %}"));
    let other = language(Some("{% if thinking is defined and thinking %}on{% endif %}"));
    let none = language(Some("{{ enabled_thinking }}off"));
    for (language, reads, text) in [(usual, true, "on"), (other, true, "on"), (none, false, "off")]
    {
        assert_eq!(language.reads("enable_thinking"), reads, "{text}");
        let variables = json!({ "enable_thinking": true }).as_object().unwrap().clone();
        let chat = Chat { variables, ..Chat::default() };
        let now = DateTime::from_unix(0);
        let ids = language.read(&Prompt::Chat(chat), &[], now).unwrap().ids;
        assert!(language.tokenizer().decode(&ids, false).ends_with(text));
    }
}

#[test]
fn many_turns_are_told_in_their_order() {
    let local = local();
    let asked = |n: usize| turn(Prompt::Text(format!("Number {n} is")));
    let mut alone = Vec::new();
    for n in 0..7 {
        let events = ask(&local, asked(n));
        let Some(Event::End(account)) = events.last() else { panic!("{events:?}") };
        alone.push(account.reply.clone());
    }
    for at_once in [1, 3, 100] {
        let mut together = Vec::new();
        local.answer_all((0..7).map(asked), (at_once, &|| true), |reply| {
            let reply = reply.unwrap();
            assert_eq!(reply.tokens.len(), 8);
            together.push(reply.account.unwrap().reply);
            ControlFlow::Continue(())
        });
        assert_eq!(together, alone, "{at_once} at once");
    }
    let mut told = 0;
    local.answer_all((0..7).map(asked), (3, &|| true), |_| {
        told += 1;
        if told == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(told, 2);
    // Whoever has enough is not made to wait for a long answer.
    let endless = Turn { limits: Limits::default(), ..asked(0) };
    let told = std::cell::Cell::new(0);
    local.answer_all([asked(1), endless].into_iter(), (2, &|| told.get() == 0), |_| {
        told.set(told.get() + 1);
        ControlFlow::Continue(())
    });
    assert_eq!(told.get(), 1);
    let wrong = Turn { wishes: Wishes { top_p: Some(7.0), ..Wishes::default() }, ..asked(0) };
    local.answer_all(std::iter::once(wrong), (3, &|| true), |reply| {
        assert!(reply.unwrap_err().message.contains("top_p"));
        ControlFlow::Continue(())
    });
}
