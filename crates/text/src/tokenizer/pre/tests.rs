//! Every scanner against its own pattern on the regex engine, and cases worth reading.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::general::{Behavior, General};
use super::*;

/// Ends of the patterns below.
macro_rules! spaced {
    ($($part:literal)*) => { concat!($($part,)* r"|\s*[\r\n]+|\s+(?!\S)|\s+") };
}

const PATTERNS: [&str; 9] = [
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    spaced!(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
        r"| ?[^\s\p{L}\p{N}]+[\r\n]*"),
    spaced!(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
        r"| ?[^\s\p{L}\p{N}]+[\r\n]*"),
    spaced!(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}"
        r"| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"),
    spaced!(r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*"),
    spaced!(r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
        r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
        r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*"),
    spaced!(r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"##
        r"|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"),
    r"\p{N}{1,3}",
    r"\s?\p{L}+",
];

fn parts<'a>(steps: &[Splitter], text: &'a str) -> Vec<&'a str> {
    let mut parts = Vec::new();
    split(steps, text, &mut |part| parts.push(part));
    parts
}

fn on_engine(pattern: &str) -> Splitter {
    Splitter::General(Box::new(General::new(pattern, Behavior::Isolated, false).unwrap()))
}

/// Characters around which the rules differ.
fn text() -> impl Strategy<Value = String> {
    let c = prop_oneof![
        5 => prop::sample::select("aZéǅʰ漢字한ßſ's tTreEVLldDm".chars().collect::<Vec<_>>()),
        3 => prop::sample::select(" \n\r\t\u{a0}\u{2003}'’/.,!$+<".chars().collect::<Vec<_>>()),
        2 => prop::sample::select("0129٣½Ⅷ\u{301}\u{93f}\u{20e3}".chars().collect::<Vec<_>>()),
        1 => any::<char>(),
    ];
    prop::collection::vec(c, 0..24).prop_map(String::from_iter)
}

/// Each pattern as a scanner and on the engine.
static BOTH: LazyLock<Vec<[Splitter; 2]>> = LazyLock::new(|| {
    let both = |pattern| [by_pattern(pattern).unwrap(), on_engine(pattern)];
    PATTERNS.into_iter().map(both).collect()
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn scanners_do_what_their_patterns_do(text in text()) {
        for ([scanner, engine], pattern) in BOTH.iter().zip(PATTERNS) {
            let scanned = parts(std::slice::from_ref(scanner), &text);
            let expected = parts(std::slice::from_ref(engine), &text);
            prop_assert_eq!(scanned, expected, "{}", pattern);
        }
    }

    #[test]
    fn every_named_rule_keeps_the_text(text in text()) {
        for name in names().split(", ") {
            let rules = by_name(name).unwrap();
            prop_assert_eq!(parts(&rules.steps, &text).concat(), text.as_str(), "{}", name);
        }
    }
}

#[test]
fn words_as_people_see_them() {
    let cases: [(&str, &str, &[&str]); 8] = [
        ("gpt-2", "I'll say  it's 1234", &["I", "'ll", " say", " ", " it", "'s", " 1234"]),
        (
            "llama-bpe",
            "I'LL pay $1234\n\n x",
            &["I", "'LL", " pay", " $", "123", "4", "\n\n", " x"],
        ),
        ("qwen2", "a(b) 12", &["a", "(b", ")", " ", "1", "2"]),
        ("gpt-4o", "HelloWorld's don't", &["Hello", "World's", " don't"]),
        ("tekken", "HelloWorld's", &["Hello", "World", "'s"]),
        ("smollm", "ab 12", &["ab", " ", "1", "2"]),
        // Its class of punctuation, `:-~`, has the ASCII letters in it.
        (
            "deepseek-llm",
            "Grüße, 12\n漢字x ",
            &["Gr", "üß", "e", ",", " ", "1", "2", "\n", "漢字", "x", " "],
        ),
        ("deepseek-v3", "x.y 1234漢字", &["x", ".y", " ", "123", "4", "漢字"]),
    ];
    for (name, text, expected) in cases {
        assert_eq!(parts(&by_name(name).unwrap().steps, text), expected, "{name}");
    }
}

#[test]
fn all_behaviours_of_a_split() {
    use Behavior::*;
    let cases: [(Behavior, bool, &[&str]); 6] = [
        (Removed, false, &["the", "end"]),
        (Removed, true, &["-", "-", "-"]),
        (Isolated, false, &["the", "-", "-", "end", "-"]),
        (MergedWithPrevious, false, &["the-", "-", "end-"]),
        (MergedWithNext, false, &["the", "-", "-end", "-"]),
        (Contiguous, false, &["the", "--", "end", "-"]),
    ];
    for (behavior, invert, expected) in cases {
        let rule = General::new("-", behavior, invert).unwrap();
        let steps = [Splitter::General(Box::new(rule))];
        assert_eq!(parts(&steps, "the--end-"), expected, "{behavior:?} {invert}");
    }
}

#[test]
fn patterns_that_cannot_run_are_errors() {
    for pattern in [r"a(?=b)", r"\p{L}++", "(", r"(\s+(?!\S)|\s+)+", &"a{900}{900}".repeat(9)] {
        assert!(General::new(pattern, Behavior::Isolated, false).is_err(), "{pattern}");
    }
    for pattern in [r"\p{L}+", r"[?+]+", r"a?|\++", r"\d{1,3}"] {
        assert!(General::new(pattern, Behavior::Isolated, false).is_ok(), "{pattern}");
    }
}

#[test]
fn long_runs_take_linear_time() {
    let text = format!("{}x", " ".repeat(1 << 20));
    for name in names().split(", ") {
        let count = parts(&by_name(name).unwrap().steps, &text).len();
        assert!(count >= 1, "{name}");
    }
}
