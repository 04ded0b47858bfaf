//! A message, and the label that fits it.

use turn::{Form, Reply};

use crate::{Task, confidence, ended};

/// Bytes that a label's name may have.
const MOST_BYTES: usize = 100;

/// A label: its name, and in a line what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// What is answered.
    pub name: String,
    /// When it fits; may be empty.
    pub meaning: String,
}

/// The label that was chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    /// Its name.
    pub name: String,
    /// How sure the model is, from 0 to 1.
    pub confidence: f64,
}

impl Label {
    /// A label, if it can be told from others and written in a line.
    ///
    /// # Errors
    /// When the name or the meaning cannot be.
    pub fn new(name: &str, meaning: &str) -> Result<Label, String> {
        let is_name = !name.is_empty()
            && name.len() <= MOST_BYTES
            && name.trim() == name
            && !name.contains(char::is_control);
        if !is_name {
            return Err(format!("{name:?} cannot be the name of a label"));
        }
        if meaning.contains(char::is_control) {
            return Err(format!("{name:?} needs one line of text that says when it fits"));
        }
        Ok(Label { name: name.to_owned(), meaning: meaning.to_owned() })
    }
}

/// Asks which of these labels fits. A label stands behind its meaning, so that whoever finds the
/// meaning that fits can go on with what follows: small models learn that, and not the other way.
pub fn task(labels: &[Label], message: &str) -> Task {
    let line = |label: &Label| match label.meaning.trim() {
        "" => format!("- {}\n", label.name),
        meaning => format!("- {meaning}: {}\n", label.name),
    };
    let lines: String = labels.iter().map(line).collect();
    let message = message.trim();
    let prompt = format!(
        "Choose the label that fits the message.\n\n\
         Labels, each after its meaning:\n{lines}\nMessage:\n{message}"
    );
    let names = labels.iter().map(|label| label.name.clone()).collect();
    Task { prompt, form: Form::Choice(names) }
}

/// Reads a reply.
///
/// # Errors
/// When it did not come to its end.
pub fn read(reply: &Reply) -> Result<Chosen, String> {
    ended(reply)?;
    Ok(Chosen { name: reply.text.trim().to_owned(), confidence: confidence(reply) })
}
