use super::*;

fn skips(text: &str) -> bool {
    let mut json = Json::new(text.as_bytes(), 0);
    json.skip().and_then(|()| json.end()).is_ok()
}

#[test]
fn whole_values_are_skipped() {
    for text in
        ["0", "-1.5e+3", "null", " [1, {\"a\": []}, \"b\"] ", "{}", "\"\\u00e9\\n\"", "[[[]]]"]
    {
        assert!(skips(text), "{text}");
    }
}

#[test]
fn broken_values_are_not() {
    for text in [
        "",
        "[",
        "[1,]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "\"",
        "\"\\x\"",
        "\"\n\"",
        "nul",
        "nan",
        "inf",
        "--1",
        "1 2",
        "\"\\ud800\"",
        "\"\\u12g4\"",
        "{\"a\":1,}",
        "[1 2]",
        "]",
    ] {
        assert!(!skips(text), "{text}");
    }
    assert!(!skips(&"[".repeat(100_000)));
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(skips(&nested(limits::JSON_DEPTH)));
    assert!(!skips(&nested(limits::JSON_DEPTH + 2)));
}

#[test]
fn strings_decode() {
    fn decoded(text: &str) -> Cow<'_, str> {
        Json::new(text.as_bytes(), 0).string().unwrap().decoded()
    }

    assert_eq!(decoded(r#""plain é""#), "plain é");
    assert_eq!(decoded(r#""a\/b\\\"\u00e9\ud83d\ude00\n""#), "a/b\\\"é😀\n");
    // A pair must be one: two letters that are both escaped stay two letters.
    assert_eq!(decoded(r#""\u0041\u0042""#), "AB");
}

#[test]
fn numbers_are_whole() {
    let number = |text: &str| Json::new(text.as_bytes(), 0).u64().ok();
    assert_eq!(number("18446744073709551615"), Some(u64::MAX));
    assert_eq!(number(" 0]"), Some(0));
    for text in ["18446744073709551616", "-1", "1.0", "1e3", "01", "", "\"1\""] {
        assert_eq!(number(text), None, "{text}");
    }
}

#[test]
fn errors_say_where() {
    let error = Json::new(b"{\"a\": tru}", 8).skip().unwrap_err();
    assert_eq!(error.at, Some(14));
    assert_eq!(error.to_string(), "the JSON should have a value here (at byte 14)");
}
