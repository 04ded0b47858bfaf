//! A chat in the terminal: lines are read, commands are obeyed, answers are streamed.

use std::io::{ErrorKind, Write};

use engine::Sequence;
use rustyline::error::ReadlineError;
use rustyline::{Config, DefaultEditor};
use serde_json::{Value, json};

use super::run::Asking;
use crate::failure::Failure;
use crate::load::Ready;
use crate::output::note;

const HELP: &str = "\
\x20 /help            this
  /clear           forget the conversation
  /system TEXT     say something before everything else, and begin anew
  /seed N          choose other words: another seed, another answer
  /verbose         show tokens and speed after each answer, or no longer
  /bye             leave (or Ctrl-D)

  A line that ends with \\ goes on in the next. Between lines of \"\"\" everything is one message.
  Ctrl-C stops an answer.
";

/// What a line typed by the user asks for.
#[derive(Debug, PartialEq)]
enum Input {
    Message(String),
    Command(String, String),
    Nothing,
    Leave,
}

struct Conversation {
    messages: Vec<Value>,
    sequence: Sequence,
}

pub fn chat(model: &mut Ready, asking: &mut Asking, system: Option<&str>) -> Result<(), Failure> {
    if model.language.template().is_none() {
        let why = "the model has no chat template, so it cannot chat; give a PROMPT to continue";
        return Err(Failure::Request(why.to_owned()));
    }
    let config = Config::builder().auto_add_history(true).build();
    let mut editor = DefaultEditor::with_config(config)
        .map_err(|error| Failure::Machine(format!("the terminal cannot be used: {error}")))?;
    let mut conversation = Conversation::begin(system);
    eprintln!("Type a message; /help tells what else.");
    loop {
        match read(&mut editor)? {
            Input::Leave => return Ok(()),
            Input::Nothing => {}
            Input::Command(name, rest) => command(&name, &rest, asking, &mut conversation),
            Input::Message(text) => match conversation.say(model, asking, &text) {
                // A question that cannot be met is taken back; the chat goes on.
                Err(Failure::Request(why)) => {
                    note(&format!("{why}\n  /clear forgets the conversation."));
                }
                other => other?,
            },
        }
    }
}

fn command(name: &str, rest: &str, asking: &mut Asking, conversation: &mut Conversation) {
    match (name, rest) {
        ("help" | "?", _) => eprint!("{HELP}"),
        ("clear", _) => conversation.restart(None),
        ("system", "") => eprintln!("Say what: /system You answer in one sentence."),
        ("system", text) => conversation.restart(Some(text)),
        ("verbose", _) => asking.verbose = !asking.verbose,
        ("seed", number) => match number.parse() {
            Ok(seed) => asking.sampling.seed = seed,
            Err(_) => eprintln!("A seed is a whole number, such as /seed 7."),
        },
        (unknown, _) => eprintln!("There is no command /{unknown}; /help lists them."),
    }
}

impl Conversation {
    fn begin(system: Option<&str>) -> Conversation {
        let system = system.map(|text| json!({ "role": "system", "content": text }));
        Conversation { messages: system.into_iter().collect(), sequence: Sequence::default() }
    }

    /// Begins anew; the sequence stays, and what it shares with the next prompt is not read again.
    fn restart(&mut self, system: Option<&str>) {
        let kept = self.messages.first().filter(|m| m["role"] == "system").cloned();
        let system = system.map(|text| json!({ "role": "system", "content": text })).or(kept);
        self.messages = system.into_iter().collect();
    }

    fn say(&mut self, model: &mut Ready, asking: &mut Asking, text: &str) -> Result<(), Failure> {
        self.messages.push(json!({ "role": "user", "content": text }));
        let answer = model
            .chat(&self.messages)
            .and_then(|prompt| asking.ask(model, &mut self.sequence, &prompt));
        match answer {
            Ok(answer) => {
                self.messages.push(answer.message());
                Ok(())
            }
            Err(failure) => {
                self.messages.pop();
                Err(failure)
            }
        }
    }
}

/// Reads one message, which may span lines.
fn read(editor: &mut DefaultEditor) -> Result<Input, Failure> {
    let mut lines: Vec<String> = Vec::new();
    loop {
        let prompt = if lines.is_empty() { ">>> " } else { "... " };
        match editor.readline(prompt) {
            Ok(line) => lines.push(line),
            Err(ReadlineError::Interrupted) => {
                eprintln!("(Ctrl-D or /bye leaves.)");
                return Ok(Input::Nothing);
            }
            Err(ReadlineError::Eof) => return Ok(Input::Leave),
            Err(ReadlineError::Io(error)) if error.kind() == ErrorKind::InvalidData => {
                eprintln!("(That is no text in UTF-8.)");
                return Ok(Input::Nothing);
            }
            Err(error) => return Err(Failure::Machine(format!("cannot read a line: {error}"))),
        }
        if let Some(input) = complete(&lines) {
            std::io::stdout().flush()?;
            return Ok(input);
        }
    }
}

/// The message that the lines make up, or nothing while more is to come.
fn complete(lines: &[String]) -> Option<Input> {
    const FENCE: &str = "\"\"\"";
    let text = lines.join("\n");
    if let Some(inner) = text.trim_start().strip_prefix(FENCE) {
        let inner = inner.trim_end().strip_suffix(FENCE)?;
        return Some(message(inner.trim_matches('\n')));
    }
    if lines.last()?.ends_with('\\') {
        return None;
    }
    let text = text.replace("\\\n", "\n");
    match (lines.len(), text.trim().strip_prefix('/')) {
        (1, Some("bye" | "exit" | "quit")) => Some(Input::Leave),
        (1, Some(command)) => {
            let (name, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
            Some(Input::Command(name.to_owned(), rest.trim().to_owned()))
        }
        _ => Some(message(&text)),
    }
}

fn message(text: &str) -> Input {
    match text.trim() {
        "" => Input::Nothing,
        _ => Input::Message(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[&str]) -> Option<Input> {
        complete(&text.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>())
    }

    fn said(text: &str) -> Option<Input> {
        Some(Input::Message(text.to_owned()))
    }

    #[test]
    fn messages_may_span_lines() {
        assert_eq!(lines(&["one"]), said("one"));
        assert_eq!(lines(&["one\\"]), None);
        assert_eq!(lines(&["one\\", "two"]), said("one\ntwo"));
        assert_eq!(lines(&["\"\"\"one"]), None);
        assert_eq!(lines(&["\"\"\"", "one", ""]), None);
        assert_eq!(lines(&["\"\"\"", "one", "", "two\"\"\""]), said("one\n\ntwo"));
        assert_eq!(lines(&["\"\"\"one\"\"\""]), said("one"));
        assert_eq!(lines(&["  "]), Some(Input::Nothing));
    }

    #[test]
    fn commands_are_told_from_messages() {
        let command = |name: &str, rest: &str| Some(Input::Command(name.into(), rest.into()));
        assert_eq!(lines(&["/help"]), command("help", ""));
        assert_eq!(lines(&["/system Be brief."]), command("system", "Be brief."));
        assert_eq!(lines(&["/bye"]), Some(Input::Leave));
        assert_eq!(lines(&["what is /etc?"]), said("what is /etc?"));
    }
}
