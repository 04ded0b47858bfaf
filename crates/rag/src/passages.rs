//! Passages: pieces of a document that are short enough to be read at once and stand alone.
//!
//! A document is cut into atoms, and atoms are packed. Where passages part is chosen among the
//! places of their second half: the best kind of place, and of those the last.

mod atoms;
mod shape;

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use crate::document::Document;
use crate::numbered::Numbered;
use atoms::{Atom, Place, Sizes};

/// A piece of a document, below the headings under which it stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    pub(crate) document: Arc<str>,
    pub(crate) body: Numbered,
    lines: (usize, usize),
}

impl Passage {
    /// The name of the document.
    #[must_use]
    pub fn document(&self) -> &str {
        &self.document
    }

    /// The headings that it stands under, each a line, and then its own text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.body.text()
    }

    /// The lines of the file from which its own text comes.
    #[must_use]
    pub fn lines(&self) -> RangeInclusive<usize> {
        self.lines.0..=self.lines.1
    }
}

pub(crate) fn cut(document: &Document, most_words: usize) -> Vec<Passage> {
    let sizes = Sizes::of(most_words);
    let mut packer = Packer {
        document,
        sizes,
        held: Vec::new(),
        above: Vec::new(),
        context: Vec::new(),
        size: 0,
        passages: Vec::new(),
    };
    atoms::each(document, sizes, |atom| packer.add(atom));
    while !packer.held.is_empty() {
        packer.emit(packer.held.len());
    }
    packer.passages
}

struct Packer<'a> {
    document: &'a Document,
    sizes: Sizes,
    /// What the next passage will begin with.
    held: Vec<Atom>,
    /// The headings above `held`, outermost first.
    above: Vec<Atom>,
    /// Those of them that the next passage repeats.
    context: Vec<Atom>,
    /// Of `held` and `context` together.
    size: usize,
    passages: Vec<Passage>,
}

impl Packer<'_> {
    fn add(&mut self, atom: Atom) {
        while !self.held.is_empty() && self.size + atom.size > self.sizes.passage {
            let count = self.best_cut(&atom);
            self.emit(count);
        }
        self.size += atom.size;
        self.held.push(atom);
        if self.held.len() == 1 {
            self.begin();
        }
    }

    /// Finds the headings for what is held now.
    fn begin(&mut self) {
        self.context = self.held.first().map_or(Vec::new(), |first| self.context_of(first));
        self.size = self.context.iter().chain(&self.held).map(|atom| atom.size).sum();
    }

    /// How many of the atoms make a passage when `next` does not fit any more.
    fn best_cut(&self, next: &Atom) -> usize {
        let places = self.held[1..].iter().chain([next]).map(|atom| atom.before);
        let mut size = 0;
        let sizes = self.held.iter().map(|atom| {
            size += atom.size;
            size
        });
        let ends = sizes.zip(places).enumerate().map(|(index, (size, place))| {
            let is_enough = size >= self.sizes.passage / 2;
            (is_enough && place > Place::BelowHeading, place, index + 1)
        });
        ends.max().map_or(1, |(_, _, count)| count)
    }

    /// Makes a passage of the first atoms that are held.
    fn emit(&mut self, count: usize) {
        let rest = self.held.split_off(count);
        let atoms = std::mem::replace(&mut self.held, rest);
        if let [first, .., last] | [first @ last] = atoms.as_slice() {
            let passage = self.passage(first.range.start..last.range.end);
            self.passages.push(passage);
        }
        for heading in atoms.into_iter().filter(|atom| atom.heading.is_some()) {
            self.above.retain(|above| above.heading < heading.heading);
            self.above.push(heading);
        }
        self.begin();
    }

    fn passage(&self, own: Range<usize>) -> Passage {
        let source = &self.document.body;
        let mut body = Numbered::default();
        for heading in &self.context {
            body.push_part(source, heading.range.clone());
            body.push_gap("\n");
        }
        let lines = (source.line_at(own.start), source.line_at(own.end - 1));
        body.push_part(source, own);
        Passage { document: Arc::clone(&self.document.name), body, lines }
    }

    /// The headings above an atom, as many of the innermost as have room.
    fn context_of(&self, first: &Atom) -> Vec<Atom> {
        let is_above = |above: &&Atom| first.heading.is_none() || above.heading < first.heading;
        let mut room = self.sizes.context;
        let inner = self.above.iter().filter(is_above).rev();
        let mut context: Vec<Atom> = inner
            .take_while(|heading| {
                let fits = heading.size <= room;
                room = room.saturating_sub(heading.size);
                fits
            })
            .cloned()
            .collect();
        context.reverse();
        context
    }
}

#[cfg(test)]
mod tests;
