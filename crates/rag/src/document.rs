//! A document: plain text, and for each part of it the line of the file from which it comes.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use crate::decode::decode;
use crate::error::Error;
use crate::html;
use crate::numbered::Numbered;
use crate::passages::{self, Passage};

/// A file or text may have as many bytes: several times the longest books.
pub const MOST_BYTES: usize = 64 << 20;

/// How the text of a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// As it is read.
    Text,
    /// With headings, lists and fences that are kept as they stand.
    Markdown,
    /// Of which only the text is kept.
    Html,
}

impl Kind {
    /// The kind that the ending of a file's name stands for.
    #[must_use]
    pub fn of(path: &Path) -> Kind {
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        match ending.as_str() {
            "md" | "markdown" => Kind::Markdown,
            "html" | "htm" | "xhtml" => Kind::Html,
            _ => Kind::Text,
        }
    }
}

/// A text with a name, and where each part of it stood.
#[derive(Debug, Clone)]
pub struct Document {
    pub(crate) name: Arc<str>,
    pub(crate) kind: Kind,
    pub(crate) body: Numbered,
}

impl Document {
    /// Reads a file. Its path as it is given becomes the name under which it is cited.
    ///
    /// # Errors
    /// When the file cannot be read, is too large, or is not text.
    pub fn read(path: &Path) -> Result<Document, Error> {
        let file = path.display().to_string();
        let bytes = match read_bounded(path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Err(Error::TooLarge { file }),
            Err(reason) => return Err(Error::Unreadable { file, reason }),
        };
        match decode(&bytes) {
            Ok(text) => Ok(Document::of(&file, Kind::of(path), &text)),
            Err(looks) => Err(Error::NotText { file, looks }),
        }
    }

    /// Makes a document of a text that is not in a file.
    ///
    /// # Errors
    /// When the text is too large.
    pub fn parse(name: &str, kind: Kind, text: &str) -> Result<Document, Error> {
        if text.len() > MOST_BYTES {
            return Err(Error::TooLarge { file: name.to_owned() });
        }
        Ok(Document::of(name, kind, text))
    }

    fn of(name: &str, kind: Kind, text: &str) -> Document {
        let body = match kind {
            Kind::Text | Kind::Markdown => lines_of(text),
            Kind::Html => html::text_of(text),
        };
        Document { name: name.into(), kind, body }
    }

    /// The name under which it is cited.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its text, without markup if it was HTML. Lines have nothing blank at their ends, and blank
    /// lines stand alone.
    #[must_use]
    pub fn text(&self) -> &str {
        self.body.text()
    }

    /// Cuts the document into passages of at most `most_words` words, in the order of the text.
    /// Less than eight is as eight.
    #[must_use]
    pub fn passages(&self, most_words: usize) -> Vec<Passage> {
        passages::cut(self, most_words)
    }
}

/// `None` when there is more than may be.
fn read_bounded(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= MOST_BYTES).then_some(bytes))
}

fn lines_of(text: &str) -> Numbered {
    let mut body = Numbered::default();
    let mut gap = "";
    for (index, line) in text.split('\n').enumerate() {
        let line = line.trim_end();
        if !line.is_empty() {
            body.push_gap(gap);
            body.push(line, index + 1);
            gap = "\n";
        } else if !gap.is_empty() {
            gap = "\n\n";
        }
    }
    body
}

/// Reads any bytes as a document of each kind, for the fuzzer: whatever is quoted from a passage
/// can be cited, by a line that is not behind it.
#[doc(hidden)]
pub fn probe(data: &[u8]) {
    let Ok(text) = decode(data) else { return };
    for kind in [Kind::Text, Kind::Markdown, Kind::Html] {
        for passage in Document::of("a", kind, &text).passages(data.len() % 40) {
            let words: Vec<&str> = passage.text().split_whitespace().collect();
            for quoted in words.windows(3).take(25).chain(words.windows(1).take(50)) {
                let quote = quoted.join(" ");
                let cited = passage.cite(&quote, "what is it");
                let last = *passage.lines().end();
                assert!(cited.is_some_and(|at| at.line <= last), "{quote:?} of {passage:?}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Beginnings for the fuzzer, and everything that it has found.
    #[test]
    fn seeds_run() {
        let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/document");
        let seeds: Vec<_> = std::fs::read_dir(corpus).unwrap().map(Result::unwrap).collect();
        assert!(seeds.len() > 3);
        seeds.iter().for_each(|seed| probe(&std::fs::read(seed.path()).unwrap()));
    }

    #[test]
    fn lines_are_those_of_the_file_whatever_ends_them() {
        for text in ["\n\none \n\n\n\ntwo\nthree\n", "\r\n\r\none\r\n\r\n\r\n\r\ntwo\r\nthree\r\n"]
        {
            let document = Document::parse("a.txt", Kind::Text, text).unwrap();
            assert_eq!(document.text(), "one\n\ntwo\nthree");
            assert_eq!([0, 5, 9].map(|at| document.body.line_at(at)), [3, 7, 8]);
        }
    }

    #[test]
    fn kinds_go_by_the_ending() {
        let kinds = ["a.txt", "A.MD", "b.markdown", "c.HTM", "d.html", "README", "e.csv"];
        let kinds = kinds.map(|name| Kind::of(Path::new(name)));
        use Kind::{Html, Markdown, Text};
        assert_eq!(kinds, [Text, Markdown, Markdown, Html, Html, Text, Text]);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let missing = Document::read(Path::new("no/such/file.txt")).unwrap_err();
        assert!(missing.to_string().starts_with("no/such/file.txt: "), "{missing}");
        let large = " ".repeat(MOST_BYTES + 1);
        let large = Document::parse("large.txt", Kind::Text, &large).unwrap_err();
        assert_eq!(large.to_string(), "large.txt: more than 64 MiB; split it into smaller files");
    }

    #[test]
    fn files_are_read_and_others_refused() {
        let folder = std::env::temp_dir().join(format!("rag-document-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (page, picture) = (folder.join("page.html"), folder.join("picture.png"));
        std::fs::write(&page, b"<p>Gr\xfc\xdfe").unwrap();
        std::fs::write(&picture, b"\x89PNG\r\n\x1a\n\0\0").unwrap();
        let read = Document::read(&page).unwrap();
        let refused = Document::read(&picture).unwrap_err().to_string();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!((read.text(), read.name()), ("Grüße", &*page.display().to_string()));
        assert!(refused.ends_with("not text but a binary file; save it as text, Markdown or HTML"));
    }
}
