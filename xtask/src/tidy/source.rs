//! A light reading of Rust source: which bytes are code, which are comments, which are strings.
//!
//! Not a parser. It understands nested comments, raw strings, character literals and lifetimes well
//! enough that a brace or a word found in `code` is a brace or a word of the program. Line numbers
//! start at 1. What the code means is for the checks to say.

use std::ops::Range;

/// A file of Rust, taken apart.
pub struct Source {
    /// The text with comments and the insides of literals blanked out, of the same length in bytes.
    pub code: String,
    /// The contents of string literals, as written.
    pub strings: Vec<Piece>,
    /// Comments with their markers, block comments as one piece.
    pub comments: Vec<Piece>,
    line_starts: Vec<usize>,
}

/// A string or a comment: where it begins and what it says.
pub struct Piece {
    pub at: usize,
    pub text: String,
}

impl Source {
    pub fn new(text: &str) -> Source {
        let mut scanner = Scanner {
            text,
            at: 0,
            code: text.as_bytes().to_vec(),
            strings: Vec::new(),
            comments: Vec::new(),
        };
        scanner.run();
        // Blanks replace whole characters, so what is left is as valid as the text was.
        let code = String::from_utf8_lossy(&scanner.code).into_owned();
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = std::iter::once(0).chain(newlines.map(|(at, _)| at + 1)).collect();
        Source { code, strings: scanner.strings, comments: scanner.comments, line_starts }
    }

    /// The line of a byte offset.
    pub fn line(&self, at: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= at)
    }

    /// Where a word begins, each time it stands alone in the code.
    pub fn words<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        let code = self.code.as_bytes();
        self.code.match_indices(word).map(|(at, _)| at).filter(move |at| {
            let before = at.checked_sub(1).map_or(b' ', |before| code[before]);
            let after = code.get(at + word.len()).copied().unwrap_or(b' ');
            !is_name_byte(before) && !is_name_byte(after)
        })
    }

    /// The bytes of items, mostly modules, that exist for tests only.
    pub fn test_regions(&self) -> Vec<Range<usize>> {
        let starts = self.code.match_indices("#[cfg(test)]").map(|(at, _)| at);
        starts.filter_map(|at| Some(at..self.test_item_end(at)?)).collect()
    }

    fn test_item_end(&self, attribute: usize) -> Option<usize> {
        let open = attribute + self.code[attribute..].find(['{', ';'])?;
        if self.code.as_bytes()[open] == b';' { None } else { self.closing(open) }
    }

    /// The bracket that closes the one at `open`.
    pub fn closing(&self, open: usize) -> Option<usize> {
        let mut depth = 0;
        for (at, byte) in self.code.bytes().enumerate().skip(open) {
            match byte {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(at);
            }
        }
        None
    }

    /// Every function that has a name.
    pub fn functions(&self) -> Vec<Function> {
        self.words("fn").filter_map(|at| self.function(at)).collect()
    }

    fn function(&self, at: usize) -> Option<Function> {
        let rest = &self.code[at + 2..];
        let name_at = at + 2 + (rest.len() - rest.trim_start().len());
        let name: String =
            self.code[name_at..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if name.is_empty() {
            return None;
        }
        let open = self.skip_generics(name_at + name.len())?;
        let close = self.closing(open)?;
        let arguments = count_arguments(&self.code[open + 1..close]);
        let end = self.body_end(close + 1)?;
        Some(Function { name, arguments, lines: self.line(at)..self.line(end) + 1 })
    }

    /// From the end of a function's name to the bracket that opens its arguments.
    fn skip_generics(&self, from: usize) -> Option<usize> {
        let code = self.code.as_bytes();
        let mut depth = 0;
        for at in from..code.len() {
            match code[at] {
                b'<' => depth += 1,
                b'>' if code[at - 1] != b'-' => depth -= 1,
                b'(' if depth == 0 => return Some(at),
                _ => {}
            }
        }
        None
    }

    /// The end of a body, or of a declaration that has none.
    fn body_end(&self, from: usize) -> Option<usize> {
        let code = self.code.as_bytes();
        let mut at = from;
        loop {
            match code.get(at)? {
                b';' => return Some(at),
                b'{' => return self.closing(at),
                b'(' | b'[' => at = self.closing(at)? + 1,
                _ => at += 1,
            }
        }
    }
}

/// A function with its size.
pub struct Function {
    pub name: String,
    /// Without `self`.
    pub arguments: usize,
    pub lines: Range<usize>,
}

/// Counts what lies between top-level commas, `self` aside.
fn count_arguments(list: &str) -> usize {
    let mut depth = 0;
    let mut pieces = vec![String::new()];
    let mut before = ' ';
    for c in list.chars() {
        match c {
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            '>' if before != '-' && before != '=' => depth -= 1,
            _ => {}
        }
        before = c;
        match pieces.last_mut() {
            Some(piece) if c != ',' || depth > 0 => piece.push(c),
            _ => pieces.push(String::new()),
        }
    }
    let is_self = |piece: &str| {
        let pattern = piece.split(':').next().unwrap_or_default();
        pattern.rsplit(|c: char| !c.is_alphanumeric() && c != '_').find(|word| !word.is_empty())
            == Some("self")
    };
    pieces.iter().filter(|piece| !piece.trim().is_empty() && !is_self(piece)).count()
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    code: Vec<u8>,
    strings: Vec<Piece>,
    comments: Vec<Piece>,
}

impl Scanner<'_> {
    fn run(&mut self) {
        while let Some(byte) = self.byte(0) {
            match byte {
                b'/' if self.byte(1) == Some(b'/') => self.line_comment(),
                b'/' if self.byte(1) == Some(b'*') => self.block_comment(),
                b'"' => self.string(),
                b'\'' => self.character_or_lifetime(),
                _ if is_name_byte(byte) => self.name(),
                _ => self.at += 1,
            }
        }
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    fn blank(&mut self, range: Range<usize>) {
        for byte in self.code[range].iter_mut().filter(|byte| **byte != b'\n') {
            *byte = b' ';
        }
    }

    fn line_comment(&mut self) {
        let rest = &self.text[self.at..];
        let end = self.at + rest.find('\n').unwrap_or(rest.len());
        self.comment(end);
    }

    fn block_comment(&mut self) {
        let start = self.at;
        let mut depth = 0;
        while self.at < self.text.len() {
            match (self.byte(0), self.byte(1)) {
                (Some(b'/'), Some(b'*')) => (depth, self.at) = (depth + 1, self.at + 2),
                (Some(b'*'), Some(b'/')) => (depth, self.at) = (depth - 1, self.at + 2),
                _ => self.at += 1,
            }
            if depth == 0 {
                break;
            }
        }
        let end = self.at;
        self.at = start;
        self.comment(end);
    }

    fn comment(&mut self, end: usize) {
        self.comments.push(Piece { at: self.at, text: self.text[self.at..end].to_owned() });
        self.blank(self.at..end);
        self.at = end;
    }

    /// A name or a number; or the prefix of a literal, as in `br#"…"#`.
    fn name(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        let length = rest.iter().take_while(|byte| is_name_byte(**byte)).count();
        let is_raw = matches!(&rest[..length], b"r" | b"br" | b"cr");
        let hashes = rest[length..].iter().take_while(|byte| **byte == b'#').count();
        self.at += length;
        if is_raw && rest.get(length + hashes) == Some(&b'"') {
            self.raw_string(hashes);
        }
    }

    fn raw_string(&mut self, hashes: usize) {
        let start = self.at + hashes + 1;
        let ending = format!("\"{}", "#".repeat(hashes));
        let end = self.text[start..].find(&ending).map_or(self.text.len(), |found| start + found);
        self.literal(start..end);
        self.at = (end + ending.len()).min(self.text.len());
    }

    fn string(&mut self) {
        let start = self.at + 1;
        let mut end = start;
        let bytes = self.text.as_bytes();
        while end < bytes.len() && bytes[end] != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        let end = end.min(bytes.len());
        self.literal(start..end);
        self.at = (end + 1).min(bytes.len());
    }

    fn literal(&mut self, inside: Range<usize>) {
        let text = self.text.get(inside.clone()).unwrap_or_default().to_owned();
        self.strings.push(Piece { at: inside.start, text });
        self.blank(inside);
    }

    fn character_or_lifetime(&mut self) {
        let mut rest = self.text[self.at + 1..].chars();
        let length = match (rest.next(), rest.next()) {
            (Some('\\'), Some(escaped)) => {
                let after = 2 + escaped.len_utf8();
                let tail = &self.text[self.at + after..];
                tail.find('\'').map_or(1, |found| after + found + 1)
            }
            (Some(c), Some('\'')) => 2 + c.len_utf8(),
            _ => 1,
        };
        if length > 1 {
            self.blank(self.at..self.at + length);
        }
        self.at += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        let source = Source::new(text);
        assert_eq!(source.code.len(), text.len(), "{text}");
        source.code.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_leave_no_code() {
        assert_eq!(code("a // { fn\nb"), "a b");
        assert_eq!(code("a /* { /* nested */ } */ b"), "a b");
        assert_eq!(code("a / b * c"), "a / b * c");
        assert_eq!(Source::new("x; /// says\n").comments[0].text, "/// says");
    }

    #[test]
    fn literals_leave_only_their_quotes() {
        assert_eq!(code(r#"a("{ // \" }") b"#), "a(\" \") b");
        assert_eq!(code("r#\"{ \" }\"# b"), "r#\" \"# b");
        assert_eq!(code("br##\"\"#\"## b"), "br##\" \"## b");
        assert_eq!(code("b\"{\" c\"}\" d"), "b\" \" c\" \" d");
        assert_eq!(code("r#fn + var"), "r#fn + var");
        assert_eq!(Source::new(r#"golden("a/{b}")"#).strings[0].text, "a/{b}");
    }

    #[test]
    fn characters_are_not_lifetimes() {
        assert_eq!(code("'{' '\\'' '\\u{7d}' '→' b'}' x"), "b x");
        assert_eq!(code("fn f<'a>(x: &'a str) {}"), "fn f<'a>(x: &'a str) {}");
        assert_eq!(code("'outer: loop { break 'outer; }"), "'outer: loop { break 'outer; }");
    }

    #[test]
    fn unfinished_text_does_not_panic() {
        for text in ["\"open", "\"open\\", "/* open", "r#\"open", "'", "'\\", "fn", "fn f(", "'→"]
        {
            let _ = Source::new(text).functions();
        }
    }

    #[test]
    fn lines_and_words() {
        let source = Source::new("one\ntwo unsafe_code\nunsafe {}\n");
        assert_eq!(source.words("unsafe").map(|at| source.line(at)).collect::<Vec<_>>(), [3]);
        assert_eq!((source.line(0), source.line(4)), (1, 2));
    }

    #[test]
    fn functions_are_measured() {
        let text = "impl X {\n  pub fn long<F: Fn(u8) -> u8, const N: usize>(\n    \
                    &'a mut self,\n    f: F,\n    [a, b]: [u8; N],\n    \
                    map: Map<K, V>,\n  ) -> [u8; 4] {\n    \
                    inner(|x, y| x)\n  }\n}\ntype P = fn(u8, u8);\nfn bare(self: Box<Self>);\n";
        let functions = Source::new(text).functions();
        let found: Vec<_> =
            functions.iter().map(|f| (f.name.as_str(), f.arguments, f.lines.clone())).collect();
        assert_eq!(found, [("long", 3, 2..10), ("bare", 0, 12..13)]);
    }

    #[test]
    fn test_modules_are_found() {
        let text =
            "#[cfg(test)]\nmod tests;\nfn a() {}\n#[cfg(test)]\nmod tests {\n x }\nfn b() {}";
        let source = Source::new(text);
        let regions = source.test_regions();
        assert_eq!(regions.len(), 1);
        assert_eq!(source.line(regions[0].start)..source.line(regions[0].end), 4..6);
    }
}
