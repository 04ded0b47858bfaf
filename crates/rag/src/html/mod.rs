//! The text of an HTML page, with the lines of its source.
//!
//! Tolerant as browsers are: nothing is an error, and what is never closed goes to the end of the
//! page. Takes one pass over the page, whatever is in it.

mod entities_table;
mod entity;
mod lines;
mod tokens;

use crate::numbered::Numbered;
use lines::Lines;
use tokens::{Token, Tokens};

/// Headings and items of lists begin as they do in Markdown, a row of a table is one line.
pub(crate) fn text_of(source: &str) -> Numbered {
    let mut lines = Lines::default();
    for (token, line) in Tokens::of(source) {
        match token {
            Token::Text(text) => lines.text(text, line),
            Token::Open(name) => lines.open(&name.to_ascii_lowercase()),
            Token::Close(name) => lines.close(&name.to_ascii_lowercase()),
        }
    }
    lines.finish()
}

#[cfg(test)]
mod tests;
