//! One turn: a prompt goes in, events come out, the last of which says why it ended.

use std::ops::ControlFlow;

use text::reply::{Part, Reader};
use text::tokenizer::{Decoder, Tokenizer};
use turn::{Account, Certainty, Choice, Event, Finish, Limits, Sampling, Usage};

use crate::pages::PAGE;
use crate::sample::Row;
use crate::stop::Stops;
use crate::{Engine, Error, Feed, Rules, Sampler, Sequence, Wanted};

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

/// Where a sequence that reads a prompt is to be marked.
pub(crate) fn mark_of(prompt: &[u32]) -> usize {
    prompt.len().saturating_sub(HEADER) / PAGE * PAGE
}

/// Writes a reply: chooses tokens and says what they mean.
pub(crate) struct Writer<'t> {
    sampler: Sampler,
    /// The form of the reply, if there is one, and whether it is away.
    rules: Option<Rules>,
    away: bool,
    text: Decoder<'t>,
    reader: Reader,
    stops: Stops,
    /// Tokens with which the model ends a reply.
    ends: &'t [u32],
    usage: Usage,
    limit: usize,
    /// What was chosen ahead of time.
    chosen: Option<Result<Choice, Finish>>,
    said: Vec<u32>,
    certainty: Certainty,
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
        self.check(request)?;
        // The last token of the prompt always passes through: its logits are needed.
        let common = sequence.common_prefix(request.prompt).min(request.prompt.len().max(1) - 1);
        self.truncate(sequence, common);
        let cached = sequence.tokens().len();
        sequence.plan_mark(mark_of(request.prompt));
        let mut writer = Writer::new(self, tokenizer, (request, cached));
        let _ = reply(Event::Begun(writer.usage()));
        let (context, isa) = (self.shape().context, self.isa());
        let mut go_on = |read| reply(Event::Read(read)).is_continue();
        let rest = &request.prompt[cached..];
        let Some(mut logits) = self.prefill_while(sequence, rest, &mut go_on)? else {
            writer.end(Finish::Cancelled, request.account(), reply);
            return Ok(());
        };
        let finish = loop {
            let row = Row { logits, totals: isa.totals(logits) };
            match writer.next(row, (sequence.tokens(), context), reply) {
                Err(finish) => break finish,
                Ok(token) => {
                    let feed = Feed { sequence, tokens: &[token], wanted: Wanted::Last };
                    logits = self.step(&mut [feed])?;
                }
            }
        };
        writer.end(finish, request.account(), reply);
        Ok(())
    }

    /// Refuses what cannot be answered, before anything is computed.
    pub(crate) fn check(&self, request: &Request) -> Result<(), Error> {
        self.known(request.sampling.logit_bias.iter().map(|(token, _)| token))?;
        self.admit(0, request.prompt)
    }
}

impl Request<'_> {
    fn account(&self) -> Account {
        Account::new(self.prompt.to_vec(), self.sampling.clone(), self.limits.clone())
    }
}

impl<'t> Writer<'t> {
    /// For a prompt of which so many tokens were there already.
    pub fn new(
        engine: &Engine,
        tokenizer: &'t Tokenizer,
        (request, cached): (&Request, usize),
    ) -> Writer<'t> {
        Writer {
            sampler: Sampler::new(request.sampling.clone(), engine.isa()),
            rules: None,
            away: false,
            text: tokenizer.stream(false).continuing().showing(&request.reader.marks()),
            reader: request.reader.clone(),
            stops: Stops::new(&request.limits.stop),
            ends: tokenizer.ends(),
            usage: Usage {
                prompt_tokens: request.prompt.len(),
                cached_tokens: cached,
                generated_tokens: 0,
            },
            limit: request.limits.tokens.unwrap_or(usize::MAX),
            chosen: None,
            said: Vec::new(),
            certainty: Certainty::default(),
        }
    }

    /// Chooses a token by what the model says behind these tokens, or says why there is none.
    pub fn choose(&mut self, row: Row, tokens: &[u32]) -> Result<Choice, Finish> {
        if self.usage.generated_tokens >= self.limit {
            return Err(Finish::Length);
        }
        if self.away {
            // Nobody knows any more what the reply must be.
            return Err(Finish::Form);
        }
        let (history, rules) = ((tokens, self.usage.prompt_tokens), &mut self.rules);
        let forbid =
            |logits: &mut [f32]| rules.as_mut().map_or(Ok(()), |rules| rules.apply(logits));
        self.sampler.choose_among(row, history, forbid).map_err(|()| Finish::Form)
    }

    /// The same ahead of time: `next` will find it.
    pub fn choose_ahead(&mut self, row: Row, tokens: &[u32]) {
        self.chosen = Some(self.choose(row, tokens));
    }

    /// Chooses a token, and sends what it adds to the reply; or says why the reply is over.
    pub fn next(
        &mut self,
        row: Row,
        (tokens, context): (&[u32], usize),
        reply: Reply,
    ) -> Result<u32, Finish> {
        let choice = match self.chosen.take() {
            Some(chosen) => chosen?,
            None => self.choose(row, tokens)?,
        };
        let token = choice.token;
        self.usage.generated_tokens += 1;
        self.said.push(token);
        self.certainty.add(choice.logprob);
        if self.ends.contains(&token) {
            return Err(Finish::End);
        }
        let complete = self.keep_to_form(token)?;
        let parts = self.reader.push(self.text.push(token));
        if reply(Event::Token(choice)).is_break() {
            return Err(Finish::Cancelled);
        }
        self.show(parts, reply)?;
        match () {
            () if complete => Err(Finish::End),
            () if self.usage.generated_tokens >= self.limit => Err(Finish::Length),
            () if tokens.len() >= context => Err(Finish::Context),
            () => Ok(token),
        }
    }

    /// Nothing of the prompt has been read.
    pub fn unread(&mut self) {
        self.usage = Usage::default();
    }

    /// What it has used so far.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// The reply must keep to this form.
    pub fn constrain(&mut self, rules: Rules) {
        (self.rules, self.away) = (Some(rules), false);
    }

    /// The form, for as long as somebody looks ahead in it.
    pub fn lend_rules(&mut self) -> Option<Rules> {
        let rules = self.rules.take();
        self.away = rules.is_some();
        rules
    }

    /// Tokens that must come next by the form, as far as it is known.
    pub fn forced(&mut self, tokens_of: impl FnOnce(&str) -> Vec<u32>) -> Vec<u32> {
        self.rules.as_mut().map(|rules| rules.forced(tokens_of)).unwrap_or_default()
    }

    /// As many of these guesses as the form allows.
    pub fn allowed<'a>(&mut self, guesses: &'a [u32]) -> &'a [u32] {
        match &mut self.rules {
            Some(rules) => &guesses[..rules.allows(guesses)],
            None => guesses,
        }
    }

    /// Goes on in the form of the reply; says whether it is complete.
    fn keep_to_form(&mut self, token: u32) -> Result<bool, Finish> {
        let taken = self.rules.as_mut().map_or(Ok(false), |rules| rules.take(token));
        taken.map_err(|()| Finish::Form)
    }

    /// Sends what was held back, and the end with what came of the turn.
    pub fn end(mut self, finish: Finish, account: Account, reply: Reply) {
        let mut finish = finish;
        if !matches!(finish, Finish::Stop | Finish::Cancelled) {
            // Half a character may be left, and it may even complete a stop string.
            let mut parts = self.reader.push(self.text.finish());
            parts.extend(std::mem::replace(&mut self.reader, Reader::plain()).finish());
            match self.show(parts, reply) {
                Err(Finish::Stop) => finish = Finish::Stop,
                Err(_) => {}
                Ok(()) => _ = self.let_go(reply),
            }
        }
        let Writer { usage, certainty, said, rules, stops, .. } = self;
        let demand = rules.map(Rules::into_demand);
        let account =
            Account { finish, stop: stops.met(), usage, certainty, reply: said, demand, ..account };
        let _ = reply(Event::End(Box::new(account)));
    }

    /// Sends what was held back because it might have begun a stop string.
    fn let_go(&mut self, reply: Reply) -> ControlFlow<()> {
        match self.stops.take() {
            nothing if nothing.is_empty() => ControlFlow::Continue(()),
            held => reply(Event::Text(held)),
        }
    }

    /// Sends parts of a reply, up to a stop string in its answer.
    fn show(&mut self, parts: Vec<Part>, reply: Reply) -> Result<(), Finish> {
        for part in parts {
            // What was held back stands before it.
            if !matches!(part, Part::Text(_)) && self.let_go(reply).is_break() {
                return Err(Finish::Cancelled);
            }
            let (event, stopped) = match part {
                Part::Reasoning(text) => (Event::Reasoning(text), false),
                Part::Call(name) => (Event::Call(name), false),
                Part::Arguments(more) => (Event::Arguments(more), false),
                Part::Text(text) => {
                    let (shown, stopped) = self.stops.push(&text);
                    (Event::Text(shown), stopped)
                }
            };
            let empty = matches!(&event, Event::Text(text) if text.is_empty());
            if !empty && reply(event).is_break() {
                return Err(Finish::Cancelled);
            }
            if stopped {
                return Err(Finish::Stop);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use testkit::golden;
    use turn::Limits;

    use super::*;
    use crate::Settings;

    /// What is held back because it may begin a stop string.
    #[test]
    fn what_is_held_back_comes_in_its_place_and_is_not_lost() {
        let path = golden("models/qwen3");
        let source = arch::Source::open(&path).unwrap();
        let engine = Engine::new(arch::load(&source).unwrap(), Settings::default()).unwrap();
        let tokenizer = Tokenizer::from_folder(&path).unwrap();
        let (sampling, reader) = (Sampling::default(), Reader::plain());
        let limits = Limits { stop: vec!["...".to_owned()], ..Limits::default() };
        let request =
            Request { prompt: &[1], sampling: &sampling, limits: &limits, reader: &reader };
        let shown = |parts: &[Part], finish: Finish| {
            let mut writer = Writer::new(&engine, &tokenizer, (&request, 0));
            let mut shown = Vec::new();
            let mut reply = |event: Event| {
                shown.push(match event {
                    Event::Text(text) => text,
                    Event::Call(name) => format!("call {name}"),
                    Event::End(account) => format!("{:?}", account.finish),
                    other => panic!("{other:?}"),
                });
                ControlFlow::Continue(())
            };
            writer.show(parts.to_vec(), &mut reply).unwrap();
            writer.end(finish, request.account(), &mut reply);
            shown
        };
        let [text, call, dots] =
            [Part::Text("Hm.".to_owned()), Part::Call("f".to_owned()), Part::Text("..".to_owned())];
        let called = shown(&[text.clone(), call, dots], Finish::End);
        assert_eq!(called, ["Hm", ".", "call f", "..", "End"]);
        for finish in [Finish::Deadline, Finish::Length] {
            assert_eq!(
                shown(std::slice::from_ref(&text), finish),
                ["Hm", ".", &format!("{finish:?}")]
            );
        }
    }
}
