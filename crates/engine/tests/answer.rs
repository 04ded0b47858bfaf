//! Turns at their edges: no tokens asked for, a context that is full, prompts that cannot be
//! answered, and a model that is wider than its tokenizer.
#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

use std::ops::ControlFlow;

use engine::{Engine, Error, Feed, Request, Sequence, Settings, Wanted};
use formats::gguf::{Gguf, Writer};
use testkit::golden;
use text::reply::Reader;
use text::tokenizer::Tokenizer;
use turn::{Event, Finish, Limits, Sampling, Usage};

const CONTEXT: usize = 512;
const VOCABULARY: u32 = 320;

fn open() -> Engine {
    let source = arch::Source::open(&golden("models/qwen3")).unwrap();
    Engine::new(arch::load(&source).unwrap(), Settings::default()).unwrap()
}

fn tokenizer() -> Tokenizer {
    Tokenizer::from_folder(&golden("models/qwen3")).unwrap()
}

/// Always this token.
fn only(token: u32) -> Sampling {
    Sampling { logit_bias: vec![(token, 1e6)], ..Sampling::greedy() }
}

struct Turn {
    tokens: Vec<u32>,
    text: String,
    finish: Finish,
    usage: Usage,
}

fn answer(
    engine: &mut Engine,
    tokenizer: &Tokenizer,
    sequence: &mut Sequence,
    request: &Request,
) -> Result<Turn, Error> {
    let (mut tokens, mut text, mut end) = (Vec::new(), String::new(), None);
    engine.answer(tokenizer, sequence, request, &mut |event| {
        assert_eq!(end, None, "nothing follows the end");
        match event {
            Event::Begun(_) | Event::Read(_) => {}
            Event::Token(choice) => tokens.push(choice.token),
            Event::Text(more) => text += &more,
            Event::End(account) => end = Some((account.finish, account.usage)),
            other => panic!("{other:?}"),
        }
        ControlFlow::Continue(())
    })?;
    let (finish, usage) = end.unwrap();
    assert_eq!(usage.prompt_tokens, request.prompt.len());
    Ok(Turn { tokens, text, finish, usage })
}

/// A fresh answer to a prompt of so many tokens.
fn fresh(prompt: usize, tokens: Option<usize>, sampling: &Sampling) -> Result<Turn, Error> {
    let (prompt, limits) = (vec![5; prompt], Limits { tokens, stop: vec![] });
    let request = Request { prompt: &prompt, sampling, limits: &limits, reader: &Reader::plain() };
    answer(&mut open(), &tokenizer(), &mut Sequence::default(), &request)
}

#[test]
fn the_limit_of_tokens_is_exact() {
    for limit in [0, 1, 7] {
        let turn = fresh(3, Some(limit), &only(50)).unwrap();
        assert_eq!((turn.tokens.len(), turn.usage.generated_tokens), (limit, limit));
        assert_eq!(turn.finish, Finish::Length);
    }
}

#[test]
fn an_answer_goes_on_until_the_context_is_full() {
    // The last token is shown and has no place any more, so one more than there is room for.
    for (room, said) in [(0, 1), (1, 2), (3, 4)] {
        let turn = fresh(CONTEXT - room, None, &only(50)).unwrap();
        assert_eq!((turn.tokens.len(), turn.finish), (said, Finish::Context));
    }
    let error = fresh(CONTEXT + 1, None, &only(50)).map(|_| ()).unwrap_err();
    assert_eq!(error, Error::ContextFull { needed: CONTEXT + 1, context: CONTEXT });
}

#[test]
fn the_end_of_a_reply_is_counted_and_not_shown() {
    let turn = fresh(3, None, &only(tokenizer().eos().unwrap())).unwrap();
    assert_eq!((turn.finish, turn.usage.generated_tokens), (Finish::End, 1));
    assert_eq!((turn.tokens, turn.text), (vec![], String::new()));
}

#[test]
fn a_prompt_that_was_answered_before_is_not_read_again() {
    let (mut engine, tokenizer, mut sequence) = (open(), tokenizer(), Sequence::default());
    let (sampling, limits) = (Sampling::greedy(), Limits { tokens: Some(5), stop: vec![] });
    let request = Request {
        prompt: &[5; 70],
        sampling: &sampling,
        limits: &limits,
        reader: &Reader::plain(),
    };
    let first = answer(&mut engine, &tokenizer, &mut sequence, &request).unwrap();
    let again = answer(&mut engine, &tokenizer, &mut sequence, &request).unwrap();
    assert_eq!((first.usage.cached_tokens, again.usage.cached_tokens), (0, 69));
    assert_eq!((first.tokens, first.text), (again.tokens, again.text));
}

#[test]
fn tokens_that_no_tokenizer_knows_add_no_text() {
    // Weights are often padded to more rows than there are tokens.
    let json = br#"{"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []}}"#;
    let narrow = Tokenizer::from_json(json, None).unwrap();
    assert_eq!(narrow.len(), 2);
    let limits = Limits { tokens: Some(4), stop: vec![] };
    let sampling = only(VOCABULARY - 1);
    let request =
        Request { prompt: &[0, 1], sampling: &sampling, limits: &limits, reader: &Reader::plain() };
    let turn = answer(&mut open(), &narrow, &mut Sequence::default(), &request).unwrap();
    assert_eq!((turn.tokens, turn.text), (vec![VOCABULARY - 1; 4], String::new()));
}

#[test]
fn a_step_that_fails_changes_no_sequence() {
    let (mut engine, mut sequence, mut other) = (open(), Sequence::default(), Sequence::default());
    engine.prefill(&mut sequence, &[1, 2, 3]).unwrap();
    for (tokens, error) in [
        (&[][..], Error::EmptyPrompt),
        (&[VOCABULARY], Error::Token { token: VOCABULARY, vocabulary: VOCABULARY as usize }),
        (&[1; CONTEXT], Error::ContextFull { needed: CONTEXT + 3, context: CONTEXT }),
    ] {
        let feeds = &mut [
            Feed { sequence: &mut other, tokens: &[7], wanted: Wanted::Last },
            Feed { sequence: &mut sequence, tokens, wanted: Wanted::Last },
        ];
        assert_eq!(engine.step(feeds).map(<[f32]>::len), Err(error));
        assert_eq!((sequence.tokens(), other.tokens()), (&[1, 2, 3][..], &[][..]));
    }
}

#[test]
fn numbers_that_overflow_are_an_error() {
    let from = Gguf::open(&golden("gguf/qwen3.gguf")).unwrap();
    let mut writer = Writer::new();
    from.keys().for_each(|(key, value)| writer.key(key, value).unwrap());
    from.tensors().for_each(|t| writer.tensor(t.name, t.storage, &t.shape).unwrap());
    let mut body = writer.begin(Vec::new()).unwrap();
    for tensor in from.tensors() {
        let damaged = [&f32::NAN.to_le_bytes(), &tensor.bytes[4..]].concat();
        let spoil = tensor.name == "output_norm.weight";
        assert!(!spoil || tensor.storage.name() == "F32");
        body.tensor(if spoil { &damaged } else { tensor.bytes }).unwrap();
    }
    let source = arch::Source::from_gguf(Gguf::from_bytes(body.finish().unwrap()).unwrap());
    let mut engine = Engine::new(arch::load(&source).unwrap(), Settings::default()).unwrap();
    let mut sequence = Sequence::default();
    let failed = engine.prefill(&mut sequence, &[1, 2, 3]).map(<[f32]>::len);
    assert_eq!(failed, Err(Error::NotFinite { position: 2 }));
    assert_eq!(sequence.tokens(), &[] as &[u32]);
}

#[test]
fn a_bias_of_a_token_that_does_not_exist_is_refused() {
    let refused = fresh(3, Some(1), &only(VOCABULARY)).err();
    assert_eq!(refused, Some(Error::Token { token: VOCABULARY, vocabulary: VOCABULARY as usize }));
}

/// Models that keep less than every position are cut at a mark, and answer as if they were fresh.
#[test]
fn a_conversation_that_turns_off_goes_on_from_before() {
    for (model, kept) in [("qwen3", 95), ("mistral", 95), ("qwen3_5", 64), ("qwen3_5-moe", 64)] {
        let folder = golden(&format!("models/{model}"));
        let source = arch::Source::open(&folder).unwrap();
        let tokenizer = Tokenizer::from_folder(&folder).unwrap();
        let mut engine = Engine::new(arch::load(&source).unwrap(), Settings::default()).unwrap();
        let limits = Limits { tokens: Some(30), stop: vec![] };
        let sampling = &Sampling { logit_bias: vec![(2, -1e6)], ..Sampling::greedy() };
        let first: Vec<u32> = (0..100).map(|i| 7 + i * 13 % 300).collect();
        let second: Vec<u32> = first[..95].iter().copied().chain(10..60).collect();
        let sequence = &mut Sequence::default();
        let ask = |engine: &mut Engine, sequence: &mut Sequence, prompt: &[u32]| {
            let request = Request { prompt, sampling, limits: &limits, reader: &Reader::plain() };
            let mut said = Vec::new();
            let mut used = None;
            let reply = &mut |event| {
                match event {
                    Event::Token(choice) => said.push((choice.token, choice.logprob.to_bits())),
                    Event::End(account) => used = Some(account.usage.cached_tokens),
                    _ => {}
                }
                ControlFlow::Continue(())
            };
            engine.answer(&tokenizer, sequence, &request, reply).unwrap();
            (said, used.unwrap())
        };
        ask(&mut engine, sequence, &first);
        let (said, cached) = ask(&mut engine, sequence, &second);
        assert_eq!(cached, kept, "{model}");
        let (fresh, _) = ask(&mut engine, &mut Sequence::default(), &second);
        assert_eq!(said, fresh, "{model}");
        // Once more from the same mark.
        let (again, _) = ask(&mut engine, sequence, &second);
        assert_eq!(again, fresh, "{model}");
    }
}
