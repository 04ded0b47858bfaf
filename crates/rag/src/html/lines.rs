//! The lines of a page: where one ends, and what it begins with.
//!
//! A break is only owed until there is something to write, so that empty elements leave no trace.

use super::entity;
use crate::numbered::Numbered;

/// What must come before the next character.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    #[default]
    None,
    Space,
    Line,
    Blank,
}

/// The row of a table, as far as it is read.
#[derive(Debug, Default)]
struct Row {
    is_in_cell: bool,
    cells: usize,
    /// Marks between cells that are not yet written.
    owed: usize,
    /// Whether something of the row is on its line.
    is_begun: bool,
    /// Whether a cell has headings or tables in it: then it is no table but a page laid out in one,
    /// and cells are paragraphs.
    is_layout: bool,
}

/// Deeper indentation than that is cut off.
const MOST_INDENT: usize = 40;

#[derive(Default)]
pub(super) struct Lines {
    out: Numbered,
    gap: Gap,
    /// What the next line begins with.
    prefix: &'static str,
    /// The tables that are open; inside of a cell there may be others.
    tables: Vec<Row>,
    lists: usize,
    /// How many elements are open that keep their blanks.
    preformatted: usize,
    /// Blanks since the last character, of text that keeps them.
    blanks: usize,
    is_in_heading: bool,
    is_after_break: bool,
}

impl Lines {
    /// Takes text that begins on `line`.
    pub(super) fn text(&mut self, text: &str, mut line: usize) {
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let plain = (first, first.len_utf8());
            let entity = if first == '&' { entity::decode(rest) } else { None };
            let (character, length) = entity.unwrap_or(plain);
            if character.is_whitespace() {
                self.blank(character);
            } else if !is_invisible(character) {
                self.write(character, line);
            }
            line += usize::from(first == '\n');
            rest = &rest[length..];
        }
    }

    pub(super) fn open(&mut self, name: &str) {
        match name {
            "br" => self.line_break(),
            "h1" => self.heading("# "),
            "h2" => self.heading("## "),
            "h3" => self.heading("### "),
            "h4" => self.heading("#### "),
            "h5" => self.heading("##### "),
            "h6" => self.heading("###### "),
            "ul" | "ol" | "dl" | "menu" => {
                self.end_line(self.gap_of_list());
                self.lists += 1;
            }
            "li" => {
                self.end_line(Gap::Line);
                self.prefix = if self.is_in_cell() { "" } else { "- " };
            }
            "pre" => {
                self.end_line(Gap::Blank);
                self.preformatted += 1;
            }
            "table" => self.open_table(),
            "tr" => self.row(),
            "td" | "th" => self.cell(),
            _ => self.end_line(gap_of(name)),
        }
    }

    pub(super) fn close(&mut self, name: &str) {
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.is_in_heading = false;
                self.end_element(Gap::Blank);
            }
            "ul" | "ol" | "dl" | "menu" => {
                self.lists = self.lists.saturating_sub(1);
                self.prefix = "";
                self.end_line(self.gap_of_list());
            }
            "li" => {
                self.prefix = "";
                self.end_line(Gap::Line);
            }
            "pre" => {
                self.preformatted = self.preformatted.saturating_sub(1);
                self.blanks = 0;
                self.end_line(Gap::Blank);
            }
            "table" => self.close_table(),
            "tr" => self.row(),
            // The next cell, or the end of the row, says more.
            "td" | "th" | "br" => {}
            _ => self.end_line(gap_of(name)),
        }
    }

    pub(super) fn finish(self) -> Numbered {
        self.out
    }

    fn write(&mut self, character: char, line: usize) {
        self.fill_gap(line);
        let mut bytes = [0; 4];
        self.out.push(character.encode_utf8(&mut bytes), line);
        self.is_after_break = false;
    }

    fn fill_gap(&mut self, line: usize) {
        let gap = std::mem::take(&mut self.gap);
        let breaks = if self.out.text().is_empty() { Gap::None } else { gap };
        match breaks {
            Gap::None | Gap::Space => {}
            Gap::Line => self.out.push_gap("\n"),
            Gap::Blank => self.out.push_gap("\n\n"),
        }
        let mut is_apart = breaks != Gap::Space;
        if let Some(row) = self.tables.last_mut() {
            row.is_begun &= breaks < Gap::Line;
            for _ in 0..std::mem::take(&mut row.owed) {
                self.out.push(if row.is_begun { " | " } else { "| " }, line);
                (row.is_begun, is_apart) = (false, true);
            }
            row.is_begun = true;
        }
        if !is_apart {
            self.out.push_gap(" ");
        }
        self.out.push(std::mem::take(&mut self.prefix), line);
        self.out.push(&" ".repeat(std::mem::take(&mut self.blanks)), line);
    }

    fn blank(&mut self, character: char) {
        match character {
            _ if self.preformatted == 0 || self.is_in_cell() => self.gap = self.gap.max(Gap::Space),
            '\n' => {
                self.gap = if self.gap < Gap::Line { Gap::Line } else { Gap::Blank };
                self.blanks = 0;
            }
            '\r' => {}
            _ => self.blanks = MOST_INDENT.min(self.blanks + if character == '\t' { 4 } else { 1 }),
        }
    }

    /// Two breaks are the end of a paragraph.
    fn line_break(&mut self) {
        if self.is_in_heading {
            self.gap = self.gap.max(Gap::Space);
        } else {
            self.end_line(if self.is_after_break { Gap::Blank } else { Gap::Line });
            self.is_after_break = true;
        }
    }

    fn heading(&mut self, prefix: &'static str) {
        self.lay_out();
        self.end_element(Gap::Blank);
        self.prefix = prefix;
        self.is_in_heading = true;
    }

    /// Ends the line, unless nothing is on it yet but what it begins with. In a cell it goes on.
    fn end_line(&mut self, gap: Gap) {
        if gap >= Gap::Line && self.prefix.is_empty() {
            self.is_in_heading = false;
            let gap = if self.is_in_cell() { Gap::Space } else { gap };
            self.gap = self.gap.max(gap);
        }
    }

    /// Ends the line, in cells too.
    fn end_element(&mut self, gap: Gap) {
        self.prefix = "";
        self.gap = self.gap.max(gap);
    }

    fn is_in_cell(&self) -> bool {
        self.tables.last().is_some_and(|row| row.is_in_cell)
    }

    fn gap_of_list(&self) -> Gap {
        if self.lists == 0 { Gap::Blank } else { Gap::Line }
    }

    fn open_table(&mut self) {
        self.lay_out();
        self.end_element(Gap::Blank);
        self.tables.push(Row::default());
    }

    fn close_table(&mut self) {
        self.tables.pop();
        self.end_element(Gap::Blank);
    }

    /// The cell that is open, if one is, has a heading or a table in it.
    fn lay_out(&mut self) {
        if let Some(row) = self.tables.last_mut().filter(|row| row.is_in_cell) {
            (row.is_layout, row.owed) = (true, 0);
        }
    }

    fn row(&mut self) {
        if let Some(row) = self.tables.last_mut() {
            *row = Row::default();
        }
        self.end_element(Gap::Line);
    }

    fn cell(&mut self) {
        let Some(row) = self.tables.last_mut() else { return };
        row.owed += usize::from(row.cells > 0 && !row.is_layout);
        row.cells += 1;
        row.is_in_cell = true;
        let gap = if row.is_layout { Gap::Blank } else { Gap::Space };
        self.end_element(gap);
    }
}

/// How an element ends the line before it and its own last one.
fn gap_of(name: &str) -> Gap {
    match name {
        "p" | "blockquote" | "section" | "article" | "header" | "footer" | "nav" | "main"
        | "aside" | "form" | "fieldset" | "figure" | "hr" | "details" | "body" => Gap::Blank,
        "div" | "dt" | "dd" | "address" | "option" | "select" | "caption" | "figcaption"
        | "legend" | "summary" | "thead" | "tbody" | "tfoot" | "button" | "center" | "dialog"
        | "textarea" | "optgroup" => Gap::Line,
        _ => Gap::None,
    }
}

/// Marks that only say where a word may be broken, or nothing at all.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
        || character.is_control()
}
