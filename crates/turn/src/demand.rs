//! What a reply must be.

use serde_json::Value;

/// What an answer must be.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// JSON for which this schema holds.
    Schema(Value),
    /// The same, and where the schema asks for a text and says nothing else of it, words that stand
    /// together in this one.
    Quoting(Value, String),
    /// A text that this regular expression matches as a whole.
    Regex(String),
    /// A text of this grammar, in Lark's notation.
    Grammar(String),
    /// One of these texts.
    Choice(Vec<String>),
}

/// A tool that is offered to a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// What it is called by.
    pub name: String,
    /// The JSON schema of its arguments.
    pub parameters: Value,
    /// Whether they must keep to it; else as far as that is possible.
    pub strict: bool,
}

/// Whether tools are called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Calls {
    /// None is.
    #[default]
    None,
    /// The model chooses between an answer and a call.
    May,
    /// There is no answer without a call.
    Must,
}

/// What a reply must keep to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Demand {
    /// The form of the answer, if it has one.
    pub answer: Option<Form>,
    /// Whether tools are called.
    pub calls: Calls,
    /// Those that may be.
    pub tools: Vec<Tool>,
    /// Whether several may be called at once.
    pub several: bool,
}

impl From<Form> for Demand {
    fn from(form: Form) -> Demand {
        Demand { answer: Some(form), ..Demand::default() }
    }
}
