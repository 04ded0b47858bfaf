use super::*;

/// The only tag of a template, rewritten, without its delimiters.
fn expression(source: &str) -> String {
    let rewritten = rewrite(&format!("{{{{ {source} }}}}")).unwrap();
    rewritten.trim_start_matches("{{").trim_end_matches("}}").trim().to_owned()
}

fn fault(source: &str) -> (usize, String) {
    match rewrite(source) {
        Err(Error::Syntax { line, reason }) => (line, reason),
        other => panic!("{source}: {other:?}"),
    }
}

#[test]
fn operators_become_calls_by_precedence() {
    let cases = [
        ("a + b - c * d", r#"py__math("+-", a, b, py__math("*", c, d))"#),
        ("a ~ b + c", r#"py__math("+", py__concat(a, b), c)"#),
        ("-a ** b // c", r#"py__math("f", py__math("p", py__negative(a), b), c)"#),
        ("a < b not in c", r#"py__compare("< not-in", a, b, c)"#),
        ("not a == b and c", r#"((not py__compare("==", a, b)) and c)"#),
        ("a or b or c", "(a or b or c)"),
        ("a if b else c if d", "(a if b else (c if d))"),
    ];
    for (source, expected) in cases {
        assert_eq!(expression(source), expected, "{source}");
    }
}

#[test]
fn access_and_literals_become_calls() {
    let cases = [
        ("a.b['c'].d[1:]", r#"py__slice(py__item(a.b, "c").d, 1, none, none)"#),
        ("a.items", r#"py__attribute(a, "items")"#),
        ("a.strip('x', n=1)", r#"py__call(a, "strip", "x", n=1)"#),
        ("[1, (2,), {'a': b}]", r#"py__list(1, py__tuple(2), py__dict("a", b))"#),
        ("a|trim|default('x') is not none", r#"((a|trim|default("x")) is not none())"#),
        ("a is divisibleby 2 * 3", r#"py__math("*", (a is divisibleby(2)), 3)"#),
        ("f(a, *b, c=d, **e)", "f(a, *b, c=d, **e)"),
        ("'a' \"b\\n\"", r#""ab\n""#),
    ];
    for (source, expected) in cases {
        assert_eq!(expression(source), expected, "{source}");
    }
}

#[test]
fn statements_keep_their_marks_and_lines() {
    let cases = [
        ("{%- if a -%}\nx{%+ endif +%}", "{%- if a -%}\nx{%+ endif +%}"),
        ("{% set n.x = 1 %}", r#"{% do py__assign(n, "x", 1) %}"#),
        ("{% set a, b = c %}", "{% set a, b = py__unpack(c, 2) %}"),
        ("{%- generation -%}", "{%- with -%}"),
        ("{{ a\n+ b }}", "{{ py__math(\"+\", a, \nb) }}"),
        ("{# {{ x }} #}", "{# {{ x }} #}"),
    ];
    for (source, expected) in cases {
        let closed =
            format!("{source}{}", if source.contains("gen") { "{% endgeneration %}" } else { "" });
        let rewritten = rewrite(&closed).unwrap();
        let words =
            |text: &str| text.split(' ').filter(|word| !word.is_empty()).collect::<String>();
        assert!(words(&rewritten).starts_with(&words(expected)), "{source}: {rewritten}");
    }
}

#[test]
fn the_text_of_loops_and_macros_is_paid_for() {
    let rewritten = rewrite("{% for a in b -%}  12{% if c %}345{% endif %}{% endfor %}").unwrap();
    assert!(rewritten.contains("%}{% do py__text(5) -%}"), "{rewritten}");
    let silent = rewrite("{% for a in b -%}  {{ a }}{%- endfor %}").unwrap();
    assert!(!silent.contains("py__text"), "{silent}");
}

#[test]
fn faults_name_their_line() {
    let cases = [
        ("a\n{{ b c }}", 2, "unexpected 'c'"),
        ("a\n\n{% nope %}", 3, "unknown statement 'nope'"),
        ("{% if a %}\n{% for b in c %}\n{% endif %}", 3, "endif where endfor is due, for line 2"),
        ("x\n{% if a %}\n", 2, "the statement that begins here is not closed by endif"),
        ("{{\na +\n}}", 2, "expected an expression, found the end of the tag"),
        ("{{ a|nope }}", 1, "there is no filter 'nope'"),
        ("\n{{ py__list() }}", 2, "names beginning with py__ are reserved"),
        ("{% break %}", 1, "break outside of a loop"),
    ];
    for (source, line, reason) in cases {
        assert_eq!(fault(source), (line, reason.to_owned()), "{source}");
    }
}

#[test]
fn what_the_engine_would_not_survive_is_refused() {
    assert!(fault(&"x".repeat(MAX_SOURCE + 1)).1.contains("longer"));
    for deep in ["(", "[", "{1:", "-", "not ", "a[", "f(", "1 if 0 else "] {
        let source = format!("{{{{ {}", deep.repeat(100_000));
        assert_eq!(fault(&source).0, 1, "{deep}");
    }
    for deep in ["{% if a %}", "{% for a in b %}", "{% if a %}{% elif b %}"] {
        assert!(fault(&deep.repeat(20_000)).1.contains("nested"), "{deep}");
    }
    for long in [".b", "|trim", "()", "[0]", " if 1", " or 1"] {
        let source = format!("{{{{ a{} }}}}", long.repeat(1000));
        assert!(fault(&source).1.contains("too long"), "{long}");
    }
    assert!(
        fault("{% for a in b %}{% with %}{% break %}{% endwith %}{% endfor %}").1.contains("leave")
    );
}
