use serde_json::json;

use super::*;

fn inputs() -> Inputs {
    Inputs {
        messages: json!([{"role": "user", "content": "Hi"}]),
        tools: None,
        documents: None,
        add_generation_prompt: true,
        variables: Map::new(),
        now: DateTime { year: 2026, month: 3, day: 14, hour: 9, minute: 26, second: 53 },
    }
}

fn render(source: &str) -> Result<String, Error> {
    Template::compile(source)?.render(&inputs())
}

#[test]
fn a_template_may_be_shared_between_threads() {
    fn is_shareable<T: Send + Sync>() {}
    is_shareable::<Template>();
    let template = Template::compile("{{ messages[0].content }}").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| assert_eq!(template.render(&inputs()).unwrap(), "Hi"));
        }
    });
}

#[test]
fn all_inputs_are_variables() {
    let mut inputs = inputs();
    inputs.variables.insert("bos_token".to_owned(), json!("<s>"));
    inputs.variables.insert("enable_thinking".to_owned(), json!(false));
    let source = "{{ bos_token }}{{ tools is none }}{{ documents is none }}\
                  {{ add_generation_prompt }}{{ enable_thinking is false }}{{ other is defined }}";
    let template = Template::compile(source).unwrap();
    assert_eq!(template.render(&inputs).unwrap(), "<s>TrueTrueTrueTrueFalse");
    inputs.tools = Some(json!([]));
    inputs.documents = Some(json!([{"title": "t"}]));
    assert_eq!(template.render(&inputs).unwrap(), "<s>FalseFalseTrueTrueFalse");
}

#[test]
fn a_rendering_leaves_nothing_behind() {
    let source = "{% set _ = messages.append(1) %}{{ messages|length }}";
    let template = Template::compile(source).unwrap();
    let inputs = inputs();
    for _ in 0..2 {
        assert_eq!(template.render(&inputs).unwrap(), "2");
    }
    assert_eq!(inputs.messages.as_array().unwrap().len(), 1);
}

#[test]
fn errors_say_what_kind_they_are() {
    let refused = render("{{ raise_exception('Say \"please\".') }}").unwrap_err();
    assert_eq!(refused, Error::Refused { message: "Say \"please\".".to_owned() });
    let failed = render("\n{{ messages\n + 'x' }}").unwrap_err();
    let Error::Evaluation { line: Some(2 | 3), reason } = failed else { panic!("{failed:?}") };
    assert_eq!(reason, "unsupported operand types for +: 'list' and 'str'");
    let broken = render("ok\n{% if %}").unwrap_err();
    assert!(matches!(broken, Error::Syntax { line: 2, .. }), "{broken:?}");
}

#[test]
fn an_error_inside_a_macro_keeps_its_kind() {
    let source = "{% macro m(x) %}{{ raise_exception(x) }}{% endmacro %}\
                  {% set y %}{{ m('no')|upper }}{% endset %}";
    assert_eq!(render(source), Err(Error::Refused { message: "no".to_owned() }));
}

#[test]
fn errors_read_as_sentences() {
    let text = |source: &str| render(source).unwrap_err().to_string();
    assert_eq!(
        text("{{ raise_exception('No.') }}"),
        "the chat template refused the conversation: No."
    );
    assert_eq!(
        text("\n{% break %}"),
        "the chat template does not compile: line 2: break outside of a loop"
    );
    assert_eq!(text("{{ 1 / 0 }}"), "the chat template failed at line 1: division by zero");
}

#[test]
fn fuel_and_memory_are_limited() {
    let small = Limits { fuel: 10_000, memory: 1 << 20 };
    let render = |source: &str| Template::compile_within(small, source)?.render(&inputs());
    let loops = "{% for a in range(999) %}{% for b in range(999) %}{% endfor %}{% endfor %}";
    assert_eq!(render(loops), Err(Error::OutOfFuel { steps: 10_000 }));
    let doubling = "{% set n = namespace(s='a') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}\
                    {% endfor %}";
    assert!(matches!(render(doubling), Err(Error::TooLarge { .. })));
    let repeated = "{{ 'a' * 10 ** 12 }}";
    assert!(matches!(render(repeated), Err(Error::TooLarge { .. })));
}

#[test]
fn a_long_conversation_is_no_attack() {
    let source = "{% for m in messages %}\
                  {% for n in messages[::-1] %}{% if n.role == 'system' %}{% break %}{% endif %}\
                  {% endfor %}{{ m.role }}: {{ m.content|trim }}\n{% endfor %}";
    let mut inputs = inputs();
    let message = json!({"role": "system", "content": "x".repeat(10_000)});
    inputs.messages = vec![message; 400].into();
    let text = Template::compile(source).unwrap().render(&inputs).unwrap();
    assert_eq!(text.len(), 400 * 10_009);
}

#[test]
fn a_conversation_nested_too_deeply_is_an_error() {
    let mut inputs = inputs();
    for _ in 0..500 {
        inputs.messages = json!([inputs.messages]);
    }
    let rendered = Template::compile("{{ messages }}").unwrap().render(&inputs);
    assert!(matches!(rendered, Err(Error::Evaluation { .. })), "{rendered:?}");
}

#[test]
fn containers_that_hold_themselves_are_freed() {
    let source = "{% set l = [] %}{% set d = {'l': l} %}{% set _ = l.append(d) %}\
                  {% set n = namespace(d=d) %}{% set n.n = n %}{{ l|length }}";
    let heap = Heap::new(1 << 20);
    let weak = Arc::downgrade(&heap);
    let template = Template::compile(source).unwrap();
    let context = context(&heap, &inputs()).unwrap();
    let engine = template.environment.get_template(NAME).unwrap();
    assert_eq!(engine.render(context).unwrap(), "1");
    drop(heap);
    assert!(weak.upgrade().is_none(), "the heap was kept alive");
}

/// What reads or copies a long text over and over comes to its end, however little it gives.
#[test]
fn each_reading_is_paid_for() {
    let limits = Limits { fuel: 1_000_000, memory: 1 << 20 };
    let readings = "s|length s|trim s|upper s|title s|wordcount s|int s|replace('x','y') s|tojson \
        s|first s|reverse u|lower 'x'in(s) s==t s<t s[5] s[1:] u[9:] s.isspace() s.isprintable() \
        u.isprintable() s.istitle() s.islower() s.strip() s.strip(u) s.startswith('a',5) \
        s.endswith('x') s.find('x') s.count('x') s.split('x') s.partition('x') s.isidentifier() \
        s.removeprefix('x') 'x'.strip(s) '-'.join([s]) '%s'%s {s:1}[s] {s:1}.get(s) {(s,):1} \
        dict([(s,1)]) [s,t]|unique|list s|trim(u)";
    for reading in readings.split_whitespace() {
        let source = format!(
            "{{% set s = 'ab c' * 7500 %}}{{% set t = s ~ '' %}}{{% set u = 'éÉ ü' * 5000 %}}\
             {{% for i in range(900) %}}{{% set x = {reading} %}}{{% endfor %}}"
        );
        let rendered = Template::compile_within(limits, &source).unwrap().render(&inputs());
        assert!(matches!(rendered, Err(Error::TooLarge { .. })), "{reading}: {rendered:?}");
    }
}
