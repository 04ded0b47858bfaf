//! Replies that must keep to a form: a JSON schema, a regular expression, a grammar, one of some
//! texts, calls of tools. Before each token, those that may come next are found, and no other is
//! chosen.
//!
//! Compiling a form takes its time, so that the client's thread does it and not the model's.

use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use llguidance::api::{GrammarWithLexer, TopLevelGrammar};
use llguidance::toktrie::{
    ApproximateTokEnv, SimpleVob, TokEnv, TokRxInfo, TokTrie, parse_numeric_token,
};
use llguidance::{Matcher, ParserFactory};
use serde_json::{Value, json};
use text::reply::{Reader, quoting, with_definitions, without_idle_space};
use text::tokenizer::Tokenizer;
use turn::{Calls, Demand, Fault, Form, Retry, Side, Tool};

/// Compiling goes from each part of a form into those that it leads to, and so deep at most.
const MOST_DEEP: usize = 10_000;

/// Room for that. What is not used of it is never taken.
const STACK: usize = 256 << 20;

/// Compiles forms for a model.
pub struct Forms {
    factory: ParserFactory,
    /// Marks of reasoning and calls that are tokens.
    marks: Vec<(&'static str, u32)>,
    /// Tokens that end a reply.
    ends: Arc<[u32]>,
}

/// A compiled form, and how far a reply has come in it.
pub struct Rules {
    demand: Demand,
    matcher: Matcher,
    /// How many tokens there are, and those that end a reply.
    tokens: usize,
    ends: Arc<[u32]>,
    /// Tokens that may come next, and behind each of the guesses that follow.
    allowed: VecDeque<SimpleVob>,
}

impl Forms {
    /// For the tokens of a model.
    ///
    /// # Errors
    /// When the vocabulary cannot be used for it.
    pub fn new(tokenizer: &Tokenizer) -> Result<Forms, Fault> {
        let ours =
            |error| Fault::new(Side::Us, format!("forms of answers cannot be used: {error}"));
        let mut ends = tokenizer.ends().to_vec();
        if ends.is_empty() {
            ends.extend(tokenizer.eos());
        }
        let Some(&end) = ends.first() else {
            return Err(ours("the model has no token that ends a reply".to_owned()));
        };
        let template = tokenizer.chat_template().unwrap_or_default();
        let marks = Reader::new(template, "").offering(template, &[]).marks();
        let marks = marks.into_iter().filter_map(|mark| Some((mark, tokenizer.id_of(mark)?)));
        let marks: Vec<_> = marks.collect();
        let bytes = |id: u32| match tokenizer.is_markup(id) || marks.iter().any(|(_, m)| *m == id) {
            // Such tokens are no part of a text.
            true => [&[TokTrie::SPECIAL_TOKEN_MARKER], tokenizer.piece(id).as_bytes()].concat(),
            false => tokenizer.bytes_of(id).to_vec(),
        };
        let words: Vec<Vec<u8>> = (0..tokenizer.len() as u32).map(bytes).collect();
        let trie = TokTrie::from(&TokRxInfo::new(words.len() as u32, end), &words);
        let tokens: TokEnv = Arc::new(ApproximateTokEnv::new(trie));
        let mut factory =
            ParserFactory::new_simple(&tokens).map_err(|error| ours(error.to_string()))?;
        factory.quiet().limits_mut().verbose_errors = false;
        Ok(Forms { factory, marks, ends: ends.into() })
    }

    /// Compiles what a reply must be that this reader will read.
    ///
    /// # Errors
    /// When it is wrong, or has something that cannot be enforced: then nothing is answered.
    pub fn compile(&self, demand: &Demand, reader: &Reader) -> Result<Rules, Fault> {
        let begin = thread::Builder::new().name("form".to_owned()).stack_size(STACK);
        thread::scope(|scope| {
            let compiling = begin.spawn_scoped(scope, || self.compile_here(demand, reader));
            let compiling = compiling.map_err(|error| {
                let why = format!("no room to compile the form: {error}");
                Fault { retry: Retry::Later, ..Fault::new(Side::Us, why) }
            })?;
            compiling.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    fn compile_here(&self, demand: &Demand, reader: &Reader) -> Result<Rules, Fault> {
        let told = |unkept: Unkept, demand: &Demand| match unkept {
            Unkept::Known(fault) => fault,
            Unkept::Somewhere(error) => refused(&self.reason(demand).unwrap_or(error)),
        };
        self.attempt(demand, reader).or_else(|unkept| match loosened(demand) {
            None => Err(told(unkept, demand)),
            Some(looser) => self.attempt(&looser, reader).map_err(|unkept| told(unkept, &looser)),
        })
    }

    fn attempt(&self, demand: &Demand, reader: &Reader) -> Result<Rules, Unkept> {
        check_depth(demand).map_err(Unkept::Known)?;
        let answer = demand.answer.as_ref().map(grammar).transpose().map_err(Unkept::Known)?;
        let id_of = |mark: &str| {
            self.marks.iter().find(|(known, _)| *known == mark).map(|(_, token)| *token)
        };
        let whole = reader.form(demand, &id_of);
        let whole = whole.map_err(|error| Unkept::Known(refused(&error.to_string())))?;
        let whole = GrammarWithLexer { name: None, ..GrammarWithLexer::from_lark(whole) };
        let answer =
            answer.map(|form| GrammarWithLexer { name: Some("answer".to_owned()), ..form });
        let grammars = std::iter::once(whole).chain(answer).collect();
        let matcher = self.matcher(TopLevelGrammar { grammars, max_tokens: None });
        Ok(Rules {
            demand: demand.clone(),
            matcher: matcher.map_err(Unkept::Somewhere)?,
            tokens: self.factory.tok_env().tok_trie().vocab_size(),
            ends: Arc::clone(&self.ends),
            allowed: VecDeque::new(),
        })
    }

    fn matcher(&self, grammar: TopLevelGrammar) -> Result<Matcher, String> {
        let mut matcher = Matcher::new(self.factory.create_parser(grammar));
        // The first mask shows what compiling alone does not.
        matcher.compute_mask().map_err(|error| error.to_string())?;
        Ok(matcher)
    }

    /// The place of what cannot be kept, and why.
    fn reason(&self, demand: &Demand) -> Option<String> {
        /// Parts of a schema that are looked at one by one.
        const PARTS: usize = 200;
        let mut left = PARTS;
        let of_answer = match &demand.answer {
            Some(Form::Schema(schema) | Form::Quoting(schema, _)) => {
                self.culprit((schema, schema), "#", &mut left)
            }
            _ => None,
        };
        let of_tool = |tool: &Tool| {
            let schema = &tool.parameters;
            let at = format!("tool {:?}, parameters", tool.name);
            self.culprit((schema, schema), &at, &mut left)
        };
        let offered = match demand.calls {
            Calls::None => &[],
            _ => &demand.tools[..],
        };
        of_answer.or_else(|| offered.iter().find_map(of_tool))
    }

    /// The innermost part of a schema that fails by itself, as far as so many are looked at.
    fn culprit(
        &self,
        (schema, root): (&Value, &Value),
        at: &str,
        left: &mut usize,
    ) -> Option<String> {
        *left = left.checked_sub(1)?;
        let alone = with_definitions(schema, root);
        let grammar = TopLevelGrammar::from_json_schema(without_idle_space(&alone));
        let error = self.matcher(grammar).err()?;
        let within = parts(schema)
            .into_iter()
            .find_map(|(key, part)| self.culprit((part, root), &format!("{at}/{key}"), left));
        Some(within.unwrap_or_else(|| format!("{at}: {}", error.trim())))
    }
}

/// Why a form cannot be kept.
enum Unkept {
    Known(Fault),
    /// Something in it cannot be, which is still to be found.
    Somewhere(String),
}

/// The same with any arguments for tools that are not strict, if there are some that may be called.
fn loosened(demand: &Demand) -> Option<Demand> {
    if demand.calls == Calls::None || demand.tools.iter().all(|tool| tool.strict) {
        return None;
    }
    let mut demand = demand.clone();
    let loose = demand.tools.iter_mut().filter(|tool| !tool.strict);
    loose.for_each(|tool| tool.parameters = json!({ "type": "object" }));
    Some(demand)
}

/// Refuses forms that lead deeper than there is room for.
fn check_depth(demand: &Demand) -> Result<(), Fault> {
    let of_answer = demand.answer.as_ref().map_or(0, |form| match form {
        Form::Schema(schema) | Form::Quoting(schema, _) => depth(schema),
        // Each rule may lead to another, each bracket into itself, and each key of a schema.
        Form::Grammar(grammar) => grammar.matches([':', '(', '[', '{']).count(),
        Form::Regex(_) | Form::Choice(_) => 0,
    });
    let of_tools = demand.tools.iter().map(|tool| depth(&tool.parameters));
    match of_tools.fold(of_answer, usize::max) {
        deep if deep > MOST_DEEP => {
            Err(refused("it has too many rules or references that may lead to one another"))
        }
        _ => Ok(()),
    }
}

/// A bound on how deep a schema may lead: each reference through all levels again.
fn depth(schema: &Value) -> usize {
    let (mut levels, mut references) = (0, 1);
    let mut left = vec![(schema, 1)];
    while let Some((part, level)) = left.pop() {
        levels = levels.max(level);
        match part {
            Value::Object(fields) => {
                references += usize::from(fields.contains_key("$ref"));
                left.extend(fields.values().map(|part| (part, level + 1)));
            }
            Value::Array(items) => left.extend(items.iter().map(|part| (part, level + 1))),
            _ => {}
        }
    }
    levels * references
}

/// Errors come with drawings of where in a grammar they are, in lines of their own.
fn refused(error: &str) -> Fault {
    let lines = error.lines().filter(|line| !line.contains(" | "));
    let lines = lines.map(str::trim).filter(|line| !line.trim_matches('^').is_empty());
    let error = lines.collect::<Vec<_>>().join(" ");
    Fault::new(Side::Caller, format!("the form cannot be kept: {error}"))
}

/// Schemas within a schema, and how they are reached.
fn parts(schema: &Value) -> Vec<(String, &Value)> {
    let Value::Object(schema) = schema else { return Vec::new() };
    let mut parts = Vec::new();
    for (key, value) in schema {
        match (key.as_str(), value) {
            ("items" | "additionalProperties", part @ Value::Object(_)) => {
                parts.push((key.clone(), part));
            }
            (
                "properties" | "patternProperties" | "$defs" | "definitions",
                Value::Object(named),
            ) => {
                parts.extend(named.iter().map(|(name, part)| (format!("{key}/{name}"), part)));
            }
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(listed)) => {
                let listed = listed.iter().enumerate();
                parts.extend(listed.map(|(i, part)| (format!("{key}/{i}"), part)));
            }
            _ => {}
        }
    }
    parts
}

/// The mark that forced bytes begin with: its number in brackets, behind a byte of no text.
fn mark_at(forced: &[u8]) -> Option<u32> {
    let rest = forced.strip_prefix(&[TokTrie::SPECIAL_TOKEN_MARKER])?;
    parse_numeric_token(rest).map(|(_, token)| token)
}

fn grammar(form: &Form) -> Result<GrammarWithLexer, Fault> {
    Ok(match form {
        Form::Schema(schema) => GrammarWithLexer::from_json_schema(without_idle_space(schema)),
        Form::Quoting(schema, text) => GrammarWithLexer::from_lark(quoting(schema, text)),
        Form::Regex(regex) => GrammarWithLexer::from_regex(regex),
        Form::Grammar(grammar) => GrammarWithLexer::from_lark(grammar.clone()),
        Form::Choice(texts) if texts.is_empty() => {
            return Err(refused("there is nothing to choose from"));
        }
        Form::Choice(texts) => {
            let quoted = texts.iter().map(|text| Value::from(text.as_str()).to_string());
            let choice = quoted.collect::<Vec<_>>().join(" | ");
            GrammarWithLexer::from_lark(format!("start: {choice}"))
        }
    })
}

impl Rules {
    /// What was compiled.
    pub(crate) fn into_demand(self) -> Demand {
        self.demand
    }

    /// Finds the tokens that may come next, and those that may follow on each of these guesses.
    pub(crate) fn look_ahead(&mut self, guesses: &[u32]) {
        self.allowed.clear();
        let mut taken = 0;
        while let Ok(allowed) = self.find() {
            let next = guesses.get(taken).filter(|next| allowed.get(**next as usize));
            self.allowed.push_back(allowed);
            let ends = |token| self.ends.contains(token);
            let Some(token) = next.filter(|token| !ends(token)) else { break };
            if self.matcher.consume_token(*token).is_err() {
                break;
            }
            taken += 1;
        }
        if taken > 0 && self.matcher.rollback(taken).is_err() {
            self.allowed.clear();
        }
    }

    /// As many of these guesses as the form allows.
    pub(crate) fn allows(&mut self, guesses: &[u32]) -> usize {
        // Weights may have rows beyond the tokens; one of these would be the matcher's end.
        let known = guesses.iter().take_while(|guess| (**guess as usize) < self.tokens).count();
        let guesses = &guesses[..known];
        self.matcher.validate_tokens(guesses).unwrap_or(0)
    }

    /// Tokens of what must come next, whatever the model says: a mark, or text.
    pub(crate) fn forced(&mut self, tokens_of: impl FnOnce(&str) -> Vec<u32>) -> Vec<u32> {
        let forced = self.matcher.compute_ff_bytes();
        if let Some(mark) = mark_at(&forced) {
            return vec![mark];
        }
        let text = forced.utf8_chunks().next().map(|chunk| chunk.valid());
        let mut tokens = text.filter(|text| !text.is_empty()).map(tokens_of).unwrap_or_default();
        // The last may become one with what follows on it.
        tokens.pop();
        tokens
    }

    fn find(&mut self) -> Result<SimpleVob, ()> {
        if self.matcher.is_stopped() {
            return Err(());
        }
        if let Some(mark) = mark_at(&self.matcher.compute_ff_bytes()) {
            let mut allowed = SimpleVob::alloc(self.tokens);
            allowed.allow_token(mark);
            return Ok(allowed);
        }
        let mut allowed = self.matcher.compute_mask().map_err(|_| ())?;
        if self.matcher.is_accepting().unwrap_or(false) {
            let known = allowed.len();
            let ends = self.ends.iter().filter(|end| (**end as usize) < known);
            ends.for_each(|end| allowed.allow_token(*end));
        }
        Ok(allowed)
    }

    /// Takes tokens off the logits that may not come next; fails when all are.
    pub(crate) fn apply(&mut self, logits: &mut [f32]) -> Result<(), ()> {
        if self.allowed.is_empty() {
            self.look_ahead(&[]);
        }
        let Some(allowed) = self.allowed.front() else { return Err(()) };
        let words = allowed.as_slice().iter().chain(std::iter::repeat(&0));
        for (logits, word) in logits.chunks_mut(u32::BITS as usize).zip(words) {
            match *word {
                0 => logits.fill(f32::NEG_INFINITY),
                u32::MAX => {}
                word => {
                    let forbidden =
                        logits.iter_mut().enumerate().filter(|(i, _)| word >> i & 1 == 0);
                    forbidden.for_each(|(_, logit)| *logit = f32::NEG_INFINITY);
                }
            }
        }
        if allowed.is_zero() { Err(()) } else { Ok(()) }
    }

    /// Goes on by a token; says whether nothing can follow.
    pub(crate) fn take(&mut self, token: u32) -> Result<bool, ()> {
        self.allowed.pop_front();
        self.matcher.consume_token(token).map_err(|_| ())?;
        Ok(self.matcher.is_stopped())
    }
}

#[cfg(test)]
mod tests {
    use testkit::golden;
    use text::tokenizer::Encode;
    use turn::Tool;

    use super::*;

    fn tokenizer() -> Tokenizer {
        Tokenizer::from_folder(&golden("models/qwen3")).unwrap()
    }

    fn tokens(text: &str) -> Vec<u32> {
        tokenizer().encode(text, Encode { markup: false, add_special: false })
    }

    fn rules(answer: &str, reader: &Reader) -> Rules {
        let form = Form::Choice(vec![answer.to_owned()]);
        Forms::new(&tokenizer()).unwrap().compile(&form.into(), reader).unwrap()
    }

    /// A vocabulary may not have the marks that a template writes.
    #[test]
    fn marks_that_are_no_tokens_are_texts() {
        let template = "{{ '<think>' + thought + '</think>' }}";
        for (prompt, text, whole) in [
            ("<think>\n", "Hm. </think>\n\nyes", true),
            ("<think>\n", "</think>yes", true),
            ("<think>\n", "Hm. </think>\n\n\nyes", false),
            ("<think>\n", "yes</think>no", false),
            ("<think>\n", "yes", false),
            ("", "<think>Hm.</think>yes", true),
            ("", "yes", true),
            ("", "Hm. yes", false),
        ] {
            let mut rules = rules("yes", &Reader::new(template, prompt));
            let allowed = tokens(text).into_iter().all(|token| rules.take(token).is_ok());
            let may_end = allowed && rules.matcher.is_accepting().unwrap();
            assert_eq!(may_end, whole, "{prompt:?} {text:?}");
        }
    }

    /// Neither may it have the mark that begins a call.
    #[test]
    fn calls_are_told_from_text_without_tokens_for_them() {
        let schema = json!({ "type": "object", "properties": { "on": { "type": "boolean" } },
                             "required": ["on"], "additionalProperties": false });
        let tools = vec![Tool { name: "f".to_owned(), parameters: schema, strict: true }];
        let reader = Reader::plain().offering_in_words(&tools);
        let demand = Demand { calls: Calls::May, tools, several: true, ..Demand::default() };
        let forms = Forms::new(&tokenizer()).unwrap();
        let call = |on| {
            let call = format!(r#"{{"name": "f", "arguments": {{"on": {on}}}}}"#);
            format!("<tool_call>\n{call}\n</tool_call>")
        };
        for (text, whole) in [
            (String::new(), true),
            ("1 < 2, <tool_cal".to_owned(), true),
            (call("true"), true),
            (format!("So: {}", call("false")), true),
            (format!("{}\n{}", call("false"), call("true")), true),
            (call("7"), false),
            ("So: <tool_call>f".to_owned(), false),
            (format!("{}!", call("true")), false),
        ] {
            let mut rules = forms.compile(&demand, &reader).unwrap();
            let allowed = tokens(&text).into_iter().all(|token| rules.take(token).is_ok());
            assert_eq!(allowed && rules.matcher.is_accepting().unwrap(), whole, "{text:?}");
        }
    }

    /// What a tool promises that is not strict is kept where that is possible.
    #[test]
    fn only_strict_tools_are_refused() {
        let template = golden("templates/templates/Qwen3-Coder.jinja");
        let template = std::fs::read_to_string(template).unwrap();
        let forms = Forms::new(&tokenizer()).unwrap();
        for wish in [
            json!({ "type": "string", "format": "uri" }),
            json!({ "type": "object", "propertyNames": { "maxLength": 3 } }),
            json!({ "type": "array", "uniqueItems": true }),
        ] {
            let tool = |name: &str, wish: Value, strict| {
                let parameters = json!({ "type": "object", "properties": { "to": wish } });
                Tool { name: name.to_owned(), parameters, strict }
            };
            let compiled = |strict, calls| {
                let tools = vec![tool("f", wish.clone(), strict), tool("g", json!(true), true)];
                for reader in [
                    Reader::new(&template, "").offering(&template, &tools),
                    Reader::plain().offering_in_words(&tools),
                ] {
                    let demand = Demand { calls, tools: tools.clone(), ..Demand::default() };
                    forms.compile(&demand, &reader).map_err(|fault| fault.message)?;
                }
                Ok::<_, String>(())
            };
            for calls in [Calls::May, Calls::Must] {
                assert_eq!(compiled(false, calls), Ok(()), "{wish}");
                assert!(compiled(true, calls).is_err(), "{wish}");
            }
        }
        // Neither is one that is too deep; and who is told is told what is wrong.
        let Form::Schema(deep) = chain_of_references("items", MOST_DEEP) else { panic!() };
        let uri = json!({ "type": "object", "properties": { "to": { "format": "uri" } } });
        let tool = |parameters: &Value, strict| Tool {
            name: if strict { "g" } else { "f" }.to_owned(),
            parameters: parameters.clone(),
            strict,
        };
        let compiled = |tools: Vec<Tool>| {
            let reader = Reader::new(&template, "").offering(&template, &tools);
            let demand = Demand { calls: Calls::May, tools, ..Demand::default() };
            forms.compile(&demand, &reader).map(|_| ()).map_err(|fault| fault.message)
        };
        assert_eq!(compiled(vec![tool(&deep, false)]), Ok(()));
        let refused = compiled(vec![tool(&uri, false), tool(&deep, true)]).unwrap_err();
        assert!(refused.contains("too many rules"), "{refused}");
    }

    /// Whether this text keeps to a form as a whole.
    fn keeps(form: &Form, text: &str) -> bool {
        let forms = Forms::new(&tokenizer()).unwrap();
        let mut rules = forms.compile(&form.clone().into(), &Reader::plain()).unwrap();
        let allowed = tokens(text).into_iter().all(|token| rules.take(token).is_ok());
        allowed && rules.matcher.is_accepting().unwrap()
    }

    /// As zod writes records: the names of fields are texts, which they are anywhere.
    #[test]
    fn records_have_any_names() {
        let record = json!({ "type": "object", "propertyNames": { "type": "string" },
            "additionalProperties": { "type": "number" } });
        let form = Form::Schema(json!({ "type": "object", "additionalProperties": false,
            "properties": { "propertyNames": { "anyOf": [record, { "type": "null" }] } } }));
        assert!(keeps(&form, r#"{"propertyNames": {"a": 1, "b": 2}}"#));
        assert!(keeps(&form, r#"{"propertyNames": null}"#));
        assert!(!keeps(&form, r#"{"propertyNames": {"a": "x"}}"#));
        assert!(!keeps(&form, r#"{"other": null}"#));
        // Others do say something, and cannot be kept.
        let short = Form::Schema(json!({ "type": "object", "propertyNames": { "maxLength": 3 } }));
        let forms = Forms::new(&tokenizer()).unwrap();
        let refused = forms.compile(&short.into(), &Reader::plain()).map(|_| ()).unwrap_err();
        assert!(refused.message.contains("propertyNames"), "{refused}");
    }

    /// Rules, each of which leads to the next.
    fn chain_of_rules(rules: usize) -> Form {
        let rule = |i: usize| format!("a{i}: \"<\" a{} \">\"\n", i + 1);
        let chain: String = (0..rules).map(rule).collect();
        Form::Grammar(format!("start: a0\n{chain}a{rules}: \"x\""))
    }

    /// Definitions, each of which leads to the next in such a part.
    fn chain_of_references(part: &str, references: usize) -> Form {
        let definition = |i: usize| {
            let next = json!({ "$ref": format!("#/$defs/d{}", i + 1) });
            let part = if part == "properties" {
                json!({ part: { "x": next } })
            } else {
                json!({ part: next })
            };
            (format!("d{i}"), part)
        };
        let mut chain: serde_json::Map<_, _> = (0..references).map(definition).collect();
        chain.insert(format!("d{references}"), json!({ "type": "string" }));
        Form::Schema(json!({ "$ref": "#/$defs/d0", "$defs": chain }))
    }

    /// Compiling follows such chains step by step, on its stack.
    #[test]
    fn forms_lead_as_deep_as_there_is_room_and_no_deeper() {
        let forms = Forms::new(&tokenizer()).unwrap();
        let compiles = |form: Form| {
            let compiled = forms.compile(&form.into(), &Reader::plain());
            compiled.map(|_| ()).map_err(|fault| fault.message)
        };
        compiles(chain_of_rules(MOST_DEEP - 2)).unwrap();
        // Rules need no lines.
        let one_line = |rules: usize| {
            let rule = |i: usize| format!(" a{i}: a{} -> x", i + 1);
            let chain: String = (0..rules).map(rule).collect();
            Form::Grammar(format!("start: a0 -> x{chain} a{rules}: \"x\""))
        };
        compiles(one_line(MOST_DEEP / 2)).unwrap();
        for chain in [chain_of_rules, one_line] {
            let too_deep = compiles(chain(MOST_DEEP)).unwrap_err();
            assert!(too_deep.contains("too many rules"), "{too_deep}");
        }
        // One reference has five levels here: all, definitions, one of them, its part, the name.
        for (part, levels) in [("items", 5), ("properties", 6)] {
            compiles(chain_of_references(part, MOST_DEEP / levels - 2)).unwrap();
            let too_deep = compiles(chain_of_references(part, MOST_DEEP / levels)).unwrap_err();
            assert!(too_deep.contains("too many rules"), "{part}: {too_deep}");
        }
    }

    #[test]
    fn texts_are_quoted_and_nothing_else_is_changed() {
        let word = json!({ "type": "string" });
        let part = json!({ "type": "object", "additionalProperties": false, "required": ["n"],
            "properties": { "n": { "type": "integer" }, "of": { "$ref": "#/$defs/part" } } });
        let schema = json!({ "type": "object", "additionalProperties": false, "deprecated": false,
            "$defs": { "part": part }, "required": ["who", "day"], "properties": {
                "nr": { "type": "integer" },
                "who": { "type": ["string", "null"], "description": "a name", "x-order": 1 },
                "day": { "type": "string", "format": "date" },
                "kind": { "enum": ["a", "b"] },
                "tags": { "type": "array", "items": word },
                "city": { "anyOf": [word, { "type": "null" }] },
                "part": { "$ref": "#/$defs/part" },
            } });
        let text = "Dear \"Max\"\n  Müller,\nyour order 12.";
        let form = Form::Quoting(schema.clone(), text.to_owned());
        for (reply, kept) in [
            (r#"{"who": "Müller", "day": "2025-01-31"}"#, true),
            (r#"{"who": null, "day": "2025-01-31"}"#, true),
            (r#"{"nr": 7, "who": "your order", "day": "2025-01-31", "kind": "b"}"#, true),
            (r#"{"who": "Dear \"Max\" Müller", "day": "2025-01-31"}"#, true),
            (r#"{"who": "", "day": "2025-01-31", "tags": []}"#, true),
            (r#"{"who": "12", "day": "2025-01-31", "tags": ["Dear", "order 12."]}"#, true),
            (r#"{"who": "12", "day": "2025-01-31", "city": "order", "part": {"n": 1}}"#, true),
            (r#"{"who": null, "day": "2025-01-31", "part": {"n": 1, "of": {"n": 2}}}"#, true),
            (r#"{"who": "Miller", "day": "2025-01-31"}"#, false),
            (r#"{"who": " Müller", "day": "2025-01-31"}"#, false),
            (r#"{"who": "your ", "day": "2025-01-31"}"#, false),
            (r#"{"who": "Müll", "day": "2025-01-31"}"#, false),
            (r#"{"who": "Dear Müller", "day": "2025-01-31"}"#, false),
            (r#"{"who": "12", "day": "tomorrow"}"#, false),
            (r#"{"who": "12", "day": "2025-01-31", "tags": ["none"]}"#, false),
            (r#"{"who": "12", "day": "2025-01-31", "city": "Rome"}"#, false),
            (r#"{"who": "12", "day": "2025-01-31", "kind": "order"}"#, false),
            (r#"{"day": "2025-01-31"}"#, false),
            (r#"{"who": null, "day": "2025-01-31", "part": {"n": 1, "of": {}}}"#, false),
        ] {
            assert_eq!(keeps(&form, reply), kept, "{reply}");
            assert!(!kept || keeps(&Form::Schema(schema.clone()), reply), "{reply}");
        }
        // Where there is nothing to quote.
        let form = Form::Quoting(schema, " ".to_owned());
        assert!(keeps(&form, r#"{"who": "", "day": "2025-01-31"}"#));
        assert!(!keeps(&form, r#"{"who": "Müller", "day": "2025-01-31"}"#));
    }

    #[test]
    fn what_has_a_format_stands_in_the_text_if_there_is_any() {
        let formatted = |format| json!({ "type": "string", "format": format });
        let schema = json!({ "type": "object", "additionalProperties": false, "properties": {
            "mail": formatted("email"), "web": formatted("uri"), "at": formatted("date-time") },
            "required": ["mail", "web", "at"] });
        let stand = "Write to <m.x@ex-am.org>, or see https://ex.org/a?b=1#c.";
        let at = "2025-01-31T10:00:00Z";
        for (text, mail, web, kept) in [
            (stand, "m.x@ex-am.org", "https://ex.org/a?b=1#c", true),
            (stand, "other@ex.org", "https://ex.org/a?b=1#c", false),
            (stand, "m.x@ex-am.org", "https://ex.org", false),
            ("E-Mail:a@b.de [site](http://b.de/M%C3%BC)", "a@b.de", "http://b.de/M%C3%BC", true),
            ("E-Mail:a@b.de [site](http://b.de/M%C3%BC)", "a@b.de", "https://ex.org", false),
            // Not all of them are plain, and any may be meant.
            ("ä@b.de, c@d.de, http://b.de/ü http://c.de", "x@ex.org", "https://ex.org", true),
            ("Call us.", "other@ex.org", "https://ex.org", true),
            ("Call us.", "other", "https://ex.org", false),
        ] {
            let form = Form::Quoting(schema.clone(), text.to_owned());
            let reply = format!("{{\"mail\": \"{mail}\", \"web\": \"{web}\", \"at\": \"{at}\"}}");
            assert_eq!(keeps(&form, &reply), kept, "{text} {reply}");
            assert!(!kept || keeps(&Form::Schema(schema.clone()), &reply), "{reply}");
            let mail = json!({ "type": ["string", "null"], "format": "email" });
            let maybe = json!({ "type": "object", "additionalProperties": false,
                "required": ["mail"], "properties": { "mail": mail } });
            let form = Form::Quoting(maybe, text.to_owned());
            assert!(keeps(&form, r#"{"mail": null}"#));
            let other = keeps(&form, r#"{"mail": "x@ex.org"}"#);
            assert_eq!(other, text.starts_with('ä'), "{text}");
            let form = Form::Quoting(schema.clone(), text.to_owned());
            let endless = reply.replace("00Z", &format!("00.{}Z", "0".repeat(200)));
            assert!(!keeps(&form, &endless));
        }
    }

    /// Looking ahead leaves nothing behind, and finds what would be found later.
    #[test]
    fn masks_behind_guesses_are_those_of_later() {
        let word = tokens("international");
        assert!(word.len() > 3);
        let mut one_by_one = rules("international", &Reader::plain());
        let mut ahead = rules("international", &Reader::plain());
        ahead.look_ahead(&word);
        let mut logits = vec![[0.0; 320]; 2];
        for token in &word {
            logits.iter_mut().for_each(|logits| logits.fill(1.0));
            one_by_one.look_ahead(&[]);
            one_by_one.apply(&mut logits[0]).unwrap();
            ahead.apply(&mut logits[1]).unwrap();
            assert_eq!(logits[0], logits[1]);
            assert!(logits[0][*token as usize] == 1.0 && logits[0].contains(&f32::NEG_INFINITY));
            assert_eq!(one_by_one.take(*token), ahead.take(*token));
        }
        // What is no token is forbidden, and does no harm.
        let padding = tokenizer().len() as u32;
        assert_eq!(one_by_one.allows(&[padding]), 0);
        assert_eq!(ahead.allows(&[padding]), 0);
        let mut ahead = rules("international", &Reader::plain());
        assert_eq!(ahead.allows(&[word[0], padding]), 1);
        assert_eq!(ahead.take(word[0]), Ok(false));
        // A guess that the form forbids ends what is known.
        let mut ahead = rules("international", &Reader::plain());
        ahead.look_ahead(&[word[0], 5, 7]);
        assert_eq!(ahead.allowed.len(), 2);
        assert_eq!(ahead.allows(&[word[0], 5, 7]), 1);
    }
}
