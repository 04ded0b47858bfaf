//! A simulation: a model whose every answer tells whether its pages held what they should, and
//! users who come together, hang up, run out of time and go on with their conversations, or have
//! texts embedded beside all that.

use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

use arch::{Cache, Keeps, Model, Scratch, Shape, Step, Weight};
use kernels::{Isa, Kept, Machine};
use testkit::golden;

use turn::Embedded;

use super::*;
use crate::pool::Pool;
use crate::{Sequence, Settings};

const VOCABULARY: usize = 320;
const WINDOW: usize = 100;
/// How long ago the model quotes itself or its prompt.
const ECHO: usize = 40;
/// Ends a reply.
const END: u32 = 2;
/// Behind it there are no numbers.
const OVERFLOW: u32 = 0;

fn mix(hash: u64, word: u64) -> u64 {
    let x = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x ^ (x >> 29)
}

/// What a model with these caches has seen behind these tokens.
fn seen(keeps: &[Keeps], tokens: &[u32]) -> Seen {
    let mut seen = Seen { all: 1, window: 2, state: 3, echo: None };
    let first = tokens.len().saturating_sub(WINDOW);
    for (i, token) in tokens.iter().enumerate() {
        let word = (i as u64) << 32 | u64::from(*token);
        for keeps in keeps {
            match keeps {
                Keeps::All => {
                    seen.all = mix(seen.all, word);
                    seen.echo = tokens.len().checked_sub(ECHO).map(|at| tokens[at]);
                }
                Keeps::Last(_) if i >= first => seen.window = mix(seen.window, word),
                Keeps::Last(_) => {}
                Keeps::State => seen.state = mix(seen.state, u64::from(*token)),
            }
        }
    }
    seen
}

/// What it says next to them.
fn next(keeps: &[Keeps], tokens: &[u32]) -> u32 {
    seen(keeps, tokens).next()
}

/// What they are embedded to.
fn vector(keeps: &[Keeps], tokens: &[u32]) -> Vec<f32> {
    let mut pool = Pool::new(arch::Pooling::Mean, 2);
    (1..=tokens.len()).for_each(|len| pool.add(&seen(keeps, &tokens[..len]).output()).unwrap());
    pool.vector()
}

struct Seen {
    all: u64,
    window: u64,
    state: u64,
    /// The token that was there a while ago.
    echo: Option<u32>,
}

impl Seen {
    fn hash(&self) -> u64 {
        mix(mix(self.all, self.window), self.state)
    }

    /// The normalised output of the last token.
    fn output(&self) -> [f32; 2] {
        [self.hash() as u16, (self.hash() >> 16) as u16].map(f32::from)
    }

    fn next(&self) -> u32 {
        let hash = self.hash();
        // Every so often the reply ends, and mostly it says what it said a while ago.
        match (hash % 64, self.echo) {
            (0, _) => END,
            (8.., Some(echo)) => echo,
            _ => 3 + (hash >> 8) as u32 % (VOCABULARY as u32 - 3),
        }
    }
}

/// Keeps tokens and their positions where others keep keys and values.
struct Fake(Shape);

impl Fake {
    fn new(keeps: &[Keeps]) -> Fake {
        let page_len = |keeps: &Keeps| if *keeps == Keeps::State { 4 } else { 64 * 2 };
        let cache = |keeps: &Keeps| Cache { keeps: *keeps, page_len: page_len(keeps) };
        Fake(Shape {
            family: "fake",
            vocabulary: VOCABULARY,
            hidden: 2,
            layers: 1,
            context: 2000,
            caches: keeps.iter().map(cache).collect(),
            kept: Kept::F32,
            keeps_others: true,
            pooling: arch::Pooling::Mean,
            weight_bytes: 0,
        })
    }
}

fn bits(x: f32) -> u64 {
    u64::from(x.to_bits())
}

impl Model for Fake {
    fn shape(&self) -> &Shape {
        &self.0
    }

    fn weights(&mut self) -> Vec<&mut Weight> {
        Vec::new()
    }

    fn forward(&self, _: &mut Machine, _: &mut Scratch, step: &mut Step) {
        let mut states = vec![3; step.tokens.len()];
        for (cache, store) in self.0.caches.iter().zip(step.stores.iter_mut()) {
            for (i, row) in store.rows.iter().enumerate() {
                let (token, position) = (step.tokens[i], row.position);
                if cache.keeps == Keeps::State {
                    let [from, to] = row.pages else { panic!("two states") };
                    let follows = i > 0 && std::ptr::eq(store.rows[i - 1].pages, row.pages);
                    let before = match (follows, position) {
                        (true, _) => states[i - 1],
                        (false, 0) => 3,
                        (false, _) => {
                            let page = &store.pages[*from as usize];
                            bits(page[0]) << 32 | bits(page[1])
                        }
                    };
                    states[i] = mix(before, u64::from(token));
                    let page = &mut store.pages[*to as usize];
                    page[0] = f32::from_bits((states[i] >> 32) as u32);
                    page[1] = f32::from_bits(states[i] as u32);
                } else {
                    let page = &mut store.pages[row.pages[position / 64] as usize];
                    page[2 * (position % 64)] = f32::from_bits(token);
                    page[2 * (position % 64) + 1] = f32::from_bits(position as u32);
                }
            }
        }
        let behind = |row: usize| {
            let mut seen = Seen { all: 1, window: 2, state: 3, echo: None };
            let position = step.positions[row];
            for (cache, store) in self.0.caches.iter().zip(step.stores.iter()) {
                let table = store.rows[row].pages;
                let word = |at: usize| {
                    let page = &store.pages[table[at / 64] as usize];
                    let (token, place) = (bits(page[2 * (at % 64)]), bits(page[2 * (at % 64) + 1]));
                    place << 32 | token
                };
                let first = (position + 1).saturating_sub(WINDOW);
                match cache.keeps {
                    Keeps::All => {
                        (0..=position).for_each(|at| seen.all = mix(seen.all, word(at)));
                        let echo = (position + 1).checked_sub(ECHO);
                        seen.echo = echo.map(|at| word(at) as u32);
                    }
                    Keeps::Last(_) => {
                        (first..=position).for_each(|at| seen.window = mix(seen.window, word(at)));
                    }
                    Keeps::State => seen.state = states[row],
                }
            }
            seen
        };
        for (row, logits) in step.wanted.iter().zip(step.logits.chunks_mut(VOCABULARY)) {
            logits.fill(if step.tokens[*row] == OVERFLOW { f32::NAN } else { 0.0 });
            logits[behind(*row).next() as usize] = 10.0;
        }
        for (row, output) in step.shown.iter().zip(step.outputs.chunks_mut(2)) {
            output.copy_from_slice(&behind(*row).output());
        }
    }
}

const ALL: [Keeps; 3] = [Keeps::All, Keeps::Last(WINDOW), Keeps::State];

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % n
    }

    fn tokens(&mut self, len: usize) -> Vec<u32> {
        (0..len).map(|_| 3 + self.below(VOCABULARY - 3) as u32).collect()
    }
}

/// What a user has got so far.
#[derive(Default)]
struct Got {
    tokens: Vec<u32>,
    end: Option<String>,
    cached: usize,
    account: Option<Box<Account>>,
}

struct User {
    owner: Owner,
    prompt: Vec<u32>,
    limit: usize,
    gone: Arc<AtomicBool>,
    got: Arc<Mutex<Got>>,
}

impl User {
    fn new(owner: Owner, prompt: Vec<u32>, limit: usize) -> User {
        User { owner, prompt, limit, gone: Arc::default(), got: Arc::default() }
    }

    /// Hangs up by itself after so many tokens.
    fn job(&self, asked: Duration, deadline: Option<Duration>, patience: usize) -> Job {
        let got = Arc::clone(&self.got);
        let reply = move |event| {
            let mut got = got.lock().unwrap();
            assert!(got.end.is_none(), "nothing follows the end");
            match event {
                Event::Token(choice) => got.tokens.push(choice.token),
                Event::End(account) => {
                    got.cached = account.usage.cached_tokens;
                    got.end = Some(format!("{:?}", account.finish));
                    got.account = Some(account);
                }
                Event::Failed(fault) => got.end = Some(fault.message),
                _ => {}
            }
            match got.tokens.len() >= patience {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        Job {
            owner: self.owner.clone(),
            prompt: self.prompt.clone(),
            sampling: Sampling::greedy(),
            limits: Limits { tokens: Some(self.limit), stop: vec![] },
            reader: Reader::plain(),
            rules: None,
            asked,
            deadline,
            gone: Arc::clone(&self.gone),
            reply: Box::new(reply),
        }
    }

    /// What was said is what the model says to a fresh sequence, as far as it went.
    fn check(&self, keeps: &[Keeps]) {
        let got = self.got.lock().unwrap();
        let mut all = self.prompt.clone();
        for token in &got.tokens {
            assert_eq!(*token, next(keeps, &all), "{} of {}", all.len(), self.prompt.len());
            all.push(*token);
        }
        if let Some(account) = &got.account {
            self.check_account(account, &got.tokens);
        }
        match got.end.as_deref() {
            Some("End") => assert_eq!(next(keeps, &all), END),
            Some("Length") => assert_eq!(got.tokens.len(), self.limit),
            _ => {}
        }
    }
}

impl User {
    /// The account says what was asked, what was said and when.
    fn check_account(&self, account: &Account, said: &[u32]) {
        let ended = usize::from(account.finish == Finish::End);
        assert_eq!(account.prompt, self.prompt);
        assert_eq!(account.reply.len(), account.usage.generated_tokens);
        assert_eq!(account.reply[..account.reply.len() - ended], *said);
        let Times { begun, first, over, .. } = account.times;
        assert!(begun.is_none_or(|begun| begun <= over) && first.is_none_or(|first| first <= over));
        assert!(first.is_none() || begun <= first);
        assert_eq!(first.is_some(), !account.reply.is_empty());
    }
}

/// Who has texts embedded.
struct Author {
    texts: Vec<Vec<u32>>,
    gone: Arc<AtomicBool>,
    outcome: Arc<Mutex<Option<Result<Embedded, Fault>>>>,
}

impl Author {
    fn new(texts: Vec<Vec<u32>>) -> Author {
        Author { texts, gone: Arc::default(), outcome: Arc::default() }
    }

    fn texts(&self, asked: Duration) -> Texts {
        let to = Arc::clone(&self.outcome);
        let done = move |outcome| {
            assert!(to.lock().unwrap().replace(outcome).is_none(), "told twice");
        };
        let (texts, gone) = (self.texts.clone(), Arc::clone(&self.gone));
        Texts { texts, asked, gone, done: Box::new(done) }
    }

    /// Each vector is that of its text alone.
    fn check(&self, keeps: &[Keeps]) -> &'static str {
        match self.outcome.lock().unwrap().as_ref() {
            Some(Ok(Embedded { vectors, tokens })) => {
                for (text, got) in self.texts.iter().zip(vectors) {
                    assert_eq!(*got, vector(keeps, text));
                }
                let whole = self.texts.iter().zip(tokens).take(vectors.len());
                assert!(whole.into_iter().all(|(text, read)| text.len() == *read));
                let is_whole = vectors.len() == self.texts.len();
                assert!(is_whole || self.gone.load(Ordering::Relaxed));
                if is_whole { "embedded" } else { "given up" }
            }
            Some(Err(fault)) => {
                assert_eq!(fault.retry, Retry::Later, "{fault}");
                "too many"
            }
            None => panic!("nobody is told"),
        }
    }
}

fn tokenizer() -> Tokenizer {
    Tokenizer::from_folder(&golden("models/qwen3")).unwrap()
}

fn turns<'t>(tokenizer: &'t Tokenizer, keeps: &[Keeps], room: u64) -> Turns<'t> {
    let plain = Settings { isa: Isa::PORTABLE, threads: 1, chunk: 64, ..Settings::default() };
    let settings = Settings { pack: false, room: Some(room), ..plain };
    let engine = Engine::new(Box::new(Fake::new(keeps)), settings).unwrap();
    let policy = Policy {
        together: 5,
        waiting: 12,
        rows: 90,
        rows_beside: 20,
        reply: 50,
        time: None,
        guess: true,
    };
    Turns::new(engine, tokenizer, policy)
}

/// Now and then somebody has texts embedded, or hangs up.
fn write(random: &mut Random, authors: &mut Vec<Author>, now: Duration) -> Option<Texts> {
    if random.below(40) == 0 {
        authors.last().into_iter().for_each(|last| last.gone.store(true, Ordering::Relaxed));
    }
    if random.below(8) > 0 {
        return None;
    }
    let lens: Vec<usize> = (0..1 + random.below(5)).map(|_| random.below(60)).collect();
    let long = if random.below(8) == 0 { 150 } else { 1 };
    authors.push(Author::new(lens.iter().map(|len| random.tokens(long + len)).collect()));
    authors.last().map(|author| author.texts(now))
}

/// Pages are in order, and no more room is promised or used than there is.
fn check_room(turns: &Turns) {
    let active = turns.active.iter().map(|active| &active.sequence);
    let sequences: Vec<&Sequence> = active.chain(turns.embeddings.sequences()).collect();
    turns.engine.check_pages(&sequences);
    let promised: u64 = turns.active.iter().map(|active| active.room).sum();
    assert!(promised + turns.embeddings.room() <= turns.engine.room());
    assert!(turns.engine.cache_bytes() <= turns.engine.room());
}

/// Thousands of users; returns what happened, and how many tokens were cached.
fn simulate(seed: u64, keeps: &[Keeps], steps: usize) -> (Vec<String>, usize) {
    let tokenizer = tokenizer();
    let (mut random, mut others) = (Random(seed), Random(seed + 100));
    let time = Arc::new(AtomicU64::new(0));
    let clock = {
        let time = Arc::clone(&time);
        move || Duration::from_millis(time.load(Ordering::Relaxed))
    };
    let mut turns = turns(&tokenizer, keeps, 20_000).by(clock.clone());
    let systems: Vec<Vec<u32>> = [70, 128, 500, 31].map(|len| random.tokens(len)).into();
    let (mut users, mut authors): (Vec<User>, Vec<Author>) = (Vec::new(), Vec::new());
    let mut log = Vec::new();
    for step in 0..steps {
        time.store(step as u64, Ordering::Relaxed);
        let now = clock();
        for _ in 0..random.below(3) {
            let begun = users.len().checked_sub(1 + random.below(20)).map(|i| &users[i]);
            let mut prompt = match (begun, random.below(3)) {
                (Some(user), 0) => {
                    let got = user.got.lock().unwrap();
                    [user.prompt.clone(), got.tokens.clone()].concat()
                }
                _ => systems[random.below(systems.len())].clone(),
            };
            // The next question, another from somewhere in the middle, or the same once more.
            let (most, more) = [(700, 90), (1 + random.below(700), 90), (700, 1)][random.below(3)];
            prompt.truncate(most);
            let more = random.below(more);
            prompt.extend(random.tokens(more));
            let owner = [Some("a"), Some("b")].get(users.len() % 30).copied().flatten();
            let user = User::new(owner.map(Arc::from), prompt, 1 + random.below(60));
            let deadline = (random.below(10) == 0).then(|| now + Duration::from_millis(40));
            let patience = if random.below(8) == 0 { random.below(20) } else { usize::MAX };
            turns.submit(user.job(now, deadline, patience));
            users.push(user);
        }
        let texts = write(&mut others, &mut authors, now);
        texts.into_iter().for_each(|texts| turns.embed(texts));
        if random.below(5) == 0 && !users.is_empty() {
            let i = users.len() - 1 - random.below(users.len().min(30));
            users[i].gone.store(true, Ordering::Relaxed);
        }
        turns.step();
        check_room(&turns);
        log.push(format!("{:?}", turns.counts()));
    }
    let mut left = 0;
    while turns.step() {
        left += 1;
        assert!(left < 10_000, "somebody waits for ever");
    }
    let mut cached = 0;
    for user in &users {
        user.check(keeps);
        let got = user.got.lock().unwrap();
        cached += got.cached;
        let end = got.end.as_ref().expect("every turn ends");
        assert!(!end.contains("bytes"), "who is let in has room: {end}");
        log.push(format!("{end} after {} tokens, {} cached", got.tokens.len(), got.cached));
    }
    log.extend(authors.iter().map(|author| author.check(keeps).to_owned()));
    turns.engine.check_pages(&[]);
    turns.engine.forget();
    assert_eq!(turns.engine.used_bytes(), 0, "all pages are free");
    assert_eq!(turns.engine.kept_blocks(), 0, "nothing is left of what was read");
    (log, cached)
}

#[test]
fn whatever_users_do_pages_and_turns_are_in_order() {
    let [all, window, state] = ALL;
    let kinds: [&[Keeps]; 6] = [&ALL, &[all], &[all, window], &[window], &[all, state], &[state]];
    for (seed, keeps) in kinds.into_iter().enumerate() {
        let (log, cached) = simulate(seed as u64, keeps, 1500);
        assert!(cached > 10_000, "{keeps:?}: {cached} tokens were cached");
        let ended = |how: &str| log.iter().filter(|line| line.starts_with(how)).count();
        let turns = ["End", "Length", "Cancelled", "Deadline", "too many turns"];
        for how in turns.into_iter().chain(["embedded", "given up"]) {
            assert!(ended(how) > 5, "{how}: {}", ended(how));
        }
    }
}

#[test]
fn guesses_save_steps_and_change_nothing() {
    let tokenizer = tokenizer();
    for keeps in [&ALL[..1], &ALL[..2], &ALL] {
        let answers = [false, true].map(|guess| {
            let mut turns = turns(&tokenizer, keeps, 100_000);
            turns.policy.guess = guess;
            let (mut steps, mut said) = (0, 0);
            for i in 0..40 {
                let user = User::new(None, Random(i).tokens(150), 200);
                turns.submit(user.job(Duration::ZERO, None, usize::MAX));
                while turns.step() {
                    steps += 1;
                }
                user.check(keeps);
                said += user.got.lock().unwrap().tokens.len();
            }
            (said, steps)
        });
        let [(said, without), (also_said, with)] = answers;
        assert_eq!(said, also_said);
        assert!(3 * with < 2 * without, "{with} steps for {said} tokens, {without}");
    }
}

/// Behind a guess that is wrong there may be anything.
#[test]
fn where_a_wrong_guess_leads_to_harms_nobody() {
    let tokenizer = tokenizer();
    for keeps in [&ALL[..1], &ALL] {
        let mut turns = turns(&tokenizer, keeps, 100_000);
        let user = User::new(None, vec![7, 7, 7, OVERFLOW, 5, 7, 7], 30);
        let sampling = Sampling { logit_bias: vec![(7, 1e6)], ..Sampling::greedy() };
        turns.submit(Job { sampling, ..user.job(Duration::ZERO, None, usize::MAX) });
        while turns.step() {}
        let got = user.got.lock().unwrap();
        assert_eq!(got.end.as_deref(), Some("Length"));
        assert_eq!(got.tokens, [7; 30]);
        assert!(turns.tried().made > 0, "nothing was guessed");
    }
}

#[test]
fn the_same_seed_gives_the_same_log() {
    assert_eq!(simulate(7, &ALL, 300), simulate(7, &ALL, 300));
}

#[test]
fn a_turn_takes_no_longer_than_it_may() {
    let tokenizer = tokenizer();
    // Each look at this clock is a millisecond.
    let time = AtomicU64::new(0);
    let clock = move || Duration::from_millis(time.fetch_add(1, Ordering::Relaxed));
    let mut turns = turns(&tokenizer, &ALL, 100_000).by(clock);
    let time = Some(Duration::from_secs(1));
    turns.policy = Policy { together: 1, waiting: 200, time, ..turns.policy };
    let users: Vec<User> = (0..200).map(|i| User::new(None, Random(i).tokens(40), 200)).collect();
    for user in &users {
        let later = Some(Duration::from_secs(100));
        turns.submit(user.job(Duration::ZERO, later, usize::MAX));
    }
    while turns.step() {}
    let ends = users.iter().map(|user| {
        user.check(&ALL);
        let got = user.got.lock().unwrap();
        (got.end.clone().unwrap(), got.tokens.len())
    });
    let (in_time, late): (Vec<_>, Vec<_>) = ends.partition(|(end, _)| end != "Deadline");
    assert!(in_time.len() > 5, "{in_time:?}");
    let begun = late.iter().filter(|(_, said)| *said > 0).count();
    assert!(begun == 1 && late.len() > 100, "{begun} of {}", late.len());
}

#[test]
fn who_finds_a_place_does_not_count_as_waiting() {
    let tokenizer = tokenizer();
    let mut turns = turns(&tokenizer, &ALL, 100_000);
    turns.policy = Policy { together: 2, waiting: 1, ..turns.policy };
    let users: Vec<User> = (0..5).map(|i| User::new(None, Random(i).tokens(40), 20)).collect();
    let is_refused = |user: &User| user.got.lock().unwrap().end.is_some();
    let mut submit = |user: &User| {
        turns.submit(user.job(Duration::ZERO, None, usize::MAX));
        is_refused(user)
    };
    assert_eq!([0, 1, 2, 3].map(|i| submit(&users[i])), [false, false, false, true]);
    turns.step();
    assert_eq!(turns.counts(), (1, 2));
    turns.submit(users[4].job(Duration::ZERO, None, usize::MAX));
    assert!(is_refused(&users[4]));
    while turns.step() {}
    assert_eq!(turns.counts(), (0, 0));
}

#[test]
fn what_can_never_fit_is_refused_at_once() {
    let tokenizer = tokenizer();
    let mut turns = turns(&tokenizer, &ALL, 10_000);
    let user = User::new(None, vec![5; 1900], 50);
    turns.submit(user.job(Duration::ZERO, None, usize::MAX));
    let end = user.got.lock().unwrap().end.clone().unwrap();
    assert!(end.contains("of memory, and 9.77 KiB may"), "{end}");
}
