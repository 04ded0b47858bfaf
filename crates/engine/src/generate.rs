//! One turn: a prompt goes in, events come out, the last of which says why it ended.

use std::ops::ControlFlow;

use text::tokenizer::Tokenizer;
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
}

/// Receives the events of a turn; `Break` ends it as cancelled.
pub type Reply<'a> = &'a mut dyn FnMut(Event) -> ControlFlow<()>;

/// A turn that runs.
struct Run<'a> {
    tokenizer: &'a Tokenizer,
    sampler: Sampler,
    stops: Stops<'a>,
    usage: Usage,
    limit: usize,
}

impl Engine {
    /// Answers a prompt on a sequence, which afterwards holds the prompt and the reply.
    ///
    /// # Errors
    /// When the prompt is empty or does not fit, or the model fails. No `End` event is sent then.
    pub fn answer(
        &mut self,
        tokenizer: &Tokenizer,
        sequence: &mut Sequence,
        request: &Request,
        reply: Reply,
    ) -> Result<(), Error> {
        // The last token of the prompt always passes through: its logits are needed.
        let cached = sequence.common_prefix(request.prompt).min(request.prompt.len().max(1) - 1);
        self.truncate(sequence, cached);
        let mut run = Run {
            tokenizer,
            sampler: Sampler::new(request.sampling.clone()),
            stops: Stops::new(&request.limits.stop),
            usage: Usage {
                prompt_tokens: request.prompt.len(),
                cached_tokens: cached,
                generated_tokens: 0,
            },
            limit: request.limits.tokens.unwrap_or(usize::MAX),
        };
        let logits = self.prefill(sequence, &request.prompt[cached..])?;
        let first = run.sampler.choose(logits, sequence.tokens(), request.prompt.len());
        let finish = run.go(self, sequence, first, reply)?;
        let left = run.stops.finish();
        if finish != Finish::Stop && !left.is_empty() {
            let _ = reply(Event::Text(left));
        }
        let _ = reply(Event::End(finish, run.usage));
        Ok(())
    }
}

impl Run<'_> {
    fn go(
        &mut self,
        engine: &mut Engine,
        sequence: &mut Sequence,
        first: Choice,
        reply: Reply,
    ) -> Result<Finish, Error> {
        let (mut choice, mut text) = (first, self.tokenizer.stream(false));
        let context = engine.shape().context;
        loop {
            let token = choice.token;
            if self.limit == 0 {
                return Ok(Finish::Length);
            }
            self.usage.generated_tokens += 1;
            if self.tokenizer.ends().contains(&token) {
                return Ok(Finish::End);
            }
            if reply(Event::Token(choice)).is_break() {
                return Ok(Finish::Cancelled);
            }
            let last = self.usage.generated_tokens >= self.limit;
            let full = sequence.tokens().len() >= context;
            let mut piece = text.push(token);
            if last || full {
                piece += &text.finish();
            }
            let (shown, stopped) = self.stops.push(&piece);
            if !shown.is_empty() && reply(Event::Text(shown)).is_break() {
                return Ok(Finish::Cancelled);
            }
            match () {
                () if stopped => return Ok(Finish::Stop),
                () if last => return Ok(Finish::Length),
                () if full => return Ok(Finish::Context),
                () => {}
            }
            let feed = Feed { sequence, tokens: &[token], wanted: Wanted::Last };
            let logits = engine.step(&mut [feed])?;
            choice = self.sampler.choose(logits, sequence.tokens(), self.usage.prompt_tokens);
        }
    }
}
