//! One turn: a prompt goes in, events come out, the last of which says why it ended.

use std::ops::ControlFlow;

use text::reply::{Part, Reader};
use text::tokenizer::{Decoder, Tokenizer};
use turn::{Choice, Event, Finish, Limits, Sampling, Usage};

use crate::stop::Stops;
use crate::{Engine, Error, Feed, Sampler, Sequence, Wanted};

/// What a turn asks of a model.
pub struct Request<'a> {
    /// The whole prompt. What the sequence already begins with is not computed again.
    pub prompt: &'a [u32],
    /// How tokens are chosen.
    pub sampling: &'a Sampling,
    /// When to stop.
    pub limits: &'a Limits,
    /// How the reply is to be read.
    pub reader: &'a Reader,
}

/// Receives the events of a turn; `Break` ends it as cancelled.
pub type Reply<'a> = &'a mut dyn FnMut(Event) -> ControlFlow<()>;

/// The next prompt of a conversation often parts from this one where the reply is announced. Cut
/// so many tokens before its end, it can still be gone on from.
const HEADER: usize = 16;

/// A turn that runs.
struct Run<'a> {
    /// Tokens with which the model ends a reply.
    ends: &'a [u32],
    sampler: Sampler,
    reader: Reader,
    stops: Stops<'a>,
    usage: Usage,
    limit: usize,
}

impl Engine {
    /// Answers a prompt on a sequence, which afterwards holds the prompt and the reply.
    ///
    /// # Errors
    /// When the prompt is empty or does not fit, when a token is not in the vocabulary, or when the
    /// model fails. No `End` event is sent then.
    pub fn answer(
        &mut self,
        tokenizer: &Tokenizer,
        sequence: &mut Sequence,
        request: &Request,
        reply: Reply,
    ) -> Result<(), Error> {
        self.known(request.sampling.logit_bias.iter().map(|(token, _)| token))?;
        // The last token of the prompt always passes through: its logits are needed.
        let common = sequence.common_prefix(request.prompt).min(request.prompt.len().max(1) - 1);
        self.truncate(sequence, common);
        let cached = sequence.tokens().len();
        sequence.plan_mark(request.prompt.len().saturating_sub(HEADER));
        let mut run = Run {
            ends: tokenizer.ends(),
            sampler: Sampler::new(request.sampling.clone(), self.isa()),
            reader: request.reader.clone(),
            stops: Stops::new(&request.limits.stop),
            usage: Usage {
                prompt_tokens: request.prompt.len(),
                cached_tokens: cached,
                generated_tokens: 0,
            },
            limit: request.limits.tokens.unwrap_or(usize::MAX),
        };
        let mut go_on = |read| reply(Event::Read(read)).is_continue();
        let rest = &request.prompt[cached..];
        let Some(logits) = self.prefill_while(sequence, rest, &mut go_on)? else {
            let _ = reply(Event::End(Finish::Cancelled, run.usage));
            return Ok(());
        };
        let first = run.sampler.choose(logits, sequence.tokens(), request.prompt.len());
        let mut text = tokenizer.stream(false).continuing().showing(request.reader.marks());
        let mut finish = run.go(self, (sequence, first), &mut text, reply)?;
        if !matches!(finish, Finish::Stop | Finish::Cancelled) {
            // Half a character may be left, and it may even complete a stop string.
            let mut parts = run.reader.push(text.finish());
            parts.extend(run.reader.finish());
            let (_, stopped) = run.stops.show(parts, reply);
            finish = if stopped { Finish::Stop } else { finish };
            let held = if stopped { String::new() } else { run.stops.finish() };
            if !held.is_empty() {
                let _ = reply(Event::Text(held));
            }
        }
        let _ = reply(Event::End(finish, run.usage));
        Ok(())
    }
}

impl Run<'_> {
    /// Feeds each chosen token back, until there is a reason to end.
    fn go(
        &mut self,
        engine: &mut Engine,
        (sequence, first): (&mut Sequence, Choice),
        text: &mut Decoder,
        reply: Reply,
    ) -> Result<Finish, Error> {
        let (mut choice, context) = (first, engine.shape().context);
        loop {
            if self.usage.generated_tokens >= self.limit {
                return Ok(Finish::Length);
            }
            let token = choice.token;
            self.usage.generated_tokens += 1;
            if self.ends.contains(&token) {
                return Ok(Finish::End);
            }
            if let Some(finish) = self.show(choice, text, reply) {
                return Ok(finish);
            }
            if sequence.tokens().len() >= context {
                return Ok(Finish::Context);
            }
            let feed = Feed { sequence, tokens: &[token], wanted: Wanted::Last };
            let logits = engine.step(&mut [feed])?;
            choice = self.sampler.choose(logits, sequence.tokens(), self.usage.prompt_tokens);
        }
    }

    /// Sends what a token adds to the text; returns a reason to end, if it gives one.
    fn show(&mut self, choice: Choice, text: &mut Decoder, reply: Reply) -> Option<Finish> {
        let parts = self.reader.push(text.push(choice.token));
        let broken = reply(Event::Token(choice)).is_break();
        let (gone, stopped) = if broken { (true, false) } else { self.stops.show(parts, reply) };
        match (gone, stopped) {
            (true, _) => Some(Finish::Cancelled),
            (false, true) => Some(Finish::Stop),
            (false, false) => None,
        }
    }
}

impl Stops<'_> {
    /// Sends parts of a reply, up to a stop string in its answer; says whether the client is gone,
    /// and whether a stop string was met.
    fn show(&mut self, parts: Vec<Part>, reply: Reply) -> (bool, bool) {
        for part in parts {
            let (event, stopped) = match part {
                Part::Reasoning(text) => (Event::Reasoning(text), false),
                Part::Call(name) => (Event::Call(name), false),
                Part::Arguments(more) => (Event::Arguments(more), false),
                Part::Text(text) => {
                    let (shown, stopped) = self.push(&text);
                    (Event::Text(shown), stopped)
                }
            };
            let empty = matches!(&event, Event::Text(text) if text.is_empty());
            if !empty && reply(event).is_break() {
                return (true, stopped);
            }
            if stopped {
                return (false, true);
            }
        }
        (false, false)
    }
}
