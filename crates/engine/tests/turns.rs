//! The first promise through the whole engine: a turn alone, among strangers, and with prefixes
//! that others have left says the same, to the bit.
#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine::{Engine, Forms, Job, Policy, Settings, Turns, Worker};
use serde_json::{Map, Value, json};
use testkit::golden;
use text::reply::Reader;
use text::tokenizer::Tokenizer;
use turn::{Account, Event, Finish, Form, Limits, Sampling};

/// Tokens with their log probabilities as bits, and how many of the prompt were there.
#[derive(Clone, Debug, Default, PartialEq)]
struct Said {
    tokens: Vec<(u32, u32)>,
    cached: usize,
    end: Option<Finish>,
    account: Option<Box<Account>>,
}

fn open(path: &Path) -> Engine {
    let source = arch::Source::open(path).unwrap();
    Engine::new(arch::load(&source).unwrap(), Settings::default()).unwrap()
}

fn tokenizer() -> Tokenizer {
    Tokenizer::from_folder(&golden("models/qwen3")).unwrap()
}

fn job(prompt: &[u32], tokens: usize, seed: u64) -> (Job, Arc<Mutex<Said>>) {
    let said = Arc::new(Mutex::new(Said::default()));
    let to = Arc::clone(&said);
    let reply = move |event| {
        let mut said = to.lock().unwrap();
        match event {
            Event::Token(choice) => said.tokens.push((choice.token, choice.logprob.to_bits())),
            Event::End(account) => {
                assert_eq!(said.end, None);
                (said.end, said.cached) = (Some(account.finish), account.usage.cached_tokens);
                said.account = Some(account);
            }
            Event::Failed(fault) => panic!("{fault}"),
            _ => {}
        }
        ControlFlow::Continue(())
    };
    let job = Job {
        owner: None,
        prompt: prompt.to_vec(),
        // No ends, so that all speak as long as they may.
        sampling: Sampling { seed, logit_bias: vec![(1, -1e6), (2, -1e6)], ..Sampling::default() },
        limits: Limits { tokens: Some(tokens), stop: vec![] },
        reader: Reader::plain(),
        rules: None,
        asked: Duration::ZERO,
        deadline: None,
        gone: Arc::default(),
        reply: Box::new(reply),
    };
    (job, said)
}

fn run(turns: &mut Turns) {
    while turns.step() {}
}

fn words(seed: usize, len: usize) -> Vec<u32> {
    (0..len).map(|i| (3 + (i * 31 + seed * 17 + i * i % 7) % 300) as u32).collect()
}

#[test]
fn strangers_and_prefixes_change_no_bit() {
    let tokenizer = tokenizer();
    let tiny = std::fs::read_dir(golden("models")).unwrap();
    let tiny =
        tiny.map(|entry| entry.unwrap().path()).filter(|path| path.join("config.json").exists());
    let mut tiny: Vec<PathBuf> = tiny.collect();
    tiny.extend(["quant/dense.Q4_K_M.gguf", "quant/dense.Q8_0.gguf"].map(golden));
    assert!(tiny.len() >= 20, "every family");
    for path in tiny {
        let model = path.display();
        let policy = Policy { together: 17, rows: 96, rows_beside: 40, ..Policy::default() };
        let prompt = words(0, 150);
        let alone = {
            // Nothing kept from anybody, and nothing guessed.
            let policy = Policy { guess: false, ..policy };
            let mut turns = Turns::new(open(&path), &tokenizer, policy);
            let (job, said) = job(&prompt, 30, 7);
            turns.submit(job);
            run(&mut turns);
            let said = said.lock().unwrap().clone();
            assert_eq!((said.tokens.len(), said.cached), (30, 0), "{model}");
            said
        };
        let mut turns = Turns::new(open(&path), &tokenizer, policy);
        // Cold, warm, and as the next turn of a conversation that somebody else has had.
        for round in 0..3 {
            for stranger in 0..16 {
                let shared = &prompt[..[0, 64, 130, 149][stranger % 4]];
                let own = words(stranger + 1, 5 + 9 * stranger);
                let (job, _) = job(&[shared, &own].concat(), 5 + stranger * 3, stranger as u64);
                turns.submit(job);
                turns.step();
            }
            let (job, said) = job(&prompt, 30, 7);
            turns.submit(job);
            run(&mut turns);
            let said = said.lock().unwrap().clone();
            assert_eq!(said.tokens, alone.tokens, "{model} in round {round}");
            assert!(round == 0 || said.cached >= 64, "{model}: {} cached", said.cached);
        }
    }
}

/// How much of a prompt is there already would tell others what was asked before.
#[test]
fn nobody_goes_on_from_what_another_has_asked() {
    let tokenizer = tokenizer();
    for model in ["models/qwen3", "models/gemma3", "models/qwen3_5"] {
        let mut turns = Turns::new(open(&golden(model)), &tokenizer, Policy::default());
        let mut cached = |owner: Option<&str>, len: usize| {
            let (job, said) = job(&words(0, len), 5, 7);
            turns.submit(Job { owner: owner.map(Arc::from), ..job });
            run(&mut turns);
            let said = said.lock().unwrap();
            (said.cached, said.tokens.clone())
        };
        let (nothing, reply) = cached(None, 150);
        assert_eq!(nothing, 0);
        for owner in [Some("a"), Some("b")] {
            assert_eq!(cached(owner, 150), (0, reply.clone()), "{model}: {owner:?}");
        }
        for owner in [Some("b"), None, Some("a")] {
            let (own, again) = cached(owner, 150);
            assert!(own >= 64 && again == reply, "{model}: {owner:?} has {own}");
        }
    }
}

/// Also in models that keep a state, of which there is one where the reply ended.
#[test]
fn a_conversation_goes_on_where_its_last_reply_ended() {
    let tokenizer = tokenizer();
    for model in ["models/qwen3", "models/gemma3", "models/qwen3_5", "models/deepseek-v3.2"] {
        let mut turns = Turns::new(open(&golden(model)), &tokenizer, Policy::default());
        let mut ask = |prompt: &[u32]| {
            let (job, said) = job(prompt, 30, 7);
            turns.submit(job);
            run(&mut turns);
            said.lock().unwrap().clone()
        };
        let mut prompt = words(0, 150);
        for _ in 0..3 {
            let said = ask(&prompt);
            prompt.extend(said.tokens.iter().map(|(token, _)| token));
            // The last token has not passed through the model.
            let there = prompt.len() - 1;
            // What was asked then is asked otherwise.
            for other in [2, 1] {
                prompt.truncate(there + 1);
                prompt.extend(words(other, 9));
                let cached = ask(&prompt).cached;
                assert!(cached == there || other == 1 && cached > there, "{model}: {cached}");
            }
            let next = ask(&prompt);
            let mut fresh = Turns::new(open(&golden(model)), &tokenizer, Policy::default());
            let (job, alone) = job(&prompt, 30, 7);
            fresh.submit(job);
            run(&mut fresh);
            assert_eq!(next.tokens, alone.lock().unwrap().tokens, "{model}");
        }
    }
}

/// What a form demands is guessed, many tokens at once: in models that keep all, a window, a state.
#[test]
fn guesses_change_no_bit() {
    let tokenizer = tokenizer();
    let forms = Forms::new(&tokenizer).unwrap();
    let names = ["name_of_the_customer", "number_of_the_invoice", "international_code"];
    let properties: Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), json!({ "type": "boolean" }))).collect();
    let schema = json!({
        "type": "object", "properties": properties, "required": names, "additionalProperties": false
    });
    for model in ["models/qwen3", "models/gemma3", "models/qwen3_5", "models/deepseek-v3.2"] {
        let [without, with] = [false, true].map(|guess| {
            let policy = Policy { guess, ..Policy::default() };
            let mut turns = Turns::new(open(&golden(model)), &tokenizer, policy);
            let rules = forms.compile(&Form::Schema(schema.clone()).into(), &Reader::plain());
            let (job, said) = job(&words(3, 90), 300, 5);
            turns.submit(Job { rules: Some(rules.unwrap()), ..job });
            let mut steps = 0;
            while turns.step() {
                steps += 1;
            }
            let said = said.lock().unwrap().clone();
            assert_eq!(said.end, Some(Finish::End), "{model}");
            (said.tokens, steps)
        });
        assert_eq!(with.0, without.0, "{model}");
        assert!(with.1 < without.1, "{model}: {} steps, {} without guesses", with.1, without.1);
    }
}

/// What is kept of a turn is enough to show it again, on another day and alone.
#[test]
fn an_account_is_shown_again() {
    let tokenizer = tokenizer();
    let fresh = || Turns::new(open(&golden("models/gemma3")), &tokenizer, Policy::default());
    let mut turns = fresh();
    let all: Vec<_> = (0..12).map(|i| job(&words(i % 5, 40 + i), 20, i as u64)).collect();
    let said: Vec<_> = all.iter().map(|(_, said)| Arc::clone(said)).collect();
    all.into_iter().for_each(|(job, _)| turns.submit(job));
    run(&mut turns);
    for said in said {
        let account = said.lock().unwrap().account.clone().unwrap();
        let Account { prompt, sampling, limits, .. } = account.as_ref().clone();
        let (again, said) = job(&prompt, 0, 0);
        let mut turns = fresh();
        turns.submit(Job { sampling, limits, ..again });
        run(&mut turns);
        let shown = said.lock().unwrap().account.clone().unwrap();
        let bits = |account: &Account| {
            let total = account.certainty.total.to_bits();
            (account.reply.clone(), account.finish, total, account.certainty.least.to_bits())
        };
        assert_eq!(bits(&shown), bits(&account));
        assert!(account.certainty.total < 0.0 && account.certainty.least < 0.0);
    }
}

#[test]
fn a_worker_answers_and_stops() {
    let policy = Policy { together: 3, ..Policy::default() };
    let worker =
        Worker::start(open(&golden("models/qwen3")), Arc::new(tokenizer()), policy).unwrap();
    let all: Vec<_> = (0..20).map(|i| job(&words(i, 20 + i), 10, 1)).collect();
    let said: Vec<_> = all.iter().map(|(_, said)| Arc::clone(said)).collect();
    all.into_iter().for_each(|(job, _)| worker.submit(job));
    worker.stop(Duration::from_secs(60));
    for said in said {
        assert_eq!(said.lock().unwrap().end, Some(Finish::Length));
    }
}

#[test]
fn a_worker_that_is_stopped_ends_its_turns_at_once() {
    let worker = Worker::start(
        open(&golden("models/qwen3")),
        Arc::new(tokenizer()),
        Policy { together: 2, ..Policy::default() },
    )
    .unwrap();
    let all: Vec<_> = (0..6).map(|i| job(&words(i, 50), 400, 1)).collect();
    let said: Vec<_> = all.iter().map(|(_, said)| Arc::clone(said)).collect();
    all.into_iter().for_each(|(job, _)| worker.submit(job));
    worker.stop(Duration::ZERO);
    for said in said {
        assert_eq!(said.lock().unwrap().end, Some(Finish::Cancelled));
    }
}

#[test]
fn a_full_context_ends_a_turn() {
    let tokenizer = tokenizer();
    for model in ["models/qwen3", "models/qwen3_5"] {
        let mut turns = Turns::new(open(&golden(model)), &tokenizer, Policy::default());
        let (job, said) = job(&words(1, 505), usize::MAX, 1);
        turns.submit(job);
        run(&mut turns);
        let said = said.lock().unwrap();
        // The last of them has no place of its own any more.
        assert_eq!((said.tokens.len(), said.end), (512 - 505 + 1, Some(Finish::Context)));
    }
}

/// What an editor sends while nobody types: the prompt is there when it is asked again.
#[test]
fn a_turn_of_no_tokens_only_reads() {
    let tokenizer = tokenizer();
    let mut turns = Turns::new(open(&golden("models/qwen3")), &tokenizer, Policy::default());
    for (tokens, cached) in [(0, 0), (3, 128)] {
        let (job, said) = job(&words(1, 150), tokens, 1);
        turns.submit(job);
        run(&mut turns);
        let said = said.lock().unwrap();
        assert_eq!((said.tokens.len(), said.end), (tokens, Some(Finish::Length)));
        assert!(said.cached >= cached, "{}", said.cached);
    }
}

/// A client that is gone frees its place within one step.
#[test]
fn who_hangs_up_makes_room() {
    let tokenizer = tokenizer();
    let policy = Policy { together: 1, ..Policy::default() };
    let mut turns = Turns::new(open(&golden("models/qwen3")), &tokenizer, policy);
    let (first, said) = job(&words(1, 10), 100, 1);
    let gone = Arc::clone(&first.gone);
    let (second, _) = job(&words(2, 10), 3, 1);
    turns.submit(first);
    turns.submit(second);
    turns.step();
    assert_eq!(turns.counts(), (1, 1));
    gone.store(true, Ordering::Relaxed);
    turns.step();
    assert_eq!(turns.counts(), (0, 1));
    assert_eq!(said.lock().unwrap().end, Some(Finish::Cancelled));
    let counted = AtomicUsize::new(0);
    while turns.step() {
        counted.fetch_add(1, Ordering::Relaxed);
    }
    assert!(counted.into_inner() < 5);
}
