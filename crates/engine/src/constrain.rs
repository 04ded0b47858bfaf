//! Replies that must keep to a form: a JSON schema, a regular expression, a grammar, one of some
//! texts. Before each token of the answer, those that may come next are found; no other is chosen.
//!
//! Reasoning is free; the form begins with the answer. Compiling a form takes its time, so that the
//! client's thread does it and not the model's.

use llguidance::api::TopLevelGrammar;
use llguidance::toktrie::{ApproximateTokEnv, SimpleVob, TokEnv, TokRxInfo, TokTrie};
use llguidance::{Matcher, ParserFactory};
use serde_json::Value;
use std::sync::Arc;
use text::reply::Place;
use text::tokenizer::Tokenizer;
use turn::{Fault, Side};

/// What an answer must be.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// JSON for which this schema holds.
    Schema(Value),
    /// A text that this regular expression matches as a whole.
    Regex(String),
    /// A text of this grammar, in Lark's notation.
    Grammar(String),
    /// One of these texts.
    Choice(Vec<String>),
}

/// Compiles forms for a tokenizer.
pub struct Forms {
    factory: ParserFactory,
}

/// A compiled form, and how far an answer has come in it.
pub struct Rules {
    matcher: Matcher,
    allowed: Option<SimpleVob>,
}

impl Forms {
    /// For the tokens of a model.
    ///
    /// # Errors
    /// When the vocabulary cannot be used for it.
    pub fn new(tokenizer: &Tokenizer) -> Result<Forms, Fault> {
        let ours =
            |error| Fault::new(Side::Us, format!("forms of answers cannot be used: {error}"));
        let end = tokenizer.ends().first().copied().or(tokenizer.eos());
        let Some(end) = end else {
            return Err(ours("the model has no token that ends a reply".to_owned()));
        };
        let bytes = |id: u32| match tokenizer.is_markup(id) {
            // Such tokens are no part of a text.
            true => [&[TokTrie::SPECIAL_TOKEN_MARKER], tokenizer.piece(id).as_bytes()].concat(),
            false => tokenizer.bytes_of(id).to_vec(),
        };
        let words: Vec<Vec<u8>> = (0..tokenizer.len() as u32).map(bytes).collect();
        let trie = TokTrie::from(&TokRxInfo::new(words.len() as u32, end), &words);
        let tokens: TokEnv = Arc::new(ApproximateTokEnv::new(trie));
        let mut factory =
            ParserFactory::new_simple(&tokens).map_err(|error| ours(error.to_string()))?;
        factory.quiet();
        Ok(Forms { factory })
    }

    /// Compiles a form.
    ///
    /// # Errors
    /// When it is wrong, or has something that cannot be enforced: then nothing is answered.
    pub fn compile(&self, form: &Form) -> Result<Rules, Fault> {
        let refused = |error| Fault::new(Side::Caller, format!("the form cannot be kept: {error}"));
        let grammar = match form {
            Form::Schema(schema) => TopLevelGrammar::from_json_schema(without_idle_space(schema)),
            Form::Regex(regex) => TopLevelGrammar::from_regex(regex),
            Form::Grammar(grammar) => TopLevelGrammar::from_lark(grammar.clone()),
            Form::Choice(texts) if texts.is_empty() => {
                return Err(refused("there is nothing to choose from".to_owned()));
            }
            Form::Choice(texts) => {
                let quoted = texts.iter().map(|text| Value::from(text.as_str()).to_string());
                let choice = quoted.collect::<Vec<_>>().join(" | ");
                TopLevelGrammar::from_lark(format!("start: {choice}"))
            }
        };
        let parser = self.factory.create_parser(grammar);
        let mut matcher = Matcher::new(parser);
        // The first mask shows what compiling alone does not.
        matcher.compute_mask().map_err(|error| refused(error.to_string()))?;
        Ok(Rules { matcher, allowed: None })
    }
}

/// JSON may have white space anywhere, and a model may write it for ever. One space behind colons
/// and commas is enough.
fn without_idle_space(schema: &Value) -> Value {
    let spaces = serde_json::json!({
        "whitespace_flexible": false, "item_separator": ", ", "key_separator": ": "
    });
    match schema.clone() {
        Value::Object(mut schema) => {
            schema.entry("x-guidance").or_insert(spaces);
            Value::Object(schema)
        }
        // `true` allows everything.
        Value::Bool(true) => serde_json::json!({ "x-guidance": spaces }),
        other => other,
    }
}

impl Rules {
    /// Finds the tokens that may come next in an answer; no answer before its first word. Nothing
    /// when all may.
    pub(crate) fn allow(&mut self, at: Place, ends: &[u32], marks: &[u32]) -> Result<(), ()> {
        self.allowed = None;
        if at == Place::Elsewhere {
            return Ok(());
        }
        let mut allowed = self.matcher.compute_mask().map_err(|_| ())?;
        let known = allowed.len();
        let mut add = |tokens: &[u32]| {
            let tokens = tokens.iter().filter(|token| (**token as usize) < known);
            tokens.for_each(|token| allowed.allow_token(*token));
        };
        if self.matcher.is_accepting().unwrap_or(false) {
            add(ends);
        }
        if at == Place::Undecided {
            add(marks);
        }
        let none = allowed.is_zero();
        self.allowed = Some(allowed);
        if none { Err(()) } else { Ok(()) }
    }

    /// Takes the others off the logits.
    pub(crate) fn apply(&self, logits: &mut [f32]) {
        let Some(allowed) = &self.allowed else { return };
        for (token, logit) in logits.iter_mut().enumerate() {
            if token >= allowed.len() || !allowed.is_allowed(token as u32) {
                *logit = f32::NEG_INFINITY;
            }
        }
    }

    /// Goes on by a token of the answer; says whether nothing can follow.
    pub(crate) fn take(&mut self, token: u32) -> Result<bool, ()> {
        self.matcher.consume_token(token).map_err(|_| ())?;
        Ok(self.matcher.is_stopped())
    }

    /// Whether the next token was free.
    pub(crate) fn was_free(&self) -> bool {
        self.allowed.is_none()
    }
}
