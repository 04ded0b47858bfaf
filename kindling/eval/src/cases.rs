//! What kindling is asked, and what it ought to say.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tasks::classify::Label;

use crate::Error;

/// One case.
pub struct Case {
    pub wanted: Wanted,
    /// The prompt that the training made of it, where the case holds it.
    pub prompt: Option<String>,
}

/// What is asked, with the right answer.
pub enum Wanted {
    Quote { text: Text, question: String, answers: Vec<String> },
    Fields { schema: Value, text: String, expected: Value },
    Label { labels: Vec<Label>, message: String, expected: String },
    Call { tools: Vec<Value>, request: String, expected: Option<(String, Value)> },
}

/// A passage, or a file whose passages are to be found first.
pub enum Text {
    Passage(String),
    File(PathBuf),
}

/// Reads `cases.jsonl` of a folder.
pub fn read(folder: &Path) -> Result<Vec<Case>, Error> {
    let path = folder.join("cases.jsonl");
    let lines =
        fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let numbered = lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    numbered
        .map(|(i, line)| {
            let case: Value = serde_json::from_str(line)?;
            let wanted = wanted(folder, &case)
                .map_err(|error| format!("{}:{}: {error}", path.display(), i + 1))?;
            Ok(Case { wanted, prompt: case["prompt"].as_str().map(str::to_owned) })
        })
        .collect()
}

fn wanted(folder: &Path, case: &Value) -> Result<Wanted, Error> {
    let string = |key: &str| case[key].as_str().map(str::to_owned).ok_or(format!("no {key}"));
    let file = || Ok::<_, Error>(folder.join(string("file")?));
    Ok(match case["task"].as_str() {
        Some("ask") => {
            let text = match string("text") {
                Ok(text) => Text::Passage(text),
                Err(_) => Text::File(file()?),
            };
            let answers = case["answers"].as_array().ok_or("no answers")?;
            let answers = answers.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            Wanted::Quote { text, question: string("question")?, answers }
        }
        Some("extract") => {
            let text = match string("text") {
                Ok(text) => text,
                Err(_) => rag::Document::read(&file()?)?.text().to_owned(),
            };
            let (schema, expected) = (case["schema"].clone(), case["expected"].clone());
            Wanted::Fields { schema, text, expected }
        }
        Some("classify") => {
            let label = |(name, meaning): (&String, &Value)| Label {
                name: name.clone(),
                meaning: meaning.as_str().unwrap_or_default().to_owned(),
            };
            let labels = case["labels"].as_object().ok_or("no labels")?.iter().map(label);
            let (message, expected) = (string("message")?, string("expected")?);
            Wanted::Label { labels: labels.collect(), message, expected }
        }
        Some("tool") => {
            let expected = &case["expected"];
            let name = expected["name"].as_str();
            let expected = name.map(|name| (name.to_owned(), expected["arguments"].clone()));
            let tools = case["tools"].as_array().ok_or("no tools")?.clone();
            Wanted::Call { tools, request: string("request")?, expected }
        }
        task => return Err(format!("no such task as {task:?}").into()),
    })
}

impl Case {
    /// What was asked and what ought to be said, in a line.
    pub fn told(&self) -> String {
        match &self.wanted {
            Wanted::Quote { question, answers, text } => {
                let place = match text {
                    Text::Passage(text) => text.replace('\n', " / "),
                    Text::File(path) => path.file_name().unwrap_or_default().display().to_string(),
                };
                format!("{place} {question} -> {}", answers.join(" | "))
            }
            Wanted::Fields { expected, .. } => expected.to_string(),
            Wanted::Label { message, expected, labels } => {
                let names: Vec<_> = labels.iter().map(|label| label.name.as_str()).collect();
                format!("{message} [{}] -> {expected}", names.join(", "))
            }
            Wanted::Call { request, expected, .. } => format!("{request} -> {expected:?}"),
        }
    }
}
