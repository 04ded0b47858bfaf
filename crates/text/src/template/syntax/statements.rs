//! Tags: where they begin and end, what they open and close, and how each is rewritten.

use super::expression::Parser;
use super::heads::{Begun, call_head, filter_head, for_loop, macro_head, set, with_head};
use super::operand::quoted;
use super::tokens::{self, Mark, Tag};
use super::{Fault, Place, line_breaks};

/// Statements nested deeper than this are refused, each `elif` counting as one level, because the
/// engine's parser and code generator recurse over them.
const MAX_NESTING: usize = 60;

/// What the engine keeps of a macro until the rendering ends, each time one is defined.
const MACRO_BYTES: usize = 512;
/// It keeps the variables that the body mentions, too; this much for each byte of the body.
const CAPTURE_BYTES: usize = 16;

/// A statement that has an end tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    If,
    For,
    Macro,
    Call,
    Filter,
    Set,
    /// `{% set namespace.name %}…`, whose text goes into a variable of ours first.
    SetAttribute,
    With,
    Generation,
}

impl Block {
    fn end(self) -> &'static str {
        match self {
            Block::If => "endif",
            Block::For => "endfor",
            Block::Macro => "endmacro",
            Block::Call => "endcall",
            Block::Filter => "endfilter",
            Block::Set | Block::SetAttribute => "endset",
            Block::With => "endwith",
            Block::Generation => "endgeneration",
        }
    }

    /// Whether the body may run more than once, or at a time of its own.
    fn is_repeated(self) -> bool {
        matches!(self, Block::For | Block::Macro | Block::Call)
    }
}

/// A statement that was opened and not closed yet.
struct Open {
    block: Block,
    /// How many levels it takes in the engine's tree.
    levels: usize,
    /// Where in the output the price of the literal text in its body belongs.
    price_at: usize,
    /// Where its head begins in the output, and its body in the source.
    head_at: usize,
    body_at: usize,
    /// Bytes of literal text in its body.
    text: usize,
    line: usize,
    /// For `SetAttribute`, the statement that finally assigns.
    assignment: String,
}

pub(super) fn rewrite(source: &str) -> Result<String, Fault> {
    let mut rewriter =
        Rewriter { source, at: 0, line: (1, 0), out: Vec::new(), open: Vec::new(), trims: false };
    while rewriter.step()? {}
    match rewriter.open.last() {
        None => Ok(rewriter.out.concat()),
        Some(open) => Err(Fault {
            at: Place::Line(open.line),
            reason: format!("the statement that begins here is not closed by {}", open.block.end()),
        }),
    }
}

struct Rewriter<'s> {
    source: &'s str,
    at: usize,
    /// The line last asked for, and where that was.
    line: (usize, usize),
    /// Pieces of output; some are filled in later.
    out: Vec<String>,
    open: Vec<Open>,
    /// Whether the last tag removes the white space behind it.
    trims: bool,
}

impl Rewriter<'_> {
    fn fault(&self, reason: impl Into<String>) -> Fault {
        Fault { at: Place::Offset(self.at), reason: reason.into() }
    }

    /// Rewrites the text up to the next tag, and the tag; false at the end of the source.
    fn step(&mut self) -> Result<bool, Fault> {
        let rest = &self.source[self.at..];
        let starts = rest.match_indices('{');
        let mut starts = starts.filter(|(at, _)| rest[at + 1..].starts_with(['{', '%', '#']));
        let Some((text, _)) = starts.next() else {
            self.text(rest, "");
            return Ok(false);
        };
        let mark = match rest[text + 2..].bytes().next() {
            Some(b'-') => "-",
            Some(b'+') => "+",
            _ => "",
        };
        self.text(&rest[..text], mark);
        self.at += text;
        let inside = self.at + 2 + mark.len();
        match &rest[text..text + 2] {
            "{{" => self.output(inside, mark)?,
            "{#" => self.comment()?,
            _ if self.raw(inside, mark)? => {}
            _ => self.statement(inside, mark)?,
        }
        Ok(true)
    }

    fn text(&mut self, text: &str, next_mark: Mark) {
        let mut visible = text;
        if self.trims {
            visible = visible.trim_start();
        }
        if next_mark == "-" {
            visible = visible.trim_end();
        }
        if let Some(open) = self.open.last_mut() {
            open.text += visible.len();
        }
        self.trims = false;
        self.out.push(text.to_owned());
    }

    fn comment(&mut self) -> Result<(), Fault> {
        let rest = &self.source[self.at..];
        let Some(end) = rest[2..].find("#}") else {
            return Err(self.fault("the comment is not closed"));
        };
        let comment = &rest[..end + 4];
        self.trims = comment.ends_with("-#}");
        self.out.push(comment.to_owned());
        self.at += comment.len();
        Ok(())
    }

    /// Rewrites `{% raw %}…{% endraw %}`, if the tag is one, to an output of its text. The engine
    /// would drop a line break behind the first tag, which Jinja keeps.
    fn raw(&mut self, inside: usize, mark: Mark) -> Result<bool, Fault> {
        let Some((length, trims_start)) = bare_tag(&self.source[inside..], "raw") else {
            return Ok(false);
        };
        let start = inside + length;
        let mut end = start;
        let (text, last_mark) = loop {
            let Some(next) = self.source[end..].find("{%") else {
                return Err(self.fault("the raw block is not closed by endraw"));
            };
            let text = &self.source[start..end + next];
            end += next + 2;
            let tag = &self.source[end..];
            let unmarked = tag.strip_prefix(['-', '+']).unwrap_or(tag);
            if let Some((length, trims)) = bare_tag(unmarked, "endraw") {
                let text = without_margin(text, &tag[..tag.len() - unmarked.len()]);
                end += tag.len() - unmarked.len() + length;
                self.trims = trims;
                break (text, if trims { "-" } else { "" });
            }
        };
        let text = if trims_start { text.trim_start() } else { text };
        let lines = "\n".repeat(line_breaks(&self.source[self.at..end]));
        self.out.push(format!("{{%{mark} if true +%}}{{{{ {} }}}}", quoted(text)));
        self.out.push(format!("{{% endif {lines}{last_mark}%}}"));
        self.at = end;
        Ok(true)
    }

    /// Reads a tag, and passes over it.
    fn tag(&mut self, inside: usize, close: &str) -> Result<(Tag, usize), Fault> {
        let tag = tokens::read(self.source, inside, close)?;
        let (line, counted) = self.line;
        let line = line + line_breaks(&self.source[counted..self.at]);
        self.line = (line, self.at);
        self.at = tag.end;
        self.trims = tag.mark == "-";
        Ok((tag, line))
    }

    fn output(&mut self, inside: usize, mark: Mark) -> Result<(), Fault> {
        let (tag, line) = self.tag(inside, "}}")?;
        let mut parser = Parser::new(&tag.tokens, line);
        let value = parser.expressions(true)?;
        parser.finish(self.is_conditional())?;
        let lines = parser.take_line_breaks() + &"\n".repeat(tag.line_breaks);
        self.out.push(format!("{{{{{mark} {value}{lines} {}}}}}", tag.mark));
        Ok(())
    }

    fn statement(&mut self, inside: usize, mark: Mark) -> Result<(), Fault> {
        let (tag, line) = self.tag(inside, "%}")?;
        let mut parser = Parser::new(&tag.tokens, line);
        let word = parser.name()?;
        let begun = match word.as_str() {
            "if" => Begun::new(Block::If, format!("if {}", parser.expressions(false)?)),
            "for" => Begun::new(Block::For, for_loop(&mut parser)?),
            "set" => set(&mut parser)?,
            "macro" => macro_head(&mut parser)?,
            "call" => call_head(&mut parser)?,
            "filter" => filter_head(&mut parser)?,
            "with" => Begun::new(Block::With, with_head(&mut parser)?),
            "generation" => Begun::new(Block::Generation, "with".to_owned()),
            "elif" => Begun::plain(self.branch(&mut parser)?),
            "else" => Begun::plain(self.otherwise(&parser)?),
            "break" | "continue" => Begun::plain(self.leave_loop(&word, &parser)?),
            word if word.starts_with("end") => Begun::plain(self.close(word, &parser)?),
            word => return Err(parser.fault(format!("unknown statement '{word}'"))),
        };
        parser.finish(self.is_conditional() || word == "if")?;
        let lines = parser.take_line_breaks() + &"\n".repeat(tag.line_breaks);
        let Begun { block, text, assignment } = begun;
        self.out.push(format!("{{%{mark} "));
        self.out.push(format!("{text}{lines} "));
        if let Some(block) = block {
            self.enter(block, line, assignment)?;
        }
        self.out.push(format!("{}%}}", tag.mark));
        Ok(())
    }

    fn is_conditional(&self) -> bool {
        self.open.iter().any(|open| open.block == Block::If)
    }

    /// Notes that a block was opened, and leaves room behind its head for what its body needs.
    fn enter(&mut self, block: Block, line: usize, assignment: String) -> Result<(), Fault> {
        let levels: usize = self.open.iter().map(|open| open.levels).sum();
        if levels >= MAX_NESTING {
            let reason = "the statements are nested too deeply".to_owned();
            return Err(Fault { at: Place::Line(line), reason });
        }
        let head_at = self.out.len() - 1;
        if matches!(block, Block::Set | Block::SetAttribute | Block::Filter) {
            // What is set inside stays inside.
            self.out.push("%}{% with ".to_owned());
        }
        let price_at = self.out.len();
        self.out.push(String::new());
        self.open.push(Open {
            block,
            levels: 1,
            price_at,
            head_at,
            body_at: self.at,
            text: 0,
            line,
            assignment,
        });
        Ok(())
    }

    fn branch(&mut self, parser: &mut Parser<'_>) -> Result<String, Fault> {
        let levels: usize = self.open.iter().map(|open| open.levels).sum();
        match self.open.last_mut() {
            Some(open) if open.block == Block::If && levels < MAX_NESTING => open.levels += 1,
            Some(open) if open.block == Block::If => {
                return Err(parser.fault("the statements are nested too deeply"));
            }
            _ => return Err(parser.fault("elif without if")),
        }
        Ok(format!("elif {}", parser.expressions(false)?))
    }

    fn otherwise(&self, parser: &Parser<'_>) -> Result<String, Fault> {
        match self.open.last().map(|open| open.block) {
            Some(Block::If | Block::For) => Ok("else".to_owned()),
            _ => Err(parser.fault("else without if or for")),
        }
    }

    /// `break` and `continue`. The engine does not unwind other blocks on the way to the loop.
    fn leave_loop(&self, word: &str, parser: &Parser<'_>) -> Result<String, Fault> {
        let blocks = self.open.iter().rev().map(|open| open.block);
        match blocks.into_iter().find(|block| *block != Block::If) {
            Some(Block::For) => Ok(word.to_owned()),
            Some(_) if self.open.iter().any(|open| open.block == Block::For) => {
                Err(parser.fault(format!("{word} cannot leave a block inside the loop")))
            }
            _ => Err(parser.fault(format!("{word} outside of a loop"))),
        }
    }

    fn close(&mut self, word: &str, parser: &Parser<'_>) -> Result<String, Fault> {
        let Some(open) = self.open.pop() else {
            return Err(parser.fault(format!("{word} closes nothing")));
        };
        if open.block.end() != word {
            let (line, end) = (open.line, open.block.end());
            return Err(parser.fault(format!("{word} where {end} is due, for line {line}")));
        }
        if open.block.is_repeated() && open.text > 0 {
            self.out[open.price_at] = format!("%}}{{% do py__text({}) ", open.text);
        }
        if matches!(open.block, Block::Macro | Block::Call) {
            let price = MACRO_BYTES + CAPTURE_BYTES * (self.at - open.body_at);
            self.out[open.head_at].insert_str(0, &format!("do py__text({price}) %}}{{% "));
        }
        if let Some(outer) = self.open.last_mut() {
            outer.text += open.text;
        }
        Ok(match open.block {
            Block::Set => "endwith %}{% endset".to_owned(),
            Block::SetAttribute => format!("endwith %}}{{% endset %}}{{% {}", open.assignment),
            Block::Filter => "endwith %}{% endfilter".to_owned(),
            Block::Generation => "endwith".to_owned(),
            block => block.end().to_owned(),
        })
    }
}

/// If `text` begins with ` name %}`, how long that is, and whether white space behind it goes.
fn bare_tag(text: &str, name: &str) -> Option<(usize, bool)> {
    let rest = text.trim_ascii_start().strip_prefix(name)?.trim_ascii_start();
    let trims = rest.starts_with('-');
    let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest).strip_prefix("%}")?;
    Some((text.len() - rest.len(), trims))
}

/// The text before a tag that begins with the mark, without the white space that belongs to it.
fn without_margin<'t>(text: &'t str, mark: &str) -> &'t str {
    match mark {
        "-" => text.trim_end(),
        "+" => text,
        _ => {
            let line = text.rfind('\n').map_or(0, |at| at + 1);
            if text[line..].trim().is_empty() && line > 0 { &text[..line] } else { text }
        }
    }
}
