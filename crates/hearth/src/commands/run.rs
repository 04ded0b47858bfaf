//! `hearth run`: one answer to a prompt, or a chat.

use std::io::{IsTerminal, Write, stdin, stdout};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use engine::{Request, Sequence};
use flow::Reading;
use serde_json::{Value, json};
use turn::{Event, Finish, Limits, Sampling, Usage};

use super::{chat, pull};
use crate::failure::Failure;
use crate::flags::Run as Flags;
use crate::load::{self, Ready};
use crate::models::fingerprint;
use crate::output::{Speeds, bearable, note, one_line, visible};
use crate::{documents, interrupt, kindling, named};

pub fn run(flags: &Flags) -> Result<(), Failure> {
    interrupt::listen();
    let path = flags.model.as_deref().unwrap_or(Path::new(kindling::NAME));
    let inside = kindling::is(path);
    let mut model = named::find(path)?;
    if let Some(known) = named::known(&model.path).filter(|_| !inside) {
        pull::offer(known, &flags.machine)?;
        model = named::find(path)?;
    }
    let path = &model.path;
    if !inside && flags.prompt.is_empty() && !path.exists() {
        return Err(no_model(path));
    }
    let (wishes, limits) = (flags.sampling.wishes(), flags.sampling.limits());
    // Before the model is loaded, which takes its time.
    wishes.over(Sampling::default()).check()?;
    let prompt = prompt(flags)?;
    let raw = flags.raw && prompt.is_some();
    let pinned = model.pinned.as_ref().filter(|_| flags.verbose);
    let mut model = load::ready(path, &flags.machine, raw)?;
    if let Some(pinned) = pinned {
        let kept = model.engine.shape().kept;
        let fingerprint = fingerprint(&pinned.digest().hexadecimal(), kept);
        eprintln!("model   {}, pinned {}, {fingerprint}", pinned.name, one_line(&pinned.pinned));
    }
    let sampling = wishes.over(model.recommended.clone());
    sampling.check()?;
    let mut asking = Asking { sampling, limits, verbose: flags.verbose };
    match prompt {
        None => {
            if inside {
                eprintln!("{}", kindling::described());
            }
            chat::chat(&mut model, &mut asking, flags.system.as_deref())
        }
        Some(prompt) => {
            let prompt = one_turn(&model, flags, &prompt)?;
            let answer = asking.ask(&mut model, &mut Sequence::default(), &prompt)?;
            if answer.finish == Finish::Cancelled { Err(Failure::Interrupted) } else { Ok(()) }
        }
    }
}

/// A single word or text that is no model may be a question.
fn no_model(path: &Path) -> Failure {
    let way_out = "The model comes first: `hearth run kindling \"a question\"` asks the small one \
                   inside hearth, `hearth run MODEL \"a question\"` one of yours.";
    Failure::model(path, "there is no such model, file or folder", way_out)
}

/// What is piped in, and after it the words of the command line, which mostly ask something about
/// it; nothing means a chat.
fn prompt(flags: &Flags) -> Result<Option<String>, Failure> {
    let words = flags.prompt.join(" ");
    if stdin().is_terminal() {
        return Ok((!words.is_empty()).then_some(words));
    }
    let piped = documents::piped_in()?;
    let parts = [piped.trim_end_matches(['\r', '\n']), &words];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    match parts.is_empty() {
        true => Err(Failure::Request("the prompt is empty".to_owned())),
        false => Ok(Some(parts.join("\n\n"))),
    }
}

fn one_turn(model: &Ready, flags: &Flags, prompt: &str) -> Result<Reading, Failure> {
    if flags.raw || model.language.template().is_none() {
        if !flags.raw {
            note("the model has no chat template; the prompt is continued as it is");
        }
        return model.raw(prompt);
    }
    let mut messages: Vec<Value> = Vec::new();
    messages.extend(flags.system.iter().map(|text| json!({ "role": "system", "content": text })));
    messages.push(json!({ "role": "user", "content": prompt }));
    model.chat(&messages)
}

/// How questions are asked.
pub struct Asking {
    pub sampling: Sampling,
    pub limits: Limits,
    pub verbose: bool,
}

/// A printed answer.
pub struct Answer {
    pub text: String,
    pub reasoning: String,
    pub finish: Finish,
}

impl Answer {
    /// As a message of the conversation. Templates decide what they keep of the reasoning.
    pub fn message(&self) -> Value {
        let mut message = json!({ "role": "assistant", "content": self.text });
        if !self.reasoning.is_empty() {
            message["reasoning_content"] = self.reasoning.as_str().into();
        }
        message
    }
}

impl Asking {
    /// Streams an answer to the terminal.
    pub fn ask(
        &mut self,
        model: &mut Ready,
        sequence: &mut Sequence,
        prompt: &Reading,
    ) -> Result<Answer, Failure> {
        let (prompt, reader) = (&prompt.ids, &prompt.reader);
        let (sampling, limits) = (&self.sampling, &self.limits);
        let request = Request { prompt, sampling, limits, reader };
        let mut shown = Shown::new();
        let _answering = interrupt::Answering::begin();
        let mut reply = |event| shown.take(event);
        model.engine.answer(model.language.tokenizer(), sequence, &request, &mut reply)?;
        shown.finish(self.verbose)
    }
}

fn print(text: &str) -> std::io::Result<()> {
    let mut out = stdout();
    out.write_all(bearable(text).as_bytes())?;
    out.flush()
}

/// Reasoning is for who watches, in faint letters; a program gets the answer alone.
fn print_reasoning(text: &str) -> std::io::Result<()> {
    let mut out = stdout();
    if !out.is_terminal() {
        return Ok(());
    }
    write!(out, "\x1b[2m{}\x1b[0m", visible(text))?;
    out.flush()
}

/// What has been printed of an answer, and when.
struct Shown {
    text: String,
    reasoning: String,
    begin: Instant,
    first: Option<Instant>,
    end: Option<(Finish, Usage)>,
    failed: Option<std::io::Error>,
}

impl Shown {
    fn new() -> Shown {
        let (text, reasoning) = (String::new(), String::new());
        Shown { text, reasoning, begin: Instant::now(), first: None, end: None, failed: None }
    }

    fn take(&mut self, event: Event) -> ControlFlow<()> {
        match event {
            Event::Begun(_) | Event::Read(_) => {}
            Event::Token(_) => {
                self.first.get_or_insert_with(Instant::now);
            }
            Event::Reasoning(text) => {
                self.failed = print_reasoning(&text).err();
                self.reasoning.push_str(&text);
            }
            Event::Text(text) => {
                if self.text.is_empty() && !self.reasoning.is_empty() {
                    self.failed = print_reasoning("\n\n").err();
                }
                self.failed = self.failed.take().or(print(&text).err());
                self.text.push_str(&text);
            }
            // No tools are offered here; a call is shown as it is.
            Event::Call(name) => self.failed = print(&format!("{name} ")).err(),
            Event::Arguments(text) => self.failed = print(&text).err(),
            Event::End(account) => self.end = Some((account.finish, account.usage)),
            Event::Failed(_) => {}
        }
        match interrupt::requested() || self.failed.is_some() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn finish(self, verbose: bool) -> Result<Answer, Failure> {
        if let Some(error) = self.failed {
            return Err(error.into());
        }
        writeln!(stdout())?;
        let (finish, usage) = self.end.unwrap_or((Finish::Cancelled, Usage::default()));
        match finish {
            Finish::Context => note("the context is full; the answer ends here"),
            Finish::Cancelled => note("stopped"),
            _ => {}
        }
        if verbose {
            let first = self.first.unwrap_or_else(Instant::now);
            eprint!("{}", Speeds { usage, begin: self.begin, first });
        }
        Ok(Answer { text: self.text, reasoning: self.reasoning, finish })
    }
}
