//! Expressions, rewritten so that every operator, index and literal is a call of our own function.
//! This file is about operators and their precedence; what they stand between is in `operand`.
//!
//! `a + b[0]` becomes `py__math("+", a, py__item(b, 0))`. What short-circuits (`and`, `or`,
//! `x if y else z`), calls, filters and tests stay as they are. The precedence is Jinja's.

use super::tokens::{Kind, Token};
use super::{Fault, Place};

/// Brackets and operators nested deeper than this are refused. The engine's own parser and code
/// generator recurse over what we write, and published templates stay below ten.
const MAX_DEPTH: usize = 40;

/// No expression applies more filters, indices and calls in a row; they nest for the engine.
const MAX_CHAIN: usize = 60;

/// The engine passes at most two thousand arguments to a function, and a dictionary takes two for
/// each of its entries.
const MAX_OPERANDS: usize = 990;

/// A parser over the tokens of one tag.
pub(super) struct Parser<'t> {
    pub(super) tokens: &'t [Token],
    pub(super) at: usize,
    depth: usize,
    /// The line on which the tag begins.
    line: usize,
    /// Line breaks passed since the last name or literal was written. They are written with the
    /// next one, so that the engine counts the same lines as the author.
    line_breaks: usize,
    /// A filter or test that does not exist. Where it is evaluated on a condition only, that is
    /// an error when it happens: templates ask for filters which some engines have.
    pub(super) unknown: Option<Fault>,
}

impl<'t> Parser<'t> {
    pub(super) fn new(tokens: &'t [Token], line: usize) -> Parser<'t> {
        Parser { tokens, at: 0, depth: 0, line, line_breaks: 0, unknown: None }
    }

    /// Fails when words are left over, or, unless all stands under a condition, when something
    /// was named that does not exist.
    pub(super) fn finish(&mut self, is_conditional: bool) -> Result<(), Fault> {
        if !self.is_at_end() {
            return Err(self.fault(format!("unexpected {}", self.found())));
        }
        self.unknown.take().filter(|_| !is_conditional).map_or(Ok(()), Err)
    }

    pub(super) fn fault(&self, reason: impl Into<String>) -> Fault {
        let passed: usize = self.tokens[..self.at].iter().map(|token| token.line_breaks).sum();
        Fault { at: Place::Line(self.line + passed), reason: reason.into() }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.tokens.len()
    }

    /// The line breaks that were not written yet.
    pub(super) fn take_line_breaks(&mut self) -> String {
        "\n".repeat(std::mem::take(&mut self.line_breaks))
    }

    pub(super) fn peek(&self) -> Option<&'t Kind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    pub(super) fn next(&mut self) -> Option<&'t Kind> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        self.line_breaks += token.line_breaks;
        Some(&token.kind)
    }

    pub(super) fn is_operator(&self, operator: &str) -> bool {
        matches!(self.peek(), Some(Kind::Operator(found)) if *found == operator)
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Kind::Name(found)) if found == word)
    }

    pub(super) fn skip_operator(&mut self, operator: &str) -> bool {
        let is_there = self.is_operator(operator);
        if is_there {
            self.next();
        }
        is_there
    }

    pub(super) fn skip_word(&mut self, word: &str) -> bool {
        let is_there = self.is_word(word);
        if is_there {
            self.next();
        }
        is_there
    }

    pub(super) fn expect(&mut self, operator: &str) -> Result<(), Fault> {
        if self.skip_operator(operator) {
            return Ok(());
        }
        Err(self.fault(format!("expected '{operator}', found {}", self.found())))
    }

    pub(super) fn found(&self) -> String {
        match self.peek() {
            None => "the end of the tag".to_owned(),
            Some(Kind::Name(name)) => format!("'{name}'"),
            Some(Kind::Number(number)) => format!("'{number}'"),
            Some(Kind::Text(_)) => "a string".to_owned(),
            Some(Kind::Operator(operator)) => format!("'{operator}'"),
        }
    }

    pub(super) fn name(&mut self) -> Result<String, Fault> {
        match self.peek() {
            Some(Kind::Name(name)) => {
                self.next();
                Ok(name.clone())
            }
            _ => Err(self.fault(format!("expected a name, found {}", self.found()))),
        }
    }

    pub(super) fn nested<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.fault("the expression is nested too deeply"));
        }
        let result = parse(self);
        self.depth -= 1;
        result
    }

    /// `a`, or `a, b` for a tuple without parentheses.
    pub(super) fn expressions(&mut self, has_condition: bool) -> Result<String, Fault> {
        let first = self.either(has_condition)?;
        if !self.is_operator(",") {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.skip_operator(",") {
            self.check_count(items.len())?;
            if self.is_at_end() || self.is_operator(")") || self.is_word("recursive") {
                break;
            }
            items.push(self.either(has_condition)?);
        }
        Ok(format!("py__tuple({})", items.join(", ")))
    }

    fn either(&mut self, has_condition: bool) -> Result<String, Fault> {
        if has_condition { self.expression() } else { self.nested(Self::or) }
    }

    /// Any expression, `a if b else c` included.
    pub(super) fn expression(&mut self) -> Result<String, Fault> {
        self.nested(|parser| {
            let unknown_before = parser.unknown.take();
            let mut value = parser.or()?;
            let mut links = 0;
            while parser.skip_word("if") {
                links = parser.next_link(links)?;
                let condition = parser.or()?;
                value = if parser.skip_word("else") {
                    let otherwise = parser.expression()?;
                    format!("({value} if {condition} else {otherwise})")
                } else {
                    format!("({value} if {condition})")
                };
            }
            let unknown_here = parser.unknown.take().filter(|_| links == 0);
            parser.unknown = unknown_before.or(unknown_here);
            Ok(value)
        })
    }

    pub(super) fn next_link(&self, links: usize) -> Result<usize, Fault> {
        if links == MAX_CHAIN {
            return Err(self.fault("the expression is too long"));
        }
        Ok(links + 1)
    }

    pub(super) fn check_count(&self, operands: usize) -> Result<(), Fault> {
        if operands < MAX_OPERANDS {
            return Ok(());
        }
        Err(self.fault("the expression is too long"))
    }

    pub(super) fn or(&mut self) -> Result<String, Fault> {
        self.chain("or", Self::and)
    }

    fn and(&mut self) -> Result<String, Fault> {
        self.chain("and", Self::not)
    }

    fn chain(
        &mut self,
        word: &str,
        parse: impl Fn(&mut Self) -> Result<String, Fault>,
    ) -> Result<String, Fault> {
        let mut operands = vec![parse(self)?];
        while self.skip_word(word) {
            self.next_link(operands.len())?;
            operands.push(parse(self)?);
        }
        match <[String; 1]>::try_from(operands) {
            Ok([only]) => Ok(only),
            Err(operands) => Ok(format!("({})", operands.join(&format!(" {word} ")))),
        }
    }

    fn not(&mut self) -> Result<String, Fault> {
        if !self.skip_word("not") {
            return self.comparison();
        }
        let operand = self.nested(Self::not)?;
        Ok(format!("(not {operand})"))
    }

    fn comparison(&mut self) -> Result<String, Fault> {
        let mut operands = vec![self.sum()?];
        let mut operators = Vec::new();
        while let Some(operator) = self.comparison_operator()? {
            self.check_count(operands.len())?;
            operators.push(operator);
            operands.push(self.sum()?);
        }
        if operators.is_empty() {
            return Ok(operands.swap_remove(0));
        }
        Ok(format!("py__compare(\"{}\", {})", operators.join(" "), operands.join(", ")))
    }

    fn comparison_operator(&mut self) -> Result<Option<&'static str>, Fault> {
        if let Some(Kind::Operator(op @ ("==" | "!=" | "<" | "<=" | ">" | ">="))) = self.peek() {
            self.next();
            return Ok(Some(op));
        }
        if self.skip_word("in") {
            return Ok(Some("in"));
        }
        if !self.skip_word("not") {
            return Ok(None);
        }
        if self.skip_word("in") { Ok(Some("not-in")) } else { Err(self.fault("expected 'in'")) }
    }

    fn sum(&mut self) -> Result<String, Fault> {
        self.arithmetic(&[("+", '+'), ("-", '-')], |parser| {
            let mut operands = vec![parser.product()?];
            while parser.skip_operator("~") {
                parser.check_count(operands.len())?;
                operands.push(parser.product()?);
            }
            match <[String; 1]>::try_from(operands) {
                Ok([only]) => Ok(only),
                Err(operands) => Ok(format!("py__concat({})", operands.join(", "))),
            }
        })
    }

    fn product(&mut self) -> Result<String, Fault> {
        self.arithmetic(&[("*", '*'), ("/", '/'), ("//", 'f'), ("%", '%')], |parser| {
            parser.arithmetic(&[("**", 'p')], |parser| parser.unary(true))
        })
    }

    /// Operators of one precedence, applied from the left.
    fn arithmetic(
        &mut self,
        operators: &[(&str, char)],
        parse: impl Fn(&mut Self) -> Result<String, Fault>,
    ) -> Result<String, Fault> {
        let mut operands = vec![parse(self)?];
        let mut applied = String::new();
        while let Some((_, letter)) = operators.iter().find(|(op, _)| self.is_operator(op)) {
            self.next();
            self.check_count(operands.len())?;
            applied.push(*letter);
            operands.push(parse(self)?);
        }
        if applied.is_empty() {
            return Ok(operands.swap_remove(0));
        }
        Ok(format!("py__math(\"{applied}\", {})", operands.join(", ")))
    }
}
