//! How a model is spoken to: its tokens, its template, and how its replies are read.

use std::collections::HashSet;
use std::sync::Arc;

use crate::alternate::alternating;
use crate::local::no_day;
use crate::mended::mended;
use crate::tools::{in_words, tells_of_calls};
use serde_json::{Map, Value};
use text::reply::Reader;
use text::template::{DateTime, Inputs, Template, unify_reasoning};
use text::tokenizer::{Encode, Tokenizer};
use turn::{Abilities, Chat, Fault, Prompt, Side, Thinking, Tool};

/// Marks with which families ask for what belongs into a gap: before the text, in the place of the
/// gap, and behind all.
const GAPS: [[&str; 3]; 5] = [
    ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"],
    ["<fim_prefix>", "<fim_suffix>", "<fim_middle>"],
    ["<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"],
    ["<fim-prefix>", "<fim-suffix>", "<fim-middle>"],
    ["▁<PRE>", "▁<SUF>", "▁<MID>"],
];

/// Variables by which templates are told whether to let the model think, and what shows that they
/// are read. The first is the usual one; the second is also what other templates call the thoughts
/// in a message.
const SWITCHES: [(&str, &str); 2] =
    [("enable_thinking", "enable_thinking"), ("thinking", "thinking is defined")];

/// The language of a model.
pub struct Language {
    tokenizer: Arc<Tokenizer>,
    /// With its source, which shows how replies are marked.
    template: Option<(Template, String)>,
    /// Marks of reasoning and calls, which are no text of a reply.
    marks: Vec<&'static str>,
    /// All words of the template, among them the variables that it reads.
    words: HashSet<String>,
}

/// What a model reads, and how its reply is to be read.
pub struct Reading {
    /// The tokens.
    pub ids: Vec<u32>,
    /// Tells reasoning, calls and the answer apart.
    pub reader: Reader,
}

impl Language {
    /// With the template that comes with the tokenizer, if one does.
    ///
    /// # Errors
    /// When it is no template.
    pub fn new(tokenizer: Tokenizer) -> Result<Language, text::template::Error> {
        let source = tokenizer.chat_template().map(str::to_owned);
        Language::with_template(tokenizer, source)
    }

    /// With this template, or with none.
    ///
    /// # Errors
    /// When it is no template.
    pub fn with_template(
        tokenizer: Tokenizer,
        source: Option<String>,
    ) -> Result<Language, text::template::Error> {
        let compiled = |source: String| Ok((Template::compile(&source)?, source));
        let shown = source.as_deref().unwrap_or_default();
        let marks = Reader::new(shown, "").offering(shown, &[]).marks();
        let words = shown.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        let words = words.filter(|word| !word.is_empty()).map(str::to_owned).collect();
        let template = source.map(compiled).transpose()?;
        Ok(Language { tokenizer: Arc::new(tokenizer), template, marks, words })
    }

    /// The tokens.
    pub fn tokenizer(&self) -> &Arc<Tokenizer> {
        &self.tokenizer
    }

    /// The bytes that a token adds to a text; none for a mark of reasoning or of a call.
    pub fn bytes_of(&self, token: u32) -> &[u8] {
        let is_mark = self.marks.contains(&self.tokenizer.piece(token));
        match is_mark || self.tokenizer.is_markup(token) {
            true => &[],
            false => self.tokenizer.bytes_of(token),
        }
    }

    /// The text of its template.
    pub fn template(&self) -> Option<&str> {
        self.template.as_ref().map(|(_, source)| source.as_str())
    }

    /// What can be asked of it.
    pub fn abilities(&self) -> Abilities {
        let source = self.template().unwrap_or_default();
        let reader = Reader::new(source, "").offering(source, &[]);
        let thinking =
            Thinking { switch: self.switch(), has_levels: source.contains("reasoning_effort") };
        let thinks = reader.tells_reasoning() || thinking != Thinking::default();
        Abilities {
            converses: self.template.is_some(),
            calls: reader.reads_calls(),
            fills_gaps: self.gap_marks().is_some(),
            thinking: thinks.then_some(thinking),
        }
    }

    /// The variable by which its template is told whether to let the model think.
    fn switch(&self) -> Option<&'static str> {
        let source = self.template()?;
        let read = SWITCHES.iter().find(|(_, shown)| source.contains(shown));
        read.map(|(name, _)| *name)
    }

    /// Whether its template reads this variable. The usual switch for thinking is read wherever
    /// there is any.
    pub fn reads(&self, variable: &str) -> bool {
        self.words.contains(variable) || (variable == SWITCHES[0].0 && self.switch().is_some())
    }

    /// What the model reads when it is asked this.
    ///
    /// # Errors
    /// When it cannot be asked this: it knows no conversations or no gaps, or its template refuses.
    pub fn read(&self, prompt: &Prompt, tools: &[Tool], now: DateTime) -> Result<Reading, Fault> {
        match prompt {
            Prompt::Chat(chat) => self.chat(chat, tools, now),
            Prompt::Text(text) => {
                let ids = self.tokenizer.encode(text, Encode { markup: true, add_special: true });
                Ok(Reading { ids, reader: Reader::plain() })
            }
            Prompt::Tokens(ids) => Ok(Reading { ids: ids.clone(), reader: Reader::plain() }),
            Prompt::Gap { before, after } => self.gap(before, after),
        }
    }

    /// What the model reads when it embeds this, up to so many tokens. A text is taken for what it
    /// spells: what looks like markup in it is none.
    ///
    /// # Errors
    /// As for `read`.
    pub fn read_to_embed(&self, prompt: &Prompt, most: usize) -> Result<Vec<u32>, Fault> {
        let Prompt::Text(text) = prompt else {
            // A conversation has the same vector on every day.
            let mut ids = self.read(prompt, &[], no_day())?.ids;
            ids.truncate(most);
            return Ok(ids);
        };
        let mut ids = self.tokenizer.encode(text, Encode { markup: false, add_special: true });
        if ids.len() > most {
            // Models that pool the last token want the one that ends every text.
            let end = ids.last().copied().filter(|last| Some(*last) == self.tokenizer.eos());
            ids.truncate(most);
            ids.last_mut().into_iter().zip(end).for_each(|(last, end)| *last = end);
        }
        Ok(ids)
    }

    fn chat(&self, chat: &Chat, tools: &[Tool], now: DateTime) -> Result<Reading, Fault> {
        let Some((template, source)) = &self.template else {
            return Err(caller("the model has no chat template"));
        };
        // Whether replies to this template can have calls does not depend on the prompt.
        let knows_tools = || Reader::new(source, "").offering(source, tools).reads_calls();
        // Calls of before are another matter: a template may write what hearth cannot read.
        let is_lost = match chat.tools.is_empty() {
            true => tells_of_calls(chat) && !self.words.contains("tool_calls"),
            false => !knows_tools(),
        };
        let plain = is_lost.then(|| in_words(chat));
        let render = |chat: &Chat| template.render(&self.inputs(chat, now));
        let asked = plain.as_ref().unwrap_or(chat);
        // Clients write what some templates refuse.
        let otherwise = || {
            let ordered = alternating(asked);
            render(&ordered).or_else(|_| render(&mended(ordered)))
        };
        let text =
            render(asked).or_else(|error| otherwise().map_err(|_| caller(error.to_string())))?;
        let reader = Reader::new(source, &text);
        let reader = match (chat.tools.is_empty(), plain) {
            (true, _) => reader,
            (false, None) => reader.offering(source, tools),
            (false, Some(_)) => reader.offering_in_words(tools),
        };
        // The template has written the special tokens itself.
        let ids = self.tokenizer.encode(&text, Encode { markup: true, add_special: false });
        Ok(Reading { ids, reader })
    }

    fn inputs(&self, chat: &Chat, now: DateTime) -> Inputs {
        let token = |id: Option<u32>| id.map_or(Value::Null, |id| self.tokenizer.piece(id).into());
        let mut variables = Map::new();
        variables.insert("bos_token".to_owned(), token(self.tokenizer.bos()));
        variables.insert("eos_token".to_owned(), token(self.tokenizer.eos()));
        variables.extend(chat.variables.clone());
        if let (Some(switch), Some(value)) = (self.switch(), chat.variables.get(SWITCHES[0].0)) {
            variables.entry(switch).or_insert_with(|| value.clone());
        }
        let mut messages = Value::Array(chat.messages.clone());
        unify_reasoning(&mut messages);
        Inputs {
            messages,
            tools: (!chat.tools.is_empty()).then(|| Value::Array(chat.tools.clone())),
            documents: None,
            add_generation_prompt: true,
            variables,
            now,
        }
    }

    /// The family's marks of a gap, if it has some.
    fn gap_marks(&self) -> Option<[u32; 3]> {
        let known = |marks: &[&str; 3]| {
            let [first, gap, last] = marks.map(|mark| self.tokenizer.id_of(mark));
            Some([first?, gap?, last?])
        };
        GAPS.iter().find_map(known)
    }

    /// Both sides of a gap, between the family's marks.
    fn gap(&self, before: &str, after: &str) -> Result<Reading, Fault> {
        let Some([first, gap, last]) = self.gap_marks() else {
            let why = "the model has no marks for a gap between a text and its suffix";
            return Err(caller(why));
        };
        let plain = Encode { markup: false, add_special: false };
        let mut ids: Vec<u32> = Vec::new();
        ids.extend(self.tokenizer.bos().filter(|_| self.tokenizer.adds_bos()));
        for (mark, text) in [(first, before), (gap, after), (last, "")] {
            ids.push(mark);
            ids.extend(self.tokenizer.encode(text, plain));
        }
        Ok(Reading { ids, reader: Reader::plain() })
    }
}

fn caller(message: impl Into<String>) -> Fault {
    Fault::new(Side::Caller, message)
}
