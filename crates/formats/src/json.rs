//! Steps through JSON without building anything: the headers of safetensors are hostile too.
//!
//! A tree of values can take twenty times the memory of its text. Here a caller says what it
//! expects, and gets views of the text. Only strings with escapes have to be built.

use std::borrow::Cow;

use crate::error::{Error, Reason};
use crate::limits;

/// A position in a JSON text.
#[derive(Clone, Copy)]
pub(crate) struct Json<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the bytes begin in their file, for messages.
    base: usize,
}

/// What lies between the quotes of a string, with its escapes still in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw<'a> {
    pub(crate) text: &'a str,
}

impl<'a> Json<'a> {
    /// A reader of `bytes`, which begin at `base` in their file.
    pub(crate) fn new(bytes: &'a [u8], base: usize) -> Json<'a> {
        Json { bytes, at: 0, base }
    }

    /// A reader that starts at byte `at`.
    pub(crate) fn starting(bytes: &'a [u8], at: usize) -> Json<'a> {
        Json { bytes, at, base: 0 }
    }

    /// The place in the bytes, without the base.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn fail(&self, reason: Reason) -> Error {
        Error::at(self.base + self.at, reason)
    }

    fn expected(&self, expected: &'static str) -> Error {
        self.fail(Reason::Json { expected })
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The next byte that is not white space, without taking it.
    fn peek(&mut self) -> Option<u8> {
        let blank = |byte: &&u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
        self.at += self.rest().iter().take_while(blank).count();
        self.rest().first().copied()
    }

    fn accept(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn demand(&mut self, byte: u8, expected: &'static str) -> Result<(), Error> {
        if self.accept(byte) { Ok(()) } else { Err(self.expected(expected)) }
    }

    /// Nothing but white space may follow.
    pub(crate) fn end(&mut self) -> Result<(), Error> {
        if self.peek().is_none() { Ok(()) } else { Err(self.expected("the end")) }
    }

    /// An object; `field` gets each name and must take the value.
    pub(crate) fn object(
        &mut self,
        mut field: impl FnMut(&mut Json<'a>, Raw<'a>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.demand(b'{', "an object")?;
        if self.accept(b'}') {
            return Ok(());
        }
        loop {
            let name = self.string()?;
            self.demand(b':', "a colon")?;
            field(self, name)?;
            if !self.accept(b',') {
                return self.demand(b'}', "a comma or the end of the object");
            }
        }
    }

    /// The next name and text of an object of texts, for one that has been checked already.
    pub(crate) fn next_pair(&mut self) -> Option<(Raw<'a>, Raw<'a>)> {
        if !self.accept(b'{') && !self.accept(b',') {
            return None;
        }
        let name = self.string().ok()?;
        self.demand(b':', "a colon").ok()?;
        Some((name, self.string().ok()?))
    }

    /// An array; `element` must take one value each time.
    pub(crate) fn array(
        &mut self,
        mut element: impl FnMut(&mut Json<'a>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.demand(b'[', "an array")?;
        if self.accept(b']') {
            return Ok(());
        }
        loop {
            element(self)?;
            if !self.accept(b',') {
                return self.demand(b']', "a comma or the end of the array");
            }
        }
    }

    /// A whole number that is not negative.
    pub(crate) fn u64(&mut self) -> Result<u64, Error> {
        self.peek();
        let digits = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, follows) = self.rest().split_at(digits);
        let leads = digits.len() > 1 && digits[0] == b'0';
        let whole = !leads && !matches!(follows, [b'.' | b'e' | b'E', ..]);
        let number = str::from_utf8(digits).ok().filter(|_| whole);
        let number = number.and_then(|text| text.parse().ok());
        let number = number.ok_or_else(|| self.expected("a whole number below 2^64"))?;
        self.at += digits.len();
        Ok(number)
    }

    /// A string, checked but not decoded.
    pub(crate) fn string(&mut self) -> Result<Raw<'a>, Error> {
        self.demand(b'"', "a string")?;
        let start = self.at;
        loop {
            let plain = |byte: &&u8| !matches!(byte, b'"' | b'\\' | 0..=0x1f);
            self.at += self.rest().iter().take_while(plain).count();
            match self.rest() {
                [b'"', ..] => break,
                [b'\\', ..] => self.escape().map(drop)?,
                _ => return Err(self.expected("the end of the string")),
            }
        }
        let text = str::from_utf8(&self.bytes[start..self.at]);
        let text = text.map_err(|_| self.fail(Reason::NotUtf8 { what: "a string" }))?;
        self.at += 1;
        Ok(Raw { text })
    }

    /// One escape, which may be the two halves of a surrogate pair.
    fn escape(&mut self) -> Result<char, Error> {
        let expected = "a valid escape";
        let decoded = match self.rest().get(1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode().ok_or_else(|| self.expected(expected)),
            _ => return Err(self.expected(expected)),
        };
        self.at += 2;
        Ok(decoded)
    }

    fn unicode(&mut self) -> Option<char> {
        let mut units = [code_unit(self.rest())?, 0];
        let mut length = 1;
        if let Some(second) = self.rest().get(6..).and_then(code_unit) {
            // Of two escapes in a row, the second counts only when it completes a pair.
            units[1] = second;
            length += usize::from((0xd800..0xdc00).contains(&units[0]));
        }
        let decoded = char::decode_utf16(units[..length].iter().copied()).next()?.ok()?;
        self.at += 6 * length;
        Some(decoded)
    }

    /// Steps over a value of any type.
    pub(crate) fn skip(&mut self) -> Result<(), Error> {
        self.skip_nested(0)
    }

    fn skip_nested(&mut self, depth: usize) -> Result<(), Error> {
        if depth > limits::JSON_DEPTH {
            return Err(self.fail(Reason::TooDeep { limit: limits::JSON_DEPTH }));
        }
        match self.peek() {
            Some(b'{') => self.object(|json, _| json.skip_nested(depth + 1)),
            Some(b'[') => self.array(|json| json.skip_nested(depth + 1)),
            Some(b'"') => self.string().map(drop),
            _ => self.skip_word(),
        }
    }

    /// A number, `true`, `false` or `null`.
    fn skip_word(&mut self) -> Result<(), Error> {
        let inside = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let length = self.rest().iter().take_while(inside).count();
        let word = str::from_utf8(&self.rest()[..length]).unwrap_or_default();
        // Rust reads all of JSON's numbers; what it reads besides does not begin with a digit.
        let unsigned = word.strip_prefix('-').unwrap_or(word);
        let number = unsigned.starts_with(|first: char| first.is_ascii_digit());
        let number = number && word.parse::<f64>().is_ok();
        if !matches!(word, "true" | "false" | "null") && !number {
            return Err(self.expected("a value"));
        }
        self.at += length;
        Ok(())
    }
}

/// The sixteen bits of `\uXXXX`.
fn code_unit(bytes: &[u8]) -> Option<u16> {
    let [b'\\', b'u', digits @ ..] = bytes.get(..6)? else {
        return None;
    };
    let value = |sum: u16, &digit: &u8| Some(sum << 4 | char::from(digit).to_digit(16)? as u16);
    digits.iter().try_fold(0, value)
}

impl<'a> Raw<'a> {
    /// The characters, with escapes decoded on the way.
    pub(crate) fn chars(self) -> impl Iterator<Item = char> + use<'a> {
        let mut json = Json::new(self.text.as_bytes(), 0);
        std::iter::from_fn(move || {
            if json.rest().first() == Some(&b'\\') {
                return json.escape().ok();
            }
            let next = self.text[json.at..].chars().next()?;
            json.at += next.len_utf8();
            Some(next)
        })
    }

    /// The text itself where nothing is escaped, and a decoded copy otherwise.
    pub(crate) fn decoded(self) -> Cow<'a, str> {
        if !self.text.contains('\\') {
            return Cow::Borrowed(self.text);
        }
        // A character is never longer than its escape, so this never grows.
        let mut decoded = String::with_capacity(self.text.len());
        decoded.extend(self.chars());
        Cow::Owned(decoded)
    }

    pub(crate) fn is(self, text: &str) -> bool {
        self.chars().eq(text.chars())
    }
}

#[cfg(test)]
mod tests;
