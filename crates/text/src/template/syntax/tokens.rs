//! The tokens inside a tag.

use super::{Fault, Place};

/// One token, and how many line breaks lie before its end.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) line_breaks: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Name(String),
    /// A number, as it may be written for the engine.
    Number(String),
    Text(String),
    Operator(&'static str),
}

/// How a tag treats the white space beside it: `-`, `+` or nothing.
pub(super) type Mark = &'static str;

/// The contents of one tag.
#[derive(Debug)]
pub(super) struct Tag {
    pub(super) tokens: Vec<Token>,
    /// The mark before the closing delimiter.
    pub(super) mark: Mark,
    /// Where the source goes on.
    pub(super) end: usize,
    /// Line breaks behind the last token.
    pub(super) line_breaks: usize,
}

/// The longest first, so that `**` is not read as two stars.
const OPERATORS: [&str; 24] = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", "(", ")", "[", "]", "{", "}",
    ".", ",", ":", "|", "=", ">",
];

/// No honest tag has more tokens; the engine's parser holds them all at once.
const MAX_TOKENS: usize = 20_000;

/// Reads the tokens from `start` to the delimiter `close`.
pub(super) fn read(source: &str, start: usize, close: &str) -> Result<Tag, Fault> {
    let mut reader = Reader { source, at: start, line_breaks: 0 };
    let mut tokens = Vec::new();
    let mut depth = 0_usize;
    loop {
        reader.skip_space();
        if depth == 0
            && let Some((mark, length)) = closing(reader.rest(), close)
        {
            let end = reader.at + length;
            return Ok(Tag { tokens, mark, end, line_breaks: reader.line_breaks });
        }
        if tokens.len() == MAX_TOKENS {
            return Err(reader.fault("the tag is too long"));
        }
        let kind = reader.token()?;
        match kind {
            Kind::Operator("(" | "[" | "{") => depth += 1,
            Kind::Operator(")" | "]" | "}") => depth = depth.saturating_sub(1),
            _ => {}
        }
        let line_breaks = std::mem::take(&mut reader.line_breaks);
        tokens.push(Token { kind, line_breaks });
    }
}

fn closing(rest: &str, close: &str) -> Option<(Mark, usize)> {
    ["-", "+", ""].into_iter().find_map(|mark| {
        rest.strip_prefix(mark)?.starts_with(close).then_some((mark, mark.len() + close.len()))
    })
}

struct Reader<'s> {
    source: &'s str,
    at: usize,
    line_breaks: usize,
}

impl<'s> Reader<'s> {
    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    fn fault(&self, reason: impl Into<String>) -> Fault {
        Fault { at: Place::Offset(self.at), reason: reason.into() }
    }

    /// Takes the next `length` bytes.
    fn take(&mut self, length: usize) -> &'s str {
        let taken = &self.rest()[..length];
        self.at += length;
        self.line_breaks += taken.matches('\n').count();
        taken
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'s str {
        let rest = self.rest();
        self.take(rest.find(|c| !belongs(c)).unwrap_or(rest.len()))
    }

    fn skip_space(&mut self) {
        self.take_while(char::is_whitespace);
    }

    fn token(&mut self) -> Result<Kind, Fault> {
        let Some(first) = self.rest().chars().next() else {
            return Err(self.fault("the template ends inside a tag"));
        };
        match first {
            '"' | '\'' => self.text(first),
            '0'..='9' => self.number(),
            first if first.is_ascii_alphabetic() || first == '_' => {
                let name = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
                if name.starts_with("py__") {
                    return Err(self.fault("names beginning with py__ are reserved"));
                }
                Ok(Kind::Name(name.to_owned()))
            }
            first => {
                let found = OPERATORS.iter().chain(&["<"]).find(|op| self.rest().starts_with(**op));
                let operator = *found.ok_or_else(|| {
                    self.fault(format!("unexpected character '{}'", first.escape_debug()))
                })?;
                self.take(operator.len());
                Ok(Kind::Operator(operator))
            }
        }
    }

    fn text(&mut self, quote: char) -> Result<Kind, Fault> {
        let mut is_escaped = false;
        let body = &self.rest()[1..];
        let end = body.find(|c| {
            let is_end = c == quote && !is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            is_end
        });
        let end = end.ok_or_else(|| self.fault("a string is not closed"))?;
        let text = unescape(&body[..end]).map_err(|reason| self.fault(reason))?;
        self.take(end + 2);
        Ok(Kind::Text(text))
    }

    /// `1_000`, `0xff`, `2.5`, `1e-7`.
    fn number(&mut self) -> Result<Kind, Fault> {
        let digits = |radix: u32| move |c: char| c.is_digit(radix) || c == '_';
        let lower = self.rest().get(..2).unwrap_or_default().to_ascii_lowercase();
        let radix = match lower.as_str() {
            "0x" => 16,
            "0o" => 8,
            "0b" => 2,
            _ => 10,
        };
        if radix != 10 {
            self.take(2);
            return self.integer(radix);
        }
        let start = self.at;
        self.take_while(digits(10));
        let follows_dot = self.source[..start].ends_with('.');
        let mut is_float = false;
        let fraction = self.rest().strip_prefix('.').filter(|_| !follows_dot);
        if fraction.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
            is_float = true;
            self.take(1);
            self.take_while(digits(10));
        }
        let exponent = self.rest().strip_prefix(['e', 'E']).map(|rest| {
            let unsigned = rest.strip_prefix(['+', '-']).unwrap_or(rest);
            (1 + rest.len() - unsigned.len(), unsigned)
        });
        if let Some((length, rest)) = exponent
            && rest.starts_with(|c: char| c.is_ascii_digit())
        {
            is_float = true;
            self.take(length);
            self.take_while(digits(10));
        }
        if is_float {
            return Ok(Kind::Number(self.source[start..self.at].replace('_', "")));
        }
        self.at = start;
        self.integer(10)
    }

    fn integer(&mut self, radix: u32) -> Result<Kind, Fault> {
        let digits = self.take_while(|c| c.is_digit(radix) || c == '_').replace('_', "");
        if radix == 10
            && digits.len() > 1
            && digits.starts_with('0')
            && digits.contains(|c| c != '0')
        {
            return Err(self.fault("a number does not begin with zero"));
        }
        match i128::from_str_radix(&digits, radix) {
            Ok(number) => Ok(Kind::Number(number.to_string())),
            Err(_) => Err(self.fault("the number is malformed or too large")),
        }
    }
}

/// Resolves the escapes of a Python string; unknown ones stay as they are.
fn unescape(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match rest.next() {
            None => out.push('\\'),
            Some('\n') => {}
            Some(c @ ('\\' | '\'' | '"')) => out.push(c),
            Some('a') => out.push('\u{7}'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('v') => out.push('\u{b}'),
            Some('x') => out.push(numbered(&mut rest, 2)?),
            Some('u') => out.push(numbered(&mut rest, 4)?),
            Some('U') => out.push(numbered(&mut rest, 8)?),
            Some(first @ '0'..='7') => {
                let mut code = first.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    let Some(digit) = rest.clone().next().and_then(|c| c.to_digit(8)) else {
                        break;
                    };
                    code = code * 8 + digit;
                    rest.next();
                }
                out.push(char::from_u32(code).unwrap_or('\u{fffd}'));
            }
            Some(c) => out.extend(['\\', c]),
        }
    }
    Ok(out)
}

fn numbered(rest: &mut std::str::Chars<'_>, length: usize) -> Result<char, String> {
    let digits: String = rest.by_ref().take(length).collect();
    let is_whole = digits.len() == length && digits.chars().all(|c| c.is_ascii_hexdigit());
    let code = u32::from_str_radix(&digits, 16).ok().filter(|_| is_whole);
    let code = code.ok_or_else(|| format!("'{digits}' is no character code"))?;
    // Halves of a surrogate pair, which Python allows in a string, cannot be printed there either.
    char::from_u32(code).ok_or_else(|| format!("'{digits}' is no character"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(source: &str) -> Vec<Kind> {
        read(source, 0, "%}").unwrap().tokens.into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn numbers_are_normalised() {
        let number = |text: &str| Kind::Number(text.to_owned());
        assert_eq!(
            kinds("1_000 0xFF 2.50 1e-7 1E5 %}"),
            ["1000", "255", "2.50", "1e-7", "1E5"].map(number)
        );
        assert!(read("007 %}", 0, "%}").is_err());
    }

    #[test]
    fn escapes_are_resolved() {
        let text = |text: &str| Kind::Text(text.to_owned());
        assert_eq!(kinds(r#"'a\'b' "\n\x41\u00e9\d\\" %}"#), [text("a'b"), text("\nA\u{e9}\\d\\")]);
        assert!(read(r"'\u12' %}", 0, "%}").is_err());
    }

    #[test]
    fn the_end_is_found_outside_of_braces_and_strings() {
        let tag = read("{'a': '}}'} -}} rest", 0, "}}").unwrap();
        assert_eq!((tag.tokens.len(), tag.mark, tag.end), (5, "-", 15));
        assert!(read("'never closed", 0, "}}").is_err());
    }
}
