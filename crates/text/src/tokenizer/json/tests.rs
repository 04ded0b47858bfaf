//! Files that lie, and forms of the parts that no golden file has.

use serde_json::{Value, json};

use super::*;
use crate::tokenizer::Encode;

fn model() -> Value {
    json!({"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "▁": 3}, "merges": ["a b"]})
}

fn build(json: &Value) -> Result<Tokenizer, Error> {
    Tokenizer::from_json(json.to_string().as_bytes(), None)
}

/// A file in order, but for one part.
fn with(part: &str, value: Value) -> Value {
    let mut file = json!({"model": model()});
    file[part] = value;
    file
}

fn with_model(key: &str, value: Value) -> Value {
    let mut file = json!({"model": model()});
    file["model"][key] = value;
    file
}

#[test]
fn lies_are_named() {
    let deep = (0..200).fold(
        json!({"type": "NFC"}),
        |inner, _| json!({"type": "Sequence", "normalizers": [inner]}),
    );
    let split = |pattern: &str| {
        let pattern = json!({"Regex": pattern});
        json!({"type": "Split", "pattern": pattern, "behavior": "Isolated"})
    };
    let frame = json!({"type": "BertProcessing", "sep": ["x", 9], "cls": ["a", 0]});
    let added = |id: i64| json!([{"id": id, "content": "<x>"}]);
    let cases = [
        (json!({}), "missing field `model`"),
        (with("normalizer", json!({"type": "Precompiled"})), "unknown variant `Precompiled`"),
        (with("normalizer", deep), "recursion limit"),
        (with("pre_tokenizer", json!({"type": "UnicodeScripts"})), "`UnicodeScripts`"),
        (with("pre_tokenizer", split("a(?=b)")), "look-around"),
        (with("pre_tokenizer", split(r"\p{L}++")), "possessive"),
        (with("pre_tokenizer", split(&"x".repeat(20_000))), "too long"),
        (with("decoder", json!({"type": "CTC"})), "`CTC`"),
        (with("decoder", json!({"type": "Strip", "content": "x", "start": 9, "stop": 0})), "Strip"),
        (with("added_tokens", added(4_000_000_000)), "token 4000000000"),
        (with("added_tokens", added(-1)), "tokenizer.json: invalid value"),
        (with("post_processor", frame), "post-processor is token 9"),
        (with_model("type", json!("Unigram")), "\"Unigram\" is not known"),
        (with_model("type", json!("WordPiece")), "model.unk_token is missing"),
        (with_model("vocab", json!({"a": 0, "b": 0})), "one of two pieces is token 0"),
        (with_model("vocab", json!({"a": 0, "b": 99_999})), "the last piece is token 99999"),
        (with_model("vocab", json!({"a": -1})), "tokenizer.json: invalid value"),
        (with_model("vocab", json!(7)), "a map from pieces to ids"),
        (with_model("merges", json!(["a c"])), "merge 0 (\"a c\")"),
        (with_model("merges", json!([["b", "a"]])), "merge 0 (\"b a\")"),
        (with_model("merges", json!([["a", "b", "c"]])), "invalid length 3"),
        (with_model("merges", json!([["a"]])), "invalid length 1"),
        (with_model("merges", Value::Null), "model.merges is missing"),
        (with_model("dropout", json!(0.1)), "dropout"),
        (with_model("end_of_word_suffix", json!("</w>")), "end_of_word_suffix"),
    ];
    for (file, says) in cases {
        let said = build(&file).unwrap_err().to_string();
        assert!(said.contains(says), "{says:?} is expected, and not {said:?}");
    }
}

#[test]
fn spaces_in_every_form() {
    let metaspace = |scheme: &str| {
        let mut metaspace = json!({"type": "Metaspace", "replacement": "▁", "split": true});
        metaspace["prepend_scheme"] = scheme.into();
        metaspace
    };
    let older = json!({"type": "Metaspace", "replacement": "▁", "add_prefix_space": false});
    let cases = [
        (with("pre_tokenizer", metaspace("always")), " a", &[3, 0][..]),
        (with("pre_tokenizer", metaspace("always")), "a ab", &[3, 0, 3, 2]),
        (with("pre_tokenizer", metaspace("never")), "a ab", &[0, 3, 2]),
        (with("pre_tokenizer", older), "a", &[0]),
        (with("normalizer", json!({"type": "Lowercase"})), "AB", &[2]),
        (with("pre_tokenizer", json!({"type": "WhitespaceSplit"})), " a\tab ", &[0, 2]),
        (with("pre_tokenizer", json!({"type": "Whitespace"})), "ab, a", &[2, 0]),
        (with("pre_tokenizer", json!({"type": "Punctuation"})), "a▁b", &[0, 3, 1]),
    ];
    for (file, text, expected) in cases {
        let ids = build(&file).unwrap().encode(text, Encode::default());
        assert_eq!(ids, expected, "{text:?} {file}");
    }
}

/// Only the beginning of the whole text has the space, not what follows markup.
#[test]
fn the_first_text_is_the_one_at_the_beginning() {
    let mut file = with(
        "pre_tokenizer",
        json!({"type": "Metaspace", "replacement": "▁",
        "prepend_scheme": "first", "split": false}),
    );
    file["added_tokens"] = json!([{"id": 4, "content": "<s>", "special": true}]);
    let tokenizer = build(&file).unwrap();
    let markup = Encode { markup: true, add_special: false };
    assert_eq!(tokenizer.encode("a<s>a", markup), [3, 0, 4, 0]);
    assert_eq!(tokenizer.encode("<s>a", markup), [4, 0]);
}

#[test]
fn added_tokens_with_properties() {
    let mut file = with("normalizer", json!({"type": "Lowercase"}));
    file["added_tokens"] = json!([
        {"id": 4, "content": "<X>", "special": true, "lstrip": true, "rstrip": true},
        {"id": 5, "content": "BA", "normalized": true},
        {"id": 6, "content": "c", "single_word": true, "normalized": false},
        {"id": 9, "content": "ab", "special": false}, // the model has it under another id
    ]);
    let tokenizer = build(&file).unwrap();
    let markup = Encode { markup: true, add_special: false };
    for (text, expected) in [
        ("a <X> a", &[0, 4, 0][..]),
        ("a<x>", &[0]), // another case, and characters without tokens
        ("aBaab", &[0, 5, 2]),
        ("c a", &[6, 0]),
        ("ca", &[0]),
        ("ab", &[2]),
    ] {
        assert_eq!(tokenizer.encode(text, markup), expected, "{text:?}");
    }
}

#[test]
fn the_frame_and_the_templates_of_the_configuration() {
    let json = with(
        "added_tokens",
        json!([
            {"id": 4, "content": "<s>", "special": true},
            {"id": 5, "content": "</s>", "special": true},
        ]),
    );
    let config = json!({
        "bos_token": {"content": "<s>"}, "eos_token": "</s>",
        "add_bos_token": true, "add_eos_token": true,
        "chat_template": [
            {"name": "default", "template": "one"},
            {"name": "tool_use", "template": "two"},
        ],
    });
    let config = config.to_string();
    let tokenizer =
        Tokenizer::from_json(json.to_string().as_bytes(), Some(config.as_bytes())).unwrap();
    let framed = tokenizer.encode("ab", Encode { markup: false, add_special: true });
    assert_eq!(framed, [4, 2, 5]);
    assert_eq!(
        (tokenizer.bos(), tokenizer.adds_bos(), tokenizer.ends()),
        (Some(4), true, &[5][..])
    );
    assert_eq!(tokenizer.chat_template(), Some("one"));
    assert_eq!(tokenizer.named_chat_template("tool_use"), Some("two"));
    assert_eq!(tokenizer.named_chat_template("rag"), None);
}
