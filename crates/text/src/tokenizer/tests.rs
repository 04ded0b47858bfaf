//! What holds for every tokenizer, on vocabularies small enough to read.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// All bytes, a few joins, markup and a text that is always one token.
fn byte_level() -> Tokenizer {
    let mut pieces: Vec<String> = (0..=255).map(|byte| bytes::char_of(byte).to_string()).collect();
    let merges = [("h", "e"), ("l", "l"), ("he", "ll"), ("Ġ", "he"), ("ð", "Ł"), ("Ã", "©")];
    pieces.extend(merges.map(|(left, right)| format!("{left}{right}")));
    let vocab: serde_json::Map<String, Value> =
        pieces.iter().zip(0..).map(|(piece, id)| (piece.clone(), json!(id))).collect();
    let added = |id, content, special| json!({"id": id, "content": content, "special": special});
    let json = json!({
        "added_tokens": [added(300, "<|end|>", true), added(301, "<tool>", false)],
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false},
        "decoder": {"type": "ByteLevel"},
        "model": {"type": "BPE", "vocab": vocab, "merges": merges},
    });
    Tokenizer::from_json(json.to_string().as_bytes(), None).unwrap()
}

/// Characters with `▁` for the space, and bytes for a few of the rest.
fn spaced() -> Tokenizer {
    let json = json!({
        "added_tokens": [{"id": 0, "content": "<s>", "special": true}],
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": "▁"},
            {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        ]},
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
            {"type": "ByteFallback"},
            {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0},
        ]},
        "model": {
            "type": "BPE", "byte_fallback": true, "unk_token": "<unk>", "fuse_unk": true,
            "vocab": {
                "<s>": 0, "<unk>": 1, "<0xC3>": 2, "<0xA9>": 3, "<0xF0>": 4, "h": 5, "e": 6,
                "▁": 7, "he": 8, "▁he": 9,
            },
            "merges": ["h e", "▁ he"],
        },
    });
    Tokenizer::from_json(json.to_string().as_bytes(), None).unwrap()
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[hel é🙂漢\n'<|end|>tool ]{0,40}",
        "(<\\|end\\|>|<tool>|hell| ){0,9}"
    ]
}

fn streamed(tokenizer: &Tokenizer, ids: &[u32], markup: bool) -> String {
    let mut stream = tokenizer.stream(markup);
    let mut text = String::new();
    for &id in ids {
        text += stream.push(id);
    }
    text + stream.finish()
}

proptest! {
    #[test]
    fn the_bytes_of_the_tokens_are_the_text(text in texts(), markup: bool) {
        let tokenizer = byte_level();
        let ids = tokenizer.encode(&text, Encode { markup, add_special: false });
        let bytes: Vec<u8> = ids.iter().flat_map(|&id| tokenizer.bytes_of(id)).copied().collect();
        prop_assert_eq!(&bytes, text.as_bytes());
        prop_assert_eq!(tokenizer.decode(&ids, true), text.as_str());
        prop_assert!(markup || !ids.contains(&300), "markup was parsed unasked");
    }

    #[test]
    fn a_stream_is_the_whole_in_parts(
        ids in prop::collection::vec(0_u32..305, 0..40),
        markup: bool,
    ) {
        for tokenizer in [byte_level(), spaced()] {
            let whole = tokenizer.decode(&ids, markup);
            prop_assert_eq!(streamed(&tokenizer, &ids, markup), whole.as_str());
            let shown = ids.iter().filter(|&&id| markup || !tokenizer.is_markup(id));
            let bytes: Vec<u8> = shown.flat_map(|&id| tokenizer.bytes_of(id)).copied().collect();
            let lossy = String::from_utf8_lossy(&bytes);
            prop_assert!(whole == lossy || Some(whole.as_str()) == lossy.strip_prefix(' '));
        }
    }

    #[test]
    fn what_is_remembered_changes_nothing(texts in prop::collection::vec(texts(), 1..8)) {
        let used = byte_level();
        for text in &texts {
            let fresh = byte_level().encode(text, Encode::default());
            prop_assert_eq!(used.encode(text, Encode::default()), fresh);
        }
    }
}

#[test]
fn half_a_character_waits() {
    let tokenizer = byte_level();
    let ids: Vec<u32> = "é🙂".bytes().map(u32::from).collect();
    let mut stream = tokenizer.stream(false);
    let parts: Vec<String> = ids.iter().map(|&id| stream.push(id).to_owned()).collect();
    assert_eq!(parts, ["", "é", "", "", "", "🙂"]);
    assert_eq!(stream.finish(), "");
    let mut stream = tokenizer.stream(false);
    assert_eq!(stream.push(0xf0), "");
    assert_eq!(stream.finish(), "\u{fffd}");
    let mut stream = tokenizer.stream(false);
    assert_eq!(stream.push(0xf0).to_owned() + stream.push(u32::from(b'x')), "\u{fffd}x");
}

#[test]
fn the_first_space_is_shown_only_when_a_text_goes_on() {
    let tokenizer = spaced();
    assert_eq!(tokenizer.encode("he he", Encode::default()), [9, 9]);
    assert_eq!(tokenizer.decode(&[0, 9, 9], false), "he he");
    assert_eq!(tokenizer.decode(&[0, 9], true), "<s> he");
    assert_eq!(tokenizer.stream(false).continuing().push(9), " he");
}

#[test]
fn what_no_token_spells_becomes_bytes_or_the_unknown_token() {
    let tokenizer = spaced();
    for (text, expected) in [
        ("é", &[7, 2, 3][..]),
        ("heé", &[9, 2, 3]),
        ("🙂", &[7, 1]), // one of its bytes has no token
        ("🙂漢he漢", &[7, 1, 8, 1]),
    ] {
        assert_eq!(tokenizer.encode(text, Encode::default()), expected, "{text}");
    }
}

#[test]
fn markup_counts_on_request_only() {
    let tokenizer = byte_level();
    let markup = Encode { markup: true, add_special: true };
    assert_eq!(tokenizer.encode("<|end|><tool>", markup), [300, 301]);
    assert_eq!(tokenizer.encode("<|end|><tool>", Encode::default()).last(), Some(&301));
    assert_eq!(tokenizer.decode(&[300, 301], false), "<tool>");
    assert_eq!(tokenizer.ends(), [300]);
    assert_eq!((tokenizer.bos(), tokenizer.adds_bos()), (None, false));
    assert_eq!((tokenizer.len(), tokenizer.is_empty()), (302, false));
    assert_eq!((tokenizer.piece(256), tokenizer.id_of("he")), ("he", Some(256)));
    assert_eq!((tokenizer.piece(999), tokenizer.bytes_of(999)), ("", &b""[..]));
}

#[test]
fn threads_share_a_tokenizer() {
    let tokenizer = byte_level();
    let expected = tokenizer.encode("hello hello 🙂", Encode::default());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    assert_eq!(tokenizer.encode("hello hello 🙂", Encode::default()), expected);
                }
            });
        }
    });
}
