//! A page cut into text and tags. What no reader sees is left out.

/// Elements of which everything is left out up to their end.
const UNSEEN: [&str; 8] =
    ["script", "style", "title", "noscript", "template", "svg", "iframe", "object"];

/// A piece of a page. Text still has its entities.
#[derive(Debug, PartialEq)]
pub(super) enum Token<'a> {
    Text(&'a str),
    Open(&'a str),
    Close(&'a str),
}

/// Gives each token with the line on which it begins.
pub(super) struct Tokens<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn of(source: &'a str) -> Tokens<'a> {
        Tokens { rest: source, line: 1 }
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.line += taken.bytes().filter(|byte| *byte == b'\n').count();
        self.rest = rest;
        taken
    }

    /// A tag whose name begins at `start`.
    fn tag(&mut self, start: usize) -> (&'a str, bool) {
        let length = length_of_tag(self.rest.as_bytes(), start);
        let tag = self.take(length);
        let is_end = |c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>');
        let name = tag[start..].split(is_end).next().unwrap_or_default();
        (name, tag.ends_with("/>"))
    }

    fn skip_unseen(&mut self, name: &str) {
        let length = before_close(self.rest, name);
        self.take(length);
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = (Token<'a>, usize);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = self.line;
            let token = match self.rest.as_bytes() {
                [] => return None,
                [b'<', b'!', b'-', b'-', ..] => {
                    // `<!-->` is a whole comment.
                    self.take(end_of(self.rest, 2, "-->"));
                    continue;
                }
                [b'<', b'/', first, ..] if first.is_ascii_alphabetic() => {
                    Token::Close(self.tag(2).0)
                }
                [b'<', b'!' | b'?' | b'/', ..] => {
                    self.take(end_of(self.rest, 1, ">"));
                    continue;
                }
                [b'<', first, ..] if first.is_ascii_alphabetic() => {
                    let (name, is_closed) = self.tag(1);
                    if !is_closed && UNSEEN.iter().any(|one| one.eq_ignore_ascii_case(name)) {
                        self.skip_unseen(name);
                        continue;
                    }
                    Token::Open(name)
                }
                // A `<` that begins nothing is text.
                _ => {
                    let own = usize::from(self.rest.starts_with('<'));
                    let next = self.rest[own..].find('<').map_or(self.rest.len(), |at| own + at);
                    Token::Text(self.take(next))
                }
            };
            return Some((token, line));
        }
    }
}

/// Where `mark`, looked for from `from` on, ends; the end of the text when it is not there.
fn end_of(text: &str, from: usize, mark: &str) -> usize {
    text[from..].find(mark).map_or(text.len(), |at| from + at + mark.len())
}

/// The bytes of a tag with its `>`, which may also stand in quoted values.
fn length_of_tag(bytes: &[u8], start: usize) -> usize {
    let mut quote = None;
    let mut is_value_next = false;
    for (at, byte) in bytes.iter().enumerate().skip(start) {
        match (quote, byte) {
            (Some(open), byte) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'>') => return at + 1,
            (None, b'"' | b'\'') if is_value_next => quote = Some(byte),
            (None, byte) if byte.is_ascii_whitespace() => continue,
            (None, _) => {}
        }
        is_value_next = quote.is_none() && *byte == b'=';
    }
    bytes.len()
}

/// The bytes before the closing tag of that name, or all of them.
fn before_close(text: &str, name: &str) -> usize {
    let bytes = text.as_bytes();
    let closes = |at: usize| {
        let after = at + 2 + name.len();
        let is_name = bytes
            .get(at + 2..after)
            .is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()));
        let is_whole = bytes.get(after).is_none_or(|byte| !byte.is_ascii_alphanumeric());
        is_name && is_whole
    };
    let mut places = text.match_indices("</").map(|(at, _)| at);
    places.find(|at| closes(*at)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::Token::{Close, Open, Text};
    use super::*;

    fn tokens(source: &str) -> Vec<(Token<'_>, usize)> {
        Tokens::of(source).collect()
    }

    #[test]
    fn tags_texts_and_lines() {
        let page = "<!DOCTYPE html>\n<p class='a>b'\nid=x>1 < 2\n<BR/></p\n>end";
        let found = tokens(page);
        let expected = [
            (Text("\n"), 1),
            (Open("p"), 2),
            (Text("1 "), 3),
            (Text("< 2\n"), 3),
            (Open("BR"), 4),
            (Close("p"), 4),
            (Text("end"), 5),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_no_reader_sees_is_left_out() {
        let page = "a<!-- <p>\n-->b<script>if (1 < 2) '</p>'\n</SCRIPT >c<style></style>d\
                    <svg/>e<title>T</titles></title>f<!-->g</>h<? x ?>i";
        let text: String = tokens(page)
            .into_iter()
            .filter_map(|(token, _)| if let Text(text) = token { Some(text) } else { None })
            .collect();
        assert_eq!(text, "abcdefghi");
        assert_eq!(tokens(page).last(), Some(&(Text("i"), 3)));
    }

    #[test]
    fn what_is_never_closed_goes_to_the_end() {
        for page in ["a<!-- b", "a<p b", "a<script>b</scrip", "a<p b=\"c>d", "a<!", "a</p", "a<?b"]
        {
            assert_eq!(tokens(page)[0], (Text("a"), 1), "{page}");
            assert!(!tokens(page)[1..].iter().any(|(token, _)| matches!(token, Text(_))), "{page}");
        }
        assert_eq!(tokens("a<"), [(Text("a"), 1), (Text("<"), 1)]);
    }
}
