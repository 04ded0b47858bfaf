//! Expressions, rewritten so that every operator, index and literal is a call of our own function.
//!
//! `a + b[0]` becomes `py__math("+", a, py__item(b, 0))`. What short-circuits (`and`, `or`,
//! `x if y else z`), calls, filters and tests stay as they are. The precedence is Jinja's.

use super::tokens::{Kind, Token};
use super::{Fault, Place};
use crate::template::jinja::{is_filter, is_test};
use crate::template::python::methods::is_method_name;

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
    tokens: &'t [Token],
    at: usize,
    depth: usize,
    /// The line on which the tag begins.
    line: usize,
    /// Line breaks passed since the last name or literal was written. They are written with the
    /// next one, so that the engine counts the same lines as the author.
    line_breaks: usize,
    /// A filter or test that does not exist. Where it is evaluated on a condition only, that is
    /// an error when it happens: templates ask for filters which some engines have.
    unknown: Option<Fault>,
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

    fn peek(&self) -> Option<&'t Kind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    fn next(&mut self) -> Option<&'t Kind> {
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

    fn found(&self) -> String {
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

    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
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

    fn next_link(&self, links: usize) -> Result<usize, Fault> {
        if links == MAX_CHAIN {
            return Err(self.fault("the expression is too long"));
        }
        Ok(links + 1)
    }

    fn check_count(&self, operands: usize) -> Result<(), Fault> {
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

    fn unary(&mut self, has_filters: bool) -> Result<String, Fault> {
        let value = if self.skip_operator("-") {
            format!("py__negative({})", self.nested(|parser| parser.unary(false))?)
        } else if self.skip_operator("+") {
            format!("py__positive({})", self.nested(|parser| parser.unary(false))?)
        } else {
            self.primary()?
        };
        let (value, links) = self.postfix(value, 0)?;
        if has_filters { self.filters(value, links) } else { Ok(value) }
    }

    fn primary(&mut self) -> Result<String, Fault> {
        let Some(kind) = self.next() else {
            return Err(self.fault("expected an expression, found the end of the tag"));
        };
        let lines = self.take_line_breaks();
        let value = match kind {
            Kind::Name(name) => self.variable(name)?,
            Kind::Number(number) => number.clone(),
            Kind::Text(text) => self.text(text),
            Kind::Operator("(") => self.parenthesis()?,
            Kind::Operator("[") => format!("py__list({})", self.items("]", Self::expression)?),
            Kind::Operator("{") => format!("py__dict({})", self.items("}", Self::pair)?),
            Kind::Operator(operator) => {
                return Err(self.fault(format!("unexpected '{operator}'")));
            }
        };
        Ok(lines + &value)
    }

    fn variable(&mut self, name: &str) -> Result<String, Fault> {
        match name {
            "true" | "True" | "false" | "False" | "none" | "None" => Ok(name.to_lowercase()),
            "and" | "or" | "not" | "in" | "is" | "if" | "else" => {
                Err(self.fault(format!("unexpected '{name}'")))
            }
            "loop" if self.is_operator("(") => {
                self.next();
                let over = self.expression()?;
                self.expect(")")?;
                Ok(format!("loop(py__iterate({over}))"))
            }
            "varargs" | "kwargs" => Err(self.fault(format!("{name} is not supported"))),
            name => Ok(name.to_owned()),
        }
    }

    /// Adjacent strings are one.
    fn text(&mut self, first: &str) -> String {
        let mut text = first.to_owned();
        while let Some(Kind::Text(more)) = self.peek() {
            self.next();
            text.push_str(more);
        }
        quoted(&text)
    }

    /// What stands after an opening parenthesis: an expression or a tuple.
    fn parenthesis(&mut self) -> Result<String, Fault> {
        if self.skip_operator(")") {
            return Ok("py__tuple()".to_owned());
        }
        let inner = self.expressions(true)?;
        self.expect(")")?;
        Ok(inner)
    }

    fn pair(&mut self) -> Result<String, Fault> {
        let key = self.expression()?;
        self.expect(":")?;
        Ok(format!("{key}, {}", self.expression()?))
    }

    /// Items separated by commas, up to the closing bracket.
    fn items(
        &mut self,
        close: &str,
        parse: impl Fn(&mut Self) -> Result<String, Fault>,
    ) -> Result<String, Fault> {
        let mut items = Vec::new();
        while !self.skip_operator(close) {
            if !items.is_empty() {
                self.expect(",")?;
                if self.skip_operator(close) {
                    break;
                }
            }
            self.check_count(items.len())?;
            items.push(parse(self)?);
        }
        Ok(items.join(", "))
    }

    /// Attributes, indices and calls.
    fn postfix(&mut self, mut value: String, mut links: usize) -> Result<(String, usize), Fault> {
        loop {
            if self.skip_operator(".") {
                value = self.attribute(&value)?;
            } else if self.skip_operator("[") {
                value = self.subscript(&value)?;
            } else if self.is_operator("(") {
                value = format!("{value}({})", self.arguments()?);
            } else {
                return Ok((value, links));
            }
            links = self.next_link(links)?;
        }
    }

    fn attribute(&mut self, value: &str) -> Result<String, Fault> {
        if let Some(Kind::Number(index)) = self.peek() {
            self.next();
            return Ok(format!("py__item({value}, {index})"));
        }
        let name = self.name()?;
        if self.is_operator("(") {
            let arguments = self.arguments()?;
            let separator = if arguments.is_empty() { "" } else { ", " };
            return Ok(format!("py__call({value}, \"{name}\"{separator}{arguments})"));
        }
        // A method that is not called hides the key of the same name; all others the engine finds.
        if is_method_name(&name) {
            return Ok(format!("py__attribute({value}, \"{name}\")"));
        }
        Ok(format!("{value}.{name}"))
    }

    fn subscript(&mut self, value: &str) -> Result<String, Fault> {
        let mut bounds: Vec<String> = Vec::new();
        let mut current = None;
        let mut is_slice = false;
        loop {
            if self.skip_operator("]") {
                break;
            }
            if self.skip_operator(":") {
                is_slice = true;
                bounds.push(current.take().unwrap_or_else(|| "none".to_owned()));
            } else if current.is_none() {
                current = Some(self.expressions(true)?);
            } else {
                return Err(self.fault(format!("expected ']', found {}", self.found())));
            }
        }
        if !is_slice {
            let key = current.ok_or_else(|| self.fault("expected a subscript"))?;
            return Ok(format!("py__item({value}, {key})"));
        }
        bounds.push(current.unwrap_or_else(|| "none".to_owned()));
        if bounds.len() > 3 {
            return Err(self.fault("a slice has at most three parts"));
        }
        bounds.resize(3, "none".to_owned());
        Ok(format!("py__slice({value}, {})", bounds.join(", ")))
    }

    /// `(a, *b, c=d, **e)`, without the parentheses.
    pub(super) fn arguments(&mut self) -> Result<String, Fault> {
        self.expect("(")?;
        self.items(")", Self::argument)
    }

    fn argument(&mut self) -> Result<String, Fault> {
        if self.skip_operator("**") {
            return Ok(format!("**{}", self.expression()?));
        }
        if self.skip_operator("*") {
            return Ok(format!("*{}", self.expression()?));
        }
        let is_named = matches!(
            self.tokens.get(self.at..self.at + 2),
            Some([Token { kind: Kind::Name(_), .. }, Token { kind: Kind::Operator("="), .. }])
        );
        if !is_named {
            return self.expression();
        }
        let name = self.name()?;
        self.expect("=")?;
        Ok(format!("{name}={}", self.expression()?))
    }

    /// Filters and tests behind a value.
    fn filters(&mut self, mut value: String, mut links: usize) -> Result<String, Fault> {
        let mut is_bare = false;
        loop {
            links = self.next_link(links)?;
            if self.is_operator("|") {
                value = format!("{value}|{}", self.filter()?);
                is_bare = true;
                continue;
            }
            if is_bare {
                value = format!("({value})");
                is_bare = false;
            }
            if self.skip_word("is") {
                value = self.test(&value)?;
            } else if self.is_operator("(") {
                value = format!("{value}({})", self.arguments()?);
            } else {
                return Ok(value);
            }
        }
    }

    /// `|name(arguments)`, without the bar.
    pub(super) fn filter(&mut self) -> Result<String, Fault> {
        self.expect("|")?;
        self.filter_name()
    }

    pub(super) fn filter_name(&mut self) -> Result<String, Fault> {
        let name = self.name()?;
        if !is_filter(&name) && self.unknown.is_none() {
            self.unknown = Some(self.fault(format!("there is no filter '{name}'")));
        }
        if self.is_operator("(") { Ok(format!("{name}({})", self.arguments()?)) } else { Ok(name) }
    }

    fn test(&mut self, value: &str) -> Result<String, Fault> {
        let negation = if self.skip_word("not") { "not " } else { "" };
        let name = self.name()?;
        if !is_test(&name) && self.unknown.is_none() {
            self.unknown = Some(self.fault(format!("there is no test '{name}'")));
        }
        let arguments = if self.is_operator("(") {
            self.arguments()?
        } else if self.begins_operand() {
            let operand = self.primary()?;
            self.postfix(operand, 0)?.0
        } else {
            String::new()
        };
        Ok(format!("({value} is {negation}{name}({arguments}))"))
    }

    /// Whether an argument without parentheses follows the name of a test.
    fn begins_operand(&self) -> bool {
        match self.peek() {
            Some(Kind::Name(name)) => !matches!(name.as_str(), "else" | "or" | "and"),
            Some(Kind::Number(_) | Kind::Text(_) | Kind::Operator("[" | "{")) => true,
            _ => false,
        }
    }
}

/// A string as the engine reads it.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
