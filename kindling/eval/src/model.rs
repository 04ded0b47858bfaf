//! Asks a model all cases, the way that the commands of `hearth` do.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use engine::{Engine, Policy, Settings};
use flow::{Language, Local};
use serde_json::Value;
use tasks::extract::{self, Texts};
use tasks::{Task, ask, classify};
use text::tokenizer::Tokenizer;
use turn::{Reply, Sampling, Turn};

use crate::Error;
use crate::cases::{Case, Text, Wanted};
use crate::count::{Tally, leaves, plain};

/// Turns that are begun at once.
const AT_ONCE: usize = 32;

pub struct Model(Local);

impl Model {
    pub fn load(path: &Path) -> Result<Model, Error> {
        let source = arch::Source::open(path)?;
        let tokenizer = match source.gguf() {
            Some(gguf) => Tokenizer::from_gguf(gguf)?,
            None => Tokenizer::from_folder(path)?,
        };
        let language = Arc::new(Language::new(tokenizer)?);
        let engine = Engine::new(arch::load_keeping(&source, None)?, Settings::default())?;
        Ok(Model(Local::start(engine, language, (Policy::default(), Sampling::greedy()))?))
    }

    /// What comes of each case.
    pub fn judge(&self, cases: &[Case]) -> Result<Vec<Tally>, Error> {
        let asked: Vec<Vec<Turn>> = cases.iter().map(turns).collect::<Result<_, _>>()?;
        let counts: Vec<usize> = asked.iter().map(Vec::len).collect();
        let mut replies = Vec::new();
        let mut failed = None;
        self.0.answer_all(asked.into_iter().flatten(), (AT_ONCE, &|| true), |reply| {
            match reply {
                Ok(reply) => replies.push(reply),
                Err(fault) => failed = Some(fault.message),
            }
            if failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if let Some(message) = failed {
            return Err(message.into());
        }
        let mut replies = replies.into_iter();
        let mut next = |n: usize| replies.by_ref().take(n).collect::<Vec<_>>();
        Ok(cases.iter().zip(counts).map(|(case, n)| tally(case, &next(n))).collect())
    }
}

/// What is asked for a case: one turn, or one for each passage that was found.
fn turns(case: &Case) -> Result<Vec<Turn>, Error> {
    let tasks = match &case.wanted {
        Wanted::Quote { text: Text::Passage(text), question, .. } => {
            vec![ask::task(text, question)]
        }
        Wanted::Quote { text: Text::File(path), question, .. } => {
            let mut index = rag::Index::new()?;
            index.add(rag::Document::read(path)?.passages(ask::PASSAGE_WORDS))?;
            let hits = index.search(question, usize::from(ask::PASSAGES))?;
            hits.iter().map(|hit| ask::task(hit.passage.text(), question)).collect()
        }
        Wanted::Fields { schema, text, .. } => vec![extract::task(schema, text, Texts::Quoted)?],
        Wanted::Label { labels, message, .. } => vec![classify::task(labels, message)],
        Wanted::Call { tools, request, .. } => return Ok(vec![tasks::call(request, tools)]),
    };
    if let (Some(prompt), [task]) = (&case.prompt, &tasks[..])
        && *prompt != task.prompt
    {
        let (program, training) = (&task.prompt, prompt);
        return Err(format!("the program asks\n{program}\nbut the training\n{training}").into());
    }
    Ok(tasks.into_iter().map(|task: Task| task.turn("")).collect())
}

fn tally(case: &Case, replies: &[Reply]) -> Tally {
    let said: Vec<&str> = replies.iter().map(|reply| reply.text.as_str()).collect();
    let tally = Tally { said: said.join(" / "), ..Tally::default() };
    let Some(first) = replies.first() else { return tally };
    let confidence = tasks::confidence(first);
    match &case.wanted {
        Wanted::Quote { answers, .. } => {
            let read = replies.iter().filter_map(|reply| ask::read(reply).ok()).collect();
            let Some(verdict) = ask::verdict(read, ask::SURE) else { return tally };
            let said = verdict.answer;
            let right = match &said.quote {
                Some(quote) => answers.iter().any(|answer| plain(answer) == plain(quote)),
                None => answers.is_empty(),
            };
            Tally { right, confidence: said.confidence, ..tally }
        }
        Wanted::Fields { expected, .. } => {
            let found = extract::read(first).map(|found| found.value).unwrap_or_default();
            let (said, wanted) = (leaves(&found), leaves(expected));
            let right =
                said.iter().filter(|(place, value)| wanted.get(*place) == Some(value)).count();
            let values = (right, said.len(), wanted.len());
            Tally { right: said == wanted, confidence, values, ..tally }
        }
        Wanted::Label { expected, .. } => {
            let right = classify::read(first).is_ok_and(|chosen| chosen.name == *expected);
            Tally { right, confidence, ..tally }
        }
        Wanted::Call { expected, .. } => {
            let called = first.calls.first();
            let said = called.map(|(name, arguments)| format!("{name} {arguments}"));
            let (nearly, right) = match (called, expected) {
                (None, None) => (true, true),
                (Some((name, arguments)), Some((wanted, values))) if name == wanted => {
                    let given: Value = serde_json::from_str(arguments).unwrap_or_default();
                    (true, leaves(&given) == leaves(values))
                }
                _ => (false, false),
            };
            Tally { right, nearly, confidence, said: said.unwrap_or(tally.said), ..tally }
        }
    }
}
