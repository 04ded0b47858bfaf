//! What stands between operators: names, literals, and what follows them, which is attributes,
//! indices, calls, filters and tests.

use super::Fault;
use super::expression::Parser;
use super::tokens::{Kind, Token};
use crate::template::jinja::{is_filter, is_test};
use crate::template::python::methods::is_method_name;

impl Parser<'_> {
    pub(super) fn unary(&mut self, has_filters: bool) -> Result<String, Fault> {
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
