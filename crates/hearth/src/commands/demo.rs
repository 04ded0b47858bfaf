//! `hearth demo`: what can be done without any other model, on the files in `examples/`.

use std::io::{Write, stdout};
use std::time::Instant;

use rag::{Document, Kind};
use serde_json::json;
use tasks::classify::{self, Label};
use tasks::extract::{self, Texts};

use super::ask;
use crate::failure::Failure;
use crate::flags::Demo as Flags;
use crate::interrupt;
use crate::jobs::{Worker, percent};

/// The files, so that the demonstration needs nothing but the binary; all texts of the folder.
const TEXTS: [(&str, Kind, &str); 4] = [
    ("examples/hausordnung.md", Kind::Markdown, HOUSE),
    ("examples/invoice.txt", Kind::Text, INVOICE),
    ("examples/mails.txt", Kind::Text, MAILS),
    ("examples/workshop.md", Kind::Markdown, WORKSHOP),
];
const HOUSE: &str = include_str!("../../../../examples/hausordnung.md");
const WORKSHOP: &str = include_str!("../../../../examples/workshop.md");
const QUESTIONS: [&str; 4] = [
    "What does an estimate cost?",
    "What number should I call in an emergency?",
    "Welche Nummer hat die Verwaltung?",
    "What is the mayor called?",
];
const INVOICE: &str = include_str!("../../../../examples/invoice.txt");
const SCHEMA: &str = include_str!("../../../../examples/invoice.schema.json");
const MAILS: &str = include_str!("../../../../examples/mails.txt");
const LABELS: &str = include_str!("../../../../examples/mails.toml");

pub fn demo(flags: &Flags) -> Result<(), Failure> {
    interrupt::listen();
    let begun = Instant::now();
    let mut out = stdout();
    let worker = Worker::start(&flags.job)?;
    let model = flags.job.model.display();
    writeln!(out, "Everything below is answered on this machine, by the model {model}.")?;
    questions(&worker)?;
    fields(&worker)?;
    labels(&worker)?;
    tools(&worker)?;
    let seconds = begun.elapsed().as_secs_f64();
    writeln!(out, "\n\nDone in {seconds:.1} seconds. The files are in examples/.")?;
    writeln!(
        out,
        "What was doubtful is marked: kindling is small, and has not been trained for long."
    )?;
    writeln!(out, "`hearth help ask` tells more, and --model takes any other model.")?;
    Ok(())
}

fn questions(worker: &Worker) -> Result<(), Failure> {
    let documents = TEXTS.map(|(name, kind, text)| Document::parse(name, kind, text));
    let documents: Vec<Document> =
        documents.into_iter().collect::<Result<_, _>>().map_err(Failure::machine)?;
    let index = ask::index(&documents)?;
    headline("Questions, answered by quoting documents")?;
    for question in QUESTIONS {
        writeln!(stdout(), "\n$ hearth ask examples {question:?}")?;
        let hits =
            index.search(question, usize::from(tasks::ask::PASSAGES)).map_err(Failure::machine)?;
        ask::answer(worker, question, &hits, tasks::ask::SURE)?.print()?;
    }
    Ok(())
}

fn fields(worker: &Worker) -> Result<(), Failure> {
    headline("Fields of an invoice")?;
    let command = "hearth extract --schema examples/invoice.schema.json examples/invoice.txt";
    writeln!(stdout(), "\n$ {command}")?;
    let schema = serde_json::from_str(SCHEMA).map_err(Failure::machine)?;
    let task = extract::task(&schema, INVOICE, Texts::Quoted).map_err(Failure::machine)?;
    for reply in worker.all(std::iter::once(task))? {
        let found = extract::read(&reply).map_err(Failure::machine)?;
        for (name, sure) in &found.fields {
            let value = &found.value[name];
            writeln!(stdout(), "{name:>16}  {value}  (confidence {})", percent(*sure))?;
        }
    }
    Ok(())
}

fn labels(worker: &Worker) -> Result<(), Failure> {
    headline("Labels for a queue of mail")?;
    writeln!(stdout(), "\n$ hearth classify --labels examples/mails.toml examples/mails.txt")?;
    let labels: Vec<Label> = super::classify::labels_of(LABELS).map_err(Failure::machine)?;
    let tasks = MAILS.lines().map(|mail| classify::task(&labels, mail));
    for (reply, mail) in worker.all(tasks)?.iter().zip(MAILS.lines()) {
        let chosen = classify::read(reply).map_err(Failure::machine)?;
        let doubt = if chosen.confidence < 0.5 { '?' } else { ' ' };
        writeln!(stdout(), "{:>12}{doubt}  {mail}", chosen.name)?;
    }
    Ok(())
}

fn tools(worker: &Worker) -> Result<(), Failure> {
    headline("The right tool for a request, as assistants call it over the API")?;
    let tool = |name: &str, about: &str, arguments: &[&str]| {
        let properties: serde_json::Map<_, _> = arguments
            .iter()
            .map(|name| ((*name).to_owned(), json!({ "type": "string" })))
            .collect();
        json!({ "type": "function", "function": { "name": name, "description": about,
            "parameters": { "type": "object", "properties": properties, "required": arguments } } })
    };
    let tools = [
        tool("set_timer", "Start a timer", &["duration"]),
        tool("create_event", "Put an event into the calendar", &["title", "date"]),
        tool("get_weather", "Tell the weather for a place", &["city"]),
    ];
    for request in ["Please set a timer for 12 minutes.", "Wie wird das Wetter in Lübeck?"] {
        writeln!(stdout(), "\n> {request}")?;
        for (name, arguments) in worker.call(request, &tools)?.calls {
            writeln!(stdout(), "{name} {arguments}")?;
        }
    }
    Ok(())
}

fn headline(text: &str) -> std::io::Result<()> {
    writeln!(stdout(), "\n\n{text}\n{}", "-".repeat(text.len()))
}
