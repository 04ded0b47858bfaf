//! What is measured with the model: prompts, answers, and answers of several users at once.

use std::time::Instant;

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine::{Engine, Feed, Job, Policy, Sequence, Tried, Turns, Wanted};
use indicatif::ProgressBar;
use text::reply::Reader;
use text::tokenizer::Tokenizer;
use turn::{Event, Limits, Sampling};

use crate::failure::Failure;
use crate::flags::Bench as Flags;
use crate::output;

/// Tokens that each of several users has before the measurement begins.
pub const SHORT_PROMPT: usize = 64;

/// What comes next is wanted of everybody.
const LAST: Wanted = Wanted::Last;

/// An engine that is measured.
pub struct Bench {
    /// Lent to the turns of several users, and given back.
    pub engine: Option<Engine>,
    /// Replies of several users become text, where the model has what it takes.
    pub tokenizer: Tokenizer,
    /// Tokens of a prompt that are computed together.
    pub chunk: usize,
}

/// Tokens per second of one user.
#[derive(Clone, Copy)]
pub struct Speed {
    pub prefill: f64,
    pub decode: f64,
}

/// What one round has measured; lists are in the order of the flags.
pub struct Round {
    pub prompt: Speed,
    pub contexts: Vec<Speed>,
    /// Of all users together.
    pub streams: Vec<Together>,
    /// Where they were asked for: of an answer that repeats itself, and of one that does not.
    pub guesses: Vec<Guessed>,
}

/// Several users at once.
#[derive(Clone, Copy)]
pub struct Together {
    /// Tokens per second of all.
    pub decode: f64,
    /// The part of a step that is not the model's: queue, pages, sampling, text.
    pub own: f64,
}

/// Tokens per second of one user, without and with guesses of what comes next.
#[derive(Clone, Copy)]
pub struct Guessed {
    pub without: f64,
    pub with: f64,
    /// The one by the other, of the same round.
    pub gain: f64,
    pub tried: Tried,
}

/// Tokens that a model has said before, when it is to repeat itself.
pub const BEFORE: usize = 320;

impl Bench {
    fn engine(&mut self) -> &mut Engine {
        self.engine.as_mut().expect("it is given back when the turns are over")
    }

    /// Brings weights and pages into memory.
    pub fn warm_up(&mut self, prompt: usize) -> Result<(), Failure> {
        let (mut sequence, bar) = (Sequence::default(), output::tokens(prompt, "Warming up"));
        self.read(&mut sequence, &self.tokens(prompt, 0), &bar)?;
        self.engine().truncate(&mut sequence, 0);
        bar.finish_and_clear();
        Ok(())
    }

    pub fn round(&mut self, flags: &Flags, round: usize) -> Result<Round, Failure> {
        let (of, answer) = (format!("round {round} of {}", flags.rounds), flags.generate);
        let prompt = self.one_user(flags.prompt, answer, &of)?;
        let contexts = flags.contexts.iter().map(|len| self.one_user(*len, answer, &of));
        let contexts = contexts.collect::<Result<_, _>>()?;
        let streams = flags.streams.iter().map(|n| self.several_users(*n, answer, &of));
        let streams = streams.collect();
        let with_first = round.is_multiple_of(2);
        let guesses = match flags.guesses {
            true => self.guesses((answer, with_first), &of)?,
            false => Vec::new(),
        };
        Ok(Round { prompt, contexts, streams, guesses })
    }

    fn guesses(&mut self, how: (usize, bool), of: &str) -> Result<Vec<Guessed>, Failure> {
        let random = self.tokens(SHORT_PROMPT, 0);
        let before = self.turns(vec![random.clone()], (BEFORE, true), of).said.remove(0);
        [before, random].into_iter().map(|prompt| self.guessed(&prompt, how, of)).collect()
    }

    /// Both ways; which is first is another from round to round.
    fn guessed(
        &mut self,
        prompt: &[u32],
        (answer, with_first): (usize, bool),
        of: &str,
    ) -> Result<Guessed, Failure> {
        let mut both = [with_first, !with_first]
            .map(|guess| self.turns(vec![prompt.to_vec()], (answer, guess), of));
        both.rotate_left(usize::from(with_first));
        let [without, with] = both;
        if without.said != with.said {
            return Err(Failure::Machine("guesses have changed an answer".to_owned()));
        }
        let (without, tried, with) = (without.speed, with.tried, with.speed);
        Ok(Guessed { without, with, gain: with / without, tried })
    }

    fn one_user(&mut self, prompt: usize, answer: usize, of: &str) -> Result<Speed, Failure> {
        let bar = output::tokens(prompt + answer, &format!("Prompt of {prompt}, {of}"));
        let (read, said) = (self.tokens(prompt, 0), self.tokens(answer, 1));
        let mut sequence = Sequence::default();
        let begin = Instant::now();
        self.read(&mut sequence, &read, &bar)?;
        let prefill = prompt as f64 / begin.elapsed().as_secs_f64();
        let begin = Instant::now();
        for token in said.chunks(1) {
            let feed = Feed { sequence: &mut sequence, tokens: token, wanted: LAST };
            self.engine().step(&mut [feed])?;
            bar.inc(1);
        }
        let decode = answer as f64 / begin.elapsed().as_secs_f64();
        self.engine().truncate(&mut sequence, 0);
        bar.finish_and_clear();
        Ok(Speed { prefill, decode })
    }

    fn several_users(&mut self, users: u16, answer: usize, of: &str) -> Together {
        let prompts = (0..usize::from(users)).map(|user| self.tokens(SHORT_PROMPT, user));
        let prompts = prompts.collect();
        let Answers { speed, own, .. } = self.turns(prompts, (answer, false), of);
        Together { decode: speed, own }
    }

    /// Answers to all prompts together, through all that answers turns: queue, sampling and text as
    /// well.
    fn turns(
        &mut self,
        prompts: Vec<Vec<u32>>,
        (answer, guess): (usize, bool),
        of: &str,
    ) -> Answers {
        let (users, what) = (prompts.len(), format!("{} answers at once, {of}", prompts.len()));
        let bar = output::tokens(users * answer, &what);
        let engine = self.engine.take().expect("it is given back when the turns are over");
        let rows = self.chunk;
        let policy =
            Policy { together: users, rows, rows_beside: rows, guess, ..Policy::default() };
        let mut turns = Turns::new(engine, &self.tokenizer, policy);
        let said: Vec<Said> = prompts.iter().map(|_| Said::default()).collect();
        for (prompt, said) in prompts.into_iter().zip(&said) {
            turns.submit(job(&self.tokenizer, (prompt, answer + 1), said, &bar));
        }
        let count = || said.iter().map(|said| said.lock().map_or(0, |said| said.len())).sum();
        // The first token of each belongs to its prompt.
        while count() < users && turns.step() {}
        let (begin, before): (Instant, usize) = (Instant::now(), count());
        let computed = turns.engine().computing();
        while turns.step() {}
        let (elapsed, made) = (begin.elapsed().as_secs_f64(), count() - before);
        let computed = (turns.engine().computing() - computed).as_secs_f64();
        let tried = turns.tried();
        self.engine = Some(turns.into_engine());
        bar.finish_and_clear();
        let said = said.iter().map(|said| said.lock().map_or(Vec::new(), |said| said.clone()));
        let (speed, own) = (made as f64 / elapsed, 1.0 - computed / elapsed);
        Answers { speed, own, tried, said: said.collect() }
    }

    /// Adds a prompt to a sequence, piece by piece, as the engine does it for an answer.
    fn read(
        &mut self,
        sequence: &mut Sequence,
        prompt: &[u32],
        bar: &ProgressBar,
    ) -> Result<(), Failure> {
        for tokens in prompt.chunks(self.chunk) {
            let is_last = sequence.tokens().len() + tokens.len() == prompt.len();
            let wanted = if is_last { LAST } else { Wanted::None };
            self.engine().step(&mut [Feed { sequence, tokens, wanted }])?;
            bar.inc(tokens.len() as u64);
        }
        Ok(())
    }

    /// Tokens that mean nothing: speed does not depend on what a text says.
    fn tokens(&self, count: usize, seed: usize) -> Vec<u32> {
        let vocabulary = self.engine.as_ref().map_or(1, |engine| engine.shape().vocabulary);
        (0..count).map(|i| ((i * 7919 + seed * 104_729 + 3) % vocabulary) as u32).collect()
    }
}

/// What one user has got so far.
type Said = Arc<Mutex<Vec<u32>>>;

/// What all users have got, and how fast.
struct Answers {
    speed: f64,
    own: f64,
    tried: Tried,
    said: Vec<Vec<u32>>,
}

/// A user who says nothing and listens to the end, which does not come early.
fn job(
    tokenizer: &Tokenizer,
    (prompt, tokens): (Vec<u32>, usize),
    said: &Said,
    bar: &ProgressBar,
) -> Job {
    let (said, bar) = (Arc::clone(said), bar.clone());
    let ends = tokenizer.ends().iter().map(|end| (*end, f32::MIN / 2.0));
    Job {
        owner: None,
        prompt,
        sampling: Sampling { logit_bias: ends.collect(), ..Sampling::greedy() },
        limits: Limits { tokens: Some(tokens), stop: vec![] },
        reader: Reader::plain(),
        rules: None,
        asked: Duration::ZERO,
        deadline: None,
        gone: Arc::default(),
        reply: Box::new(move |event| {
            if let Event::Token(choice) = event {
                said.lock().expect("nobody panics with it").push(choice.token);
                bar.inc(1);
            }
            ControlFlow::Continue(())
        }),
    }
}

impl Round {
    /// The median of each number over all rounds, of which there is at least one.
    pub fn medians(rounds: &[Round]) -> Round {
        let speed = |of: &dyn Fn(&Round) -> Speed| Speed {
            prefill: median(rounds.iter().map(|round| of(round).prefill)),
            decode: median(rounds.iter().map(|round| of(round).decode)),
        };
        let guessed = |i: usize, of: &dyn Fn(Guessed) -> f64| {
            median(rounds.iter().map(|round| of(round.guesses[i])))
        };
        let together = |i: usize, of: &dyn Fn(Together) -> f64| {
            median(rounds.iter().map(|round| of(round.streams[i])))
        };
        let first = &rounds[0];
        Round {
            prompt: speed(&|round| round.prompt),
            contexts: (0..first.contexts.len())
                .map(|i| speed(&|round| round.contexts[i]))
                .collect(),
            streams: (0..first.streams.len())
                .map(|i| Together {
                    decode: together(i, &|of| of.decode),
                    own: together(i, &|of| of.own),
                })
                .collect(),
            guesses: (0..first.guesses.len())
                .map(|i| Guessed {
                    without: guessed(i, &|of| of.without),
                    with: guessed(i, &|of| of.with),
                    gain: guessed(i, &|of| of.gain),
                    // The same in every round.
                    tried: first.guesses[i].tried,
                })
                .collect(),
        }
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (below, above) = ((values.len() - 1) / 2, values.len() / 2);
    f64::midpoint(values[below], values[above])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one_or_between_the_two() {
        assert_eq!(median([3.0].into_iter()), 3.0);
        assert_eq!(median([9.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([9.0, 1.0, 2.0, 4.0].into_iter()), 3.0);
    }

    #[test]
    fn each_number_has_a_median_of_its_own() {
        let round = |x: f64, y: f64| {
            let speed = Speed { prefill: x, decode: y };
            let tried = Tried { made: 9, right: 4 };
            let guesses = vec![Guessed { without: x, with: y, gain: y / x, tried }];
            let streams = vec![Together { decode: x, own: y }];
            Round { prompt: speed, contexts: vec![speed], streams, guesses }
        };
        let medians = Round::medians(&[round(1.0, 60.0), round(2.0, 50.0), round(3.0, 40.0)]);
        assert_eq!((medians.prompt.prefill, medians.prompt.decode), (2.0, 50.0));
        assert_eq!((medians.contexts[0].prefill, medians.contexts[0].decode), (2.0, 50.0));
        assert_eq!((medians.streams[0].decode, medians.streams[0].own), (2.0, 50.0));
        let Guessed { without, with, gain, tried } = medians.guesses[0];
        assert_eq!((without, with, gain, tried.made), (2.0, 50.0, 25.0, 9));
    }
}
